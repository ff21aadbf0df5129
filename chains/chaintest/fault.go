package chaintest

import (
	"slices"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/mining"
	"github.com/btcsuite/btcd/wire/v2"
)

// FaultKind is a way to answer wrongly.
type FaultKind string

// The kinds. What a method does in the world, it does under Lose alone, under
// Refuse and under the kinds that change only numbers and views; under the
// others it is not done.
const (
	// Fail answers with a JSON-RPC error that says nothing about the matter.
	Fail FaultKind = "fail"
	// WarmUp answers with the error of a node that is starting.
	WarmUp FaultKind = "warm_up"
	// Down answers HTTP 503.
	Down FaultKind = "down"
	// Hang answers nothing until the caller gives up, or Fault.Delay is over;
	// then the connection breaks.
	Hang FaultKind = "hang"
	// Garbage answers with bytes that are no JSON.
	Garbage FaultKind = "garbage"
	// Null answers with a result of null.
	Null FaultKind = "null"
	// Empty answers with an empty list, text or object, whichever fits.
	Empty FaultKind = "empty"
	// Lose does what was asked and breaks the connection before the answer.
	Lose FaultKind = "lose"
	// Behind answers as of six blocks ago, with an empty mempool.
	Behind FaultKind = "behind"
	// Back answers as of one block ago.
	Back FaultKind = "back"
	// Lie shows another block at the tip, with proof of work and merkle root,
	// in which outputs have twice their amounts; doubles the amounts of all other
	// transactions; says that what was sent was taken, and takes nothing; and
	// names absurd fees.
	Lie FaultKind = "lie"
	// Float prints numbers of coins as floats, one binary digit off.
	Float FaultKind = "float"
	// Refuse says of what was sent, and taken, that its inputs are missing.
	Refuse FaultKind = "refuse"
)

// FaultKinds are all kinds.
func FaultKinds() []FaultKind {
	return []FaultKind{Fail, WarmUp, Down, Hang, Garbage, Null, Empty, Lose, Behind, Back, Lie, Float, Refuse}
}

// Fault makes a node answer wrongly.
type Fault struct {
	Method string // empty: every method
	Kind   FaultKind
	Times  int           // how often; 0: until Heal
	Delay  time.Duration // of Hang; 0: as long as the caller waits
}

// behind is how far Behind is behind.
const behind = 6

// Inject makes the node answer wrongly from its next request on. Of several
// faults that fit, the first holds.
func (n *Node) Inject(f Fault) {
	n.sim.mu.Lock()
	defer n.sim.mu.Unlock()
	n.faults = append(n.faults, &f)
}

// Heal takes all faults away.
func (n *Node) Heal() {
	n.sim.mu.Lock()
	defer n.sim.mu.Unlock()
	n.faults = nil
}

// fault is the fault that a request meets, and counts it.
func (n *Node) fault(method string) (f Fault) {
	n.sim.mu.Lock()
	defer n.sim.mu.Unlock()
	for i, one := range n.faults {
		if one.Method != "" && one.Method != method {
			continue
		}
		f = *one
		if one.Times > 0 {
			if one.Times--; one.Times == 0 {
				n.faults = slices.Delete(n.faults, i, i+1)
			}
		}
		return f
	}
	return Fault{}
}

// falseTip is what Lie shows in place of the tip.
type falseTip struct {
	of    *Block
	block *Block
}

// falsehood is a branch that ends in an invented block instead of the tip. It is
// made once for each tip: a consistent liar.
func (n *Node) falsehood() (branch, error) {
	tip := n.branch.tip()
	if n.lie == nil || n.lie.of != tip {
		msg := tip.Msg.Copy()
		var list []*btcutil.Tx
		fake := &Block{Parent: tip.Parent, Height: tip.Height, Msg: msg}
		for i, tx := range msg.Transactions {
			msg.Transactions[i] = inflate(tx)
			list = append(list, btcutil.NewTx(msg.Transactions[i]))
		}
		if n.sim.params.SegWit {
			coinbase := msg.Transactions[0]
			coinbase.TxOut = coinbase.TxOut[:len(coinbase.TxOut)-1] // the old commitment
			mining.AddWitnessCommitment(list[0], list)
			list[0] = btcutil.NewTx(coinbase)
		}
		for _, tx := range msg.Transactions {
			fake.txs = append(fake.txs, &Tx{Msg: tx, ID: tx.TxHash()})
		}
		if tip.hogEx != nil {
			fake.hogEx = fake.txs[len(fake.txs)-1]
			fake.hogEx.hogEx = true
		}
		msg.Header.MerkleRoot = blockchain.CalcMerkleRoot(list, false)
		proof, err := n.sim.seal(&msg.Header, tip.proof != nil)
		if err != nil {
			return nil, err
		}
		fake.Hash, fake.proof = msg.BlockHash(), proof
		n.lie = &falseTip{tip, fake}
	}
	return append(slices.Clone(n.branch[:len(n.branch)-1]), n.lie.block), nil
}

// inflate is a transaction with twice the amounts.
func inflate(tx *wire.MsgTx) *wire.MsgTx {
	tx = tx.Copy()
	for _, out := range tx.TxOut {
		out.Value *= 2
	}
	return tx
}

// invented is a hash of nothing.
func (s *Sim) invented() (h chainhash.Hash) {
	for i := range h {
		h[i] = byte(s.rng.UintN(256))
	}
	return h
}
