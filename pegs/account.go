package pegs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"causeway/chains"
)

// Account is an account of ours on a chain of accounts.
type Account struct {
	Address string           // as it is shown
	Kind    chains.WatchKind // empty: known from what it sent alone
	Account string           // whose it is, for deposits
	Epoch   uint32
	Nonce   uint64 // transactions that it has sent, by the newest reading
	Sent    uint64 // transactions of it that are known
	Odd     bool   // the newest reading counted others than those that are known

	holdings map[string]*Holding // by token; "" is the coin
}

// Holding is one asset of an account.
type Holding struct {
	Token  string
	Amount chains.Amount   // by the newest reading
	At     chains.BlockRef // of that reading; zero before the first
	Out    chains.Amount   // what the account's own transactions took out, fees of the coin included
	Booked chains.Amount   // received, as far as it is booked
	Short  chains.Amount   // booked, and by the newest reading not there

	waiting  []waitingLog // transfers to a deposit address that were not held against a reading yet
	deposits []*Deposit   // in order of booking
}

// waitingLog is a transfer of a token that is not a deposit yet.
type waitingLog struct {
	TokenLog
	In chains.BlockRef
}

// Held is what an account of ours holds by the newest reading.
type Held struct {
	Address string
	Kind    chains.WatchKind
	Account string
	Epoch   uint32
	Token   string // empty: the coin
	Amount  chains.Amount
	Nonce   uint64 // transactions sent
	At      chains.BlockRef
	// Received is what came in from outside in all: Amount, what the account's own
	// transactions took out, less what other accounts of ours brought in.
	Received chains.Amount
}

// Unread is an account and asset to be read again.
type Unread struct {
	Address string // in lower case
	Token   string
}

// MaxUnminedNonces is how many transactions of one account may wait to be mined.
const MaxUnminedNonces = 16

// accountDepth is the depth at which what a chain of accounts holds counts: only
// final blocks are connected.
const accountDepth = 1

// AccountPolicy is the policy of a chain of accounts, of which only final blocks
// are connected.
func AccountPolicy() Policy {
	return Policy{Floor: accountDepth, Normal: accountDepth, Large: accountDepth, Keep: 64}
}

// Accounts says whether the chain has accounts with nonces instead of outputs.
// Then an input of a batch is {sender, nonce}, the sender in lower case.
func (c *Chain) Accounts() bool { return accounts(c.ID) }

func accounts(id chains.ID) bool { return id == chains.ETH }

// accountKey is the form of addresses that identity uses: 0x and 40 hex digits in
// lower case; empty when the text is no address.
func accountKey(address string) string {
	key := strings.ToLower(address)
	if len(key) != 42 || key[:2] != "0x" || strings.Trim(key[2:], "0123456789abcdef") != "" {
		return ""
	}
	return key
}

// account finds an account by address, nil when it is not known.
func (c *Chain) account(address string) *Account { return c.holders[accountKey(address)] }

// holding finds what is known of an asset of an account, nil when nothing is.
func (c *Chain) holding(address, token string) *Holding {
	if a := c.account(address); a != nil {
		return a.holdings[token]
	}
	return nil
}

// openAccount finds an account, or makes it.
func (c *Chain) openAccount(key string) *Account {
	a := c.holders[key]
	if a == nil {
		a = &Account{Address: key, holdings: map[string]*Holding{}}
		c.holders[key] = a
	}
	return a
}

func (a *Account) open(token string) *Holding {
	h := a.holdings[token]
	if h == nil {
		h = &Holding{Token: token}
		a.holdings[token] = h
	}
	return h
}

func (h *Holding) read() bool { return h != nil && h.At.Hash != "" }

// Account finds an account of ours by address, in any case.
func (c *Chain) Account(address string) (Account, bool) {
	if a := c.account(address); a != nil && a.Kind != "" {
		return *a, true
	}
	return Account{}, false
}

// Balance is what an account held of a token ("": the coin) at the newest reading;
// ok is false before the first.
func (c *Chain) Balance(address, token string) (amount chains.Amount, at chains.BlockRef, ok bool) {
	h := c.holding(address, token)
	if !h.read() {
		return amount, at, false
	}
	return h.Amount, h.At, true
}

// AccountsHeld lists every reading, in order of addresses and tokens.
func (c *Chain) AccountsHeld() (list []Held) {
	for _, key := range sortedKeys(c.holders) {
		a := c.holders[key]
		for _, token := range sortedKeys(a.holdings) {
			if h := a.holdings[token]; h.read() {
				list = append(list, Held{
					Address: a.Address, Kind: a.Kind, Account: a.Account, Epoch: a.Epoch, Token: token,
					Amount: h.Amount, Nonce: a.Nonce, At: h.At, Received: c.received(key, h),
				})
			}
		}
	}
	return list
}

// ToRead lists what is to be read in the newest block: what was touched since its
// last reading, in order.
func (c *Chain) ToRead() (list []Unread) {
	for key := range c.stale {
		list = append(list, key)
	}
	slices.SortFunc(list, compareUnread)
	return list
}

func compareUnread(a, b Unread) int {
	return cmp.Or(strings.Compare(a.Address, b.Address), strings.Compare(a.Token, b.Token))
}

// touch asks for a reading.
func (c *Chain) touch(key, token string) { c.stale[Unread{key, token}] = true }

// received is what came into an account from outside by its newest reading: what
// it holds and has paid out, less what other accounts of ours sent it otherwise
// than as a payout.
func (c *Chain) received(key string, h *Holding) chains.Amount {
	total := addAmount(h.Amount, h.Out)
	if h.Token == "" {
		total = subAmount(total, c.inner[key])
	}
	return total
}

// OwnAddress is the address of a kind (change: the hot account) of the newest epoch.
func (c *Chain) OwnAddress(kind chains.WatchKind) (string, error) {
	for _, s := range c.NewestEpoch().Scripts {
		if s.Kind == kind {
			return s.Address, nil
		}
	}
	return "", fmt.Errorf("pegs: %s has no account of kind %s", c.ID, kind)
}

// NextNonce is the lowest nonce of an account that no batch has, by what is known.
// ok says that a batch may be planned with it now: the account was read, all that
// it has sent is known, every batch of it is assigned, so that a plan that is
// dropped leaves no gap, and few wait to be mined.
func (s *State) NextNonce(id chains.ID, address string) (nonce uint64, ok bool) {
	c := s.chains[id]
	if c == nil || !c.Accounts() {
		return 0, false
	}
	key := accountKey(address)
	a := c.holders[key]
	if a == nil || !a.holdings[""].read() {
		return 0, false
	}
	ok = !a.Odd
	waits := 0
	for nonce = a.Nonce; ; nonce++ {
		at := spendAt(key, nonce)
		if c.used[at] != nil {
			continue
		}
		b := s.batches[c.kept[at]]
		if b == nil {
			return nonce, ok && waits < MaxUnminedNonces
		}
		waits++
		ok = ok && b.Assigned != nil
	}
}

// spendAt is the input of a batch that sends from an account with a nonce.
func spendAt(key string, nonce uint64) chains.Outpoint {
	return chains.Outpoint{TxID: key, Index: uint32(nonce)}
}

// Free is what an account holds of a token by the newest reading, less what batches
// of it take that are not mined: their amounts, and of the coin their highest fees.
// ok is false when the account is to be read first.
func (s *State) Free(id chains.ID, address, token string) (free chains.Amount, ok bool) {
	c := s.chains[id]
	if c == nil {
		return free, false
	}
	h := c.holding(address, token)
	if key := accountKey(address); !h.read() || c.stale[Unread{key, token}] {
		return free, false
	}
	free = h.Amount
	for _, b := range s.openBatchesOf(id) {
		if b.Inputs[0].TxID == accountKey(address) && b.undecided() {
			free = subAmount(free, s.takes(b, token))
		}
	}
	return free, true
}

// takes is what a batch takes out of its account of a token, at most.
func (s *State) takes(b *Batch, token string) (sum chains.Amount) {
	if b.Token == token {
		sum = b.Value
	}
	if token != "" {
		return sum
	}
	fee := b.Fee
	for _, v := range b.Variants {
		if fee.Less(v.Fee) {
			fee = v.Fee
		}
	}
	return addAmount(sum, fee)
}
