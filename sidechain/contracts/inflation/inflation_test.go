package inflation_test

import (
	"strings"
	"testing"

	"causeway/sidechain/contracts/contracttest"
	"causeway/sidechain/contracts/inflation"
	"causeway/sidechain/contracts/tokens"
)

// TestInflation: every 1,200 base blocks, and for nobody's asking.
func TestInflation(t *testing.T) {
	c := contracttest.Peer(t, 89_999_990, tokens.Bootstrap(), inflation.Bootstrap())
	bee := `{"name":"BEE","symbol":"BEE","precision":8,"maxSupply":"9007199254740991","isSignedWithActiveKey":true}`
	if r := c.Call("null", "tokens", "create", bee); strings.Contains(r.Logs, "errors") {
		t.Fatal(r.Logs)
	}
	if r := c.Call("satoshi", "inflation", "issueNewTokens", `{"isSignedWithActiveKey":true}`); r.Logs != "{}" {
		t.Errorf("by a stranger: %s", r.Logs)
	}
	c.Wait(0, 5)
	for i, want := range []string{"", "11.41552511", "11.41552511"} {
		c.Call("satoshi", "tokens", "updateUrl", `{"symbol":"NONE","url":"x"}`)
		if got := c.Balance("hive-engine", "BEE"); got != want {
			t.Errorf("after block %d hive-engine has %q, want %q", 89_999_999+i, got, want)
		}
	}
	if got := c.Balance("hive-miner", "BEE") + " " + c.Token("BEE", "supply"); got != "11.41552511 22.83105022" {
		t.Errorf("the other receiver and supply: %s", got)
	}
}
