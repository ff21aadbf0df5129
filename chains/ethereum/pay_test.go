package ethereum

import (
	"bytes"
	"errors"
	"testing"

	"causeway/chains"
	"causeway/chains/ethereum/erc20test"
)

// transfer is a transaction of rich[0] at the market's price.
func (w *world) transfer(nonce uint64, to Address, value Wei, data []byte) Transaction {
	w.t.Helper()
	m, err := w.quorum.Market(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return Transaction{
		ChainID: testChainID, Nonce: nonce, To: to, Value: value, Data: data, Gas: TokenGasCap, Price: testLimits.Price(m),
	}
}

var testLimits = FeeLimits{Min: NewWei(1e9), Max: NewWei(1000e9)}

func (w *world) sign(tx Transaction) *Signed {
	w.t.Helper()
	s, err := tx.Sign(w.key)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) broadcast(s *Signed, want ...chains.Verdict) {
	w.t.Helper()
	got, err := w.quorum.Broadcast(w.t.Context(), s.Raw)
	for _, v := range want {
		if err == nil && got == v {
			return
		}
	}
	w.t.Errorf("broadcast of nonce %d: %s, %v; want %v", s.Nonce, got, err, want)
}

func (w *world) lookup(id Hash, want State) Status {
	w.t.Helper()
	s, err := w.quorum.Lookup(w.t.Context(), id)
	if err != nil || s.State != want {
		w.t.Errorf("transaction %s is %q, %v; want %q", id, s.State, err, want)
	}
	return s
}

// TestPay: a payout from signature to block, told by the chain alone; of two
// variants at most one is mined (scenario 66).
func TestPay(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		nonce := w.nonce(w.rich[0])
		first := w.transfer(nonce, account(1), NewWei(7e17), nil)
		first.Gas = must[uint64](t)(w.quorum.Gas(t.Context(), w.rich[0], first))
		if first.Gas != PlainGas {
			t.Errorf("gas %d", first.Gas)
		}
		paid := w.sign(first)
		w.lookup(paid.Hash, Absent)
		w.broadcast(paid, chains.Accepted)
		w.broadcast(paid, chains.Known)
		w.lookup(paid.Hash, Pending)

		second := first
		second.Price = must[Price](t)(testLimits.Replace(first.Price, must[Market](t)(w.quorum.Market(t.Context()))))
		replaced := w.sign(second)
		if !replaced.VariantOf(paid) || replaced.Hash == paid.Hash {
			t.Errorf("%s is no variant of %s", replaced.Hash, paid.Hash)
		}
		w.broadcast(replaced, chains.Accepted)
		w.broadcast(paid, chains.Conflict) // it does not outbid its own variant
		w.mine(1)
		status := w.lookup(replaced.Hash, InBlock)
		if !status.Mined.Succeeded || status.Mined.GasUsed != PlainGas || status.Block.Height != w.head(Latest).Height || status.Mined.Nonce != nonce {
			t.Errorf("%+v", status)
		}
		w.lookup(paid.Hash, Absent)
		w.broadcast(replaced, chains.Conflict, chains.Known)
		w.broadcast(paid, chains.Conflict)
		if got := w.nonce(w.rich[0]); got != nonce+1 {
			t.Errorf("next nonce %d, want %d", got, nonce+1)
		}
		block := mustHash(t, status.Block.Hash)
		if got := w.balance(block, account(1)); got != NewWei(7e17) {
			t.Errorf("payee has %s", got)
		}
		before, after := w.balance(mustHash(t, w.head(Latest).Parent), w.rich[0]), w.balance(block, w.rich[0])
		spent, err := before.Sub(after)
		if cost, _ := status.Mined.Fee.Add(NewWei(7e17)); err != nil || spent != cost {
			t.Errorf("the payout took %s, value and fee are %s", spent, cost)
		}

		// A gap: the later one waits until the nonce between is used.
		late := w.sign(w.transfer(nonce+2, account(2), NewWei(1), nil))
		w.broadcast(late, chains.Accepted)
		w.mine(1)
		w.lookup(late.Hash, Pending)
		w.broadcast(w.sign(w.transfer(nonce+1, account(3), NewWei(1), nil)), chains.Accepted)
		w.mine(1)
		w.lookup(late.Hash, InBlock)

		more := w.transfer(nonce+3, account(1), must[Wei](t)(w.balance(block, w.rich[0]).Add(NewWei(1e18))), nil)
		w.broadcast(w.sign(more), chains.Rejected)
		wrong := w.transfer(nonce+3, account(1), NewWei(1), nil)
		wrong.ChainID++
		if v, err := w.quorum.Broadcast(t.Context(), w.sign(wrong).Raw); v != chains.Unknown || !errors.Is(err, chains.ErrWrongNetwork) {
			t.Errorf("a transaction for another chain: %s, %v", v, err)
		}
	})
}

// TestPayTokens: a token that moves nothing is not paid, whatever the status
// (scenarios 68 and 69).
func TestPayTokens(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		to := account(1)
		tx := w.transfer(w.nonce(w.rich[0]), w.token, Wei{}, TransferCall(to, NewWei(5)))
		if own := erc20test.Transfer(to, NewWei(5).Big()); !bytes.Equal(tx.Data, own) {
			t.Fatalf("%x, want %x", tx.Data, own)
		}
		gas := must[uint64](t)(w.quorum.Gas(t.Context(), w.rich[0], tx))
		if gas < TokenGas || gas > TokenGasCap {
			t.Errorf("gas %d", gas)
		}
		balance := func() Wei {
			return must[[]Wei](t)(w.quorum.TokenBalances(t.Context(), mustHash(t, w.head(Latest).Hash), w.token, []Address{to}))[0]
		}
		paid := w.sign(tx)
		w.broadcast(paid, chains.Accepted)
		w.mine(1)
		if s := w.lookup(paid.Hash, InBlock); !s.Mined.Succeeded || balance() != NewWei(5) {
			t.Errorf("%+v, balance %s", s, balance())
		}
		w.invoke(1, w.token, 0, erc20test.SetMode(erc20test.ReturnsFalse))
		w.mine(1)
		tx.Nonce++
		nothing := w.sign(tx)
		w.broadcast(nothing, chains.Accepted)
		w.mine(1)
		if s := w.lookup(nothing.Hash, InBlock); !s.Mined.Succeeded || len(s.Mined.Logs) != 0 || balance() != NewWei(5) {
			t.Errorf("%+v, balance %s", s, balance())
		}
		w.invoke(1, w.token, 0, erc20test.SetBlacklisted(to, true))
		w.mine(1)
		if _, err := w.quorum.Gas(t.Context(), w.rich[0], tx); !errors.Is(err, ErrReverts) {
			t.Errorf("a payee on the black list: %v", err)
		}
	})
}

// TestPayees: contracts that take more gas, or all of it, or refuse (scenario 67).
func TestPayees(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		tx := w.transfer(w.nonce(w.rich[0]), w.payee, NewWei(1), nil)
		for _, test := range []struct {
			mode     erc20test.Mode
			min, max uint64
			want     error
		}{
			{erc20test.Accepts, PlainGas, PayeeGasCap, nil},
			{erc20test.Emits, PlainGas + 1000, PayeeGasCap, nil},
			{erc20test.Reverts, 0, 0, ErrReverts},
			{erc20test.EatsGas, 0, 0, ErrReverts},
		} {
			w.invoke(1, w.payee, 0, erc20test.SetMode(test.mode))
			w.mine(1)
			gas, err := w.quorum.Gas(t.Context(), w.rich[0], tx)
			if gas < test.min || gas > test.max || !errors.Is(err, test.want) {
				t.Errorf("mode %d: gas %d, %v; want %d to %d, %v", test.mode, gas, err, test.min, test.max, test.want)
			}
		}
	})
	if _, err := gasLimit(PayeeGasCap+1, PlainGas, PayeeGasCap); !errors.Is(err, ErrGasCap) {
		t.Error(err)
	}
}

// TestSignedByTheNode: what the node itself signs decodes here, and our signature
// of the same transaction has the same bytes: both are deterministic.
func TestSignedByTheNode(t *testing.T) {
	worlds(t, func(t *testing.T, w *world) {
		for _, tx := range []map[string]any{
			{"to": account(1), "value": quantity(12345), "gas": quantity(30_000)},
			{"to": w.token, "data": hexData(TransferCall(account(2), NewWei(9)))},
		} {
			tx["maxFeePerGas"], tx["maxPriorityFeePerGas"] = quantity(5e9), quantity(1e9)
			id := w.send(0, tx)
			var text string
			w.call(&text, "eth_getRawTransactionByHash", id)
			theirs := must[*Signed](t)(Decode(unhex(t, text)))
			ours := w.sign(theirs.Transaction)
			if theirs.From != w.rich[0] || theirs.Hash != id || !bytes.Equal(ours.Raw, theirs.Raw) {
				t.Errorf("%x by %s, ours %x", theirs.Raw, theirs.From, ours.Raw)
			}
		}
	})
}
