package ethereum

import (
	"bytes"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rlp"

	"causeway/chains"
)

// unsigned are the members of a transaction of type 2 that are signed (EIP-1559).
type unsigned struct {
	ChainID    *big.Int
	Nonce      uint64
	Tip, Max   *big.Int
	Gas        uint64
	To         *common.Address `rlp:"nil"`
	Value      *big.Int
	Data       []byte
	AccessList types.AccessList
}

// Unsigned is what is hashed to be signed: 0x02 and the RLP list of all members but
// the signature (EIP-1559).
func (t Transaction) Unsigned() ([]byte, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	tx := t.inner()
	list, err := rlp.EncodeToBytes(unsigned{tx.ChainID, tx.Nonce, tx.GasTipCap, tx.GasFeeCap, tx.Gas, tx.To, tx.Value, tx.Data, nil})
	if err != nil {
		return nil, fmt.Errorf("ethereum: %w", err)
	}
	return append([]byte{types.DynamicFeeTxType}, list...), nil
}

// DecodeUnsigned reads what Unsigned writes, and nothing else: anything else is
// chains.ErrBadTransaction.
func DecodeUnsigned(raw []byte) (*Transaction, error) {
	bad := func(format string, args ...any) (*Transaction, error) {
		return nil, fmt.Errorf("ethereum: %w: %s", chains.ErrBadTransaction, fmt.Sprintf(format, args...))
	}
	if len(raw) == 0 || len(raw) > MaxTransaction || raw[0] != types.DynamicFeeTxType {
		return bad("%d bytes that are no transaction of type 2", len(raw))
	}
	var u unsigned
	if err := rlp.DecodeBytes(raw[1:], &u); err != nil {
		return bad("%s", clip(err.Error()))
	}
	switch {
	case u.To == nil:
		return bad("it creates a contract")
	case len(u.AccessList) != 0:
		return bad("access list")
	case !u.ChainID.IsUint64():
		return bad("chain id of %d bits", u.ChainID.BitLen())
	}
	values, err := weiOfAll(u.Value, u.Max, u.Tip)
	if err != nil {
		return bad("%v", err)
	}
	t := &Transaction{
		ChainID: u.ChainID.Uint64(), Nonce: u.Nonce, To: Address(*u.To), Value: values[0], Data: u.Data, Gas: u.Gas,
		Price: Price{Max: values[1], Tip: values[2]},
	}
	again, err := t.Unsigned()
	if err != nil {
		return bad("%v", err)
	}
	if !bytes.Equal(again, raw) {
		return bad("not in the one form that it has")
	}
	return t, nil
}
