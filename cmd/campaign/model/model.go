package model

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Point names an output of a transaction.
type Point struct {
	TxID  string
	Index uint32
}

// Output is an output; Script is hex.
type Output struct {
	Point
	Script string
	Units  int64
	Depth  int  // that it must have to count, whatever the others need
	Held   bool // more than coins lies on it: it is kept and not credited
}

// Tx is a transaction.
type Tx struct {
	ID      string
	Spends  []Point
	Outputs []Output
}

// Burn is a withdrawal that the sidechain took: Quantity left the account, Net is
// to be paid to Script.
type Burn struct {
	ID, Account, Script string
	Quantity, Net       int64
}

// World is what happened, as seen from outside.
type World struct {
	Blocks   [][]Tx            // the best chain, oldest first
	Sent     []Tx              // all that the gateway ever gave to any node
	Known    []Tx              // all transactions that there ever were
	Deposits map[string]string // script -> account
	Burns    []Burn
	Minimum  int64 // of a deposit
	Depth    int   // at which a deposit is credited
	Final    int   // at which a transaction is never undone
	// Deep says that blocks were rewritten beyond that. What was credited may be
	// gone then, and things may stand still; nothing else may happen.
	Deep bool
}

// Claim is what the gateway says at its public surfaces.
type Claim struct {
	FeeAccount string
	Balances   map[string]int64 // by account
	Supply     int64
	Credits    map[Point]Credit
	Settled    map[string]string // burn -> transaction
	Returned   map[string]bool   // burns that were given back
	Content    bool              // the audit finds the books equal
	Halted     bool              // payouts stand still, with a reason, or did until somebody looked
	Reserves   int64
	Items      map[Point]int64 // outputs that it says it has
}

// Credit is a deposit that was credited.
type Credit struct {
	Account string
	Units   int64
}

// book is what the chain says.
type book struct {
	World
	known   map[string]Tx
	outputs map[Point]Output
	spent   map[Point]string // by which transaction
	depth   map[string]int   // of each transaction
	own     map[string]bool  // scripts of ours: deposits and change
	fees    int64            // of transactions that spend outputs of ours
	faults  []string
}

func (b *book) fault(format string, args ...any) {
	b.faults = append(b.faults, fmt.Sprintf(format, args...))
}

// Judge lists everything in a claim that does not follow from the world. The
// gateway must be at rest: nothing under way.
func Judge(w World, c Claim) []string {
	b := &book{
		World: w, known: map[string]Tx{}, outputs: map[Point]Output{}, spent: map[Point]string{}, depth: map[string]int{}, own: map[string]bool{},
	}
	for script := range w.Deposits {
		b.own[script] = true
	}
	for _, tx := range slices.Concat(w.Known, w.Sent) {
		b.known[tx.ID] = tx
	}
	b.paidAtMostOnce()
	b.read()
	b.credits(c)
	b.payments(c)
	b.books(c)
	return b.faults
}

// paidAtMostOnce: whatever was ever handed to a node and pays a burn shares an
// input with all else that pays it, so that no chain can hold two of them.
func (b *book) paidAtMostOnce() {
	paying := map[string][]Tx{}
	for _, tx := range b.Sent {
		for _, o := range tx.Outputs {
			paying[o.Script] = append(paying[o.Script], tx)
		}
	}
	for _, burn := range b.Burns {
		list := paying[burn.Script]
		for i, one := range list {
			for _, other := range list[:i] {
				if !slices.ContainsFunc(one.Spends, func(p Point) bool { return slices.Contains(other.Spends, p) }) {
					b.fault("burn %s is paid by %s and by %s, which can both be mined", burn.ID, one.ID, other.ID)
				}
			}
		}
	}
}

// read goes through the chain. What a transaction that spends outputs of ours
// pays beside burns is change, and ours.
func (b *book) read() {
	payees := map[string]bool{}
	for _, burn := range b.Burns {
		payees[burn.Script] = true
	}
	change := map[string]bool{}
	for height, block := range b.Blocks {
		for _, tx := range parentsFirst(block) {
			b.depth[tx.ID] = len(b.Blocks) - height
			var in, out int64
			spends := false
			for _, p := range tx.Spends {
				b.spent[p] = tx.ID
				if prev, ok := b.outputs[p]; ok && b.own[prev.Script] {
					spends, in = true, in+prev.Units
				}
			}
			for _, o := range tx.Outputs {
				b.outputs[o.Point] = o
				out += o.Units
				if spends && !payees[o.Script] && b.Deposits[o.Script] == "" {
					change[o.Script], b.own[o.Script] = true, true
				}
			}
			if spends {
				b.fees += in - out
			}
		}
	}
	if len(change) > 1 {
		b.fault("change went to %d scripts: %s", len(change), strings.Join(slices.Sorted(maps.Keys(change)), " "))
	}
}

// parentsFirst is a block's transactions in the order in which they rest on each
// other: some coins order them by id.
func parentsFirst(block []Tx) (list []Tx) {
	for waiting := block; len(waiting) > 0; {
		inside := map[string]bool{}
		for _, tx := range waiting {
			inside[tx.ID] = true
		}
		var later []Tx
		for _, tx := range waiting {
			if slices.ContainsFunc(tx.Spends, func(p Point) bool { return inside[p.TxID] }) {
				later = append(later, tx)
			} else {
				list = append(list, tx)
			}
		}
		waiting = later
	}
	return list
}

// dead says whether a transaction can never be mined: an input of it is spent by
// another one, so deep that it is never undone, or was to be made by one that is
// dead.
func (b *book) dead(tx Tx, seen map[string]bool) bool {
	if seen[tx.ID] || b.depth[tx.ID] > 0 {
		return false
	}
	seen[tx.ID] = true
	for _, p := range tx.Spends {
		if by := b.spent[p]; by != "" && by != tx.ID && b.depth[by] >= b.Final {
			return true
		}
		if maker, ok := b.known[p.TxID]; ok && b.dead(maker, seen) {
			return true
		}
	}
	return false
}

// credits: every payment to a deposit script that is large and deep enough, once,
// to its account, in full; and nothing else.
func (b *book) credits(c Claim) {
	for p, o := range b.outputs {
		account := b.Deposits[o.Script]
		if account == "" {
			continue
		}
		credit, ok := c.Credits[p]
		due := o.Units >= b.Minimum && b.depth[p.TxID] >= max(b.Depth, o.Depth) && !o.Held
		switch {
		case ok && b.Deep && (credit.Account != account || credit.Units != o.Units):
			b.fault("deposit %s:%d of %d for %s is credited as %d to %s", p.TxID, p.Index, o.Units, account, credit.Units, credit.Account)
		case b.Deep:
		case due && !ok:
			b.fault("deposit %s:%d of %d for %s is not credited", p.TxID, p.Index, o.Units, account)
		case ok && !due:
			b.fault("deposit %s:%d of %d at depth %d is credited", p.TxID, p.Index, o.Units, b.depth[p.TxID])
		case ok && (credit.Account != account || credit.Units != o.Units):
			b.fault("deposit %s:%d of %d for %s is credited as %d to %s", p.TxID, p.Index, o.Units, account, credit.Units, credit.Account)
		}
	}
	for p, credit := range c.Credits {
		if _, ok := b.outputs[p]; !ok && !b.was(p, credit) {
			b.fault("%d are credited to %s for %s:%d, which is not in the chain", credit.Units, credit.Account, p.TxID, p.Index)
		}
	}
	want := map[string]int64{}
	for _, credit := range c.Credits {
		want[credit.Account] += credit.Units
	}
	for _, burn := range b.Burns {
		want[burn.Account] -= burn.Quantity
		if c.Returned[burn.ID] {
			want[burn.Account] += burn.Net
		}
	}
	for account, units := range want {
		if c.Balances[account] != units {
			b.fault("%s holds %d, and should hold %d", account, c.Balances[account], units)
		}
	}
	for account, units := range c.Balances {
		if _, known := want[account]; !known && account != c.FeeAccount && units != 0 {
			b.fault("%s holds %d out of nothing", account, units)
		}
	}
}

// was says that a payment existed as it was credited, in a life in which credits
// can lose their payments.
func (b *book) was(p Point, credit Credit) bool {
	tx, ok := b.known[p.TxID]
	return b.Deep && ok && int(p.Index) < len(tx.Outputs) && tx.Outputs[p.Index].Units == credit.Units &&
		b.Deposits[tx.Outputs[p.Index].Script] == credit.Account
}

// payments: every burn is given back, when all that could pay it is dead, or paid once, exactly, and said to be settled by the
// transaction that paid it.
func (b *book) payments(c Claim) {
	paid := map[string][]Output{}
	for _, o := range b.outputs {
		paid[o.Script] = append(paid[o.Script], o)
	}
	burns := map[string]bool{}
	for _, burn := range b.Burns {
		burns[burn.ID] = true
		list := paid[burn.Script]
		switch {
		case c.Returned[burn.ID]:
			b.givenBack(burn, list)
		case b.Deep && len(list) == 0:
		case b.Deep && len(list) == 1 && list[0].Units == burn.Net && c.Settled[burn.ID] == "":
		case len(list) != 1 || list[0].Units != burn.Net:
			b.fault("burn %s of %d was paid in %d outputs: %v", burn.ID, burn.Net, len(list), list)
		case c.Settled[burn.ID] != list[0].TxID:
			b.fault("burn %s was paid by %s, settled is %q", burn.ID, list[0].TxID, c.Settled[burn.ID])
		}
	}
	for id := range c.Settled {
		if !burns[id] {
			b.fault("%s is settled and was never burned", id)
		}
	}
}

// givenBack: nothing pays the burn, and nothing ever can.
func (b *book) givenBack(burn Burn, paid []Output) {
	if len(paid) > 0 {
		b.fault("burn %s was given back, and is paid by %v", burn.ID, paid)
		return
	}
	for _, tx := range b.Sent {
		pays := slices.ContainsFunc(tx.Outputs, func(o Output) bool { return o.Script == burn.Script })
		if pays && !b.dead(tx, map[string]bool{}) {
			b.fault("burn %s was given back, and %s can still be mined", burn.ID, tx.ID)
		}
	}
}

// books: what we have is what circulates and what is credited to nobody; the fee
// account holds what burns left less what miners took.
func (b *book) books(c Claim) {
	var reserves, uncredited, supply, fees int64
	unspent := map[Point]int64{}
	for p, o := range b.outputs {
		if !b.own[o.Script] {
			continue
		}
		if _, credited := c.Credits[p]; b.Deposits[o.Script] != "" && !credited {
			uncredited += o.Units
		}
		if b.spent[p] == "" {
			reserves += o.Units
			unspent[p] = o.Units
		}
	}
	for _, units := range c.Balances {
		supply += units
	}
	for _, burn := range b.Burns {
		fees += burn.Quantity - burn.Net
	}
	if supply != c.Supply {
		b.fault("balances come to %d, the supply is said to be %d", supply, c.Supply)
	}
	if b.Deep {
		// Another variant than the one that was charged may have been mined.
		uncharged := max(b.fees-(fees-c.Balances[c.FeeAccount]), 0)
		if reserves+uncharged < supply+uncredited && (c.Content || !c.Halted) {
			b.fault("reserves of %d and %d of fees for a supply of %d and %d uncredited: the audit is content: %v, payouts are halted: %v",
				reserves, uncharged, supply, uncredited, c.Content, c.Halted)
		}
		return
	}
	if reserves != supply+uncredited {
		b.fault("reserves of %d for a supply of %d and %d uncredited", reserves, supply, uncredited)
	}
	if reserves != c.Reserves || !maps.Equal(unspent, c.Items) {
		b.fault("reserves of %d in %d outputs, said to be %d in %d", reserves, len(unspent), c.Reserves, len(c.Items))
	}
	if want := fees - b.fees; c.Balances[c.FeeAccount] != want {
		b.fault("the fee account holds %d, and should hold %d", c.Balances[c.FeeAccount], want)
	}
}
