package state

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"sort"
	"strconv"
	"strings"

	bolt "go.etcd.io/bbolt"
)

// The file's index of transactions is runs: sorted lists of records, one a
// checkpoint. Ids are random, so a put for each of them would rewrite a page
// each. Small runs are merged, as the bits of a counter are carried; a lookup
// pays with a binary search a run. Ids of another form, of which few chains
// have any, are keys of a bucket.
//
// A record is the 20 bytes of a base layer's transaction id; one more than each
// of the numbers that follow it after dashes, 0 for none, 2 bytes each; and
// block * 2^24 + index, 8 bytes. All numbers are big-endian.
const (
	txRecordSize = txKeySize + 8
	txKeySize    = txIDSize + 4
	txIDSize     = 20
	// maxRun is how many records merging makes one run of.
	maxRun = 1 << 18
)

// txKey is the beginning of the record of an id; ok is false for ids of another
// form.
func txKey(id string) (key [txKeySize]byte, ok bool) {
	if len(id) < 2*txIDSize {
		return key, false
	}
	for i := range 2 * txIDSize {
		if c := id[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return key, false
		}
	}
	if _, err := hex.Decode(key[:txIDSize], []byte(id[:2*txIDSize])); err != nil {
		return key, false
	}
	rest := id[2*txIDSize:]
	for at := txIDSize; rest != "" && at < txKeySize; at += 2 {
		if rest[0] != '-' {
			return key, false
		}
		digits, _, _ := strings.Cut(rest[1:], "-")
		rest = rest[1+len(digits):]
		n, err := strconv.ParseUint(digits, 10, 16)
		if err != nil || n == 1<<16-1 || len(digits) > 1 && digits[0] == '0' || digits[0] == '+' {
			return key, false
		}
		binary.BigEndian.PutUint16(key[at:], uint16(n)+1)
	}
	return key, rest == ""
}

// appendTxRecord appends the record of a transaction; ok is false when it has
// none.
func appendTxRecord(dst []byte, ref TxRef) (records []byte, ok bool) {
	key, ok := txKey(ref.ID)
	if !ok || ref.Block >= 1<<40 || ref.Index < 0 || ref.Index >= 1<<24 {
		return dst, false
	}
	return binary.BigEndian.AppendUint64(append(dst, key[:]...), ref.Block<<24|uint64(ref.Index)), true
}

// readTxRecord reads what appendTxRecord wrote.
func readTxRecord(record []byte) TxRef {
	id := hex.EncodeToString(record[:txIDSize])
	for at := txIDSize; at < txKeySize; at += 2 {
		if n := binary.BigEndian.Uint16(record[at:]); n > 0 {
			id += "-" + strconv.Itoa(int(n)-1)
		}
	}
	place := binary.BigEndian.Uint64(record[txKeySize:])
	return TxRef{ID: id, Block: place >> 24, Index: int(place & (1<<24 - 1))}
}

// txRun is a sorted list of records. What is behind the last whole one, in a
// damaged file, is ignored.
type txRun []byte

func (r txRun) len() int        { return len(r) / txRecordSize }
func (r txRun) at(i int) []byte { return r[i*txRecordSize : (i+1)*txRecordSize] }

// search is the place of the first record that is not below a key.
func (r txRun) search(key []byte) int {
	return sort.Search(r.len(), func(i int) bool { return bytes.Compare(r.at(i), key) >= 0 })
}

// newTxRun sorts the records of transactions and returns those that have none.
func newTxRun(refs []TxRef) (run txRun, odd []TxRef) {
	type record [txRecordSize]byte
	records := make([]record, 0, len(refs))
	var buf [txRecordSize]byte
	for _, ref := range refs {
		if text, ok := appendTxRecord(buf[:0], ref); ok {
			records = append(records, record(text))
		} else {
			odd = append(odd, ref)
		}
	}
	slices.SortFunc(records, func(a, b record) int {
		if x, y := binary.BigEndian.Uint64(a[:]), binary.BigEndian.Uint64(b[:]); x != y {
			return cmp.Compare(x, y)
		}
		return bytes.Compare(a[8:], b[8:])
	})
	run = make(txRun, 0, len(records)*txRecordSize)
	for i := range records {
		run = append(run, records[i][:]...)
	}
	return run, odd
}

// merged is both runs in one.
func (r txRun) merged(other txRun) txRun {
	out := make(txRun, 0, len(r)+len(other))
	i, j := 0, 0
	for i < r.len() && j < other.len() {
		if a, b := r.at(i), other.at(j); bytes.Compare(a, b) <= 0 {
			out, i = append(out, a...), i+1
		} else {
			out, j = append(out, b...), j+1
		}
	}
	return append(append(out, r[i*txRecordSize:r.len()*txRecordSize]...), other[j*txRecordSize:other.len()*txRecordSize]...)
}

// put adds the run to the file's, merged with smaller ones at their end.
func (r txRun) put(runs *bolt.Bucket) error {
	if len(r) == 0 {
		return nil
	}
	number := uint32(0)
	for {
		last, data := runs.Cursor().Last()
		if last == nil {
			break
		}
		older := txRun(data)
		if number = binary.BigEndian.Uint32(last); older.len() > 2*r.len() || older.len()+r.len() > maxRun {
			number++
			break
		}
		r = older.merged(r)
		if err := runs.Delete(last); err != nil {
			return err
		}
	}
	return runs.Put(binary.BigEndian.AppendUint32(nil, number), r)
}

// eachRun visits the runs of the file, the newest first, until visit returns
// false.
func eachRun(tx *bolt.Tx, visit func(run txRun) bool) {
	c := tx.Bucket(bucketTxs).Cursor()
	for k, data := c.Last(); k != nil && visit(data); k, data = c.Prev() {
	}
}

// fileTx finds a transaction in the file; of several with one id the newest.
func fileTx(tx *bolt.Tx, id string) (ref TxRef, ok bool) {
	key, regular := txKey(id)
	if !regular {
		v := tx.Bucket(bucketOddTxs).Get([]byte(id))
		if v == nil {
			return ref, false
		}
		return oddTx(id, v)
	}
	eachRun(tx, func(run txRun) bool {
		for i := run.search(key[:]); i < run.len() && bytes.HasPrefix(run.at(i), key[:]); i++ {
			ref, ok = readTxRecord(run.at(i)), true
		}
		return !ok
	})
	return ref, ok
}

// fileTxs appends transactions of the file whose ids start with prefix, at
// most MaxTxPrefixed of each kind.
func fileTxs(tx *bolt.Tx, refs []TxRef, prefix string) []TxRef {
	c := tx.Bucket(bucketOddTxs).Cursor()
	most := len(refs) + MaxTxPrefixed
	for k, v := c.Seek([]byte(prefix)); k != nil && strings.HasPrefix(string(k), prefix) && len(refs) < most; k, v = c.Next() {
		if ref, ok := oddTx(string(k), v); ok {
			refs = append(refs, ref)
		}
	}
	from, ok := txKeyFrom(prefix)
	if !ok {
		return refs
	}
	most = len(refs) + MaxTxPrefixed
	whole := prefix[:min(len(prefix), 2*txIDSize)]
	eachRun(tx, func(run txRun) bool {
		for i := run.search(from); i < run.len() && len(refs) < most; i++ {
			ref := readTxRecord(run.at(i))
			if !strings.HasPrefix(ref.ID, whole) {
				break
			}
			if strings.HasPrefix(ref.ID, prefix) { // suffixes are not in the order of their text
				refs = append(refs, ref)
			}
		}
		return len(refs) < most
	})
	return refs
}

// txKeyFrom is the beginning of the first key that an id with this prefix can
// have.
func txKeyFrom(prefix string) ([]byte, bool) {
	digits := prefix[:min(len(prefix), 2*txIDSize)]
	if len(digits)%2 == 1 {
		digits += "0"
	}
	from, err := hex.DecodeString(digits)
	return from, err == nil && digits == strings.ToLower(digits)
}

func appendOddTx(dst []byte, ref TxRef) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(dst, ref.Block), uint64(ref.Index))
}

func oddTx(id string, v []byte) (TxRef, bool) {
	block, n := binary.Uvarint(v)
	if n <= 0 {
		return TxRef{}, false
	}
	index, m := binary.Uvarint(v[n:])
	return TxRef{ID: id, Block: block, Index: int(index)}, m > 0
}
