package api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"causeway/gateway"
)

// odd is a gateway whose node says strange things of itself.
type odd struct{ fakeGateway }

func (g *odd) ChainStatus() []gateway.ChainStatus {
	return []gateway.ChainStatus{{
		Chain: "btc", Height: 7, NodeHeight: 9, Quorum: 2, Deposits: "open", Minting: "halted", Payouts: "open",
		Nodes: []gateway.NodeStatus{{Name: "a", OK: true, Height: 9, Version: "bad \xff \"text\"\n", Network: "regtest"}, {Name: "a", OK: true}, {Name: "b", Height: 4, Lag: 5}},
	}}
}

func TestMetrics(t *testing.T) {
	n := startNode(t, func(c *Config) { c.Gateway = &odd{} })
	admin := httptest.NewServer(n.server.AdminHandler(Admin{}))
	defer admin.Close()
	res, err := http.Get(admin.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%d: %v: %s", res.StatusCode, err, text)
	}
	for _, line := range []string{
		`causeway_chain_height{chain="btc"} 7`, `causeway_chain_node_height{chain="btc"} 9`, `causeway_chain_quorum{chain="btc"} 2`,
		`causeway_chain_nodes_ok{chain="btc"} 2`, `causeway_chain_halted{chain="btc",part="deposits"} 0`,
		`causeway_chain_halted{chain="btc",part="minting"} 1`, `causeway_chain_halt_cause{cause="quorum",chain="btc"} 1`,
		`causeway_chain_alert{cause="slow",chain="btc"} 1`, `causeway_chain_confirmations_needed{chain="btc"} 6`,
		`causeway_node_up{chain="btc",node="a"} 1`, `causeway_node_up{chain="btc",node="b"} 0`, `causeway_node_lag_blocks{chain="btc",node="b"} 5`,
		`causeway_node_info{chain="btc",network="regtest",node="a",version="bad ? \"text\"\n"} 1`,
		`causeway_deposits_open{chain="btc",state="confirming"} 3`, `causeway_withdrawals_open{chain="btc",state="queued"} 4`,
		`causeway_batches_open{chain="btc"} 2`, `causeway_payout_waits_blocks{chain="btc"} 7`, `causeway_rounding_coins{symbol="SWAP.BTC"} 0.25`, `causeway_payout_cap_used_coins{chain="btc"} 1.5`, `causeway_payout_cap_coins{chain="btc"} 20`,
		`causeway_audit_ok 0`, `causeway_audit_surplus_coins{symbol="SWAP.BTC"} -1e-08`, `causeway_audit_reserves_coins{symbol="SWAP.BTC"} 3`,
	} {
		if !strings.Contains(string(text), line+"\n") {
			t.Errorf("missing: %s", line)
		}
	}
}
