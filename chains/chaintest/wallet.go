package chaintest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// wallet is the payer's: one key, of the old form, whose signatures count in
// txids and can therefore be malleated. Every payment spends a coin of the
// genesis of its own, so that none rests on another.
type wallet struct {
	sim       *Sim
	key       *btcec.PrivateKey
	script    []byte
	coins     []coin
	addresses uint64
	seed      uint64
}

type coin struct {
	wire.OutPoint
	value int64
}

// Output is a payment to be made.
type Output struct {
	Address string
	Units   int64
	Tokens  []byte // in front of the script: see Tokens
}

func newWallet(s *Sim, seed uint64) (*wallet, error) {
	w := &wallet{sim: s, seed: seed}
	w.key = w.derive("payer", 0)
	script, err := keyHashScript(w.key)
	w.script = script
	return w, err
}

func (w *wallet) derive(use string, n uint64) *btcec.PrivateKey {
	sum := sha256.Sum256(fmt.Appendf(nil, "causeway chaintest %s %d %d", use, w.seed, n))
	key, _ := btcec.PrivKeyFromBytes(sum[:])
	return key
}

func keyHashScript(key *btcec.PrivateKey) ([]byte, error) {
	return txscript.NewScriptBuilder().AddOp(txscript.OP_DUP).AddOp(txscript.OP_HASH160).
		AddData(address.Hash160(key.PubKey().SerializeCompressed())).
		AddOp(txscript.OP_EQUALVERIFY).AddOp(txscript.OP_CHECKSIG).Script()
}

// NewAddress implements Payer.
func (s *Sim) NewAddress() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.wallet
	w.addresses++
	script, err := keyHashScript(w.derive("address", w.addresses))
	if err != nil {
		return "", err
	}
	return s.params.Addresses.Encode(script), nil
}

// Pay implements Payer.
func (s *Sim) Pay(address string, units int64) (txid string, err error) {
	tx, err := s.Send(Output{Address: address, Units: units})
	if err != nil {
		return "", err
	}
	return tx.ID.String(), nil
}

// Send makes one transaction of several payments and hands it to all nodes.
func (s *Sim) Send(outputs ...Output) (*Tx, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	outs, err := s.outputs(outputs)
	if err != nil {
		return nil, err
	}
	msg, err := s.wallet.pay(outs)
	if err != nil {
		return nil, err
	}
	tx := s.enter(msg)
	for _, n := range s.nodes {
		if n.down {
			continue
		}
		if err := n.accept(tx); err != nil {
			return nil, fmt.Errorf("chaintest: node %d: %w", n.index, err)
		}
	}
	return tx, nil
}

func (s *Sim) outputs(list []Output) (outs []*wire.TxOut, err error) {
	for _, o := range list {
		script, err := s.params.Addresses.Decode(o.Address)
		if err != nil {
			return nil, fmt.Errorf("chaintest: %q: %w", o.Address, err)
		}
		outs = append(outs, wire.NewTxOut(o.Units, append(slices.Clone(o.Tokens), script...)))
	}
	return outs, nil
}

// pay takes as many coins as it needs; what is left goes back and is not used
// again.
func (w *wallet) pay(outs []*wire.TxOut) (*wire.MsgTx, error) {
	var need, have int64
	for _, out := range outs {
		need += out.Value
	}
	msg := wire.NewMsgTx(2)
	msg.TxOut = append(msg.TxOut, outs...)
	rate := 4 * w.sim.params.Fees.Relay // of 1000 virtual bytes
	fee := rate * int64(50*(len(outs)+1)) / 1000
	for have < need+fee {
		if len(w.coins) == 0 {
			return nil, errors.New("chaintest: the payer has no coins left")
		}
		c := w.coins[0]
		w.coins = w.coins[1:]
		in := wire.NewTxIn(&c.OutPoint, nil, nil)
		in.Sequence = mempool.MaxRBFSequence
		msg.AddTxIn(in)
		have += c.value
		fee += rate * 150 / 1000
	}
	msg.AddTxOut(wire.NewTxOut(have-need-fee, w.script))
	return msg, w.sign(msg)
}

func (w *wallet) sign(msg *wire.MsgTx) (err error) {
	for i, in := range msg.TxIn {
		prev := w.sim.txs[in.PreviousOutPoint.Hash].Msg.TxOut[in.PreviousOutPoint.Index]
		if in.SignatureScript, err = w.sim.params.SignP2PKH(msg, i, w.script, prev.Value, w.key); err != nil {
			return err
		}
	}
	return nil
}

// respend spends the same coins of ours back to ourselves; nil for a transaction
// that is not the payer's alone.
func (w *wallet) respend(tx *Tx) *wire.MsgTx {
	msg := wire.NewMsgTx(2)
	var value int64
	for _, in := range tx.Msg.TxIn {
		prev := w.sim.txs[in.PreviousOutPoint.Hash]
		if prev == nil || string(prev.Msg.TxOut[in.PreviousOutPoint.Index].PkScript) != string(w.script) {
			return nil
		}
		value += prev.Msg.TxOut[in.PreviousOutPoint.Index].Value
		msg.AddTxIn(wire.NewTxIn(&in.PreviousOutPoint, nil, nil))
	}
	msg.AddTxOut(wire.NewTxOut(value-2*w.sim.params.Fees.Relay, w.script))
	if w.sign(msg) != nil {
		return nil
	}
	return msg
}

// work is the hash of a header that is held against the target.
func (s *Sim) work(header *wire.BlockHeader) (chainhash.Hash, error) {
	if s.params.PoW == nil {
		return header.BlockHash(), nil
	}
	var buf headerBytes
	if err := header.Serialize(&buf); err != nil {
		return chainhash.Hash{}, err
	}
	return s.params.PoW(buf), nil
}

type headerBytes []byte

// Write implements io.Writer.
func (b *headerBytes) Write(p []byte) (int, error) {
	*b = append(*b, p...)
	return len(p), nil
}

// flipSignatures replaces s by n-s in every ECDSA signature: valid, and other
// bytes.
func flipSignatures(msg *wire.MsgTx) (changed bool) {
	for _, in := range msg.TxIn {
		if len(in.Witness) > 0 {
			for i, item := range in.Witness {
				if flipped := flip(item); flipped != nil {
					in.Witness[i], changed = flipped, true
				}
			}
			continue
		}
		pushes, err := txscript.PushedData(in.SignatureScript)
		if err != nil {
			continue
		}
		b := txscript.NewScriptBuilder()
		for _, data := range pushes {
			if flipped := flip(data); flipped != nil {
				data, changed = flipped, true
			}
			b.AddData(data)
		}
		if script, err := b.Script(); err == nil {
			in.SignatureScript = script
		}
	}
	return changed
}

// flip is the other form of a DER signature with its hash type; nil for other
// data.
func flip(sig []byte) []byte {
	if len(sig) < 9 || sig[0] != 0x30 || int(sig[1]) != len(sig)-3 || sig[2] != 2 {
		return nil
	}
	r := sig[4 : 4+int(sig[3])]
	rest := sig[4+int(sig[3]):]
	if len(rest) < 3 || rest[0] != 2 || int(rest[1]) != len(rest)-3 {
		return nil
	}
	s := new(big.Int).Sub(btcec.S256().N, new(big.Int).SetBytes(rest[2:len(rest)-1]))
	bytes := s.Bytes()
	if bytes[0]&0x80 != 0 {
		bytes = append([]byte{0}, bytes...)
	}
	out := append([]byte{0x30, byte(4 + len(r) + len(bytes)), 2, byte(len(r))}, r...)
	out = append(append(out, 2, byte(len(bytes))), bytes...)
	return append(out, sig[len(sig)-1])
}
