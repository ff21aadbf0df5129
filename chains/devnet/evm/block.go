package evm

import (
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/consensus"
	"github.com/ethereum/go-ethereum/consensus/misc/eip1559"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/tracing"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/trie"
	"github.com/holiman/uint256"
)

// block is an executed block. It never changes.
type block struct {
	*types.Block
	receipts types.Receipts
	forced   []forced
}

// forced is a balance that was set by no transaction, after those of its block.
type forced struct {
	Address common.Address
	Wei     *uint256.Int
}

// work is a block that is being made on top of another.
type work struct {
	c        *Chain
	header   *types.Header
	state    *state.StateDB
	machine  *vm.EVM
	gas      *core.GasPool
	txs      types.Transactions
	receipts types.Receipts
	forced   []forced
}

// begin starts a block on parent. extra makes it differ from every other. The
// caller must call release.
func (c *Chain) begin(parent *block, time uint64, extra []byte) (*work, error) {
	header := &types.Header{
		ParentHash: parent.Hash(), Number: new(big.Int).Add(parent.Number(), common.Big1), Difficulty: new(big.Int),
		Time: time, GasLimit: parent.GasLimit(), BaseFee: eip1559.CalcBaseFee(c.config, parent.Header()), Extra: extra,
		BlobGasUsed: new(uint64), ExcessBlobGas: new(uint64), ParentBeaconRoot: new(common.Hash),
	}
	db, err := c.stateAt(parent.Root())
	if err != nil {
		return nil, err
	}
	w := &work{c: c, header: header, state: db, gas: core.NewGasPool(header.GasLimit)}
	w.machine = vm.NewEVM(core.NewEVMBlockContext(header, c.headers(), &header.Coinbase), db, c.config, vm.Config{})
	core.PreExecution(empty(), header.ParentBeaconRoot, parent.Header(), c.config, w.machine, header.Number, header.Time)
	return w, nil
}

func (w *work) release() { w.machine.Release() }

// add executes a transaction. An error leaves the block as it was.
func (w *work) add(tx *types.Transaction) error {
	snapshot, gas := w.state.Snapshot(), w.gas.Snapshot()
	w.state.SetTxContext(tx.Hash(), len(w.txs), uint32(len(w.txs)+1))
	receipt, _, err := core.ApplyTransaction(empty(), w.machine, w.gas, w.state, w.header, tx)
	if err != nil {
		w.state.RevertToSnapshot(snapshot)
		w.gas.Set(gas)
		return err
	}
	w.txs, w.receipts = append(w.txs, tx), append(w.receipts, receipt)
	return nil
}

// force sets a balance after all transactions.
func (w *work) force(f forced) {
	w.state.SetBalance(f.Address, f.Wei, tracing.BalanceChangeTouchAccount)
	w.forced = append(w.forced, f)
}

// finish ends the block. Its state is committed only by store.
func (w *work) finish() (*block, error) {
	var logs []*types.Log
	for _, r := range w.receipts {
		logs = append(logs, r.Logs...)
	}
	requests, _, err := core.PostExecution(empty(), w.c.config, w.header.Number, w.header.Time, logs, types.Withdrawals{}, w.machine, uint32(len(w.txs)+1))
	if err != nil {
		return nil, err
	}
	hash := types.CalcRequestsHash(requests)
	w.header.RequestsHash = &hash
	w.header.GasUsed = w.gas.Used()
	w.header.Root = w.state.IntermediateRoot(w.c.rules(w.header))
	b := types.NewBlock(w.header, &types.Body{Transactions: w.txs, Withdrawals: types.Withdrawals{}}, w.receipts, trie.NewListHasher())
	// The receipts learn where they are only now.
	err = w.receipts.DeriveFields(w.c.config, b.Hash(), b.NumberU64(), b.Time(), b.BaseFee(), big.NewInt(params.BlobTxMinBlobGasprice), w.txs)
	return &block{Block: b, receipts: w.receipts, forced: w.forced}, err
}

// seal ends the block and commits its state.
func (w *work) seal() (*block, error) {
	b, err := w.finish()
	if err != nil {
		return nil, err
	}
	root, err := w.c.commit(w.state, w.header)
	if err == nil && root != b.Root() {
		err = fmt.Errorf("state root %s after %s", root, b.Root())
	}
	return b, err
}

// repeat executes a block of the journal again, and compares everything with what
// it was.
func (c *Chain) repeat(known *types.Block, changes []forced) (*block, error) {
	parent := c.byHash[known.ParentHash()]
	if parent == nil {
		return nil, fmt.Errorf("block %s: unknown parent", known.Hash())
	}
	w, err := c.begin(parent, known.Time(), known.Extra())
	if err != nil {
		return nil, err
	}
	defer w.release()
	for i, tx := range known.Transactions() {
		if err := w.add(tx); err != nil {
			return nil, fmt.Errorf("block %s, transaction %d: %w", known.Hash(), i, err)
		}
	}
	for _, f := range changes {
		w.force(f)
	}
	b, err := w.seal()
	if err == nil && b.Hash() != known.Hash() {
		err = fmt.Errorf("block %s is %s when it is executed again", known.Hash(), b.Hash())
	}
	return b, err
}

// stateAt opens the state with a root. It may be changed: nothing of that stays
// without commit.
func (c *Chain) stateAt(root common.Hash) (*state.StateDB, error) { return state.New(root, c.states) }

// commit keeps a state.
func (c *Chain) commit(db *state.StateDB, header *types.Header) (common.Hash, error) {
	root, err := db.Commit(c.rules(header), header.Number.Uint64())
	if err != nil {
		return root, err
	}
	return root, c.states.TrieDB().Commit(root, false)
}

// headers shows the chain to the EVM, which asks for the hashes of earlier blocks.
// The Chain's lock is held by whoever executes.
func (c *Chain) headers() core.ChainContext { return headers{c} }

type headers struct{ c *Chain }

func (h headers) Config() *params.ChainConfig { return h.c.config }
func (h headers) Engine() consensus.Engine    { return nil } // only asked for the author, who is given
func (h headers) GetHeader(hash common.Hash, _ uint64) *types.Header {
	return h.GetHeaderByHash(hash)
}
func (h headers) GetHeaderByHash(hash common.Hash) *types.Header {
	if b := h.c.byHash[hash]; b != nil {
		return b.Header()
	}
	return nil
}
func (h headers) GetHeaderByNumber(number uint64) *types.Header {
	if number < uint64(len(h.c.chain)) {
		return h.c.chain[number].Header()
	}
	return nil
}
func (h headers) CurrentHeader() *types.Header { return h.c.head().Header() }
