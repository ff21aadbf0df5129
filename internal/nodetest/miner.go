package nodetest

import (
	"bytes"
	"encoding/hex"

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
	draft, err := n.Coin.Draft(inputs, payees, 0)
	if err != nil {
		n.t.Fatal(err)
	}
	signed, err := draft.Sign(func([]byte) (*btcec.PrivateKey, error) { return n.miner.key, nil })
	if err != nil {
		n.t.Fatal(err)
	}
	n.Call(&txid, "sendrawtransaction", hex.EncodeToString(signed.Raw))
	return txid
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
