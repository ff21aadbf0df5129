package devnet

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"causeway/chains/devnet/kit"
)

func TestEnvelope(t *testing.T) {
	_, c := start(t, Config{})
	count := `"method":"getblockcount"`
	for _, test := range []struct {
		body   string
		status int
		answer string
	}{
		{`{"jsonrpc":"1.0",` + count + `,"params":[],"id":"a"}`, 200, `{"result":120,"error":null,"id":"a"}`},
		{`{` + count + `}`, 200, `{"result":120,"error":null,"id":null}`},
		{`{` + count + `,"id":null,"params":null}`, 200, `{"result":120,"error":null,"id":null}`},
		{`{"jsonrpc":"2.0",` + count + `,"id":1.5}`, 200, `{"jsonrpc":"2.0","result":120,"id":1.5}`},
		{`{"jsonrpc":"2.0",` + count + `}`, 204, ``},
		{`{"jsonrpc":"2.0",` + count + `,"params":{},"id":3}`, 200, `{"jsonrpc":"2.0","result":120,"id":3}`},
		{`{"jsonrpc":"2.0","method":"nope","id":3}`, 404, `{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":3}`},
		{`{"method":"nope","id":3}`, 404, `{"result":null,"error":{"code":-32601,"message":"Method not found"},"id":3}`},
		{`{"method":"getblockhash","params":[-1],"id":3}`, 500, `{"result":null,"error":{"code":-8,"message":"Block height out of range"},"id":3}`},
		{`{"method":"getblockhash","params":{"height":-1},"id":3}`, 500, `{"result":null,"error":{"code":-8,"message":"Block height out of range"},"id":3}`},
		{`{"method":"getblockhash","params":{"hight":1},"id":3}`, 500, `{"result":null,"error":{"code":-8,"message":"Unknown named parameter hight"},"id":3}`},
		{`{"method":"getblock","params":{"verbose":7,"blockhash":"00"},"id":3}`, 500, `{"result":null,"error":{"code":-8,"message":"blockhash must be of length 64 (not 2, for '00')"},"id":3}`},
		{`{"method":"getblockhash","params":["1"],"id":3}`, 500, `{"result":null,"error":{"code":-3,"message":"Position 1 (height): JSON value of type string is not of expected type number"},"id":3}`},
		{`{"method":"getblockhash","params":[1e3],"id":3}`, 500, `{"result":null,"error":{"code":-3,"message":"Position 1 (height): JSON integer out of range"},"id":3}`},
		{`{"method":"getblockhash","params":[],"id":3}`, 500, `{"result":null,"error":{"code":-1,"message":"getblockhash height"},"id":3}`},
		{`{"method":"getblockhash","params":[null],"id":3}`, 500, `{"result":null,"error":{"code":-1,"message":"getblockhash height"},"id":3}`},
		{`{"method":"getblockhash","params":[1,2],"id":3}`, 500, `{"result":null,"error":{"code":-1,"message":"too many parameters: at most 1"},"id":3}`},
		{`{"method":"getblockhash","params":3,"id":3}`, 400, `{"result":null,"error":{"code":-32600,"message":"Params must be an array or object"},"id":3}`},
		{`{"method":5,"id":3}`, 400, `{"result":null,"error":{"code":-32600,"message":"Method must be a string"},"id":3}`},
		{`{"id":3}`, 400, `{"result":null,"error":{"code":-32600,"message":"Missing method"},"id":3}`},
		{`{` + count + `,"id":[1]}`, 400, `{"result":null,"error":{"code":-32600,"message":"Id must be a string, a number or null"},"id":null}`},
		{`{` + count + `,"jsonrpc":"3.0","id":1}`, 400, `{"result":null,"error":{"code":-32600,"message":"JSON-RPC version not supported"},"id":1}`},
		{`{"method":`, 500, `{"result":null,"error":{"code":-32700,"message":"Parse error"},"id":null}`},
		{``, 500, `{"result":null,"error":{"code":-32700,"message":"Parse error"},"id":null}`},
		{`3`, 500, `{"result":null,"error":{"code":-32700,"message":"Top-level object parse error"},"id":null}`},
		{`[]`, 400, `{"result":null,"error":{"code":-32600,"message":"Batch must have 1 to 1000 requests"},"id":null}`},
		{`[{` + count + `,"id":1}, 7, {"jsonrpc":"2.0",` + count + `}, {"method":"nope","id":2}]`, 200,
			`[{"result":120,"error":null,"id":1},{"result":null,"error":{"code":-32600,"message":"Invalid Request object"},"id":null},{"result":null,"error":{"code":-32601,"message":"Method not found"},"id":2}]`},
		{`[{"jsonrpc":"2.0",` + count + `}]`, 204, ``},
		{strings.Repeat(`[`, 20000) + strings.Repeat(`]`, 20000), 500, `{"result":null,"error":{"code":-32700,"message":"Parse error"},"id":null}`},
	} {
		status, answer, err := c.post(test.body)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(string(answer)); status != test.status || got != test.answer {
			t.Errorf("%.200s\n got %d %s\nwant %d %s", test.body, status, got, test.status, test.answer)
		}
	}
}

func TestHTTP(t *testing.T) {
	chain, c := start(t, Config{User: "user", Pass: "päss:@/"})
	plain, err := url.Parse(c.url)
	if err != nil {
		t.Fatal(err)
	}
	plain.User = nil
	do := func(method, path, user, pass, body string) int {
		req, err := http.NewRequest(method, plain.String()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if user != "" {
			req.SetBasicAuth(user, pass)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	body := `{"method":"getblockcount"}`
	mustEqual(t, "right", do("POST", "/", "user", "päss:@/", body), 200)
	mustEqual(t, "wallet path", do("POST", "/wallet/x", "user", "päss:@/", body), 200)
	mustEqual(t, "wrong password", do("POST", "/", "user", "pass", body), 401)
	mustEqual(t, "wrong user", do("POST", "/", "User", "päss:@/", body), 401)
	mustEqual(t, "nobody", do("POST", "/", "", "", body), 401)
	mustEqual(t, "GET", do("GET", "/", "user", "päss:@/", ""), 405)
	mustEqual(t, "other path", do("POST", "/rest", "user", "päss:@/", body), 404)
	mustEqual(t, "too large", do("POST", "/", "user", "päss:@/", strings.Repeat(" ", maxBody+1)), 413)
	mustEqual(t, "just fits", do("POST", "/", "user", "päss:@/", strings.Repeat(" ", maxBody-len(body))+body), 200)
	mustEqual(t, "url", chain.URL() == c.url, true)
}

func TestHelp(t *testing.T) {
	_, c := start(t, Config{})
	lines := strings.Split(c.text("help"), "\n")
	for _, name := range strings.Fields(`generatetoaddress sendtoaddress getnewaddress getblockcount getbestblockhash
		getblockhash getblock getblockheader getrawtransaction getrawmempool sendrawtransaction gettxout invalidateblock
		reconsiderblock estimatesmartfee getblockchaininfo getnetworkinfo getchaintips validateaddress testmempoolaccept help`) {
		found := false
		for _, line := range lines {
			found = found || strings.Fields(line)[0] == name
		}
		if !found {
			t.Errorf("help does not know %s", name)
		}
	}
	mustEqual(t, "help of one", c.text("help", "getblock"), "getblock blockhash ( verbosity )")
	mustEqual(t, "help of none", c.text("help", "stop"), "help: unknown command: stop")
	c.refuse(codeNoMethod, "Method not found", "stop")
}

func TestOddRequests(t *testing.T) {
	_, c := start(t, Config{})
	to := c.text("getnewaddress")
	c.refuse(codeAddressOrKey, "Invalid address", "generatetoaddress", 1, "nowhere")
	c.refuse(codeParameter, "nblocks", "generatetoaddress", -1, to)
	c.refuse(codeParameter, "nblocks", "generatetoaddress", 1e6, to)
	mustEqual(t, "no blocks", len(ask[[]string](c, "generatetoaddress", 0, to)), 0)
	c.refuse(codeAddressOrKey, "Unknown address type", "getnewaddress", "", "p2pk")
	c.refuse(codeParameter, "Invalid conf_target", "estimatesmartfee", 0)
	mustEqual(t, "fee", ask[struct{ FeeRate json.Number }](c, "estimatesmartfee", 6).FeeRate, "0.00002000")
	id := strings.Repeat("0", 64)
	mustEqual(t, "gettxout of nothing", c.null("gettxout", id, 0), true)
	mustEqual(t, "gettxout below", c.null("gettxout", id, -1), true)
	mustEqual(t, "gettxout above", c.null("gettxout", id, 1<<40), true)
	mustEqual(t, "relay fee", ask[struct{ RelayFee json.Number }](c, "getnetworkinfo").RelayFee, "0.00001000")
	c.refuse(codeAddressOrKey, "Block hash not found", "getrawtransaction", id, true, strings.Repeat("1", 64))
	c.refuse(codeAddressOrKey, "No such transaction found in the provided block", "getrawtransaction", id, true, c.text("getbestblockhash"))
	for _, bad := range []string{"", "mzdTzPn6fRjJxBHQT58viSe1T6eHPrEe3", "bcrt1", "bcrt1q", to + "x", strings.ToUpper(to[:10]) + to[10:]} {
		mustEqual(t, "isvalid "+bad, ask[struct{ IsValid bool }](c, "validateaddress", bad).IsValid, false)
	}
	mustEqual(t, "upper case", ask[struct{ Address string }](c, "validateaddress", strings.ToUpper(to)).Address, to)
}

// No body makes the handler panic, and every answer is JSON.
func FuzzAnswer(f *testing.F) {
	chain, err := New(Config{Params: Bitcoin()})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { chain.Close() })
	tip := chain.chain.BestSnapshot().Hash.String()
	for name, m := range chain.server.methods {
		if name == "generatetoaddress" {
			continue
		}
		f.Add([]byte(`{"jsonrpc":"2.0","id":1,"method":"`+name+`","params":["`+tip+`",1,true]}`), byte(0))
		f.Add([]byte(`{"id":1,"method":"`+name+`","params":{"`+strings.Join(m.params, `":0,"`)+`":1}}`), byte(3))
		f.Add([]byte(`[{"id":1,"method":"`+name+`","params":[1,[],{}]},{}]`), byte(4))
	}
	f.Add([]byte(`{"method":"sendtoaddress","params":["bcrt1q6xj6exspt7kzaaang9nnvd239g23raqlszyhgm","1e-8"],"id":{}}`), byte(2))
	f.Add([]byte(`{"method":"sendrawtransaction","params":["0200000000010100000000"]}`), byte(5))
	f.Fuzz(func(t *testing.T, body []byte, fault byte) {
		if strings.Contains(string(body), "generatetoaddress") {
			return // would mine for too long
		}
		if mode := kit.Faults()[int(fault)%len(kit.Faults())]; mode != FaultDown {
			if err := chain.SetFault(mode); err != nil {
				t.Fatal(err)
			}
		}
		status, answer := chain.server.answer(context.Background(), body)
		if answer == nil && status == http.StatusNoContent {
			return
		}
		if !json.Valid(answer) || strings.Contains(string(answer), "Internal error") {
			t.Fatalf("HTTP %d %q", status, answer)
		}
	})
}

func BenchmarkRPC(b *testing.B) {
	chain, c := start(b, Config{})
	to := c.text("getnewaddress")
	for range 20 {
		c.text("sendtoaddress", to, 1)
	}
	hash := c.mine(1)[0]
	txid := c.text("sendtoaddress", to, 1)
	for name, body := range map[string]string{
		"getblockcount":     `{"method":"getblockcount"}`,
		"getblock0":         `{"method":"getblock","params":["` + hash + `",0]}`,
		"getblock2":         `{"method":"getblock","params":["` + hash + `",2]}`,
		"getrawtransaction": `{"method":"getrawtransaction","params":["` + txid + `",1]}`,
		"getrawmempool":     `{"method":"getrawmempool"}`,
		"gettxout":          `{"method":"gettxout","params":["` + txid + `",0]}`,
		"sendtoaddress":     `{"method":"sendtoaddress","params":["` + to + `",0.0001]}`,
		"generatetoaddress": `{"method":"generatetoaddress","params":[1,"` + to + `"]}`,
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				req := httptest.NewRequest("POST", "/", strings.NewReader(body))
				endpoint, _ := url.Parse(chain.URL())
				pass, _ := endpoint.User.Password()
				req.SetBasicAuth(endpoint.User.Username(), pass)
				rec := httptest.NewRecorder()
				chain.server.ServeHTTP(rec, req)
				if rec.Code != 200 {
					b.Fatal(rec.Body)
				}
			}
		})
	}
}
