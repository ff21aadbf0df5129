package gateway

import (
	"context"
	"sync/atomic"
	"testing"

	"causeway/chains"
	"causeway/pegs"
)

// countingSource counts the blocks that are asked for.
type countingSource struct {
	chains.Source
	blocks atomic.Int64
}

func (c *countingSource) RawBlock(ctx context.Context, hash string) ([]byte, error) {
	c.blocks.Add(1)
	return c.Source.RawBlock(ctx, hash)
}

// A search of the past that a crash ends goes on from where the ledger has it,
// and finds what was paid before and after that place, once.
func TestSearchOfThePastGoesOnAfterACrash(t *testing.T) {
	d := newDriver(t)
	source := &countingSource{}
	d.tune = func(cfg *Config) {
		source.Source = cfg.Chains[0].Source
		cfg.Chains[0].Source = source
	}
	d.boot()
	f := d.node.gateway.followers[0]
	scripts, err := f.book.deposits("dave")
	if err != nil {
		t.Fatal(err)
	}
	address := scripts[0].watch.Address
	early := d.pay(address, "0.5")
	d.mine(450)
	late := d.pay(address, "0.25")
	d.mine(5)
	height := d.height()
	d.until("the chain's end", func() bool { return d.status().Height == height })
	f.keepEvery = 20
	d.create("dave")
	var after *chains.BlockRef
	d.until("a part of the search", func() bool {
		_ = d.node.gateway.ledger.View(func(s *pegs.State) {
			c, _ := s.Chain(chains.BTC)
			_, after = c.Unsearched()
		})
		return after != nil
	})
	d.node.close()
	d.boot()
	source.blocks.Store(0)
	d.until("both payments", func() bool { return len(d.deposits("dave")["credited"]) == 2 })
	if read := source.blocks.Load(); read > int64(height-after.Height)+20 {
		t.Errorf("%d blocks were read again, %d of %d had been searched", read, after.Height, height)
	}
	for _, d := range d.deposits("dave")["credited"] {
		if d.TxID != early && d.TxID != late {
			t.Errorf("credited %s", d.TxID)
		}
	}
	d.balanced()
}
