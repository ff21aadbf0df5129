package remote

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"causeway/hotwallet"
)

// Protocol is the version that both ends speak.
const Protocol = "causeway-signer/2"

// The bounds of frames. A question may carry the transactions before 500 inputs,
// an answer every variant of a batch.
const (
	maxHello = 4 << 10
	maxFrame = 64 << 20
	maxChunk = 1 << 20
	maxText  = 2000 // of an error
)

var errFrame = errors.New("malformed frame")

// writeFrame sends a value.
func writeFrame(w io.Writer, v any, limit int) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return writeBytes(w, text, limit)
}

func writeBytes(w io.Writer, text []byte, limit int) error {
	if len(text) > limit {
		return fmt.Errorf("%w: %d bytes, at most %d", errFrame, len(text), limit)
	}
	_, err := w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...))
	return err
}

// readFrame receives a value.
func readFrame(r io.Reader, v any, limit int) error {
	text, err := readBytes(r, limit)
	if err != nil {
		return err
	}
	return decode(text, v)
}

func readBytes(r io.Reader, limit int) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > uint32(limit) {
		return nil, fmt.Errorf("%w: %d bytes are announced, at most %d", errFrame, n, limit)
	}
	var text bytes.Buffer
	if _, err := io.CopyN(&text, r, int64(n)); err != nil {
		return nil, fmt.Errorf("%w: %w", errFrame, err)
	}
	return text.Bytes(), nil
}

// decode reads exactly one JSON value without members that it should not have.
func decode(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%w: %w", errFrame, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: more than one value", errFrame)
	}
	return nil
}

// Hello says who serves the socket.
type Hello struct {
	Protocol    string `json:"protocol"`
	BaseChainID string `json:"base_chain_id"` // 64 hex digits
	Attestor    string `json:"attestor"`      // account that it signs operations for; empty: none
	// Bound: it ends with the process that started it, and serves nobody else.
	Bound bool `json:"bound"`
	PID   int  `json:"pid"`
}

// question is what a client asks.
type question struct {
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
}

// answer has a result or an error.
type answer struct {
	Result json.RawMessage `json:"result,omitempty"`
	Error  *failure        `json:"error,omitempty"`
}

// failure is an error on its way through the socket.
type failure struct {
	Refused bool   `json:"refused"`        // a hotwallet.Refusal
	Rule    string `json:"rule,omitempty"` // a hotwallet.ErrorKind
	Text    string `json:"text"`
}

// failureOf keeps of an error what callers branch on.
func failureOf(err error) *failure {
	f := &failure{Text: err.Error()}
	if r, ok := errors.AsType[*hotwallet.Refusal](err); ok {
		f.Refused, f.Rule, f.Text = true, string(r.Rule), r.Detail
	} else if kind, ok := errors.AsType[hotwallet.ErrorKind](err); ok {
		f.Rule = string(kind)
	}
	if len(f.Text) > maxText {
		f.Text = f.Text[:maxText] + "…"
	}
	return f
}

// Err is the error that it was.
func (f *failure) Err() error {
	switch {
	case f.Refused:
		return &hotwallet.Refusal{Rule: hotwallet.ErrorKind(f.Rule), Detail: f.Text}
	case f.Rule != "":
		return &kindError{hotwallet.ErrorKind(f.Rule), f.Text}
	}
	return errors.New("signer: " + f.Text)
}

// kindError is an error of a kind, with its whole text.
type kindError struct {
	kind hotwallet.ErrorKind
	text string
}

func (e *kindError) Error() string { return e.text }
func (e *kindError) Unwrap() error { return e.kind }
