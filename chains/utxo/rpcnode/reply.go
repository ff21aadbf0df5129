package rpcnode

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// RPCError is what a node answered instead of a result.
type RPCError struct {
	Code    int
	Message string
}

// Error shows the node's message quoted and cut short: it is a stranger's text.
func (e *RPCError) Error() string {
	message := e.Message
	if len(message) > 300 {
		message = message[:300] + "…"
	}
	return fmt.Sprintf("node says %d: %s", e.Code, strconv.QuoteToGraphic(message))
}

// Codes that nodes answer with.
const (
	codeMisc           = -1
	codeNotFound       = -5
	codeParameter      = -8
	codeDeserialise    = -22
	codeVerify         = -25
	codeRejected       = -26
	codeInChain        = -27
	codeWarmUp         = -28
	codeMethodNotFound = -32601
	codeInvalidRequest = -32600
)

// decodeReply takes a JSON-RPC answer apart. An error in it is an *RPCError,
// whatever the HTTP status.
func decodeReply(status int, body []byte, id uint64, result any) error {
	if status == http.StatusUnauthorized || status == http.StatusForbidden {
		return fmt.Errorf("HTTP %d: the node refuses our credentials", status)
	}
	var reply struct {
		Result json.RawMessage `json:"result"`
		Error  json.RawMessage `json:"error"`
		ID     json.RawMessage `json:"id"`
	}
	if err := json.Unmarshal(body, &reply); err != nil {
		return fmt.Errorf("HTTP %d: not a JSON-RPC answer of %d bytes", status, len(body))
	}
	if len(reply.Error) > 0 && string(reply.Error) != "null" {
		return decodeError(status, reply.Error)
	}
	if status != http.StatusOK {
		return fmt.Errorf("HTTP %d without an error", status)
	}
	if string(reply.ID) != strconv.FormatUint(id, 10) {
		return errors.New("answer to another request")
	}
	if result == nil {
		return nil
	}
	if len(reply.Result) == 0 || string(reply.Result) == "null" {
		return errors.New("answer without a result")
	}
	d := json.NewDecoder(bytes.NewReader(reply.Result))
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
	return &RPCError{Code: *e.Code, Message: *e.Message}
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
