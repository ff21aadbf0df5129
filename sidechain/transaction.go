package sidechain

import (
	"strconv"

	"causeway/sidechain/jsvalue"
)

// Text is a string that may be null.
type Text struct {
	Value string
	Valid bool // false: null
}

// T is a Text that is not null.
func T(s string) Text { return Text{s, true} }

// or is the text as JavaScript concatenates it.
func (t Text) or() string {
	if !t.Valid {
		return "null"
	}
	return t.Value
}

func (t Text) appendJSON(dst []byte) []byte {
	if !t.Valid {
		return append(dst, "null"...)
	}
	return jsvalue.AppendQuoted(dst, t.Value)
}

// Transaction is one call of a contract, and after execution its receipt
// (peer-spec 1.3).
type Transaction struct {
	// Ref is the base block's number; HasRef is false for the few transactions
	// of the peer's early history that carry none.
	Ref    uint64
	HasRef bool
	ID     string
	Sender, Contract, Action,
	Payload Text

	// The receipt.
	ExecutedCodeHash, Hash, DatabaseHash string
	Logs                                 string // JSON text

	// parsed is the value of Payload while it need not be read from the text:
	// nil until then. Contracts do not change it.
	parsed jsvalue.Value

	// nodeBuilt marks the three calls that the node itself makes in the name
	// of "null". Only the streamer sets it.
	nodeBuilt bool
}

// appendRef appends the number as JavaScript prints it.
func (tx *Transaction) appendRef(dst []byte) []byte {
	if !tx.HasRef {
		return append(dst, "undefined"...)
	}
	return strconv.AppendUint(dst, tx.Ref, 10)
}

// seal computes the hash from everything else (peer-spec 1.3).
func (tx *Transaction) seal(buf []byte, texts *arena) []byte {
	buf = tx.appendRef(buf[:0])
	buf = append(buf, tx.ID...)
	buf = append(buf, tx.Sender.or()...)
	buf = append(buf, tx.Contract.or()...)
	buf = append(buf, tx.Action.or()...)
	buf = append(buf, tx.Payload.or()...)
	buf = append(buf, tx.ExecutedCodeHash...)
	buf = append(buf, tx.DatabaseHash...)
	buf = append(buf, tx.Logs...)
	var d digest
	d.sum(buf)
	tx.Hash = texts.text(d.text())
	return buf
}

// AppendJSON appends the transaction as the peer stores it: this text is part
// of the block's hash.
func (tx *Transaction) AppendJSON(dst []byte) []byte {
	dst = append(dst, '{')
	if tx.HasRef {
		dst = append(dst, `"refHiveBlockNumber":`...)
		dst = strconv.AppendUint(dst, tx.Ref, 10)
		dst = append(dst, ',')
	}
	dst = append(dst, `"transactionId":`...)
	dst = jsvalue.AppendQuoted(dst, tx.ID)
	dst = append(dst, `,"sender":`...)
	dst = tx.Sender.appendJSON(dst)
	dst = append(dst, `,"contract":`...)
	dst = tx.Contract.appendJSON(dst)
	dst = append(dst, `,"action":`...)
	dst = tx.Action.appendJSON(dst)
	dst = append(dst, `,"payload":`...)
	dst = tx.Payload.appendJSON(dst)
	dst = append(dst, `,"executedCodeHash":"`...)
	dst = append(dst, tx.ExecutedCodeHash...)
	dst = append(dst, `","hash":"`...)
	dst = append(dst, tx.Hash...)
	dst = append(dst, `","databaseHash":"`...)
	dst = append(dst, tx.DatabaseHash...)
	dst = append(dst, `","logs":`...)
	dst = jsvalue.AppendQuoted(dst, tx.Logs)
	return append(dst, '}')
}

// appendTransactions appends a JSON array.
func appendTransactions(dst []byte, txs []*Transaction) []byte {
	dst = append(dst, '[')
	for i, tx := range txs {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = tx.AppendJSON(dst)
	}
	return append(dst, ']')
}
