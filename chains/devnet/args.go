package devnet

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
)

// rpcError is a JSON-RPC error with Bitcoin Core's code.
type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// Error implements error.
func (e *rpcError) Error() string { return fmt.Sprintf("%d: %s", e.Code, e.Message) }

// Bitcoin Core's codes (src/rpc/protocol.h).
const (
	codeMisc            = -1
	codeType            = -3
	codeAddressOrKey    = -5
	codeNoFunds         = -6
	codeParameter       = -8
	codeDeserialization = -22
	codeVerify          = -25
	codeRejected        = -26
	codeAlreadyInChain  = -27
	codeInvalidRequest  = -32600
	codeNoMethod        = -32601
	codeInternal        = -32603
	codeParse           = -32700
)

func fail(code int, format string, args ...any) *rpcError {
	return &rpcError{code, fmt.Sprintf(format, args...)}
}

// args are the parameters of one call, in the method's order. An absent one is
// nil, and so is null.
type args struct {
	names  []string
	values []json.RawMessage
}

// bindArgs puts positional or named parameters in order.
func bindArgs(names []string, params json.RawMessage) (args, error) {
	a := args{names: names, values: make([]json.RawMessage, len(names))}
	params = bytes.TrimSpace(params)
	if len(params) == 0 || string(params) == "null" {
		return a, nil
	}
	switch params[0] {
	case '[':
		var list []json.RawMessage
		if err := json.Unmarshal(params, &list); err != nil {
			return a, fail(codeInvalidRequest, "Params must be an array or object")
		}
		if len(list) > len(names) {
			return a, fail(codeMisc, "too many parameters: at most %d", len(names))
		}
		copy(a.values, list)
	case '{':
		var named map[string]json.RawMessage
		if err := json.Unmarshal(params, &named); err != nil {
			return a, fail(codeInvalidRequest, "Params must be an array or object")
		}
		for i, name := range names {
			for alias := range strings.SplitSeq(name, "|") {
				if value, ok := named[alias]; ok {
					a.values[i] = value
					delete(named, alias)
				}
			}
		}
		for name := range named {
			return a, fail(codeParameter, "Unknown named parameter %s", name)
		}
	default:
		return a, fail(codeInvalidRequest, "Params must be an array or object")
	}
	for i, value := range a.values {
		if value = bytes.TrimSpace(value); string(value) == "null" {
			value = nil
		}
		a.values[i] = value
	}
	return a, nil
}

func (a args) name(i int) string {
	name, _, _ := strings.Cut(a.names[i], "|")
	return name
}

func (a args) has(i int) bool { return a.values[i] != nil }

func (a args) mismatch(i int, want string) *rpcError {
	kind := "number"
	switch a.values[i][0] {
	case '"':
		kind = "string"
	case '{':
		kind = "object"
	case '[':
		kind = "array"
	case 't', 'f':
		kind = "bool"
	}
	return fail(codeType, "Position %d (%s): JSON value of type %s is not of expected type %s",
		i+1, a.name(i), kind, want)
}

func (a args) text(i int) (string, error) {
	var s string
	if !a.has(i) {
		return "", nil
	}
	if a.values[i][0] != '"' || json.Unmarshal(a.values[i], &s) != nil {
		return "", a.mismatch(i, "string")
	}
	return s, nil
}

func (a args) integer(i int, fallback int64) (int64, error) {
	if !a.has(i) {
		return fallback, nil
	}
	n, err := strconv.ParseInt(string(a.values[i]), 10, 64)
	if err == nil {
		return n, nil
	}
	if strings.ContainsAny(string(a.values[i][:1]), "-0123456789") {
		return 0, fail(codeType, "Position %d (%s): JSON integer out of range", i+1, a.name(i))
	}
	return 0, a.mismatch(i, "number")
}

func (a args) boolean(i int, fallback bool) (bool, error) {
	switch {
	case !a.has(i):
		return fallback, nil
	case string(a.values[i]) == "true":
		return true, nil
	case string(a.values[i]) == "false":
		return false, nil
	}
	return false, a.mismatch(i, "bool")
}

// level reads a verbosity: a number, or a bool for 0 and 1.
func (a args) level(i int, fallback int64) (int64, error) {
	if a.has(i) && (a.values[i][0] == 't' || a.values[i][0] == 'f') {
		on, err := a.boolean(i, false)
		if on {
			return 1, err
		}
		return 0, err
	}
	return a.integer(i, fallback)
}

// hash reads a block hash or transaction id.
func (a args) hash(i int) (chainhash.Hash, error) {
	text, err := a.text(i)
	if err != nil {
		return chainhash.Hash{}, err
	}
	if len(text) != chainhash.MaxHashStringSize {
		return chainhash.Hash{}, fail(codeParameter, "%s must be of length %d (not %d, for '%s')",
			a.name(i), chainhash.MaxHashStringSize, len(text), clip(text))
	}
	hash, err := chainhash.NewHashFromStr(text)
	if err != nil {
		return chainhash.Hash{}, fail(codeParameter, "%s must be hexadecimal string (not '%s')", a.name(i), clip(text))
	}
	return *hash, nil
}

// amount reads coins, as a number or as the text of one.
func (a args) amount(i int) (int64, error) {
	text := string(a.values[i])
	if a.values[i][0] == '"' {
		var err error
		if text, err = a.text(i); err != nil {
			return 0, err
		}
	} else if !strings.ContainsAny(text[:1], "-0123456789") {
		return 0, fail(codeType, "Amount is not a number or string")
	}
	sat, err := parseAmount(text)
	if err != nil {
		return 0, fail(codeType, "Invalid amount")
	}
	if sat < 0 || sat > btcutil.MaxSatoshi {
		return 0, fail(codeType, "Amount out of range")
	}
	return sat, nil
}

// satPerByte reads a fee rate in satoshi per virtual byte, as satoshi per 1000
// virtual bytes.
func (a args) satPerByte(i int, fallback int64) (int64, error) {
	if !a.has(i) {
		return fallback, nil
	}
	units, err := a.amount(i) // hundred-millionths of one satoshi
	return units * 1000 / coin, err
}

// decodeTx reads a raw transaction. Core's text for anything that does not decode is
// the same whatever the reason.
func decodeTx(text string) (*btcutil.Tx, error) {
	raw, err := hex.DecodeString(text)
	if err == nil && len(raw) > 0 {
		tx, err := btcutil.NewTxFromBytes(raw)
		if err == nil && len(tx.MsgTx().TxIn) > 0 && tx.MsgTx().SerializeSize() == len(raw) {
			return tx, nil
		}
	}
	return nil, fail(codeDeserialization, "TX decode failed. Make sure the tx has at least one input.")
}

func clip(text string) string {
	if len(text) > 80 {
		return text[:80] + "…"
	}
	return text
}
