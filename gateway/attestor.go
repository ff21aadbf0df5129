package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"causeway/hotwallet"
	"causeway/sidechain/base"
	"causeway/sidechain/base/solo"
	"causeway/sidechain/graphene"
)

// BaseLayer is what the gateway needs of the base layer: *solo.Sequencer is one.
type BaseLayer interface {
	Properties() solo.Properties
	Block(number uint64) (*base.Block, bool, error)
	Broadcast(ctx context.Context, tx *graphene.SignedTransaction) error
}

// OperationSigner is the part of hotwallet.Signer that signs an attestor's
// operations.
type OperationSigner interface {
	SignOperations(ctx context.Context, account string, tx *graphene.Transaction) (*graphene.SignedTransaction, error)
}

// Attestor is a Submitter: it wraps actions of pegs into a custom_json under the
// attestor's active authority.
type Attestor struct {
	layer      BaseLayer
	signer     OperationSigner
	account    string
	contractID string // "ssc-" + chain id
}

// lifetime is how long a submitted operation can still be included.
const lifetime = 2 * time.Minute

// NewAttestor makes the submitter of an attestor's account on the sidechain
// network chainID.
func NewAttestor(layer BaseLayer, signer OperationSigner, account, chainID string) *Attestor {
	return &Attestor{layer: layer, signer: signer, account: account, contractID: "ssc-" + chainID}
}

// Submit implements Submitter.
func (a *Attestor) Submit(ctx context.Context, actions []Action) ([]string, error) {
	type call struct {
		Contract string          `json:"contractName"`
		Action   string          `json:"contractAction"`
		Payload  json.RawMessage `json:"contractPayload"`
	}
	calls := make([]call, len(actions))
	for i, action := range actions {
		calls[i] = call{"pegs", action.Name, action.Payload}
	}
	text, err := json.Marshal(calls)
	if err != nil {
		return nil, err
	}
	id, err := a.send(ctx, a.contractID, string(text))
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(actions))
	for i := range ids {
		ids[i] = id
		if len(ids) > 1 {
			ids[i] += "-" + strconv.Itoa(i)
		}
	}
	return ids, nil
}

// SignState implements Submitter. Whoever has no attestor's key has nothing to
// say.
func (a *Attestor) SignState(ctx context.Context, block uint64, stateHash string) error {
	if a.account == "" {
		return nil
	}
	text, err := json.Marshal(struct {
		Block     uint64 `json:"block"`
		StateHash string `json:"stateHash"`
	}{block, stateHash})
	if err != nil {
		return err
	}
	_, err = a.send(ctx, hotwallet.StateVoteID, string(text))
	return err
}

// send signs and broadcasts one custom_json and returns the transaction's id.
func (a *Attestor) send(ctx context.Context, id, text string) (string, error) {
	tx, err := a.transaction(id, text)
	if err != nil {
		return "", err
	}
	signed, err := a.signer.SignOperations(ctx, a.account, tx)
	if err != nil {
		return "", err
	}
	return signed.ID(), a.layer.Broadcast(ctx, signed)
}

func (a *Attestor) transaction(customID, text string) (*graphene.Transaction, error) {
	head := a.layer.Properties()
	id, err := graphene.ParseBlockID(head.HeadBlockID)
	if err != nil {
		return nil, err
	}
	now, err := graphene.ParseTime(head.Time)
	if err != nil {
		return nil, fmt.Errorf("gateway: time of the base layer: %w", err)
	}
	return &graphene.Transaction{
		RefBlockNum: uint16(head.HeadBlockNumber), RefBlockPrefix: id.RefPrefix(),
		Expiration: graphene.FormatTime(now + uint32(lifetime/time.Second)),
		Operations: []graphene.Operation{&graphene.CustomJSON{
			RequiredAuths: []string{a.account}, RequiredPostingAuths: []string{}, ID: customID, JSON: text,
		}},
	}, nil
}
