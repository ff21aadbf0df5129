package evm

import (
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"causeway/chains/ethereum/erc20test"
)

func (c client) call(from, to common.Address, data []byte, at any) string {
	c.t.Helper()
	text, ok := c.get("eth_call", map[string]any{"from": from, "to": to, "data": hexutil.Bytes(data)}, at).(string)
	if !ok {
		c.t.Fatal("no bytes")
	}
	return text
}

func (c client) tokens(token, who common.Address, at any) *big.Int {
	c.t.Helper()
	return new(big.Int).SetBytes(hexutil.MustDecode(c.call(common.Address{}, token, erc20test.BalanceOf(who), at)))
}

// tell sends a call from account i, mines it and returns its receipt.
func (c client) tell(chain *Chain, i int, to *common.Address, wei *big.Int, data []byte) map[string]any {
	c.t.Helper()
	nonce := c.number(c.get("eth_getTransactionCount", chain.accounts[i].Address, "pending")).Uint64()
	hash := c.send(chain, i, nonce, to, wei, data)
	mine(c.t, chain, 1)
	return c.object(c.get("eth_getTransactionReceipt", hash))
}

// TestToken makes every misbehaviour of the test token happen.
func TestToken(t *testing.T) {
	chain, c := start(t, Config{Tokens: []Token{testToken, {Name: "Other", Symbol: "OTH", Decimals: 18, Supply: ether(1)}}})
	token, owner := chain.Token("TUSD"), chain.accounts[0].Address
	mustEqual(t, "address", token, common.HexToAddress("0x5FbDB2315678afecb367f032d93F642f64180aa3"))
	mustEqual(t, "decimals", new(big.Int).SetBytes(hexutil.MustDecode(c.call(owner, token, erc20test.Decimals(), "latest"))), big.NewInt(6))
	mustEqual(t, "symbol", strings.Contains(c.call(owner, token, erc20test.Symbol(), "latest"), hexutil.Encode([]byte("TUSD"))[2:]), true)
	mustEqual(t, "supply", c.tokens(token, owner, "latest"), testToken.Supply)
	mustEqual(t, "other supply", c.tokens(chain.Token("OTH"), owner, "0x0"), ether(1))
	no := new(big.Int)
	for i, tc := range []struct {
		name          string
		set           []byte
		moved, logged int64 // logged -1: no log
		status        string
		answer        string
	}{
		{"standard", erc20test.SetMode(erc20test.Standard), 1000, 1000, "0x1", "0x" + strings.Repeat("0", 63) + "1"},
		{"returns nothing", erc20test.SetMode(erc20test.ReturnsNothing), 1000, 1000, "0x1", "0x"},
		{"returns false", erc20test.SetMode(erc20test.ReturnsFalse), 0, -1, "0x1", "0x" + strings.Repeat("0", 64)},
		{"only event", erc20test.SetMode(erc20test.OnlyEvent), 0, 1000, "0x1", "0x" + strings.Repeat("0", 63) + "1"},
		{"no event", erc20test.SetMode(erc20test.NoEvent), 1000, -1, "0x1", "0x" + strings.Repeat("0", 63) + "1"},
		{"back to standard", erc20test.SetMode(erc20test.Standard), 1000, 1000, "0x1", "0x" + strings.Repeat("0", 63) + "1"},
		{"fee", erc20test.SetFee(100, false), 990, 990, "0x1", "0x" + strings.Repeat("0", 63) + "1"},
		{"hidden fee", erc20test.SetFee(100, true), 990, 1000, "0x1", "0x" + strings.Repeat("0", 63) + "1"},
		{"no fee", erc20test.SetFee(0, false), 1000, 1000, "0x1", "0x" + strings.Repeat("0", 63) + "1"},
		{"blacklisted", erc20test.SetBlacklisted(stranger(100), true), 0, -1, "0x0", "blacklisted"},
		{"paused", erc20test.SetPaused(true), 0, -1, "0x0", "paused"},
	} {
		to := stranger(byte(i))
		if tc.name == "blacklisted" {
			to = stranger(100)
		}
		mustEqual(t, tc.name+": switched", c.tell(chain, 1, &token, no, tc.set)["status"], "0x1")
		if tc.status == "0x1" {
			mustEqual(t, tc.name+": answer", c.call(owner, token, erc20test.Transfer(to, big.NewInt(1000)), "latest"), tc.answer)
		} else {
			c.fails(3, "execution reverted: "+tc.answer, "eth_call", map[string]any{"from": owner, "to": token, "input": hexutil.Bytes(erc20test.Transfer(to, big.NewInt(1000)))}, "latest")
			c.fails(3, "execution reverted: "+tc.answer, "eth_estimateGas", map[string]any{"from": owner, "to": token, "input": hexutil.Bytes(erc20test.Transfer(to, big.NewInt(1000)))})
		}
		receipt := c.tell(chain, 0, &token, no, erc20test.Transfer(to, big.NewInt(1000)))
		mustEqual(t, tc.name+": status", receipt["status"], tc.status)
		mustEqual(t, tc.name+": moved", c.tokens(token, to, "latest"), big.NewInt(tc.moved))
		logged := int64(-1)
		for _, l := range receipt["logs"].([]any) {
			if topics := c.object(l)["topics"].([]any); topics[2] == common.BytesToHash(to[:]).Hex() {
				logged = new(big.Int).SetBytes(hexutil.MustDecode(c.object(l)["data"].(string))).Int64()
			}
		}
		mustEqual(t, tc.name+": logged", logged, tc.logged)
	}
}

// TestContracts pays in the ways that no transaction shows.
func TestContracts(t *testing.T) {
	chain, c := start(t, Config{})
	create := func(data []byte) common.Address {
		return common.HexToAddress(c.tell(chain, 0, nil, new(big.Int), data)["contractAddress"].(string))
	}
	payer, payee := create(erc20test.CreatePayer()), create(erc20test.CreatePayee())
	mustEqual(t, "address", payer, crypto.CreateAddress(chain.accounts[0].Address, 0))
	mustEqual(t, "code", len(c.get("eth_getCode", payer, "latest").(string)) > 100, true)
	mustEqual(t, "code before", c.get("eth_getCode", payer, "0x0"), "0x")
	a, b := stranger(1), stranger(2)
	mustEqual(t, "pay", c.tell(chain, 0, &payer, ether(2), erc20test.Pay(a, b))["status"], "0x1")
	mustEqual(t, "a", c.balance(a, "latest"), ether(1))
	mustEqual(t, "b", c.balance(b, "latest"), ether(1))
	mustEqual(t, "reverted inside", c.tell(chain, 0, &payer, ether(2), erc20test.PayReverted(a))["status"], "0x1")
	mustEqual(t, "a", c.balance(a, "latest"), ether(1))
	mustEqual(t, "bomb", c.tell(chain, 0, nil, ether(1), erc20test.CreateBomb(payee))["status"], "0x1")
	mustEqual(t, "forced", c.balance(payee, "latest"), ether(1))
	for i, status := range []string{"0x1", "0x1", "0x0", "0x0"} {
		mode := []erc20test.Mode{erc20test.Accepts, erc20test.Emits, erc20test.Reverts, erc20test.EatsGas}[i]
		c.tell(chain, 1, &payee, new(big.Int), erc20test.SetMode(mode))
		receipt := c.tell(chain, 0, &payee, big.NewInt(1), nil)
		mustEqual(t, "status of a payment to a payee", receipt["status"], status)
		if mode == erc20test.EatsGas {
			mustEqual(t, "gas eaten", c.number(receipt["gasUsed"]), big.NewInt(3_000_000))
		}
		if status == "0x1" {
			estimate := c.number(c.get("eth_estimateGas", map[string]any{"from": chain.accounts[0].Address, "to": payee, "value": "0x1"}))
			mustEqual(t, "estimate", estimate, c.number(receipt["gasUsed"]))
		}
	}
	mustEqual(t, "mode in its slot", c.get("eth_getStorageAt", payee, "0x0", "latest").(string)[64:], "03")
	// EIP-170: 24,577 bytes of code are too many.
	huge := hexutil.MustDecode("0x6160015ff3") // PUSH2 0x6001 PUSH0 RETURN
	mustEqual(t, "too much code", c.tell(chain, 0, nil, new(big.Int), huge)["status"], "0x0")
	mustEqual(t, "plain transfer", c.get("eth_estimateGas", map[string]any{"from": a, "to": b, "value": "0x1"}), "0x5208")
	c.fails(-32000, "err: insufficient funds for gas * price + value: address "+a.Hex()+" have 1000000000000000000 want 2000000000000000000 (supplied gas 16777216)",
		"eth_estimateGas", map[string]any{"from": a, "to": b, "value": "0x1bc16d674ec80000"})
}

// TestLogs asks for logs in every way.
func TestLogs(t *testing.T) {
	chain, c := start(t, Config{Tokens: []Token{testToken}})
	token, owner := chain.Token("TUSD"), chain.accounts[0].Address
	for i := range 3 {
		c.tell(chain, 0, &token, new(big.Int), erc20test.Transfer(stranger(byte(i)), big.NewInt(7)))
	}
	topic := erc20test.TransferTopic()
	transfer, from, to := common.Hash(topic), common.BytesToHash(owner[:]), func(n byte) common.Hash { return common.BytesToHash(stranger(n).Bytes()) }
	second := c.object(c.get("eth_getBlockByNumber", "0x2", false))["hash"]
	for name, tc := range map[string]struct {
		filter map[string]any
		want   []string // block numbers
	}{
		"all":           {map[string]any{"fromBlock": "earliest"}, []string{"0x1", "0x2", "0x3"}},
		"latest":        {map[string]any{}, []string{"0x3"}},
		"range":         {map[string]any{"fromBlock": "0x1", "toBlock": "0x2"}, []string{"0x1", "0x2"}},
		"hash":          {map[string]any{"blockHash": second}, []string{"0x2"}},
		"address":       {map[string]any{"fromBlock": "0x0", "address": token}, []string{"0x1", "0x2", "0x3"}},
		"other address": {map[string]any{"fromBlock": "0x0", "address": []any{stranger(1), stranger(2)}}, nil},
		"topics":        {map[string]any{"fromBlock": "0x0", "topics": []any{transfer, from, []any{to(0), to(2)}}}, []string{"0x1", "0x3"}},
		"any topic":     {map[string]any{"fromBlock": "0x0", "topics": []any{nil, []any{from, nil}, to(1)}}, []string{"0x2"}},
		"four topics":   {map[string]any{"fromBlock": "0x0", "topics": []any{nil, nil, nil, nil}}, nil},
		"safe":          {map[string]any{"fromBlock": "0x0", "toBlock": "safe"}, nil},
	} {
		var got []string
		for i, l := range c.get("eth_getLogs", tc.filter).([]any) {
			got = append(got, c.object(l)["blockNumber"].(string))
			mustEqual(t, name+": removed", c.object(l)["removed"], false)
			mustEqual(t, name+": index", c.object(l)["logIndex"], "0x0")
			if i == 0 {
				b := c.object(c.get("eth_getBlockByHash", c.object(l)["blockHash"], false))
				mustEqual(t, name+": transaction", c.object(l)["transactionHash"], b["transactions"].([]any)[0])
			}
		}
		mustEqual(t, name, got, tc.want)
	}
	unknown := common.HexToHash("0x01")
	c.fails(-32000, "unknown block", "eth_getLogs", map[string]any{"blockHash": unknown})
	c.fails(-32602, "can't specify fromBlock/toBlock with blockHash", "eth_getLogs", map[string]any{"blockHash": unknown, "fromBlock": "0x1"})
	c.fails(-32602, "invalid block range params", "eth_getLogs", map[string]any{"fromBlock": "0x2", "toBlock": "0x1"})
	c.fails(-32602, "pending logs are not supported", "eth_getLogs", map[string]any{"toBlock": "pending"})
	c.fails(-32602, "block range extends beyond current head block", "eth_getLogs", map[string]any{"fromBlock": "0x1", "toBlock": "0x63"})
	c.fails(-32000, "exceed max topics", "eth_getLogs", map[string]any{"topics": []any{nil, nil, nil, nil, nil}})
}

// TestLegacy sends the older forms of transactions.
func TestLegacy(t *testing.T) {
	chain, c := start(t, Config{})
	to := stranger(1)
	for i, data := range []types.TxData{
		&types.LegacyTx{Nonce: 0, GasPrice: gwei(5), Gas: 21000, To: &to, Value: ether(1)},
		&types.AccessListTx{ChainID: chain.config.ChainID, Nonce: 1, GasPrice: gwei(5), Gas: 30000, To: &to, Value: ether(1), AccessList: types.AccessList{{Address: to}}},
	} {
		tx := sign(t, chain, 0, data)
		c.get("eth_sendRawTransaction", raw(t, tx))
		mine(t, chain, 1)
		shown := c.object(c.get("eth_getTransactionByHash", tx.Hash()))
		mustEqual(t, "type", c.number(shown["type"]), big.NewInt(int64(i)))
		mustEqual(t, "price", c.number(shown["gasPrice"]), gwei(5))
		mustEqual(t, "chain id", shown["chainId"], "0x7a69")
		mustEqual(t, "raw", c.get("eth_getRawTransactionByHash", tx.Hash()), raw(t, tx).String())
		var decoded types.Transaction
		must(t, decoded.UnmarshalJSON(raws(t, c, "eth_getTransactionByHash", tx.Hash())))
		mustEqual(t, "hash", decoded.Hash(), tx.Hash())
	}
	mustEqual(t, "balance", c.balance(to, "latest"), ether(2))
}
