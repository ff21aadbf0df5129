package marketpools_test

import (
	"strings"
	"testing"

	"causeway/sidechain/contracts/contracttest"
	"causeway/sidechain/contracts/marketpools"
)

// TestUpdates: two updates change the parameters, a third one nothing.
func TestUpdates(t *testing.T) {
	c := contracttest.Peer(t, 90_000_000, marketpools.Current())
	params := func() string { return c.Row("marketpools_params", "_id", 1.0) }
	if got := params(); got != `{"_id":1,"poolCreationFee":"1000"}` {
		t.Errorf("deployed: %s", got)
	}
	for _, want := range []struct{ writes, row string }{
		{"u:marketpools_params", `{"_id":1,"poolCreationFee":"1000","updateIndex":1}`},
		{"u:marketpools_params", `{"_id":1,"poolCreationFee":"1000","updateIndex":2,"tradeFeeMul":"0.9975"}`},
		{"", `{"_id":1,"poolCreationFee":"1000","updateIndex":2,"tradeFeeMul":"0.9975"}`},
	} {
		r := c.Deploy(marketpools.Current())
		if got := strings.Join(r.Writes, " "); r.Logs != "{}" || got != want.writes || params() != want.row {
			t.Errorf("%s, wrote %s: %s; want %s: %s", r.Logs, got, params(), want.writes, want.row)
		}
	}
}
