package ethereum

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"causeway/chains"
)

// Transaction is what we sign: an EIP-1559 transaction (type 2) without an access
// list. The zero value is not one: gas and chain id must be set.
type Transaction struct {
	ChainID uint64  `json:"chain_id"`
	Nonce   uint64  `json:"nonce"`
	To      Address `json:"to"`
	Value   Wei     `json:"value"`
	Data    []byte  `json:"data,omitempty"`
	Gas     uint64  `json:"gas"` // the most that it may use
	Price   Price   `json:"price"`
}

// Price is what a transaction pays for a unit of gas, in wei: the block's base fee
// and a tip, together at most Max.
type Price struct {
	Max Wei `json:"max"`
	Tip Wei `json:"tip"`
}

// Signed is a transaction with its signature.
type Signed struct {
	Transaction
	From Address // recovered from the signature
	Hash Hash    // the txid
	Raw  []byte  // EIP-2718 envelope: what is broadcast
}

// MaxTransaction bounds the bytes of a transaction that is decoded.
const MaxTransaction = 128 << 10

func (t *Transaction) inner() *types.DynamicFeeTx {
	to := common.Address(t.To)
	return &types.DynamicFeeTx{
		ChainID: new(big.Int).SetUint64(t.ChainID), Nonce: t.Nonce, To: &to, Value: t.Value.Big(), Data: t.Data,
		Gas: t.Gas, GasFeeCap: t.Price.Max.Big(), GasTipCap: t.Price.Tip.Big(),
	}
}

func (t *Transaction) check() error {
	switch {
	case t.ChainID == 0:
		return errors.New("ethereum: transaction without a chain id")
	case t.Gas == 0:
		return errors.New("ethereum: transaction without gas")
	case t.Price.Max.Less(t.Price.Tip):
		return fmt.Errorf("ethereum: tip of %s above the whole price of %s", t.Price.Tip, t.Price.Max)
	}
	return nil
}

// SigHash is the hash that is signed; of a transaction without a chain id there is
// none, and it is zero.
func (t Transaction) SigHash() Hash {
	if t.ChainID == 0 {
		return Hash{}
	}
	return Hash(types.NewLondonSigner(new(big.Int).SetUint64(t.ChainID)).Hash(types.NewTx(t.inner())))
}

// Sign signs with a key, deterministically (RFC 6979) and with the lower s
// (EIP-2). What it returns was decoded again from its own bytes.
func (t Transaction) Sign(key *btcec.PrivateKey) (*Signed, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	digest := t.SigHash()
	compact := ecdsa.SignCompact(key, digest[:], false) // 27 + recovery id, r, s
	signature := append(compact[1:65:65], compact[0]-27)
	tx, err := types.NewTx(t.inner()).WithSignature(types.NewLondonSigner(new(big.Int).SetUint64(t.ChainID)), signature)
	if err != nil {
		return nil, fmt.Errorf("ethereum: sign: %w", err)
	}
	raw, err := tx.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("ethereum: sign: %w", err)
	}
	signed, err := Decode(raw)
	if err != nil {
		return nil, err
	}
	if want := AddressOf(key.PubKey()); signed.From != want || !signed.Transaction.same(&t) || signed.Price != t.Price {
		return nil, fmt.Errorf("ethereum: sign: what was signed reads as a transaction of %s", signed.From)
	}
	return signed, nil
}

// Decode reads a signed transaction of the kind that Sign makes, strictly: all of
// raw, in its one encoding, with the lower s. Anything else is
// chains.ErrBadTransaction.
func Decode(raw []byte) (*Signed, error) {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("ethereum: %w: %s", chains.ErrBadTransaction, fmt.Sprintf(format, args...))
	}
	if len(raw) > MaxTransaction {
		return nil, bad("%d bytes", len(raw))
	}
	var tx types.Transaction
	if err := tx.UnmarshalBinary(raw); err != nil {
		return nil, bad("%s", clip(err.Error()))
	}
	to, chainID := tx.To(), tx.ChainId()
	switch {
	case tx.Type() != types.DynamicFeeTxType:
		return nil, bad("type %d", tx.Type())
	case to == nil:
		return nil, bad("it creates a contract")
	case len(tx.AccessList()) != 0:
		return nil, bad("access list")
	case !chainID.IsUint64(), chainID.Sign() == 0:
		return nil, bad("chain id %s", clip(chainID.String()))
	}
	values, err := weiOfAll(tx.Value(), tx.GasFeeCap(), tx.GasTipCap())
	if err != nil {
		return nil, bad("%v", err)
	}
	from, err := types.Sender(types.NewLondonSigner(chainID), &tx)
	if err != nil {
		return nil, bad("%s", clip(err.Error()))
	}
	s := &Signed{
		Transaction: Transaction{
			ChainID: chainID.Uint64(), Nonce: tx.Nonce(), To: Address(*to), Value: values[0], Data: tx.Data(), Gas: tx.Gas(),
			Price: Price{Max: values[1], Tip: values[2]},
		},
		From: Address(from), Hash: Hash(tx.Hash()), Raw: raw,
	}
	if err := s.check(); err != nil {
		return nil, bad("%v", err)
	}
	return s, nil
}

func weiOfAll(values ...*big.Int) ([]Wei, error) {
	all := make([]Wei, len(values))
	for i, v := range values {
		var err error
		if all[i], err = WeiFromBig(v); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// same says that two transactions are the same but for their price.
func (t *Transaction) same(o *Transaction) bool {
	return t.ChainID == o.ChainID && t.Nonce == o.Nonce && t.To == o.To && t.Value == o.Value && t.Gas == o.Gas && string(t.Data) == string(o.Data)
}

// VariantOf says that s pays the same as another transaction from the same account
// with the same nonce, at a different price at most: at most one of them can ever
// be mined, and it does not matter which.
func (s *Signed) VariantOf(o *Signed) bool { return s.From == o.From && s.same(&o.Transaction) }

// MaxCost is the most that the transaction can take from its sender: value and all
// the gas at the highest price; or chains.ErrAmountRange.
func (t Transaction) MaxCost() (Wei, error) {
	fee, err := t.Price.Max.Times(t.Gas)
	if err != nil {
		return Wei{}, err
	}
	return fee.Add(t.Value)
}
