package evm

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"
)

// The methods below are found by go-ethereum's rpc.Server by reflection: ChainId of
// ethAPI is eth_chainId.

// ethAPI is the namespace eth.
type ethAPI struct{ c *Chain }

func (a *ethAPI) ChainId() hexutil.Uint64 { return hexutil.Uint64(a.c.ChainID()) } //nolint:revive // the name is the protocol's

// Syncing says that it does not.
func (a *ethAPI) Syncing() bool { return false }

// Accounts are those that eth_sendTransaction signs for.
func (a *ethAPI) Accounts() []common.Address {
	list := make([]common.Address, 0, len(a.c.accounts))
	for _, account := range a.c.accounts {
		list = append(list, account.Address)
	}
	return list
}

func (a *ethAPI) BlockNumber() hexutil.Uint64 {
	v, done := a.c.look()
	defer done()
	return hexutil.Uint64(v.height())
}

func (a *ethAPI) GetBlockByNumber(_ context.Context, number rpc.BlockNumber, full bool) (object, error) {
	v, done := a.c.look()
	defer done()
	if number == rpc.PendingBlockNumber {
		b, err := v.pending()
		if err != nil {
			return nil, err
		}
		return v.showPending(b, full), nil
	}
	b := v.number(number)
	if b == nil {
		return nil, nil
	}
	return v.showBlock(b, full), nil
}

func (a *ethAPI) GetBlockByHash(_ context.Context, hash common.Hash, full bool) (object, error) {
	v, done := a.c.look()
	defer done()
	b := v.hash(hash)
	if b == nil {
		return nil, nil
	}
	return v.showBlock(b, full), nil
}

// GetBlockReceipts answers null for an unknown block, as geth does.
func (a *ethAPI) GetBlockReceipts(_ context.Context, which rpc.BlockNumberOrHash) ([]object, error) {
	v, done := a.c.look()
	defer done()
	b, err := v.block(which)
	if b == nil || err != nil {
		return nil, err
	}
	receipts := v.receipts(b)
	list := make([]object, 0, len(receipts))
	for i, tx := range b.Transactions() {
		list = append(list, v.showReceipt(receipts[i], tx))
	}
	return list, nil
}

func (a *ethAPI) GetTransactionByHash(_ context.Context, hash common.Hash) (object, error) {
	v, done := a.c.look()
	defer done()
	if b, index, ok := v.transaction(hash); ok {
		return v.showTx(b.Transactions()[index], b, index), nil
	}
	for _, waiting := range v.waiting() {
		if waiting.tx.Hash() == hash {
			return v.showTx(waiting.tx, nil, 0), nil
		}
	}
	return nil, nil
}

func (a *ethAPI) GetRawTransactionByHash(_ context.Context, hash common.Hash) (hexutil.Bytes, error) {
	v, done := a.c.look()
	defer done()
	if b, index, ok := v.transaction(hash); ok {
		return b.Transactions()[index].MarshalBinary()
	}
	for _, waiting := range v.waiting() {
		if waiting.tx.Hash() == hash {
			return waiting.tx.MarshalBinary()
		}
	}
	return nil, nil
}

func (a *ethAPI) GetTransactionReceipt(_ context.Context, hash common.Hash) (object, error) {
	v, done := a.c.look()
	defer done()
	b, index, ok := v.transaction(hash)
	if !ok {
		return nil, nil
	}
	return v.showReceipt(v.receipts(b)[index], b.Transactions()[index]), nil
}

func (a *ethAPI) GetTransactionCount(_ context.Context, who common.Address, which rpc.BlockNumberOrHash) (hexutil.Uint64, error) {
	v, done := a.c.look()
	defer done()
	n, byNumber := which.Number()
	pending := byNumber && n == rpc.PendingBlockNumber
	if pending {
		which = rpc.BlockNumberOrHashWithNumber(rpc.LatestBlockNumber)
	}
	db, _, err := v.state(which)
	if err != nil {
		return 0, err
	}
	nonce := db.GetNonce(who)
	if pending && len(v.waiting()) > 0 {
		nonce = v.c.pool.nonce(who, nonce)
	}
	return hexutil.Uint64(nonce), nil
}

func (a *ethAPI) GetBalance(_ context.Context, who common.Address, which rpc.BlockNumberOrHash) (*hexutil.Big, error) {
	v, done := a.c.look()
	defer done()
	db, _, err := v.state(which)
	if err != nil {
		return nil, err
	}
	return hexBig(v.wei(db.GetBalance(who).ToBig())), nil
}

func (a *ethAPI) GetCode(_ context.Context, who common.Address, which rpc.BlockNumberOrHash) (hexutil.Bytes, error) {
	v, done := a.c.look()
	defer done()
	db, _, err := v.state(which)
	if err != nil {
		return nil, err
	}
	return db.GetCode(who), nil
}

func (a *ethAPI) GetStorageAt(_ context.Context, who common.Address, slot string, which rpc.BlockNumberOrHash) (hexutil.Bytes, error) {
	n, err := hexutil.DecodeBig(slot)
	if err != nil {
		raw, rawErr := hexutil.Decode(slot) // geth takes leading zeros too
		if rawErr != nil || len(raw) > common.HashLength {
			return nil, badParams("%v: %q", err, slot)
		}
		n = common.BytesToHash(raw).Big()
	}
	v, done := a.c.look()
	defer done()
	db, _, err := v.state(which)
	if err != nil {
		return nil, err
	}
	word := db.GetState(who, common.BigToHash(n))
	return word[:], nil
}

// txpoolAPI is the namespace txpool.
type txpoolAPI struct{ c *Chain }

// Content is the pool by sender and nonce: what a block could hold in order, and
// what waits for an earlier nonce.
func (a *txpoolAPI) Content() (map[string]map[string]map[string]object, error) {
	v, done := a.c.look()
	defer done()
	content := map[string]map[string]map[string]object{"pending": {}, "queued": {}}
	err := a.sort(v, func(group string, entry *pooled) {
		from := entry.from.Hex()
		if content[group][from] == nil {
			content[group][from] = map[string]object{}
		}
		content[group][from][fmt.Sprint(entry.tx.Nonce())] = v.showTx(entry.tx, nil, 0)
	})
	return content, err
}

// Status counts the pool.
func (a *txpoolAPI) Status() (map[string]hexutil.Uint, error) {
	v, done := a.c.look()
	defer done()
	status := map[string]hexutil.Uint{"pending": 0, "queued": 0}
	err := a.sort(v, func(group string, _ *pooled) { status[group]++ })
	return status, err
}

func (a *txpoolAPI) sort(v *view, each func(group string, entry *pooled)) error {
	db, err := v.c.stateAt(v.c.head().Root())
	if err != nil {
		return err
	}
	for _, entry := range v.waiting() {
		group := "queued"
		if entry.tx.Nonce() < v.c.pool.nonce(entry.from, db.GetNonce(entry.from)) {
			group = "pending"
		}
		each(group, entry)
	}
	return nil
}

// netAPI is the namespace net.
type netAPI struct{ c *Chain }

func (a *netAPI) Version() string         { return fmt.Sprint(a.c.ChainID()) }
func (a *netAPI) Listening() bool         { return true }
func (a *netAPI) PeerCount() hexutil.Uint { return 0 }

// web3API is the namespace web3.
type web3API struct{}

// clientVersion is how the chain calls itself.
const clientVersion = "causeway-devnet/evm/go-ethereum-v1.17.10"

func (web3API) ClientVersion() string { return clientVersion }
