package utxo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"causeway/chains"
)

// DecodeBlock implements chains.Chain. The scripts in the result are parts of
// raw, and its texts share memory: keep neither longer than the block itself
// without cloning (chains.WatchSet clones what it reports).
func (c *Coin) DecodeBlock(raw []byte, want string) (*chains.Block, error) {
	block, err := c.decodeBlock(raw, want)
	if err != nil {
		return nil, fmt.Errorf("%w: %s %s: %w", chains.ErrBadBlock, c.params.ID, clip(want), err)
	}
	return block, nil
}

func (c *Coin) decodeBlock(raw []byte, want string) (*chains.Block, error) {
	if len(raw) < HeaderBytes || len(raw) > c.params.MaxBlockBytes {
		return nil, fmt.Errorf("size of %d bytes", len(raw))
	}
	header := raw[:HeaderBytes]
	id := sha256d(header)
	if got := hashText(id[:]); got != want {
		return nil, fmt.Errorf("the bytes hash to %s", got)
	}
	body, err := c.checkWork(raw, id)
	if err != nil {
		return nil, err
	}
	txs, err := c.layouts(raw, body)
	if err != nil {
		return nil, err
	}
	ids, err := checkMerkle(raw, header, txs)
	if err != nil {
		return nil, err
	}
	if c.params.Segwit {
		if err := checkWitness(raw, txs); err != nil {
			return nil, err
		}
	}
	block := c.collect(raw, txs, ids)
	block.Header = chains.Header{
		BlockRef: chains.BlockRef{Hash: want},
		Parent:   hashText(header[4:36]),
		Time:     int64(binary.LittleEndian.Uint32(header[68:])),
	}
	return block, nil
}

// layouts measures all transactions of a block from body on, up to its last
// byte.
func (c *Coin) layouts(raw []byte, body int) ([]layout, error) {
	cur := cursor{data: raw, pos: body}
	n, err := cur.count(minTransaction)
	if err != nil {
		return nil, fmt.Errorf("count of transactions: %w", err)
	}
	if n == 0 {
		return nil, errors.New("no transactions")
	}
	txs := make([]layout, n)
	for i := range txs {
		if txs[i], err = cur.transaction(&c.params); err != nil {
			return nil, fmt.Errorf("transaction %d at byte %d: %w", i, cur.pos, err)
		}
		switch null := txs[i].nullInputs(raw); {
		case i == 0 && !(null == 1 && txs[i].ins == 1):
			return nil, errors.New("the first transaction is no coinbase")
		case i > 0 && null > 0:
			return nil, fmt.Errorf("transaction %d spends nothing, as a coinbase does", i)
		}
		if last := i == n-1 && i > 0; txs[i].hogEx && !last {
			return nil, fmt.Errorf("transaction %d pays out of the extension block and is not the last", i)
		}
	}
	if last := &txs[n-1]; c.params.PegOutDepth > 0 && n > 1 {
		if err := cur.extension(last); err != nil {
			return nil, err
		}
	}
	if cur.left() != 0 {
		return nil, errTrailing
	}
	return txs, nil
}

// checkMerkle computes the txids and verifies the header's merkle root. With a
// true coinbase in front, no other list of transactions has the same root but
// for the duplicates that are refused here: to pass inner nodes of the tree off
// as 64-byte transactions one would have to find a hash of 32 zero bytes.
func checkMerkle(raw, header []byte, txs []layout) ([]hash, error) {
	ids := make([]hash, len(txs), 2*len(txs))
	var scratch, stripped []byte
	for i := range txs {
		stripped, scratch = txs[i].stripped(raw, scratch)
		ids[i] = sha256d(stripped)
	}
	root, mutated := merkleRoot(append(ids[len(ids):], ids...))
	if mutated {
		return nil, errors.New("merkle tree with duplicates")
	}
	if !bytes.Equal(root[:], header[36:68]) {
		return nil, errors.New("merkle root differs")
	}
	return ids, nil
}

// commitmentPrefix begins the coinbase output that commits to the witnesses.
var commitmentPrefix = []byte{0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed}

// checkWitness verifies the witness commitment (BIP141); a block without one
// must not have witnesses.
func checkWitness(raw []byte, txs []layout) error {
	coinbase := &txs[0]
	var commitment []byte
	coinbase.eachOutput(raw, func(_ uint32, _ uint64, script []byte) {
		if len(script) >= 38 && bytes.HasPrefix(script, commitmentPrefix) {
			commitment = script[6:38]
		}
	})
	if commitment == nil {
		for i := range txs {
			if txs[i].segwit {
				return fmt.Errorf("transaction %d has a witness that nothing commits to", i)
			}
		}
		return nil
	}
	// One item of 32 bytes: the reserved value.
	reserved := raw[coinbase.witness:coinbase.lock]
	if !coinbase.segwit || len(reserved) != 34 || reserved[0] != 1 || reserved[1] != 32 {
		return errors.New("witness commitment without its reserved value")
	}
	ids := make([]hash, len(txs)) // the coinbase's counts as zero
	for i := 1; i < len(txs); i++ {
		ids[i] = txs[i].witnessID(raw)
	}
	root, _ := merkleRoot(ids)
	if got := sha256d(append(root[:], reserved[2:]...)); !bytes.Equal(got[:], commitment) {
		return errors.New("witness commitment differs")
	}
	return nil
}

// collect lists what the measured transactions hold. It takes memory a fixed
// number of times, not once for each output.
func (c *Coin) collect(raw []byte, txs []layout, ids []hash) *chains.Block {
	var ins, outs int
	for i := range txs {
		ins, outs = ins+txs[i].ins, outs+txs[i].outs
	}
	block := &chains.Block{
		Transactions: make([]string, 0, len(txs)),
		Outputs:      make([]chains.Output, 0, outs),
		Spends:       make([]chains.Spend, 0, ins),
	}
	var texts hashTexts
	texts.grow(len(txs) + ins)
	for i := range txs {
		txid := texts.add(ids[i][:])
		block.Transactions = append(block.Transactions, txid)
		block.Outputs, block.Spends = c.list(&txs[i], raw, txid, i == 0, block.Outputs, block.Spends, &texts)
	}
	return block
}

// list appends the outputs and, but for a coinbase, the spends of a transaction.
func (c *Coin) list(l *layout, raw []byte, txid string, coinbase bool, outputs []chains.Output, spends []chains.Spend, texts *hashTexts) ([]chains.Output, []chains.Spend) {
	if !coinbase {
		l.eachInput(raw, func(outpoint, _ []byte) {
			spends = append(spends, chains.Spend{
				Outpoint: chains.Outpoint{
					TxID:  texts.add(outpoint[:32]),
					Index: binary.LittleEndian.Uint32(outpoint[32:]),
				},
				By: txid,
			})
		})
	}
	var minDepth uint64
	if l.hogEx {
		minDepth = c.params.PegOutDepth
	}
	l.eachOutput(raw, func(index uint32, value uint64, script []byte) {
		tokens := false
		if c.params.CashTokens {
			script, tokens = stripTokens(script)
		}
		outputs = append(outputs, chains.Output{
			Outpoint: chains.Outpoint{TxID: txid, Index: index},
			Script:   script,
			Amount:   chains.NewAmount(value),
			Coinbase: coinbase, MinDepth: minDepth, Tokens: tokens,
		})
	})
	return outputs, spends
}
