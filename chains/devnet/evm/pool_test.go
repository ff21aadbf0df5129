package evm

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"causeway/chains/ethereum/erc20test"
)

// TestRefusals sends what a node does not take; the texts are geth's.
func TestRefusals(t *testing.T) {
	chain, c := start(t, Config{})
	to := stranger(1)
	id := chain.config.ChainID
	good := func(change func(*types.DynamicFeeTx)) *types.DynamicFeeTx {
		tx := &types.DynamicFeeTx{ChainID: id, Nonce: 1, GasTipCap: gwei(1), GasFeeCap: gwei(3), Gas: 21000, To: &to, Value: big.NewInt(1)}
		change(tx)
		return tx
	}
	c.send(chain, 0, 0, &to, ether(1), nil)
	mine(t, chain, 1)
	first := sign(t, chain, 0, good(func(*types.DynamicFeeTx) {}))
	c.get("eth_sendRawTransaction", raw(t, first))
	for name, tc := range map[string]struct {
		from int
		tx   types.TxData
		want string
	}{
		"nonce used":   {0, good(func(tx *types.DynamicFeeTx) { tx.Nonce = 0 }), "nonce too low: next nonce 1, tx nonce 0"},
		"same fee":     {0, good(func(tx *types.DynamicFeeTx) { tx.Value = big.NewInt(2) }), "replacement transaction underpriced"},
		"only the cap": {0, good(func(tx *types.DynamicFeeTx) { tx.GasFeeCap = gwei(30) }), "replacement transaction underpriced"},
		"only the tip": {0, good(func(tx *types.DynamicFeeTx) { tx.GasTipCap = gwei(2) }), "replacement transaction underpriced"},
		"nine percent": {0, good(func(tx *types.DynamicFeeTx) {
			tx.GasFeeCap, tx.GasTipCap = big.NewInt(3_270_000_000), big.NewInt(1_090_000_000)
		}), "replacement transaction underpriced"},
		"intrinsic gas":     {1, good(func(tx *types.DynamicFeeTx) { tx.Gas = 20999 }), "intrinsic gas too low: gas 20999, minimum needed 21000"},
		"tip above cap":     {1, good(func(tx *types.DynamicFeeTx) { tx.GasTipCap = gwei(4) }), "max priority fee per gas higher than max fee per gas"},
		"no tip":            {1, good(func(tx *types.DynamicFeeTx) { tx.GasTipCap = new(big.Int) }), "transaction gas price below minimum: gas tip cap 0, minimum needed 1"},
		"fee of an ether":   {1, good(func(tx *types.DynamicFeeTx) { tx.GasFeeCap = gwei(100_000) }), "tx fee (2.10 ether) exceeds the configured cap (1.00 ether)"},
		"gas above block":   {1, good(func(tx *types.DynamicFeeTx) { tx.Gas = 30_000_001 }), "transaction gas limit too high (cap: 16777216, tx: 30000001)"},
		"too long":          {1, good(func(tx *types.DynamicFeeTx) { tx.Data = make([]byte, 200_000) }), "oversized data: transaction size "},
		"more than he has":  {1, good(func(tx *types.DynamicFeeTx) { tx.Value = ether(10_001) }), "insufficient funds for gas * price + value: balance 10000000000000000000000, tx cost "},
		"of another chain":  {1, &types.DynamicFeeTx{ChainID: big.NewInt(1), GasTipCap: gwei(1), GasFeeCap: gwei(3), Gas: 21000, To: &to}, "invalid sender: invalid chain id for signer: have 1 want 31337"},
		"more than is left": {0, good(func(tx *types.DynamicFeeTx) { tx.Nonce, tx.Value = 2, new(big.Int).Sub(ether(9999), gwei(150_000)) }), "insufficient funds for gas * price + value: balance "},
	} {
		signer := types.LatestSignerForChainID(sign(t, chain, 0, &types.LegacyTx{}).ChainId())
		if d, ok := tc.tx.(*types.DynamicFeeTx); ok {
			signer = types.LatestSignerForChainID(d.ChainID)
		}
		tx, err := types.SignNewTx(chain.accounts[tc.from].Key, signer, tc.tx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.try("eth_sendRawTransaction", raw(t, tx)); err == nil || !strings.HasPrefix(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
	c.fails(-32000, "already known", "eth_sendRawTransaction", raw(t, first))
	homestead, err := types.SignNewTx(chain.accounts[1].Key, types.HomesteadSigner{}, &types.LegacyTx{GasPrice: gwei(3), Gas: 21000, To: &to})
	if err != nil {
		t.Fatal(err)
	}
	c.fails(-32000, errUnprotected.Error(), "eth_sendRawTransaction", raw(t, homestead))
	c.fails(-32000, "rlp: value size exceeds available input length", "eth_sendRawTransaction", "0x02f8")
	mustEqual(t, "waiting", len(chain.pool.byHash), 1)
}

// TestReplacement bumps a transaction at its nonce: one of the two is mined.
func TestReplacement(t *testing.T) {
	chain, c := start(t, Config{})
	a, b := stranger(1), stranger(2)
	data := func(to common.Address, tip, feeCap int64) types.TxData {
		return &types.DynamicFeeTx{ChainID: chain.config.ChainID, GasTipCap: big.NewInt(tip), GasFeeCap: big.NewInt(feeCap), Gas: 21000, To: &to, Value: ether(1)}
	}
	old := sign(t, chain, 0, data(a, 1_000_000_000, 3_000_000_000))
	bumped := sign(t, chain, 0, data(b, 1_100_000_000, 3_300_000_000))
	c.get("eth_sendRawTransaction", raw(t, old))
	c.get("eth_sendRawTransaction", raw(t, bumped))
	mustEqual(t, "replaced", c.get("eth_getTransactionByHash", old.Hash()), nil)
	mine(t, chain, 1)
	mustEqual(t, "replaced", c.get("eth_getTransactionReceipt", old.Hash()), nil)
	mustEqual(t, "paid by it", c.balance(a, "latest"), new(big.Int))
	mustEqual(t, "paid by the other", c.balance(b, "latest"), ether(1))
	c.fails(-32000, "nonce too low: next nonce 1, tx nonce 0", "eth_sendRawTransaction", raw(t, old))
}

// TestNonceGap waits for the nonce before it.
func TestNonceGap(t *testing.T) {
	chain, c := start(t, Config{})
	to, who := stranger(1), chain.accounts[0].Address
	c.send(chain, 0, 1, &to, ether(1), nil)
	c.send(chain, 0, 3, &to, ether(1), nil)
	count := func(tag string) any { return c.get("eth_getTransactionCount", who, tag) }
	mustEqual(t, "pending nonce", count("pending"), "0x0")
	mustEqual(t, "status", c.get("txpool_status"), any(map[string]any{"pending": "0x0", "queued": "0x2"}))
	mine(t, chain, 1)
	mustEqual(t, "balance with a gap", c.balance(to, "latest"), new(big.Int))
	c.send(chain, 0, 0, &to, ether(1), nil)
	mustEqual(t, "pending nonce", count("pending"), "0x2")
	mustEqual(t, "latest nonce", count("latest"), "0x0")
	content := c.object(c.get("txpool_content"))
	mustEqual(t, "pending", len(c.object(c.object(content["pending"])[who.Hex()])), 2)
	mustEqual(t, "queued", len(c.object(c.object(content["queued"])[who.Hex()])), 1)
	mustEqual(t, "transactions of the pending block", len(c.object(c.get("eth_getBlockByNumber", "pending", true))["transactions"].([]any)), 2)
	mine(t, chain, 1)
	mustEqual(t, "balance", c.balance(to, "latest"), ether(2))
	c.get("anvil_dropAllTransactions")
	c.send(chain, 0, 2, &to, ether(1), nil)
	mine(t, chain, 1)
	mustEqual(t, "balance without what was dropped", c.balance(to, "latest"), ether(3))
	mustEqual(t, "nonce", count("pending"), "0x3")
}

// TestOrder fills a block by tips, and leaves for the next what does not fit or
// does not pay the base fee.
func TestOrder(t *testing.T) {
	chain, c := start(t, Config{})
	data := erc20test.CreatePayee()
	data = append([]byte{0xfe}, data...) // INVALID: all gas is used
	var sent []common.Hash
	for i := range 4 {
		tx := sign(t, chain, i, &types.DynamicFeeTx{
			ChainID: chain.config.ChainID, GasTipCap: gwei(int64(i%2 + 1)), GasFeeCap: gwei(10), Gas: 10_000_000, Value: new(big.Int), Data: data,
		})
		c.get("eth_sendRawTransaction", raw(t, tx))
		sent = append(sent, tx.Hash())
	}
	poor := sign(t, chain, 5, &types.LegacyTx{GasPrice: big.NewInt(500_000_000), Gas: 21000, To: &chain.accounts[0].Address})
	c.get("eth_sendRawTransaction", raw(t, poor))
	mine(t, chain, 2)
	var got []string
	for number := 1; number <= 2; number++ {
		for _, tx := range c.object(c.get("eth_getBlockByNumber", rpcNumber(uint64(number)), false))["transactions"].([]any) {
			got = append(got, fmt.Sprint(number, " ", tx))
		}
	}
	want := []string{fmt.Sprint("1 ", sent[1]), fmt.Sprint("1 ", sent[3]), fmt.Sprint("1 ", sent[0]), fmt.Sprint("2 ", sent[2])}
	mustEqual(t, "order", got, want)
	for _, hash := range sent {
		receipt := c.object(c.get("eth_getTransactionReceipt", hash))
		mustEqual(t, "status", receipt["status"], "0x0")
		mustEqual(t, "gas used", receipt["gasUsed"], "0x989680")
	}
	mustEqual(t, "below the base fee", c.get("eth_getTransactionReceipt", poor.Hash()), nil)
	mine(t, chain, 8) // empty blocks lower the base fee to less than half a gwei
	if c.get("eth_getTransactionReceipt", poor.Hash()) == nil {
		t.Error("the base fee is lower now, and it is not mined")
	}
}
