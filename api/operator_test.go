package api

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"causeway/chains"
	"causeway/gateway"
	"causeway/pegs"
)

func (g *fakeGateway) Halt(_ context.Context, chain chains.ID, reason, author string, scopes ...pegs.Scope) error {
	return g.ask("halt %s %s %s %v", chain, reason, author, scopes)
}

func (g *fakeGateway) Resume(_ context.Context, chain chains.ID, reason, author string, scopes ...pegs.Scope) error {
	return g.ask("resume %s %s %s %v", chain, reason, author, scopes)
}

func (g *fakeGateway) Alert(_ context.Context, chain chains.ID, author, reason string, over bool) error {
	return g.ask("alert %s %s %s %t", chain, author, reason, over)
}

func (g *fakeGateway) Veto(_ context.Context, withdrawal, author, reason string, giveBack bool) error {
	return g.ask("veto %s %s %s %t", withdrawal, author, reason, giveBack)
}

func (g *fakeGateway) Requeue(_ context.Context, withdrawal, author, reason string) error {
	return g.ask("requeue %s %s %s", withdrawal, author, reason)
}

func (g *fakeGateway) Claim(_ context.Context, deposit, author, reason string) error {
	return g.ask("claim %s %s %s", deposit, author, reason)
}

func (g *fakeGateway) Cancel(_ context.Context, batch, author, reason string) error {
	return g.ask("cancel %s %s %s", batch, author, reason)
}

func (g *fakeGateway) Acknowledge(_ context.Context, chain chains.ID, txid, author, reason string) error {
	return g.ask("acknowledge %s %s %s %s", chain, txid, author, reason)
}

func (g *fakeGateway) Perished(_ context.Context, chain chains.ID, raws [][]byte, by, block, author, reason string) error {
	return g.ask("perished %s %x %s %s %s %s", chain, raws, by, block, author, reason)
}

func TestOrders(t *testing.T) {
	n, g := startNode(t), &fakeGateway{}
	admin := httptest.NewServer(n.server.AdminHandler(Admin{Operator: g}))
	defer admin.Close()
	post := func(path, contentType, body string) (int, string) {
		t.Helper()
		res, err := http.Post(admin.URL+path, contentType, bytes.NewBufferString(body))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(text)
	}
	for _, c := range []struct{ path, body, asked string }{
		{"halt", `{"chain":"btc","scopes":["minting"],"author":"ann","reason":"why"}`, "halt btc why ann [minting]"},
		{"resume", `{"chain":"btc","author":"ann","reason":"why"}`, "resume btc why ann []"},
		{"alert", `{"chain":"btc","over":true,"author":"ann","reason":"why"}`, "alert btc ann why true"},
		{"veto", `{"withdrawal":"w","give_back":true,"author":"ann","reason":"why"}`, "veto w ann why true"},
		{"requeue", `{"withdrawal":"w","author":"ann","reason":"why"}`, "requeue w ann why"},
		{"claim", `{"deposit":"d","author":"ann","reason":"why"}`, "claim d ann why"},
		{"cancel", `{"batch":"b","author":"ann","reason":"why"}`, "cancel b ann why"},
		{"acknowledge", `{"chain":"btc","txid":"t","author":"ann","reason":"why"}`, "acknowledge btc t ann why"},
		{"perished", `{"chain":"btc","transactions":["0102","03"],"by":"t","block":"b","author":"ann","reason":"why"}`, "perished btc [0102 03] t b ann why"},
	} {
		if status, text := post("/operator/"+c.path, "application/json", c.body); status != 200 || strings.TrimSpace(text) != `{"ok":true}` || g.asked != c.asked {
			t.Errorf("%s: %d %s, asked %q", c.path, status, text, g.asked)
		}
	}
	g.asked = ""
	for _, c := range []struct {
		path, kind, body string
		status           int
	}{
		{"halt", "text/plain", `{"chain":"btc"}`, 415},
		{"halt", "application/json", `{"chain":"btc","coffee":1}`, 400},
		{"halt", "application/json", `{"chain":7}`, 400},
		{"halt", "application/json", `[]`, 400},
		{"halt", "application/json", strings.Repeat("x", maxOrder+1), 400},
		{"perished", "application/json", `{"chain":"btc","transactions":["xyz"]}`, 400},
		{"perished", "application/json", `{"chain":"btc","transactions":[]}`, 400},
		{"coffee", "application/json", `{}`, 404},
	} {
		if status, text := post("/operator/"+c.path, c.kind, c.body); status != c.status || g.asked != "" {
			t.Errorf("%s %.40s: %d %s, asked %q", c.path, c.body, status, text, g.asked)
		}
	}
	g.fail = &gateway.Error{Code: gateway.CodeUnknownChain, Message: "no such chain"}
	if status, text := post("/operator/halt", "application/json", `{"chain":"x"}`); status != 404 || !strings.Contains(text, "no such chain") {
		t.Errorf("refused: %d %s", status, text)
	}
	if res, err := http.Post(n.url+"/operator/halt", "application/json", strings.NewReader(`{}`)); err != nil || res.StatusCode != 404 && res.StatusCode != 405 {
		t.Errorf("orders on the public listener: %v, %v", res, err)
	}
}
