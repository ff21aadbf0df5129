package gateway

import (
	"context"
	"errors"
	"fmt"

	"causeway/chains"
	"causeway/hotwallet"
	"causeway/pegs"
)

// complete adds the previous transactions to a request.
func (p *payer) complete(ctx context.Context, r *hotwallet.SignRequest) error {
	for i, in := range r.Inputs {
		raw, err := p.previous(ctx, in.Outpoint)
		if err != nil {
			return fmt.Errorf("transaction before %s: %w", hotwallet.SpendText(in.Outpoint), err)
		}
		r.Inputs[i].Previous = raw
	}
	return nil
}

// previous is the whole transaction that made an output of ours: one we signed,
// one a node has, or one cut out of its block.
func (p *payer) previous(ctx context.Context, o chains.Outpoint) ([]byte, error) {
	var raw []byte
	var block *chains.BlockRef
	if err := p.ledger.View(func(s *pegs.State) {
		raw = s.Variant(p.id, o.TxID)
		c, _ := s.Chain(p.id)
		if out, ok := c.Output(o); ok && out.In != nil {
			ref := *out.In
			block = &ref
		}
	}); err != nil || raw != nil {
		return raw, err
	}
	raw, err := p.Source.RawTransaction(ctx, o.TxID)
	if err == nil {
		return raw, nil
	}
	if block == nil || !errors.Is(err, chains.ErrNotFound) {
		return nil, err
	}
	whole, err := p.Source.RawBlock(ctx, block.Hash)
	if err != nil {
		return nil, err
	}
	if raw, err = p.Coin.CutTransaction(whole, o.TxID); err == nil && raw == nil {
		err = fmt.Errorf("gateway: block %s holds no transaction %s", block.Hash, o.TxID)
	}
	return raw, err
}
