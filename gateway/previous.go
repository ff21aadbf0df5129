package gateway

import (
	"context"
	"errors"
	"fmt"

	"causeway/chains"
	"causeway/pegs"
)

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
	if raw = p.cut(whole, o.TxID); raw == nil {
		return nil, fmt.Errorf("gateway: block %s holds no transaction %s", block.Hash, o.TxID)
	}
	return raw, nil
}

// cut finds a transaction in the bytes of a block. It walks them only as far as
// lengths go; that what it finds is the transaction is known by its txid.
func (p *payer) cut(block []byte, txid string) []byte {
	const header = 80
	if len(block) <= header {
		return nil
	}
	w := walker{data: block[header:]}
	for n := w.varint(); n > 0 && !w.bad; n-- {
		start := w.data
		w.transaction()
		if w.bad {
			return nil
		}
		raw := start[:len(start)-len(w.data)]
		if id, _, _, err := p.Coin.DecodeTransaction(raw); err == nil && id == txid {
			return raw
		}
	}
	return nil
}

// walker skips over serialised transactions of the Bitcoin family.
type walker struct {
	data []byte
	bad  bool
}

func (w *walker) skip(n uint64) {
	if w.bad || n > uint64(len(w.data)) {
		w.bad = true
		return
	}
	w.data = w.data[n:]
}

func (w *walker) varint() uint64 {
	if w.bad || len(w.data) == 0 {
		w.bad = true
		return 0
	}
	size := map[byte]int{0xfd: 2, 0xfe: 4, 0xff: 8}[w.data[0]]
	v := uint64(w.data[0])
	w.skip(1)
	if size == 0 || w.bad || len(w.data) < size {
		w.bad = w.bad || size > len(w.data)
		return v
	}
	v = 0
	for i := size - 1; i >= 0; i-- {
		v = v<<8 | uint64(w.data[i])
	}
	w.skip(uint64(size))
	return v
}

func (w *walker) transaction() {
	w.skip(4)
	witness := len(w.data) > 1 && w.data[0] == 0 && w.data[1] == 1
	if witness {
		w.skip(2)
	}
	inputs := w.varint()
	for n := inputs; n > 0 && !w.bad; n-- {
		w.skip(36)
		w.skip(w.varint())
		w.skip(4)
	}
	for n := w.varint(); n > 0 && !w.bad; n-- {
		w.skip(8)
		w.skip(w.varint())
	}
	for n := inputs; witness && n > 0 && !w.bad; n-- {
		for items := w.varint(); items > 0 && !w.bad; items-- {
			w.skip(w.varint())
		}
	}
	w.skip(4)
}
