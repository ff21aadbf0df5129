package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"causeway/gateway"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// fakeGateway remembers what it was asked and answers one of everything.
type fakeGateway struct {
	asked string
	fail  error
}

func (g *fakeGateway) ask(format string, args ...any) error {
	g.asked = fmt.Sprintf(format, args...)
	return g.fail
}

func (g *fakeGateway) DepositAddress(chain, account string) (gateway.DepositAddress, error) {
	return gateway.DepositAddress{Chain: chain, Account: account, Address: "bcrt1q", URI: "bitcoin:bcrt1q", MinDeposit: "0.00010000", Confirmations: 2}, g.ask("address %s %s", chain, account)
}

func (g *fakeGateway) Deposits(account, cursor string, limit int) (gateway.Page[gateway.Deposit], error) {
	return gateway.Page[gateway.Deposit]{Items: []gateway.Deposit{{History: []gateway.Step{}}}}, g.ask("deposits %s %s %d", account, cursor, limit)
}

func (g *fakeGateway) Deposit(id string) (gateway.Deposit, error) {
	return gateway.Deposit{ID: id, History: []gateway.Step{{State: "seen", At: time.Unix(0, 0).UTC()}}}, g.ask("deposit %s", id)
}

func (g *fakeGateway) Withdrawals(account, cursor string, limit int) (gateway.Page[gateway.Withdrawal], error) {
	next := "7"
	return gateway.Page[gateway.Withdrawal]{Items: []gateway.Withdrawal{}, NextCursor: &next}, g.ask("withdrawals %s %s %d", account, cursor, limit)
}

func (g *fakeGateway) Withdrawal(id string) (gateway.Withdrawal, error) {
	return gateway.Withdrawal{ID: id, Variants: []string{}, History: []gateway.Step{}}, g.ask("withdrawal %s", id)
}

func (g *fakeGateway) Assets() (gateway.Page[gateway.Asset], error) {
	return gateway.Page[gateway.Asset]{Items: []gateway.Asset{{Symbol: "SWAP.A"}, {Symbol: "SWAP.B"}, {Symbol: "SWAP.C"}}}, g.ask("assets")
}

func (g *fakeGateway) Figures() gateway.Figures {
	return gateway.Figures{
		Rounding: map[string]float64{"SWAP.BTC": 0.25},
		Chains: []gateway.ChainFigures{{
			Chain: "btc", Deposits: map[string]int{"confirming": 3}, Withdrawals: map[string]int{"queued": 4}, Batches: 2, Stuck: 7,
			Confirmations: 6, Halts: []string{"quorum"}, Alerts: []string{"slow"}, Outflow: 1.5, Cap: 20,
		}},
		Audit:   gateway.Audit{Assets: []gateway.AssetAudit{{Symbol: "SWAP.BTC", Surplus: "-0.00000001", Reserves: "2.5", InFlight: "0.5", Supply: "3", NetworkFees: "0"}}},
		Audited: time.Now(),
	}
}

func (g *fakeGateway) ChainStatus() []gateway.ChainStatus {
	return []gateway.ChainStatus{{Chain: "btc", Nodes: []gateway.NodeStatus{{Name: "a", OK: true, Height: 9}}}}
}

func (g *fakeGateway) Reserves(context.Context) (gateway.Reserves, error) {
	txid, index := "aa", uint32(1)
	return gateway.Reserves{
		Audit: gateway.Audit{OK: true, SidechainBlock: 3, Assets: []gateway.AssetAudit{}},
		Items: []gateway.ReserveItem{{Chain: "btc", Address: "bcrt1q", Kind: "change", TxID: &txid, Index: &index, Amount: "1.00000000"}, {Chain: "eth"}},
	}, g.ask("reserves")
}

// TestV1Shapes holds every answer of /v1 against its fixed members and their
// order, and what reaches the gateway against what was asked.
func TestV1Shapes(t *testing.T) {
	g := &fakeGateway{}
	n := startNode(t, func(c *Config) { c.Gateway = g })
	const deposit = `{"id":"%s","chain":"","symbol":"","account":"","address":"","txid":"","index":0,"block":null,"height":null,"amount":"","quantity":"","remainder":"","state":"","reason":"","confirmations":0,"confirmations_needed":0,"sidechain_tx":"","detail":"","history":[%s]}`
	const withdrawal = `{"id":"w","chain":"","symbol":"","account":"","address":"","quantity":"","fee":"","amount":"","state":"","reason":"","txid":"","variants":[],"batch":"","confirmations":0,"confirmations_needed":0,"sidechain_tx":"","settle_tx":"","detail":"","history":[]}`
	asset := func(symbol string) string {
		return `{"symbol":"SWAP.` + symbol + `","chain":"","token":null,"precision":0,"min_deposit":"","min_withdrawal":"","withdrawal_fee":"","deposits":"","withdrawals":"","confirmations":0,"derivation_key":""}`
	}
	for _, test := range []struct {
		method, path, body string
		status             int
		asked, want        string
	}{
		{"POST", "/v1/deposit-addresses", `{"chain":"btc","account":"alice"}`, 200, "address btc alice", `{"chain":"btc","account":"alice","address":"bcrt1q","uri":"bitcoin:bcrt1q","epoch":0,"min_deposit":"0.00010000","confirmations":2}`},
		{"GET", "/v1/deposits", "", 200, "deposits   50", `{"items":[` + fmt.Sprintf(deposit, "", "") + `],"next_cursor":null}`},
		{"GET", "/v1/deposits/?account=bob&cursor=9&limit=500", "", 200, "deposits bob 9 500", `{"items":[` + fmt.Sprintf(deposit, "", "") + `],"next_cursor":null}`},
		{"GET", "/v1/deposits/btc:aa:1", "", 200, "deposit btc:aa:1", fmt.Sprintf(deposit, "btc:aa:1", `{"state":"seen","at":"1970-01-01T00:00:00Z","detail":""}`)},
		{"GET", "/v1/deposits/btc%3Aaa%3A1", "", 200, "deposit btc:aa:1", fmt.Sprintf(deposit, "btc:aa:1", `{"state":"seen","at":"1970-01-01T00:00:00Z","detail":""}`)},
		{"GET", "/v1/withdrawals?limit=1", "", 200, "withdrawals   1", `{"items":[],"next_cursor":"7"}`},
		{"GET", "/v1/withdrawals/w", "", 200, "withdrawal w", withdrawal},
		{"GET", "/v1/assets", "", 200, "assets", `{"items":[` + asset("A") + "," + asset("B") + "," + asset("C") + `],"next_cursor":null}`},
		{"GET", "/v1/assets?limit=2", "", 200, "assets", `{"items":[` + asset("A") + "," + asset("B") + `],"next_cursor":"2"}`},
		{"GET", "/v1/assets?limit=2&cursor=2", "", 200, "assets", `{"items":[` + asset("C") + `],"next_cursor":null}`},
		{"GET", "/v1/assets?cursor=99", "", 200, "assets", `{"items":[],"next_cursor":null}`},
		{"GET", "/v1/assets?cursor=x", "", 400, "assets", `{"error":{"code":"bad_request","message":"malformed cursor"}}`},
		{"GET", "/v1/reserves", "", 200, "reserves", `{"ok":true,"sidechain_block":3,"assets":[],"items":[{"chain":"btc","address":"bcrt1q","kind":"change","txid":"aa","index":1,"amount":"1.00000000"},{"chain":"eth","address":"","kind":"","txid":null,"index":null,"amount":""}]}`},
		{"GET", "/v1/deposits?limit=0", "", 400, "", `{"error":{"code":"bad_request","message":"limit must be a whole number from 1 to 500"}}`},
		{"GET", "/v1/withdrawals?limit=501", "", 400, "", `{"error":{"code":"bad_request","message":"limit must be a whole number from 1 to 500"}}`},
		{"POST", "/v1/deposit-addresses", `{"chain":"btc"}`, 400, "", `{"error":{"code":"bad_request","message":"chain and account are required"}}`},
		{"POST", "/v1/deposit-addresses", `{`, 400, "", `{"error":{"code":"bad_request","message":"the body must be {\"chain\":\"…\",\"account\":\"…\"}"}}`},
		{"POST", "/v1/deposit-addresses", strings.Repeat(" ", maxV1Body+1), 413, "", `{"error":{"code":"bad_request","message":"the body is too large"}}`},
	} {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			g.asked = ""
			status, text, _ := n.do(test.method, test.path, test.body)
			if status != test.status || g.asked != test.asked {
				t.Errorf("HTTP %d, asked %q; want %d, %q", status, g.asked, test.status, test.asked)
			}
			if diff := cmp.Diff(test.want, text); diff != "" {
				t.Error(diff)
			}
		})
	}
	_, text, _ := n.do("GET", "/v1/status", "")
	want := `{"version":"test","chain_id":"api-test","base_chain_id":"` + strings.Repeat("ab", 32) + `","head":{"block":`
	if !strings.HasPrefix(text, want) || !strings.HasSuffix(text, `Z"},"chains":[{"chain":"btc","height":0,"node_height":0,"nodes":[{"name":"a","ok":true,"height":9}],"quorum":0,"deposits":"","minting":"","payouts":"","reason":""}]}`) {
		t.Error(text)
	}
}

// TestV1Errors holds the status of each of the gateway's errors; what is not
// the client's fault is not explained.
func TestV1Errors(t *testing.T) {
	g := &fakeGateway{}
	n := startNode(t, func(c *Config) { c.Gateway = g })
	for _, test := range []struct {
		err    error
		status int
		want   string
	}{
		{&gateway.Error{Code: gateway.CodeNotFound, Message: "m"}, 404, `{"error":{"code":"not_found","message":"m"}}`},
		{&gateway.Error{Code: gateway.CodeUnknownAccount, Message: "m"}, 404, `{"error":{"code":"unknown_account","message":"m"}}`},
		{fmt.Errorf("x: %w", &gateway.Error{Code: gateway.CodeUnknownChain, Message: "m"}), 404, `{"error":{"code":"unknown_chain","message":"m"}}`},
		{&gateway.Error{Code: gateway.CodeBadRequest, Message: "m"}, 400, `{"error":{"code":"bad_request","message":"m"}}`},
		{&gateway.Error{Code: gateway.CodeHalted, Message: "m"}, 503, `{"error":{"code":"halted","message":"m"}}`},
		{errors.New("secret"), 500, `{"error":{"code":"internal","message":"the request could not be answered"}}`},
	} {
		g.fail = test.err
		status, text, _ := n.do("GET", "/v1/deposits/x", "")
		if status != test.status || text != test.want {
			t.Errorf("%v: HTTP %d %s, want %d %s", test.err, status, text, test.status, test.want)
		}
	}
}

// TestProofAgainstHeader checks rows and absences with nothing but the header
// of a base block, as a client would.
func TestProofAgainstHeader(t *testing.T) {
	n := startNode(t)
	n.transfer("1.25")
	type proof struct {
		RefBlock uint64 `json:"ref_block"`
		Table    string
		ID, Row  json.RawMessage
		Path     state.Proof
		holds    string
	}
	var proofs []proof
	for _, test := range []struct{ table, id, holds string }{
		{"tokens_balances", "3", `"account":`},
		{"tokens_tokens", "1", `"symbol":"BEE"`},
		{"tokens_tokens", "12", ""},
		{"accounts", "alice", `"name":`},
		{"resourcemanager_accountControls", "alice", ""},
	} {
		status, text, _ := n.do("GET", "/v1/proof?table="+test.table+"&id="+url.QueryEscape(test.id), "")
		p := proof{holds: test.holds}
		if err := json.Unmarshal([]byte(text), &p); err != nil || status != 200 {
			t.Fatalf("HTTP %d %s %v", status, text, err)
		}
		proofs = append(proofs, p)
	}
	n.transfer("0.01") // makes the block whose header holds the root
	for _, p := range proofs {
		root := n.committed(p.RefBlock)
		id, errID := jsvalue.Parse(string(p.ID))
		value, errRow := jsvalue.Parse(string(p.Row))
		if err := errors.Join(errID, errRow); err != nil {
			t.Fatal(err)
		}
		row, _ := value.(*jsvalue.Object)
		if (row == nil) != (p.holds == "") || !strings.Contains(string(p.Row), p.holds) {
			t.Errorf("%s %s: row %s", p.Table, p.ID, p.Row)
		}
		if err := state.VerifyProof(root, p.Table, id, row, p.Path); err != nil {
			t.Errorf("%s %s: %v", p.Table, p.ID, err)
		}
		if row == nil {
			continue
		}
		forged := row.Clone()
		forged.Set("balance", "999999")
		if err := state.VerifyProof(root, p.Table, id, forged, p.Path); err == nil {
			t.Errorf("%s %s: a forged row passes", p.Table, p.ID)
		}
	}
}

// committed reads a state root from the header of the base block behind it.
func (n *testNode) committed(ref uint64) [32]byte {
	n.t.Helper()
	result, _, message := n.hive("condenser_api.get_block", ref+1)
	var block struct{ Extensions [][]json.RawMessage }
	if err := json.Unmarshal(result, &block); err != nil || message != "" || len(block.Extensions) != 1 {
		n.t.Fatalf("%s %s %v", result, message, err)
	}
	var commitment struct {
		RefBlock  uint64     `json:"ref_block"`
		StateRoot state.Hash `json:"state_root"`
	}
	if err := json.Unmarshal(block.Extensions[0][1], &commitment); err != nil || commitment.RefBlock != ref {
		n.t.Fatalf("header of base block %d: %+v %v", ref+1, commitment, err)
	}
	return commitment.StateRoot
}

// TestStoredBlocks: what is served is the engine's block, for every number.
func TestStoredBlocks(t *testing.T) {
	n := startNode(t)
	n.transfer("1")
	n.transfer("2")
	for number := range n.engine.Head().Block + 1 {
		block, ok := n.engine.Block(number)
		if !ok {
			t.Fatalf("no block %d", number)
		}
		want := `{"jsonrpc":"2.0","id":1,"result":` + jsvalue.Stringify(block) + "}"
		_, text, _ := n.do("POST", "/blockchain", `{"jsonrpc":"2.0","id":1,"method":"getBlockInfo","params":{"blockNumber":`+strconv.FormatUint(number, 10)+`}}`)
		if diff := cmp.Diff(want, text); diff != "" {
			t.Errorf("block %d: %s", number, diff)
		}
	}
}
