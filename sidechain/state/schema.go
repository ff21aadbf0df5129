package state

import (
	"fmt"
	"runtime/debug"
)

// formatVersion is the version of the file. A file with another one is
// refused: it is derived, and can be derived again.
const formatVersion = 2

// Buckets of the file.
var (
	bucketFormat = []byte("format") // "version" -> decimal, "root" -> state root of the rows, "defs" -> digest of defs
	bucketDefs   = []byte("defs")   // section/table -> JSON of tableRecord
	bucketMeta   = []byte("meta")   // small records
	bucketBlocks = []byte("blocks") // big-endian number -> document
	bucketTxs    = []byte("txs")    // big-endian number -> run of the index of transactions (txindex.go)
	bucketOddTxs = []byte("oddtxs") // transaction id of another form -> uvarint block, uvarint index
	bucketRows   = []byte("rows")   // big-endian number -> segment of the log of rows (rowlog.go)

	keyVersion = []byte("version")
	keyRoot    = []byte("root")
	keyDefs    = []byte("defs")
)

// buckets are all of them but the first.
var buckets = [][]byte{bucketDefs, bucketMeta, bucketBlocks, bucketTxs, bucketOddTxs, bucketRows}

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
