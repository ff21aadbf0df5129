package devnet

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/btcutil/v2/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// wallet is the chain's own purse. Its seed is public, SHA-256("causeway
// devnet wallet " + coin): never send real coins to it. Key i is
// m/84'/1'/0'/0/i in every address form; key 0 mines, change goes to
// m/84'/1'/0'/1/0. It is guarded by Chain.mu.
type wallet struct {
	params  Params
	receive *hdkeychain.ExtendedKey
	next    uint32 // addresses handed out, key 0 among them
	derived uint32 // receive keys known to scripts
	change  []byte
	scripts map[string]walletKey
	coins   map[wire.OutPoint]walletCoin // every output that paid the wallet on the best chain
	spent   map[wire.OutPoint]bool       // of these, what the best chain has spent
}

// keyForm is how a key locks an output.
type keyForm int

const (
	formPubKeyHash keyForm = iota
	formNested             // P2SH-P2WPKH
	formWitness            // P2WPKH
	formTaproot            // BIP 86
)

type walletKey struct {
	key     *btcec.PrivateKey
	form    keyForm
	receive bool
	index   uint32
}

type walletCoin struct {
	wire.OutPoint
	value    int64
	script   []byte
	height   int32 // -1: unconfirmed
	coinbase bool
}

// lookahead is how many addresses beyond the last known one are watched, so
// that coins are found again even when the count was lost.
const lookahead = 100

func newWallet(params Params, net *chaincfg.Params) (*wallet, error) {
	seed := sha256.Sum256([]byte("causeway devnet wallet " + params.Name))
	key, err := hdkeychain.NewMaster(seed[:], net)
	if err != nil {
		return nil, err
	}
	for _, child := range []uint32{84, 1, 0} {
		if key, err = key.Derive(hdkeychain.HardenedKeyStart + child); err != nil {
			return nil, err
		}
	}
	w := &wallet{
		params:  params,
		scripts: map[string]walletKey{},
		coins:   map[wire.OutPoint]walletCoin{},
		spent:   map[wire.OutPoint]bool{},
	}
	if w.receive, err = key.Derive(0); err != nil {
		return nil, err
	}
	branch, err := key.Derive(1)
	if err != nil {
		return nil, err
	}
	changeKey, err := w.watch(branch, 0)
	if err != nil {
		return nil, err
	}
	w.change = keyScript(changeKey.PubKey(), w.defaultForm())
	return w, w.reserve(1)
}

// reserve makes sure that at least count addresses count as handed out.
func (w *wallet) reserve(count uint32) error {
	w.next = max(w.next, count)
	for w.derived < w.next+lookahead {
		if _, err := w.watch(w.receive, w.derived); err != nil {
			return err
		}
		w.derived++
	}
	return nil
}

// watch derives a key and recognises its scripts from now on.
func (w *wallet) watch(branch *hdkeychain.ExtendedKey, index uint32) (*btcec.PrivateKey, error) {
	child, err := branch.Derive(index)
	if err != nil {
		return nil, fmt.Errorf("wallet key %d: %w", index, err)
	}
	key, err := child.ECPrivKey()
	if err != nil {
		return nil, fmt.Errorf("wallet key %d: %w", index, err)
	}
	for _, form := range w.forms() {
		w.scripts[string(keyScript(key.PubKey(), form))] = walletKey{key, form, branch == w.receive, index}
	}
	return key, nil
}

func (w *wallet) forms() []keyForm {
	if w.params.SegWit {
		return []keyForm{formPubKeyHash, formNested, formWitness, formTaproot}
	}
	return []keyForm{formPubKeyHash}
}

func (w *wallet) defaultForm() keyForm {
	if w.params.SegWit {
		return formWitness
	}
	return formPubKeyHash
}

// scriptAt is the script of receive key i.
func (w *wallet) scriptAt(i uint32, form keyForm) ([]byte, error) {
	child, err := w.receive.Derive(i)
	if err != nil {
		return nil, err
	}
	pub, err := child.ECPubKey()
	if err != nil {
		return nil, err
	}
	return keyScript(pub, form), nil
}

// minerScript is key 0's.
func (w *wallet) minerScript() []byte {
	script, err := w.scriptAt(0, w.defaultForm())
	if err != nil {
		return w.change // cannot happen: the key was derived by newWallet
	}
	return script
}

// newAddress hands out the next key.
func (w *wallet) newAddress(form keyForm) (string, error) {
	script, err := w.scriptAt(w.next, form)
	if err != nil {
		return "", err
	}
	if err := w.reserve(w.next + 1); err != nil {
		return "", err
	}
	return w.params.Addresses.Encode(script), nil
}

// owns reports whether the wallet can spend outputs to script.
func (w *wallet) owns(script []byte) bool {
	_, ours := w.scripts[string(script)]
	return ours
}

func (w *wallet) connect(block *btcutil.Block, height int32) error {
	for _, tx := range block.Transactions() {
		for _, in := range tx.MsgTx().TxIn {
			if _, ours := w.coins[in.PreviousOutPoint]; ours {
				w.spent[in.PreviousOutPoint] = true
			}
		}
		for i, out := range tx.MsgTx().TxOut {
			key, ours := w.scripts[string(out.PkScript)]
			if !ours {
				continue
			}
			op := wire.OutPoint{Hash: *tx.Hash(), Index: uint32(i)}
			w.coins[op] = walletCoin{op, out.Value, out.PkScript, height, blockchain.IsCoinBase(tx)}
			// A payment to a key beyond the count means that the count was
			// lost: move it, and the lookahead with it.
			if key.receive && key.index >= w.next {
				if err := w.reserve(key.index + 1); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (w *wallet) disconnect(block *btcutil.Block) {
	txs := block.Transactions()
	for _, tx := range slices.Backward(txs) {
		for i := range tx.MsgTx().TxOut {
			op := wire.OutPoint{Hash: *tx.Hash(), Index: uint32(i)}
			delete(w.coins, op)
			delete(w.spent, op)
		}
		for _, in := range tx.MsgTx().TxIn {
			delete(w.spent, in.PreviousOutPoint)
		}
	}
}

// keyScript is the output script of a key in one form.
func keyScript(pub *btcec.PublicKey, form keyForm) []byte {
	hash := address.Hash160(pub.SerializeCompressed())
	witness := append([]byte{txscript.OP_0, 20}, hash...)
	switch form {
	case formNested:
		return scriptHashScript(address.Hash160(witness))
	case formWitness:
		return witness
	case formTaproot:
		output := txscript.ComputeTaprootKeyNoScript(pub)
		return append([]byte{txscript.OP_1, 32}, output.SerializeCompressed()[1:]...)
	}
	return pubKeyHashScript(hash)
}
