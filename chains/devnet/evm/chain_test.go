package evm

import (
	"encoding/json"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/trie"
)

// TestTransfer is the thin path: pay, mine, look.
func TestTransfer(t *testing.T) {
	chain, c := start(t, Config{})
	to := stranger(1)
	hash, err := chain.Fund(to, ether(2))
	if err != nil {
		t.Fatal(err)
	}
	mustEqual(t, "balance before the block", c.balance(to, "latest"), new(big.Int))
	mustEqual(t, "pending balance", c.balance(to, "pending"), ether(2))
	mustEqual(t, "receipt before the block", c.get("eth_getTransactionReceipt", hash), nil)
	mustEqual(t, "waiting transaction's block", c.object(c.get("eth_getTransactionByHash", hash))["blockHash"], nil)
	c.get("evm_mine")
	mustEqual(t, "balance", c.balance(to, "latest"), ether(2))
	mustEqual(t, "balance at genesis", c.balance(to, "0x0"), new(big.Int))
	receipt := c.object(c.get("eth_getTransactionReceipt", hash))
	mustEqual(t, "status", receipt["status"], "0x1")
	mustEqual(t, "gas", receipt["gasUsed"], "0x5208")
	head := c.object(c.get("eth_getBlockByNumber", "latest", false))
	mustEqual(t, "block of the receipt", receipt["blockHash"], head["hash"])
	mustEqual(t, "balance by hash", c.number(c.get("eth_getBalance", to, map[string]any{"blockHash": head["hash"]})), ether(2))
	paid := new(big.Int).Mul(c.number(receipt["gasUsed"]), c.number(receipt["effectiveGasPrice"]))
	left := new(big.Int).Sub(devBalance().ToBig(), ether(2))
	mustEqual(t, "payer's balance", c.balance(chain.accounts[0].Address, "latest"), left.Sub(left, paid))
}

// TestHashes decodes blocks from JSON with go-ethereum's types and computes every
// commitment anew.
func TestHashes(t *testing.T) {
	chain, c := start(t, Config{Tokens: []Token{testToken}})
	for i := range 5 {
		if _, err := chain.Fund(stranger(byte(i)), ether(1)); err != nil {
			t.Fatal(err)
		}
		token := chain.Token("TUSD")
		c.send(chain, 1, uint64(i), &token, new(big.Int), tokenTransfer(stranger(9), 0)) // of nothing: an event all the same
		mine(t, chain, 1)
	}
	for number := uint64(0); number <= chain.Height(); number++ {
		text := raws(t, c, "eth_getBlockByNumber", rpcNumber(number), true)
		var header types.Header
		var body struct {
			Hash         common.Hash
			Transactions []*types.Transaction
		}
		if err := json.Unmarshal(text, &header); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &body); err != nil {
			t.Fatal(err)
		}
		var receipts types.Receipts
		if err := json.Unmarshal(raws(t, c, "eth_getBlockReceipts", rpcNumber(number)), &receipts); err != nil {
			t.Fatal(err)
		}
		mustEqual(t, "hash", header.Hash(), body.Hash)
		mustEqual(t, "transactions root", types.DeriveSha(types.Transactions(body.Transactions), trie.NewListHasher()), header.TxHash)
		mustEqual(t, "receipts root", types.DeriveSha(receipts, trie.NewListHasher()), header.ReceiptHash)
		mustEqual(t, "bloom", types.MergeBloom(receipts), header.Bloom)
		mustEqual(t, "withdrawals root", *header.WithdrawalsHash, types.EmptyWithdrawalsHash)
		if number > 0 {
			mustEqual(t, "parent", header.ParentHash, chain.chain[number-1].Hash())
			mustEqual(t, "transactions", len(receipts), 2)
		}
	}
}
