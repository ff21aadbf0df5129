package evm

import (
	"context"
	"encoding/json"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/rpc"

	"causeway/chains/devnet/kit"
)

// TestConcurrency lets everybody talk at once: payments, mining, reorganisations,
// reads, faults. At the end the chain is whole and nobody's money is lost.
func TestConcurrency(t *testing.T) {
	cfg := Config{Dir: t.TempDir(), Tokens: []Token{testToken}, Interval: time.Millisecond, Clock: time.Now}
	chain, c := start(t, cfg)
	to := stranger(1)
	const payments = 30
	var group, readers sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	for i := range 3 {
		group.Go(func() {
			for range payments {
				if _, err := chain.Send(chain.accounts[i].Address, &to, big.NewInt(1), nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Go(func() {
		for i := range 20 {
			// A depth beyond the chain's height is refused.
			if err := chain.Reorg(uint64(i%3), false); err != nil && chain.Height() > 2 {
				t.Error(err)
			}
		}
	})
	for range 2 {
		readers.Go(func() {
			client, err := rpc.Dial(chain.URL())
			if err != nil {
				t.Error(err)
				return
			}
			defer client.Close()
			for i := 0; ctx.Err() == nil; i++ {
				for _, call := range [][]any{
					{"eth_getBlockByNumber", "latest", true}, {"eth_getBlockByNumber", "pending", true}, {"eth_getBalance", to, "pending"},
					{"eth_call", map[string]any{"to": chain.Token("TUSD"), "data": "0x18160ddd"}, "latest"}, {"txpool_content"},
					{"eth_getLogs", map[string]any{"fromBlock": "0x0"}}, {"eth_feeHistory", 5, "latest", []any{50}},
				} {
					var result json.RawMessage
					// Under a fault anything may be answered.
					_ = client.CallContext(ctx, &result, call[0].(string), call[1:]...)
				}
			}
		})
	}
	readers.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			if err := chain.SetFault(kit.Faults()[i%len(kit.Faults())]); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Millisecond)
		}
	})
	group.Wait()
	cancel()
	readers.Wait()
	must(t, chain.SetFault(kit.FaultNone))
	chain.SetInterval(0)
	mine(t, chain, 1)
	mustEqual(t, "paid", c.balance(to, "latest"), big.NewInt(3*payments))
	mustEqual(t, "waiting", len(chain.pool.byHash), 0)
	before := shown(c)
	must(t, chain.Close())
	cfg.Interval = 0
	_, c = start(t, cfg)
	mustEqual(t, "after a restart", shown(c), before)
}
