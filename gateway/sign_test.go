package gateway

import (
	"context"
	"testing"

	"causeway/chains"
	"causeway/hotwallet"
	"causeway/pegs"
)

// lateSigner lets something happen while it signs.
type lateSigner struct {
	Signer
	meanwhile func(batch string)
}

func (s *lateSigner) Sign(ctx context.Context, r hotwallet.SignRequest) (hotwallet.Signed, error) {
	s.meanwhile(r.Assign.Batch)
	return s.Signer.Sign(ctx, r)
}

// An input is spent by somebody else while its batch is being signed: the
// signature is dropped and the chain halts, but the gateway goes on.
func TestConflictWhileSigning(t *testing.T) {
	d := booted(t)
	d.credit("alice", "0.02")
	d.mine(2)
	ledger := d.node.gateway.ledger
	d.node.gateway.cfg.Signer = &lateSigner{d.node.signer, func(batch string) {
		var theft pegs.Match
		if err := ledger.View(func(s *pegs.State) {
			b, _ := s.Batch(batch)
			c, _ := s.Chain(chains.BTC)
			tip, _ := c.Tip()
			if b.Conflict != "" {
				return
			}
			theft.Header = chains.Header{BlockRef: chains.BlockRef{Height: tip.Height + 1, Hash: "ff"}, Parent: tip.Hash}
			theft.Spends = []chains.Spend{{Outpoint: b.Inputs[0], By: "ee"}, {Outpoint: chains.Outpoint{TxID: "dd"}, By: "ee"}}
		}); err != nil {
			t.Error(err)
		}
		if theft.Spends != nil {
			if err := ledger.Append(context.Background(), &pegs.Connected{Chain: chains.BTC, Match: theft}); err != nil {
				t.Error(err)
			}
		}
	}}
	d.reloop()
	var payee string
	d.call(&payee, "getnewaddress")
	id := d.withdraw("alice", "0.01", payee)
	d.until("assigned", func() bool { return d.withdrawal(id).Batch != "" })
	for range 4 {
		d.clock.tick()
		if _, err := d.node.sequencer.Produce(context.Background()); err != nil {
			t.Fatal(err)
		}
		for _, l := range d.loops {
			if err := l.step(context.Background()); fatal(err) {
				t.Fatalf("%s: %v", l.name, err)
			}
		}
	}
}
