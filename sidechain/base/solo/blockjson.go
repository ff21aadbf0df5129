package solo

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"causeway/sidechain/graphene"
)

// parseBlockJSON reads a block in the newer JSON form, as BlockJSON writes it,
// back into its binary form. Only what is signed counts: ids and the signing
// key are computed again by who verifies it.
func parseBlockJSON(text json.RawMessage) ([]byte, error) {
	var in struct {
		Previous     string                        `json:"previous"`
		Timestamp    string                        `json:"timestamp"`
		Witness      string                        `json:"witness"`
		MerkleRoot   string                        `json:"transaction_merkle_root"`
		Extensions   []extension                   `json:"extensions"`
		Signature    string                        `json:"witness_signature"`
		Transactions []*graphene.SignedTransaction `json:"transactions"`
	}
	if err := json.Unmarshal(text, &in); err != nil {
		return nil, err
	}
	block := &graphene.SignedBlock{Transactions: in.Transactions}
	var err error
	if block.Previous, err = graphene.ParseBlockID(in.Previous); err != nil {
		return nil, err
	}
	if _, err := graphene.ParseTime(in.Timestamp); err != nil {
		return nil, err
	}
	block.Timestamp, block.Witness = in.Timestamp, in.Witness
	if err := hexInto(block.MerkleRoot[:], in.MerkleRoot); err != nil {
		return nil, fmt.Errorf("transaction_merkle_root: %w", err)
	}
	if len(in.Extensions) > 1 {
		return nil, errors.New("more than one extension")
	}
	for _, e := range in.Extensions {
		if block.Commitment, err = e.commitment(); err != nil {
			return nil, err
		}
	}
	if block.Signature, err = graphene.ParseSignature(in.Signature); err != nil {
		return nil, err
	}
	for i, tx := range in.Transactions {
		if tx == nil {
			return nil, fmt.Errorf("transaction %d is null", i)
		}
		if err := tx.Validate(); err != nil {
			return nil, fmt.Errorf("transaction %d: %w", i, err)
		}
	}
	return block.Serialize()
}

// extension is the state commitment: {"type":"state_commitment","value":{…}}.
type extension struct {
	Type  string `json:"type"`
	Value struct {
		RefBlock  uint64 `json:"ref_block"`
		StateHash string `json:"state_hash"`
		StateRoot string `json:"state_root"`
	} `json:"value"`
}

func (e extension) commitment() (*graphene.StateCommitment, error) {
	if e.Type != "state_commitment" {
		return nil, fmt.Errorf("unknown extension %q", clip(e.Type))
	}
	c := &graphene.StateCommitment{RefBlock: e.Value.RefBlock}
	return c, errors.Join(hexInto(c.StateHash[:], e.Value.StateHash), hexInto(c.StateRoot[:], e.Value.StateRoot))
}

// hexInto fills dst, exactly.
func hexInto(dst []byte, text string) error {
	if len(text) != 2*len(dst) {
		return fmt.Errorf("%d hex digits, not %d", 2*len(dst), len(text))
	}
	_, err := hex.Decode(dst, []byte(text))
	return err
}
