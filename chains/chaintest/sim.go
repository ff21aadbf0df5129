package chaintest

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"

	"causeway/chains/devnet"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// Config is what a Sim is made of. Only Params is required.
type Config struct {
	Params devnet.Params
	// Nodes is how many there are; 0: one.
	Nodes int
	// Seed decides everything that is left to chance.
	Seed uint64
	// Coins is how many outputs of CoinValue the payer owns at the start; 0: 200
	// of 50 coins each.
	Coins     int
	CoinValue int64
	// Extension gives every block an extension block, as on Litecoin: PegOut.
	Extension bool
	// ChainID makes every second block a merge-mined one of that chain, as on
	// Dogecoin; 0: none.
	ChainID uint32
}

// Sim is a simulated chain. Its methods may be called from any goroutine.
type Sim struct {
	params devnet.Params
	net    *chaincfg.Params
	sigs   *txscript.SigCache

	mu       sync.Mutex
	rng      *rand.Rand
	blocks   map[chainhash.Hash]*Block
	best     *Block
	txs      map[chainhash.Hash]*Tx
	spenders map[wire.OutPoint][]*Tx // of every transaction ever seen
	nodes    []*Node
	wallet   *wallet
	made     uint64
	hook     func(node int, tx *wire.MsgTx)
	rate     int64 // what estimates say; 0: Fees.Wallet
	chainID  uint32
	// The extension block: where its coins are before the first HogEx, and what is
	// to leave it. The outpoint is empty while there is none.
	extension wire.OutPoint
	pegOuts   []*wire.TxOut
}

// Tx is a transaction, wherever it is.
type Tx struct {
	Msg    *wire.MsgTx
	ID     chainhash.Hash
	blocks []*Block // that hold it
	hogEx  bool
}

// Block is a block of the tree.
type Block struct {
	Parent *Block // nil: the genesis
	Height int
	Hash   chainhash.Hash
	Msg    *wire.MsgBlock
	txs    []*Tx
	hogEx  *Tx    // the last one, where there is an extension block
	proof  []byte // of the work of a parent, when merge-mined
	reach  int    // height of the highest block that rests on it
}

// Txs are the transactions, the coinbase first.
func (b *Block) Txs() []*Tx { return b.txs }

// New makes a chain that is just long enough for the payer's coins to be
// spendable.
func New(cfg Config) (*Sim, error) {
	if cfg.Params.Net == nil || cfg.Params.Addresses == nil {
		return nil, errors.New("chaintest: incomplete Params")
	}
	if cfg.Nodes == 0 {
		cfg.Nodes = 1
	}
	if cfg.Coins == 0 {
		cfg.Coins = 200
	}
	if cfg.CoinValue == 0 {
		cfg.CoinValue = 50 * 100_000_000
	}
	net := *cfg.Params.Net
	if cfg.Params.Maturity != 0 {
		net.CoinbaseMaturity = cfg.Params.Maturity
	}
	s := &Sim{
		params: cfg.Params, net: &net, sigs: txscript.NewSigCache(10_000), rng: rand.New(rand.NewPCG(cfg.Seed, 0x5eed)),
		blocks: map[chainhash.Hash]*Block{}, txs: map[chainhash.Hash]*Tx{}, spenders: map[wire.OutPoint][]*Tx{},
		chainID: cfg.ChainID,
	}
	var err error
	if s.wallet, err = newWallet(s, cfg.Seed); err != nil {
		return nil, fmt.Errorf("chaintest: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begin(cfg.Nodes)
	return s, s.fund(cfg)
}

// Fork is another chain with the same blocks and the same payer, whose chance a
// seed decides. It may be taken of a Sim that New has made and nothing has
// happened to since, as often as wanted: to make a chain anew costs the work for
// all its blocks.
func (s *Sim) Fork(nodes int, seed uint64) *Sim {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := &Sim{
		params: s.params, net: s.net, sigs: txscript.NewSigCache(10_000), rng: rand.New(rand.NewPCG(seed, 0x5eed)),
		blocks: maps.Clone(s.blocks), txs: maps.Clone(s.txs), spenders: maps.Clone(s.spenders), best: s.best, made: s.made,
		chainID: s.chainID, extension: s.extension,
	}
	f.wallet = &wallet{sim: f, key: s.wallet.key, script: s.wallet.script, coins: slices.Clone(s.wallet.coins), seed: s.wallet.seed}
	for i := range nodes {
		f.nodes = append(f.nodes, newNode(f, i))
	}
	return f
}

// begin enters the genesis and places the nodes on it.
func (s *Sim) begin(nodes int) {
	msg := s.net.GenesisBlock
	genesis := &Block{Hash: *s.net.GenesisHash, Msg: msg}
	s.blocks[genesis.Hash], s.best = genesis, genesis
	for i := range nodes {
		s.nodes = append(s.nodes, newNode(s, i))
	}
}

// fund mines the payer's coins and lets them mature.
func (s *Sim) fund(cfg Config) error {
	outputs := make([]*wire.TxOut, cfg.Coins)
	for i := range outputs {
		outputs[i] = wire.NewTxOut(cfg.CoinValue, s.wallet.script)
	}
	if cfg.Extension {
		outputs = append(outputs, wire.NewTxOut(extensionBalance, s.hogAddr()))
	}
	block, err := s.extend(s.best, nil, outputs)
	if err != nil {
		return err
	}
	for i := range cfg.Coins {
		s.wallet.coins = append(s.wallet.coins, coin{wire.OutPoint{Hash: block.txs[0].ID, Index: uint32(i)}, cfg.CoinValue})
	}
	for range int(s.net.CoinbaseMaturity) {
		if _, err := s.extend(s.best, nil, nil); err != nil {
			return err
		}
	}
	if cfg.Extension {
		s.extension = wire.OutPoint{Hash: block.txs[0].ID, Index: uint32(cfg.Coins)}
	}
	return nil
}

// SetFeeRate is what nodes estimate from now on, in base units per 1000 virtual
// bytes; 0: what the coin's wallets pay.
func (s *Sim) SetFeeRate(rate int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rate = rate
}

// Node is the i-th node.
func (s *Sim) Node(i int) *Node { return s.nodes[i] }

// Nodes is how many nodes there are.
func (s *Sim) Nodes() int { return len(s.nodes) }

// OnBroadcast calls f, outside all locks, with every transaction that a node is
// asked to send, before the node does anything about it.
func (s *Sim) OnBroadcast(f func(node int, tx *wire.MsgTx)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = f
}

// Best is the newest block of the best branch.
func (s *Sim) Best() *Block {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.best
}

// Chain is the best branch, the genesis first.
func (s *Sim) Chain() []*Block {
	s.mu.Lock()
	defer s.mu.Unlock()
	return branchTo(s.best)
}

// Tx finds a transaction by id.
func (s *Sim) Tx(txid string) (*Tx, bool) {
	hash, err := chainhash.NewHashFromStr(txid)
	if err != nil {
		return nil, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	tx, ok := s.txs[*hash]
	return tx, ok
}

// Transactions are all that there ever were, mined or not, in no order.
func (s *Sim) Transactions() []*Tx {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.txs))
}

// Deepest is how deep a transaction ever was, in whichever branch; 0 for one that
// never was in a block.
func (s *Sim) Deepest(id chainhash.Hash) (depth int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if tx := s.txs[id]; tx != nil {
		for _, block := range tx.blocks {
			depth = max(depth, block.reach-block.Height+1)
		}
	}
	return depth
}

// Script is the output script of an address.
func (s *Sim) Script(address string) ([]byte, error) { return s.params.Addresses.Decode(address) }

// enter makes a transaction known to the world.
func (s *Sim) enter(msg *wire.MsgTx) *Tx {
	id := msg.TxHash()
	if tx := s.txs[id]; tx != nil {
		return tx
	}
	tx := &Tx{Msg: msg, ID: id}
	s.txs[id] = tx
	for _, in := range msg.TxIn {
		s.spenders[in.PreviousOutPoint] = append(s.spenders[in.PreviousOutPoint], tx)
	}
	return tx
}
