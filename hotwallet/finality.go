package hotwallet

import (
	"context"
	"fmt"

	"causeway/chains"
	"causeway/chains/utxo"
)

// FinalChain is a chain as the signer sees it by itself.
type FinalChain struct {
	Coin   *utxo.Coin
	Source chains.Source // nodes of the signer's own choice
	Depth  uint64        // from which on a block is final, at least 1
}

// Finality asks nodes whether transactions are final: those of chains of outputs,
// and of chains of accounts.
func Finality(list []FinalChain, accounts map[chains.ID]FinalAccounts) FinalTransaction {
	byID := make(map[chains.ID]FinalChain, len(list))
	for _, c := range list {
		byID[c.Coin.ID()] = c
	}
	return func(ctx context.Context, chain chains.ID, block chains.BlockRef, txid string) (FinalTx, error) {
		if c, ok := accounts[chain]; ok {
			return c.look(ctx, block, txid)
		}
		c, ok := byID[chain]
		if !ok {
			return FinalTx{}, fmt.Errorf("no nodes of %s", chain)
		}
		spends, err := c.spends(ctx, block, txid)
		return FinalTx{Spends: spends}, err
	}
}

func (c *FinalChain) spends(ctx context.Context, block chains.BlockRef, txid string) ([]string, error) {
	tip, err := c.Source.Tip(ctx)
	if err != nil {
		return nil, err
	}
	if block.Height > tip.Height || tip.Height-block.Height+1 < max(c.Depth, 1) {
		return nil, fmt.Errorf("block %d is not final at height %d", block.Height, tip.Height)
	}
	hash, err := c.Source.HashAt(ctx, block.Height)
	if err != nil {
		return nil, err
	}
	if hash != block.Hash {
		return nil, fmt.Errorf("block %s is not in the chain", block.Hash)
	}
	raw, err := c.Source.RawBlock(ctx, hash)
	if err != nil {
		return nil, err
	}
	if _, err := c.Coin.DecodeBlock(raw, hash); err != nil {
		return nil, err
	}
	tx, err := c.Coin.CutTransaction(raw, txid)
	if err != nil {
		return nil, err
	}
	if tx == nil {
		return nil, fmt.Errorf("block %s has no transaction %s", hash, txid)
	}
	_, _, spends, err := c.Coin.DecodeTransaction(tx)
	if err != nil {
		return nil, err
	}
	return spendTexts(spends), nil
}

func spendTexts(spends []chains.Spend) []string {
	out := make([]string, len(spends))
	for i, s := range spends {
		out[i] = SpendText(s.Outpoint)
	}
	return out
}
