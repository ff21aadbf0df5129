package devnet

import (
	"errors"

	"github.com/btcsuite/btcd/chainhash/v2"
)

// maxGenerate bounds one generatetoaddress.
const maxGenerate = 10_000

func controlMethods() map[string]method {
	return map[string]method{
		"generatetoaddress": {params: []string{"nblocks", "address", "maxtries"}, required: 2, acts: true, run: generateToAddress},
		"invalidateblock":   {params: []string{"blockhash"}, required: 1, acts: true, run: invalidateBlock},
		"reconsiderblock":   {params: []string{"blockhash"}, required: 1, acts: true, run: reconsiderBlock},
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
