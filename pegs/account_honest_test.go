package pegs

import (
	"flag"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/chains"
)

var etherRuns = flag.Int("ether-runs", 300, "random honest histories of a chain of accounts to audit")

// credit mints what is to be minted.
func (w *etherWorld) credit() {
	for _, d := range slices.Clone(w.ToMint(chains.ETH)) {
		w.do(&Minting{Deposit: d.ID, Symbol: d.Symbol, Quantity: d.Quantity, To: d.Account})
		if w.chance(10) {
			continue // the row comes later
		}
		w.mintRow(d)
	}
	for _, d := range slices.Clone(w.OpenDeposits()) {
		if d.Chain == chains.ETH && d.Intent != nil && d.Credit == nil && w.chance(50) {
			w.mintRow(d)
		}
	}
}

func (w *etherWorld) mintRow(d *Deposit) {
	w.supply[d.Symbol] += w.units(d.Symbol, d.Quantity)
	w.rows[d.Symbol].Credited[d.ID] = d.Quantity
	w.do(&Credited{Deposit: d.ID, Symbol: d.Symbol, Quantity: d.Quantity, To: d.Account, Tx: "m"})
}

// units is a quantity in smallest parts of the token.
func (w *etherWorld) units(symbol, quantity string) uint64 {
	a, err := chains.FromCoin(quantity, w.rows[symbol].Asset.Precision)
	units, ok := a.Uint64()
	if err != nil || !ok {
		w.t.Fatalf("%s %s: %v", quantity, symbol, err)
	}
	return units
}

// withdraw burns some of what users have; the fee goes to the fee account, in the
// coin's peg. Now and then the payee is an address of ours.
func (w *etherWorld) withdraw() {
	const fee = 30_000
	asset := ethAssets[w.r.IntN(len(ethAssets))]
	users := w.supply["SWAP.ETH"] - w.fees
	have := w.supply[asset.Symbol]
	if asset.Token == "" {
		have = users - min(users, fee)
	}
	if users < fee || have < 10 {
		return
	}
	net := 1 + w.r.Uint64N(have/2+1)
	w.fees, w.supply[asset.Symbol] = w.fees+fee, w.supply[asset.Symbol]-net
	id, text := w.name("w"), chains.NewAmount(net).Coin(asset.Precision)
	to := []string{payeeAddress, payeeAddress, payeeAddress, aliceAddress, bobAddress}[w.r.IntN(5)]
	r := &Requested{Withdrawal: id, Row: w.LastRow() + 1, Symbol: asset.Symbol, Chain: chains.ETH, Account: "alice", Address: to, Quantity: text, Fee: "0.0003", Net: text}
	w.requests = append(w.requests, r)
	w.rows[asset.Symbol].Withdrawals[id] = WithdrawalRow{Net: text}
	w.do(r)
	if w.chance(10) { // cannot be paid
		w.do(&Parked{Withdrawal: id, Reason: "x", GiveBack: true})
		w.giveBack(id)
		return
	}
	wd, _ := w.Withdrawal(id)
	w.do(&Queued{Withdrawal: id, Script: to[2:], Amount: wd.Amount})
}

func (w *etherWorld) giveBack(id string) {
	wd, _ := w.Withdrawal(id)
	w.supply[wd.Symbol] += w.units(wd.Symbol, wd.Net)
	row := w.rows[wd.Symbol].Withdrawals[id]
	row.Returned = true
	w.rows[wd.Symbol].Withdrawals[id] = row
	w.do(&Returned{Withdrawal: id, Tx: "r"})
}

// pay sends withdrawals, and brings coins and tokens to the hot account.
func (w *etherWorld) pay() {
	for _, wd := range slices.Clone(w.ToPlan(chains.ETH)) {
		if w.chance(60) {
			w.start(BatchPayout, hotAddress, wd.Address, wd.Token, wd.Amount, wd.ID)
		}
	}
}

func (w *etherWorld) sweep() {
	from, token := w.user(), []string{"", usdc, dai}[w.r.IntN(3)]
	coin, _ := w.Free(chains.ETH, from, "")
	gas := gwei(70_000)
	if token == "" {
		if value := subAmount(coin, gas); !value.IsZero() {
			w.start(BatchSweep, from, hotAddress, "", value)
		}
		return
	}
	units, _ := w.Free(chains.ETH, from, token)
	switch {
	case units.IsZero():
	case !coin.Less(gas):
		w.start(BatchSweep, from, hotAddress, token, units)
	case !w.start(BatchTopup, sweeperAddress, from, "", gas):
		w.start(BatchTopup, hotAddress, sweeperAddress, "", gwei(3_000_000))
	}
}

// settle has what is final closed or charged, and what is dead released and given
// back.
func (w *etherWorld) settle() {
	for _, b := range w.ToSettle(chains.ETH) {
		fee, err := w.MinedFee(b)
		if err != nil {
			w.t.Fatal(err)
		}
		w.do(&Settling{Batch: b.ID, TxID: b.Decided().TxID, Cost: fee.Coin(18)})
	}
	for _, b := range w.ToSubmitSettles(chains.ETH) {
		if w.chance(70) {
			w.closeRow(b)
		}
	}
	for _, b := range w.ToRelease(chains.ETH) {
		proof, _ := w.Dead(b)
		w.do(&Releasing{Batch: b.ID, Proof: proof})
	}
	for _, b := range w.ToSubmitReleases(chains.ETH) {
		if w.chance(70) {
			w.do(&Released{Batch: b.ID, Reason: b.Releasing.Proof})
		}
	}
	for _, wd := range slices.Collect(w.ToGiveBack(chains.ETH)) {
		w.giveBack(wd.ID)
	}
}

// closeRow burns the cost, rounded up.
func (w *etherWorld) closeRow(b *Batch) {
	fee, _ := w.MinedFee(b)
	units, _ := addAmount(fee, chains.NewAmount(pegUnit-1)).Uint64()
	units /= pegUnit
	if w.fees < units {
		w.t.Fatalf("seed %d: the fee account holds %d, %d are to be burned", w.seed, w.fees, units)
	}
	w.fees, w.supply["SWAP.ETH"] = w.fees-units, w.supply["SWAP.ETH"]-units
	rows := w.rows["SWAP.ETH"]
	if b.Failed != nil {
		rows.Costs[b.Failed.TxID] = b.Settling.Cost
		w.do(&Charged{Batch: b.ID, TxID: b.Failed.TxID, Cost: b.Settling.Cost})
		return
	}
	row := rows.Batches[b.ID]
	row.Closed, row.Cost = true, b.Settling.Cost
	rows.Batches[b.ID] = row
	w.do(&Settled{Batch: b.ID, TxID: b.Settling.TxID, Cost: b.Settling.Cost, Tx: "s"})
}

// scan is what an independent reader of the model's chain says.
func (w *etherWorld) scan() ScannerView {
	v := ScannerView{Spending: w.spending, Txs: w.mined, Received: map[string]chains.Amount{}}
	v.Block, _ = w.chain().Tip()
	for key, amount := range w.balances {
		if kind := kindOf(key.Address); kind != "" {
			v.Items = append(v.Items, Item{Chain: chains.ETH, Token: key.Token, Address: key.Address, Kind: kind, Amount: amount})
		}
	}
	for key, amount := range w.received {
		v.Received[ReceivedKey(key.Address, key.Token)] = amount
	}
	return v
}

// audits balances all assets of a ledger.
func (w *etherWorld) audits(s *State) (list []AssetAudit, problems []string) {
	l, _ := s.AuditView(chains.ETH)
	for _, asset := range ethAssets {
		rows := w.rows[asset.Symbol]
		rows.Supply = chains.NewAmount(w.supply[asset.Symbol]).Coin(asset.Precision)
		rows.Circulating, rows.FeeAccount = rows.Supply, "0"
		if asset.Token == "" {
			rows.FeeAccount = chains.NewAmount(w.fees).Coin(8)
		}
		audit, more := AuditAsset(l, rows, w.scan())
		list, problems = append(list, audit), append(problems, more...)
	}
	return list, problems
}

func (w *etherWorld) step() {
	switch n := w.r.IntN(24); {
	case n < 5:
		w.outside()
	case n < 9:
		w.block(nil)
	case n < 12:
		w.withdraw()
	case n < 15:
		w.pay()
	case n < 17:
		w.sweep()
	case n < 18:
		w.bump()
	case n < 19:
		w.cancel()
	case n < 21:
		w.credit()
	default:
		w.settle()
	}
	if w.chance(70) {
		w.readSome()
	}
}

// A random honest history of a chain of accounts never gives a false alarm; deposits
// come to what was received, whatever way it came; the books balance whenever all
// accounts are read; nothing ever seems to be missing. A replay comes to the same
// state, and so do the books of a ledger that is made anew from the chain and the
// sidechain's rows. A theft of 1 wei is found. -ether-runs 20000 is the long form.
func TestAuditOfHonestEther(t *testing.T) {
	start, audited, payouts, failed, sweeps, deposits := time.Now(), 0, 0, 0, 0, 0
	for i := range uint64(*etherRuns) {
		w := newEtherWorld(t, *honestSeed+i)
		for step := range 120 {
			w.step()
			if alarms := w.Alarms(chains.ETH); len(alarms) > 0 {
				t.Fatalf("seed %d, step %d: %v", w.seed, step, alarms)
			}
			if !w.chance(30) {
				continue
			}
			w.readAll()
			w.balanced(step, w.State)
			audited++
		}
		for _, b := range w.Batches() {
			switch {
			case b.Failed != nil:
				failed++
			case b.Mined != nil && b.Kind == BatchPayout:
				payouts++
			case b.Mined != nil && b.Kind == BatchSweep:
				sweeps++
			}
		}
		deposits += len(w.Deposits(""))
		w.readAll()
		w.again()
		w.theft()
	}
	if payouts < *etherRuns || failed < *etherRuns/8 || sweeps < *etherRuns/2 {
		t.Errorf("%d payouts, %d failed, %d sweeps in %d histories: they say little", payouts, failed, sweeps, *etherRuns)
	}
	t.Logf("%d histories, %d audits, %d deposits, %d payouts and %d sweeps mined, %d failed, %s",
		*etherRuns, audited, deposits, payouts, sweeps, failed, time.Since(start).Round(time.Millisecond))
}

// balanced wants books without a flaw.
func (w *etherWorld) balanced(step int, s *State) {
	w.t.Helper()
	list, problems := w.audits(s)
	for _, audit := range list {
		if !audit.OK || audit.Missing {
			w.t.Fatalf("seed %d, step %d: %+v\n%v", w.seed, step, audit, problems)
		}
	}
	sums := map[Unread]chains.Amount{}
	for _, d := range s.Deposits("") {
		if d.Chain == chains.ETH {
			key := Unread{d.Address, d.Token}
			sums[key] = addAmount(sums[key], d.Amount)
		}
	}
	for key, amount := range w.received {
		if sums[key] != amount && (key.Token == "" || amount.Less(sums[key])) {
			w.t.Fatalf("seed %d, step %d: deposits of %v: %s, received %s", w.seed, step, key, sums[key], amount)
		}
	}
}

// again replays the log, and makes the ledger anew from what the chain and the
// sidechain say.
func (w *etherWorld) again() {
	w.t.Helper()
	replayed := NewState()
	for _, r := range w.log {
		if err := replayed.Apply(r); err != nil {
			w.t.Fatal(err)
		}
	}
	if replayed.Hash() != w.Hash() {
		w.t.Fatalf("seed %d: a replay comes to another state", w.seed)
	}
	fresh := openEther(openBook(w.t))
	for _, symbol := range sortedKeys(w.rows) {
		for _, id := range sortedKeys(w.rows[symbol].Credited) {
			d, _ := w.Deposit(id)
			fresh.do(&Credited{Deposit: id, Symbol: symbol, Quantity: w.rows[symbol].Credited[id], To: d.Account, Tx: "m"})
		}
	}
	for _, r := range w.requests {
		fresh.do(r)
	}
	early := w.chance(50) // rows of batches are read before the chain, or after it
	if early {
		w.adopt(fresh)
	}
	for _, m := range w.blocks {
		fresh.do(&Connected{Chain: chains.ETH, Match: m})
	}
	if !early {
		w.adopt(fresh)
	}
	there := w.book
	w.ether.book = fresh.book
	w.readAll()
	w.ether.book = there
	for _, b := range fresh.OpenBatches(chains.ETH) {
		if known, _ := w.Batch(b.ID); known.Charged != nil {
			fresh.do(known.Charged)
		}
	}
	if alarms := fresh.Alarms(chains.ETH); len(alarms) > 0 {
		w.t.Fatalf("seed %d: made anew: %v", w.seed, alarms)
	}
	w.balanced(-1, fresh.State)
}

// adopt books the rows of batches, and what became of them and of withdrawals.
func (w *etherWorld) adopt(fresh *ether) {
	for _, row := range w.assigned {
		fresh.do(row)
		b, _ := w.Batch(row.Batch)
		if b.Settled != nil {
			fresh.do(b.Settled)
		}
		if b.Released != nil {
			fresh.do(b.Released)
		}
	}
	for _, r := range w.requests {
		if wd, _ := w.Withdrawal(r.Withdrawal); wd.Returned != nil {
			fresh.do(wd.Returned)
		}
	}
}

// spare is what is there beyond what is owed, in smallest parts of the token.
func (w *etherWorld) spare(audit AssetAudit) uint64 {
	asset := w.rows[audit.Symbol].Asset
	sum := new(big.Int)
	for _, text := range []string{audit.Surplus, audit.NetworkFees} {
		amount, err := chains.FromCoin(strings.TrimPrefix(text, "-"), asset.Decimals)
		if err != nil {
			w.t.Fatal(err)
		}
		if strings.HasPrefix(text, "-") {
			sum.Sub(sum, amount.Big())
		} else {
			sum.Add(sum, amount.Big())
		}
	}
	part, err := asset.Amount(chains.NewAmount(1).Coin(asset.Precision))
	if err != nil || sum.Sign() < 0 {
		w.t.Fatalf("seed %d: %s is spare, %v", w.seed, sum, err)
	}
	return sum.Quo(sum, part.Big()).Uint64()
}

// theft takes the smallest part that is missed, in three ways, and wants to be caught each time.
func (w *etherWorld) theft() {
	w.t.Helper()
	list, _ := w.audits(w.State)
	for i, audit := range list {
		more := w.spare(audit) + 1 // gifts and remainders are no reason to be missed
		w.supply[audit.Symbol] += more
		if list, _ := w.audits(w.State); list[i].OK || !list[i].Missing {
			w.t.Fatalf("seed %d: a part of %s from nowhere was not found: %+v", w.seed, audit.Symbol, list[i])
		}
		w.supply[audit.Symbol] -= more
	}
	key := Unread{w.user(), ""}
	if !w.balances[key].IsZero() {
		w.balances[key] = subAmount(w.balances[key], chains.NewAmount(1))
		w.readAll()
		if list, _ := w.audits(w.State); list[0].OK || len(w.Alarms(chains.ETH)) != 1 {
			w.t.Fatalf("seed %d: a wei that went nowhere was not found: %v", w.seed, w.Alarms(chains.ETH))
		}
		w.move(key, chains.NewAmount(1))
		w.readAll()
	}
	thief := Result{TxID: "0xthief", From: hotAddress, Nonce: w.nonces[hotAddress], To: payeeAddress, Value: chains.NewAmount(1), Fee: gwei(21)}
	w.nonces[hotAddress]++
	w.takeOut(Unread{hotAddress, ""}, addAmount(thief.Value, thief.Fee))
	w.mined[thief.TxID] = ScannedTx{Inputs: []chains.Outpoint{spendAt(hotAddress, thief.Nonce)}, Fee: thief.Fee}
	w.final([]Result{thief})
	w.readAll()
	if list, _ := w.audits(w.State); list[0].OK || len(w.Alarms(chains.ETH)) == 0 || w.PaysOut(chains.ETH) {
		w.t.Fatalf("seed %d: a stolen wei was not found: %s", w.seed, fmt.Sprint(w.Alarms(chains.ETH)))
	}
}
