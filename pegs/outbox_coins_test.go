package pegs

import (
	"testing"

	"causeway/chains"
)

// TestOutputsOfTheirOwnDepth: what asks for a depth itself (Litecoin's peg-outs) is
// credited at that, and spent deeper by as much as every other output.
func TestOutputsOfTheirOwnDepth(t *testing.T) {
	b := newBook(t)
	p := pays("hogex", 1, "alice", coin)
	p.MinDepth = 36
	b.block([]Payment{p, pays("plain", 0, "alice", coin)})
	d := b.deposit("hogex", 1)
	if got := b.Needed(d); got != 36 {
		t.Fatalf("needed %d", got)
	}
	b.blocks(34)
	if list := b.ToMint(chains.BTC); len(list) != 1 || list[0].ID == d.ID {
		t.Errorf("at depth 35: %v", list)
	}
	b.blocks(1)
	if list := b.ToMint(chains.BTC); len(list) != 2 {
		t.Errorf("at depth 36: %v", list)
	}
	b.do(&Minting{Deposit: d.ID, Symbol: d.Symbol, Quantity: d.Quantity, To: "alice"})
	b.do(&Credited{Deposit: d.ID, Symbol: d.Symbol, Quantity: d.Quantity, To: "alice", Tx: "mint"})
	if list := b.Spendable(chains.BTC); len(list) != 0 {
		t.Errorf("spendable at depth 36: %v", list)
	}
	b.blocks(1)
	if list := b.Spendable(chains.BTC); len(list) != 1 || list[0].Outpoint.TxID != "hogex" {
		t.Errorf("spendable at depth 37: %v", list)
	}
}

// TestTokensAreHeld: an output with tokens is in the reserves and never spent. It
// is not credited by itself: who pays so and withdraws, again and again, would
// turn all coins into such that cannot be paid out, at no cost. By order of a
// person it is credited, and still not spent.
func TestTokensAreHeld(t *testing.T) {
	b := newBook(t)
	p := pays("tokens", 0, "alice", coin)
	p.Tokens = true
	b.block([]Payment{p})
	b.blocks(10)
	d := b.deposit("tokens", 0)
	if d.State() != DepositHeld || d.Reason == "" || len(b.ToMint(chains.BTC)) != 0 {
		t.Errorf("%s %q, to mint %v", d.State(), d.Reason, b.ToMint(chains.BTC))
	}
	b.do(&Claimed{Deposit: d.ID, Author: "olga", Reason: "the tokens will be moved by hand"})
	if len(b.ToMint(chains.BTC)) != 1 {
		t.Error("a claim is not minted")
	}
	b.do(&Minting{Deposit: d.ID, Symbol: d.Symbol, Quantity: d.Quantity, To: "alice"})
	b.do(&Credited{Deposit: d.ID, Symbol: d.Symbol, Quantity: d.Quantity, To: "alice", Tx: "mint"})
	b.blocks(200)
	if list := b.Spendable(chains.BTC); len(list) != 0 {
		t.Errorf("spendable: %v", list)
	}
	c, _ := b.Chain(chains.BTC)
	if list := c.Unspent(); len(list) != 1 || !list[0].Tokens || list[0].Amount != chains.NewAmount(coin) {
		t.Errorf("reserves: %v", list)
	}
}
