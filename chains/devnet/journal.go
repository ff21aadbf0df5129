package devnet

import (
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"

	"causeway/chains/devnet/kit"
)

// The journal is the chain: every block accepted, every invalidation and
// reconsideration, in the order in which they happened, written before the
// caller hears of them. btcd's database keeps minutes of work in memory; what
// it lost in a crash is replayed from here, and when it cannot be opened or
// disagrees it is thrown away and built again.

const (
	recBlock      byte = 'B' // raw block, then the tip's hash after it
	recInvalidate byte = 'I' // block hash, then the tip's hash after it
	recReconsider byte = 'R' // block hash, then the tip's hash after it
	recClean      byte = 'C' // tip's hash; the database holds all before
	recTx         byte = 'T' // raw transaction taken into the mempool
	recKey        byte = 'K' // number of wallet addresses handed out
)

const journalMagic = "cwdevnt1"

// openJournal opens or creates the journal of the chain with this genesis and
// returns what it holds.
func openJournal(path string, genesis chainhash.Hash) (*kit.Journal, []kit.Record, error) {
	return kit.OpenJournal(path, slices.Concat([]byte(journalMagic), genesis[:]), wellFormed)
}

// tipOf is the hash at the end of the payload of a record that has one.
func tipOf(r kit.Record) (tip chainhash.Hash) {
	copy(tip[:], r.Payload[len(r.Payload)-chainhash.HashSize:])
	return tip
}

// bodyOf is the payload without the tip.
func bodyOf(r kit.Record) []byte { return r.Payload[:len(r.Payload)-chainhash.HashSize] }

func wellFormed(r kit.Record) bool {
	n := len(r.Payload)
	switch r.Kind {
	case recBlock:
		return n > chainhash.HashSize
	case recInvalidate, recReconsider:
		return n == 2*chainhash.HashSize
	case recClean:
		return n == chainhash.HashSize
	case recKey:
		return n == 4
	case recTx:
		return n > 0
	}
	return false
}

// note appends one record to the journal.
func (c *Chain) note(kind byte, parts ...[]byte) error {
	return c.journal.Append(kit.Record{Kind: kind, Payload: slices.Concat(parts...)})
}
