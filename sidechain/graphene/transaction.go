package graphene

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// TimeLayout is the form of times in JSON: UTC, whole seconds, no zone.
const TimeLayout = "2006-01-02T15:04:05"

// ErrTransaction is wrapped by errors about the frame of a transaction.
var ErrTransaction = errors.New("invalid transaction")

// Transaction is what is signed. Its extensions are always empty.
type Transaction struct {
	RefBlockNum    uint16 // low 16 bits of the number of an earlier block
	RefBlockPrefix uint32 // bytes 4 to 7 of that block's id, little-endian
	Expiration     string // TimeLayout
	Operations     []Operation
}

// SignedTransaction is a transaction and its signatures, each 130 lower-case
// hex digits.
type SignedTransaction struct {
	Transaction
	Signatures []string
}

// ParseTime gives the seconds since 1970 of a time in TimeLayout, which must
// fit 32 bits.
func ParseTime(text string) (uint32, error) {
	t, err := time.Parse(TimeLayout, text)
	if err != nil || t.Unix() < 0 || t.Unix() > 1<<32-1 || t.Format(TimeLayout) != text {
		return 0, fmt.Errorf("%w: time %q", ErrTransaction, clip(text))
	}
	return uint32(t.Unix()), nil
}

// FormatTime undoes ParseTime.
func FormatTime(seconds uint32) string {
	return time.Unix(int64(seconds), 0).UTC().Format(TimeLayout)
}

// Validate checks everything that a transaction shows by itself: the
// expiration's form, at least one operation, every operation. A transaction
// that passes has a binary form.
func (t *Transaction) Validate() error {
	if _, err := ParseTime(t.Expiration); err != nil {
		return err
	}
	if len(t.Operations) == 0 {
		return fmt.Errorf("%w: A transaction must have at least one operation", ErrTransaction)
	}
	for _, op := range t.Operations {
		if err := op.Validate(); err != nil {
			return err
		}
	}
	return nil
}

// Serialize is the transaction's binary form. It is meaningful only for a
// transaction that came from a decoder or passed Validate.
func (t *Transaction) Serialize() []byte {
	var e Encoder
	t.encode(&e)
	return e.Bytes()
}

func (t *Transaction) encode(e *Encoder) {
	expiration, _ := ParseTime(t.Expiration) // 0 when malformed
	e.U16(t.RefBlockNum)
	e.U32(t.RefBlockPrefix)
	e.U32(expiration)
	e.Varint(uint32(len(t.Operations)))
	for _, op := range t.Operations {
		encodeOperation(e, op)
	}
	e.Varint(0) // extensions
}

func (t *Transaction) decode(d *Decoder) {
	t.RefBlockNum, t.RefBlockPrefix = d.U16(), d.U32()
	t.Expiration = FormatTime(d.U32())
	for n := d.Count(2); n > 0 && d.Err() == nil; n-- {
		t.Operations = append(t.Operations, decodeOperation(d))
	}
	if d.Varint() != 0 {
		d.Fail("transaction with extensions")
	}
}

// Decode reads exactly one transaction without signatures. The result
// serialises to the same bytes.
func Decode(b []byte) (*Transaction, error) {
	d, t := NewDecoder(b), new(Transaction)
	t.decode(d)
	if err := d.Close(); err != nil {
		return nil, err
	}
	return t, nil
}

// ID is the first 20 bytes of SHA-256 of the binary form, in hex. Signatures
// do not change it.
func (t *Transaction) ID() string {
	sum := sha256.Sum256(t.Serialize())
	return hex.EncodeToString(sum[:20])
}

// Digest is what keys sign: SHA-256(chain id || binary form).
func (t *Transaction) Digest(chainID [32]byte) [32]byte {
	return sha256.Sum256(append(chainID[:], t.Serialize()...))
}

// RequiredAuthorities lists the accounts whose authority the operations need.
func (t *Transaction) RequiredAuthorities() Authorities {
	var a Authorities
	for _, op := range t.Operations {
		op.authorities(&a)
	}
	return a
}

// Sign validates the transaction and signs it with every key.
func (t *Transaction) Sign(chainID [32]byte, keys ...PrivateKey) (*SignedTransaction, error) {
	if err := t.Validate(); err != nil {
		return nil, err
	}
	signed := &SignedTransaction{Transaction: *t}
	digest := t.Digest(chainID)
	for _, key := range keys {
		signed.Signatures = append(signed.Signatures, key.Sign(digest).String())
	}
	return signed, nil
}

// SerializeSigned is the binary form with the signatures behind it: what a
// block stores and what its merkle root hashes.
func (t *SignedTransaction) SerializeSigned() ([]byte, error) {
	var e Encoder
	err := t.EncodeSigned(&e)
	return e.Bytes(), err
}

// EncodeSigned appends the form of SerializeSigned.
func (t *SignedTransaction) EncodeSigned(e *Encoder) error {
	t.encode(e)
	e.Varint(uint32(len(t.Signatures)))
	for _, text := range t.Signatures {
		sig, err := ParseSignature(text)
		if err != nil {
			return err
		}
		e.Raw(sig[:])
	}
	return nil
}

// DecodeSigned reads one signed transaction from a larger form.
func DecodeSigned(d *Decoder) *SignedTransaction {
	t := new(SignedTransaction)
	t.decode(d)
	for n := d.Count(65); n > 0 && d.Err() == nil; n-- {
		t.Signatures = append(t.Signatures, hex.EncodeToString(d.Raw(65)))
	}
	return t
}

// SigningKeys recovers the keys of all signatures, in their order.
func (t *SignedTransaction) SigningKeys(chainID [32]byte) ([]PublicKey, error) {
	digest := t.Digest(chainID)
	keys := make([]PublicKey, len(t.Signatures))
	for i, text := range t.Signatures {
		sig, err := ParseSignature(text)
		if err != nil {
			return nil, err
		}
		if keys[i], err = Recover(digest, sig); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

type transactionJSON struct {
	RefBlockNum    uint16            `json:"ref_block_num"`
	RefBlockPrefix uint32            `json:"ref_block_prefix"`
	Expiration     string            `json:"expiration"`
	Operations     []json.RawMessage `json:"operations"`
	Extensions     []json.RawMessage `json:"extensions"`
	Signatures     *[]string         `json:"signatures,omitempty"`
}

func (t *Transaction) toJSON(form Form) (*transactionJSON, error) {
	j := &transactionJSON{
		t.RefBlockNum, t.RefBlockPrefix, t.Expiration, []json.RawMessage{}, []json.RawMessage{}, nil,
	}
	for _, op := range t.Operations {
		b, err := MarshalOperation(op, form)
		if err != nil {
			return nil, err
		}
		j.Operations = append(j.Operations, b)
	}
	return j, nil
}

func (t *Transaction) fromJSON(j *transactionJSON) error {
	*t = Transaction{RefBlockNum: j.RefBlockNum, RefBlockPrefix: j.RefBlockPrefix}
	seconds, err := ParseTime(strings.TrimSuffix(strings.TrimSuffix(j.Expiration, "Z"), ".000"))
	if err != nil {
		return err
	}
	t.Expiration = FormatTime(seconds)
	if len(j.Extensions) > 0 {
		return fmt.Errorf("%w: extensions are not empty", ErrTransaction)
	}
	for _, raw := range j.Operations {
		op, err := unmarshalOperation(raw)
		if err != nil {
			return err
		}
		t.Operations = append(t.Operations, op)
	}
	return nil
}

// MarshalJSON writes the condenser form.
func (t *Transaction) MarshalJSON() ([]byte, error) {
	j, err := t.toJSON(Legacy)
	if err != nil {
		return nil, err
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads both forms; unknown members are passed over as hived
// does, unknown operations are an *UnknownOperationError.
func (t *Transaction) UnmarshalJSON(b []byte) error {
	var j transactionJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return fmt.Errorf("%w: %w", ErrTransaction, err)
	}
	return t.fromJSON(&j)
}

// MarshalJSON writes the condenser form with signatures.
func (t *SignedTransaction) MarshalJSON() ([]byte, error) { return t.Marshal(Legacy) }

// Marshal writes the transaction in either form.
func (t *SignedTransaction) Marshal(form Form) ([]byte, error) {
	j, err := t.toJSON(form)
	if err != nil {
		return nil, err
	}
	signatures := append([]string{}, t.Signatures...)
	j.Signatures = &signatures
	return json.Marshal(j)
}

// UnmarshalJSON reads both forms. Signatures are lower-cased.
func (t *SignedTransaction) UnmarshalJSON(b []byte) error {
	var j transactionJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return fmt.Errorf("%w: %w", ErrTransaction, err)
	}
	t.Signatures = nil
	if j.Signatures != nil {
		for _, text := range *j.Signatures {
			sig, err := ParseSignature(text)
			if err != nil {
				return err
			}
			t.Signatures = append(t.Signatures, sig.String())
		}
	}
	return t.fromJSON(&j)
}
