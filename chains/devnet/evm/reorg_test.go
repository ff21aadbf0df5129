package evm

import (
	"math/big"
	"testing"

	"github.com/holiman/uint256"
)

// TestReorg replaces blocks with and without their transactions.
func TestReorg(t *testing.T) {
	for name, tc := range map[string]struct {
		reorg func(*testing.T, *Chain, client)
		again bool // the payment is mined again
		depth uint64
	}{
		"kept":        {func(t *testing.T, chain *Chain, _ client) { must(t, chain.Reorg(2, false)) }, true, 0},
		"dropped":     {func(t *testing.T, chain *Chain, _ client) { must(t, chain.Reorg(2, true)) }, false, 0},
		"anvil_reorg": {func(_ *testing.T, _ *Chain, c client) { c.get("anvil_reorg", 2, []any{}) }, false, 0},
		"as object": {func(_ *testing.T, _ *Chain, c client) {
			c.get("anvil_reorg", map[string]any{"depth": 2, "txBlockPairs": []any{}})
		}, false, 0},
		"rollback": {func(_ *testing.T, _ *Chain, c client) { c.get("anvil_rollback", 2) }, false, 2},
	} {
		t.Run(name, func(t *testing.T) {
			chain, c := start(t, Config{})
			to := stranger(1)
			mine(t, chain, 3)
			hash, err := chain.Fund(to, ether(1))
			must(t, err)
			mine(t, chain, 2)
			old := c.object(c.get("eth_getTransactionReceipt", hash))
			tc.reorg(t, chain, c)
			mustEqual(t, "height", chain.Height(), 5-tc.depth)
			mustEqual(t, "receipt", c.get("eth_getTransactionReceipt", hash), nil)
			mustEqual(t, "balance", c.balance(to, "latest"), new(big.Int))
			if tc.depth == 0 && c.object(c.get("eth_getBlockByNumber", old["blockNumber"], false))["hash"] == old["blockHash"] {
				t.Error("the block is still canonical")
			}
			// A replaced block is found by its hash, with its receipts and state.
			mustEqual(t, "stale block", c.object(c.get("eth_getBlockByHash", old["blockHash"], false))["number"], old["blockNumber"])
			mustEqual(t, "stale receipts", len(c.get("eth_getBlockReceipts", old["blockHash"]).([]any)), 1)
			stale := map[string]any{"blockHash": old["blockHash"]}
			mustEqual(t, "balance after the stale block", c.balance(to, stale), ether(1))
			stale["requireCanonical"] = true
			c.fails(-32000, "hash is not currently canonical", "eth_getBalance", to, stale)
			mine(t, chain, 1)
			mustEqual(t, "mined again", c.get("eth_getTransactionReceipt", hash) != nil, tc.again)
			if !tc.again {
				mustEqual(t, "gone", c.get("eth_getTransactionByHash", hash), nil)
				mustEqual(t, "nonce", c.get("eth_getTransactionCount", chain.accounts[0].Address, "pending"), "0x0")
			}
			// The chain is whole.
			for n := uint64(1); n <= chain.Height(); n++ {
				mustEqual(t, "parent", chain.chain[n].ParentHash(), chain.chain[n-1].Hash())
			}
		})
	}
}

// TestReorgPairs gives the new blocks transactions of their own.
func TestReorgPairs(t *testing.T) {
	chain, c := start(t, Config{})
	a, b := stranger(1), stranger(2)
	mine(t, chain, 2)
	c.send(chain, 0, 0, &a, ether(1), nil)
	other, otherClient := start(t, Config{})
	otherClient.send(other, 0, 0, &b, ether(1), nil)
	conflict := other.pool.list()[0].tx
	mine(t, chain, 2)
	c.get("anvil_reorg", 2, []any{[]any{raw(t, conflict), 1}})
	mustEqual(t, "dropped", c.balance(a, "latest"), new(big.Int))
	mustEqual(t, "in the new branch", c.balance(b, "latest"), ether(1))
	mustEqual(t, "its block", c.object(c.get("eth_getTransactionReceipt", conflict.Hash()))["blockNumber"], "0x4")
	before := c.get("eth_getBlockByNumber", "latest", true)
	c.fails(-32000, "block 0 of the reorganisation: nonce too low: address "+chain.accounts[0].Address.Hex()+", tx: 0 state: 1",
		"anvil_reorg", 1, []any{[]any{raw(t, conflict), 0}, []any{raw(t, conflict), 0}})
	c.fails(-32000, "depth 5 exceeds the chain's height of 4", "anvil_reorg", 5, []any{})
	mustEqual(t, "nothing changed", c.get("eth_getBlockByNumber", "latest", true), before)
	for _, bad := range []any{[]any{"0x00", 0}, []any{raw(t, conflict), 2}, []any{raw(t, conflict)}} {
		if _, err := c.try("anvil_reorg", 2, []any{bad}); err == nil {
			t.Errorf("took the pair %v", bad)
		}
	}
	mine(t, chain, 1)
}

// TestForced sets balances that no transaction explains.
func TestForced(t *testing.T) {
	chain, c := start(t, Config{})
	who := stranger(1)
	mine(t, chain, 1)
	c.get("anvil_setBalance", who, "0xde0b6b3a7640000")
	mustEqual(t, "height", chain.Height(), uint64(2))
	mustEqual(t, "before", c.balance(who, "0x1"), new(big.Int))
	mustEqual(t, "after", c.balance(who, "latest"), ether(1))
	must(t, chain.SetBalance(who, uint256.NewInt(5)))
	mustEqual(t, "lowered", c.balance(who, "latest"), big.NewInt(5))
	must(t, chain.Reorg(1, false))
	mustEqual(t, "after the reorganisation", c.balance(who, "latest"), ether(1))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
