package state

import (
	"fmt"
	"runtime/debug"
)

// formatVersion is the version of the file. A file with a higher one is
// refused.
const formatVersion = 1

// Buckets of the file.
var (
	bucketFormat = []byte("format") // "version" -> decimal, "root" -> state root of the rows, "defs" -> digest of defs
	bucketDefs   = []byte("defs")   // section/table -> JSON of tableRecord
	bucketMeta   = []byte("meta")   // small records
	bucketBlocks = []byte("blocks") // big-endian number -> document
	bucketTxs    = []byte("txs")    // big-endian generation -> bucket: transaction id -> uvarint block, uvarint index
	// and one per section, with one per table: order key of _id -> row (codec.go)

	keyVersion = []byte("version")
	keyRoot    = []byte("root")
	keyDefs    = []byte("defs")
)

// generationSize is after how many transactions their index starts another
// bucket. Ids are random, so a put into one large bucket would rewrite a page
// each; a lookup pays with a seek a generation.
const generationSize = 1 << 18

// tableRecord is what the file says of a table beside its rows.
type tableRecord struct {
	TableDef
	Sequence uint64   `json:"sequence"`
	Names    []string `json:"names,omitempty"` // dictionary of the rows
}

// guard runs what reads the file's memory map. A damaged page makes bbolt
// panic, a file cut short makes the access fault; both become ErrDamaged.
func guard(read func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, r)
		}
	}()
	return read()
}
