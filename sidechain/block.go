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

	json []byte // of Transactions, set by seal
}

// seal computes the merkle roots and the hash from the executed transactions.
func (b *Block) seal() {
	all := append(append([]*Transaction(nil), b.Transactions...), b.VirtualTransactions...)
	hashes, dbHashes := make([]string, len(all)), make([]string, len(all))
	for i, tx := range all {
		hashes[i], dbHashes[i] = tx.Hash, tx.DatabaseHash
	}
	b.MerkleRoot, b.DatabaseHash = merkle(hashes), merkle(dbHashes)
	b.json = appendTransactions(make([]byte, 0, typicalSize*(1+len(b.Transactions))), b.Transactions)

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
	h.Write(b.json)
	b.Hash = hex.EncodeToString(h.Sum(nil))
}

// typicalSize is about what the text of a transaction takes.
const typicalSize = 900

// AppendJSON appends the document that the API returns: the peer's members in
// the peer's order, then stateRoot and stateHash.
func (b *Block) AppendJSON(dst []byte) []byte {
	text := func(name, value string) {
		dst = append(append(append(dst, ',', '"'), name...), '"', ':')
		dst = jsvalue.AppendQuoted(dst, value)
	}
	number := func(name string, n uint64) {
		dst = append(append(append(dst, ',', '"'), name...), '"', ':')
		dst = strconv.AppendUint(dst, n, 10)
	}
	dst = slices.Grow(dst, len(b.json)+typicalSize*(2+len(b.VirtualTransactions)))
	dst = strconv.AppendUint(append(dst, `{"_id":`...), b.Number, 10)
	number("blockNumber", b.Number)
	number("refHiveBlockNumber", b.Ref)
	text("refHiveBlockId", b.RefID)
	text("prevRefHiveBlockId", b.PrevRefID)
	text("previousHash", b.PreviousHash)
	text("previousDatabaseHash", b.PreviousDatabaseHash)
	text("timestamp", b.Timestamp)
	dst = append(append(dst, `,"transactions":`...), b.json...)
	dst = appendTransactions(append(dst, `,"virtualTransactions":`...), b.VirtualTransactions)
	text("hash", b.Hash)
	text("databaseHash", b.DatabaseHash)
	text("merkleRoot", b.MerkleRoot)
	dst = append(dst, `,"round":null,"roundHash":"","witness":"","signingKey":"","roundSignature":"","enablePerUserTxLimit":false`...)
	text("stateRoot", b.StateRoot)
	text("stateHash", b.StateHash)
	return append(dst, '}')
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
