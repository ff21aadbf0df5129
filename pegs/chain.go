package pegs

import (
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"causeway/chains"
	"causeway/internal/failpoint"
)

// Chain is what is known of one outside chain: the newest blocks, our scripts,
// our outputs and the transactions that spend them.
type Chain struct {
	ID     chains.ID
	Config Configured
	Epochs []EpochAdded

	tail     []chains.Header // newest last, at most Policy.Keep
	next     uint64          // height of the block to connect
	highest  uint64          // height of the highest block that there ever was
	accounts map[string]*watch
	outputs  map[chains.Outpoint]*Output
	unspent  outputSet // in the chain and not spent in it
	txs      map[string]*Spending
	kept     map[chains.Outpoint]string // the batch that an outpoint is kept for
	cancels  map[chains.Outpoint]string // the cancel that takes an outpoint from that batch
	makers   map[string]string          // the batch of a transaction that was signed or mined, by txid
	foreign  map[string]*Spending       // transactions of the chain that are no batch's
	blocks   map[string]*blockIndex     // of tail, by hash
	risk     chains.Amount              // what deposits brought within the tail
	halts    []Halt
	perished map[string]Perished     // transactions of others that cannot be mined any more, by txid
	seen     map[string]Acknowledged // transactions that a person has looked at, by txid
	alerts   []Alerted
	// Chains of accounts.
	holders map[string]*Account           // accounts of ours, by address in lower case
	used    map[chains.Outpoint]*Spending // by sender and nonce
	inner   map[string]chains.Amount      // what our own transactions that are no payouts brought of the coin, by receiver
	stale   map[Unread]bool               // to be read again
	early   earlyRows                     // rows of deposits that were not seen yet, by id
	trouble map[string]*Account           // whose reading nothing explains
	// Limits: what was let through, and the base block that it was last judged at.
	outflow    []*Outflow
	limitBlock uint64

	coins coinSet              `graph:"derived"` // of unspent, what is usable and free: see reckon
	made  map[string][]*Output `graph:"derived"` // outputs that are no deposits, by txid
}

type watch struct {
	complete bool             // every block of the past was searched
	upto     *chains.BlockRef // else the newest that was; nil: none
}

// again has the whole past searched.
func (w *watch) again() { w.complete, w.upto = false, nil }

// blockIndex is what disconnecting a block has to take back.
type blockIndex struct {
	created  []*Output
	spent    []*Output
	txs      []*Spending
	deposits chains.Amount
}

// Output is an output of ours.
type Output struct {
	Payment
	Own   bool             // made by a transaction that spends outputs of ours
	In    *chains.BlockRef // nil while not in the chain
	Left  *chains.BlockRef // the newest block that held it and has left the chain
	Spent *Spending        // the transaction of the chain that spends it

	deposit *Deposit // that it is, if any

	reckoned bool `graph:"derived"` // it is in the index of coins
}

// Spending is a transaction that spends outputs of ours.
type Spending struct {
	TxID   string
	Inputs []chains.Outpoint // all of them, sorted
	In     *chains.BlockRef  // nil while not in the chain
	Batch  string            // empty when it is none of ours
	Result *Result           // on a chain of accounts
	Inner  bool              // it brought coins to an account, and is no payout
}

// Halt is a reason why scopes of a chain stand still.
type Halt struct {
	Halted
	At time.Time
}

func (s *State) configured(e *Configured) error {
	c, ok := s.chains[e.Chain]
	if !ok {
		s.chains[e.Chain] = &Chain{
			ID: e.Chain, Config: *e, next: e.Start,
			accounts: map[string]*watch{},
			outputs:  map[chains.Outpoint]*Output{},
			txs:      map[string]*Spending{},
			kept:     map[chains.Outpoint]string{},
			cancels:  map[chains.Outpoint]string{},
			perished: map[string]Perished{},
			seen:     map[string]Acknowledged{},
			makers:   map[string]string{},
			foreign:  map[string]*Spending{},
			blocks:   map[string]*blockIndex{},
			made:     map[string][]*Output{},
			holders:  map[string]*Account{},
			used:     map[chains.Outpoint]*Spending{},
			inner:    map[string]chains.Amount{},
			stale:    map[Unread]bool{},
			early:    earlyRows{},
			trouble:  map[string]*Account{},
		}
		s.ids = append(s.ids, e.Chain)
		return nil
	}
	if e.Network != c.Config.Network {
		return refuse("%s moved from %s to %s", e.Chain, c.Config.Network, e.Network)
	}
	if len(c.tail) == 0 && len(c.outputs) == 0 {
		c.next = e.Start
	} else if e.Start < c.Config.Start {
		for _, w := range c.accounts {
			w.again()
		}
	}
	c.Config = *e
	return nil
}

func (s *State) chain(id chains.ID) (*Chain, error) {
	if c, ok := s.chains[id]; ok {
		return c, nil
	}
	return nil, refuse("chain %q is not configured", id)
}

func (s *State) epochAdded(e *EpochAdded) error {
	c, err := s.chain(e.Chain)
	if err != nil {
		return err
	}
	for _, known := range c.Epochs {
		if known.Epoch == e.Epoch {
			return refuse("%s epoch %d twice", e.Chain, e.Epoch)
		}
	}
	c.Epochs = append(c.Epochs, *e)
	if len(c.tail) > 0 {
		// Blocks were looked at without the scripts of this epoch.
		for _, w := range c.accounts {
			w.again()
		}
	}
	return nil
}

func (s *State) watching(e *Watching) error {
	c, err := s.chain(e.Chain)
	if err != nil {
		return err
	}
	for _, a := range e.Accounts {
		if c.accounts[a] != nil {
			return refuse("%s is watched already", a)
		}
	}
	for _, a := range e.Accounts {
		// Nothing was looked at yet: there is nothing to search again.
		c.accounts[a] = &watch{complete: len(c.tail) == 0 && c.next == c.Config.Start}
	}
	return nil
}

// backscanned adds what the blocks before Watching hold. A block that has left
// the chain since is ignored: its replacement was matched when connected.
func (s *State) backscanned(e *Backscanned, at time.Time) error {
	c, err := s.chain(e.Chain)
	if err != nil {
		return err
	}
	for _, a := range e.Accounts {
		if c.accounts[a] == nil {
			return refuse("%s is not watched", a)
		}
	}
	for _, m := range e.Matched {
		if m.Header.Height >= c.next {
			return refuse("block %d is beyond the newest", m.Header.Height)
		}
	}
	if e.Upto != nil && (len(c.tail) == 0 || e.Upto.Height >= c.tail[0].Height && !c.Accounts()) {
		return refuse("block %d can leave the chain", e.Upto.Height)
	}
	for _, m := range e.Matched {
		if !c.Has(m.Header.BlockRef) {
			continue
		}
		ref := m.Header.BlockRef
		s.enter(c, m, &ref, at)
	}
	for _, a := range e.Accounts {
		c.accounts[a].complete, c.accounts[a].upto = e.Upto == nil, e.Upto
	}
	return nil
}

func (s *State) connected(e *Connected, at time.Time) error {
	c, err := s.chain(e.Chain)
	if err != nil {
		return err
	}
	if e.Header.Height != c.next {
		return refuse("%s block %d, want %d", e.Chain, e.Header.Height, c.next)
	}
	if tip, ok := c.Tip(); ok && e.Header.Parent != tip.Hash {
		return refuse("%s block %d does not extend %s", e.Chain, e.Header.Height, tip.Hash)
	}
	ref := e.Header.BlockRef
	c.tail = append(c.tail, e.Header)
	c.blocks[ref.Hash] = &blockIndex{}
	c.next = ref.Height + 1
	c.highest = max(c.highest, ref.Height)
	s.enter(c, e.Match, &ref, at)
	for extra := len(c.tail) - max(c.Config.Policy.Keep, 1); extra > 0; extra-- {
		c.risk = subAmount(c.risk, c.blocks[c.tail[0].Hash].deposits)
		delete(c.blocks, c.tail[0].Hash)
		c.tail = slices.Delete(c.tail, 0, 1)
	}
	s.deepened(c, at)
	return nil
}

func (s *State) disconnected(e *Disconnected, at time.Time) error {
	c, err := s.chain(e.Chain)
	if err != nil {
		return err
	}
	tip, ok := c.Tip()
	if !ok || tip != e.Block {
		return refuse("%s: %s is not the newest block", e.Chain, e.Block.Hash)
	}
	if c.Accounts() {
		return refuse("%s: blocks of it were final when they were connected", e.Chain)
	}
	index := c.blocks[tip.Hash]
	delete(c.blocks, tip.Hash)
	c.tail = c.tail[:len(c.tail)-1]
	c.next = tip.Height
	s.leave(c, index, tip, at)
	s.deepened(c, at)
	return nil
}

// Tip is the newest block; ok is false before the first.
func (c *Chain) Tip() (tip chains.BlockRef, ok bool) {
	if len(c.tail) == 0 {
		return chains.BlockRef{}, false
	}
	return c.tail[len(c.tail)-1].BlockRef, true
}

// Tail is the newest blocks, oldest first.
func (c *Chain) Tail() []chains.Header { return slices.Clone(c.tail) }

// height is that of the newest block, 0 before the first.
func (c *Chain) height() uint64 {
	tip, _ := c.Tip()
	return tip.Height
}

// Next is the height of the block to connect next.
func (c *Chain) Next() uint64 { return c.next }

// Has says whether a block is in the chain that we follow. Blocks older than
// the tail are final and taken to be.
func (c *Chain) Has(ref chains.BlockRef) bool {
	if ref.Height >= c.next {
		return false
	}
	if len(c.tail) == 0 || ref.Height < c.tail[0].Height {
		return true
	}
	return c.tail[ref.Height-c.tail[0].Height].Hash == ref.Hash
}

// Depth is the number of blocks from ref to the newest, both counted; 0 for nil.
func (c *Chain) Depth(ref *chains.BlockRef) uint64 {
	if ref == nil || ref.Height >= c.next {
		return 0
	}
	return c.next - ref.Height
}

// Watched says whether the deposit addresses of an account are matched, and
// whether all blocks of the past were searched for them.
func (c *Chain) Watched(account string) (live, complete bool) {
	w := c.accounts[account]
	return w != nil, w != nil && w.complete
}

// WatchedAccounts lists the accounts that are matched, sorted.
func (c *Chain) WatchedAccounts() []string { return sortedKeys(c.accounts) }

// Incomplete lists the accounts whose past is still to be searched, sorted.
func (c *Chain) Incomplete() []string {
	var list []string
	for name, w := range c.accounts {
		if !w.complete {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// Unsearched lists accounts whose past is still to be searched from the same
// block on, sorted, with the block before it (nil: from the first): those that
// are furthest.
func (c *Chain) Unsearched() (accounts []string, after *chains.BlockRef) {
	for _, name := range c.Incomplete() {
		if upto := c.accounts[name].upto; upto != nil && (after == nil || upto.Height > after.Height) {
			after = upto
		}
	}
	for _, name := range c.Incomplete() {
		if upto := c.accounts[name].upto; upto == after || upto != nil && after != nil && *upto == *after {
			accounts = append(accounts, name)
		}
	}
	return accounts, after
}

// Final is the height below which no block can leave the chain.
func (c *Chain) Final() uint64 {
	if len(c.tail) == 0 {
		return 0
	}
	return c.tail[0].Height
}

// CreditDepth is the depth at which a deposit is credited now.
func (c *Chain) CreditDepth() uint64 {
	return c.Config.Policy.Need(c.Config.Network, c.Config.Confirmations, c.risk, len(c.alerts) > 0)
}

// subAmount takes back what addAmount added.
func subAmount(a, b chains.Amount) chains.Amount {
	difference, err := a.Sub(b)
	if err != nil {
		return chains.Amount{}
	}
	return difference
}

// addAmount adds; amounts that are already in blocks cannot overflow 128 bits.
func addAmount(a, b chains.Amount) chains.Amount {
	sum, err := a.Add(b)
	if err != nil {
		return a
	}
	return sum
}

// TailRefs is where the newest blocks are, oldest first.
func (c *Chain) TailRefs() []chains.BlockRef {
	refs := make([]chains.BlockRef, len(c.tail))
	for i, h := range c.tail {
		refs[i] = h.BlockRef
	}
	return refs
}

// Knows says whether an outpoint is an output of ours, or is kept for a batch.
func (c *Chain) Knows(o chains.Outpoint) bool { return c.outputs[o] != nil || c.kept[o] != "" }

// spender is the transaction of the chain that spends an outpoint, nil when none does.
func (c *Chain) spender(o chains.Outpoint) *Spending {
	if out := c.outputs[o]; out != nil {
		return out.Spent
	}
	return c.used[o]
}

// InputDepth is how deep an output from outside must be for payouts, and what
// spends an input of a batch for the batch to be dead.
func (c *Chain) InputDepth() uint64 {
	if failpoint.Off(failpoint.InputDepth) {
		return 1
	}
	return c.CreditDepth() + c.Config.InputExtra
}

// final says whether a block is so deep that nothing of it is expected to leave
// the chain again.
func (c *Chain) final(ref *chains.BlockRef) bool {
	if failpoint.Off(failpoint.ReleaseWhenDead) {
		return c.Depth(ref) >= 1
	}
	return c.Depth(ref) >= c.CreditDepth()+c.Config.InputExtra
}

// KeptFor is the batch that an outpoint is kept for, or empty.
func (c *Chain) KeptFor(o chains.Outpoint) string { return c.kept[o] }

// NewestEpoch is the epoch of the newest key.
func (c *Chain) NewestEpoch() EpochAdded {
	var newest EpochAdded
	for i, e := range c.Epochs {
		if i == 0 || e.Epoch > newest.Epoch {
			newest = e
		}
	}
	return newest
}

// ChangeScript is the script that change goes to.
func (c *Chain) ChangeScript() ([]byte, error) {
	for _, s := range c.NewestEpoch().Scripts {
		if s.Kind == chains.WatchChange {
			return hex.DecodeString(s.Script)
		}
	}
	return nil, fmt.Errorf("pegs: no change script of %s", c.ID)
}
