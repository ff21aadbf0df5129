package gateway

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

// A frame is what one durable append writes: frameHead, then records, each
// preceded by its length as a varint. The head is a mark, the length of the rest,
// its CRC-32C, and the CRC-32C of the head so far, 4 bytes each, big-endian. The
// checksums here only tell a whole frame from a torn one; what holds the log
// together are the links of the records.
const (
	frameHead = 16
	frameMark = 0xca5e1a9e
	// maxFrame bounds what is read for one frame.
	maxFrame = 1 << 30
	// frameSize is what a frame holds before another one is begun.
	frameSize = 16 << 20
)

// appendFrames writes stored records behind b, in as many frames as they need.
func appendFrames(b []byte, records [][]byte, limit int) ([]byte, error) {
	for len(records) > 0 {
		n, size := 0, 0
		for n < len(records) && (n == 0 || size+len(records[n]) <= limit) {
			size += len(records[n]) + binary.MaxVarintLen64
			n++
		}
		if size > maxFrame {
			return nil, fmt.Errorf("a record of %d bytes is too large", len(records[0]))
		}
		b, records = appendFrame(b, records[:n]), records[n:]
	}
	return b, nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errTorn: there is no whole frame here.
var errTorn = errors.New("the frame is not whole")

// appendFrame writes a frame of stored records behind b.
func appendFrame(b []byte, records [][]byte) []byte {
	start := len(b)
	b = append(b, make([]byte, frameHead)...)
	for _, r := range records {
		b = append(binary.AppendUvarint(b, uint64(len(r))), r...)
	}
	head, body := b[start:start+frameHead], b[start+frameHead:]
	binary.BigEndian.PutUint32(head, frameMark)
	binary.BigEndian.PutUint32(head[4:], uint32(len(body)))
	binary.BigEndian.PutUint32(head[8:], crc32.Checksum(body, castagnoli))
	binary.BigEndian.PutUint32(head[12:], crc32.Checksum(head[:12], castagnoli))
	return b
}

// bodyLength reads a frame's head.
func bodyLength(head []byte) (n int64, ok bool) {
	if len(head) < frameHead || binary.BigEndian.Uint32(head) != frameMark ||
		binary.BigEndian.Uint32(head[12:]) != crc32.Checksum(head[:12], castagnoli) {
		return 0, false
	}
	n = int64(binary.BigEndian.Uint32(head[4:]))
	return n, n <= maxFrame
}

// readFrame reads the body of the next frame. It returns io.EOF at the end, and
// errTorn with what there is of the body when that is not all.
func readFrame(r *bufio.Reader, left int64) (body []byte, err error) {
	var head [frameHead]byte
	n, err := io.ReadFull(r, head[:])
	switch {
	case n == 0 && errors.Is(err, io.EOF):
		return nil, io.EOF
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errTorn
	case err != nil:
		return nil, err
	}
	length, ok := bodyLength(head[:])
	if !ok {
		return nil, errTorn
	}
	body = make([]byte, min(length, left-frameHead))
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, err
	}
	if int64(len(body)) < length || crc32.Checksum(body, castagnoli) != binary.BigEndian.Uint32(head[8:]) {
		return body, errTorn
	}
	return body, nil
}

// nextRecord cuts a stored record off a body; ok is false when it is not whole.
func nextRecord(body []byte) (record, rest []byte, ok bool) {
	n, size := binary.Uvarint(body)
	if size <= 0 || n > uint64(len(body)-size) {
		return nil, body, false
	}
	end := size + int(n)
	return body[size:end], body[end:], true
}

// wholeFrameAfter says whether the file holds a whole frame anywhere behind a
// place: then what is not whole before it was damaged and not torn off.
func wholeFrameAfter(file *os.File, from, size int64) (bool, error) {
	mark := binary.BigEndian.AppendUint32(nil, frameMark)
	const step = 1 << 20
	buf := make([]byte, min(step, max(size-from, 0))+int64(len(mark))-1)
	for at := from; at < size; at += step {
		n, err := file.ReadAt(buf, at)
		if err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
		for k := 0; ; k++ {
			i := bytes.Index(buf[k:n], mark)
			if i < 0 {
				break
			}
			k += i
			start := at + int64(k)
			_, err := readFrame(bufio.NewReader(io.NewSectionReader(file, start, size-start)), size-start)
			if err == nil {
				return true, nil
			}
			if !errors.Is(err, errTorn) {
				return false, fmt.Errorf("after byte %d: %w", start, err)
			}
		}
	}
	return false, nil
}
