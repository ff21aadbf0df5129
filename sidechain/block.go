package sidechain

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"

	"causeway/sidechain/jsvalue"
)

// Block is an executed block (peer-spec 1.8).
type Block struct {
	Number                      uint64
	Ref                         uint64 // the base block's number
	RefID, PrevRefID, Timestamp string
	PreviousHash                string
	PreviousDatabaseHash        string
	Transactions                []*Transaction
	VirtualTransactions         []*Transaction
	Hash, DatabaseHash          string
	MerkleRoot                  string

	// StateRoot commits to every row, StateHash to the whole history (design,
	// "Block commitment"). They are no part of Hash.
	StateRoot, StateHash string

	// text is the beginning of the document, up to the end of the
	// transactions, which stand from list on. Set by seal.
	text []byte
	list int
}

// seal computes the merkle roots and the hash from the executed transactions.
func (b *Block) seal() {
	all := append(append([]*Transaction(nil), b.Transactions...), b.VirtualTransactions...)
	hashes, dbHashes := make([]string, len(all)), make([]string, len(all))
	for i, tx := range all {
		hashes[i], dbHashes[i] = tx.Hash, tx.DatabaseHash
	}
	b.MerkleRoot, b.DatabaseHash = merkle(hashes), merkle(dbHashes)
	b.text = b.appendHead(make([]byte, 0, textSize(all)))
	b.list = len(b.text)
	b.text = appendTransactions(b.text, b.Transactions)

	head := make([]byte, 0, 512)
	head = append(head, b.PreviousHash...)
	head = append(head, b.PreviousDatabaseHash...)
	head = strconv.AppendUint(head, b.Number, 10)
	head = strconv.AppendUint(head, b.Ref, 10)
	head = append(head, b.RefID...)
	head = append(head, b.PrevRefID...)
	head = append(head, b.Timestamp...)
	h := sha256.New()
	h.Write(append(head, b.MerkleRoot...))
	h.Write(b.text[b.list:])
	b.Hash = hex.EncodeToString(h.Sum(nil))
}

// textSize is about what the document of a block takes: what is in a
// transaction, its names and quotes, and an escape for every eighth character
// of the texts that are JSON.
func textSize(txs []*Transaction) int {
	n := 2048
	for _, tx := range txs {
		n += 400 + len(tx.ID) + len(tx.Sender.Value) + len(tx.ExecutedCodeHash) + (len(tx.Payload.Value)+len(tx.Logs))*9/8
	}
	return n
}

// AppendJSON appends the document that the API returns: the peer's members in
// the peer's order, then stateRoot and stateHash.
func (b *Block) AppendJSON(dst []byte) []byte {
	return b.appendTail(append(slices.Grow(dst, len(b.text)+textSize(b.VirtualTransactions)), b.text...))
}

// document is AppendJSON(nil) for the one time that the block is stored: it
// goes on where seal stopped.
func (b *Block) document() []byte { return b.appendTail(b.text) }

// appendHead appends what stands before the transactions.
func (b *Block) appendHead(dst []byte) []byte {
	dst = strconv.AppendUint(append(dst, `{"_id":`...), b.Number, 10)
	dst = appendNumber(dst, "blockNumber", b.Number)
	dst = appendNumber(dst, "refHiveBlockNumber", b.Ref)
	dst = appendText(dst, "refHiveBlockId", b.RefID)
	dst = appendText(dst, "prevRefHiveBlockId", b.PrevRefID)
	dst = appendText(dst, "previousHash", b.PreviousHash)
	dst = appendText(dst, "previousDatabaseHash", b.PreviousDatabaseHash)
	dst = appendText(dst, "timestamp", b.Timestamp)
	return append(dst, `,"transactions":`...)
}

// appendTail appends what stands behind the transactions.
func (b *Block) appendTail(dst []byte) []byte {
	dst = appendTransactions(append(dst, `,"virtualTransactions":`...), b.VirtualTransactions)
	dst = appendText(dst, "hash", b.Hash)
	dst = appendText(dst, "databaseHash", b.DatabaseHash)
	dst = appendText(dst, "merkleRoot", b.MerkleRoot)
	dst = append(dst, `,"round":null,"roundHash":"","witness":"","signingKey":"","roundSignature":"","enablePerUserTxLimit":false`...)
	dst = appendText(dst, "stateRoot", b.StateRoot)
	dst = appendText(dst, "stateHash", b.StateHash)
	return append(dst, '}')
}

func appendText(dst []byte, name, value string) []byte {
	dst = append(append(append(dst, ',', '"'), name...), '"', ':')
	return jsvalue.AppendQuoted(dst, value)
}

func appendNumber(dst []byte, name string, n uint64) []byte {
	dst = append(append(append(dst, ',', '"'), name...), '"', ':')
	return strconv.AppendUint(dst, n, 10)
}

// ids lists the transaction ids, for the index.
func (b *Block) ids() []string {
	out := make([]string, len(b.Transactions))
	for i, tx := range b.Transactions {
		out[i] = tx.ID
	}
	return out
}

// Merkle computes the merkle root of the transactions' hashes anew: after a
// recorded hash has taken the place of one that cannot be computed.
func (b *Block) Merkle() string {
	hashes := make([]string, 0, len(b.Transactions)+len(b.VirtualTransactions))
	for _, list := range [][]*Transaction{b.Transactions, b.VirtualTransactions} {
		for _, tx := range list {
			hashes = append(hashes, tx.Hash)
		}
	}
	return merkle(hashes)
}
