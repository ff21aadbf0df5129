package gateway

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"

	"causeway/internal/boltfile"
	"causeway/pegs"

	"github.com/google/renameio/v2"
	"go.etcd.io/bbolt"
)

// migrations bring a log of a format to the next one, by replacing the file as a
// whole. Records keep their bytes, so that their links hold.
var migrations = map[int]func(path, network string) error{
	1: fromBolt,
}

// migrate brings an older log to logFormat. What is no log at all is left to the
// reader of the header.
func migrate(path, network string, readOnly bool) error {
	for {
		format, err := formatOf(path)
		switch {
		case err != nil:
			return err
		case format == 0 || format == logFormat:
			return nil
		case format > logFormat:
			return fmt.Errorf("%w: it is of format %d, this program knows formats up to %d", ErrNewerFormat, format, logFormat)
		case readOnly:
			return fmt.Errorf("gateway: the event log is of format %d: it is brought to format %d when the home runs", format, logFormat)
		}
		step := migrations[format]
		if step == nil {
			return fmt.Errorf("%w: there is no format %d", ErrLogDamaged, format)
		}
		if err := step(path, network); err != nil {
			return fmt.Errorf("from format %d to %d: %w", format, format+1, err)
		}
	}
}

// formatOf is the format of a log: 0 when there is none, or none that can be read.
func formatOf(path string) (int, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("gateway: event log: %w", err)
	}
	defer file.Close()
	head := make([]byte, 64)
	n, err := io.ReadFull(file, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return 0, fmt.Errorf("gateway: event log: %w", err)
	}
	head = head[:n]
	const boltMagic = 0xED0CDAED // behind the 16 bytes of a page's header
	if n >= 20 && binary.LittleEndian.Uint32(head[16:]) == boltMagic {
		return 1, nil
	}
	rest, ok := bytes.CutPrefix(head, []byte("causeway-gateway/"))
	number, _, whole := bytes.Cut(rest, []byte("\n"))
	if format, err := strconv.Atoi(string(number)); ok && whole && err == nil && format > 0 {
		return format, nil
	}
	return 0, nil
}

// fromBolt reads format 1: a bbolt file with the buckets meta (format, network),
// events (sequence as 8 bytes, big-endian -> record) and cut. The file is kept
// beside the new one.
func fromBolt(path, network string) (err error) {
	db, err := openBolt(path, true)
	if errors.Is(err, boltfile.ErrDamaged) {
		return fmt.Errorf("%w: %w", ErrLogDamaged, err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	fresh, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o600))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, fresh.Cleanup()) }()
	if _, err := fresh.Write(logHeader(network)); err != nil {
		return err
	}
	err = boltfile.Guard(func() error {
		return db.View(func(tx *bbolt.Tx) error { return boltRecords(tx, network, fresh) })
	})
	if errors.Is(err, boltfile.ErrDamaged) {
		return fmt.Errorf("%w: %w", ErrLogDamaged, err)
	}
	if err != nil {
		return err
	}
	if err := os.Link(path, path+".format-1"); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return fresh.CloseAtomicallyReplace()
}

// boltRecords writes the records of format 1 as frames. A newest record that is
// not whole is left out, as format 1 did.
func boltRecords(tx *bbolt.Tx, network string, out io.Writer) error {
	meta, events := tx.Bucket([]byte("meta")), tx.Bucket([]byte("events"))
	switch {
	case meta == nil || events == nil || string(meta.Get([]byte("format"))) != "causeway-gateway/1":
		return fmt.Errorf("%w: it is no event log", ErrLogDamaged)
	case string(meta.Get([]byte("network"))) != network:
		return fmt.Errorf("%w: it is of network %s, not %s", ErrLogDamaged, meta.Get([]byte("network")), network)
	}
	const perFrame = 256
	var link pegs.Link
	var batch [][]byte
	seq := uint64(0)
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		_, err := out.Write(appendFrame(nil, batch))
		batch = batch[:0]
		return err
	}
	newest, _ := events.Cursor().Last()
	err := events.ForEach(func(key, value []byte) error {
		_, next, err := pegs.DecodeRecord(value, seq+1, link)
		if err == nil && !bytes.Equal(key, binary.BigEndian.AppendUint64(nil, seq+1)) {
			err = fmt.Errorf("record %d is at place %x", seq+1, key)
		}
		if errors.Is(err, pegs.ErrRecord) && bytes.Equal(key, newest) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrLogDamaged, err)
		}
		batch = append(batch, value)
		seq, link = seq+1, next
		if len(batch) < perFrame {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}
