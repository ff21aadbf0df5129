package evm

import (
	"encoding/binary"
	"fmt"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/rpc"
)

// Codes of JSON-RPC errors as geth uses them. Whatever has none is -32000.
const (
	codeRevert = 3
	codeParams = -32602
)

// codedError is an error with a code and data of its own.
type codedError struct {
	code    int
	message string
	data    any
}

var _ rpc.DataError = (*codedError)(nil)

// Error implements error.
func (e *codedError) Error() string { return e.message }

// ErrorCode implements rpc.Error.
func (e *codedError) ErrorCode() int { return e.code }

// ErrorData implements rpc.DataError.
func (e *codedError) ErrorData() any { return e.data }

// badParams says that the parameters make no sense.
func badParams(format string, args ...any) error {
	return &codedError{code: codeParams, message: fmt.Sprintf(format, args...)}
}

// reverted is the error of a call that reverted with data.
func reverted(data []byte) error {
	message := vm.ErrExecutionReverted.Error()
	if reason, ok := revertReason(data); ok {
		message += ": " + reason
	}
	return &codedError{codeRevert, message, hexutil.Encode(data)}
}

// revertReason reads the text of Solidity's Error(string).
func revertReason(data []byte) (string, bool) {
	const head = 4 + 2*32 // selector 0x08c379a0, offset, length
	if len(data) < head || binary.BigEndian.Uint32(data) != 0x08c379a0 {
		return "", false
	}
	size := binary.BigEndian.Uint64(data[head-8 : head])
	if size > uint64(len(data)-head) {
		return "", false
	}
	return string(data[head : head+int(size)]), true
}
