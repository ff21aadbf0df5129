package evm

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/trie"

	"causeway/chains/devnet/kit"
)

// TestFaults bends what is read, and leaves what acts alone.
func TestFaults(t *testing.T) {
	chain, c := start(t, Config{Tokens: []Token{testToken}})
	to, token := stranger(1), chain.Token("TUSD")
	mine(t, chain, 5)
	c.tell(chain, 1, &to, ether(1), nil)
	c.tell(chain, 0, &token, new(big.Int), tokenTransfer(to, 7))
	failed := c.tell(chain, 0, &token, new(big.Int), tokenTransfer(to, math.MaxInt64)) // more than there is
	hash := failed["transactionHash"]
	mustEqual(t, "status", failed["status"], "0x0")
	honest := c.object(c.get("eth_getBlockByNumber", "latest", true))
	logs := map[string]any{"fromBlock": "0x0"}

	fault := func(f kit.Fault) { must(t, chain.SetFault(f)) }
	t.Run("lag", func(t *testing.T) {
		fault(kit.FaultLag)
		defer fault(kit.FaultNone)
		mustEqual(t, "height", c.get("eth_blockNumber"), "0x2")
		mustEqual(t, "balance", c.balance(to, "latest"), new(big.Int))
		mustEqual(t, "receipt", c.get("eth_getTransactionReceipt", hash), nil)
		mustEqual(t, "block", c.get("eth_getBlockByHash", honest["hash"], false), nil)
		mustEqual(t, "logs", c.get("eth_getLogs", logs), any([]any{}))
		c.fails(-32000, "header not found", "eth_getBalance", to, "0x8")
		waiting := c.send(chain, 2, 0, &to, ether(1), nil)
		mustEqual(t, "waiting", c.get("eth_getTransactionByHash", waiting), nil)
		mine(t, chain, 1)
		mustEqual(t, "height after a block", c.get("eth_blockNumber"), "0x3")
		must(t, chain.Rollback(1))
	})
	t.Run("empty", func(t *testing.T) {
		fault(kit.FaultEmpty)
		defer fault(kit.FaultNone)
		mustEqual(t, "height", c.get("eth_blockNumber"), nil)
		mustEqual(t, "balance", c.get("eth_getBalance", to, "latest"), nil)
		mustEqual(t, "unknown state", c.get("eth_getBalance", to, "0xff"), nil)
		mustEqual(t, "logs", c.get("eth_getLogs", logs), any([]any{}))
		mustEqual(t, "receipts", c.get("eth_getBlockReceipts", "latest"), any([]any{}))
		mustEqual(t, "what acts", c.get("evm_mine"), "0x0")
		must(t, chain.Rollback(1))
	})
	t.Run("lie", func(t *testing.T) {
		fault(kit.FaultLie)
		defer fault(kit.FaultNone)
		mustEqual(t, "balance", c.balance(to, "latest"), ether(2))
		mustEqual(t, "tokens", c.tokens(token, to, "latest"), big.NewInt(14))
		mustEqual(t, "logged", new(big.Int).SetBytes(hexutil.MustDecode(c.object(c.get("eth_getLogs", logs).([]any)[0])["data"].(string))), big.NewInt(14))
		receipt := c.object(c.get("eth_getTransactionReceipt", hash))
		mustEqual(t, "status", receipt["status"], "0x1")
		text := raws(t, c, "eth_getBlockByNumber", "latest", true)
		var header types.Header
		must(t, json.Unmarshal(text, &header))
		var receipts types.Receipts
		must(t, json.Unmarshal(raws(t, c, "eth_getBlockReceipts", "latest"), &receipts))
		if header.Hash().Hex() == honest["hash"] {
			t.Error("the latest block is the true one")
		}
		mustEqual(t, "block of the receipt", receipt["blockHash"], header.Hash().Hex())
		mustEqual(t, "parent", header.ParentHash.Hex(), honest["parentHash"])
		mustEqual(t, "receipts root", types.DeriveSha(receipts, trie.NewListHasher()), header.ReceiptHash)
		mustEqual(t, "by its hash", c.object(c.get("eth_getBlockByHash", header.Hash(), false))["number"], honest["number"])
		mustEqual(t, "the true one", c.object(c.get("eth_getBlockByHash", honest["hash"], false))["number"], honest["number"])
		var older types.Receipts
		must(t, json.Unmarshal(raws(t, c, "eth_getBlockReceipts", "0x7"), &older))
		must(t, json.Unmarshal(raws(t, c, "eth_getBlockByNumber", "0x7", false), &header))
		if types.DeriveSha(older, trie.NewListHasher()) == header.ReceiptHash {
			t.Error("the receipts of an older block are honest")
		}
	})
	t.Run("float", func(t *testing.T) {
		fault(kit.FaultFloat)
		defer fault(kit.FaultNone)
		for method, want := range map[string]string{"eth_blockNumber": "8e+00", "eth_chainId": "3.1337e+04"} {
			mustEqual(t, method, string(raws(t, c, method)), want)
		}
		mustEqual(t, "balance", string(raws(t, c, "eth_getBalance", to, "latest")), "1e+18")
		for _, member := range []string{`"number":8e+00`, `"gas":3e+06`, `"value":0e+00`, `"hash":"0x`} {
			if text := string(raws(t, c, "eth_getBlockByNumber", "latest", true)); !strings.Contains(text, member) {
				t.Errorf("no %s in %s", member, text)
			}
		}
		if text := string(raws(t, c, "eth_call", map[string]any{"to": token, "data": "0x18160ddd"}, "latest")); len(text) != 2+66 {
			t.Errorf("data became %s", text)
		}
		c.fails(-32000, "header not found", "eth_getBalance", to, "0xff")
	})
	t.Run("down", func(t *testing.T) {
		fault(kit.FaultDown)
		defer fault(kit.FaultNone)
		for range 4 {
			if result, err := c.try("eth_blockNumber"); err == nil {
				t.Errorf("answered %v", result)
			}
		}
	})
	mustEqual(t, "honest again", c.get("eth_getBlockByNumber", "latest", true), any(honest))
}
