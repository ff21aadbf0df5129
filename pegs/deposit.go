package pegs

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"causeway/chains"
	"causeway/internal/failpoint"
)

// DepositState is where a deposit stands.
type DepositState string

// The states of a deposit. Seen is never in the ledger: only the mempool knows.
const (
	DepositSeen         DepositState = "seen"
	DepositConfirming   DepositState = "confirming"
	DepositMinting      DepositState = "minting"
	DepositCredited     DepositState = "credited"
	DepositHeld         DepositState = "held"
	DepositBelowMinimum DepositState = "below_minimum"
	DepositUnclaimed    DepositState = "unclaimed"
	DepositGone         DepositState = "gone"
	DepositShortfall    DepositState = "shortfall"
)

// Deposit is a payment to a deposit address. Its id is its outpoint. On a chain of
// accounts that is a transfer of a token {transaction, log}; of the coin it is a rise
// of what the address has received, its id names address and what it had received
// before, and Outpoint holds the transaction that explains it, if one does.
type Deposit struct {
	ID        string
	Chain     chains.ID
	Symbol    string
	Token     string // contract; empty for the chain's own coin
	Outpoint  chains.Outpoint
	Account   string
	Address   string
	Epoch     uint32
	Amount    chains.Amount
	Said      chains.Amount // what the log of a token's transfer says
	Quantity  string
	Remainder chains.Amount
	Coinbase  bool
	MinDepth  uint64
	In        *chains.BlockRef // nil while not in the chain
	Class     DepositState     // held, below_minimum, unclaimed; empty: to be minted
	Reason    string
	Intent    *Minting
	Credit    *Credited
	History   []Step

	index int
	queue DepositState `graph:"derived"` // of the index that it is in
}

func (d *Deposit) place() int { return d.index }

// DepositID is the identity of a deposit, and the id that pegs.mint takes.
func DepositID(chain chains.ID, o chains.Outpoint) string {
	return string(chain) + ":" + o.TxID + ":" + strconv.FormatUint(uint64(o.Index), 10)
}

// State is where the deposit stands by what the ledger knows.
func (d *Deposit) State() DepositState {
	switch {
	case d.Credit != nil && d.In == nil:
		return DepositShortfall
	case d.Credit != nil:
		return DepositCredited
	case d.In == nil:
		return DepositGone
	case d.Class != "":
		return d.Class
	case d.Intent != nil:
		return DepositMinting
	}
	return DepositConfirming
}

// depositsArrive books the deposits among a block's payments, those of one
// transaction to one address together.
func (s *State) depositsArrive(c *Chain, payments []Payment, ref *chains.BlockRef, index *blockIndex, at time.Time) {
	groups, detail := map[string][]Payment{}, "block "+ref.Hash
	for _, p := range payments {
		if p.Kind == chains.WatchDeposit {
			key := p.Outpoint.TxID + " " + p.Address
			groups[key] = append(groups[key], p)
		}
	}
	for _, key := range sortedKeys(groups) {
		group := groups[key]
		slices.SortFunc(group, func(a, b Payment) int {
			return cmp.Or(b.Amount.Cmp(a.Amount), cmp.Compare(a.Outpoint.Index, b.Outpoint.Index))
		})
		for rank, p := range group {
			s.depositArrives(c, p, rank, ref, index, at, detail)
		}
	}
}

func (s *State) depositArrives(c *Chain, p Payment, rank int, ref *chains.BlockRef, index *blockIndex, at time.Time, detail string) {
	out := c.outputs[p.Outpoint]
	p.Account, p.Address, p.Outpoint.TxID = shared(out.Account, p.Account), shared(out.Address, p.Address), shared(out.Outpoint.TxID, p.Outpoint.TxID)
	if out.deposit == nil {
		out.deposit = s.newDeposit(c, DepositID(c.ID, p.Outpoint), p, rank)
	}
	d := out.deposit
	if d.In != nil && *d.In == *ref {
		return
	}
	d.In, d.Coinbase, d.MinDepth = ref, p.Coinbase, p.MinDepth
	index.deposits = addAmount(index.deposits, p.Amount)
	if c.blocks[ref.Hash] == index {
		c.risk = addAmount(c.risk, p.Amount)
	}
	s.touchDeposit(d, at, detail)
}

// newDeposit decides once, by the transaction alone and the asset's limits of
// the time, whether the deposit is minted by itself.
func (s *State) newDeposit(c *Chain, id string, p Payment, rank int) *Deposit {
	d := &Deposit{
		ID: id, Chain: c.ID, Outpoint: p.Outpoint, Account: p.Account, Address: p.Address,
		Epoch: p.Epoch, Amount: p.Amount,
	}
	s.classify(d, p.Tokens, rank)
	s.enlist(d)
	return d
}

// enlist adds a deposit to the lists.
func (s *State) enlist(d *Deposit) {
	d.index = len(s.depositList)
	s.deposits[d.ID] = d
	s.depositList = append(s.depositList, d)
	s.depositsOf[d.Account] = append(s.depositsOf[d.Account], d)
	s.openDeposits.add(d)
}

func (s *State) classify(d *Deposit, tokens bool, rank int) {
	asset, ok := s.AssetOf(d.Chain, d.Token)
	if !ok {
		d.Class, d.Reason = DepositUnclaimed, "the sidechain has no asset for this coin"
		return
	}
	d.Symbol = asset.Symbol
	quantity, remainder, err := asset.Quantity(d.Amount)
	if err != nil {
		d.Class, d.Reason = DepositHeld, err.Error()
		return
	}
	d.Quantity, d.Remainder = quantity, remainder
	below, err := asset.BelowMinimum(d.Amount)
	switch {
	case err != nil:
		d.Class, d.Reason = DepositHeld, err.Error()
	case d.Account == "":
		d.Class, d.Reason = DepositUnclaimed, "the address has no owner"
	case below:
		d.Class, d.Reason = DepositBelowMinimum, "less than the minimum deposit of "+asset.MinDeposit
	case tokens:
		// Its coins pay nobody: credited, they would be withdrawn from those of
		// others, until nothing is left that can be paid with.
		d.Class, d.Reason = DepositHeld, "it carries tokens, so that its coins cannot be spent"
	case rank >= MaxCreditsPerAddress:
		d.Class, d.Reason = DepositHeld, fmt.Sprintf("not among the %d largest outputs of its transaction to this address", MaxCreditsPerAddress)
	}
}

// touchDeposit writes the history when the state changed.
func (s *State) touchDeposit(d *Deposit, at time.Time, detail string) {
	state := d.State()
	if d.Credit != nil && (d.In == nil || !d.creditedRight()) {
		s.alarming[d.ID] = d
	} else {
		delete(s.alarming, d.ID)
	}
	s.enqueueDeposit(d, state)
	if c := s.chains[d.Chain]; c.outputs[d.Outpoint] != nil {
		s.reckon(c, c.outputs[d.Outpoint])
	}
	if n := len(d.History); n > 0 && d.History[n-1].State == string(state) {
		return
	}
	d.History = append(d.History, Step{State: string(state), At: at, Detail: detail})
	if state == DepositCredited {
		s.openDeposits.remove(d)
	} else {
		s.openDeposits.add(d)
	}
}

func (s *State) minting(e *Minting, at time.Time) error {
	d := s.deposits[e.Deposit]
	switch {
	case d == nil:
		return refuse("deposit %s is not known", e.Deposit)
	case d.State() != DepositConfirming:
		return refuse("deposit %s is %s", e.Deposit, d.State())
	case s.Confirmations(d) < s.Needed(d):
		return refuse("deposit %s has %d of %d confirmations", e.Deposit, s.Confirmations(d), s.Needed(d))
	case e.Symbol != d.Symbol || e.Quantity != d.Quantity || e.To != d.Account:
		return refuse("deposit %s is %s %s for %s", e.Deposit, d.Quantity, d.Symbol, d.Account)
	}
	e.share(d)
	d.Intent = e
	s.touchDeposit(d, at, "")
	return nil
}

// credited books a fact of the sidechain. One that differs from what we know is
// booked as it is: Alarms reports it.
func (s *State) credited(e *Credited, at time.Time) error {
	if c := s.chains[chainOf(e.Deposit)]; c != nil && c.Accounts() {
		if waits, err := s.accountCredit(c, e, at); waits || err != nil {
			return err
		}
	}
	d := s.deposits[e.Deposit]
	switch {
	case d == nil:
		return refuse("deposit %s is not known", e.Deposit)
	case d.Credit != nil:
		return refuse("deposit %s is credited already", e.Deposit)
	}
	s.credit(d, e, at)
	if c := s.chains[d.Chain]; c.Accounts() {
		s.absorb(c, d, at)
	}
	return nil
}

// credit ties a deposit to its row.
func (s *State) credit(d *Deposit, e *Credited, at time.Time) {
	detail := "sidechain transaction " + e.Tx
	e.share(d, detail)
	d.Credit = e
	if e.Symbol == d.Symbol && e.Quantity == d.Quantity {
		s.rounding[d.Symbol] = addAmount(s.rounding[d.Symbol], d.Remainder)
	}
	s.touchDeposit(d, at, detail)
}

// Confirmations is how deep a deposit is.
func (s *State) Confirmations(d *Deposit) uint64 { return s.chains[d.Chain].Depth(d.In) }

// Needed is how deep it has to be.
func (s *State) Needed(d *Deposit) uint64 {
	if failpoint.Off(failpoint.CreditDepth) {
		return 1
	}
	c := s.chains[d.Chain]
	need := max(c.CreditDepth(), d.MinDepth)
	if d.Coinbase {
		need = max(need, c.Config.Policy.Maturity)
	}
	return need
}

// claimed books that a deposit is to be minted by order of a person. What the
// contract never mints twice, no second order can.
func (s *State) claimed(e *Claimed, at time.Time) error {
	d := s.deposits[e.Deposit]
	switch {
	case d == nil:
		return refuse("deposit %s is not known", e.Deposit)
	case e.Author == "" || e.Reason == "":
		return refuse("a claim needs an author and a reason")
	}
	symbol, quantity, remainder, err := s.Claimable(d)
	if err != nil {
		return refuse("deposit %s: %v", d.ID, err)
	}
	d.Symbol, d.Quantity, d.Remainder = symbol, quantity, remainder
	d.Class, d.Reason = "", ""
	s.touchDeposit(d, at, fmt.Sprintf("claimed by %s: %s", e.Author, e.Reason))
	return nil
}

// Claimable says as what a deposit that is not minted by itself could be minted
// (design, rule 13), or why it cannot be.
func (s *State) Claimable(d *Deposit) (symbol, quantity string, remainder chains.Amount, err error) {
	switch d.Class {
	case DepositHeld, DepositBelowMinimum, DepositUnclaimed:
	default:
		return "", "", remainder, fmt.Errorf("it is %s, there is nothing to claim", d.State())
	}
	if d.Credit != nil {
		return "", "", remainder, fmt.Errorf("it is %s, there is nothing to claim", d.State())
	}
	if d.Account == "" {
		return "", "", remainder, errors.New("its address belongs to no account")
	}
	asset, ok := s.AssetOf(d.Chain, d.Token)
	if !ok {
		return "", "", remainder, errors.New("the sidechain has no asset for this coin")
	}
	if quantity, remainder, err = asset.Quantity(d.Amount); err != nil {
		return "", "", remainder, err
	}
	if d.Amount == remainder {
		return "", "", remainder, errors.New("it is worth less than the token's smallest part")
	}
	return asset.Symbol, quantity, remainder, nil
}

// OpenDeposits lists the deposits that are not credited, or are and left the
// chain.
func (s *State) OpenDeposits() []*Deposit { return slices.Clone(s.openDeposits) }

// creditedRight says whether the sidechain credited what was paid.
func (d *Deposit) creditedRight() bool {
	return d.Credit.Symbol == d.Symbol && d.Credit.Quantity == d.Quantity && d.Credit.To == d.Account
}
