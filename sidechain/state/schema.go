package state

import (
	"fmt"
	"runtime/debug"

	"causeway/sidechain/jsvalue"
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
	bucketTxs    = []byte("txs")    // transaction id -> uvarint block, uvarint index
	// and one per section, with one per table: order key of _id -> row

	keyVersion = []byte("version")
	keyRoot    = []byte("root")
	keyDefs    = []byte("defs")
)

// tableRecord is a table's definition and sequence.
type tableRecord struct {
	TableDef
	Sequence uint64 `json:"sequence"`
}

func encodeRow(row Row) []byte { return jsvalue.AppendJSON(nil, row) }

func decodeRow(data []byte) (Row, error) {
	v, err := jsvalue.Parse(string(data))
	if err != nil {
		return nil, err
	}
	row, ok := v.(Row)
	if !ok || !row.Has(idField) {
		return nil, fmt.Errorf("no row: %.40q", data)
	}
	return row, nil
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
