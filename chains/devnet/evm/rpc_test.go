package evm

import (
	"bytes"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"causeway/chains/devnet/kit"
)

// TestErrors compares codes and texts with geth's.
func TestErrors(t *testing.T) {
	chain, c := start(t, Config{})
	mine(t, chain, 3)
	unknown, who := common.HexToHash("0x01"), stranger(1)
	c.fails(-32601, "the method eth_sign does not exist/is not available", "eth_sign")
	c.fails(-32601, "the method debug_traceTransaction does not exist/is not available", "debug_traceTransaction", unknown)
	c.fails(-32602, "missing value for required argument 1", "eth_getBalance", who)
	c.fails(-32602, "too many arguments, want at most 2", "eth_getBalance", who, "latest", 1)
	c.fails(-32602, "invalid argument 0: hex string has length 4, want 40 for common.Address", "eth_getBalance", "0x0102", "latest")
	c.fails(-32602, "invalid argument 1: hex number with leading zero digits", "eth_getBalance", who, "0x01")
	c.fails(-32000, "header not found", "eth_getBalance", who, "0x4")
	c.fails(-32000, "header for hash not found", "eth_getBalance", who, map[string]any{"blockHash": unknown})
	c.fails(-32000, "header not found", "eth_call", map[string]any{"to": who}, "0x4")
	c.fails(-32602, "state overrides are not supported", "eth_call", map[string]any{"to": who}, "latest", map[string]any{who.Hex(): map[string]any{"balance": "0x1"}})
	c.fails(-32000, "unknown account", "eth_sendTransaction", map[string]any{"from": who, "to": who})
	c.fails(-32000, "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified", "eth_sendTransaction",
		map[string]any{"from": chain.accounts[0].Address, "to": who, "gasPrice": "0x1", "maxFeePerGas": "0x1"})
	c.fails(-32000, "chainId does not match node's (have=1, want=31337)", "eth_sendTransaction", map[string]any{"from": chain.accounts[0].Address, "to": who, "chainId": "0x1"})
	c.fails(-32000, "invalid reward percentile: 101", "eth_feeHistory", "0x1", "latest", []any{101})
	c.fails(-32000, "request beyond head block: requested 9, head 3", "eth_feeHistory", "0x1", "0x9", []any{})
	c.fails(-32602, "at most 10000 blocks at once", "anvil_mine", 10_001)
	c.fails(-32602, "blocks are dated by the clock: no interval can be chosen", "anvil_mine", 2, 12)
	for _, method := range []string{"eth_getBlockByHash", "eth_getTransactionByHash", "eth_getTransactionReceipt", "eth_getBlockReceipts"} {
		args := []any{unknown}
		if method == "eth_getBlockByHash" {
			args = append(args, true)
		}
		mustEqual(t, method, c.get(method, args...), nil)
	}
	mustEqual(t, "block beyond", c.get("eth_getBlockByNumber", "0x4", false), nil)
	mustEqual(t, "receipts beyond", c.get("eth_getBlockReceipts", "0x4"), nil)
}

// TestConstants asks what never changes.
func TestConstants(t *testing.T) {
	chain, c := start(t, Config{ChainID: 1337})
	for method, want := range map[string]any{
		"eth_chainId": "0x539", "net_version": "1337", "eth_syncing": false, "net_listening": true, "net_peerCount": "0x0",
		"web3_clientVersion": clientVersion, "eth_maxPriorityFeePerGas": "0x3b9aca00", "eth_gasPrice": "0x77359400", "eth_blockNumber": "0x0",
	} {
		mustEqual(t, method, c.get(method), want)
	}
	accounts := c.get("eth_accounts").([]any)
	mustEqual(t, "accounts", len(accounts), 10)
	mustEqual(t, "first account", accounts[0], "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266")
	mustEqual(t, "last account", accounts[9], "0xa0ee7a142d267c1f36714e4a8f75612f20a79720")
	for _, a := range chain.Accounts() {
		mustEqual(t, "balance", c.balance(a.Address, "latest"), ether(10_000))
	}
}

// TestTags resolves tags at both ages of finality.
func TestTags(t *testing.T) {
	for name, tc := range map[string]struct {
		slots  uint64
		blocks int
		want   map[string]string
	}{
		"as anvil":      {0, 100, map[string]string{"latest": "0x64", "safe": "0x44", "finalized": "0x24", "earliest": "0x0", "pending": "0x65"}},
		"short chain":   {0, 10, map[string]string{"latest": "0xa", "safe": "0x0", "finalized": "0x0"}},
		"fast finality": {1, 10, map[string]string{"latest": "0xa", "safe": "0x9", "finalized": "0x8"}},
	} {
		chain, c := start(t, Config{SlotsInEpoch: tc.slots})
		mine(t, chain, tc.blocks)
		for tag, want := range tc.want {
			mustEqual(t, name+": "+tag, c.object(c.get("eth_getBlockByNumber", tag, false))["number"], want)
		}
	}
}

// TestPrunedStates misses what a node that prunes has thrown away; blocks and
// receipts stay.
func TestPrunedStates(t *testing.T) {
	chain, c := start(t, Config{KeptStates: 4})
	to := stranger(1)
	hash, err := chain.Fund(to, ether(1))
	must(t, err)
	mine(t, chain, 10)
	mustEqual(t, "oldest that is kept", c.balance(to, "0x7"), ether(1))
	root := strings.TrimPrefix(c.object(c.get("eth_getBlockByNumber", "0x6", false))["stateRoot"].(string), "0x")
	gone := "historical state " + root + " is not available"
	c.fails(-32000, gone, "eth_getBalance", to, "0x6")
	c.fails(-32000, gone, "eth_getBalance", to, map[string]any{"blockHash": chain.chain[6].Hash()})
	c.fails(-32000, gone, "eth_call", map[string]any{"to": to}, "0x6")
	c.fails(-32000, gone, "eth_getTransactionCount", to, "0x6")
	mustEqual(t, "receipt", c.object(c.get("eth_getTransactionReceipt", hash))["blockNumber"], "0x1")
	must(t, chain.Rollback(1))
	mustEqual(t, "after a rollback", c.balance(to, "0x6"), ether(1))
}

// TestSendTransaction finds what was not said.
func TestSendTransaction(t *testing.T) {
	chain, c := start(t, Config{Tokens: []Token{testToken}, Automine: true})
	from, to, token := chain.accounts[0].Address, stranger(1), chain.Token("TUSD")
	hash := c.get("eth_sendTransaction", map[string]any{"from": from, "to": to, "value": "0xde0b6b3a7640000"})
	receipt := c.object(c.get("eth_getTransactionReceipt", hash))
	mustEqual(t, "mined at once", receipt["blockNumber"], "0x1")
	hash = c.get("eth_sendTransaction", map[string]any{"from": from, "to": token, "data": hexutil.Bytes(tokenTransfer(to, 5)), "gasPrice": "0x77359400"})
	receipt = c.object(c.get("eth_getTransactionReceipt", hash))
	tx := c.object(c.get("eth_getTransactionByHash", hash))
	mustEqual(t, "gas is just enough", tx["gas"], receipt["gasUsed"])
	mustEqual(t, "type", tx["type"], "0x0")
	mustEqual(t, "tokens", c.tokens(token, to, "latest"), big.NewInt(5))
	c.get("evm_setAutomine", false)
	for i := range 3 {
		hash = c.get("eth_sendTransaction", map[string]any{"from": from, "to": to, "value": "0x1"})
		mustEqual(t, "nonce", c.number(c.object(c.get("eth_getTransactionByHash", hash))["nonce"]), big.NewInt(int64(i)+3))
	}
	mustEqual(t, "height", c.get("eth_blockNumber"), "0x2")
	mustEqual(t, "anvil_mine", c.get("anvil_mine", "0x2"), nil)
	mustEqual(t, "evm_mine", c.get("evm_mine", map[string]any{"blocks": 3}), "0x0")
	mustEqual(t, "hardhat_mine", c.get("hardhat_mine"), nil)
	mustEqual(t, "height", c.get("eth_blockNumber"), "0x8")
	mustEqual(t, "mined together", len(c.get("eth_getBlockReceipts", "0x3").([]any)), 3)
}

// TestFees looks at the base fee and its history.
func TestFees(t *testing.T) {
	chain, c := start(t, Config{})
	to := stranger(1)
	c.send(chain, 0, 0, &to, ether(1), nil)
	mine(t, chain, 3)
	history := c.object(c.get("eth_feeHistory", "0x3", "latest", []any{0, 50, 100}))
	mustEqual(t, "oldest", history["oldestBlock"], "0x1")
	fees := history["baseFeePerGas"].([]any)
	mustEqual(t, "base fees", len(fees), 4)
	for n := 1; n <= 3; n++ {
		mustEqual(t, "base fee", fees[n-1], c.object(c.get("eth_getBlockByNumber", rpcNumber(uint64(n)), false))["baseFeePerGas"])
	}
	mustEqual(t, "next base fee", c.number(fees[3]), chain.nextBaseFee())
	mustEqual(t, "rewards", history["reward"].([]any)[0], any([]any{"0x3b9aca00", "0x3b9aca00", "0x3b9aca00"}))
	mustEqual(t, "rewards of nothing", history["reward"].([]any)[1], any([]any{"0x0", "0x0", "0x0"}))
	mustEqual(t, "used", history["gasUsedRatio"], any([]any{21000.0 / 30_000_000, 0.0, 0.0}))
	mustEqual(t, "more than there are", c.object(c.get("eth_feeHistory", 50, "latest", []any{}))["oldestBlock"], "0x0")
	if chain.nextBaseFee().Cmp(gwei(1)) >= 0 {
		t.Error("the base fee did not fall")
	}
}

// TestHTTP looks at the transport: batches, and what a browser could do.
func TestHTTP(t *testing.T) {
	chain, _ := start(t, Config{})
	post := func(body, kind, host string) (int, string) {
		request, err := http.NewRequest(http.MethodPost, chain.URL(), strings.NewReader(body))
		must(t, err)
		request.Header.Set("Content-Type", kind)
		if host != "" {
			request.Host = host
		}
		response, err := http.DefaultClient.Do(request)
		must(t, err)
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		must(t, err)
		return response.StatusCode, string(text)
	}
	const block = `{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"}`
	status, text := post("["+block+`,{"jsonrpc":"2.0","id":2,"method":"eth_nothing"}]`, "application/json", "")
	var answers []map[string]any
	must(t, json.Unmarshal([]byte(text), &answers))
	mustEqual(t, "status", status, 200)
	mustEqual(t, "batch", answers[0]["result"], "0x0")
	if answers[1]["error"] == nil {
		t.Error("no error for an unknown method in a batch")
	}
	for name, tc := range map[string]struct {
		body, kind, host string
		want             int
	}{
		"as text":        {block, "text/plain", "", 415},
		"another name":   {block, "application/json", "evil.example:80", 403},
		"localhost":      {block, "application/json", "localhost:1", 200},
		"not JSON":       {"{", "application/json", "", 200},
		"larger than it": {strings.Repeat(" ", maxBody+1), "application/json", "", 413},
	} {
		if status, text := post(tc.body, tc.kind, tc.host); status != tc.want {
			t.Errorf("%s: HTTP %d, want %d: %.100s", name, status, tc.want, text)
		}
	}
}

// FuzzRPC sends anything to an honest chain and to one that bends its answers: what
// comes back is JSON, and the chain still works.
func FuzzRPC(f *testing.F) {
	chain, _ := start(f, Config{Tokens: []Token{testToken}})
	mine(f, chain, 3)
	for i, seed := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"eth_getLogs","params":[{"fromBlock":"0x0","address":[null],"topics":[[null],["0x00"]]}]}`,
		`{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{"to":"0x5FbDB2315678afecb367f032d93F642f64180aa3","data":"0x18160ddd","value":"0x-1"},"latest"]}`,
		`{"jsonrpc":"2.0","id":"a","method":"anvil_reorg","params":[{"depth":"0x1","txBlockPairs":[["0x",0]]}]}`,
		`[{"jsonrpc":"2.0","id":null,"method":"eth_getBlockByNumber","params":["pending",true]},{}]`,
		`{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["0x02c0"]}`,
		`{"jsonrpc":"2.0","id":1,"method":"eth_estimateGas","params":[{"to":null,"data":"0xfe","gas":"0xffffffffffffffff","maxFeePerGas":"0x1"}]}`,
		`{"jsonrpc":"2.0","id":1,"method":"eth_feeHistory","params":["0xffffffffffffffff","latest",[0,1e-9,100]]}`,
		`{"jsonrpc":"2.0","id":1,"method":"anvil_setBalance","params":["0x5FbDB2315678afecb367f032d93F642f64180aa3","-1"]}`,
	} {
		f.Add([]byte(seed), byte(i))
	}
	f.Fuzz(func(t *testing.T, body []byte, fault byte) {
		if bytes.Contains(body, []byte("ine")) || bytes.Contains(body, []byte("nterval")) {
			return // would mine for too long
		}
		if mode := kit.Faults()[int(fault)%len(kit.Faults())]; mode != kit.FaultDown {
			must(t, chain.SetFault(mode))
		}
		request, err := http.NewRequest(http.MethodPost, "http://127.0.0.1/", bytes.NewReader(body))
		must(t, err)
		request.Header.Set("Content-Type", "application/json")
		w := &recorder{header: http.Header{}, status: 200}
		chain.server.ServeHTTP(w, request)
		if answer := w.body.Bytes(); w.status == 200 && len(answer) > 0 && !json.Valid(answer) {
			t.Fatalf("%q is answered by %q", body, answer)
		}
		if strings.Contains(w.body.String(), "method handler crashed") {
			t.Fatalf("%q made a method crash", body)
		}
	})
}
