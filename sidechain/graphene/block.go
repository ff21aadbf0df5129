package graphene

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// BlockID names a block: its number, big-endian, in the first 4 bytes, then
// hash. The zero id stands before block 1.
type BlockID [20]byte

// ParseBlockID reads 40 hex digits.
func ParseBlockID(text string) (id BlockID, err error) {
	if len(text) != 2*len(id) {
		return id, fmt.Errorf("graphene: block id %q", clip(text))
	}
	_, err = hex.Decode(id[:], []byte(text))
	return id, err
}

// Number is the block's number.
func (id BlockID) Number() uint64 { return uint64(binary.BigEndian.Uint32(id[:])) }

// RefPrefix is what a transaction that refers to the block writes as
// ref_block_prefix; its ref_block_num is the low 16 bits of Number.
func (id BlockID) RefPrefix() uint32 { return binary.LittleEndian.Uint32(id[4:]) }

// String is the id in 40 hex digits.
func (id BlockID) String() string { return hex.EncodeToString(id[:]) }

// StateCommitment is the one extension of our headers: the newest executed
// block at or below the parent and the state that it left.
type StateCommitment struct {
	RefBlock  uint64
	StateHash [32]byte
	StateRoot [32]byte
}

// stateTag is the commitment's variant tag, far above those of Hive's own
// block extensions.
const stateTag = 100

// Header is a block header without signature.
type Header struct {
	Previous   BlockID
	Timestamp  string // TimeLayout
	Witness    string // account of the producer
	MerkleRoot [20]byte
	Commitment *StateCommitment // nil: no extension
}

// Number is the number of the block that the header heads.
func (h *Header) Number() uint64 { return h.Previous.Number() + 1 }

// Serialize is Hive's binary form of block_header. Like a transaction's, it is
// meaningful only with a well-formed timestamp.
func (h *Header) Serialize() []byte {
	var e Encoder
	h.encode(&e)
	return e.Bytes()
}

func (h *Header) encode(e *Encoder) {
	timestamp, _ := ParseTime(h.Timestamp)
	e.Raw(h.Previous[:])
	e.U32(timestamp)
	e.Text(h.Witness)
	e.Raw(h.MerkleRoot[:])
	if h.Commitment == nil {
		e.Varint(0)
		return
	}
	e.Varint(1)
	e.Varint(stateTag)
	e.U64(h.Commitment.RefBlock)
	e.Raw(h.Commitment.StateHash[:])
	e.Raw(h.Commitment.StateRoot[:])
}

func (h *Header) decode(d *Decoder) {
	copy(h.Previous[:], d.Raw(len(h.Previous)))
	h.Timestamp = FormatTime(d.U32())
	h.Witness = d.Text()
	copy(h.MerkleRoot[:], d.Raw(len(h.MerkleRoot)))
	switch d.Varint() {
	case 0:
		return
	case 1:
	default:
		d.Fail("header with more than one extension")
		return
	}
	if tag := d.Varint(); tag != stateTag {
		d.Fail("unknown block extension %d", tag)
		return
	}
	h.Commitment = &StateCommitment{RefBlock: d.U64()}
	copy(h.Commitment.StateHash[:], d.Raw(32))
	copy(h.Commitment.StateRoot[:], d.Raw(32))
}

// DecodeHeader reads exactly one header without signature.
func DecodeHeader(b []byte) (*Header, error) {
	d, h := NewDecoder(b), new(Header)
	h.decode(d)
	if err := d.Close(); err != nil {
		return nil, err
	}
	return h, nil
}

// Digest is what the producer signs: SHA-256(chain id || header).
func (h *Header) Digest(chainID [32]byte) [32]byte {
	return sha256.Sum256(append(chainID[:], h.Serialize()...))
}

// SignedHeader is a header and the producer's signature.
type SignedHeader struct {
	Header
	Signature Signature
}

// ID is Hive's: SHA-224 of header and signature, cut to 20 bytes, the first 4
// replaced by the number.
func (h *SignedHeader) ID() (id BlockID) {
	sum := sha256.Sum224(append(h.Serialize(), h.Signature[:]...))
	copy(id[:], sum[:])
	binary.BigEndian.PutUint32(id[:], uint32(h.Number()))
	return id
}

// SigningKey recovers the producer's key.
func (h *SignedHeader) SigningKey(chainID [32]byte) (PublicKey, error) {
	return Recover(h.Digest(chainID), h.Signature)
}

// DecodeSignedHeader reads the signed header at the beginning of a block and
// leaves the rest.
func DecodeSignedHeader(b []byte) (*SignedHeader, error) {
	h := new(SignedHeader)
	d := NewDecoder(b)
	h.decode(d)
	copy(h.Signature[:], d.Raw(len(h.Signature)))
	return h, d.Err()
}

// SignedBlock is a block as it is stored and sent.
type SignedBlock struct {
	SignedHeader
	Transactions []*SignedTransaction
}

// Serialize is Hive's binary form of signed_block. The error is that of a
// signature that is not 130 hex digits.
func (b *SignedBlock) Serialize() ([]byte, error) {
	var e Encoder
	b.encode(&e)
	e.Raw(b.Signature[:])
	e.Varint(uint32(len(b.Transactions)))
	for _, tx := range b.Transactions {
		if err := tx.EncodeSigned(&e); err != nil {
			return nil, err
		}
	}
	return e.Bytes(), nil
}

// DecodeBlock reads exactly one block. It checks form only.
func DecodeBlock(raw []byte) (*SignedBlock, error) {
	d, b := NewDecoder(raw), new(SignedBlock)
	b.decode(d)
	copy(b.Signature[:], d.Raw(len(b.Signature)))
	for n := d.Count(13); n > 0 && d.Err() == nil; n-- {
		b.Transactions = append(b.Transactions, DecodeSigned(d))
	}
	if err := d.Close(); err != nil {
		return nil, err
	}
	return b, nil
}

// MerkleRoot is Hive's transaction_merkle_root over the SHA-256 of every
// signed transaction: pairs are hashed together, an odd one goes up as it is,
// and the last digest is cut by RIPEMD-160. No transaction: zero.
func MerkleRoot(leaves [][32]byte) [20]byte {
	if len(leaves) == 0 {
		return [20]byte{}
	}
	level := append([][32]byte(nil), leaves...)
	for len(level) > 1 {
		k := 0
		for i := 0; i+1 < len(level); i += 2 {
			level[k] = sha256.Sum256(append(level[i][:], level[i+1][:]...))
			k++
		}
		if len(level)%2 == 1 {
			level[k] = level[len(level)-1]
			k++
		}
		level = level[:k]
	}
	return RIPEMD160(level[0][:])
}
