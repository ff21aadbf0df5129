package pegs

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"causeway/chains"
)

var (
	honestRuns = flag.Int("honest-runs", 1000, "random honest histories to audit")
	honestSeed = flag.Uint64("honest-seed", 1, "seed of the first of them")
)

// modelTx is a transaction of the model's chain: what of it concerns us.
type modelTx struct {
	id    string
	ins   []chains.Outpoint
	outs  []Payment
	fee   uint64
	batch string // empty: somebody pays us
}

// honest is a world in which everybody does what he should: a chain of blocks
// with a mempool, the rows of a sidechain, and the ledger that follows both. The
// chain and the rows are kept in other ways than the ledger keeps them.
type honest struct {
	*book
	r       *rand.Rand
	blocks  [][]*modelTx
	pool    []*modelTx
	rivals  map[string][]*modelTx // by batch: what was signed
	n       int
	supply  uint64 // tokens of users and of the fee account
	fees    uint64 // tokens of the fee account
	rows    AssetView
	variant map[string]uint64 // by batch: the highest fee that was signed
}

const honestDepth = 3 // of credits; a reorganisation is never as deep

func newHonest(t *testing.T, seed uint64) *honest {
	h := &honest{
		r: rand.New(rand.NewPCG(seed, 7)), rivals: map[string][]*modelTx{}, variant: map[string]uint64{},
		rows: AssetView{Asset: testAsset, Owed: "0", Credited: map[string]string{}, Withdrawals: map[string]WithdrawalRow{}, Batches: map[string]BatchRow{}},
	}
	h.book = openBook(t)
	h.do(&Configured{Chain: chains.BTC, Network: chains.Regtest, Confirmations: honestDepth, InputExtra: 1, Policy: btcPolicy})
	return h
}

func (h *honest) chance(percent int) bool { return h.r.IntN(100) < percent }

func (h *honest) name(kind string) string {
	h.n++
	return fmt.Sprintf("%s%d", kind, h.n)
}

// scan reads the model's chain from its beginning.
func (h *honest) scan() ScannerView {
	v := ScannerView{Deposits: map[string]chains.Amount{}, Spending: map[chains.Outpoint]string{}, Txs: map[string]ScannedTx{}}
	c, _ := h.Chain(chains.BTC)
	v.Block, _ = c.Tip()
	made := map[chains.Outpoint]Payment{}
	for _, block := range h.blocks {
		for _, tx := range block {
			for _, in := range tx.ins {
				v.Spending[in] = tx.id
			}
			if len(tx.ins) > 0 {
				v.Txs[tx.id] = ScannedTx{Inputs: tx.ins, Fee: chains.NewAmount(tx.fee)}
			}
			for _, p := range tx.outs {
				made[p.Outpoint] = p
				if p.Kind == chains.WatchDeposit {
					v.Deposits[DepositID(chains.BTC, p.Outpoint)] = p.Amount
				}
			}
		}
	}
	for o, p := range made {
		if v.Spending[o] == "" {
			v.Items = append(v.Items, Item{Chain: chains.BTC, Address: p.Address, Kind: p.Kind, Outpoint: o, Amount: p.Amount})
		}
	}
	return v
}

// audit balances the three parts.
func (h *honest) audit() (AssetAudit, []string) {
	l, _ := h.AuditView(chains.BTC)
	text := func(units uint64) string { return chains.NewAmount(units).Coin(8) }
	h.rows.Supply, h.rows.Circulating, h.rows.FeeAccount = text(h.supply), text(h.supply), text(h.fees)
	return AuditAsset(l, h.rows, h.scan())
}

// minable says whether all inputs of a transaction are there and unspent, in the
// chain or in the block that is made.
func (h *honest) minable(tx *modelTx, block []*modelTx) bool {
	there := map[chains.Outpoint]bool{}
	for _, b := range append(slices.Clone(h.blocks), block) {
		for _, other := range b {
			for _, p := range other.outs {
				there[p.Outpoint] = true
			}
			for _, in := range other.ins {
				delete(there, in)
			}
		}
	}
	return !slices.ContainsFunc(tx.ins, func(o chains.Outpoint) bool { return !there[o] })
}

// mine makes a block of some of the mempool, in its order.
func (h *honest) mine() {
	var block []*modelTx
	for _, tx := range h.pool {
		if h.chance(70) && h.minable(tx, block) {
			block = append(block, tx)
		}
	}
	h.pool = slices.DeleteFunc(h.pool, func(tx *modelTx) bool {
		return slices.ContainsFunc(block, func(b *modelTx) bool { return b == tx || b.batch != "" && b.batch == tx.batch })
	})
	var payments []Payment
	var spent []chains.Spend
	for _, tx := range block {
		payments = append(payments, tx.outs...)
		spent = append(spent, spends(tx.id, tx.ins...)...)
	}
	h.blocks = append(h.blocks, block)
	h.named(h.name("b"), payments, spent...)
}

// reorganise takes blocks back and mines a longer branch. What was mined goes
// back to the mempool; a deposit may be gone for ever, and of a payout another
// variant may come, unless its change was promised already.
func (h *honest) reorganise() {
	depth := min(1+h.r.IntN(honestDepth-1), len(h.blocks))
	for range depth {
		last := h.blocks[len(h.blocks)-1]
		h.blocks = h.blocks[:len(h.blocks)-1]
		h.back()
		for _, tx := range slices.Backward(last) {
			switch {
			case tx.batch == "" && h.chance(20):
			case tx.batch != "" && h.chance(50) && !h.promised(tx):
				h.pool = append(slices.Clone(h.rivals[tx.batch]), h.pool...)
			default:
				h.pool = append([]*modelTx{tx}, h.pool...)
			}
		}
	}
	for range depth + 1 {
		h.mine()
	}
}

// promised says whether an output of a transaction is an input of another one.
func (h *honest) promised(tx *modelTx) bool {
	c, _ := h.Chain(chains.BTC)
	return slices.ContainsFunc(tx.outs, func(p Payment) bool { return c.KeptFor(p.Outpoint) != "" })
}

// deposit has somebody pay in: sometimes too little, sometimes twice, sometimes
// to an address without an owner.
func (h *honest) deposit() {
	tx := &modelTx{id: h.name("d")}
	for i := range 1 + h.r.IntN(3) {
		account := []string{"alice", "bob", ""}[h.r.IntN(5)/2]
		tx.outs = append(tx.outs, pays(tx.id, uint32(i), account, 5_000+h.r.Uint64N(200_000)))
	}
	h.pool = append(h.pool, tx)
}

// credit mints what is deep enough.
func (h *honest) credit() {
	for _, d := range h.ToMint(chains.BTC) {
		h.do(&Minting{Deposit: d.ID, Symbol: d.Symbol, Quantity: d.Quantity, To: d.Account})
		units, _ := d.Amount.Uint64()
		h.supply += units
		h.rows.Credited[d.ID] = d.Quantity
		h.do(&Credited{Deposit: d.ID, Symbol: d.Symbol, Quantity: d.Quantity, To: d.Account, Tx: "m"})
	}
}

// withdraw burns some of what users have; the fee goes to the fee account.
func (h *honest) withdraw() {
	const fee = 3_000
	users := h.supply - h.fees
	if users < 2*fee {
		return
	}
	net := 1_000 + h.r.Uint64N(users-2*fee+1)/3
	h.supply, h.fees = h.supply-net, h.fees+fee
	id, text := h.name("w"), chains.NewAmount(net).Coin(8)
	h.rows.Withdrawals[id] = WithdrawalRow{Net: text}
	h.do(&Requested{Withdrawal: id, Row: h.LastRow() + 1, Symbol: "SWAP.BTC", Chain: chains.BTC, Account: "alice", Address: "x", Quantity: text, Fee: "0.00003", Net: text})
	if h.chance(10) { // cannot be paid: the tokens are given back
		h.do(&Parked{Withdrawal: id, Reason: "x", GiveBack: true})
		h.supply += net
		h.rows.Withdrawals[id] = WithdrawalRow{Net: text, Returned: true}
		h.do(&Returned{Withdrawal: id, Tx: "r"})
		return
	}
	h.do(&Queued{Withdrawal: id, Script: "0014", Amount: chains.NewAmount(net)})
}

// budget is what the next fee may be: what the fee account can burn for it.
func (h *honest) budget(except string) uint64 {
	left := h.fees
	for id, fee := range h.variant {
		if id != except && !h.rows.Batches[id].Closed {
			left -= min(left, fee)
		}
	}
	return left
}

// plan pays one to three of those who wait, as far as coins and fees allow.
func (h *honest) plan() {
	queue := h.ToPlan(chains.BTC)
	queue = queue[:min(len(queue), 1+h.r.IntN(3))]
	var need uint64
	var ids []string
	for _, w := range queue {
		units, _ := w.Amount.Uint64()
		need += units
		ids = append(ids, w.ID)
	}
	fee := 200 + h.r.Uint64N(500)
	if len(ids) == 0 || h.budget("") < fee {
		return
	}
	var ins []chains.Outpoint
	var have uint64
	for _, coin := range h.Spendable(chains.BTC) {
		if have < need+fee {
			units, _ := coin.Amount.Uint64()
			have += units
			ins = append(ins, coin.Outpoint)
		}
	}
	if have < need+fee {
		return
	}
	ins = sortedOutpoints(ins)
	p := planFor(ids, ins...)
	p.Fee = chains.NewAmount(fee)
	h.do(p)
	h.rows.Batches[p.Batch] = BatchRow{Spends: ins}
	for _, id := range ids {
		h.rows.Withdrawals[id] = WithdrawalRow{Net: h.rows.Withdrawals[id].Net, Batch: p.Batch}
	}
	h.do(assignedAs(p))
	h.sign(p.Batch, fee)
}

// sign makes a variant of a batch and hands it to the nodes. Now and then a
// payee is a deposit address of ours.
func (h *honest) sign(batch string, fee uint64) {
	b, _ := h.Batch(batch)
	tx := &modelTx{id: h.name("p"), ins: b.Inputs, fee: fee, batch: batch}
	c, _ := h.Chain(chains.BTC)
	var rest uint64
	for _, in := range b.Inputs {
		out, _ := c.Output(in)
		units, _ := out.Amount.Uint64()
		rest += units
	}
	for i, id := range b.Withdrawals {
		w, _ := h.Withdrawal(id)
		units, _ := w.Amount.Uint64()
		rest -= units
		if w.Row%9 == 0 {
			tx.outs = append(tx.outs, pays(tx.id, uint32(i), "bob", units))
		}
	}
	signed := &Signed{Batch: batch, TxID: tx.id, Raw: []byte{1}, Fee: chains.NewAmount(fee), VSize: 200, Counter: uint64(h.n)}
	if rest > fee {
		change := changes(tx.id, 99, rest-fee)
		tx.outs, signed.Change = append(tx.outs, change), []Payment{change}
	}
	h.do(signed)
	h.do(&Broadcast{Batch: batch, TxID: tx.id, Verdict: chains.Accepted})
	h.variant[batch] = max(h.variant[batch], fee)
	h.rivals[batch] = append(h.rivals[batch], tx)
	h.pool = append(h.pool, tx)
}

// bump signs a dearer variant of a payout that is not mined; the earlier ones may
// be mined all the same.
func (h *honest) bump() {
	for _, b := range h.OpenBatches(chains.BTC) {
		if b.Mined != nil || len(b.Variants) == 0 || h.HasChild(b) || b.Settling != nil {
			continue
		}
		fee := h.variant[b.ID] + 100
		change := b.Newest().Change
		if h.budget(b.ID) < fee || len(change) == 0 || change[0].Amount.Less(chains.NewAmount(1_000)) {
			continue
		}
		h.do(&Bumped{Batch: b.ID, Fee: chains.NewAmount(fee), Plan: json.RawMessage(`{}`)})
		h.sign(b.ID, fee)
	}
}

// settle burns what payouts cost that are deep enough.
func (h *honest) settle() {
	for _, b := range h.ToSettle(chains.BTC) {
		fee, err := h.MinedFee(b)
		if err != nil {
			h.t.Fatal(err)
		}
		units, _ := fee.Uint64()
		cost := fee.Coin(8)
		h.do(&Settling{Batch: b.ID, TxID: b.Mined.TxID, Cost: cost})
		h.fees, h.supply = h.fees-units, h.supply-units
		row := h.rows.Batches[b.ID]
		row.Closed, row.Cost = true, cost
		h.rows.Batches[b.ID] = row
		h.do(&Settled{Batch: b.ID, TxID: b.Mined.TxID, Cost: cost, Tx: "s"})
	}
}

func (h *honest) step() {
	switch n := h.r.IntN(20); {
	case n < 5:
		h.deposit()
	case n < 10:
		h.mine()
	case n < 12:
		h.withdraw()
	case n < 14:
		h.plan()
	case n < 15:
		h.bump()
	case n < 16:
		h.reorganise()
	case n < 18:
		h.credit()
	default:
		h.settle()
	}
}

// coins holds what may be spent, asked of one outpoint, against the list of all.
func (h *honest) coins(seed uint64, step int) {
	for _, c := range h.Chains() {
		listed := map[chains.Outpoint]bool{}
		for _, coin := range h.Spendable(c.ID) {
			listed[coin.Outpoint] = true
		}
		for o := range c.outputs {
			if got := h.maySpend(c, o); got != listed[o] {
				h.t.Fatalf("seed %d, step %d: %v may be spent: %t, it is listed: %t", seed, step, o, got, listed[o])
			}
		}
	}
}

// A random honest history never gives a false alarm, at no step of it; a theft of
// one satoshi, of coins or of tokens, is found by the very next audit (scenario
// 76). -honest-runs 100000 is the long form.
func TestAuditOfHonestHistories(t *testing.T) {
	start, audits, payouts, reorgs := time.Now(), 0, 0, 0
	for i := range uint64(*honestRuns) {
		seed := *honestSeed + i
		h := newHonest(t, seed)
		for step := range 60 {
			h.step()
			audits++
			if audit, problems := h.audit(); !audit.OK || audit.Missing || audit.Surplus[0] == '-' && audit.Surplus[1:] != audit.NetworkFees {
				t.Fatalf("seed %d, step %d: %+v\n%v", seed, step, audit, problems)
			}
			h.coins(seed, step)
		}
		for _, b := range h.Batches() {
			if b.Mined != nil {
				payouts++
			}
		}
		for _, r := range h.log {
			if _, ok := r.Event.(*Disconnected); ok {
				reorgs++
			}
		}
		h.theft(t, seed)
	}
	if payouts < *honestRuns || reorgs < *honestRuns {
		t.Errorf("%d payouts and %d disconnected blocks in %d histories: they say little", payouts, reorgs, *honestRuns)
	}
	t.Logf("%d histories, %d audits, %d payouts mined, %d blocks disconnected, %s", *honestRuns, audits, payouts, reorgs, time.Since(start).Round(time.Millisecond))
}

// theft takes one satoshi and wants to be caught.
func (h *honest) theft(t *testing.T, seed uint64) {
	t.Helper()
	h.supply++
	if audit, _ := h.audit(); audit.OK || !audit.Missing {
		t.Fatalf("seed %d: a token from nowhere was not found: %+v", seed, audit)
	}
	h.supply--
	c, _ := h.Chain(chains.BTC)
	for _, out := range c.Unspent() {
		if c.KeptFor(out.Outpoint) != "" || out.Amount.Less(chains.NewAmount(2)) || out.Kind != chains.WatchChange {
			continue
		}
		units, _ := out.Amount.Uint64()
		thief := &modelTx{id: "thief", ins: []chains.Outpoint{out.Outpoint}, outs: []Payment{changes("thief", 0, units-1)}, fee: 1}
		h.blocks = append(h.blocks, []*modelTx{thief})
		h.named(h.name("b"), thief.outs, spends(thief.id, thief.ins...)...)
		if audit, _ := h.audit(); audit.OK || !audit.Missing {
			t.Fatalf("seed %d: a stolen satoshi was not found: %+v", seed, audit)
		}
		return
	}
}
