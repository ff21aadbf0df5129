package devnet

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// What Core's wallet says when it cannot pay.
var (
	errInsufficientFunds = fail(codeNoFunds, "Insufficient funds")
	errTooSmall          = fail(codeNoFunds, "The transaction amount is too small to pay the fee")
	errDustPayment       = fail(codeNoFunds, "Transaction amount too small")
)

// payment is an order to the wallet.
type payment struct {
	script      []byte
	value       int64
	feeRate     int64 // satoshi per 1000 virtual bytes
	subtractFee bool
	replaceable bool
}

// inputWeights are the weights of one signed input of each form, with the
// longest low-S signature.
var inputWeights = map[keyForm]int64{
	formPubKeyHash: 4*(41+107) + 1,
	formNested:     4*(41+23) + 108,
	formWitness:    4*41 + 108,
	formTaproot:    4*41 + 66,
}

const overheadWeight = 4*10 + 2 + 4*2 // version, counts, lock time, segwit marker; longer counts

// spendable lists the coins that the next block may spend, confirmed ones
// first, largest first.
func (c *Chain) spendable() []walletCoin {
	w, next := c.wallet, c.chain.BestSnapshot().Height+1
	var coins []walletCoin
	for op, coin := range w.coins {
		if w.spent[op] || c.pool.CheckSpend(op) != nil {
			continue
		}
		if coin.coinbase && next-coin.height < int32(c.net.CoinbaseMaturity) {
			continue
		}
		coins = append(coins, coin)
	}
	coins = append(coins, c.unconfirmedChange()...)
	slices.SortFunc(coins, func(a, b walletCoin) int {
		return cmp.Or(
			cmp.Compare(min(b.height, 0), min(a.height, 0)),
			cmp.Compare(b.value, a.value),
			bytes.Compare(a.Hash[:], b.Hash[:]),
			cmp.Compare(a.Index, b.Index),
		)
	})
	return coins
}

// unconfirmedChange lists outputs to the wallet of transactions in the mempool
// that spend nothing but the wallet's own coins.
func (c *Chain) unconfirmedChange() (coins []walletCoin) {
	for _, tx := range c.poolTxs() {
		if !c.isOwn(tx) {
			continue
		}
		for i, out := range tx.MsgTx().TxOut {
			op := wire.OutPoint{Hash: *tx.Hash(), Index: uint32(i)}
			if c.wallet.owns(out.PkScript) && c.pool.CheckSpend(op) == nil {
				coins = append(coins, walletCoin{op, out.Value, out.PkScript, -1, false})
			}
		}
	}
	return coins
}

func (c *Chain) isOwn(tx *btcutil.Tx) bool {
	for _, in := range tx.MsgTx().TxIn {
		op := in.PreviousOutPoint
		if _, ours := c.wallet.coins[op]; ours {
			continue
		}
		parent, err := c.pool.FetchTransaction(&op.Hash)
		if err != nil || int(op.Index) >= len(parent.MsgTx().TxOut) ||
			!c.wallet.owns(parent.MsgTx().TxOut[op.Index].PkScript) {
			return false
		}
	}
	return true
}

// pay builds and signs a transaction. Nothing is sent. The lock is held.
func (c *Chain) pay(p payment) (*wire.MsgTx, error) {
	out := wire.NewTxOut(p.value, p.script)
	if c.isDust(out) {
		return nil, errDustPayment
	}
	coins, change, err := c.choose(out, p)
	if err != nil {
		return nil, err
	}
	tx := wire.NewMsgTx(2)
	sequence := uint32(wire.MaxTxInSequenceNum - 1)
	if p.replaceable {
		sequence = mempool.MaxRBFSequence
	}
	for _, coin := range coins {
		in := wire.NewTxIn(&coin.OutPoint, nil, nil)
		in.Sequence = sequence
		tx.AddTxIn(in)
	}
	tx.AddTxOut(out)
	if change != nil {
		tx.AddTxOut(change)
		if coins[0].Hash[0]&1 == 1 { // nobody may rely on the payment's index
			tx.TxOut[0], tx.TxOut[1] = tx.TxOut[1], tx.TxOut[0]
		}
	}
	return tx, c.sign(tx, coins)
}

// choose picks coins for a payment and what comes back. With subtractFee it
// lowers out by the fee.
func (c *Chain) choose(out *wire.TxOut, p payment) ([]walletCoin, *wire.TxOut, error) {
	change := wire.NewTxOut(0, c.wallet.change)
	weight := overheadWeight + 4*int64(out.SerializeSize())
	changeWeight := 4 * int64(change.SerializeSize())
	var sum int64
	candidates := c.spendable()
	for i, coin := range candidates {
		sum += coin.value
		weight += inputWeights[c.wallet.scripts[string(coin.script)].form]
		fee, feeWithChange := feeFor(weight, p.feeRate), feeFor(weight+changeWeight, p.feeRate)
		need := p.value
		if !p.subtractFee {
			need += fee
		}
		if sum < need {
			continue
		}
		change.Value = sum - p.value
		if !p.subtractFee {
			change.Value -= feeWithChange
		}
		if change.Value <= 0 || c.isDust(change) {
			change, feeWithChange = nil, fee
		}
		if p.subtractFee {
			out.Value -= feeWithChange
			if out.Value <= 0 || c.isDust(out) {
				return nil, nil, errTooSmall
			}
		}
		return candidates[:i+1], change, nil
	}
	return nil, nil, errInsufficientFunds
}

func feeFor(weight, rate int64) int64 {
	vsize := (weight + 3) / 4
	return (vsize*rate + 999) / 1000
}

func (c *Chain) isDust(out *wire.TxOut) bool {
	return mempool.IsDust(out, btcutil.Amount(c.params.Fees.Relay))
}

// sign signs every input of tx, whose coins are given in order.
func (c *Chain) sign(tx *wire.MsgTx, coins []walletCoin) error {
	previous := txscript.NewMultiPrevOutFetcher(nil)
	for _, coin := range coins {
		previous.AddPrevOut(coin.OutPoint, wire.NewTxOut(coin.value, coin.script))
	}
	hashes := txscript.NewTxSigHashes(tx, previous)
	for i, coin := range coins {
		key := c.wallet.scripts[string(coin.script)]
		var err error
		if c.params.ForkID {
			tx.TxIn[i].SignatureScript, err = signCash(tx, i, coin, key.key, hashes)
		} else {
			err = signInput(tx, i, coin, key, hashes)
		}
		if err != nil {
			return fmt.Errorf("signing input %d: %w", i, err)
		}
	}
	return nil
}

func signInput(tx *wire.MsgTx, i int, coin walletCoin, key walletKey, hashes *txscript.TxSigHashes) (err error) {
	in := tx.TxIn[i]
	switch key.form {
	case formPubKeyHash:
		in.SignatureScript, err = txscript.SignatureScript(tx, i, coin.script, txscript.SigHashAll, key.key, true)
	case formWitness:
		in.Witness, err = txscript.WitnessSignature(tx, hashes, i, coin.value, coin.script, txscript.SigHashAll, key.key, true)
	case formNested:
		program := keyScript(key.key.PubKey(), formWitness)
		in.SignatureScript = append([]byte{byte(len(program))}, program...)
		in.Witness, err = txscript.WitnessSignature(tx, hashes, i, coin.value, program, txscript.SigHashAll, key.key, true)
	case formTaproot:
		in.Witness, err = txscript.TaprootWitnessSignature(tx, hashes, i, coin.value, coin.script, txscript.SigHashDefault, key.key)
	}
	return err
}
