package devnet

import (
	"bytes"
	"slices"
	"time"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/mining"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// Bitcoin Cash (Params.ForkID). btcd's script engine refuses its signatures, so
// signatures are judged here, before a transaction reaches the mempool, and
// btcd's parts see inputs that are locked by nothing: blocks hold only what passed
// through the mempool, and what submitblock brought, whose signatures nobody judges.
//
// A transaction may only spend P2PKH outputs, by ECDSA signatures of type
// ALL|FORKID with the compressed key. Left out, though nodes have it: every other
// script and signature (Schnorr, multisig), CashTokens, and blocks with more than
// one link of an unconfirmed chain: a child waits for the block after its
// parent's, so that the order by ids never puts it first.

// sigHashForkID is SIGHASH_ALL|SIGHASH_FORKID.
const sigHashForkID = txscript.SigHashAll | 0x40

// openScript is what btcd's mempool sees in place of a lock whose signature and
// key were checked: it drops both.
var openScript = []byte{txscript.OP_2DROP, txscript.OP_TRUE}

var (
	errCashInput     = fail(codeRejected, "bad-txns-nonstandard-inputs")
	errCashSignature = fail(codeRejected, "mandatory-script-verify-flag-failed (Signature must be zero for failed CHECK(MULTI)SIG operation)")
)

// noScripts makes btcd take scripts for verified: it does so below a checkpoint,
// and this one is never reached.
func (p Params) noScripts() []chaincfg.Checkpoint {
	if !p.ForkID {
		return nil
	}
	return []chaincfg.Checkpoint{{Height: 1<<31 - 1, Hash: &chainhash.Hash{}}}
}

// source is where block templates take transactions from: nowhere with ForkID,
// because btcd would judge them (fillCash adds them).
func (c *Chain) source() mining.TxSource {
	if c.params.ForkID {
		return noTransactions{}
	}
	return c.pool
}

type noTransactions struct{}

func (noTransactions) LastUpdated() time.Time               { return time.Time{} }
func (noTransactions) MiningDescs() []*mining.TxDesc        { return nil }
func (noTransactions) HaveTransaction(*chainhash.Hash) bool { return false }

// fetchView is what btcd's mempool sees of the outputs that a transaction spends.
func (c *Chain) fetchView(tx *btcutil.Tx) (*blockchain.UtxoViewpoint, error) {
	view, err := c.chain.FetchUtxoView(tx)
	if err != nil || !c.params.ForkID {
		return view, err
	}
	for _, in := range tx.MsgTx().TxIn {
		if entry := c.opened[in.PreviousOutPoint]; entry != nil {
			view.Entries()[in.PreviousOutPoint] = entry
		}
	}
	return view, nil
}

// admit judges what btcd's mempool cannot: the signatures of a transaction of
// Bitcoin Cash. Inputs that are not known are left to the mempool. The lock is
// held for writing.
func (c *Chain) admit(tx *btcutil.Tx) error {
	if !c.params.ForkID {
		return nil
	}
	best := c.chain.BestSnapshot()
	err := mempool.CheckTransactionStandard(tx, best.Height+1, best.MedianTime, btcutil.Amount(c.params.Fees.Relay), 2)
	if err != nil {
		return refusal(err)
	}
	c.opened = map[wire.OutPoint]*blockchain.UtxoEntry{}
	previous := txscript.NewMultiPrevOutFetcher(nil)
	for _, in := range tx.MsgTx().TxIn {
		out, entry, err := c.previous(in.PreviousOutPoint)
		if err != nil {
			return err
		}
		if entry == nil {
			return nil
		}
		c.opened[in.PreviousOutPoint] = entry
		previous.AddPrevOut(in.PreviousOutPoint, out)
	}
	hashes := txscript.NewTxSigHashes(tx.MsgTx(), previous)
	for i, in := range tx.MsgTx().TxIn {
		if err := verifyCash(tx.MsgTx(), i, previous.FetchPrevOutput(in.PreviousOutPoint), hashes); err != nil {
			return err
		}
	}
	return nil
}

// previous finds an output in the mempool or on the best chain, and how btcd's
// mempool shall see it. entry is nil when there is none.
func (c *Chain) previous(op wire.OutPoint) (out *wire.TxOut, entry *blockchain.UtxoEntry, err error) {
	if parent, err := c.pool.FetchTransaction(&op.Hash); err == nil {
		if int(op.Index) >= len(parent.MsgTx().TxOut) {
			return nil, nil, nil
		}
		out = parent.MsgTx().TxOut[op.Index]
		return out, blockchain.NewUtxoEntry(wire.NewTxOut(out.Value, openScript), mining.UnminedHeight, false), nil
	}
	known, err := c.chain.FetchUtxoEntry(op)
	if err != nil || known == nil || known.IsSpent() {
		return nil, nil, err
	}
	out = wire.NewTxOut(known.Amount(), known.PkScript())
	return out, blockchain.NewUtxoEntry(wire.NewTxOut(out.Value, openScript), known.BlockHeight(), known.IsCoinBase()), nil
}

// VerifyInput checks the signature of an input by the coin's rules. sigs may be nil.
func (p Params) VerifyInput(tx *wire.MsgTx, i int, previous txscript.PrevOutputFetcher, hashes *txscript.TxSigHashes, sigs *txscript.SigCache) error {
	out := previous.FetchPrevOutput(tx.TxIn[i].PreviousOutPoint)
	if p.ForkID {
		return verifyCash(tx, i, out, hashes)
	}
	engine, err := txscript.NewEngine(out.PkScript, tx, i, txscript.StandardVerifyFlags, sigs, hashes, out.Value, previous)
	if err != nil {
		return err
	}
	return engine.Execute()
}

// SignP2PKH makes the signature script of an input that spends a P2PKH output of
// that value.
func (p Params) SignP2PKH(tx *wire.MsgTx, i int, script []byte, value int64, key *btcec.PrivateKey) ([]byte, error) {
	if !p.ForkID {
		return txscript.SignatureScript(tx, i, script, txscript.SigHashAll, key, true)
	}
	hashes := txscript.NewTxSigHashes(tx, txscript.NewCannedPrevOutputFetcher(script, value))
	return signCash(tx, i, walletCoin{value: value, script: script}, key, hashes)
}

// verifyCash checks one input.
func verifyCash(tx *wire.MsgTx, i int, out *wire.TxOut, hashes *txscript.TxSigHashes) error {
	if !txscript.IsPayToPubKeyHash(out.PkScript) {
		return errCashInput
	}
	pushes, err := txscript.PushedData(tx.TxIn[i].SignatureScript)
	if err != nil || len(pushes) != 2 || len(pushes[0]) < 9 || !txscript.IsPushOnlyScript(tx.TxIn[i].SignatureScript) {
		return errCashInput
	}
	sig, pub := pushes[0], pushes[1]
	if txscript.SigHashType(sig[len(sig)-1]) != sigHashForkID {
		return fail(codeRejected, "mandatory-script-verify-flag-failed (Signature must use SIGHASH_FORKID)")
	}
	key, errKey := btcec.ParsePubKey(pub)
	parsed, errSig := ecdsa.ParseDERSignature(sig[:len(sig)-1])
	if len(pub) != btcec.PubKeyBytesLenCompressed || errKey != nil || errSig != nil || !bytes.Equal(address.Hash160(pub), out.PkScript[3:23]) {
		return errCashSignature
	}
	digest, err := txscript.CalcWitnessSigHash(out.PkScript, hashes, sigHashForkID, tx, i, out.Value)
	if s := parsed.S(); err != nil || s.IsOverHalfOrder() || !parsed.Verify(digest, key) {
		return errCashSignature
	}
	return nil
}

// signCash signs one input of the wallet's.
func signCash(tx *wire.MsgTx, i int, coin walletCoin, key *btcec.PrivateKey, hashes *txscript.TxSigHashes) ([]byte, error) {
	digest, err := txscript.CalcWitnessSigHash(coin.script, hashes, sigHashForkID, tx, i, coin.value)
	if err != nil {
		return nil, err
	}
	sig := append(ecdsa.Sign(key, digest).Serialize(), byte(sigHashForkID))
	return txscript.NewScriptBuilder().AddData(sig).AddData(key.PubKey().SerializeCompressed()).Script()
}

// maxCashBlock bounds the transactions of a block by btcd's limit, with room for
// header and coinbase.
const maxCashBlock = blockchain.MaxBlockBaseSize - 1000

// fillCash puts into a template what waits and spends nothing that waits, in the
// order of the ids, and gives its fees to the coinbase.
func (c *Chain) fillCash(block *wire.MsgBlock) {
	if !c.params.ForkID {
		return
	}
	var chosen []*btcutil.Tx
	size := 0
	for _, tx := range c.poolTxs() {
		if slices.ContainsFunc(tx.MsgTx().TxIn, func(in *wire.TxIn) bool {
			return c.pool.IsTransactionInPool(&in.PreviousOutPoint.Hash)
		}) || size+tx.MsgTx().SerializeSize() > maxCashBlock {
			continue
		}
		size += tx.MsgTx().SerializeSize()
		chosen = append(chosen, tx)
	}
	slices.SortFunc(chosen, func(a, b *btcutil.Tx) int {
		x, y := *a.Hash(), *b.Hash()
		slices.Reverse(x[:])
		slices.Reverse(y[:])
		return bytes.Compare(x[:], y[:])
	})
	fees := map[chainhash.Hash]int64{}
	for _, desc := range c.pool.TxDescs() {
		fees[*desc.Tx.Hash()] = desc.Fee
	}
	for _, tx := range chosen {
		block.Transactions[0].TxOut[0].Value += fees[*tx.Hash()]
		block.AddTransaction(tx.MsgTx())
	}
}
