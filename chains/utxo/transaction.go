package utxo

import (
	"fmt"

	"causeway/chains"
)

// DecodeTransaction implements chains.Chain. The scripts in the result are
// parts of raw. A transaction of an extension block alone is chains.ErrHidden.
func (c *Coin) DecodeTransaction(raw []byte) (txid string, outputs []chains.Output, spends []chains.Spend, err error) {
	l, err := c.layoutOne(raw)
	if err != nil {
		return "", nil, nil, err
	}
	stripped, _ := l.stripped(raw, nil)
	id := sha256d(stripped)
	var texts hashTexts
	texts.grow(1 + l.ins)
	txid = texts.add(id[:])
	outputs, spends = c.list(&l, raw, txid, l.coinbase(raw), nil, nil, &texts)
	return txid, outputs, spends, nil
}

// TransactionIDs is a raw transaction's txid, its wtxid (the same when it has
// no witness) and its virtual size in bytes.
func (c *Coin) TransactionIDs(raw []byte) (txid, wtxid string, vsize uint64, err error) {
	l, err := c.layoutOne(raw)
	if err != nil {
		return "", "", 0, err
	}
	stripped, _ := l.stripped(raw, nil)
	id, wid := sha256d(stripped), l.witnessID(raw)
	return hashText(id[:]), hashText(wid[:]), l.vsize(), nil
}

// layoutOne measures raw, which must be one transaction and nothing more.
func (c *Coin) layoutOne(raw []byte) (layout, error) {
	if len(raw) > c.params.MaxBlockBytes {
		return layout{}, fmt.Errorf("%w: %d bytes", chains.ErrBadTransaction, len(raw))
	}
	cur := cursor{data: raw, alone: true}
	l, err := cur.transaction(&c.params)
	if err == nil && l.hidden {
		return layout{}, fmt.Errorf("%w: %w", chains.ErrBadTransaction, chains.ErrHidden)
	}
	if err == nil && cur.left() != 0 {
		err = errTrailing
	}
	if err != nil {
		return layout{}, fmt.Errorf("%w: at byte %d: %w", chains.ErrBadTransaction, cur.pos, err)
	}
	return l, nil
}

// CutTransaction finds a transaction in the bytes of a block of this coin and
// gives the part of them that it is; nil without an error when the block does not
// hold it. What comes back hashes to txid, so the block itself need not be
// believed.
func (c *Coin) CutTransaction(block []byte, txid string) ([]byte, error) {
	want, err := parseHash(txid)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", chains.ErrBadTransaction, err)
	}
	if len(block) < HeaderBytes || len(block) > c.params.MaxBlockBytes {
		return nil, fmt.Errorf("%w: %d bytes", chains.ErrBadBlock, len(block))
	}
	body, err := c.checkWork(block, sha256d(block[:HeaderBytes]))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", chains.ErrBadBlock, err)
	}
	txs, err := c.layouts(block, body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", chains.ErrBadBlock, err)
	}
	var scratch, stripped []byte
	for i := range txs {
		if stripped, scratch = txs[i].stripped(block, scratch); sha256d(stripped) == want {
			return block[txs[i].start:txs[i].end:txs[i].end], nil
		}
	}
	return nil, nil
}
