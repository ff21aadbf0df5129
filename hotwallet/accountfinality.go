package hotwallet

import (
	"context"
	"fmt"

	"causeway/chains"
	"causeway/chains/ethereum"
)

// FinalAccounts is a chain of accounts as the signer sees it by itself.
type FinalAccounts struct {
	Rules  AccountRules
	Source *ethereum.Quorum // nodes of the signer's own choice
	Tag    ethereum.Tag     // below which a block is final
}

// look says what a transaction does in a block that has the tag.
func (c *FinalAccounts) look(ctx context.Context, ref chains.BlockRef, txid string) (FinalTx, error) {
	head, err := c.Source.Head(ctx, c.Tag)
	if err != nil {
		return FinalTx{}, err
	}
	if ref.Height > head.Height {
		return FinalTx{}, fmt.Errorf("block %d is not %s at height %d", ref.Height, c.Tag, head.Height)
	}
	hash, err := c.Source.HashAt(ctx, ref.Height)
	if err != nil {
		return FinalTx{}, err
	}
	if hash != ref.Hash {
		return FinalTx{}, fmt.Errorf("block %s is not in the chain", ref.Hash)
	}
	id, err := ethereum.ParseHash(hash)
	if err != nil {
		return FinalTx{}, err
	}
	block, err := c.Source.Block(ctx, id)
	if err != nil {
		return FinalTx{}, err
	}
	for i := range block.Transactions {
		if tx := &block.Transactions[i]; tx.Hash.String() == txid {
			return c.fate(ctx, block, tx)
		}
	}
	return FinalTx{}, fmt.Errorf("block %s has no transaction %s", hash, txid)
}

// fate is what became of a transaction: its sender, by the signature, has used the
// nonce, whatever it did with it.
func (c *FinalAccounts) fate(ctx context.Context, block *ethereum.Block, tx *ethereum.Mined) (FinalTx, error) {
	from, err := tx.Sender()
	if err != nil {
		return FinalTx{}, err
	}
	out := FinalTx{Spends: []string{fmt.Sprintf("0x%x:%d", from[:], tx.Nonce)}, Failed: !tx.Succeeded}
	if tx.To == nil {
		out.Payment = "a contract"
		return out, nil
	}
	out.Payment = accountPayment(&ethereum.Transaction{To: *tx.To, Value: tx.Value, Data: tx.Data})
	if _, _, call := ethereum.ParseTransferCall(tx.Data); call && tx.Succeeded && c.Rules.isToken(*tx.To) {
		taken, err := c.Source.TokensTaken(ctx, block, from, *tx.To)
		if err != nil {
			return FinalTx{}, err
		}
		out.Failed = taken.IsZero()
	}
	return out, nil
}
