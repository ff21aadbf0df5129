package gateway

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"causeway/chains"
	"causeway/hotwallet"
)

// What a withdrawal waits for is told in coins.
func TestWhyNot(t *testing.T) {
	p := &payer{office: office{id: chains.BTC}}
	why := &hotwallet.PlanError{Kind: hotwallet.ErrInsufficient, Need: chains.NewAmount(4_981_990), Have: chains.NewAmount(1)}
	if got := p.whyNot(why); got != "not enough spendable coins: need 0.04981990, have 0.00000001" {
		t.Error(got)
	}
	if got := p.whyNot(&hotwallet.PlanError{Kind: hotwallet.ErrDust, IDs: []string{"w2"}}); got != "payee below the dust limit: w2" {
		t.Error(got)
	}
}

func TestWindow(t *testing.T) {
	for _, c := range []struct {
		n      int
		cursor string
		limit  int
		want   [2]int
		next   string
	}{
		{0, "", 0, [2]int{0, 0}, ""}, {10, "", 0, [2]int{10, 0}, ""}, {60, "", 0, [2]int{60, 10}, "10"},
		{60, "10", 0, [2]int{10, 0}, ""}, {60, "10", 4, [2]int{10, 6}, "6"}, {60, "0", 4, [2]int{0, 0}, ""}, {5, "9", 4, [2]int{5, 1}, "1"},
	} {
		newest, oldest, next, err := window(c.n, c.cursor, c.limit)
		got := ""
		if next != nil {
			got = *next
		}
		if err != nil || newest != c.want[0] || oldest != c.want[1] || got != c.next {
			t.Errorf("%+v: %d to %d, then %q, %v", c, newest, oldest, got, err)
		}
	}
	for _, bad := range []struct {
		cursor string
		limit  int
	}{{"x", 1}, {"-1", 1}, {"01", 1}, {"1e3", 1}, {"99999999999999999999", 1}, {"", -1}, {"", 501}} {
		if _, _, _, err := window(9, bad.cursor, bad.limit); !isCode(err, CodeBadRequest) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// The members of every answer are those that outside programs were promised.
func TestShapes(t *testing.T) {
	for _, c := range []struct {
		value any
		want  string
	}{
		{DepositAddress{}, "chain account address uri epoch min_deposit confirmations"},
		{Deposit{}, "id chain symbol account address txid index block height amount quantity remainder state reason confirmations confirmations_needed sidechain_tx detail history"},
		{Withdrawal{}, "id chain symbol account address quantity fee amount state reason txid variants batch confirmations confirmations_needed sidechain_tx settle_tx detail history"},
		{Asset{}, "symbol chain token precision min_deposit min_withdrawal withdrawal_fee deposits withdrawals confirmations derivation_key"},
		{ChainStatus{}, "chain height node_height nodes quorum deposits minting payouts reason"},
		{NodeStatus{}, "name ok height"},
		{AssetAudit{}, "symbol chain height block supply pending_withdrawals uncredited reserves in_flight network_fees surplus tolerance ok"},
		{Audit{}, "ok sidechain_block assets"},
		{Reserves{}, "ok sidechain_block assets items"},
		{ReserveItem{}, "chain address kind txid index amount"},
		{Step{}, "state at detail"},
		{Page[Asset]{}, "items next_cursor"},
	} {
		text, err := json.Marshal(c.value)
		if err != nil {
			t.Fatal(err)
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(text, &members); err != nil {
			t.Fatal(err)
		}
		var got []string
		for name := range members {
			got = append(got, name)
		}
		want := strings.Fields(c.want)
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%T: %s", c.value, diff)
		}
	}
}

func TestClipKeepsOneLine(t *testing.T) {
	if got := clip("a\nlevel=ERROR\r\x00" + strings.Repeat("x", 100)); strings.ContainsAny(got, "\n\r\x00") || len(got) > 70 {
		t.Errorf("%q", got)
	}
	if got := oneLine(errors.Join(errors.New("one"), errors.New("two")).Error(), 64); got != "one; two" {
		t.Errorf("%q", got)
	}
}
