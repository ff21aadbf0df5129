package devnet

import (
	"encoding/hex"
	"encoding/json"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// txJSON is a transaction in the order of Bitcoin Core's fields. The block's
// are added where the call is about one transaction of the chain.
type txJSON struct {
	InActiveChain *bool      `json:"in_active_chain,omitempty"`
	TxID          string     `json:"txid"`
	Hash          string     `json:"hash"`
	Version       int32      `json:"version"`
	Size          int        `json:"size"`
	VSize         int64      `json:"vsize"`
	Weight        int64      `json:"weight"`
	LockTime      uint32     `json:"locktime"`
	Vin           []vinJSON  `json:"vin"`
	Vout          []voutJSON `json:"vout"`
	Hex           string     `json:"hex"`
	BlockHash     string     `json:"blockhash,omitempty"`
	Confirmations *int64     `json:"confirmations,omitempty"`
	Time          int64      `json:"time,omitempty"`
	BlockTime     int64      `json:"blocktime,omitempty"`
}

type vinJSON struct {
	Coinbase    *string        `json:"coinbase,omitempty"`
	TxID        string         `json:"txid,omitempty"`
	Vout        *uint32        `json:"vout,omitempty"`
	ScriptSig   *scriptSigJSON `json:"scriptSig,omitempty"`
	TxInWitness []string       `json:"txinwitness,omitempty"`
	Sequence    uint32         `json:"sequence"`
}

type scriptSigJSON struct {
	Asm string `json:"asm"`
	Hex string `json:"hex"`
}

type voutJSON struct {
	Value        json.Number `json:"value"`
	N            int         `json:"n"`
	ScriptPubKey scriptJSON  `json:"scriptPubKey"`
}

type scriptJSON struct {
	Asm       string   `json:"asm"`
	Hex       string   `json:"hex"`
	Address   string   `json:"address,omitempty"`
	ReqSigs   int      `json:"reqSigs,omitempty"`
	Type      string   `json:"type"`
	Addresses []string `json:"addresses,omitempty"`
}

func (v *view) txJSON(msg *wire.MsgTx) (*txJSON, error) {
	raw, err := hexTx(msg)
	if err != nil {
		return nil, err
	}
	tx := btcutil.NewTx(msg)
	result := &txJSON{
		TxID:     tx.Hash().String(),
		Hash:     tx.WitnessHash().String(),
		Version:  msg.Version,
		Size:     len(raw) / 2,
		VSize:    mempool.GetTxVirtualSize(tx),
		Weight:   blockchain.GetTransactionWeight(tx),
		LockTime: msg.LockTime,
		Vin:      make([]vinJSON, len(msg.TxIn)),
		Vout:     make([]voutJSON, len(msg.TxOut)),
		Hex:      raw,
	}
	coinbase := blockchain.IsCoinBase(tx)
	for i, in := range msg.TxIn {
		result.Vin[i] = inputJSON(in, coinbase)
	}
	for i, out := range msg.TxOut {
		result.Vout[i] = voutJSON{v.amount(out.Value), i, v.c.scriptJSON(out.PkScript)}
	}
	return result, nil
}

func inputJSON(in *wire.TxIn, coinbase bool) vinJSON {
	result := vinJSON{Sequence: in.Sequence}
	for _, item := range in.Witness {
		result.TxInWitness = append(result.TxInWitness, hex.EncodeToString(item))
	}
	script := hex.EncodeToString(in.SignatureScript)
	if coinbase {
		result.Coinbase = &script
		return result
	}
	result.TxID = in.PreviousOutPoint.Hash.String()
	result.Vout = &in.PreviousOutPoint.Index
	result.ScriptSig = &scriptSigJSON{disassemble(in.SignatureScript), script}
	return result
}

func (c *Chain) scriptJSON(script []byte) scriptJSON {
	result := scriptJSON{
		Asm:     disassemble(script),
		Hex:     hex.EncodeToString(script),
		Address: c.params.Addresses.Encode(script),
		Type:    txscript.GetScriptClass(script).String(),
	}
	if c.params.AddressList && result.Address != "" {
		result.Addresses, result.ReqSigs = []string{result.Address}, 1
		result.Address = ""
	}
	return result
}

// disassemble never fails: of a script that is malformed it shows what can be
// read, and [error].
func disassemble(script []byte) string {
	text, _ := txscript.DisasmString(script)
	return text
}
