package devnet

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Everybody talks at once: payments, mining, reorgs, reads, faults. At the end
// the books of the wallet agree with a fresh scan.
func TestParallel(t *testing.T) {
	chain, c := start(t, Config{})
	to := c.text("getnewaddress")
	var group sync.WaitGroup
	worker := func(n int, work func(i int) bool) {
		group.Go(func() {
			for i := range n {
				if !work(i) {
					return
				}
			}
		})
	}
	// A method may fail in this crowd, but only with an error of its own.
	fine := func(method string, params ...any) bool {
		body, err := json.Marshal(map[string]any{"method": method, "params": params, "id": 1})
		if err != nil {
			t.Error(err)
			return false
		}
		status, answer, err := c.post(string(body))
		if err != nil || status != 200 && status != 500 || strings.Contains(string(answer), "Internal error") || !json.Valid(answer) {
			t.Errorf("%s: HTTP %d %q %v", method, status, answer, err)
			return false
		}
		return true
	}
	for range 2 {
		worker(25, func(int) bool { return fine("sendtoaddress", to, "0.01") })
		worker(15, func(int) bool { return fine("generatetoaddress", 1, to) })
	}
	worker(8, func(int) bool { return fine("invalidateblock", chain.chain.BestSnapshot().Hash.String()) })
	bending := []Fault{FaultNone, FaultLag, FaultEmpty, FaultLie, FaultFloat}
	worker(40, func(i int) bool { return chain.SetFault(bending[i%len(bending)]) == nil })
	for range 3 {
		worker(40, func(i int) bool {
			tip := chain.chain.BestSnapshot().Hash.String()
			return fine("getblock", tip, i%3) && fine("getrawmempool") && fine("gettxout", strings.Repeat("0", 64), 0) &&
				fine("getchaintips") && fine("getbalance") && fine("getblockheader", tip)
		})
	}
	group.Wait()
	if err := chain.SetFault(FaultNone); err != nil {
		t.Fatal(err)
	}
	c.mine(1)
	fresh, err := newWallet(chain.params, chain.net)
	if err != nil {
		t.Fatal(err)
	}
	for height := int32(1); height <= int32(c.count()); height++ {
		block, err := chain.chain.BlockByHeight(height)
		if err != nil {
			t.Fatal(err)
		}
		if err := fresh.connect(block, height); err != nil {
			t.Fatal(err)
		}
	}
	mustEqual(t, "coins", len(chain.wallet.coins), len(fresh.coins))
	mustEqual(t, "spent", len(chain.wallet.spent), len(fresh.spent))
}

// Demos poll: half of all answers must be there within 2 ms. The bound here is
// wide because test machines are busy.
func TestLatency(t *testing.T) {
	_, c := start(t, Config{})
	c.text("sendtoaddress", c.text("getnewaddress"), 1)
	hash := c.mine(1)[0]
	var took []time.Duration
	for range 100 {
		begin := time.Now()
		c.count()
		c.text("getblock", hash, 0)
		c.mempool()
		took = append(took, time.Since(begin)/3)
	}
	slices.Sort(took)
	t.Logf("p50 %v, p99 %v", took[50], took[98])
	if took[50] > 20*time.Millisecond {
		t.Errorf("p50 is %v", took[50])
	}
}
