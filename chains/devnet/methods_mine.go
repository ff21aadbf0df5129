package devnet

import (
	"encoding/hex"
	"errors"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
)

// maxGenerate bounds one generatetoaddress.
const maxGenerate = 10_000

func controlMethods() map[string]method {
	return map[string]method{
		"generatetoaddress": {params: []string{"nblocks", "address", "maxtries"}, required: 2, acts: true, run: generateToAddress},
		"invalidateblock":   {params: []string{"blockhash"}, required: 1, acts: true, run: invalidateBlock},
		"reconsiderblock":   {params: []string{"blockhash"}, required: 1, acts: true, run: reconsiderBlock},
		"submitblock":       {params: []string{"hexdata", "dummy"}, required: 1, acts: true, run: submitBlock},
	}
}

func generateToAddress(k *call) (any, error) {
	count, err := k.integer(0, 0)
	if err != nil {
		return nil, err
	}
	to, err := k.text(1)
	if err != nil {
		return nil, err
	}
	script, err := k.c.params.Addresses.Decode(to)
	if err != nil {
		return nil, fail(codeAddressOrKey, "Error: Invalid address")
	}
	if count < 0 || count > maxGenerate {
		return nil, fail(codeParameter, "nblocks must be between 0 and %d", maxGenerate)
	}
	hashes := make([]string, 0, count)
	for range count {
		if err := k.ctx.Err(); err != nil {
			return nil, err
		}
		hash, err := k.c.mineLocked(script)
		if err != nil {
			return nil, fail(codeInternal, "%v", err)
		}
		hashes = append(hashes, hash.String())
	}
	return hashes, nil
}

// mineLocked takes the lock for one block, so that readers get their turn.
func (c *Chain) mineLocked(script []byte) (chainhash.Hash, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mine(script)
}

func invalidateBlock(k *call) (any, error) { return k.reorganize((*Chain).invalidateBlock) }

func reconsiderBlock(k *call) (any, error) { return k.reorganize((*Chain).reconsiderBlock) }

func (k *call) reorganize(change func(*Chain, chainhash.Hash) error) (any, error) {
	hash, err := k.hash(0)
	if err != nil {
		return nil, err
	}
	k.c.mu.Lock()
	defer k.c.mu.Unlock()
	switch err := change(k.c, hash); {
	case errors.Is(err, errUnknownBlock):
		return nil, fail(codeAddressOrKey, "Block not found")
	case err != nil:
		return nil, fail(codeInternal, "%v", err)
	}
	return nil, nil
}

// submitBlock answers null for a block that is the best now, and else a word: Core's
// for a known one and for one on another branch, or why it was refused.
func submitBlock(k *call) (any, error) {
	text, err := k.text(0)
	if err != nil {
		return nil, err
	}
	raw, err := hex.DecodeString(text)
	if err != nil {
		return nil, fail(codeDeserialization, "Block decode failed")
	}
	block, err := btcutil.NewBlockFromBytes(raw)
	if err != nil || len(block.Transactions()) == 0 {
		return nil, fail(codeDeserialization, "Block decode failed")
	}
	k.c.mu.Lock()
	defer k.c.mu.Unlock()
	if _, err := k.c.chain.HeaderByHash(block.Hash()); err == nil {
		return "duplicate", nil
	}
	if _, err := k.c.chain.HeaderByHash(&block.MsgBlock().Header.PrevBlock); err != nil {
		return "prev-blk-not-found", nil
	}
	if err := k.c.take(block); err != nil {
		return "rejected: " + err.Error(), nil
	}
	if k.c.chain.BestSnapshot().Hash != *block.Hash() {
		return "inconclusive", nil
	}
	return nil, nil
}
