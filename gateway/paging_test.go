package gateway

import (
	"slices"
	"testing"
)

// TestPagesOfDeposits: a page never holds more than its limit, whether blocks or
// only the mempool know the deposits, and the pages together hold each once,
// newest first.
func TestPagesOfDeposits(t *testing.T) {
	w := newWorld(t)
	w.start()
	address := w.depositAddress("alice")
	var paid []string
	for _, amount := range []string{"0.1", "0.2", "0.3"} {
		paid = append(paid, w.pay(address, amount))
		w.mine(1)
	}
	w.wait("three in blocks", func() bool {
		page, err := w.node.gateway.Deposits("alice", "", 0)
		return err == nil && len(page.Items) == 3
	})
	for _, amount := range []string{"0.4", "0.5"} {
		paid = append(paid, w.pay(address, amount))
		w.wait("payment seen", func() bool {
			page, err := w.node.gateway.Deposits("alice", "", 1)
			return err == nil && len(page.Items) == 1 && page.Items[0].TxID == paid[len(paid)-1]
		})
	}
	slices.Reverse(paid)
	for limit := 1; limit <= 6; limit++ {
		var got []string
		for cursor, pages := "", 0; pages < 9; pages++ {
			page, err := w.node.gateway.Deposits("alice", cursor, limit)
			if err != nil || len(page.Items) > limit {
				t.Fatalf("limit %d: %d items, %v", limit, len(page.Items), err)
			}
			for _, d := range page.Items {
				got = append(got, d.TxID)
				if one, err := w.node.gateway.Deposit(d.ID); err != nil || one.TxID != d.TxID || one.State != d.State {
					t.Errorf("deposit %s is %+v, %v", d.ID, one, err)
				}
			}
			if page.NextCursor == nil {
				break
			}
			cursor = *page.NextCursor
		}
		if !slices.Equal(got, paid) {
			t.Errorf("limit %d: %v, want %v", limit, got, paid)
		}
	}
}
