package chaintest

import (
	"bytes"
	"slices"
	"testing"

	"causeway/chains"
)

// holder is a wallet with coins that a walk saw arrive.
type holder struct {
	*walk
	own   Kind
	funds []Fund
}

// fund gives the wallet coins of so many usual payments each.
func (r *trial) fund(t *testing.T, payees []Kind, multiples ...int64) *holder {
	t.Helper()
	script, err := r.Chain.Script(r.Wallet.Address)
	if err != nil {
		t.Fatal(err)
	}
	h := &holder{own: Kind{Name: r.Wallet.Account, Address: r.Wallet.Address, Script: script}}
	h.walk = r.walk(t, append(slices.Clone(payees), h.own)...)
	raws := map[string][]byte{}
	for i, m := range multiples {
		units := m*r.Units + int64(i)
		txid := r.pay(t, h.own.Address, units)
		h.persist("the payment in the mempool", func() (bool, error) { return h.waits(txid, h.own, units), nil })
		if raws[txid], err = h.client.RawTransaction(t.Context(), txid); err != nil {
			t.Fatal(err)
		}
	}
	r.mine(t, 1)
	h.follow()
	for _, p := range h.payments(h.own) {
		h.funds = append(h.funds, Fund{Payment: p.Payment, Raw: raws[p.TxID], Depth: 1})
	}
	if len(h.funds) != len(multiples) {
		t.Fatalf("%d of %d coins arrived", len(h.funds), len(multiples))
	}
	return h
}

// height is that of the newest block.
func (h *holder) height() uint64 { return h.tail[len(h.tail)-1].Height }

// payout makes a payout and holds its bytes against what was asked for: each payee
// in full, nothing else but change, and the fee that is said. It gives the change.
// The coins that it spends are no funds after that: who signs for a coin once never
// does for another payout.
func (h *holder) payout(rate chains.FeeRate, outputs ...Output) (p *Payout, change chains.Amount) {
	h.t.Helper()
	p, err := h.trial.Wallet.Pay(h.funds, outputs, rate, h.height())
	if err != nil {
		h.t.Fatal(err)
	}
	txid, made, spends, err := h.trial.Chain.DecodeTransaction(p.Raw)
	if err != nil || txid != p.TxID {
		h.t.Fatalf("%s decodes as %s, %v", p.TxID, txid, err)
	}
	if h.trial.Wallet.Cost == nil {
		h.leaves(spends, made, p.Fee)
	}
	for _, o := range outputs {
		script, err := h.trial.Chain.Script(o.Address)
		if err != nil {
			h.t.Fatal(err)
		}
		i := slices.IndexFunc(made, func(out chains.Output) bool {
			return bytes.Equal(out.Script, script) && out.Amount == chains.NewAmount(uint64(o.Units))
		})
		if i < 0 {
			h.t.Fatalf("%d to %s is not among %+v", o.Units, o.Address, made)
		}
		made = slices.Delete(made, i, i+1)
	}
	for _, out := range made {
		if !bytes.Equal(out.Script, h.trial.Wallet.Change) || !change.IsZero() {
			h.t.Fatalf("it also pays %s to %x", out.Amount, out.Script)
		}
		change = out.Amount
	}
	h.funds = slices.DeleteFunc(h.funds, func(f Fund) bool {
		return slices.ContainsFunc(spends, func(s chains.Spend) bool { return s.Outpoint == f.Outpoint })
	})
	return p, change
}

// leaves says that a transaction leaves so much to the miner.
func (h *holder) leaves(spends []chains.Spend, made []chains.Output, fee chains.Amount) {
	h.t.Helper()
	left := h.input(spends)
	for _, out := range made {
		var err error
		if left, err = left.Sub(out.Amount); err != nil {
			h.t.Fatal(err)
		}
	}
	if left != fee {
		h.t.Errorf("the inputs hold %s beyond the outputs, the fee is said to be %s", left, fee)
	}
}

// input is what the funds that are spent hold.
func (h *holder) input(spends []chains.Spend) (total chains.Amount) {
	h.t.Helper()
	for _, s := range spends {
		i := slices.IndexFunc(h.funds, func(f Fund) bool { return f.Outpoint == s.Outpoint })
		if i < 0 {
			h.t.Fatalf("%v is not ours", s.Outpoint)
		}
		total, _ = total.Add(h.funds[i].Amount)
	}
	return total
}

// send hands a payout in; it is wanted to be taken.
func (h *holder) send(p *Payout) {
	h.t.Helper()
	if verdict, err := h.client.Broadcast(h.t.Context(), p.Raw); verdict != chains.Accepted || err != nil {
		h.t.Fatalf("the node says %s, %v", verdict, err)
	}
}

// payoutKinds pays one payee of each kind with one transaction, or one each from an
// account, which the node takes, knows when it comes again, and mines.
func payoutKinds(t *testing.T, r *trial) {
	kinds := slices.DeleteFunc(r.Kinds(t.Name()), func(k Kind) bool { return k.In })
	h := r.fund(t, kinds, 2, 2, 3)
	var outputs []Output
	for i, k := range kinds {
		outputs = append(outputs, Output{Address: k.Address, Units: r.units(i)})
	}
	together := [][]Output{outputs}
	if r.Wallet.Cost != nil {
		together = slices.Collect(slices.Chunk(outputs, 1))
	}
	txids := make([]string, 0, len(kinds)) // of each kind
	var sent []*Payout
	for _, list := range together {
		p, _ := h.payout(2*r.Chain.Facts().RelayFee, list...)
		h.send(p)
		if verdict, err := h.client.Broadcast(t.Context(), p.Raw); verdict != chains.Known && verdict != chains.Accepted {
			t.Errorf("sent again while it waits: %s, %v", verdict, err)
		}
		sent = append(sent, p)
		txids = append(txids, slices.Repeat([]string{p.TxID}, len(list))...)
	}
	r.mine(t, 1)
	h.follow()
	for i, k := range kinds {
		h.one(k, txids[i], r.units(i))
	}
	for _, p := range sent {
		h.mined(p)
	}
}

// mined says what a payout that was mined has done.
func (h *holder) mined(p *Payout) {
	h.t.Helper()
	_, _, spends, _ := h.trial.Chain.DecodeTransaction(p.Raw)
	for _, s := range spends {
		if h.spent[s.Outpoint] != p.TxID {
			h.t.Errorf("%v is spent by %q", s.Outpoint, h.spent[s.Outpoint])
		}
	}
	if h.trial.Wallet.Cost != nil {
		if cost, err := h.trial.Wallet.Cost(p.TxID); err != nil || cost.IsZero() || p.Fee.Less(cost) {
			h.t.Errorf("%s has cost %s, %v; at most %s was to be paid", p.TxID, cost, err, p.Fee)
		}
	}
	// Spent outputs alone do not tell a node that it was this very transaction.
	if verdict, err := h.client.Broadcast(h.t.Context(), p.Raw); verdict != chains.Known && verdict != chains.Conflict {
		h.t.Errorf("sent again when it is mined: %s, %v", verdict, err)
	}
}

// payoutFees: the rate that is paid is the rate that is asked for; below the relay
// fee nodes refuse, above its limit the wallet does.
func payoutFees(t *testing.T, r *trial) {
	k := r.kind(t)
	h := r.fund(t, []Kind{k}, 3, 3, 3, 3, 3)
	relay := r.Chain.Facts().RelayFee
	for _, rate := range []chains.FeeRate{relay, relay + relay/3, 5 * relay} {
		p, _ := h.payout(rate, Output{Address: k.Address, Units: r.units(0)})
		least, errLeast := rate.Fee(p.Size)
		most, errMost := rate.Fee(p.Planned)
		if errLeast != nil || errMost != nil || p.Fee.Less(least) || most.Less(p.Fee) || p.Planned < p.Size {
			t.Errorf("at %d: a fee of %s for %d of planned %d, want %s to %s", rate, p.Fee, p.Size, p.Planned, least, most)
		}
	}
	low, _ := h.payout(relay/2, Output{Address: k.Address, Units: r.units(0)})
	if verdict, err := h.client.Broadcast(t.Context(), low.Raw); verdict != chains.Rejected {
		t.Errorf("half the relay fee: %s, %v", verdict, err)
	}
	if p, err := r.Wallet.Pay(h.funds, []Output{{Address: k.Address, Units: r.units(0)}}, r.Wallet.MaxRate+1, h.height()); err == nil {
		t.Errorf("above the limit: a fee of %s", p.Fee)
	}
	if rate, ok, err := h.client.EstimateFee(t.Context(), 6); err != nil {
		t.Errorf("the node's estimate: %d, %v, %v", rate, ok, err)
	}
	p, _ := h.payout(relay, Output{Address: k.Address, Units: r.units(0)})
	h.send(p) // the lowest rate that is taken
	r.mine(t, 1)
	h.follow()
	h.one(k, p.TxID, r.units(0))
}

// payoutDust: what is dust is never made, for a payee it is refused, of the change it
// goes to the fee; and what is just not dust the node takes, for every kind.
func payoutDust(t *testing.T, r *trial) {
	kinds := slices.DeleteFunc(r.Kinds(t.Name()), func(k Kind) bool { return k.In })
	h := r.fund(t, kinds, 3)
	rate := 2 * r.Chain.Facts().RelayFee
	dust := func(script []byte) int64 {
		v, _ := r.Chain.Dust(script).Uint64()
		return int64(v)
	}
	var least []Output
	for _, k := range kinds {
		least = append(least, Output{Address: k.Address, Units: dust(k.Script)})
		if p, err := r.Wallet.Pay(h.funds, []Output{{Address: k.Address, Units: dust(k.Script) - 1}}, rate, h.height()); err == nil {
			t.Errorf("dust to %s: %+v", k, p)
		}
	}
	if _, err := r.Wallet.Pay(h.funds, []Output{{Address: kinds[0].Address, Units: 0}}, rate, h.height()); err == nil {
		t.Error("a payment of nothing")
	}
	all, _ := h.payout(rate, least...)
	h.send(all)
	r.mine(t, 1)
	h.follow()
	for i, k := range kinds {
		h.one(k, all.TxID, least[i].Units)
	}
	changeless(t, r, kinds[0], rate)
}

// changeless pays so much that a wallet with change would leave dust.
func changeless(t *testing.T, r *trial, k Kind, rate chains.FeeRate) {
	h := r.fund(t, []Kind{k}, 3, 3)
	number := func(a chains.Amount) int64 {
		v, _ := a.Uint64()
		return int64(v)
	}
	sum := func() (total int64) {
		for _, f := range h.funds {
			total += number(f.Amount)
		}
		return total
	}
	all := sum()
	first, change := h.payout(rate, Output{Address: k.Address, Units: r.Units})
	left := sum() // of one coin, as large as the one that was spent but for a unit
	limit := number(r.Chain.Dust(r.Wallet.Change))
	if number(change) < limit {
		t.Fatalf("a change of %s", change)
	}
	units := r.Units + number(change) + (2*left - all) - limit + 1 // the change would be one unit short
	p, none := h.payout(rate, Output{Address: k.Address, Units: units})
	if !none.IsZero() || !first.Fee.Less(p.Fee) {
		t.Errorf("change of %s, a fee of %s after %s", none, p.Fee, first.Fee)
	}
	h.send(p)
	r.mine(t, 1)
	h.follow()
}
