package api

import (
	"fmt"
	"strings"
	"testing"

	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
)

// TestPeerTransport holds the JSON-RPC surface against what the peer's library
// answers (peer specification 6.1, 6.2).
func TestPeerTransport(t *testing.T) {
	n := startNode(t)
	const find = `{"jsonrpc":"2.0","id":1,"method":"find","params":{"contract":"tokens","table":"balances","query":{"account":"bob","symbol":"BEE"}}}`
	long := "[" + strings.TrimSuffix(strings.Repeat(find+",", maxRPCBatch+1), ",") + "]"
	for _, test := range []struct {
		name, method, path, body string
		header                   []string
		status                   int
		want                     string
	}{
		{"find", "POST", "/contracts", find, nil, 200, `{"jsonrpc":"2.0","id":1,"result":[{"_id":`},
		{"trailing slash", "POST", "/contracts/", find, nil, 200, `"balance":"1000`},
		{"double slash", "POST", "//contracts", find, nil, 200, `"balance":"1000`},
		{"under rpc", "POST", "/rpc/contracts", find, nil, 200, `"balance":"1000`},
		{"under rpc2", "POST", "/rpc2//contracts/", find, nil, 200, `"balance":"1000`},
		{"dotted at the root", "POST", "/", strings.Replace(find, `"find"`, `"contracts.find"`, 1), nil, 200, `"balance":"1000`},
		{"dotted at /rpc", "POST", "/rpc", strings.Replace(find, `"find"`, `"contracts.find"`, 1), nil, 200, `"balance":"1000`},
		{"bare at the root", "POST", "/", find, nil, 200, `"error":{"code":-32601,"message":"Method not found"}`},
		{"array of one", "POST", "/contracts", "[" + find + "]", nil, 200, `[{"jsonrpc":"2.0","id":1,"result":[`},
		{"array of none", "POST", "/contracts", "[]", nil, 200, `"code":-32600`},
		{"array too long", "POST", "/contracts", long, nil, 200, `"code":-32099,"message":"Invalid request: Maximum batch length exceeded"`},
		{"notification", "POST", "/contracts", strings.Replace(find, `"id":1,`, "", 1), nil, 204, ""},
		{"not a request", "POST", "/contracts", `7`, nil, 200, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Invalid request"}}`},
		{"no version", "POST", "/contracts", `{"id":1,"method":"find"}`, nil, 200, `"code":-32600`},
		{"fraction as id", "POST", "/contracts", `{"jsonrpc":"2.0","id":1.5,"method":"find"}`, nil, 200, `"code":-32600`},
		{"text as params", "POST", "/contracts", `{"jsonrpc":"2.0","id":1,"method":"find","params":"x"}`, nil, 200, `"code":-32600`},
		{"broken JSON", "POST", "/contracts", `{"jsonrpc"`, nil, 500, `{"error":"Error processing requests"}`},
		{"too large", "POST", "/contracts", `{"a":"` + strings.Repeat("x", maxRPCBody) + `"}`, nil, 500, `{"error":"Error processing requests"}`},
		{"deep", "POST", "/contracts", strings.Repeat("[", 5000) + strings.Repeat("]", 5000), nil, 500, `Error processing`},
		{"wrong verb", "PUT", "/contracts", find, nil, 405, ""},
		{"wrong type", "POST", "/contracts", find, []string{"Content-Type", "text/plain"}, 415, ""},
		{"no params", "POST", "/contracts", `{"jsonrpc":"2.0","id":1,"method":"find"}`, nil, 200, `"code":-32603,"message":"Internal error"`},
		{"missing parts", "POST", "/contracts", `{"jsonrpc":"2.0","id":1,"method":"find","params":{"contract":"tokens"}}`, nil, 200, `"code":400,"message":"missing or wrong parameters: contract, table and query are required"`},
		{"limit", "POST", "/contracts", strings.Replace(find, `"query"`, `"limit":1001,"query"`, 1), nil, 200, `"message":"limit is too high, maximum limit is 1000"`},
		{"indexes as text", "POST", "/contracts", strings.Replace(find, `"query"`, `"indexes":"","query"`, 1), nil, 200, `"balance":"1000`},
		{"negative offset", "POST", "/contracts", strings.Replace(find, `"query"`, `"offset":-1,"query"`, 1), nil, 200, `"result":null`},
		{"unknown table", "POST", "/contracts", strings.Replace(find, "balances", "nothing", 1), nil, 200, `"result":null`},
		{"strange operator", "POST", "/contracts", strings.Replace(find, `{"account":"bob","symbol":"BEE"}`, `{"$where":"1"}`, 1), nil, 200, `"result":null`},
		{"findOne without a row", "POST", "/contracts", `{"jsonrpc":"2.0","id":1,"method":"findOne","params":{"contract":"tokens","table":"balances","query":{"account":"nobody"}}}`, nil, 200, `{"jsonrpc":"2.0","id":1,"result":null}`},
		{"project", "POST", "/contracts", strings.Replace(find, `"query"`, `"project":{"balance":1,"_id":0},"query"`, 1), nil, 200, `"result":[{"balance":"1000`},
		{"contract", "POST", "/contracts", `{"jsonrpc":"2.0","id":1,"method":"getContract","params":{"name":"tokens"}}`, nil, 200, `"codeHash":"`},
		{"block zero", "POST", "/blockchain", `{"jsonrpc":"2.0","id":1,"method":"getBlockInfo","params":{"blockNumber":0}}`, nil, 200, `"blockNumber":0,`},
		{"no such block", "POST", "/blockchain", `{"jsonrpc":"2.0","id":1,"method":"getBlockInfo","params":{"blockNumber":9999}}`, nil, 200, `"result":null`},
		{"block by text", "POST", "/blockchain", `{"jsonrpc":"2.0","id":1,"method":"getBlockInfo","params":{"blockNumber":"1"}}`, nil, 200, `"code":400,"message":"missing or wrong parameters: blockNumber is required"`},
		{"range too long", "POST", "/blockchain", `{"jsonrpc":"2.0","id":1,"method":"getBlockRangeInfo","params":{"startBlockNumber":0,"count":1001}}`, nil, 200, `count can not be over 1000`},
		{"status", "GET", "/", "", nil, 200, `{"lastBlockNumber":`},
		{"no gateway", "GET", "/v1/assets", "", nil, 503, `{"error":{"code":"no_gateway"`},
		{"no such path", "GET", "/v1/nothing", "", nil, 404, `"code":"not_found"`},
		{"own status", "GET", "/v1/status", "", nil, 200, `"chain_id":"api-test"`},
		{"proof", "GET", "/v1/proof?table=tokens_tokens&id=1", "", nil, 200, `"siblings"`},
		{"proof by text", "GET", "/v1/proof?table=tokens_tokens&id=x", "", nil, 400, `"code":"bad_request"`},
		{"proof of the base layer", "GET", "/v1/proof?table=accounts&id=1", "", nil, 200, `"section":"base"`},
		{"proof of the past", "GET", "/v1/proof?table=tokens_tokens&id=1&block=77", "", nil, 404, `newest block`},
		{"proof without a table", "GET", "/v1/proof?table=nothing&id=1", "", nil, 404, `"code":"not_found"`},
		{"no path at all", "GET", "/nothing", "", nil, 404, `{"error":{"code":"not_found","message":"no such path: GET /nothing"}}`},
		{"bare v1", "GET", "/v1/", "", nil, 404, `"code":"not_found"`},
		{"wrong verb at v1", "POST", "/v1/status", "", nil, 404, `"code":"not_found"`},
		{"batch of several", "POST", "/contracts", "[" + find + "," + strings.Replace(find, `"id":1,`, "", 1) + `,7]`, nil, 200, `]},{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Invalid request"}}]`},
		{"batch of notifications", "POST", "/contracts", "[" + strings.Replace(find, `"id":1,`, "", 1) + "]", nil, 204, ""},
		{"blocks", "POST", "/blockchain", `{"jsonrpc":"2.0","id":1,"method":"getBlockRangeInfo","params":{"startBlockNumber":0,"count":1000}}`, nil, 200, `"result":[{"_id":0,`},
		{"no blocks", "POST", "/blockchain", `{"jsonrpc":"2.0","id":1,"method":"getBlockRangeInfo","params":{"startBlockNumber":99,"count":3}}`, nil, 200, `"result":[]}`},
		{"hive: broken JSON", "POST", "/hive", `{"jsonrpc"`, nil, 200, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse Error"}}`},
		{"hive: too large", "POST", "/hive", `{"a":"` + strings.Repeat("x", maxHiveBody) + `"}`, nil, 200, `"code":-32600`},
		{"hive: no API", "POST", "/hive", `{"jsonrpc":"2.0","id":1,"method":"x_api.y"}`, nil, 200, `{"code":-32601,"message":"Could not find API x_api"}`},
		{"hive: no method", "POST", "/hive", `{"jsonrpc":"2.0","id":1,"method":"call","params":["condenser_api","y",[]]}`, nil, 200, `{"code":-32601,"message":"Could not find method condenser_api.y"}`},
		{"hive: old envelope", "POST", "/hive", `{"jsonrpc":"2.0","id":1,"method":"call","params":["database_api","get_accounts",[["bob"]]]}`, nil, 200, `"result":[{"name":"bob"`},
		{"hive: array for an object", "POST", "/hive", `{"jsonrpc":"2.0","id":1,"method":"call","params":["database_api","find_accounts",[["bob"]]]}`, nil, 200, `"result":{"accounts":[{"name":"bob"`},
		{"hive: no block", "POST", "/hive", `{"jsonrpc":"2.0","id":1,"method":"condenser_api.get_block","params":[999]}`, nil, 200, `"result":null}`},
		{"hive: no block in the newer form", "POST", "/hive", `{"jsonrpc":"2.0","id":1,"method":"block_api.get_block","params":{"block_num":999}}`, nil, 200, `"result":{}}`},
		{"hive: not a transaction", "POST", "/hive", `{"jsonrpc":"2.0","id":1,"method":"condenser_api.broadcast_transaction","params":[]}`, nil, 200, `"code":-32602,"message":"Bad Cast Exception: a signed transaction is expected"`},
		{"proof of nothing", "GET", "/v1/proof?table=tokens_tokens&id=99", "", nil, 200, `"row":null`},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, text, header := n.do(test.method, test.path, test.body, test.header...)
			if status != test.status || !strings.Contains(text, test.want) {
				t.Errorf("HTTP %d %.300s, want %d with %s", status, text, test.status, test.want)
			}
			if header.Get("Access-Control-Allow-Origin") != "*" {
				t.Error("no CORS header")
			}
		})
	}
	status, _, header := n.do("OPTIONS", "/contracts", "", "Access-Control-Request-Headers", "content-type,access-control-allow-origin")
	if status != 204 || header.Get("Access-Control-Allow-Headers") != "content-type,access-control-allow-origin" {
		t.Errorf("preflight: HTTP %d %v", status, header)
	}
}

// TestBroadcastAndReadBack signs, broadcasts and finds the result on every
// surface.
func TestBroadcastAndReadBack(t *testing.T) {
	n := startNode(t)
	id := n.transfer("1.5")
	_, text, _ := n.do("POST", "/blockchain", `{"jsonrpc":"2.0","id":1,"method":"getTransactionInfo","params":{"txid":"`+id+`"}}`)
	if !strings.Contains(text, `"transactionId":"`+id+`"`) || !strings.Contains(text, `\"quantity\":\"1.5\"`) {
		t.Error(text)
	}
	_, text, _ = n.do("POST", "/contracts", `{"jsonrpc":"2.0","id":1,"method":"findOne","params":{"contract":"tokens","table":"balances","query":{"account":"bob","symbol":"BEE"}}}`)
	if !strings.Contains(text, `"balance":"1001.50000000"`) {
		t.Error(text)
	}
	result, _, _ := n.hive("call", "condenser_api", "get_transaction", []any{id})
	if !strings.Contains(string(result), `["custom_json",`) || !strings.Contains(string(result), `"transaction_id":"`+id+`"`) {
		t.Errorf("%s", result)
	}
	result, _, _ = n.hive("transaction_status_api.find_transaction", id)
	if !strings.Contains(string(result), "within_irreversible_block") {
		t.Errorf("%s", result)
	}
	result, _, _ = n.hive("condenser_api.get_accounts", []any{[]any{"alice", "nobody"}}[0])
	if !strings.Contains(string(result), `"name":"alice"`) || strings.Contains(string(result), "nobody") {
		t.Errorf("%s", result)
	}
	result, _, _ = n.hive("account_by_key_api.get_key_references", []string{key(t, "alice", "posting").Public().String()})
	if string(result) != `{"accounts":[["alice"]]}` {
		t.Errorf("%s", result)
	}
	for _, method := range []string{"condenser_api.get_dynamic_global_properties", "database_api.get_dynamic_global_properties", "condenser_api.get_config", "condenser_api.get_version", "database_api.get_config", "database_api.get_version"} {
		if result, _, message := n.hive(method); message != "" || len(result) < 10 {
			t.Errorf("%s: %s %s", method, result, message)
		}
	}
	result, _, _ = n.hive("block_api.get_block_range", 1, 10)
	if !strings.Contains(string(result), `"custom_json_operation"`) {
		t.Errorf("%.300s", result)
	}
}

// TestRefusedTransactions holds each refusal against hived's code and the
// words that clients look for, and checks that nothing happened.
func TestRefusedTransactions(t *testing.T) {
	n := startNode(t)
	op := func(quantity string) *graphene.CustomJSON {
		return &graphene.CustomJSON{RequiredAuths: []string{"alice"}, RequiredPostingAuths: []string{}, ID: "ssc-api-test", JSON: transferJSON(quantity)}
	}
	alice := key(t, "alice", "active")
	n.transfer("1")
	expired := n.sign(alice, op("2"))
	expired.Expiration = "2020-01-01T00:00:00"
	tapos := n.sign(alice, op("3"))
	tapos.RefBlockPrefix++
	resign := func(tx *graphene.SignedTransaction) *graphene.SignedTransaction {
		signed, err := tx.Transaction.Sign(n.chainID, alice)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	unsigned := n.sign(alice, op("4"))
	unsigned.Signatures = []string{}
	twice := n.sign(alice, op("5"))
	if _, _, message := n.hive("condenser_api.broadcast_transaction_synchronous", twice); message != "" {
		t.Fatal(message)
	}
	large := op("6")
	large.JSON = `{"x":"` + strings.Repeat("y", 9000) + `"}`
	for _, test := range []struct {
		name string
		tx   any
		want string
	}{
		{"wrong role", n.sign(key(t, "alice", "posting"), op("7")), "missing required active authority"},
		{"wrong account", n.sign(key(t, "bob", "active"), op("8")), "missing required active authority"},
		{"unsigned", unsigned, "missing required active authority"},
		{"twice", twice, "duplicate transaction"},
		{"expired", resign(expired), "expir"},
		{"tapos", resign(tapos), "tapos"},
		{"large", func() any { s := n.sign(alice, op("9")); s.Operations[0] = large; return s }(), ""},
		{"no transaction", 7, ""},
		{"unknown operation", map[string]any{"ref_block_num": 0, "ref_block_prefix": 0, "expiration": "2030-01-01T00:00:00", "operations": []any{[]any{"pow", map[string]any{}}}, "extensions": []any{}, "signatures": []any{}}, ""},
	} {
		_, code, message := n.hive("condenser_api.broadcast_transaction_synchronous", test.tx)
		if code == 0 || !strings.Contains(strings.ToLower(message), strings.ToLower(test.want)) {
			t.Errorf("%s: code %d %q, want %q", test.name, code, message, test.want)
		}
	}
	_, text, _ := n.do("POST", "/contracts", `{"jsonrpc":"2.0","id":1,"method":"findOne","params":{"contract":"tokens","table":"balances","query":{"account":"bob","symbol":"BEE"}}}`)
	if want := fmt.Sprintf(`"balance":"%s"`, "1006.00000000"); !strings.Contains(text, want) {
		t.Errorf("%s, want %s", text, want)
	}
}

// FuzzRequest sends anything to every JSON-RPC handler: no panic, and always an
// answer of the library's form.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"x"}`, `[]`, `[1]`, `{"jsonrpc":"2.0","id":{},"method":7}`,
		`{"jsonrpc":"2.0","id":1,"method":"call","params":["a","b",["c"]]}`, `{"jsonrpc":"2.0","method":"x"}`,
	} {
		f.Add(seed)
	}
	methods := map[string]method{"x": echo, "condenser_api.y": echo}
	h := &rpcHandler{methods: methods, unknown: hiveUnknown(methods), maxBody: 1 << 16, rewrite: func(name string, params jsvalue.Value) (string, jsvalue.Value) {
		return unwrapCall(methods, name, params)
	}}
	f.Fuzz(func(t *testing.T, body string) {
		answerFuzzed(t, h, body)
	})
}
