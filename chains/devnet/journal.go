package devnet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/btcsuite/btcd/chainhash/v2"
)

// The journal is the chain: every block accepted, every invalidation and
// reconsideration, in the order in which they happened, written before the
// caller hears of them. btcd's database keeps minutes of work in memory; what
// it lost in a crash is replayed from here, and when it cannot be opened or
// disagrees it is thrown away and built again.
//
// A record is kind (1 byte), length (4, little endian), payload, CRC-32 of all
// of these (4). A torn record at the end is cut off.
type recordKind byte

const (
	recBlock      recordKind = 'B' // raw block, then the tip's hash after it
	recInvalidate recordKind = 'I' // block hash, then the tip's hash after it
	recReconsider recordKind = 'R' // block hash, then the tip's hash after it
	recClean      recordKind = 'C' // tip's hash; the database holds all before
	recTx         recordKind = 'T' // raw transaction taken into the mempool
	recKey        recordKind = 'K' // number of wallet addresses handed out
)

const (
	journalMagic   = "cwdevnt1"
	journalHeader  = len(journalMagic) + chainhash.HashSize
	maxRecord      = 64 << 20
	recordOverhead = 1 + 4 + 4
)

type record struct {
	kind    recordKind
	payload []byte
}

// tip is the hash at the end of the payload of a record that has one.
func (r record) tip() (tip chainhash.Hash) {
	copy(tip[:], r.payload[len(r.payload)-chainhash.HashSize:])
	return tip
}

// body is the payload without the tip.
func (r record) body() []byte { return r.payload[:len(r.payload)-chainhash.HashSize] }

type journal struct {
	file *os.File
	size int64
}

// openJournal opens or creates the journal of the chain with this genesis and
// returns what it holds.
func openJournal(path string, genesis chainhash.Hash) (*journal, []record, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, err
	}
	j := &journal{file: file}
	records, err := j.load(genesis)
	if err != nil {
		file.Close()
		return nil, nil, fmt.Errorf("journal %s: %w", path, err)
	}
	return j, records, nil
}

func (j *journal) load(genesis chainhash.Hash) ([]record, error) {
	data, err := io.ReadAll(j.file)
	if err != nil {
		return nil, err
	}
	header := append([]byte(journalMagic), genesis[:]...)
	if len(data) < journalHeader && bytes.HasPrefix(header, data) {
		if _, err := j.file.WriteAt(header, 0); err != nil {
			return nil, err
		}
		j.size = int64(journalHeader)
		return nil, nil
	}
	if !bytes.HasPrefix(data, header) {
		return nil, errors.New("belongs to another chain")
	}
	records, used := parseRecords(data[journalHeader:])
	j.size = int64(journalHeader + used)
	return records, j.file.Truncate(j.size)
}

// parseRecords reads whole records and reports how many bytes they take.
func parseRecords(data []byte) (records []record, used int) {
	for {
		rest := data[used:]
		if len(rest) < recordOverhead {
			return records, used
		}
		n := int(binary.LittleEndian.Uint32(rest[1:5]))
		if n > maxRecord || len(rest) < n+recordOverhead {
			return records, used
		}
		sum := binary.LittleEndian.Uint32(rest[5+n:])
		if crc32.ChecksumIEEE(rest[:5+n]) != sum {
			return records, used
		}
		r := record{kind: recordKind(rest[0]), payload: rest[5 : 5+n]}
		if !r.wellFormed() {
			return records, used
		}
		records = append(records, r)
		used += n + recordOverhead
	}
}

func (r record) wellFormed() bool {
	n := len(r.payload)
	switch r.kind {
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

// append writes one record with a single write call. It is not synced: it
// survives the process, not the machine.
func (j *journal) append(kind recordKind, parts ...[]byte) error {
	buf := make([]byte, 5, 256)
	buf[0] = byte(kind)
	for _, part := range parts {
		buf = append(buf, part...)
	}
	binary.LittleEndian.PutUint32(buf[1:], uint32(len(buf)-5))
	buf = binary.LittleEndian.AppendUint32(buf, crc32.ChecksumIEEE(buf))
	if _, err := j.file.WriteAt(buf, j.size); err != nil {
		return fmt.Errorf("journal: %w", errors.Join(err, j.file.Truncate(j.size)))
	}
	j.size += int64(len(buf))
	return nil
}

func (j *journal) close() error { return errors.Join(j.file.Sync(), j.file.Close()) }
