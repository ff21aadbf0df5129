package hotwallet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"causeway/chains"
	"causeway/chains/ethereum"
)

const (
	someone  = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
	stranger = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
)

// tokenContract is the ERC-20 of these tests, of 6 decimals.
var tokenContract = ethereum.Address{0xe2, 0x0c}

func accountRules() AccountRules {
	return AccountRules{
		ChainID: 31337, Coin: "SWAP.ETH",
		Tokens: map[string]AccountToken{"SWAP.USDC": {Contract: tokenContract, Decimals: 6, MaxTotal: chains.NewAmount(1_000_000_000)}},
		MaxGas: 200_000, MaxGasPrice: ethereum.NewWei(100e9), MaxFee: ethereum.NewWei(1e16), MaxTotal: chains.NewAmount(5e18),
	}
}

// accountBench is a bench whose signer also signs for Ethereum.
type accountBench struct {
	*bench
	final map[string]FinalTx
}

func newAccountBench(t testing.TB) *accountBench {
	b := &accountBench{bench: newBench(t), final: map[string]FinalTx{}}
	b.reopen()
	return b
}

func (b *accountBench) reopen() {
	b.open(func(c *SignerConfig) {
		c.Accounts = map[chains.ID]AccountRules{chains.ETH: accountRules()}
		c.Final = func(_ context.Context, _ chains.ID, block chains.BlockRef, txid string) (FinalTx, error) {
			tx, ok := b.final[txid]
			if !ok || block.Height != 7 {
				return tx, errors.New("not final")
			}
			return tx, nil
		}
	})
}

func (b *accountBench) account(watch chains.Watch) ethereum.Address {
	b.t.Helper()
	_, script, err := b.wallet.keyFor(chains.ETH, watch)
	if err != nil {
		b.t.Fatal(err)
	}
	return ethereum.Address(script)
}

var (
	hotAccount = chains.Watch{Kind: chains.WatchChange}
	sweeper    = chains.Watch{Kind: chains.WatchSweeper}
)

func gwei(n uint64) ethereum.Wei { return ethereum.NewWei(n * 1e9) }

// transfer is a plain payment at a price.
func transfer(nonce uint64, to ethereum.Address, wei uint64, price uint64) ethereum.Transaction {
	return ethereum.Transaction{
		ChainID: 31337, Nonce: nonce, To: to, Value: ethereum.NewWei(wei), Gas: 21_000, Price: ethereum.Price{Max: gwei(price), Tip: gwei(1)},
	}
}

// ask is the request to sign a transaction of an account of ours for a batch.
func (b *accountBench) ask(batch string, kind Kind, from chains.Watch, tx ethereum.Transaction, rows ...Withdrawal) SignRequest {
	b.t.Helper()
	sender := b.account(from)
	in := chains.Outpoint{TxID: fmt.Sprintf("0x%x", sender[:]), Index: uint32(tx.Nonce)}
	raw, err := tx.Unsigned()
	if err != nil {
		b.t.Fatal(err)
	}
	r := SignRequest{
		Assign:   Assign{Batch: batch, Chain: chains.ETH, Kind: kind, Spends: []string{SpendText(in)}, State: AssignOpen},
		Unsigned: raw, Inputs: []SignInput{{Outpoint: in, Watch: from}},
	}
	for _, w := range rows {
		w.Batch = batch
		r.Assign.IDs, r.Withdrawals = append(r.Assign.IDs, w.ID), append(r.Withdrawals, w)
	}
	return r
}

func etherOwed(id, net string) Withdrawal {
	return Withdrawal{ID: id, Symbol: "SWAP.ETH", Chain: chains.ETH, Address: someone, Net: net, State: WithdrawalAssigned}
}

func tokenOwed(id, net string) Withdrawal {
	w := etherOwed(id, net)
	w.Symbol = "SWAP.USDC"
	return w
}

func mustAddress(text string) ethereum.Address {
	a, err := ethereum.ParseAddress(text)
	if err != nil {
		panic(err)
	}
	return a
}

// TestAccountSigning: every kind of transaction of accounts is signed, by the right
// key, as it was asked for, and the same again after a restart.
func TestAccountSigning(t *testing.T) {
	b := newAccountBench(t)
	hot, payee := b.account(hotAccount), mustAddress(someone)
	alice := deposit("alice", 0)
	tokens := ethereum.Transaction{
		ChainID: 31337, Nonce: 8, To: tokenContract, Data: ethereum.TransferCall(payee, ethereum.NewWei(2_500_000)), Gas: 90_000,
		Price: ethereum.Price{Max: gwei(30), Tip: gwei(2)},
	}
	swept := tokens
	swept.Nonce, swept.Data = 1, ethereum.TransferCall(hot, ethereum.NewWei(7))
	top := b.ask("topup", KindTopup, sweeper, transfer(0, b.account(alice), 9, 20))
	top.Payee = &alice
	refill := b.ask("refill", KindTopup, hotAccount, transfer(9, b.account(sweeper), 9, 20))
	refill.Payee = &sweeper
	for _, c := range []struct {
		from chains.Watch
		r    SignRequest
	}{
		{hotAccount, b.ask("ether", KindPayout, hotAccount, transfer(7, payee, 5e17, 20), etherOwed("w0", "0.50000000"))},
		{hotAccount, b.ask("tokens", KindPayout, hotAccount, tokens, tokenOwed("w1", "2.500000"))},
		{alice, b.ask("sweep", KindSweep, alice, transfer(0, hot, 123, 20))},
		{alice, b.ask("sweep tokens", KindSweep, alice, swept)},
		{sweeper, top},
		{hotAccount, refill},
		{hotAccount, b.ask("cancel", KindCancel, hotAccount, transfer(7, hot, 0, 50))},
	} {
		s := b.sign(c.r)
		tx, err := ethereum.Decode(s.Raw)
		if err != nil || tx.From != b.account(c.from) || tx.Hash.String() != s.TxID {
			t.Fatalf("%s: of %v, %v", c.r.Assign.Batch, tx, err)
		}
		if raw, err := tx.Unsigned(); err != nil || !bytes.Equal(raw, c.r.Unsigned) {
			t.Errorf("%s: another transaction was signed (%v)", c.r.Assign.Batch, err)
		}
		if most, err := tx.Price.Max.Times(tx.Gas); err != nil || most.String() != s.Fee.String() {
			t.Errorf("%s: fee %s, want %s (%v)", c.r.Assign.Batch, s.Fee, most, err)
		}
		b.reopen()
		if again := b.sign(c.r); !bytes.Equal(again.Raw, s.Raw) {
			t.Errorf("%s: another signature after a restart", c.r.Assign.Batch)
		}
	}
	dearer := b.sign(b.ask("ether", KindPayout, hotAccount, transfer(7, payee, 5e17, 25), etherOwed("w0", "0.50000000")))
	if dearer.Variant != 2 {
		t.Errorf("the dearer one is variant %d", dearer.Variant)
	}
}

// TestAccountRefusals: nothing else is signed, whoever asks.
func TestAccountRefusals(t *testing.T) {
	payee, other := mustAddress(someone), mustAddress(stranger)
	row := etherOwed("w0", "0.50000000")
	alice := deposit("alice", 0)
	call := func(to ethereum.Address, data []byte) ethereum.Transaction {
		return ethereum.Transaction{ChainID: 31337, Nonce: 7, To: to, Data: data, Gas: 90_000, Price: ethereum.Price{Max: gwei(20), Tip: gwei(1)}}
	}
	bent := func(change func(*ethereum.Transaction)) ethereum.Transaction {
		tx := transfer(7, payee, 5e17, 20)
		change(&tx)
		return tx
	}
	for _, c := range []struct {
		what string
		rule ErrorKind
		ask  func(b *accountBench) SignRequest
	}{
		{"another payee", ErrWrongOutputs, func(b *accountBench) SignRequest {
			return b.ask("b", KindPayout, hotAccount, transfer(7, other, 5e17, 20), row)
		}},
		{"another amount", ErrWrongOutputs, func(b *accountBench) SignRequest {
			return b.ask("b", KindPayout, hotAccount, transfer(7, payee, 6e17, 20), row)
		}},
		{"with data", ErrWrongOutputs, func(b *accountBench) SignRequest {
			return b.ask("b", KindPayout, hotAccount, bent(func(tx *ethereum.Transaction) { tx.Data = []byte{1} }), row)
		}},
		{"tokens for ether", ErrWrongOutputs, func(b *accountBench) SignRequest {
			return b.ask("b", KindPayout, hotAccount, call(tokenContract, ethereum.TransferCall(payee, ethereum.NewWei(5e17))), row)
		}},
		{"another token's contract", ErrWrongOutputs, func(b *accountBench) SignRequest {
			return b.ask("b", KindPayout, hotAccount, call(other, ethereum.TransferCall(payee, ethereum.NewWei(500_000))), tokenOwed("w0", "0.5"))
		}},
		{"tokens and ether", ErrWrongOutputs, func(b *accountBench) SignRequest {
			tx := call(tokenContract, ethereum.TransferCall(payee, ethereum.NewWei(500_000)))
			tx.Value = ethereum.NewWei(1)
			return b.ask("b", KindPayout, hotAccount, tx, tokenOwed("w0", "0.5"))
		}},
		{"units of another scale", ErrWrongOutputs, func(b *accountBench) SignRequest {
			return b.ask("b", KindPayout, hotAccount, call(tokenContract, ethereum.TransferCall(payee, ethereum.NewWei(5e17))), tokenOwed("w0", "0.5"))
		}},
		{"an unknown token", ErrWrongOutputs, func(b *accountBench) SignRequest {
			w := tokenOwed("w0", "0.5")
			w.Symbol = "SWAP.DAI"
			return b.ask("b", KindPayout, hotAccount, call(tokenContract, ethereum.TransferCall(payee, ethereum.NewWei(500_000))), w)
		}},
		{"another nonce than assigned", ErrWrongInputs, func(b *accountBench) SignRequest {
			r := b.ask("b", KindPayout, hotAccount, transfer(7, payee, 5e17, 20), row)
			r.Unsigned = b.ask("b", KindPayout, hotAccount, transfer(8, payee, 5e17, 20), row).Unsigned
			return r
		}},
		{"another sender than assigned", ErrWrongInputs, func(b *accountBench) SignRequest {
			r := b.ask("b", KindPayout, hotAccount, transfer(7, payee, 5e17, 20), row)
			r.Inputs[0].Watch.Epoch = 1
			return r
		}},
		{"two inputs", ErrWrongInputs, func(b *accountBench) SignRequest {
			r := b.ask("b", KindPayout, hotAccount, transfer(7, payee, 5e17, 20), row)
			r.Inputs = append(r.Inputs, r.Inputs[0])
			return r
		}},
		{"payout from a deposit account", ErrWrongInputs, func(b *accountBench) SignRequest {
			return b.ask("b", KindPayout, alice, transfer(7, payee, 5e17, 20), row)
		}},
		{"payout from the sweeper", ErrWrongInputs, func(b *accountBench) SignRequest {
			return b.ask("b", KindPayout, sweeper, transfer(7, payee, 5e17, 20), row)
		}},
		{"sweep of the hot account", ErrWrongInputs, func(b *accountBench) SignRequest {
			return b.ask("b", KindSweep, hotAccount, transfer(7, b.account(hotAccount), 1, 20))
		}},
		{"sweep to a stranger", ErrWrongOutputs, func(b *accountBench) SignRequest {
			return b.ask("b", KindSweep, alice, transfer(7, other, 1, 20))
		}},
		{"sweep of tokens to a stranger", ErrWrongOutputs, func(b *accountBench) SignRequest {
			return b.ask("b", KindSweep, alice, call(tokenContract, ethereum.TransferCall(other, ethereum.NewWei(1))))
		}},
		{"approval in place of a sweep", ErrWrongOutputs, func(b *accountBench) SignRequest {
			data := ethereum.TransferCall(b.account(hotAccount), ethereum.NewWei(1))
			copy(data, []byte{0x09, 0x5e, 0xa7, 0xb3})
			return b.ask("b", KindSweep, alice, call(tokenContract, data))
		}},
		{"sweep of an unknown token", ErrWrongOutputs, func(b *accountBench) SignRequest {
			return b.ask("b", KindSweep, alice, call(other, ethereum.TransferCall(b.account(hotAccount), ethereum.NewWei(1))))
		}},
		{"top-up of a stranger", ErrWrongOutputs, func(b *accountBench) SignRequest {
			r := b.ask("b", KindTopup, sweeper, transfer(7, other, 1, 20))
			r.Payee = &alice
			return r
		}},
		{"top-up of nobody", ErrWrongOutputs, func(b *accountBench) SignRequest {
			return b.ask("b", KindTopup, sweeper, transfer(7, b.account(alice), 1, 20))
		}},
		{"cancel that pays", ErrWrongOutputs, func(b *accountBench) SignRequest {
			return b.ask("b", KindCancel, hotAccount, transfer(7, b.account(hotAccount), 1, 20))
		}},
		{"cancel to a stranger", ErrWrongOutputs, func(b *accountBench) SignRequest {
			return b.ask("b", KindCancel, hotAccount, transfer(7, other, 0, 20))
		}},
		{"consolidation", ErrNotAssigned, func(b *accountBench) SignRequest {
			return b.ask("b", KindConsolidate, hotAccount, transfer(7, b.account(hotAccount), 0, 20))
		}},
		{"another chain id", ErrMalformed, func(b *accountBench) SignRequest {
			return b.ask("b", KindPayout, hotAccount, bent(func(tx *ethereum.Transaction) { tx.ChainID = 1 }), row)
		}},
		{"too much gas", ErrOverCap, func(b *accountBench) SignRequest {
			return b.ask("b", KindPayout, hotAccount, bent(func(tx *ethereum.Transaction) { tx.Gas = 200_001 }), row)
		}},
		{"too dear", ErrOverCap, func(b *accountBench) SignRequest {
			return b.ask("b", KindPayout, hotAccount, bent(func(tx *ethereum.Transaction) { tx.Price.Max = gwei(101) }), row)
		}},
		{"too dear in all", ErrOverCap, func(b *accountBench) SignRequest {
			return b.ask("b", KindPayout, hotAccount, bent(func(tx *ethereum.Transaction) { tx.Gas, tx.Price.Max = 150_000, gwei(90) }), row)
		}},
		{"too much in one payout", ErrOverCap, func(b *accountBench) SignRequest {
			return b.ask("b", KindPayout, hotAccount, transfer(7, payee, 6e18, 20), etherOwed("w0", "6"))
		}},
		{"no transaction", ErrMalformed, func(b *accountBench) SignRequest {
			r := b.ask("b", KindPayout, hotAccount, transfer(7, payee, 5e17, 20), row)
			r.Unsigned = r.Unsigned[1:]
			return r
		}},
		{"two withdrawals", ErrWrongOutputs, func(b *accountBench) SignRequest {
			return b.ask("b", KindPayout, hotAccount, transfer(7, payee, 5e17, 20), row, etherOwed("w1", "0.5"))
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			b := newAccountBench(t)
			b.refuses(c.what, c.ask(b), c.rule)
		})
	}
}

// TestAccountPromises: a nonce belongs to one batch, a withdrawal too, and a batch
// never asks for anything else than it did; whatever rows a sequencer out of its
// mind would sign.
func TestAccountPromises(t *testing.T) {
	b := newAccountBench(t)
	payee := mustAddress(someone)
	b.sign(b.ask("first", KindPayout, hotAccount, transfer(7, payee, 5e17, 20), etherOwed("w0", "0.5")))
	b.refuses("the withdrawal again with another nonce",
		b.ask("second", KindPayout, hotAccount, transfer(8, payee, 5e17, 20), etherOwed("w0", "0.5")), ErrPromised)
	b.refuses("the nonce for another withdrawal",
		b.ask("third", KindPayout, hotAccount, transfer(7, payee, 4e17, 20), etherOwed("w1", "0.4")), ErrPromised)
	b.refuses("the batch with another nonce",
		b.ask("first", KindPayout, hotAccount, transfer(9, payee, 5e17, 20), etherOwed("w0", "0.5")), ErrWrongInputs)
	b.refuses("the batch with another amount",
		b.ask("first", KindPayout, hotAccount, transfer(7, payee, 4e17, 20), etherOwed("w0", "0.4")), ErrWrongOutputs)
}

// TestAccountRelease: a payout of an account is dead when its nonce was used by
// something else, or by itself in vain, and by nothing less.
func TestAccountRelease(t *testing.T) {
	b := newAccountBench(t)
	payee := mustAddress(someone)
	r := b.ask("batch", KindPayout, hotAccount, transfer(7, payee, 5e17, 20), etherOwed("w0", "0.5"))
	signed := b.sign(r)
	tx := transfer(7, payee, 5e17, 20)
	pays := accountPayment(&tx)
	other := "0x" + strings.Repeat("1", 64)
	died := func(txid, how string) string {
		return fmt.Sprintf("%s was used by %s%s in block 7 0x%s", r.Assign.Spends[0], txid, how, strings.Repeat("b", 64))
	}
	b.final[signed.TxID] = FinalTx{Spends: r.Assign.Spends, Payment: pays}
	b.final[other] = FinalTx{Spends: r.Assign.Spends, Payment: pays}
	for what, proof := range map[string]string{
		"paid":                            died(signed.TxID, " with status 0"),
		"paid by a variant nobody knows":  died(other, ""),
		"not final":                       died("0x"+strings.Repeat("2", 64), ""),
		"of a block that is none":         died(signed.TxID, " with status 0") + "1",
		"a proof that names no such fate": died(signed.TxID, " and failed"),
	} {
		if err := b.release("w0", proof); !errors.Is(err, ErrNotDead) {
			t.Errorf("%s: %v", what, err)
		}
	}
	b.final[signed.TxID] = FinalTx{Spends: r.Assign.Spends, Payment: pays, Failed: true}
	if err := b.release("w0", died(signed.TxID, " with status 0")); err != nil {
		t.Errorf("failed: %v", err)
	}
	b.refuses("a variant after the release", b.ask("batch", KindPayout, hotAccount, transfer(7, payee, 5e17, 30), etherOwed("w0", "0.5")), ErrGivenUp)
	if _, err := b.signer.SignOperations(context.Background(), "gateway", giveUp(actionGiveBack, "w0", 1_800_000_000)); err != nil {
		t.Errorf("give back: %v", err)
	}

	// What a signer from a backup was only shown is known by its rows.
	shown := b.ask("shown", KindPayout, hotAccount, transfer(9, payee, 3e17, 20), etherOwed("w3", "0.3"))
	b.prove(&shown)
	if err := b.signer.Observe(context.Background(), shown); err != nil {
		t.Fatal(err)
	}
	paid, thief := "0x"+strings.Repeat("3", 64), "0x"+strings.Repeat("4", 64)
	tx = transfer(9, payee, 3e17, 99)
	b.final[paid] = FinalTx{Spends: shown.Assign.Spends, Payment: accountPayment(&tx)}
	b.final[thief] = FinalTx{Spends: shown.Assign.Spends, Payment: "else"}
	if err := b.release("w3", died(paid, "")); !errors.Is(err, ErrNotDead) {
		t.Errorf("paid by a transaction that was forgotten: %v", err)
	}
	if err := b.release("w3", died(thief, "")); err != nil {
		t.Errorf("the nonce was used by somebody else: %v", err)
	}
}
