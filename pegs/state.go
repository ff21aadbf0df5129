package pegs

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"causeway/chains"
)

// ErrTransition is wrapped when a record cannot follow the state: a fault of
// ours, never of the world.
var ErrTransition = errors.New("pegs: impossible transition")

// State is everything the gateway knows. Only Apply changes it. It is not safe
// for reading while a record is applied.
type State struct {
	Seq  uint64
	Base BaseRef // the newest base block that an event acted on

	assets map[string]Asset
	order  []string // symbols in the sidechain's order
	chains map[chains.ID]*Chain
	ids    []chains.ID // in order of configuration

	deposits     map[string]*Deposit
	depositList  []*Deposit // in order of first sight
	depositsOf   map[string][]*Deposit
	openDeposits openSet[*Deposit]   // not credited, or credited and not in the chain
	alarming     map[string]*Deposit // credited wrongly, or credited and not in the chain

	withdrawals     map[string]*Withdrawal
	withdrawalList  []*Withdrawal
	withdrawalsOf   map[string][]*Withdrawal
	openWithdrawals openSet[*Withdrawal] // neither settled nor returned
	lastRow         uint64               // newest row of withdrawals seen

	batches     map[string]*Batch
	batchList   []*Batch
	openBatches openSet[*Batch] // not settled, or settled and not in the chain

	rounding      map[string]chains.Amount
	signerCounter uint64

	index index `graph:"derived"`
}

// Step is one entry of a history: the state that began, when, and why.
type Step struct {
	State  string    `json:"state"`
	At     time.Time `json:"at"`
	Detail string    `json:"detail"`
}

// NewState is the state before the first record.
func NewState() *State {
	return &State{
		assets:        map[string]Asset{},
		chains:        map[chains.ID]*Chain{},
		deposits:      map[string]*Deposit{},
		depositsOf:    map[string][]*Deposit{},
		alarming:      map[string]*Deposit{},
		withdrawals:   map[string]*Withdrawal{},
		withdrawalsOf: map[string][]*Withdrawal{},
		batches:       map[string]*Batch{},
		rounding:      map[string]chains.Amount{},
		index:         newIndex(),
	}
}

// Apply adds the next record. When it fails, with ErrTransition, nothing has
// changed.
func (s *State) Apply(r Record) error {
	if r.Seq != s.Seq+1 {
		return refuse("record %d after %d", r.Seq, s.Seq)
	}
	if r.Base.Number < s.Base.Number && r.Base.Number != 0 || r.Base.Number == s.Base.Number && r.Base.Number != 0 && r.Base.ID != s.Base.ID {
		return refuse("base block %d %s after %d %s", r.Base.Number, r.Base.ID, s.Base.Number, s.Base.ID)
	}
	if err := s.dispatch(r.Event, r.At); err != nil {
		return fmt.Errorf("record %d: %s: %w", r.Seq, r.Event.Kind(), err)
	}
	s.Seq = r.Seq
	if r.Base.Number != 0 {
		s.Base = r.Base
	}
	return nil
}

func (s *State) dispatch(event Event, at time.Time) error {
	switch e := event.(type) {
	case *Configured:
		return s.configured(e)
	case *EpochAdded:
		return s.epochAdded(e)
	case *Watching:
		return s.watching(e)
	case *Backscanned:
		return s.backscanned(e, at)
	case *Connected:
		return s.connected(e, at)
	case *Disconnected:
		return s.disconnected(e, at)
	case *AssetsSeen:
		return s.assetsSeen(e)
	case *Minting:
		return s.minting(e, at)
	case *Credited:
		return s.credited(e, at)
	case *Claimed:
		return s.claimed(e, at)
	case *Requested:
		return s.requested(e, at)
	case *Queued:
		return s.queued(e, at)
	case *Parked:
		return s.parked(e, at)
	case *Returned:
		return s.returned(e, at)
	}
	return s.dispatchBatch(event, at)
}

func (s *State) dispatchBatch(event Event, at time.Time) error {
	switch e := event.(type) {
	case *Planned:
		return s.planned(e, at)
	case *Dropped:
		return s.dropped(e, at)
	case *Assigned:
		return s.assigned(e, at)
	case *Replanned:
		return s.replanned(e, at)
	case *Bumped:
		return s.bumped(e, at)
	case *Signed:
		return s.signed(e, at)
	case *Broadcast:
		return s.broadcast(e, at)
	case *Settling:
		return s.settling(e, at)
	case *Settled:
		return s.settled(e, at)
	case *Releasing:
		return s.releasing(e, at)
	case *Released:
		return s.released(e, at)
	case *Perished:
		return s.perish(e)
	case *SignerAdopted:
		if e.Author == "" || e.Reason == "" {
			return refuse("a signer is adopted by an author, for a reason")
		}
		return nil
	case *Halted:
		return s.halted(e, at)
	case *Resumed:
		return s.resumed(e)
	case *Acknowledged:
		return s.acknowledge(e)
	case *Sealed:
		return s.sealed(e)
	case *Alerted:
		return s.alerted(e, at)
	case *Delayed:
		return s.delayed(e, at)
	case *Admitted:
		return s.admitted(e, at)
	case *Balances:
		return s.balances(e, at)
	case *Charged:
		return s.charged(e, at)
	}
	return refuse("unknown event %T", event)
}

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrTransition, fmt.Sprintf(format, args...))
}

// assetsSeen replaces the assets. Precision and chain of one that exists are
// fixed: quantities of the past would change their meaning.
func (s *State) assetsSeen(e *AssetsSeen) error {
	next := map[string]Asset{}
	var order []string
	for _, a := range e.Assets {
		old, known := s.assets[a.Symbol]
		if known && (old.Chain != a.Chain || old.Precision != a.Precision || old.Decimals != a.Decimals || old.Token != a.Token) {
			return refuse("asset %s changed its chain, token or precision", a.Symbol)
		}
		if _, twice := next[a.Symbol]; twice {
			return refuse("asset %s twice", a.Symbol)
		}
		next[a.Symbol] = a
		order = append(order, a.Symbol)
	}
	for symbol := range s.assets {
		if _, ok := next[symbol]; !ok {
			return refuse("asset %s is gone", symbol)
		}
	}
	s.assets, s.order = next, order
	return nil
}

// Assets lists the assets in the sidechain's order.
func (s *State) Assets() []Asset {
	list := make([]Asset, 0, len(s.order))
	for _, symbol := range s.order {
		list = append(list, s.assets[symbol])
	}
	return list
}

// Asset finds an asset by symbol.
func (s *State) Asset(symbol string) (Asset, bool) {
	a, ok := s.assets[symbol]
	return a, ok
}

// NativeAsset is the asset of a chain's own coin.
func (s *State) NativeAsset(chain chains.ID) (Asset, bool) { return s.AssetOf(chain, "") }

// AssetOf is the asset of a token of a chain; empty: of the chain's own coin.
func (s *State) AssetOf(chain chains.ID, token string) (Asset, bool) {
	for _, symbol := range s.order {
		if a := s.assets[symbol]; a.Chain == chain && strings.EqualFold(a.Token, token) {
			return a, true
		}
	}
	return Asset{}, false
}

// Rounding is what rounding down has left with us of a symbol's coin: the
// account that remainders are booked to.
func (s *State) Rounding(symbol string) chains.Amount { return s.rounding[symbol] }

// SignerCounter is the greatest count that the signer has shown.
func (s *State) SignerCounter() uint64 { return s.signerCounter }

// Deposit finds a deposit by id.
func (s *State) Deposit(id string) (*Deposit, bool) {
	d, ok := s.deposits[id]
	return d, ok
}

// Deposits lists deposits in order of first sight, of one account unless it is
// empty. The caller may not change them.
func (s *State) Deposits(account string) []*Deposit {
	if account == "" {
		return s.depositList
	}
	return s.depositsOf[account]
}

// Withdrawal finds a withdrawal by id.
func (s *State) Withdrawal(id string) (*Withdrawal, bool) {
	w, ok := s.withdrawals[id]
	return w, ok
}

// Withdrawals lists withdrawals in order of the sidechain's rows, of one
// account unless it is empty. The caller may not change them.
func (s *State) Withdrawals(account string) []*Withdrawal {
	if account == "" {
		return s.withdrawalList
	}
	return s.withdrawalsOf[account]
}

// LastRow is the number of the newest withdrawal row seen.
func (s *State) LastRow() uint64 { return s.lastRow }

// Batch finds a batch by id.
func (s *State) Batch(id string) (*Batch, bool) {
	b, ok := s.batches[id]
	return b, ok
}

// Batches lists all batches in order of planning.
func (s *State) Batches() []*Batch { return s.batchList }

// Chain finds a chain.
func (s *State) Chain(id chains.ID) (*Chain, bool) {
	c, ok := s.chains[id]
	return c, ok
}

// Chains lists the configured chains.
func (s *State) Chains() []*Chain {
	list := make([]*Chain, 0, len(s.ids))
	for _, id := range s.ids {
		list = append(list, s.chains[id])
	}
	return list
}

// matching gives the members of an open set that match, in the order of their
// lists. What strangers leave in a set for ever is looked at, and not sorted.
func matching[T interface{ place() int }](set []T, match func(T) bool) []T {
	var list []T
	for _, member := range set {
		if match(member) {
			list = append(list, member)
		}
	}
	return list
}

// ordered gives the members of a set in the order of their lists.
func ordered[T interface{ place() int }](set map[string]T) []T {
	return slices.SortedFunc(maps.Values(set), func(a, b T) int { return a.place() - b.place() })
}
