package main

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/chains/ethereum"
	"causeway/chains/jsonrpc"
	"causeway/gateway"
)

// raw is a transaction as it was signed.
func (s *anvilSite) raw(txid string) (raw string) {
	s.t.Helper()
	s.node.Call(&raw, "eth_getRawTransactionByHash", txid)
	return raw
}

// inBlock says whether a transaction is in anvil's chain.
func (s *anvilSite) inBlock(txid string) bool {
	s.t.Helper()
	var receipt struct {
		Hash string `json:"blockHash"`
	}
	err := s.node.Client.Call(s.t.Context(), &receipt, "eth_getTransactionReceipt", txid)
	if err != nil && !errors.Is(err, jsonrpc.ErrNull) {
		s.t.Fatal(err)
	}
	return err == nil && receipt.Hash != ""
}

// known says whether anvil has a transaction, in a block or waiting.
func (s *anvilSite) known(txid string) bool {
	s.t.Helper()
	var status struct {
		Pending, Queued map[string]map[string]struct{ Hash string }
	}
	s.node.Call(&status, "txpool_content")
	for _, part := range []map[string]map[string]struct{ Hash string }{status.Pending, status.Queued} {
		for _, list := range part {
			for _, tx := range list {
				if tx.Hash == txid {
					return true
				}
			}
		}
	}
	return false
}

// confirming waits until the newest deposit of an account of that amount is in a
// block that is not final.
func (s *anvilSite) confirming(of, amount string) (d gateway.Deposit) {
	s.t.Helper()
	s.await("a deposit that is not final", func() bool {
		for _, d = range s.deposits(of) {
			if d.State == "confirming" && d.Amount == amount {
				return true
			}
		}
		return false
	})
	return d
}

// TestReorgAboveFinality: what leaves the chain before it is final is never credited;
// what comes again, at another place, is credited once.
func TestReorgAboveFinality(t *testing.T) {
	t.Parallel()
	s := newAnvilSite(t, usd)
	alice, bob := s.ethAddress("alice"), s.ethAddress("bob")

	// Another block, without the payment.
	s.pay(alice, "1")
	s.payToken(s.tokens[0], alice, "10")
	s.node.Mine(1)
	s.confirming("alice", "1.000000000000000000")
	s.confirming("alice", "10.000000")
	s.node.Call(nil, "anvil_reorg", 1, []any{})
	s.await("the deposits to be gone", func() bool {
		return !slices.ContainsFunc(s.deposits("alice"), func(d gateway.Deposit) bool { return d.State != "gone" })
	})
	s.final()
	s.wantBalance("alice", "SWAP.ETH", "0")

	// Another block with it, behind another one.
	txid := s.pay(bob, "2")
	s.node.Mine(1)
	d := s.confirming("bob", "2.000000000000000000")
	s.node.Call(nil, "anvil_reorg", 2, []any{[]any{s.raw(txid), 1}})
	if !s.inBlock(txid) {
		t.Fatal("the payment did not come again")
	}
	s.holdsPeg("bob", "SWAP.ETH", "2.00000000")
	if got := s.deposits("bob"); len(got) != 1 || d.TxID != txid || got[0].TxID != txid || got[0].ID != d.ID || got[0].Block == nil || d.Block == nil || *got[0].Block == *d.Block {
		t.Errorf("before %s, after %s", show(d), show(got))
	}

	// A payout leaves the chain: it goes out again, or a dearer variant of it does.
	payee := s.newPayee()
	id := s.burn("bob", "SWAP.ETH", "0.5", payee)
	s.mineUntil("the payout in a block", func() bool {
		w := s.withdrawal(id)
		return w.TxID != "" && s.inBlock(w.TxID)
	})
	paid := s.withdrawal(id).TxID
	s.node.Call(nil, "anvil_reorg", 1, []any{})
	if s.inBlock(paid) {
		t.Fatal("the payout is still there")
	}
	w := s.state(id, "settled")
	if !slices.Contains(w.Variants, paid) || s.holds(payee, nil) != "0.498000000000000000" {
		t.Errorf("the payee holds %s: %s", s.holds(payee, nil), show(w))
	}
	s.wantBalance("alice", "SWAP.ETH", "0")
	s.books()
}

// TestDroppedPayout: what a node forgets it is told again, and is paid once.
func TestDroppedPayout(t *testing.T) {
	t.Parallel()
	s := newAnvilSite(t)
	s.pay(s.ethAddress("alice"), "3")
	s.holdsPeg("alice", "SWAP.ETH", "3.00000000")
	first := s.newPayee()
	s.state(s.burn("alice", "SWAP.ETH", "0.1", first), "settled") // the hot account has coins now
	payee := s.newPayee()
	id := s.burn("alice", "SWAP.ETH", "0.5", payee)
	s.await("the payout", func() bool { return s.withdrawal(id).State == "broadcast" })
	txid := s.withdrawal(id).Variants[0]
	s.await("the payout at the node", func() bool { return s.known(txid) })
	s.node.Call(nil, "anvil_dropAllTransactions")
	if s.known(txid) {
		t.Fatal("the node still has the payout")
	}
	s.await("the payout at the node again", func() bool { return s.known(txid) })
	s.state(id, "settled")
	if got := s.holds(payee, nil); got != "0.498000000000000000" {
		t.Errorf("the payee holds %s", got)
	}
	s.books()
}

// TestStuckPayout: a payout that no block takes is made dearer with the same nonce,
// and one of the two pays.
func TestStuckPayout(t *testing.T) {
	t.Parallel()
	s := newAnvilSite(t)
	s.pay(s.ethAddress("alice"), "3")
	s.holdsPeg("alice", "SWAP.ETH", "3.00000000")
	s.state(s.burn("alice", "SWAP.ETH", "0.1", s.newPayee()), "settled")
	payee, next := s.newPayee(), s.newPayee()
	id := s.burn("alice", "SWAP.ETH", "0.5", payee)
	s.await("the payout", func() bool { return s.withdrawal(id).State == "broadcast" })
	second := s.burn("alice", "SWAP.ETH", "0.25", next)
	s.await("the payout behind it", func() bool { return s.withdrawal(second).State == "broadcast" })
	dear := new(big.Int).Mul(big.NewInt(30), big.NewInt(1_000_000_000))
	mine := time.Now()
	s.await("the replacement", func() bool {
		if time.Now().After(mine) {
			s.node.Call(nil, "anvil_setNextBlockBaseFeePerGas", fmt.Sprintf("0x%x", dear))
			s.node.Mine(1)
			mine = time.Now().Add(300 * time.Millisecond)
		}
		return len(s.withdrawal(id).Variants) > 1
	})
	variants := s.withdrawal(id).Variants
	s.await("the replacement at the node", func() bool { return s.known(variants[len(variants)-1]) || s.inBlock(variants[len(variants)-1]) })
	s.state(id, "settled")
	s.state(second, "settled")
	var nonces []string
	for _, txid := range s.withdrawal(id).Variants {
		if s.inBlock(txid) {
			nonces = append(nonces, txid)
		}
	}
	if len(nonces) != 1 || nonces[0] != s.withdrawal(id).TxID {
		t.Errorf("in blocks: %v of %s", nonces, show(s.withdrawal(id)))
	}
	if a, b := s.holds(payee, nil), s.holds(next, nil); a != "0.498000000000000000" || b != "0.248000000000000000" {
		t.Errorf("the payees hold %s and %s", a, b)
	}
	s.books()
}

// TestBadWithdrawalsOnAnvil: what cannot be paid is refused when it is asked for, or
// given back.
func TestBadWithdrawalsOnAnvil(t *testing.T) {
	t.Parallel()
	s := newAnvilSite(t, usd)
	alice := s.ethAddress("alice")
	s.pay(alice, "3")
	s.payToken(s.tokens[0], alice, "100")
	s.holdsPeg("alice", "SWAP.ETH", "3.00000000")
	s.holdsPeg("alice", "SWAP.USDC", "100.000000")
	good := s.newPayee().String()
	flipped := strings.Map(func(r rune) rune {
		if r == 'f' || r == 'F' {
			return 'f' + 'F' - r
		}
		return r
	}, good)
	ids := map[string]string{}
	for _, c := range []struct{ symbol, quantity, to, want string }{
		{"SWAP.ETH", "0.1", "bcrt1q6xj6exspt7kzaaang9nnvd239g23raqlj2gs5f", "invalid address"},
		{"SWAP.ETH", "0.1", "1L7WhLh7rQJ4B4onjWAYtXRgb73aRaRgDL", "invalid address"},
		{"SWAP.USDC", "10", "1L7WhLh7rQJ4B4onjWAYtXRgb73aRaRgDL", "invalid address"},
		{"SWAP.ETH", "0.1", flipped, "checksum"},
		{"SWAP.ETH", "0.1", good[2:], "invalid address"},
		{"SWAP.ETH", "0.1", good + "00", "invalid address"},
		{"SWAP.ETH", "0.1", strings.Replace(good, "0x", "0X", 1), "invalid address"},
		{"SWAP.ETH", "0.1", "vitalik.eth", "invalid address"},
		{"SWAP.ETH", "0.1", ethereum.Address{}.String(), "the zero account"},
		{"SWAP.USDC", "10", ethereum.Address{}.String(), "the zero account"},
		{"SWAP.USDC", "10", s.tokens[0].Address, "the token's own contract"},
		{"SWAP.ETH", "0.004", good, "below the minimum"},
		{"SWAP.ETH", "0.000000001", good, "invalid quantity"},
		{"SWAP.ETH", "4", good, "overdrawn balance"},
		{"SWAP.USDC", "0.5", good, "below the minimum"},
		{"SWAP.USDC", "1.0000001", good, "invalid quantity"},
	} {
		id := s.submit("alice", s.key, "pegs", "withdraw", fmt.Sprintf(`{"symbol":%q,"quantity":%q,"address":%q}`, c.symbol, c.quantity, c.to))
		ids[id] = c.want
	}
	for id, want := range ids {
		if said := s.errorsOf(id); len(said) == 0 || !strings.Contains(strings.Join(said, "\n"), want) {
			t.Errorf("%q, want %q", said, want)
		}
	}
	s.wantBalance("alice", "SWAP.ETH", "3.00000000")
	s.wantBalance("alice", "SWAP.USDC", "100.000000")

	// The form is right, the account is nobody's to pay: given back, less the fee.
	s.state(s.burn("alice", "SWAP.ETH", "0.1", s.newPayee()), "settled")
	hot := ""
	for _, item := range s.books().Items {
		if item.Kind == "hot" || item.Kind == "change" {
			hot = item.Address
		}
	}
	if hot == "" {
		t.Fatal("no hot account in the reserves")
	}
	returned := []string{
		s.burn("alice", "SWAP.ETH", "0.1", account(t, hot)),
		s.burn("alice", "SWAP.ETH", "0.1", account(t, s.tokens[0].Address)),
		s.burn("alice", "SWAP.USDC", "10", account(t, hot)),
	}
	for _, id := range returned {
		if w := s.state(id, "returned"); w.Reason == "" || w.TxID != "" {
			t.Errorf("%s", show(w))
		}
	}
	s.holdsPeg("alice", "SWAP.USDC", "100.000000")
	s.holdsPeg("alice", "SWAP.ETH", "2.89300000") // 0.1 paid, two fees of 0.002 and one of 0.003

	// To an account's deposit address: an ordinary payout, and then a deposit.
	bob := s.ethAddress("bob")
	s.state(s.burn("alice", "SWAP.ETH", "0.5", bob), "settled")
	s.holdsPeg("bob", "SWAP.ETH", "0.49800000")
	s.state(s.burn("alice", "SWAP.USDC", "25", bob), "settled")
	s.holdsPeg("bob", "SWAP.USDC", "25.000000")
	s.books()
}

// TestOddAmountsOnAnvil: tokens of 18 and of no decimals, dust, nothing, and what is
// below the minimum.
func TestOddAmountsOnAnvil(t *testing.T) {
	t.Parallel()
	fine, whole := TokenConfig{Symbol: "SWAP.DAI", Decimals: 18}, TokenConfig{Symbol: "SWAP.NUL", Decimals: 0}
	s := newAnvilSite(t, fine, whole)
	fine, whole = s.tokens[0], s.tokens[1]
	alice, bob := s.ethAddress("alice"), s.ethAddress("bob")
	s.pay(alice, "1.123456789012345678")
	s.pay(bob, "0.0000001")
	s.pay(s.ethAddress("carol"), "0")
	fineID, wholeID := s.payToken(fine, alice, "12.123456789999999999"), s.payToken(whole, alice, "7")
	dust, nothing := s.payToken(fine, bob, "0.000000001"), s.payToken(whole, bob, "0")
	s.holdsPeg("alice", "SWAP.ETH", "1.12345678")
	s.holdsPeg("alice", "SWAP.DAI", "12.12345678")
	s.holdsPeg("alice", "SWAP.NUL", "7")
	s.await("the small deposits", func() bool { return len(s.deposits("bob")) >= 2 })
	for _, d := range s.deposits("") {
		want := map[string][4]string{
			fineID:  {"12.123456789999999999", "12.12345678", "0.000000009999999999", "credited"},
			wholeID: {"7", "7", "0", "credited"},
			dust:    {"0.000000001000000000", "0.00000000", "0.000000001000000000", "below_minimum"},
		}[d.TxID]
		if d.Symbol == "SWAP.ETH" && d.Account == "alice" {
			want = [4]string{"1.123456789012345678", "1.12345678", "0.000000009012345678", "credited"}
		}
		if d.Symbol == "SWAP.ETH" && d.Account == "bob" {
			want = [4]string{"0.000000100000000000", "0.00000010", "0.000000000000000000", "below_minimum"}
		}
		if got := [4]string{d.Amount, d.Quantity, d.Remainder, d.State}; got != want || d.TxID == nothing {
			t.Errorf("%v, want %v: %s", got, want, show(d))
		}
	}
	s.wantBalance("bob", "SWAP.DAI", "0")
	r := s.books()
	if len(r.Assets) != 3 || !strings.HasPrefix(r.Assets[1].Surplus, "0.000000009999999999") {
		t.Errorf("the remainder is not in the surplus: %s", show(r.Assets))
	}
	payee := s.newPayee()
	many, few := s.burn("alice", "SWAP.DAI", "12.12345678", payee), s.burn("alice", "SWAP.NUL", "3", payee)
	s.state(many, "settled")
	s.state(few, "settled")
	if a, b := s.holds(payee, &fine), s.holds(payee, &whole); a != "12.123456780000000000" || b != "3" {
		t.Errorf("the payee holds %s and %s", a, b)
	}
	// What was too little is topped up: still below each by itself, coins count as a whole
	// only from the minimum on.
	s.pay(bob, "0.5")
	s.holdsPeg("bob", "SWAP.ETH", "0.50000000")
	s.books()
}
