package hotwallet

import (
	"cmp"
	"container/heap"

	"causeway/chains"
	"causeway/chains/utxo"
)

const (
	// paddingPool is the pool size above which payouts take small coins along,
	// so that they consolidate for free.
	paddingPool = 1000
	// maxAncestors and maxAncestorSize bound unconfirmed chains of our own,
	// below the 25 transactions and 101 kvB that nodes relay.
	maxAncestors    = 20
	maxAncestorSize = 90_000
)

// candidate is a spendable coin by its place in PlanInput.Coins.
type candidate struct {
	at    int
	value uint64
}

// selectCoins picks inputs: the smallest single coin that is enough, else the
// largest first. Confirmed coins are tried before unconfirmed change is. The
// result is never empty without an error.
func (p *planner) selectCoins() ([]Coin, error) {
	confirmed, all, err := p.candidates()
	if err != nil {
		return nil, err
	}
	selected, err := p.selectFrom(confirmed)
	if err != nil && len(all) > len(confirmed) {
		selected, err = p.selectFrom(all)
	}
	if err != nil {
		return nil, err
	}
	coins := make([]Coin, len(selected))
	for i, c := range selected {
		coins[i] = p.in.Coins[c.at]
	}
	return coins, nil
}

// candidates are the eligible coins that are worth more than spending them
// costs at the rate of the plan.
func (p *planner) candidates() (confirmed, all []candidate, err error) {
	price := p.size.inputPrice()
	var unconfirmed []candidate
	for i := range p.in.Coins {
		coin := &p.in.Coins[i]
		if !p.in.Eligible.allows(coin) || coin.Coinbase && coin.Depth < p.in.Chain.CoinbaseMaturity() {
			continue
		}
		if utxo.KindOf(coin.Script) != utxo.KindOf(p.in.ChangeScript) {
			return nil, nil, badPlan("coin %s: script %x is not of the wallet's form", SpendText(coin.Outpoint), coin.Script)
		}
		value, err := units(coin.Amount)
		if err != nil {
			return nil, nil, err
		}
		switch {
		case value <= price:
		case coin.Depth > 0:
			confirmed = append(confirmed, candidate{at: i, value: value})
		default:
			unconfirmed = append(unconfirmed, candidate{at: i, value: value})
		}
	}
	all = confirmed
	if len(unconfirmed) > 0 {
		all = append(append(make([]candidate, 0, len(confirmed)+len(unconfirmed)), confirmed...), unconfirmed...)
	}
	return confirmed, all, nil
}

// allows says whether a coin may be spent now.
func (e Eligible) allows(c *Coin) bool {
	switch {
	case !c.Own:
		return c.Depth > 0 && c.Depth >= e.ForeignDepth
	case c.Depth > 0:
		return true
	}
	return e.OwnUnconfirmed && c.Ancestors >= 1 && c.Ancestors <= maxAncestors && c.AncestorSize <= maxAncestorSize
}

func (p *planner) selectFrom(pool []candidate) ([]candidate, error) {
	if p.size.vsize(1, false) > p.maxVSize {
		return nil, &PlanError{Kind: ErrTooLarge, VSize: p.size.vsize(1, false)}
	}
	if single, ok := p.smallestSingle(pool); ok {
		return p.pad(pool, []candidate{single})
	}
	selected, err := p.largestFirst(pool)
	if err != nil {
		return nil, err
	}
	return p.pad(pool, selected)
}

// enough says whether inputs of that total pay for everything without change.
func (p *planner) enough(inputs int, total uint64) bool {
	return total >= p.paid+p.size.fee(uint64(inputs), false)
}

func (p *planner) smallestSingle(pool []candidate) (best candidate, ok bool) {
	for _, c := range pool {
		if p.enough(1, c.value) && (!ok || p.compare(c, best) < 0) {
			best, ok = c, true
		}
	}
	return best, ok
}

func (p *planner) largestFirst(pool []candidate) ([]candidate, error) {
	h := p.heapOf(pool, -1)
	var selected []candidate
	var total, ancestorSize uint64
	var ancestors int
	for h.Len() > 0 {
		c := heap.Pop(h).(candidate)
		coin := &p.in.Coins[c.at]
		if coin.Depth == 0 {
			if ancestors+coin.Ancestors > maxAncestors || ancestorSize+coin.AncestorSize > maxAncestorSize {
				continue
			}
			ancestors += coin.Ancestors
			ancestorSize += coin.AncestorSize
		}
		var err error
		if total, err = addUnits(total, c.value); err != nil {
			return nil, err
		}
		selected = append(selected, c)
		if vsize := p.size.vsize(uint64(len(selected)), false); vsize > p.maxVSize || !p.mayHold(len(selected)) {
			return nil, &PlanError{Kind: ErrTooLarge, VSize: vsize, Need: chains.NewAmount(p.paid), Have: chains.NewAmount(total)}
		}
		if p.enough(len(selected), total) {
			return selected, nil
		}
	}
	return nil, p.insufficient(len(selected), total)
}

// mayHold says whether a transaction may have that many inputs.
func (p *planner) mayHold(inputs int) bool {
	return p.in.MaxInputs == 0 || inputs <= p.in.MaxInputs
}

// selectInOrder picks confirmed coins, the smallest first or with sign -1 the
// largest, at most `most` and no more than may be spent together; at least two.
func (p *planner) selectInOrder(sign, most int) ([]Coin, error) {
	pool, _, err := p.candidates()
	if err != nil {
		return nil, err
	}
	h := p.heapOf(pool, sign)
	var coins []Coin
	for n := 1; n <= most && h.Len() > 0 && p.mayHold(n) && p.size.vsize(uint64(n), true) <= p.maxVSize; n++ {
		coins = append(coins, p.in.Coins[heap.Pop(h).(candidate).at])
	}
	if len(coins) < 2 {
		return nil, p.insufficient(2, 0)
	}
	return coins, nil
}

// insufficient reports what payees and fee come to with that many inputs,
// against what those inputs hold.
func (p *planner) insufficient(inputs int, total uint64) error {
	fee := p.size.fee(uint64(max(inputs, 1)), false)
	return &PlanError{Kind: ErrInsufficient, Need: chains.NewAmount(p.paid + fee), Have: chains.NewAmount(total)}
}

// pad adds the smallest coins of a large pool until there is one input more
// than outputs (change counted), as far as size and fee allow.
func (p *planner) pad(pool, selected []candidate) ([]candidate, error) {
	want := len(p.in.Payees) + 2
	if len(pool) <= paddingPool || len(selected) >= want {
		return selected, nil
	}
	taken := make(map[int]bool, want)
	var total uint64
	for _, c := range selected {
		taken[c.at] = true
		total += c.value
	}
	h := p.heapOf(pool, +1)
	for len(selected) < want && h.Len() > 0 {
		n := uint64(len(selected)) + 1
		if p.size.vsize(n, true) > p.maxVSize || p.size.fee(n, true) > p.maxFee || !p.mayHold(int(n)) {
			break
		}
		c := heap.Pop(h).(candidate)
		if taken[c.at] || p.in.Coins[c.at].Depth == 0 || !p.enough(len(selected)+1, total+c.value) {
			continue
		}
		selected = append(selected, c)
		total += c.value
	}
	return selected, nil
}

// compare orders coins by value, then by outpoint, so that the order in which
// they were listed decides nothing.
func (p *planner) compare(a, b candidate) int {
	if a.value != b.value {
		return cmp.Compare(a.value, b.value)
	}
	x, y := &p.in.Coins[a.at].Outpoint, &p.in.Coins[b.at].Outpoint
	return cmp.Or(cmp.Compare(x.TxID, y.TxID), cmp.Compare(x.Index, y.Index))
}

// coinHeap yields candidates smallest first, or largest first when sign is -1.
type coinHeap struct {
	*planner
	sign  int
	items []candidate
}

func (p *planner) heapOf(pool []candidate, sign int) *coinHeap {
	h := &coinHeap{planner: p, sign: sign, items: append([]candidate(nil), pool...)}
	heap.Init(h)
	return h
}

func (h *coinHeap) Len() int           { return len(h.items) }
func (h *coinHeap) Less(i, j int) bool { return h.sign*h.compare(h.items[i], h.items[j]) < 0 }
func (h *coinHeap) Swap(i, j int)      { h.items[i], h.items[j] = h.items[j], h.items[i] }
func (h *coinHeap) Push(x any)         { h.items = append(h.items, x.(candidate)) }
func (h *coinHeap) Pop() any {
	last := h.items[len(h.items)-1]
	h.items = h.items[:len(h.items)-1]
	return last
}
