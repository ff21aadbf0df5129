package conform

import (
	"strings"
	"testing"

	"causeway/sidechain/contract"
	"causeway/sidechain/contracts/contracttest"
	"causeway/sidechain/contracts/tokens"
	"causeway/sidechain/jsvalue"
)

// named gives a double the name that a vector deploys it under.
type named struct {
	contract.Contract
	name string
}

func (n named) Name() string { return n.name }

// TestDoublesByPrefix runs the doubles whose hashes only vectors know.
func TestDoublesByPrefix(t *testing.T) {
	v := &vector{codeHash: map[string]string{
		"3e48531a86da" + strings.Repeat("0", 52): strings.Repeat("1", 64),
		"c07b9c37ea8c" + strings.Repeat("0", 52): strings.Repeat("2", 64),
		strings.Repeat("f", 64):                  strings.Repeat("3", 64),
	}}
	found := v.doubles()
	if len(found) != 2 {
		t.Fatalf("%d doubles", len(found))
	}
	key := `"isSignedWithActiveKey":true`
	fails := func(message string) string { return `{"errors":["` + message + `"]}` }
	for _, d := range found {
		c := contracttest.Peer(t, 90_000_000, tokens.Bootstrap(), named{d.Contract, "testcontract"})
		for _, call := range [][2]string{
			{"create", `{"name":"token","symbol":"TKN.TEST","precision":0,"maxSupply":"1000",` + key + `}`},
			{"issue", `{"symbol":"TKN.TEST","to":"satoshi","quantity":"100",` + key + `}`},
			{"transferToContract", `{"symbol":"TKN.TEST","to":"testcontract","quantity":"1",` + key + `}`},
		} {
			c.Call("satoshi", "tokens", call[0], call[1])
		}
		want := map[string]string{
			"notSigned": fails("you must use a custom_json signed with your active key"), "toNotExist": fails("invalid to"),
			"symbolNotExist": fails("symbol does not exist"), "wrongPrecision": fails("symbol precision mismatch"),
			"negativeQty": fails("must transfer positive quantity"), "overdrawnBalance": fails("overdrawn balance"),
			"sendRewards": `{"events":[{"contract":"tokens","event":"transferFromContract","data":{"from":"testcontract","to":"vitalik","symbol":"TKN.TEST","quantity":"1"}}]}`,
		}
		for action := range d.Contract.Actions() {
			payload := jsvalue.NewObject("to", "vitalik", "quantity", "1", "isSignedWithActiveKey", action != "notSigned")
			if logs, ok := want[action]; ok {
				if r := c.Call("satoshi", "testcontract", action, jsvalue.Stringify(payload)); r.Logs != logs {
					t.Errorf("%s: %s, want %s", action, r.Logs, logs)
				}
			}
		}
	}
}
