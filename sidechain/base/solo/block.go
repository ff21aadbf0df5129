package solo

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"causeway/sidechain/base"
	"causeway/sidechain/graphene"
)

// VerifyHeader says whether the signed header is one of the network's
// sequencer.
func (m *Machine) VerifyHeader(h *graphene.SignedHeader) error {
	key, err := h.SigningKey(m.chainID)
	if err != nil {
		return fmt.Errorf("%w %d: signature of the header: %w", ErrInvalidBlock, h.Number(), err)
	}
	if key != m.sequencer {
		return fmt.Errorf("%w %d: signed by %s, the sequencer is %s", ErrInvalidBlock, h.Number(), key, m.sequencer)
	}
	return nil
}

// VerifyBlock decodes a block from its stored or sent form and checks what it
// shows by itself: the sequencer's signature and the merkle root. Whether it
// follows the head and its transactions are allowed is Apply's to say.
func (m *Machine) VerifyBlock(raw []byte) (*base.Block, error) {
	b, signed, err := decodeBlock(raw)
	if err != nil {
		return nil, err
	}
	if err := m.VerifyHeader(&signed.SignedHeader); err != nil {
		return nil, err
	}
	root, err := merkleRoot(signed.Transactions)
	if err != nil {
		return nil, err
	}
	if root != signed.MerkleRoot {
		return nil, fmt.Errorf("%w %d: its transactions do not hash to its merkle root", ErrInvalidBlock, b.Number)
	}
	return b, nil
}

// checkHeader compares the block with the header that its Raw begins with, and
// that header with the sequencer's key.
func (m *Machine) checkHeader(b *base.Block, root [20]byte) error {
	h, err := graphene.DecodeSignedHeader(b.Raw)
	if err != nil {
		return fmt.Errorf("header: %w", err)
	}
	switch {
	case h.ID().String() != b.ID, h.Previous.String() != b.Previous, h.Timestamp != b.Timestamp,
		h.Witness != b.Witness, h.Commitment == nil, *commitment(h.Commitment) != *b.Commitment:
		return errors.New("it differs from its own header")
	case h.MerkleRoot != root:
		return errors.New("its transactions do not hash to its merkle root")
	case m.skipKeys:
		return nil
	}
	return m.VerifyHeader(h)
}

func merkleRoot(txs []*graphene.SignedTransaction) ([20]byte, error) {
	leaves := make([][32]byte, len(txs))
	for i, tx := range txs {
		b, err := tx.SerializeSigned()
		if err != nil {
			return [20]byte{}, err
		}
		leaves[i] = leafOf(b)
	}
	return graphene.MerkleRoot(leaves), nil
}

// decodeBlock reads the stored form.
func decodeBlock(raw []byte) (*base.Block, *graphene.SignedBlock, error) {
	signed, err := graphene.DecodeBlock(raw)
	if err != nil {
		return nil, nil, err
	}
	return newBlock(signed, raw), signed, nil
}

func newBlock(signed *graphene.SignedBlock, raw []byte) *base.Block {
	b := &base.Block{
		Number:     signed.Number(),
		ID:         signed.ID().String(),
		Previous:   signed.Previous.String(),
		Timestamp:  signed.Timestamp,
		Witness:    signed.Witness,
		Commitment: commitment(signed.Commitment),
		Raw:        raw,
	}
	for _, tx := range signed.Transactions {
		b.Transactions = append(b.Transactions, base.Transaction{ID: tx.ID(), SignedTransaction: *tx})
	}
	return b
}

func commitment(c *graphene.StateCommitment) *base.Commitment {
	if c == nil {
		return nil
	}
	return &base.Commitment{
		RefBlock:  c.RefBlock,
		StateHash: hex.EncodeToString(c.StateHash[:]),
		StateRoot: hex.EncodeToString(c.StateRoot[:]),
	}
}

func stateCommitment(c base.Commitment) (*graphene.StateCommitment, error) {
	out := &graphene.StateCommitment{RefBlock: c.RefBlock}
	for _, h := range []struct {
		text string
		into *[32]byte
	}{{c.StateHash, &out.StateHash}, {c.StateRoot, &out.StateRoot}} {
		if len(h.text) != 64 {
			return nil, fmt.Errorf("solo: state hash %q of block %d is not 64 hex digits", h.text, c.RefBlock)
		}
		if _, err := hex.Decode(h.into[:], []byte(h.text)); err != nil {
			return nil, fmt.Errorf("solo: state hash of block %d: %w", c.RefBlock, err)
		}
	}
	return out, nil
}

// BlockJSON is a block as hived's get_block gives it: with block_id,
// signing_key and transaction_ids, every transaction with its own id and
// place. The state commitment stands in extensions as
// ["state_commitment",{"ref_block","state_hash","state_root"}], in the newer
// form as {"type","value"}.
func (m *Machine) BlockJSON(b *base.Block, form graphene.Form) (json.RawMessage, error) {
	h, err := graphene.DecodeSignedHeader(b.Raw)
	if err != nil {
		return nil, err
	}
	out := blockJSON{
		Previous:     b.Previous,
		Timestamp:    b.Timestamp,
		Witness:      b.Witness,
		MerkleRoot:   hex.EncodeToString(h.MerkleRoot[:]),
		Extensions:   []any{},
		Signature:    h.Signature.String(),
		Transactions: []json.RawMessage{},
		BlockID:      b.ID,
		SigningKey:   m.sequencer.String(),
		IDs:          []string{},
	}
	if c := b.Commitment; c != nil {
		out.Extensions = append(out.Extensions, extensionJSON(c, form))
	}
	for i := range b.Transactions {
		tx, err := TransactionJSON(b, i, form)
		if err != nil {
			return nil, err
		}
		out.Transactions = append(out.Transactions, tx)
		out.IDs = append(out.IDs, b.Transactions[i].ID)
	}
	return json.Marshal(out)
}

type blockJSON struct {
	Previous     string            `json:"previous"`
	Timestamp    string            `json:"timestamp"`
	Witness      string            `json:"witness"`
	MerkleRoot   string            `json:"transaction_merkle_root"`
	Extensions   []any             `json:"extensions"`
	Signature    string            `json:"witness_signature"`
	Transactions []json.RawMessage `json:"transactions"`
	BlockID      string            `json:"block_id"`
	SigningKey   string            `json:"signing_key"`
	IDs          []string          `json:"transaction_ids"`
}

func extensionJSON(c *base.Commitment, form graphene.Form) any {
	value := struct {
		RefBlock  uint64 `json:"ref_block"`
		StateHash string `json:"state_hash"`
		StateRoot string `json:"state_root"`
	}{c.RefBlock, c.StateHash, c.StateRoot}
	if form == graphene.Legacy {
		return []any{"state_commitment", value}
	}
	return struct {
		Type  string `json:"type"`
		Value any    `json:"value"`
	}{"state_commitment", value}
}

// TransactionJSON is a transaction of a block as hived's get_transaction gives
// it: with transaction_id, block_num and transaction_num.
func TransactionJSON(b *base.Block, index int, form graphene.Form) (json.RawMessage, error) {
	tx := &b.Transactions[index]
	text, err := tx.Marshal(form)
	if err != nil {
		return nil, err
	}
	place, err := json.Marshal(struct {
		ID     string `json:"transaction_id"`
		Block  uint64 `json:"block_num"`
		Number int    `json:"transaction_num"`
	}{tx.ID, b.Number, index})
	if err != nil {
		return nil, err
	}
	return append(append(bytes.TrimSuffix(text, []byte("}")), ','), place[1:]...), nil
}
