package nodetest

import (
	"encoding/hex"

	"causeway/chains"
	"causeway/chains/chaintest"
)

// World is a node, and a rival of its kind that makes blocks of its own and knows
// nothing of the node's mempool: so the node's chain can be made to change its
// mind. It is a chaintest.Payer. Its methods fail the test, and return no error.
type World struct {
	*Node
	rival *Node
	owned byte // addresses given
}

var _ chaintest.Payer = (*World)(nil)

// mature is how many blocks' rewards a World's miner can spend at the beginning.
const mature = 40

// NewWorld gives the node's miner coins.
func NewWorld(node, rival *Node) *World {
	node.t.Helper()
	node.Generate(int(node.Coin.CoinbaseMaturity()) + mature)
	Carry(node, rival)
	return &World{Node: node, rival: rival}
}

// NewAddress implements chaintest.Payer.
func (w *World) NewAddress() (string, error) {
	w.owned++
	script := P2PKH(minerKey())
	script[3] = w.owned // a hash that nobody has the key of
	return w.Coin.Address(script)
}

// Pay implements chaintest.Payer.
func (w *World) Pay(address string, units int64) (txid string, err error) {
	return w.Send(chaintest.Output{Address: address, Units: units})
}

// Send makes one transaction of several payments.
func (w *World) Send(outputs ...chaintest.Output) (txid string, err error) {
	w.t.Helper()
	var payouts []Payout
	for _, o := range outputs {
		payouts = append(payouts, Payout{o.Address, chains.NewAmount(uint64(o.Units))})
	}
	return w.Node.Send(payouts...), nil
}

// Mine implements chaintest.Payer.
func (w *World) Mine(blocks int) error {
	w.t.Helper()
	w.Generate(blocks)
	return nil
}

// Conflict makes a dearer transaction of the coins of one that was sent.
func (w *World) Conflict(txid string) ([]byte, error) {
	w.t.Helper()
	return w.Node.Conflict(txid), nil
}

// Reward makes a transaction that spends the reward of a block.
func (w *World) Reward(height uint64) ([]byte, chains.Outpoint, error) {
	w.t.Helper()
	raw, out := w.Node.Reward(height)
	return raw, out, nil
}

// Reorg has the rival make depth + 1 blocks in place of the newest depth, in which
// the payment txid, which is in these or waits, meets its fate.
func (w *World) Reorg(txid string, depth int, fate chaintest.Fate) error {
	w.t.Helper()
	carry(w.Node, w.rival, w.Height()-uint64(depth))
	switch fate {
	case chaintest.Again:
		var raw string
		w.Call(&raw, "getrawtransaction", txid, 0)
		w.rival.Generate(1)
		w.rival.Call(nil, "sendrawtransaction", raw)
		w.rival.Generate(depth)
	case chaintest.Replaced:
		w.rival.Call(nil, "sendrawtransaction", hex.EncodeToString(w.Node.Conflict(txid)))
		w.rival.Generate(depth + 1)
	case chaintest.Gone:
		w.rival.Generate(depth + 1)
	}
	Carry(w.rival, w.Node)
	return nil
}

// Restart restarts the node. One that forgets its chain is given it again.
func (w *World) Restart(down func()) error {
	w.t.Helper()
	Carry(w.Node, w.rival)
	w.Node.Restart(down)
	Carry(w.rival, w.Node)
	return nil
}

// Carry hands the blocks of one node to another, which has them all after that.
func Carry(from, to *Node) {
	from.t.Helper()
	carry(from, to, from.Height())
}

func carry(from, to *Node, top uint64) {
	from.t.Helper()
	height := min(top, to.Height())
	for height > 0 && from.hashAt(height) != to.hashAt(height) {
		height--
	}
	for height++; height <= top; height++ {
		var raw string
		from.big(&raw, "getblock", from.hashAt(height), 0)
		// The answer is a word, in as many languages as there are nodes: a block
		// of a branch that is not the best yet is no failure.
		to.Call(nil, "submitblock", raw)
	}
	if from.hashAt(top) != to.hashAt(top) {
		from.t.Fatalf("%s does not follow to block %d", to.spec.name, top)
	}
}

func (n *Node) hashAt(height uint64) (hash string) {
	n.t.Helper()
	n.Call(&hash, "getblockhash", height)
	return hash
}
