package nodetest

import (
	"bytes"
	"encoding/hex"
	"slices"

	"causeway/chains"
	"causeway/chains/utxo"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
)

// payRate is the fee rate of a Pay, in units of the coin's relay fee.
const payRate = 5

// minerKey owns the coins of the blocks that a Node generates. It is no secret.
func minerKey() *btcec.PrivateKey {
	key, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{0x42}, 32))
	return key
}

// P2WPKH and P2PKH are a key's scripts.
func P2WPKH(key *btcec.PrivateKey) []byte {
	return append([]byte{0, 20}, address.Hash160(key.PubKey().SerializeCompressed())...)
}

func P2PKH(key *btcec.PrivateKey) []byte {
	return append(append([]byte{0x76, 0xa9, 20}, address.Hash160(key.PubKey().SerializeCompressed())...), 0x88, 0xac)
}

// miner owns the coins of the blocks that a Node generates. Its key is no
// secret.
type miner struct {
	key    *btcec.PrivateKey
	script []byte
	// What it owns, oldest first, from the blocks up to height next - 1. A coin
	// that a reorganisation took away is not noticed.
	coins []minerCoin
	next  uint64
}

type minerCoin struct {
	utxo.Input
	spendable uint64 // at this height of the best block
}

func newMiner(segwit bool) miner {
	m := miner{key: minerKey()}
	if m.script = P2PKH(m.key); segwit {
		m.script = P2WPKH(m.key)
	}
	return m
}

// Payout is one output that Send makes.
type Payout struct {
	Address string
	Amount  chains.Amount
}

// Pay sends coins of the miner to an address, unconfirmed, and returns the
// txid. The miner must own enough: Generate(101) gives it the first 50 coins.
func (n *Node) Pay(to string, amount chains.Amount) (txid string) {
	n.t.Helper()
	return n.Send(Payout{to, amount})
}

// Send makes one transaction with all the outputs.
func (n *Node) Send(payouts ...Payout) (txid string) {
	n.t.Helper()
	var payees []utxo.Payee
	// For one input and some twenty outputs.
	need, err := (payRate * n.Coin.Facts().RelayFee).Fee(1000)
	if err != nil {
		n.t.Fatal(err)
	}
	for _, p := range payouts {
		script, err := n.Coin.Script(p.Address)
		if err != nil {
			n.t.Fatal(err)
		}
		payees = append(payees, utxo.Payee{Script: script, Amount: p.Amount})
		if need, err = need.Add(p.Amount); err != nil {
			n.t.Fatal(err)
		}
	}
	inputs, have := n.take(need)
	change, err := have.Sub(need)
	if err != nil {
		n.t.Fatalf("the miner owns %s and shall pay %s: generate more blocks", have, need)
	}
	if !change.Less(n.Coin.Dust(n.miner.script)) {
		payees = append(payees, utxo.Payee{Script: n.miner.script, Amount: change})
	}
	signed := n.sign(inputs, payees)
	n.Call(&txid, "sendrawtransaction", hex.EncodeToString(signed.Raw))
	n.sent[txid] = inputs
	return txid
}

// conflictRate is the fee of a Conflict of some 200 bytes, in relay fees of 1000:
// dearer than any Send.
const conflictRate = 40

// Conflict makes, and does not send, a dearer transaction that takes the coins of
// one that was sent back to the miner.
func (n *Node) Conflict(txid string) (raw []byte) {
	n.t.Helper()
	inputs := n.sent[txid]
	var have chains.Amount
	for _, in := range inputs {
		have, _ = have.Add(in.Amount)
	}
	fee, err := (conflictRate * n.Coin.Facts().RelayFee).Fee(1000)
	if err != nil {
		n.t.Fatal(err)
	}
	rest, err := have.Sub(fee)
	if err != nil {
		n.t.Fatalf("no transaction %s of the miner's: %v", txid, err)
	}
	return n.sign(inputs, []utxo.Payee{{Script: n.miner.script, Amount: rest}}).Raw
}

// Reward makes, and does not send, a transaction that spends what the block at a
// height pays to the miner.
func (n *Node) Reward(height uint64) (raw []byte, out chains.Outpoint) {
	n.t.Helper()
	for _, o := range n.Block(height).Outputs {
		if o.Coinbase && bytes.Equal(o.Script, n.miner.script) {
			return n.Spend(o), o.Outpoint
		}
	}
	n.t.Fatalf("block %d pays nothing to the miner", height)
	return nil, chains.Outpoint{}
}

// Spend makes, and does not send, a transaction of one output of the miner's, to the
// miner.
func (n *Node) Spend(o chains.Output) (raw []byte) {
	n.t.Helper()
	fee, err := (payRate * n.Coin.Facts().RelayFee).Fee(1000)
	if err != nil {
		n.t.Fatal(err)
	}
	rest, err := o.Amount.Sub(fee)
	if err != nil {
		n.t.Fatal(err)
	}
	in := utxo.Input{Outpoint: o.Outpoint, Amount: o.Amount, Script: o.Script, Sequence: utxo.Replaceable}
	return n.sign([]utxo.Input{in}, []utxo.Payee{{Script: n.miner.script, Amount: rest}}).Raw
}

// SendTokens pays coins with 100 new CashTokens to a script: a bchd takes them.
func (n *Node) SendTokens(script []byte, amount chains.Amount) (txid string) {
	n.t.Helper()
	key, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{0x17}, 32)) // not the miner's, who would spend it again
	own := P2PKH(key)
	to, err := n.Coin.Address(own)
	if err != nil {
		n.t.Fatal(err)
	}
	fee, err := (payRate * n.Coin.Facts().RelayFee).Fee(1000)
	if err != nil {
		n.t.Fatal(err)
	}
	most, err := amount.Add(fee)
	if err != nil {
		n.t.Fatal(err)
	}
	// The category is the id of a transaction whose output 0 is spent. By BIP69 that is
	// one of two payments that are less than the change.
	first := n.Send(Payout{to, most}, Payout{to, most})
	category, err := hex.DecodeString(first)
	if err != nil {
		n.t.Fatal(err)
	}
	slices.Reverse(category)
	draft, err := n.Coin.Draft(
		[]utxo.Input{{Outpoint: chains.Outpoint{TxID: first}, Amount: most, Script: own, Sequence: utxo.Replaceable}},
		[]utxo.Payee{{Script: slices.Concat([]byte{0xef}, category, []byte{0x10, 100}, script), Amount: amount}}, 0)
	if err != nil {
		n.t.Fatal(err)
	}
	signed, err := draft.Sign(func([]byte) (*btcec.PrivateKey, error) { return key, nil })
	if err != nil {
		n.t.Fatal(err)
	}
	n.Call(&txid, "sendrawtransaction", hex.EncodeToString(signed.Raw))
	return txid
}

// sign makes a transaction of the miner's coins.
func (n *Node) sign(inputs []utxo.Input, payees []utxo.Payee) *utxo.Signed {
	n.t.Helper()
	draft, err := n.Coin.Draft(inputs, payees, 0)
	if err != nil {
		n.t.Fatal(err)
	}
	signed, err := draft.Sign(func([]byte) (*btcec.PrivateKey, error) { return n.miner.key, nil })
	if err != nil {
		n.t.Fatal(err)
	}
	return signed
}

// take removes coins from the miner's until they suffice.
func (n *Node) take(need chains.Amount) (inputs []utxo.Input, have chains.Amount) {
	n.t.Helper()
	n.scan()
	height := n.Height()
	var rest []minerCoin
	for _, c := range n.miner.coins {
		if have.Less(need) && c.spendable <= height {
			inputs = append(inputs, c.Input)
			have, _ = have.Add(c.Amount)
			continue
		}
		rest = append(rest, c)
	}
	n.miner.coins = rest
	return inputs, have
}

// scan adds what the new blocks pay to the miner.
func (n *Node) scan() {
	n.t.Helper()
	for height := n.Height(); n.miner.next <= height; n.miner.next++ {
		for _, out := range n.Block(n.miner.next).Outputs {
			if !bytes.Equal(out.Script, n.miner.script) {
				continue
			}
			c := minerCoin{Input: utxo.Input{Outpoint: out.Outpoint, Amount: out.Amount, Script: n.miner.script, Sequence: utxo.Replaceable}}
			if out.Coinbase {
				c.spendable = n.miner.next + n.Coin.CoinbaseMaturity() - 1
			}
			n.miner.coins = append(n.miner.coins, c)
		}
	}
}

// Block is the block at a height of the best chain, decoded by the project.
func (n *Node) Block(height uint64) *chains.Block {
	n.t.Helper()
	var hash, text string
	n.Call(&hash, "getblockhash", height)
	n.Call(&text, "getblock", hash, 0)
	raw, err := hex.DecodeString(text)
	if err != nil {
		n.t.Fatal(err)
	}
	block, err := n.Coin.DecodeBlock(raw, hash)
	if err != nil {
		n.t.Fatal(err)
	}
	block.Height = height
	return block
}
