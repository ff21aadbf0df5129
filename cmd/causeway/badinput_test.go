package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/address/v2/bech32"

	"causeway/sidechain/graphene"
)

// accountShare is how many sidechain transactions of one account a block takes.
const accountShare = 20

// submit signs a call of a contract and does not wait for its block: many are
// judged in one.
func (p *process) submit(from string, key graphene.PrivateKey, contract, action, payload string) (id string) {
	p.t.Helper()
	tx := p.signTransfer(from, "1", key, p.baseID, time.Minute)
	tx.Operations[0].(*graphene.CustomJSON).JSON = fmt.Sprintf(`{"contractName":%q,"contractAction":%q,"contractPayload":%s}`, contract, action, payload)
	signed, err := tx.Transaction.Sign(p.baseID, key)
	must(p.t, err)
	if err := p.call(p.t.Context(), "/hive", "condenser_api.broadcast_transaction", []any{signed}, nil); err != nil {
		p.t.Fatalf("%s.%s %.200s: %v", contract, action, payload, err)
	}
	return signed.ID()
}

// errorsOf waits until the sidechain has a transaction and returns what its
// contract said against it.
func (p *process) errorsOf(id string) []string {
	p.t.Helper()
	var info *struct{ Logs string }
	must(p.t, poll(p.t.Context(), stepWait, func() (bool, error) {
		err := p.call(p.t.Context(), "/blockchain", "getTransactionInfo", map[string]any{"txid": id}, &info)
		return info != nil, err
	}))
	var logs struct {
		Errors []string
		Events []any
	}
	must(p.t, json.Unmarshal([]byte(info.Logs), &logs))
	if len(logs.Errors) > 0 && len(logs.Events) > 0 {
		p.t.Errorf("transaction %s was refused and has events: %s", id, info.Logs)
	}
	return logs.Errors
}

// witness is a segwit address of regtest with any version and program.
func witness(t *testing.T, version byte, program []byte, encode func(string, []byte) (string, error)) string {
	t.Helper()
	bits, err := bech32.ConvertBits(program, 8, 5, true)
	must(t, err)
	text, err := encode("bcrt", append([]byte{version}, bits...))
	must(t, err)
	return text
}

func TestBadWithdrawals(t *testing.T) {
	t.Parallel()
	p := serveDev(t, t.TempDir())
	p.deposit("alice", "1")
	good := witness(t, 0, bytes.Repeat([]byte{7}, 20), bech32.Encode)
	flipped := good[:len(good)-1] + "q"
	if flipped == good {
		flipped = good[:len(good)-1] + "p"
	}
	payload := func(symbol, quantity, to string) string {
		text, err := json.Marshal(map[string]string{"symbol": symbol, "quantity": quantity, "address": to})
		must(t, err)
		return string(text)
	}
	to := func(address string) string { return payload("SWAP.BTC", "0.1", address) }
	much := func(quantity string) string { return payload("SWAP.BTC", quantity, good) }
	raw := func(quantity string) string {
		return fmt.Sprintf(`{"symbol":"SWAP.BTC","quantity":%s,"address":%q}`, quantity, good)
	}
	tests := []struct{ payload, want string }{
		{to("bc1q6xj6exspt7kzaaang9nnvd239g23raqlcdxfyp"), "of another chain or network"},
		{to("1L7WhLh7rQJ4B4onjWAYtXRgb73aRaRgDL"), "of another chain or network"},
		{to("rltc1q6xj6exspt7kzaaang9nnvd239g23raql7pz8x5"), "invalid address"},
		{to("0x52908400098527886E0F7030069857D2E4169EE7"), "invalid address"},
		{to(flipped), "wrong checksum"},
		{to("mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfo"), "wrong checksum"},
		{to(strings.ToUpper(good[:20]) + good[20:]), "mixed upper and lower case"},
		{to(witness(t, 2, bytes.Repeat([]byte{7}, 32), bech32.EncodeM)), "not supported"},
		{to(witness(t, 1, bytes.Repeat([]byte{7}, 20), bech32.EncodeM)), "not supported"},
		{to(witness(t, 1, bytes.Repeat([]byte{7}, 32), bech32.Encode)), "invalid address"},
		{to(witness(t, 0, bytes.Repeat([]byte{7}, 20), bech32.EncodeM)), "invalid address"},
		{to(""), "invalid address"},
		{to(" " + good), "invalid address"},
		{to(strings.Repeat("q", 3000)), "invalid address"},
		{to("\x00\u202e" + good), "invalid address"},
		{much("0.00021"), "below the minimum"},
		{much("0.000000001"), "invalid quantity"},
		{much("1e1000000000"), "invalid quantity"},
		{much("1e-1000000000"), "invalid quantity"},
		{much("-1e1000000000"), "invalid quantity"},
		{much("ten"), "invalid quantity"},
		{much("NaN"), "invalid quantity"},
		{much("Infinity"), "invalid quantity"},
		{much("-0.1"), "invalid quantity"},
		{much("0x10"), "invalid quantity"},
		{much(""), "invalid quantity"},
		{much("0"), "below the minimum"},
		{much(strings.Repeat("9", 4000)), "invalid quantity"},
		{much("1.00000001"), "overdrawn balance"},
		{raw("0.1"), "invalid params"},
		{raw("1e400"), "invalid params"},
		{raw("null"), "invalid params"},
		{raw(`["0.1"]`), "invalid params"},
		{raw(`{"$gt":"0"}`), "invalid params"},
		{payload("SWAP.XMR", "0.1", good), "not a pegged token"},
		{payload("BEE", "0.1", good), "not a pegged token"},
		{payload("", "0.1", good), "not a pegged token"},
		{`{}`, "invalid params"},
		{`[]`, "active key"},
		{`{"symbol":"SWAP.BTC","quantity":"0.1","address":"` + good + `","maxFee":"0.0001"}`, "higher than maxFee"},
		{`{"symbol":"SWAP.BTC","quantity":"0.1","address":"` + good + `","maxFee":"1e1000000000"}`, "maxFee"},
		{`{"symbol":"SWAP.BTC","quantity":"0.1","address":"` + good + `","ref":{"$ne":1}}`, "invalid ref"},
	}
	var ids []string
	for start := 0; start < len(tests); start += accountShare {
		some := tests[start:min(start+accountShare, len(tests))]
		for _, test := range some {
			ids = append(ids, p.submit("alice", p.key("alice"), "pegs", "withdraw", test.payload))
		}
		for i, test := range some {
			said := p.errorsOf(ids[start+i])
			if len(said) == 0 || !strings.Contains(strings.Join(said, "; "), test.want) {
				t.Errorf("withdraw %.120s: errors %q, want %q", test.payload, said, test.want)
			}
		}
	}
	// The gate refuses what it does not understand.
	for memo, want := range map[string]string{
		"": "invalid memo for the gate", "BTC": "invalid memo for the gate", "LTC " + good: "invalid memo for the gate",
		"BTC " + flipped: "wrong checksum", "BTC  " + good: "invalid",
	} {
		text, _ := json.Marshal(map[string]string{"symbol": "SWAP.BTC", "to": "peg", "quantity": "0.1", "memo": memo})
		if said := p.errorsOf(p.submit("alice", p.key("alice"), "tokens", "transfer", string(text))); !strings.Contains(strings.Join(said, "; "), want) {
			t.Errorf("memo %q: errors %q, want %q", memo, said, want)
		}
	}
	// Nobody but an attestor mints, nobody but the contract issues.
	for _, test := range []struct{ contract, action, payload, want string }{
		{"pegs", "mint", `{"id":"btc:` + strings.Repeat("a", 64) + `:0","symbol":"SWAP.BTC","quantity":"1.00000000","to":"alice"}`, "attestor"},
		{"pegs", "giveBack", `{"id":"` + ids[0] + `","reason":"please"}`, "attestor"},
		{"tokens", "issue", `{"symbol":"SWAP.BTC","to":"alice","quantity":"1"}`, "not allowed"},
		{"pegs", "collectFees", `{"symbol":"SWAP.BTC","quantity":"0.1","to":"alice"}`, "admin"},
		{"tokens", "transfer", `{"symbol":"SWAP.BTC","to":"bob","quantity":"1e1000000000"}`, "overdrawn"},
	} {
		if said := p.errorsOf(p.submit("alice", p.key("alice"), test.contract, test.action, test.payload)); !strings.Contains(strings.Join(said, "; "), test.want) {
			t.Errorf("%s.%s: errors %q, want %q", test.contract, test.action, said, test.want)
		}
	}
	p.wantBalance("alice", "SWAP.BTC", "1.00000000")
	p.wantBalance("pegfees", "SWAP.BTC", "0")
	var page struct{ Items []any }
	must(t, p.get(t.Context(), "/v1/withdrawals", &page))
	if len(page.Items) != 0 {
		t.Errorf("withdrawals: %s", show(page))
	}
	r := p.awaitAudit(true)
	if a := bookOf(t, r.Audit, "btc"); a.Supply != "1.00000000" || a.Reserves != "1.00000000" || a.Surplus != "0.00000000" {
		t.Errorf("books: %s", show(a))
	}
}

// TestBadTransactions sends what no block may hold.
func TestBadTransactions(t *testing.T) {
	t.Parallel()
	p := serveDev(t, t.TempDir())
	sign := func(quantity string) *graphene.SignedTransaction {
		return p.signTransfer("alice", quantity, p.key("alice"), p.baseID, time.Minute)
	}
	// tamper changes the JSON of a good transaction.
	tamper := func(change func(tx map[string]any)) json.RawMessage {
		text, err := sign("1").MarshalJSON()
		must(t, err)
		var tx map[string]any
		must(t, json.Unmarshal(text, &tx))
		change(tx)
		text, err = json.Marshal(tx)
		must(t, err)
		return text
	}
	replayed := sign("0.5")
	must(t, p.call(t.Context(), "/hive", "condenser_api.broadcast_transaction_synchronous", []any{replayed}, nil))
	pending := sign("0.25")
	must(t, p.call(t.Context(), "/hive", "condenser_api.broadcast_transaction", []any{pending}, nil))
	operation := func(tx map[string]any) map[string]any {
		return tx["operations"].([]any)[0].([]any)[1].(map[string]any)
	}
	other := p.baseID
	other[0] ^= 1
	tests := []struct {
		name string
		tx   any
		want string
	}{
		{"unsigned", tamper(func(tx map[string]any) { tx["signatures"] = []string{} }), "missing required active authority"},
		{"no signatures", tamper(func(tx map[string]any) { delete(tx, "signatures") }), ""},
		{"another's key", p.signTransfer("alice", "1", p.key("bob"), p.baseID, time.Minute), "missing required active authority"},
		{"another network", p.signTransfer("alice", "1", p.key("alice"), other, time.Minute), "missing required active authority"},
		{"hive's network", p.signTransfer("alice", "1", p.key("alice"), [32]byte{0xbe, 0xea, 0xb0, 0xde}, time.Minute), "missing required active authority"},
		{"changed after signing", tamper(func(tx map[string]any) {
			operation(tx)["json"] = strings.Replace(operation(tx)["json"].(string), "bob", "carol", 1)
		}), "missing required active authority"},
		{"malformed signature", tamper(func(tx map[string]any) { tx["signatures"] = []string{"zz"} }), ""},
		{"zero signature", tamper(func(tx map[string]any) { tx["signatures"] = []string{strings.Repeat("00", 65)} }), ""},
		{"the same signature twice", tamper(func(tx map[string]any) {
			tx["signatures"] = append(tx["signatures"].([]any), tx["signatures"].([]any)[0])
		}), "signature"},
		{"expired", p.signTransfer("alice", "1", p.key("alice"), p.baseID, -time.Second), "expir"},
		{"too far ahead", p.signTransfer("alice", "1", p.key("alice"), p.baseID, 2*time.Hour), "expir"},
		{"replayed", replayed, "uplicate"},
		{"pending", pending, "uplicate"},
		{"no such block", tamper(func(tx map[string]any) { tx["ref_block_prefix"] = 7 }), "tapos"},
		{"no such account", p.signTransfer("nobody-here", "1", p.key("alice"), p.baseID, time.Minute), "nobody-here"},
		{"null signs", p.signTransfer("null", "1", p.key("alice"), p.baseID, time.Minute), "null"},
		{"no authority", tamper(func(tx map[string]any) { operation(tx)["required_auths"] = []string{} }), ""},
		{"json that is not", tamper(func(tx map[string]any) { operation(tx)["json"] = "{" }), ""},
		{"json too long", tamper(func(tx map[string]any) { operation(tx)["json"] = `"` + strings.Repeat("x", 9000) + `"` }), "8192"},
		{"unknown operation", tamper(func(tx map[string]any) {
			tx["operations"] = []any{[]any{"witness_update", map[string]any{"owner": "alice"}}}
		}), "witness_update"},
		{"no operations", tamper(func(tx map[string]any) { tx["operations"] = []any{} }), ""},
		{"too many operations", tamper(func(tx map[string]any) {
			for range 12 {
				tx["operations"] = append(tx["operations"].([]any), tx["operations"].([]any)...)
			}
		}), ""},
		{"a number", 7, ""},
		{"nothing", nil, ""},
		{"a list", []any{}, ""},
		{"bad expiration", tamper(func(tx map[string]any) { tx["expiration"] = "soon" }), ""},
		{"year 9999", tamper(func(tx map[string]any) { tx["expiration"] = "9999-12-31T23:59:59" }), ""},
		{"negative block", tamper(func(tx map[string]any) { tx["ref_block_num"] = -1 }), ""},
		{"big block", tamper(func(tx map[string]any) { tx["ref_block_num"] = 70000 }), ""},
	}
	for _, test := range tests {
		for _, method := range []string{"condenser_api.broadcast_transaction", "condenser_api.broadcast_transaction_synchronous"} {
			err := p.call(t.Context(), "/hive", method, []any{test.tx}, nil)
			if err == nil {
				t.Errorf("%s: %s took it", test.name, method)
				break
			}
			text := err.Error()
			if !strings.Contains(text, test.want) || strings.Contains(text, "Internal error") || strings.Contains(text, "HTTP") {
				t.Errorf("%s: %s, want %q", test.name, text, test.want)
			}
		}
	}
	// Only the two good ones were executed.
	must(t, poll(t.Context(), stepWait, func() (bool, error) {
		balance, err := p.balance(t.Context(), "bob", "BEE")
		return balance == "10000.75000000", err
	}))
	p.wantBalance("alice", "BEE", "9999.25000000")
	p.wantBalance("carol", "BEE", "10000.00000000")
}

// ask sends a body and returns status and answer.
func (p *process) ask(verb, path, contentType, body string) (int, string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), verb, p.url+path, strings.NewReader(body))
	must(p.t, err)
	req.Header.Set("Content-Type", contentType)
	res, err := p.http.Do(req)
	must(p.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	must(p.t, err)
	return res.StatusCode, string(text)
}

// TestBadRequests sends malformed and oversized requests to every surface.
func TestBadRequests(t *testing.T) {
	t.Parallel()
	p := serveDev(t, t.TempDir())
	rpc := []struct{ body, want string }{
		{"", "rror"}, {"null", "-32600"}, {"7", "-32600"}, {`"x"`, "-32600"}, {"[]", "-32600"}, {"[7]", "-32600"}, {"{}", "-32600"},
		{`{"jsonrpc":"2.0","id":1,"method":`, "rror"}, {"\xff\xfe\x00", "rror"},
		{`{"jsonrpc":"2.0","id":1}`, "-32600"}, {`{"jsonrpc":"2.0","id":1,"method":7}`, "-32600"},
		{`{"jsonrpc":"2.0","id":{},"method":"getStatus"}`, "-32600"}, {`{"jsonrpc":"2.0","id":1,"method":"getStatus","params":7}`, "-32600"},
		{`{"jsonrpc":"2.0","id":1,"method":"constructor"}`, "-32601"}, {`{"jsonrpc":"2.0","id":1,"method":"__proto__"}`, "-32601"},
		{`{"jsonrpc":"2.0","id":1,"method":"` + strings.Repeat("m", 50_000) + `"}`, "-32601"},
		{strings.Repeat("[", 50_000), "rror"}, {strings.Repeat(`{"a":`, 15_000), "rror"},
		{"[" + strings.Repeat(`{"jsonrpc":"2.0","id":1,"method":"x"},`, 1000) + "1]", "-32099"},
		{`{"x":"` + strings.Repeat("x", 4<<20) + `"}`, "rror"},
	}
	for _, path := range []string{"/", "/blockchain", "/contracts", "/rpc/contracts", "/rpc2//blockchain/", "/hive"} {
		for _, test := range rpc {
			status, answer := p.ask(http.MethodPost, path, "application/json", test.body)
			if !json.Valid([]byte(answer)) || !strings.Contains(answer, test.want) || len(answer) > 64<<10 {
				t.Errorf("POST %s %.80q: %d %.300s, want %s", path, test.body, status, answer, test.want)
			}
		}
	}
	calls := []struct{ path, method, params, want string }{
		{"/blockchain", "getBlockInfo", `{"blockNumber":"1"}`, "400"},
		{"/blockchain", "getBlockInfo", `{"blockNumber":1e308}`, "400"},
		{"/blockchain", "getBlockInfo", `{"blockNumber":-1}`, "400"},
		{"/blockchain", "getBlockInfo", `{"blockNumber":999999}`, `"result":null`},
		{"/blockchain", "getBlockRangeInfo", `{"startBlockNumber":0,"count":1000000}`, "400"},
		{"/blockchain", "getTransactionInfo", `{"txid":{"$ne":1}}`, "400"},
		{"/blockchain", "getTransactionInfo", `{"txid":"zz"}`, `"result":null`},
		{"/contracts", "find", `{"contract":"tokens","table":"balances","query":{},"limit":1000000}`, "400"},
		{"/contracts", "find", `{"contract":"tokens","table":"balances","query":{"$where":"1"}}`, `"result":null`},
		{"/contracts", "find", `{"contract":"tokens","table":"balances","query":{"account":{"$regex":"(a+)+$"}}}`, `"result":null`},
		{"/contracts", "find", `{"contract":"tokens","table":"nope","query":{}}`, `"result":null`},
		{"/contracts", "findOne", `{"contract":"no","table":"nope","query":{}}`, `"result":null`},
		{"/contracts", "findOne", `{"contract":"tokens","table":"balances","query":"x"}`, "400"},
		{"/contracts", "find", `{"contract":"tokens","table":"balances","query":` + strings.Repeat(`{"a":`, 400) + "1" + strings.Repeat("}", 400) + `}`, `"result"`},
		{"/hive", "condenser_api.get_block", `["x"]`, "-32602"},
		{"/hive", "condenser_api.get_block", `[999999]`, `"result":null`},
		{"/hive", "condenser_api.get_accounts", `[7]`, "-32602"},
		{"/hive", "condenser_api.get_accounts", `[["nobody-here"]]`, `"result":[]`},
		{"/hive", "condenser_api.get_transaction", `["` + strings.Repeat("0", 40) + `"]`, "Unknown Transaction"},
		{"/hive", "block_api.get_block_range", `{"starting_block_num":1,"count":1000000}`, "-32602"},
		{"/hive", "condenser_api.lookup_accounts", `["",1000000]`, "-32602"},
		{"/hive", "call", `["condenser_api"]`, "-32601"},
		{"/hive", "call", `[1,2,3]`, "-32601"},
		{"/hive", "call", `["nope","nope",[]]`, "-32601"},
	}
	for _, c := range calls {
		body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, c.method, c.params)
		if status, answer := p.ask(http.MethodPost, c.path, "application/json", body); status != http.StatusOK || !json.Valid([]byte(answer)) || !strings.Contains(answer, c.want) {
			t.Errorf("%s %.100s: %d %.300s, want %s", c.method, c.params, status, answer, c.want)
		}
	}
	p.badREST()
	// It still works.
	p.wantBalance("alice", "BEE", "10000.00000000")
	if status, answer := p.ask(http.MethodGet, "/v1/status", "", ""); status != http.StatusOK {
		t.Errorf("status: %d %s", status, answer)
	}
}

// badREST holds the errors of /v1 against the design's one shape.
func (p *process) badREST() {
	p.t.Helper()
	for _, c := range []struct {
		verb, path, body string
		status           int
		code             string
	}{
		{"POST", "/v1/deposit-addresses", `{"chain":"btc","account":"nobody"}`, 404, "unknown_account"},
		{"POST", "/v1/deposit-addresses", `{"chain":"btc","account":"null"}`, 404, "unknown_account"},
		{"POST", "/v1/deposit-addresses", `{"chain":"btc","account":"pegfees"}`, 404, "unknown_account"},
		{"POST", "/v1/deposit-addresses", `{"chain":"btc","account":"peg"}`, 404, "unknown_account"},
		{"POST", "/v1/deposit-addresses", `{"chain":"btc","account":"ALICE"}`, 404, "unknown_account"},
		{"POST", "/v1/deposit-addresses", `{"chain":"xmr","account":"alice"}`, 404, "unknown_chain"},
		{"POST", "/v1/deposit-addresses", `{"chain":"xrp","account":"alice"}`, 404, "unknown_chain"},
		{"POST", "/v1/deposit-addresses", `{"chain":"btc"}`, 400, "bad_request"},
		{"POST", "/v1/deposit-addresses", `{"chain":7,"account":"alice"}`, 400, "bad_request"},
		{"POST", "/v1/deposit-addresses", `{`, 400, "bad_request"},
		{"POST", "/v1/deposit-addresses", ``, 400, "bad_request"},
		{"POST", "/v1/deposit-addresses", strings.Repeat(" ", 1<<20), 413, "bad_request"},
		{"GET", "/v1/deposits/btc:" + strings.Repeat("0", 64) + ":0", "", 404, "not_found"},
		{"GET", "/v1/deposits/%00%ff", "", 404, "not_found"},
		{"GET", "/v1/withdrawals/" + strings.Repeat("f", 5000), "", 404, "not_found"},
		{"GET", "/v1/deposits?limit=501", "", 400, "bad_request"},
		{"GET", "/v1/deposits?limit=0", "", 400, "bad_request"},
		{"GET", "/v1/deposits?limit=1e3", "", 400, "bad_request"},
		{"GET", "/v1/withdrawals?cursor=-1", "", 400, "bad_request"},
		{"GET", "/v1/withdrawals?cursor=1e1000000000", "", 400, "bad_request"},
		{"GET", "/v1/proof", "", 400, "bad_request"},
		{"GET", "/v1/proof?table=nope&id=1", "", 404, "not_found"},
		{"GET", "/v1/nope", "", 404, "not_found"},
		{"PATCH", "/v1/deposits", "", 404, "not_found"},
	} {
		status, answer := p.ask(c.verb, c.path, "application/json", c.body)
		var e struct {
			Error struct{ Code, Message string }
		}
		if err := json.Unmarshal([]byte(answer), &e); err != nil || status != c.status || e.Error.Code != c.code || e.Error.Message == "" {
			p.t.Errorf("%s %.60s %.60s: %d %.200s, want %d %s", c.verb, c.path, c.body, status, answer, c.status, c.code)
		}
	}
}
