package machine

import (
	"fmt"
	"maps"
	"slices"
)

// Protocol says which defences hold. The zero value has none of them.
type Protocol struct {
	AssignBeforeSign bool // the signer signs only what a final row assigns
	OneRowPerBurn    bool // the sidechain assigns a burn once
	OneRowPerInput   bool // the sidechain assigns a coin once
	SameInputs       bool // all variants spend the same coin
	JournalPromises  bool // the signer promises a burn one coin, and a coin one burn
	Rebroadcast      bool // what was sent is sent again
	Resubmit         bool // an operation is submitted until its row is there
	SettleWhenFinal  bool // a payout is settled only when it is final
	ReleaseWhenDead  bool // a batch is released only when something else spent its coin for good
	RefuseOlderBase  bool // a base layer that lacks rows is not started on

	only string // look for this fault alone; empty: for all
}

// Whole has every defence.
func Whole() Protocol {
	p, _ := Without()
	return p
}

// Defences are the names that Without knows.
func Defences() []string { return slices.Sorted(maps.Keys((&Protocol{}).switches())) }

// Without is the protocol with some defences left out; ok is false when one is
// not known.
func Without(names ...string) (p Protocol, ok bool) {
	switches := p.switches()
	for _, one := range switches {
		*one = true
	}
	for _, name := range names {
		if switches[name] == nil {
			return p, false
		}
		*switches[name] = false
	}
	return p, true
}

func (p *Protocol) switches() map[string]*bool {
	return map[string]*bool{
		"assign-before-sign": &p.AssignBeforeSign, "one-row-per-burn": &p.OneRowPerBurn, "one-row-per-input": &p.OneRowPerInput,
		"same-inputs": &p.SameInputs, "journal-promises": &p.JournalPromises, "rebroadcast": &p.Rebroadcast,
		"resubmit": &p.Resubmit, "settle-when-final": &p.SettleWhenFinal, "release-when-dead": &p.ReleaseWhenDead,
		"refuse-older-base": &p.RefuseOlderBase,
	}
}

const (
	burns = 2
	coins = 2
	depth = 2 // blocks of the window: they can leave the chain, older ones cannot
)

// Kinds of transactions.
const (
	first  = iota // the payout
	bumped        // the payout with a higher fee
	cancel        // the coin to ourselves
	kinds
)

// tx is a transaction: kind, burn and coin.
type tx uint8

func txOf(kind, burn, coin int) tx { return tx(kind*burns*coins + burn*coins + coin) }

func (t tx) kind() int { return int(t) / (burns * coins) }
func (t tx) burn() int { return int(t) / coins % burns }
func (t tx) coin() int { return int(t) % coins }
func (t tx) bit() uint16 {
	return 1 << t
}

// pays says whether a transaction pays its burn.
func (t tx) pays() bool { return t.kind() != cancel }

func (t tx) String() string {
	return fmt.Sprintf("%s of burn %d with coin %d", [kinds]string{"payout", "bumped payout", "cancel"}[t.kind()], t.burn(), t.coin())
}

// What became of a burn on the sidechain.
const (
	burned = iota
	settled
	returned
)

// States of an assign row.
const (
	none = iota
	open
	closed
	released
)

// spend is what the chain says of a coin.
type spend struct {
	by uint8 // tx + 1, 0: unspent
	at uint8 // block of the window from 1 on, 0: final
}

// state is everything there is. It is a value: equal states are one.
type state struct {
	// The sidechain, final, and operations on their way to it.
	burn [burns]uint8
	rows [burns * coins]uint8
	pool uint8 // assigns in flight, by row

	// The ledger.
	plan  [burns]uint8 // coin + 1
	known [burns]bool  // that the row is there
	asked [burns]bool  // an assign was submitted
	sent  [burns]bool  // a transaction was sent

	// The signer's journal.
	signed  uint16
	promise [burns]uint8 // coin + 1

	// The world.
	waits  [coins]uint8 // tx + 1 in the mempool
	chain  [coins]spend
	height uint8 // blocks of the window
}

// swapped is the state with the names of burns, or of coins, exchanged: it can do
// the same things.
func (s *state) swapped(inBurns, inCoins int) state {
	n := *s
	move := func(t uint8) uint8 {
		if t == 0 {
			return 0
		}
		one := tx(t - 1)
		return uint8(txOf(one.kind(), one.burn()^inBurns, one.coin()^inCoins)) + 1
	}
	n.signed, n.pool = 0, 0
	for t := range tx(kinds * burns * coins) {
		to := tx(move(uint8(t)+1) - 1)
		if s.signed&t.bit() != 0 {
			n.signed |= to.bit()
		}
	}
	for b := range burns {
		to := b ^ inBurns
		n.burn[to], n.known[to], n.asked[to], n.sent[to] = s.burn[b], s.known[b], s.asked[b], s.sent[b]
		n.plan[to], n.promise[to] = coinMoved(s.plan[b], inCoins), coinMoved(s.promise[b], inCoins)
		for c := range coins {
			from, into := row(b, c), row(to, c^inCoins)
			n.rows[into] = s.rows[from]
			n.pool |= s.pool >> from & 1 << into
		}
	}
	for c := range coins {
		n.waits[c^inCoins] = move(s.waits[c])
		n.chain[c^inCoins] = spend{move(s.chain[c].by), s.chain[c].at}
	}
	return n
}

// before orders states that differ only in names.
func (s *state) before(other *state) bool { return slices.Compare(s.numbers(), other.numbers()) < 0 }

func (s *state) numbers() []uint16 {
	list := [...]uint16{
		s.signed, uint16(s.pool), flag(s.asked[0]), flag(s.asked[1]), flag(s.sent[0]), flag(s.sent[1]), uint16(s.height),
		uint16(s.burn[0]), uint16(s.burn[1]), uint16(s.plan[0]), uint16(s.plan[1]), uint16(s.promise[0]), uint16(s.promise[1]),
		uint16(s.rows[0]), uint16(s.rows[1]), uint16(s.rows[2]), uint16(s.rows[3]), uint16(s.waits[0]), uint16(s.waits[1]),
		uint16(s.chain[0].by), uint16(s.chain[0].at), uint16(s.chain[1].by), uint16(s.chain[1].at), flag(s.known[0]), flag(s.known[1]),
	}
	return list[:]
}

func flag(b bool) uint16 {
	if b {
		return 1
	}
	return 0
}

func coinMoved(coin uint8, in int) uint8 {
	if coin == 0 {
		return 0
	}
	return uint8((int(coin)-1)^in) + 1
}

func row(burn, coin int) int { return burn*coins + coin }

func (s *state) rowOf(burn int) (coin int, ok bool) {
	for c := range coins {
		if s.rows[row(burn, c)] != none {
			return c, true
		}
	}
	return 0, false
}

func (s *state) claimed(coin int) bool {
	for b := range burns {
		if r := s.rows[row(b, coin)]; r == open || r == closed {
			return true
		}
	}
	return false
}

// paid counts the payments of a burn that the chain holds.
func (s *state) paid(burn int) (n int) {
	for _, spent := range s.chain {
		if spent.by > 0 && tx(spent.by-1).pays() && tx(spent.by-1).burn() == burn {
			n++
		}
	}
	return n
}

// final says whether the chain holds a transaction for good.
func (s *state) final(t tx) bool {
	spent := s.chain[t.coin()]
	return spent.by == uint8(t)+1 && spent.at == 0
}

// dead says whether a transaction can never be mined: something else spent its
// coin for good.
func (s *state) dead(t tx) bool {
	spent := s.chain[t.coin()]
	return spent.by > 0 && spent.at == 0 && spent.by != uint8(t)+1
}

func (s *state) good() bool {
	for _, b := range s.burn {
		if b == burned {
			return false
		}
	}
	return true
}

// broken says which invariant a state breaks, or nothing.
func (s *state) broken() string {
	assets, owed := 0, 0
	for _, spent := range s.chain {
		if spent.by == 0 || !tx(spent.by-1).pays() {
			assets++
		}
	}
	for b := range burns {
		if s.paid(b) > 1 {
			return fmt.Sprintf("AtMostOncePaid: burn %d is paid twice", b)
		}
		if s.burn[b] == returned || s.paid(b) == 0 {
			owed++
		}
	}
	if assets < owed {
		return fmt.Sprintf("SupplyBacked: %d coins for %d owed", assets, owed)
	}
	for t := range tx(kinds * burns * coins) {
		if s.signed&t.bit() != 0 {
			if fault := s.brokenBy(t); fault != "" {
				return fault
			}
		}
	}
	for b := range burns {
		if s.burn[b] == settled && !s.paidForGood(b) {
			return fmt.Sprintf("SettledIsPaid: burn %d is settled, and its payment can leave the chain", b)
		}
	}
	return ""
}

func (s *state) paidForGood(burn int) bool {
	for t := range tx(kinds * burns * coins) {
		if t.burn() == burn && t.pays() && s.final(t) {
			return true
		}
	}
	return false
}

// brokenBy says which invariant a signed transaction breaks.
func (s *state) brokenBy(t tx) string {
	switch {
	case s.rows[row(t.burn(), t.coin())] == none:
		return fmt.Sprintf("NoSignWithoutAssign: the %s is signed", t)
	case s.burn[t.burn()] == returned && t.pays() && !s.dead(t):
		return fmt.Sprintf("GivenBackOnlyIfDead: burn %d is given back, and the %s can be mined", t.burn(), t)
	}
	return ""
}
