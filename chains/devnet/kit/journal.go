package kit

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

const (
	maxRecord      = 64 << 20
	recordOverhead = 1 + 4 + 4
)

// Record is one entry of a journal. In the file it is kind (1 byte), length (4,
// little endian), payload, CRC-32 (IEEE) of all of these (4, little endian).
type Record struct {
	Kind    byte
	Payload []byte
}

// Journal is a file of records that is only appended to. It is not synced: what
// was appended survives the process, not the machine. It is not safe for
// concurrent use.
type Journal struct {
	file *os.File
	size int64
}

// OpenJournal opens or creates a journal that begins with header, and returns what
// it holds. A torn or damaged record, or one that is not well formed, ends the
// journal: it and what follows it are cut off. A file with another header is an
// error.
func OpenJournal(path string, header []byte, wellFormed func(Record) bool) (*Journal, []Record, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, err
	}
	j := &Journal{file: file}
	records, err := j.load(header, wellFormed)
	if err != nil {
		file.Close()
		return nil, nil, fmt.Errorf("journal %s: %w", path, err)
	}
	return j, records, nil
}

func (j *Journal) load(header []byte, wellFormed func(Record) bool) ([]Record, error) {
	data, err := io.ReadAll(j.file)
	if err != nil {
		return nil, err
	}
	if len(data) < len(header) && bytes.HasPrefix(header, data) {
		if _, err := j.file.WriteAt(header, 0); err != nil {
			return nil, err
		}
		j.size = int64(len(header))
		return nil, nil
	}
	if !bytes.HasPrefix(data, header) {
		return nil, errors.New("belongs to another chain")
	}
	records, used := ParseRecords(data[len(header):], wellFormed)
	j.size = int64(len(header) + used)
	return records, j.file.Truncate(j.size)
}

// ParseRecords reads whole records and reports how many bytes they take.
func ParseRecords(data []byte, wellFormed func(Record) bool) (records []Record, used int) {
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
		r := Record{Kind: rest[0], Payload: rest[5 : 5+n]}
		if !wellFormed(r) {
			return records, used
		}
		records = append(records, r)
		used += n + recordOverhead
	}
}

// Append writes records with a single write call: a process that is killed has
// written all of them or none.
func (j *Journal) Append(records ...Record) error {
	var buf []byte
	for _, r := range records {
		start := len(buf)
		buf = append(buf, r.Kind)
		buf = binary.LittleEndian.AppendUint32(buf, uint32(len(r.Payload)))
		buf = append(buf, r.Payload...)
		buf = binary.LittleEndian.AppendUint32(buf, crc32.ChecksumIEEE(buf[start:]))
	}
	if _, err := j.file.WriteAt(buf, j.size); err != nil {
		return fmt.Errorf("journal: %w", errors.Join(err, j.file.Truncate(j.size)))
	}
	j.size += int64(len(buf))
	return nil
}

// Close syncs and closes the file.
func (j *Journal) Close() error { return errors.Join(j.file.Sync(), j.file.Close()) }
