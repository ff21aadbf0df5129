package rpcnode

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"causeway/chains"
	"causeway/chains/bitcoin"
	"causeway/chains/jsonrpc"
	"causeway/chains/utxo"

	"github.com/btcsuite/btcd/chaincfg/v2"
)

const testHash = "00000000000000000000000000000000000000000000000000000000000000ff"

// fakeRPC answers each method with a text: the whole body of the answer, in
// which ID stands for the request's id.
type fakeRPC struct {
	status  map[string]int
	answers map[string]string
	delay   time.Duration
	genesis string // answered for block 0 whatever answers says
	seen    []string
}

func (f *fakeRPC) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Version string            `json:"jsonrpc"`
		ID      json.RawMessage   `json:"id"`
		Method  string            `json:"method"`
		Params  []json.RawMessage `json:"params"`
	}
	body, _ := io.ReadAll(r.Body)
	if err := json.Unmarshal(body, &request); err != nil || request.Version != "1.0" || request.Params == nil {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	f.seen = append(f.seen, request.Method)
	if user, password, _ := r.BasicAuth(); user != "hidd3n" || password != "s3cret" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	time.Sleep(f.delay)
	answer, ok := f.answers[request.Method]
	if !ok && request.Method == "getblockhash" {
		answer, ok = result(`"`+chaincfg.RegressionNetParams.GenesisHash.String()+`"`), true
	}
	if f.genesis != "" && request.Method == "getblockhash" && string(request.Params[0]) == "0" {
		answer, ok = result(`"`+f.genesis+`"`), true
	}
	if !ok {
		answer = refusal(-32601, "Method not found")
	}
	if status := f.status[request.Method]; status != 0 {
		w.WriteHeader(status)
	}
	_, _ = io.WriteString(w, strings.ReplaceAll(answer, "ID", string(request.ID)))
}

func result(text string) string { return `{"result":` + text + `,"error":null,"id":ID}` }

func refusal(code int, message string) string {
	m, _ := json.Marshal(message)
	return fmt.Sprintf(`{"result":null,"error":{"code":%d,"message":%s},"id":ID}`, code, m)
}

func testNode(t *testing.T, f *fakeRPC, o Options) *Node {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	coin, err := bitcoin.New(chains.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	n, err := New(strings.Replace(server.URL, "http://", "http://hidd3n:s3cret@", 1), coin, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	return n
}

func answering(method, answer string) *fakeRPC {
	return &fakeRPC{answers: map[string]string{method: answer}}
}

// rawTransaction is the coinbase of regtest's genesis.
func rawTransaction(t *testing.T) (raw []byte, txid string) {
	tx := chaincfg.RegressionNetParams.GenesisBlock.Transactions[0]
	var buf bytes.Buffer
	if err := tx.Serialize(&buf); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes(), tx.TxHash().String()
}

func TestVerdicts(t *testing.T) {
	raw, txid := rawTransaction(t)
	tests := []struct {
		name   string
		status int
		answer string
		want   chains.Verdict
	}{
		{"accepted", 200, result(`"` + txid + `"`), chains.Accepted},
		{"another txid", 200, result(`"` + testHash + `"`), chains.Unknown},
		{"null", 200, result("null"), chains.Unknown},
		{"Core: in chain", 500, refusal(-27, "Transaction already in block chain"), chains.Known},
		{"Core: in utxo set", 500, refusal(-27, "Transaction outputs already in utxo set"), chains.Known},
		{"Core: in mempool", 500, refusal(-26, "txn-already-in-mempool"), chains.Known},
		{"Core: known", 500, refusal(-26, "txn-already-known"), chains.Known},
		{"Core: other witness", 500, refusal(-26, "txn-same-nonwitness-data-in-mempool"), chains.Known},
		{"btcd: in mempool", 200, refusal(-26, "TX rejected: already have transaction in mempool "+txid), chains.Known},
		{"btcd: in chain", 200, refusal(-27, "TX rejected: transaction already exists in blockchain"), chains.Known},
		{"Core: missing inputs", 500, refusal(-25, "bad-txns-inputs-missingorspent"), chains.Conflict},
		{"old Core: missing inputs", 500, refusal(-25, "Missing inputs"), chains.Conflict},
		{"Core: conflict", 500, refusal(-26, "txn-mempool-conflict"), chains.Conflict},
		{"Core: replacement", 500, refusal(-26, "insufficient fee, rejecting replacement 12ab"), chains.Conflict},
		{"btcd: orphan", 200, refusal(-25, "TX rejected: orphan transaction ab references outputs of unknown or fully-spent transaction cd"), chains.Conflict},
		{"btcd: spent in mempool", 200, refusal(-26, "TX rejected: output already spent in mempool: output=ab:0, tx=cd"), chains.Conflict},
		{"btcd: replacement", 200, refusal(-26, "TX rejected: ab: replacement transaction has an insufficient fee rate"), chains.Conflict},
		{"min relay fee", 500, refusal(-26, "min relay fee not met, 0 < 141"), chains.Rejected},
		{"dust", 500, refusal(-26, "dust"), chains.Rejected},
		{"decode", 500, refusal(-22, "TX decode failed"), chains.Rejected},
		{"too high a fee", 500, refusal(-25, "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)"), chains.Rejected},
		{"warming up", 500, refusal(-28, "Loading block index…"), chains.Unknown},
		{"no such method", 404, refusal(-32601, "Method not found"), chains.Unknown},
		{"internal", 200, refusal(-32603, "out of disk"), chains.Unknown},
		{"misc", 200, refusal(-1, "missing inputs?"), chains.Unknown},
		{"busy", 503, "Work queue depth exceeded", chains.Unknown},
		{"empty", 200, "", chains.Unknown},
		{"gateway error page", 502, "<html>missing inputs</html>", chains.Unknown},
		{"error that is text", 200, `{"result":null,"error":"missing inputs","id":ID}`, chains.Unknown},
		{"result of another request", 200, `{"result":"` + txid + `","error":null,"id":77777}`, chains.Unknown},
		{"result and HTTP error", 500, result(`"` + txid + `"`), chains.Unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := answering("sendrawtransaction", tt.answer)
			f.status = map[string]int{"sendrawtransaction": tt.status}
			got, err := testNode(t, f, Options{}).Broadcast(t.Context(), raw)
			if got != tt.want || (err != nil) != (got == chains.Unknown) {
				t.Fatalf("%s, %v; want %s", got, err, tt.want)
			}
		})
	}
	if v, err := testNode(t, &fakeRPC{}, Options{}).Broadcast(t.Context(), []byte("no transaction")); v != chains.Unknown || err == nil {
		t.Errorf("nonsense: %s, %v", v, err)
	}
	down := testNode(t, &fakeRPC{delay: 300 * time.Millisecond}, Options{Timeout: 50 * time.Millisecond})
	if v, err := down.Broadcast(t.Context(), raw); v != chains.Unknown || !errors.Is(err, chains.ErrUnavailable) {
		t.Errorf("time-out: %s, %v", v, err)
	}
}

func TestEstimates(t *testing.T) {
	smart := func(text string) map[string]string { return map[string]string{"estimatesmartfee": result(text)} }
	plain := func(answer string) map[string]string {
		return map[string]string{"estimatesmartfee": refusal(-1, "Command unimplemented"), "estimatefee": answer}
	}
	tests := []struct {
		name    string
		answers map[string]string
		rate    chains.FeeRate
		ok      bool
		err     bool
	}{
		{"Core", smart(`{"feerate":0.00012345,"blocks":6}`), 12345, true, false},
		{"Core, exponent", smart(`{"feerate":1E-5,"blocks":6}`), 1000, true, false},
		{"Core has none", smart(`{"errors":["Insufficient data or no feerate found"],"blocks":2}`), 0, false, false},
		{"huge", smart(`{"feerate":1000000000,"blocks":6}`), 100_000_000_000_000_000, true, false},
		{"absurd", smart(`{"feerate":1e999999999,"blocks":6}`), 0, false, false},
		{"btcd", plain(result("0.000057")), 5700, true, false},
		{"btcd float", plain(result("5.7000000000000005e-05")), 5701, true, false},
		{"btcd 0", plain(result("0")), 0, false, false},
		{"-1", plain(result("-1")), 0, false, false},
		{"btcd malformed", plain(`{"result":-1,"error":{"code":-32600,"message":"Invalid request: malformed"},"id":ID}`), 0, false, false},
		{"neither", map[string]string{}, 0, false, false},
		{"text", plain(result(`"cheap"`)), 0, false, true},
		{"warming up", map[string]string{"estimatesmartfee": refusal(-28, "Loading")}, 0, false, true},
	}
	for _, tt := range tests {
		rate, ok, err := testNode(t, &fakeRPC{answers: tt.answers}, Options{}).EstimateFee(t.Context(), 6)
		if rate != tt.rate || ok != tt.ok || (err != nil) != tt.err {
			t.Errorf("%s: %d, %v, %v; want %d, %v", tt.name, rate, ok, err, tt.rate, tt.ok)
		}
	}
}

func TestNotFound(t *testing.T) {
	for _, tt := range []struct {
		answer string
		want   error
	}{
		{refusal(-8, "Block height out of range"), chains.ErrNotFound},
		{refusal(-1, "Block number out of range"), chains.ErrNotFound},
		{refusal(-1, "something else"), nil},
		{refusal(-32603, "out of range"), nil},
		{result(`"xyz"`), chains.ErrUnavailable},
		{result(`"` + strings.ToUpper(testHash) + `"`), chains.ErrUnavailable},
		{result(`null`), chains.ErrUnavailable},
		{result(`[]`), chains.ErrUnavailable},
	} {
		n := testNode(t, answering("getblockhash", tt.answer), Options{})
		n.guard = jsonrpc.NewGuard("node", func(context.Context) error { return nil }, nil, n.log)
		_, err := n.HashAt(t.Context(), 9)
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) || tt.want != chains.ErrNotFound && errors.Is(err, chains.ErrNotFound) {
			t.Errorf("%s: %v, want %v", tt.answer, err, tt.want)
		}
	}
	for _, method := range []string{"getblock", "getrawtransaction"} {
		n := testNode(t, answering(method, refusal(-5, "No such thing")), Options{})
		call := n.RawBlock
		if method == "getrawtransaction" {
			call = n.RawTransaction
		}
		if _, err := call(t.Context(), testHash); !errors.Is(err, chains.ErrNotFound) {
			t.Errorf("%s: %v", method, err)
		}
		if _, err := call(t.Context(), "short"); err == nil {
			t.Errorf("%s of a short hash is asked", method)
		}
	}
}

func TestRawTransactionIsChecked(t *testing.T) {
	raw, txid := rawTransaction(t)
	n := testNode(t, answering("getrawtransaction", result(fmt.Sprintf(`"%x"`, raw))), Options{})
	if got, err := n.RawTransaction(t.Context(), txid); err != nil || !bytes.Equal(got, raw) {
		t.Errorf("%x, %v", got, err)
	}
	if _, err := n.RawTransaction(t.Context(), testHash); !errors.Is(err, chains.ErrUnavailable) {
		t.Errorf("bytes of another transaction: %v", err)
	}
}

func TestGates(t *testing.T) {
	wrong := answering("getblockhash", result(`"`+testHash+`"`))
	n := testNode(t, wrong, Options{})
	for range 2 {
		if _, err := n.Tip(t.Context()); !errors.Is(err, chains.ErrWrongNetwork) {
			t.Errorf("another genesis: %v", err)
		}
	}
	if h := n.Health()[0]; h.OK || h.Err == "" || h.Checked.IsZero() {
		t.Errorf("health %+v", h)
	}
	if raw, _ := rawTransaction(t); raw != nil {
		if v, err := n.Broadcast(t.Context(), raw); v != chains.Unknown || !errors.Is(err, chains.ErrWrongNetwork) {
			t.Errorf("broadcast to another network: %s, %v", v, err)
		}
	}
	old := AtLeast(270000)
	answers := map[string]string{"getblockcount": result("0"), "getnetworkinfo": result(`{"version":259900,"subversion":"/Satoshi:25.99.0/"}`)}
	if _, err := testNode(t, &fakeRPC{answers: answers}, Options{Gate: old}).Tip(t.Context()); !errors.Is(err, chains.ErrNodeVersion) {
		t.Errorf("old version: %v", err)
	}
	answers["getnetworkinfo"], answers["getinfo"] = refusal(-1, "Command unimplemented"), result(`{"version":270000}`)
	n = testNode(t, &fakeRPC{answers: answers}, Options{Gate: old})
	if tip, err := n.Tip(t.Context()); err != nil || tip.Hash != chaincfg.RegressionNetParams.GenesisHash.String() || !n.Health()[0].OK {
		t.Errorf("good version: %v, %v", tip, err)
	}
	if h := n.Health()[0]; h.Version != "270000" || h.Network != chains.Regtest {
		t.Errorf("health: %+v", h)
	}
}

// TestHostileAnswers: too large, too late, malformed, elsewhere.
func TestHostileAnswers(t *testing.T) {
	huge := testNode(t, answering("getblockcount", result(`"`+strings.Repeat("9", smallAnswer)+`"`)), Options{})
	if _, err := huge.Tip(t.Context()); !errors.Is(err, chains.ErrUnavailable) || !strings.Contains(err.Error(), "more than") {
		t.Errorf("huge answer: %v", err)
	}
	slow := testNode(t, &fakeRPC{delay: time.Second}, Options{Timeout: 30 * time.Millisecond})
	if _, err := slow.Tip(t.Context()); !errors.Is(err, chains.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("slow answer: %v", err)
	}
	for _, answer := range []string{
		"", "null", "[]", "7", `"x"`, "{}", `{"id":ID}`, result("-1"), result("1.5"), result("1e400"), result("99999999999999999999"),
		result(`"12"`), result("null"), result("12") + "x", `{"result":12,"error":{},"id":ID}`, `{"result":12,"error":null,"id":"ID"}`,
	} {
		if tip, err := testNode(t, answering("getblockcount", answer), Options{}).Tip(t.Context()); err == nil {
			t.Errorf("%s gives tip %v", answer, tip)
		}
	}
	moved := httptest.NewServer(http.RedirectHandler("http://127.0.0.1:1/", http.StatusTemporaryRedirect))
	defer moved.Close()
	c, err := NewClient(moved.URL, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Call(t.Context(), nil, "getblockcount"); !errors.Is(err, chains.ErrUnavailable) || !strings.Contains(err.Error(), "307") {
		t.Errorf("redirect: %v", err)
	}
	if list, err := testNode(t, answering("getrawmempool", result(`["`+testHash+`","x"]`)), Options{}).Mempool(t.Context()); err == nil {
		t.Errorf("mempool %v", list)
	}
}

// TestCredentialsStayHidden prints everything there is to print.
func TestCredentialsStayHidden(t *testing.T) {
	var logged bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	coin, err := bitcoin.New(chains.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, url := range []string{
		"http://hidd3n:s3cret@127.0.0.1:1", "http://hidd3n:s3cret@127.0.0.1:1/p4th", "http://hidd3n:s3cret@nowhere.invalid:1/p4th",
	} {
		n, err := New(url, coin, Options{Logger: logger})
		if err != nil {
			t.Fatal(err)
		}
		_, err = n.Tip(t.Context())
		texts = append(texts, fmt.Sprint(err), fmt.Sprintf("%v %+v %#v %s", n, n, n.client, n.client), fmt.Sprintf("%+v", n.Health()))
	}
	server := httptest.NewServer(&fakeRPC{})
	defer server.Close()
	wrong, err := New(strings.Replace(server.URL, "http://", "http://hidd3n:wr0ng@", 1), coin, Options{Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	_, err = wrong.Tip(t.Context())
	texts = append(texts, fmt.Sprint(err), logged.String())
	if !strings.Contains(fmt.Sprint(err), "401") {
		t.Errorf("wrong password: %v", err)
	}
	for _, bad := range []string{"http://hidd3n:s3cret@", "hidd3n:s3cret@host", "ftp://hidd3n:s3cret@host", "http://hidd3n:s3cret@host:port:x", "::s3cret"} {
		_, err := New(bad, coin, Options{})
		if err == nil {
			t.Errorf("%q is accepted", bad)
		}
		texts = append(texts, fmt.Sprint(err))
	}
	for _, text := range texts {
		for _, secret := range []string{"s3cret", "wr0ng", "hidd3n", "p4th", "aGlkZDNu"} {
			if strings.Contains(text, secret) {
				t.Errorf("%q shows in %s", secret, text)
			}
		}
	}
	if !strings.Contains(logged.String(), "node is failing") {
		t.Errorf("nothing logged: %s", logged.String())
	}
}

// TestCheckedAgain: after the transport failed, the network is verified anew.
func TestCheckedAgain(t *testing.T) {
	f := &fakeRPC{answers: map[string]string{"getblockcount": result("0")}}
	n := testNode(t, f, Options{})
	for range 2 {
		if _, err := n.Tip(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(f.seen, " "); got != "getblockhash validateaddress getnetworkinfo getinfo getblockcount getblockhash getblockcount getblockhash" {
		t.Fatalf("asked %s", got)
	}
	f.answers["getblockcount"] = "broken"
	if _, err := n.Tip(t.Context()); err == nil {
		t.Fatal("a broken answer is accepted")
	}
	f.answers["getblockcount"], f.answers["getblockhash"] = result("0"), result(`"`+testHash+`"`)
	if _, err := n.Tip(t.Context()); !errors.Is(err, chains.ErrWrongNetwork) {
		t.Fatalf("the node changed its network: %v", err)
	}
}

func FuzzFeeRate(f *testing.F) {
	for _, text := range []string{"1E-8", "0.00001", "-1", "0", "1e400", "1e-400", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if rate, ok := feeRate(text, 8); ok && rate == 0 {
			t.Fatal("an estimate of nothing")
		}
	})
}

var _ Coin = (*utxo.Coin)(nil)

// TestOpen: two of three nodes must agree, and a node on another network is
// never counted.
func TestOpen(t *testing.T) {
	coin, err := bitcoin.New(chains.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	var urls []string
	for _, f := range []*fakeRPC{
		{answers: map[string]string{"getblockcount": result("0")}},
		answering("getblockhash", result(`"`+testHash+`"`)),
		{answers: map[string]string{"getblockcount": result("0")}},
	} {
		server := httptest.NewServer(f)
		defer server.Close()
		urls = append(urls, strings.Replace(server.URL, "http://", "http://hidd3n:s3cret@", 1))
	}
	q, err := Open(urls, 2, coin, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if tip, err := q.Tip(t.Context()); err != nil || tip.Hash != coin.Genesis() {
		t.Errorf("tip %v, %v", tip, err)
	}
	if h := q.Health(); len(h) != 3 || !h[0].OK || h[1].OK || !h[2].OK {
		t.Errorf("health %+v", h)
	}
	q, err = Open(urls[:2], 2, coin, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if tip, err := q.Tip(t.Context()); !errors.Is(err, chains.ErrNoQuorum) {
		t.Errorf("tip of one node: %v, %v", tip, err)
	}
	for quorum, urls := range map[int][]string{1: urls[:2], 0: urls[:1], 3: {"nonsense", "nonsense", "nonsense"}} {
		if _, err := Open(urls, quorum, coin, Options{}); err == nil {
			t.Errorf("quorum of %d among %d is accepted", quorum, len(urls))
		}
	}
}
