package ethereum

import (
	"errors"
	"math/big"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"causeway/chains"
	"causeway/chains/ethereum/erc20test"
)

// TestReceived: what an account received is told by its balance, whatever moved
// it: a transaction, a contract, a contract that destroys itself; what was reverted
// or failed moved nothing (scenarios 14 and 17).
func TestReceived(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		to := account(1)
		w.pay(0, to, 1)
		w.invoke(1, w.payers, 20, erc20test.Pay(to, account(2)))
		w.send(2, map[string]any{"value": quantity(100), "data": hexData(erc20test.CreateBomb(to))})
		w.invoke(3, w.payers, 1000, erc20test.PayReverted(to))
		w.invoke(4, w.token, 0, erc20test.Transfer(to, new(big.Int).Lsh(big.NewInt(1), 200))) // more than it has
		w.mine(1)
		block := w.head(Latest)
		hash := mustHash(t, block.Hash)
		if got := w.balance(hash, to); got != NewWei(111) {
			t.Errorf("balance %s, want 111", got)
		}
		if got := w.balance(mustHash(t, block.Parent), to); !got.IsZero() {
			t.Errorf("balance %s in the block before", got)
		}
		failed := 0
		for _, tx := range block.Transactions {
			if !tx.Succeeded {
				failed++
			}
			if from, err := tx.Sender(); err != nil || from != tx.From {
				t.Errorf("%s is signed by %s, %v; the node says %s", tx.Hash, from, err, tx.From)
			}
			gas, _ := tx.GasPrice.Times(tx.GasUsed)
			if tx.GasUsed < PlainGas || tx.Fee != gas || tx.GasPrice.Less(block.BaseFee) {
				t.Errorf("%s: %d gas at %s, fee %s", tx.Hash, tx.GasUsed, tx.GasPrice, tx.Fee)
			}
		}
		if len(block.Transactions) != 5 || failed != 1 {
			t.Errorf("%d transactions, %d failed", len(block.Transactions), failed)
		}
		touched := block.Touched(w.listed())
		for _, a := range []Address{to, w.rich[0], w.rich[4], w.payers, w.token, block.Coinbase} {
			if !touched[a] {
				t.Errorf("%s is not touched", a)
			}
		}
		if touched[account(2)] {
			t.Error("a payment by a contract left a trace; then why read balances")
		}
	})
}

// TestTransfers: every transfer that a listed token tells, and no other (scenarios
// 15 and 16).
func TestTransfers(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		to, tokens := account(7), big.NewInt(1_000)
		want := map[Hash][]Transfer{}
		moved := func(from int, index uint32, value uint64, data []byte) {
			t.Helper()
			id := w.invoke(from, w.token, 0, data)
			want[id] = append(want[id], Transfer{Token: w.token, From: w.rich[from], To: to, Value: NewWei(value), TxID: id, Index: index})
		}
		moved(0, 0, 1_000, erc20test.Transfer(to, tokens))
		w.invoke(0, w.foreign, 0, erc20test.Transfer(to, tokens))
		w.invoke(0, w.token, 0, erc20test.Approve(to, tokens))
		w.invoke(0, w.token, 0, erc20test.Transfer(to, new(big.Int)))
		w.invoke(1, w.token, 0, erc20test.Transfer(to, tokens)) // has none: fails
		w.mine(1)
		first := w.head(Latest)
		w.invoke(0, w.token, 0, erc20test.SetFee(1000, false))
		w.mine(1)
		fee := w.invoke(0, w.token, 0, erc20test.Transfer(to, tokens))
		want[fee] = []Transfer{
			{Token: w.token, From: w.rich[0], To: to, Value: NewWei(900), TxID: fee},
			{Token: w.token, From: w.rich[0], Value: NewWei(100), TxID: fee, Index: 1},
		}
		w.mine(1)
		second := w.head(Latest)
		w.invoke(0, w.token, 0, erc20test.SetMode(erc20test.OnlyEvent))
		w.mine(1)
		moved(0, 0, 1_000, erc20test.Transfer(to, tokens)) // a lie: only the balance tells
		w.mine(1)
		third := w.head(Latest)
		got := map[Hash][]Transfer{}
		for _, b := range []*Block{first, second, third} {
			for _, tr := range b.Transfers(w.listed()) {
				got[tr.TxID] = append(got[tr.TxID], tr)
			}
			if !b.Touched(w.listed())[to] {
				t.Errorf("%s is not touched in block %d", to, b.Height)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		balances := must[[]Wei](t)(w.quorum.TokenBalances(t.Context(), mustHash(t, third.Hash), w.token, []Address{to, account(8)}))
		if balances[0] != NewWei(1_900) || !balances[1].IsZero() {
			t.Errorf("balances %v", balances)
		}
		if id := want[fee][1].ID(); id != "eth:"+fee.String()+":1" {
			t.Errorf("id %s", id)
		}
		told := must[Token](t)(w.quorum.Token(t.Context(), mustHash(t, third.Hash), w.token))
		if told != (Token{Decimals: 6, Symbol: "TUSD"}) {
			t.Errorf("token %s", told)
		}
		if _, err := w.quorum.Token(t.Context(), mustHash(t, third.Hash), to); err == nil {
			t.Error("an account without code is a token")
		}
		if _, err := w.quorum.TokenBalances(t.Context(), mustHash(t, third.Hash), w.payers, []Address{to}); err == nil {
			t.Error("a contract that is no token has balances")
		}
	})
}

// TestFollower: the finalized chain is walked block by block, each linked to the
// one before, and stops where finality does.
func TestFollower(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		w.pay(0, account(1), 5)
		w.mine(6)
		f := NewFollower(w.quorum, Finalized, chains.FollowerOptions{})
		var tail []chains.BlockRef
		for {
			step, err := f.Next(t.Context(), tail)
			if err != nil {
				t.Fatal(err)
			}
			if step == nil {
				break
			}
			b := step.Connected
			if b == nil || b.Height != uint64(len(tail)) || len(tail) > 0 && b.Parent != tail[len(tail)-1].Hash {
				t.Fatalf("step %+v after %v", step, tail)
			}
			tail = append(tail, b.BlockRef)
		}
		if head := w.head(Finalized); len(tail) == 0 || tail[len(tail)-1] != head.BlockRef || head.Height != 5 || w.head(Safe).Height != 6 || w.head(Latest).Height != 7 {
			t.Errorf("at %v, finalized %d, safe %d, latest %d", tail[len(tail)-1], head.Height, w.head(Safe).Height, w.head(Latest).Height)
		}
		if _, err := w.quorum.HashAt(t.Context(), 8); !errors.Is(err, chains.ErrNotFound) {
			t.Errorf("block 8: %v", err)
		}
		if _, err := w.quorum.Block(t.Context(), Hash{1}); err == nil || errors.Is(err, chains.ErrNotFound) {
			t.Errorf("an unknown block: %v", err)
		}
	})
}

// walk makes steps until there is nothing to do.
func walk(t *testing.T, f *Follower, tail []chains.BlockRef) (_ []chains.BlockRef, down int, err error) {
	t.Helper()
	for {
		step, err := f.Next(t.Context(), tail)
		if err != nil || step == nil {
			return tail, down, err
		}
		if step.Disconnected != nil {
			if tail[len(tail)-1] != *step.Disconnected {
				t.Fatalf("disconnected %v of %v", step.Disconnected, tail)
			}
			tail, down = tail[:len(tail)-1], down+1
			continue
		}
		tail = append(tail, step.Connected.BlockRef)
	}
}

// TestReorg: with a weaker tag a reorganisation is followed; a finalized block that
// changes stops the chain.
func TestReorg(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		w.mine(4)
		id := w.invoke(0, w.token, 0, erc20test.Transfer(account(1), big.NewInt(5)))
		w.mine(1)
		before := w.head(Latest)
		follow := func(tag Tag) *Follower { return NewFollower(w.quorum, tag, chains.FollowerOptions{}) }
		latest, final := follow(Latest), follow(Finalized)
		tail, down, err := walk(t, latest, nil)
		if err != nil || down != 0 || tail[len(tail)-1] != before.BlockRef {
			t.Fatalf("%d down to %v: %v", down, tail, err)
		}
		finalTail, _, err := walk(t, final, nil)
		if err != nil {
			t.Fatal(err)
		}
		w.call(nil, "anvil_reorg", 2, []any{})
		w.mine(1)
		tail, down, err = walk(t, latest, tail)
		if err != nil || down != 2 || tail[len(tail)-1] != w.head(Latest).BlockRef {
			t.Fatalf("%d down to %v: %v", down, tail, err)
		}
		status := must[Status](t)(w.quorum.Lookup(t.Context(), id))
		if status.State == InBlock && status.Block == before.BlockRef {
			t.Errorf("transaction %s is still in %v", id, status.Block)
		}
		if _, _, err := walk(t, final, finalTail); err != nil {
			t.Errorf("what was final is as before: %v", err)
		}
		w.call(nil, "anvil_reorg", 5, []any{})
		if _, _, err := walk(t, final, finalTail); !errors.Is(err, chains.ErrReorgTooDeep) {
			t.Errorf("a finalized block changed: %v", err)
		}
	})
}

// TestIdentityIsNotLocation: the transfer that moves to another block, behind
// another transaction's logs, keeps its id.
func TestIdentityIsNotLocation(t *testing.T) {
	w := newDevnet(t)
	w.invoke(0, w.token, 0, erc20test.Transfer(w.rich[1], big.NewInt(50)))
	w.mine(1)
	paid := w.sign(w.transfer(w.nonce(w.rich[0]), w.token, Wei{}, TransferCall(account(1), NewWei(5))))
	w.broadcast(paid, chains.Accepted)
	w.mine(1)
	before := w.head(Latest).Transfers(w.listed())
	if err := w.devnet.Reorg(1, true); err != nil {
		t.Fatal(err)
	}
	for range 3 { // with a higher tip they stand before it
		w.send(1, map[string]any{"to": w.token, "data": hexData(TransferCall(account(2), NewWei(9))), "maxPriorityFeePerGas": quantity(9e9), "maxFeePerGas": quantity(90e9)})
	}
	w.broadcast(paid, chains.Accepted)
	w.mine(1)
	after := w.head(Latest).Transfers(w.listed())
	if len(before) != 1 || len(after) != 4 {
		t.Fatalf("%d transfers, then %d", len(before), len(after))
	}
	for i, tr := range after {
		if tr.TxID == paid.Hash && (i == 0 || tr.ID() != before[0].ID()) {
			t.Errorf("%s at place %d was %s", tr.ID(), i, before[0].ID())
		}
	}
}

// TestReadAhead: a thousand blocks are caught up with, in order, whatever fails on
// the way.
func TestReadAhead(t *testing.T) {
	w := newDevnet(t)
	w.mine(1000)
	var calls atomic.Int64
	flaky := liar(t, w.url, func(method string, r any) any {
		if calls.Add(1)%7 == 0 && (method == "eth_getBlockByHash" || method == "eth_getBlockReceipts") {
			return nil
		}
		return r
	})
	f := NewFollower(w.open(1, flaky), Finalized, chains.FollowerOptions{})
	tail, failed := []chains.BlockRef{}, 0
	for failed < 100_000 {
		step, err := f.Next(t.Context(), tail)
		if err != nil {
			failed++
			continue
		}
		if step == nil {
			break
		}
		tail = append(tail, step.Connected.BlockRef)
	}
	if head := w.head(Finalized); len(tail) != 1000 || tail[999] != head.BlockRef {
		t.Errorf("%d blocks, finalized %v", len(tail), head.BlockRef)
	}
	if failed == 0 {
		t.Error("nothing failed on the way")
	}
}

// BenchmarkFollower walks blocks of 20 transfers of a token, over HTTP.
func BenchmarkFollower(b *testing.B) {
	w := newDevnet(b)
	for range 50 {
		for range 20 {
			w.invoke(0, w.token, 0, TransferCall(account(1), NewWei(1)))
		}
		w.mine(1)
	}
	w.mine(2)
	blocks := 0
	for b.Loop() {
		f := NewFollower(w.quorum, Finalized, chains.FollowerOptions{Start: 2})
		var tail []chains.BlockRef
		for {
			step, err := f.Next(b.Context(), tail)
			if err != nil {
				b.Fatal(err)
			}
			if step == nil {
				break
			}
			tail = append(tail, step.Connected.BlockRef)
			blocks++
		}
	}
	b.ReportMetric(float64(blocks)/b.Elapsed().Seconds(), "blocks/s")
}

// BenchmarkBalances reads the balances of a thousand accounts.
func BenchmarkBalances(b *testing.B) {
	w := newDevnet(b)
	hash := mustHash(b, w.head(Latest).Hash)
	accounts := make([]Address, 1000)
	for i := range accounts {
		accounts[i] = Address{0xca, byte(i >> 8), byte(i)}
	}
	for b.Loop() {
		if _, err := w.quorum.Balances(b.Context(), hash, accounts); err != nil {
			b.Fatal(err)
		}
	}
}
