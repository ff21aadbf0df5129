package jsonrpc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// Error is what a node answered instead of a result.
type Error struct {
	Code    int
	Message string
}

// Error shows the node's message quoted and cut short: it is a stranger's text.
func (e *Error) Error() string {
	message := e.Message
	if len(message) > 300 {
		message = message[:300] + "…"
	}
	return fmt.Sprintf("node says %d: %s", e.Code, strconv.QuoteToGraphic(message))
}

// ErrNull is what a call gives whose result is null.
var ErrNull = errors.New("answer without a result")

// decodeReply takes a JSON-RPC answer apart. An error in it is an *Error,
// whatever the HTTP status.
func decodeReply(status int, body []byte, id uint64, result any) error {
	if status == http.StatusUnauthorized || status == http.StatusForbidden {
		return fmt.Errorf("HTTP %d: the node refuses our credentials", status)
	}
	var r reply
	if err := json.Unmarshal(body, &r); err != nil {
		return fmt.Errorf("HTTP %d: not a JSON-RPC answer of %d bytes", status, len(body))
	}
	if r.failed() {
		return decodeError(status, r.Error)
	}
	if status != http.StatusOK {
		return fmt.Errorf("HTTP %d without an error", status)
	}
	if string(r.ID) != strconv.FormatUint(id, 10) {
		return errors.New("answer to another request")
	}
	return r.decode(result)
}

// reply is an answer to one request.
type reply struct {
	Result json.RawMessage `json:"result"`
	Error  json.RawMessage `json:"error"`
	ID     json.RawMessage `json:"id"`
}

func (r *reply) failed() bool { return len(r.Error) > 0 && string(r.Error) != "null" }

// decode reads the result; nil drops it.
func (r *reply) decode(result any) error {
	if result == nil {
		return nil
	}
	if len(r.Result) == 0 || string(r.Result) == "null" {
		return ErrNull
	}
	if raw, ok := result.(*json.RawMessage); ok { // as it came, and valid: it was read as a part
		*raw = r.Result
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(r.Result))
	d.UseNumber()
	if err := d.Decode(result); err != nil {
		return fmt.Errorf("unexpected result: %w", typeOnly(err))
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("unexpected result")
	}
	return nil
}

func decodeError(status int, raw json.RawMessage) error {
	var e struct {
		Code    *int    `json:"code"`
		Message *string `json:"message"`
	}
	if err := json.Unmarshal(raw, &e); err != nil || e.Code == nil || e.Message == nil {
		return fmt.Errorf("HTTP %d: malformed error object", status)
	}
	return &Error{Code: *e.Code, Message: *e.Message}
}

// typeOnly keeps a type mismatch's description and drops other texts, which
// may quote the answer at length.
func typeOnly(err error) error {
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		return fmt.Errorf("%s instead of %s", mismatch.Value, mismatch.Type)
	}
	return errors.New("malformed")
}
