package gateway

import (
	"context"
	"strings"
	"testing"
)

// The sidechain books a first balance as the sender wrote it, and BigNumber
// reads more than we do: "+0.001", " 0.001", "0x1", ".001". None of it may keep
// the books from being read, or payouts from being planned.
func TestAuditReadsWhateverBalancesSay(t *testing.T) {
	d := booted(t)
	d.credit("alice", "0.02")
	for to, quantity := range map[string]string{"bob": "+.00000001", "carol": " 1e-8", "pegfees": "+0.001"} {
		d.act("alice", "tokens", "transfer", `{"to":"`+to+`","symbol":"SWAP.BTC","quantity":"`+quantity+`"}`)
	}
	d.until("transferred", func() bool { return d.balance("bob") != "0" && d.balance("pegfees") != "0" })
	if d.balance("bob") == "0.00000001" {
		t.Fatal("the text was normalised: this test tests nothing")
	}
	if _, err := d.node.gateway.Audit(context.Background()); err != nil {
		t.Error(err)
	}
	p := newPayer(d.node.gateway, d.node.gateway.followers[0])
	if budget, err := p.feeBudget(""); err != nil || !strings.HasPrefix(budget.Coin(8), "0.001") {
		t.Errorf("budget %s, %v", budget.Coin(8), err)
	}
	d.balanced()
}
