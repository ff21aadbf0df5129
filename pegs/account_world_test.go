package pegs

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"causeway/chains"
)

// sending is a signed transaction of the model's chain.
type sending struct {
	batch, kind string
	txid        string
	from        string
	nonce       uint64
	to, token   string // token: what is moved, to whom
	amount      chains.Amount
	highest     chains.Amount // fee
	fails       bool          // its payee takes nothing
}

// etherWorld is a chain of accounts on which everybody does what he should, with
// the rows of a sidechain, kept in other ways than the ledger keeps them: what an
// address has received is counted as it comes.
type etherWorld struct {
	*ether
	r        *rand.Rand
	seed     uint64
	balances map[Unread]chains.Amount
	received map[Unread]chains.Amount
	nonces   map[string]uint64
	pool     []*sending
	blocks   []Match // as they were connected
	mined    map[string]ScannedTx
	spending map[chains.Outpoint]string
	touched  map[string]bool // of which a transaction or a log told
	supply   map[string]uint64
	fees     uint64 // of the peg of the coin, part of its supply
	rows     map[string]AssetView
	assigned []*Assigned
	requests []*Requested
	failing  map[string]bool // batches whose transaction will move nothing
}

const pegUnit = 10_000_000_000 // wei

func newEtherWorld(t *testing.T, seed uint64) *etherWorld {
	w := &etherWorld{
		ether: newEther(t), r: rand.New(rand.NewPCG(seed, 16)), seed: seed, balances: map[Unread]chains.Amount{}, received: map[Unread]chains.Amount{},
		nonces: map[string]uint64{}, mined: map[string]ScannedTx{}, spending: map[chains.Outpoint]string{}, touched: map[string]bool{},
		supply: map[string]uint64{}, rows: map[string]AssetView{}, failing: map[string]bool{},
	}
	batches, costs := map[string]BatchRow{}, map[string]string{}
	for _, a := range ethAssets {
		w.rows[a.Symbol] = AssetView{Asset: a, Owed: "0", Credited: map[string]string{}, Withdrawals: map[string]WithdrawalRow{}, Batches: batches, Costs: costs}
	}
	w.move(Unread{hotAddress, ""}, gwei(2_000_000_000)) // what was laid in for gas
	w.block(nil)
	w.readAll()
	return w
}

func (w *etherWorld) chance(percent int) bool { return w.r.IntN(100) < percent }

// wei is an amount between 0 and most gwei, with a remainder.
func (w *etherWorld) wei(most uint64) chains.Amount {
	return addAmount(gwei(w.r.Uint64N(most)), chains.NewAmount(w.r.Uint64N(1_000_000_000)))
}

func (w *etherWorld) move(key Unread, amount chains.Amount) {
	w.balances[key] = addAmount(w.balances[key], amount)
}

func (w *etherWorld) takeOut(key Unread, amount chains.Amount) {
	rest, err := w.balances[key].Sub(amount)
	if err != nil {
		w.t.Fatalf("seed %d: %v has %s and pays %s", w.seed, key, w.balances[key], amount)
	}
	w.balances[key] = rest
}

// receive has an address of a user get something that counts as a deposit.
func (w *etherWorld) receive(address, token string, amount chains.Amount) {
	key := Unread{address, token}
	w.move(key, amount)
	if address == aliceAddress || address == bobAddress {
		w.received[key] = addAmount(w.received[key], amount)
	}
}

func (w *etherWorld) user() string { return []string{aliceAddress, bobAddress}[w.r.IntN(2)] }

// block mines what the pool has, and logs of others.
func (w *etherWorld) block(logs []TokenLog) {
	var results []Result
	for _, from := range []string{aliceAddress, bobAddress, hotAddress, sweeperAddress} {
		for w.chance(60) {
			choice := slices.DeleteFunc(slices.Clone(w.pool), func(s *sending) bool { return s.from != from || s.nonce != w.nonces[from] })
			if len(choice) == 0 {
				break
			}
			result, more := w.execute(choice[w.r.IntN(len(choice))])
			results, logs = append(results, result), append(logs, more...)
		}
	}
	w.final(results, logs...)
	header := w.chain().tail[len(w.chain().tail)-1]
	w.blocks = append(w.blocks, Match{Header: header, Results: results, Tokens: logs})
}

// execute mines a transaction.
func (w *etherWorld) execute(s *sending) (Result, []TokenLog) {
	fee := subAmount(s.highest, w.wei(1_000))
	r := Result{TxID: s.txid, From: s.from, Nonce: s.nonce, To: s.to, Fee: fee, Failed: s.fails, Kind: kindOf(s.to)}
	if s.token != "" {
		r.To, r.Token, r.Payee, r.Units = s.token, s.token, s.to, s.amount
	} else {
		r.Value = s.amount
	}
	w.nonces[s.from]++
	w.takeOut(Unread{s.from, ""}, fee)
	var logs []TokenLog
	if !s.fails {
		w.takeOut(Unread{s.from, s.token}, s.amount)
		if s.kind == BatchPayout {
			w.receive(s.to, s.token, s.amount)
		} else {
			w.move(Unread{s.to, s.token}, s.amount)
		}
		w.touched[s.to] = true
		if s.token != "" {
			logs = append(logs, logTo(s.txid, 7, s.token, s.from, s.to, s.amount))
		}
	}
	at := spendAt(s.from, s.nonce)
	w.mined[s.txid] = ScannedTx{Inputs: []chains.Outpoint{at}, Fee: fee, Failed: s.fails, Self: s.to == s.from && s.amount.IsZero()}
	w.spending[at] = s.txid
	return r, logs
}

func kindOf(address string) chains.WatchKind {
	switch address {
	case hotAddress:
		return chains.WatchChange
	case sweeperAddress:
		return chains.WatchSweeper
	case aliceAddress, bobAddress:
		return chains.WatchDeposit
	}
	return ""
}

func logTo(txid string, index uint32, token, from, to string, amount chains.Amount) TokenLog {
	l := TokenLog{TxID: txid, Index: index, Token: token, From: from, To: to, Amount: amount, Kind: kindOf(to)}
	if l.Kind != "" {
		l.Address, l.Account = to, reads(to, amount, 0).Account
	}
	return l
}

// name is that of a transaction.
func (w *etherWorld) name(kind string) string {
	w.n++
	return fmt.Sprintf("0x%s%d", kind, w.n)
}

// outside has others pay in: coins by transactions and by force, tokens that move
// what they say, less, nothing or more.
func (w *etherWorld) outside() {
	var logs []TokenLog
	for range w.r.IntN(3) {
		to := w.user()
		switch w.r.IntN(8) {
		case 0, 1:
			w.receive(to, "", w.wei(40_000_000))
			w.touched[to] = true
		case 2:
			w.receive(to, "", chains.NewAmount(w.r.Uint64N(100))) // dust
			w.touched[to] = true
		case 3:
			w.receive(to, "", w.wei(9_000_000)) // by force: nothing tells of it
		case 4:
			logs = append(logs, w.token(to, usdc, chains.NewAmount(w.r.Uint64N(50_000_000)), 100))
		default:
			logs = append(logs, w.token(to, dai, w.wei(4_000_000_000), []uint64{100, 99, 0, 101}[w.r.IntN(4)]))
		}
	}
	w.block(logs)
}

// token has a token moved, so many hundredths of what its log says.
func (w *etherWorld) token(to, token string, said chains.Amount, percent uint64) TokenLog {
	moved := said
	switch percent {
	case 0:
		moved = chains.Amount{}
	case 99:
		moved = subAmount(said, chains.NewAmount(1_000_000))
	case 101:
		moved = addAmount(said, chains.NewAmount(1_000_000))
	}
	w.receive(to, token, moved)
	return logTo(w.name("t"), uint32(w.r.IntN(4)), token, payeeAddress, to, said)
}

// readSome reads what the ledger asks for, and what was touched.
func (w *etherWorld) readSome() {
	list := map[Unread]bool{}
	for _, u := range w.chain().ToRead() {
		list[u] = true
	}
	for address := range w.touched {
		for _, token := range []string{"", usdc, dai} {
			list[Unread{address, token}] = true
		}
	}
	w.readThese(list)
}

func (w *etherWorld) readAll() {
	list := map[Unread]bool{}
	for _, address := range []string{aliceAddress, bobAddress, hotAddress, sweeperAddress} {
		for _, token := range []string{"", usdc, dai} {
			list[Unread{address, token}] = true
		}
	}
	w.readThese(list)
}

func (w *etherWorld) readThese(list map[Unread]bool) {
	var rows []AccountBalance
	for _, u := range slices.SortedFunc(mapKeys(list), compareUnread) {
		if kindOf(u.Address) == "" {
			continue
		}
		r := reads(u.Address, w.balances[u], 0)
		if r.Token = u.Token; u.Token == "" {
			r.Nonce = w.nonces[u.Address]
		}
		rows = append(rows, r)
	}
	if len(rows) > 0 {
		w.reading(rows...)
	}
	w.touched = map[string]bool{}
}

func mapKeys[K comparable, V any](m map[K]V) func(func(K) bool) {
	return func(yield func(K) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// sign makes a variant of a batch and hands it to the nodes.
func (w *etherWorld) sign(b *Batch, to string, fee chains.Amount) {
	s := &sending{
		batch: b.ID, kind: b.Kind, txid: w.name("p"), from: b.Inputs[0].TxID, nonce: uint64(b.Inputs[0].Index), to: to,
		token: b.Token, amount: b.Value, highest: fee, fails: w.failing[b.ID],
	}
	w.do(&Signed{Batch: b.ID, TxID: s.txid, Raw: []byte{2}, Fee: fee, VSize: 21_000, Counter: uint64(w.n)})
	w.do(&Broadcast{Batch: b.ID, TxID: s.txid, Verdict: chains.Accepted})
	w.pool = append(w.pool, s)
}

// start plans, assigns and signs a batch, when account and fee account can pay.
func (w *etherWorld) start(kind, from, to, token string, value chains.Amount, ids ...string) bool {
	const lots = 30_000
	if kind != BatchCancel {
		if _, ok := w.NextNonce(chains.ETH, from); !ok {
			return false
		}
	}
	fee := gwei(lots + w.r.Uint64N(lots))
	need := fee
	if token == "" {
		need = addAmount(need, value)
	} else if free, ok := w.Free(chains.ETH, from, token); !ok || free.Less(value) {
		return false
	}
	if free, ok := w.Free(chains.ETH, from, ""); !ok || free.Less(need) || w.budget().Less(fee) {
		return false
	}
	p := w.plan(kind, from, ids...)
	p.Fee, p.Token, p.Value = fee, token, value
	w.begin(p, to)
	return true
}

func (w *etherWorld) begin(p *Planned, to string) {
	w.do(p)
	row := assignedAs(p)
	w.assigned = append(w.assigned, row)
	w.rows["SWAP.ETH"].Batches[p.Batch] = BatchRow{Kind: p.BatchKind, Spends: p.Inputs}
	for _, id := range p.Withdrawals {
		wd, _ := w.Withdrawal(id)
		old := w.rows[wd.Symbol].Withdrawals[id]
		old.Batch = p.Batch
		w.rows[wd.Symbol].Withdrawals[id] = old
	}
	w.do(row)
	w.failing[p.Batch] = p.BatchKind != BatchCancel && w.chance(12)
	b, _ := w.Batch(p.Batch)
	w.sign(b, to, p.Fee)
}

// budget is what the fee account can still burn, in wei.
func (w *etherWorld) budget() chains.Amount {
	held, _ := scale(chains.NewAmount(w.fees), 10)
	margin := chains.NewAmount(uint64(len(w.OpenBatches(chains.ETH))+1) * pegUnit)
	return subAmount(subAmount(held, w.UnsettledFees(chains.ETH, "")), margin)
}

// bump replaces what is not mined by a dearer transaction at the same nonce.
func (w *etherWorld) bump() {
	for _, b := range w.ToLift(chains.ETH) {
		fee := addAmount(b.Newest().Fee, gwei(4_000))
		if free, _ := w.Free(chains.ETH, b.Inputs[0].TxID, ""); free.Less(gwei(4_000)) || w.budget().Less(gwei(4_000)) || !w.chance(30) {
			continue
		}
		i := slices.IndexFunc(w.pool, func(s *sending) bool { return s.batch == b.ID })
		w.do(&Bumped{Batch: b.ID, Fee: fee, Plan: json.RawMessage(`{}`)})
		w.sign(b, w.pool[i].to, fee)
	}
}

// cancel has a person take back what is not mined.
func (w *etherWorld) cancel() {
	for _, b := range w.OpenBatches(chains.ETH) {
		if !w.Cancellable(b) || len(b.Variants) == 0 || !w.chance(20) {
			continue
		}
		fee := addAmount(b.Newest().Fee, gwei(5_000))
		if free, _ := w.Free(chains.ETH, b.Inputs[0].TxID, ""); free.Less(fee) || w.budget().Less(fee) {
			continue
		}
		w.begin(&Planned{
			Batch: BatchID(chains.ETH, BatchCancel, nil, b.Inputs), Chain: chains.ETH, BatchKind: BatchCancel, Inputs: b.Inputs,
			Fee: fee, Plan: json.RawMessage(`{}`), Author: "olga", Reason: "it was wrong",
		}, b.Inputs[0].TxID)
		return
	}
}
