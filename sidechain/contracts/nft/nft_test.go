package nft_test

import (
	"strings"
	"testing"

	"causeway/sidechain/contracts/contracttest"
	"causeway/sidechain/contracts/nft"
	"causeway/sidechain/contracts/tokens"
)

const key = `,"isSignedWithActiveKey":true}`

// open makes a chain where satoshi has 1,000 BEE and "hive-engine" owns nft.
func open(t *testing.T) *contracttest.Chain {
	t.Helper()
	c := contracttest.Peer(t, 90_000_000, tokens.Bootstrap(), nft.Current())
	for _, call := range [][3]string{
		{"null", "create", `{"name":"BEE","symbol":"BEE","precision":8,"maxSupply":"1000000"` + key},
		{"null", "issue", `{"symbol":"BEE","to":"satoshi","quantity":"1000"` + key},
		{"null", "issue", `{"symbol":"BEE","to":"bob","quantity":"99"` + key},
	} {
		if r := c.Call(call[0], "tokens", call[1], call[2]); strings.Contains(r.Logs, "errors") {
			t.Fatal(r.Logs)
		}
	}
	return c
}

func fails(message string) string { return `{"errors":["` + message + `"]}` }

func paid(quantity string) string {
	return `{"events":[{"contract":"tokens","event":"transfer","data":{"from":"satoshi","to":"null","symbol":"BEE","quantity":"` + quantity + `"}}]}`
}

func TestParams(t *testing.T) {
	c := open(t)
	const initial = `{"_id":1,"nftCreationFee":"100","nftIssuanceFee":{"BEE":"0.001","PAL":"0.001"},"dataPropertyCreationFee":"100","enableDelegationFee":"1000"}`
	if got := c.Row("nft_params", "_id", 1.0); got != initial {
		t.Errorf("params %s", got)
	}
	for _, tt := range []struct{ sender, payload, want, writes string }{
		{"satoshi", `{"nftCreationFee":"0"}`, initial, ""},
		{"hive-engine", `{"nftCreationFee":5,"nftIssuanceFee":"x","dataPropertyCreationFee":"-1","enableDelegationFee":"x"}`, initial, "u:nft_params"},
		{"hive-engine", `{"nftCreationFee":"1","nftIssuanceFee":{"TKN":"1"},"dataPropertyCreationFee":"2","enableDelegationFee":"3"}`,
			`{"_id":1,"nftCreationFee":"1","nftIssuanceFee":{"TKN":"1"},"dataPropertyCreationFee":"2","enableDelegationFee":"3"}`, "u:nft_params"},
	} {
		r := c.Call(tt.sender, "nft", "updateParams", tt.payload)
		if got := c.Row("nft_params", "_id", 1.0); r.Logs != "{}" || got != tt.want || strings.Join(r.Writes, " ") != tt.writes {
			t.Errorf("%s: %s, %s, %v", tt.payload, r.Logs, got, r.Writes)
		}
	}
}

func TestCreate(t *testing.T) {
	c := open(t)
	const named = `"name":"A b 1","symbol":"TSTNFT"`
	const invalid = "invalid params"
	long := strings.Repeat("a", 51)
	for _, tt := range []struct{ sender, payload, logs string }{
		{"bob", `{` + named + key, fails("you must have enough tokens to cover the creation fees")},
		{"nobody", `{` + named + key, fails("you must have enough tokens to cover the creation fees")},
		{"satoshi", `{` + named + `}`, fails("you must use a custom_json signed with your active key")},
		{"satoshi", `{"symbol":"X"` + key, fails(invalid)},
		{"satoshi", `{"name":"X"` + key, fails(invalid)},
		{"satoshi", `{` + named + `,"url":""` + key, fails(invalid)},
		{"satoshi", `{` + named + `,"orgName":null` + key, fails(invalid)},
		{"satoshi", `{` + named + `,"authorizedIssuingAccounts":{}` + key, fails(invalid)},
		{"satoshi", `{` + named + `,"maxSupply":5` + key, fails(invalid)},
		{"satoshi", `{` + named + `,"maxSupply":"x"` + key, fails(invalid)},
		{"satoshi", `{"name":"X","symbol":"tst"` + key, fails("invalid symbol: uppercase letters only, max length of 10")},
		{"satoshi", `{"name":"X","symbol":"AAAAAAAAAAA"` + key, fails("invalid symbol: uppercase letters only, max length of 10")},
		{"satoshi", `{"name":"X","symbol":"CELL"` + key, fails("cannot use this symbol")},
		{"satoshi", `{"name":"a-b","symbol":"TSTNFT"` + key, fails("invalid name: letters, numbers, whitespaces only, max length of 50")},
		{"satoshi", `{"name":" ","symbol":"TSTNFT"` + key, fails("invalid name: letters, numbers, whitespaces only, max length of 50")},
		{"satoshi", `{` + named + `,"orgName":"` + long + `"` + key, fails("invalid org name: letters, numbers, whitespaces only, max length of 50")},
		{"satoshi", `{` + named + `,"productName":"!"` + key, fails("invalid product name: letters, numbers, whitespaces only, max length of 50")},
		{"satoshi", `{` + named + `,"url":"` + strings.Repeat("u", 256) + `"` + key, fails("invalid url: max length of 255")},
		{"satoshi", `{` + named + `,"maxSupply":"0"` + key, fails("maxSupply must be positive")},
		{"satoshi", `{` + named + `,"maxSupply":"9007199254740992"` + key, fails("maxSupply must be lower than 9007199254740991")},
		{"satoshi", `{` + named + `,"url":"http://x","maxSupply":"3.9"` + key, paid("100")},
		{"satoshi", `{` + named + key, fails("symbol already exists")},
	} {
		if r := c.Call(tt.sender, "nft", "create", tt.payload); r.Logs != tt.logs {
			t.Errorf("%s: %s, want %s", tt.payload, r.Logs, tt.logs)
		}
	}
	want := `{"_id":1,"issuer":"satoshi","symbol":"TSTNFT","name":"A b 1","orgName":"","productName":"","metadata":"{\"url\":\"http://x\"}",` +
		`"maxSupply":3,"supply":0,"circulatingSupply":0,"delegationEnabled":false,"undelegationCooldown":0,` +
		`"authorizedIssuingAccounts":["satoshi"],"authorizedIssuingContracts":[],"properties":{},"groupBy":[]}`
	if got := c.Row("nft_nfts", "symbol", "TSTNFT"); got != want {
		t.Errorf("row %s, want %s", got, want)
	}
	if c.DB().Tables().Table("nft_TSTNFTinstances") == nil {
		t.Error("no table for the units")
	}
	if got := c.Balance("satoshi", "BEE"); got != "900.00000000" {
		t.Errorf("satoshi has %s", got)
	}
}

func TestIssuers(t *testing.T) {
	c := open(t)
	r := c.Call("satoshi", "nft", "create", `{"name":"X","symbol":"X","authorizedIssuingAccounts":[" Bob ","carol"],"authorizedIssuingContracts":["Dice"]`+key)
	if want := "u:nft_nfts u:nft_nfts"; r.Logs != paid("100") || !strings.HasSuffix(strings.Join(r.Writes, " "), want) {
		t.Errorf("%s %v", r.Logs, r.Writes)
	}
	eleven := `["aaa","bbb","ccc","ddd","eee","fff","ggg","hhh","iii","jjj","kkk"]`
	for _, tt := range []struct{ sender, action, payload, logs string }{
		{"satoshi", "addAuthorizedIssuingAccounts", `{"symbol":"X","accounts":["dan"]}`, fails("you must use a custom_json signed with your active key")},
		{"satoshi", "addAuthorizedIssuingAccounts", `{"symbol":"X","accounts":"dan"` + key, fails("invalid params")},
		{"satoshi", "addAuthorizedIssuingAccounts", `{"symbol":"X","accounts":` + eleven + key, fails("cannot have more than 10 authorized issuing accounts")},
		{"satoshi", "addAuthorizedIssuingAccounts", `{"symbol":"X","accounts":["dan",5]` + key, fails("invalid account list")},
		{"satoshi", "addAuthorizedIssuingContracts", `{"symbol":"X","contracts":["ab"]` + key, fails("invalid contract list")},
		{"satoshi", "addAuthorizedIssuingAccounts", `{"symbol":"NONE","accounts":["dan"]` + key, "{}"},
		{"bob", "addAuthorizedIssuingAccounts", `{"symbol":"X","accounts":["dan"]` + key, fails("must be the issuer")},
		{"satoshi", "addAuthorizedIssuingAccounts", `{"symbol":"X","accounts":["dan","DAN"]` + key, fails("cannot add the same account twice")},
		{"satoshi", "addAuthorizedIssuingAccounts", `{"symbol":"X","accounts":["aaa","bbb","ccc","ddd","eee","fff","ggg","hhh","iii"]` + key, fails("cannot have more than 10 authorized issuing accounts")},
		{"satoshi", "addAuthorizedIssuingAccounts", `{"symbol":"X","accounts":["bob","dan"]` + key, "{}"},
		{"satoshi", "addAuthorizedIssuingContracts", `{"symbol":"X","contracts":["dice"]` + key, "{}"},
	} {
		if r := c.Call(tt.sender, "nft", tt.action, tt.payload); r.Logs != tt.logs {
			t.Errorf("%s: %s, want %s", tt.payload, r.Logs, tt.logs)
		}
	}
	want := `"authorizedIssuingAccounts":["bob","carol","dan"],"authorizedIssuingContracts":["Dice","dice"],`
	if got := c.Row("nft_nfts", "symbol", "X"); !strings.Contains(got, want) {
		t.Errorf("row %s, want %s", got, want)
	}
}

func TestProperties(t *testing.T) {
	c := open(t)
	c.Call("satoshi", "nft", "create", `{"name":"X","symbol":"X"`+key)
	c.Call("hive-engine", "nft", "updateParams", `{"dataPropertyCreationFee":"898"}`)
	property := func(name, more string) string {
		return `{"symbol":"X","name":"` + name + `","type":"number"` + more + key
	}
	for _, tt := range []struct{ sender, action, payload, logs string }{
		{"satoshi", "addProperty", `{"symbol":"X","name":"a","type":"number"}`, fails("you must use a custom_json signed with your active key")},
		{"satoshi", "addProperty", `{"symbol":"X","name":"a"` + key, fails("invalid params")},
		{"satoshi", "addProperty", property("a", `,"isReadOnly":1`), fails("invalid params")},
		{"satoshi", "addProperty", property("a-b", ""), fails("invalid name: letters & numbers only, max length of 25")},
		{"satoshi", "addProperty", property(strings.Repeat("a", 26), ""), fails("invalid name: letters & numbers only, max length of 25")},
		{"satoshi", "addProperty", `{"symbol":"X","name":"a","type":"object"` + key, fails("invalid type: must be number, string, or boolean")},
		{"satoshi", "addProperty", `{"symbol":"NONE","name":"a","type":"number"` + key, "{}"},
		{"bob", "addProperty", property("a", ""), fails("must be the issuer")},
		{"satoshi", "addProperty", property("a", ""), "{}"},
		{"satoshi", "addProperty", property("a", ""), fails("cannot add the same property twice")},
		{"satoshi", "addProperty", property("b", `,"isReadOnly":true,"authorizedEditingAccounts":[],"authorizedEditingContracts":["dice"]`), "{}"},
		{"satoshi", "addProperty", property("c", `,"authorizedEditingAccounts":["Bob","bob"]`), fails("cannot add the same account twice")},
		{"satoshi", "addProperty", property("d", ""), paid("898")},
		{"satoshi", "addProperty", property("e", ""), fails("you must have enough tokens to cover the creation fees")},
		{"satoshi", "setPropertyPermissions", `{"symbol":"X","name":"z","accounts":[]` + key, fails("property must exist")},
		{"bob", "setPropertyPermissions", `{"symbol":"X","name":"a","accounts":[]` + key, fails("must be the issuer")},
		{"satoshi", "setPropertyPermissions", `{"symbol":"X","name":"a","accounts":null` + key, fails("invalid params")},
		{"satoshi", "setPropertyPermissions", `{"symbol":"X","name":"a","accounts":["x"]` + key, fails("invalid account list")},
		{"satoshi", "setPropertyPermissions", `{"symbol":"X","name":"a","contracts":["dice","dice"]` + key, fails("cannot add the same contract twice")},
		{"satoshi", "setPropertyPermissions", `{"symbol":"X","name":"a","accounts":[" Bob "]` + key, "{}"},
	} {
		if r := c.Call(tt.sender, "nft", tt.action, tt.payload); r.Logs != tt.logs {
			t.Errorf("%s %s: %s, want %s", tt.sender, tt.payload, r.Logs, tt.logs)
		}
	}
	want := `"properties":{"a":{"type":"number","isReadOnly":false,"authorizedEditingAccounts":["bob"],"authorizedEditingContracts":[]},` +
		`"b":{"type":"number","isReadOnly":true,"authorizedEditingAccounts":[],"authorizedEditingContracts":["dice"]},` +
		`"c":{"type":"number","isReadOnly":false,"authorizedEditingAccounts":[],"authorizedEditingContracts":[]},` +
		`"d":{"type":"number","isReadOnly":false,"authorizedEditingAccounts":["satoshi"],"authorizedEditingContracts":[]}},"groupBy":[]}`
	if got := c.Row("nft_nfts", "symbol", "X"); !strings.HasSuffix(got, want) {
		t.Errorf("row %s, want %s", got, want)
	}
}

func TestTick(t *testing.T) {
	c := open(t)
	if r := c.Call("satoshi", "nft", "checkPendingUndelegations", `{}`); r.Logs != fails("not authorized") {
		t.Errorf("by a stranger: %s", r.Logs)
	}
	if r := c.Call("null", "nft", "checkPendingUndelegations", `{}`); r.Logs != "{}" {
		t.Errorf("by the chain: %s", r.Logs)
	}
}
