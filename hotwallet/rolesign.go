package hotwallet

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"causeway/sidechain/graphene"
)

// StateVoteID is the custom_json id by which attestors sign the state.
const StateVoteID = "causeway-state"

// pegsContract is the only contract whose actions an attestor signs.
const pegsContract = "pegs"

// attestorActions are the actions of pegs that belong to attestors. What the
// admin may do, an attestor's key in our hands never signs.
func attestorAction(action string) bool {
	switch action {
	case "mint", "assign", "settle", "cost", "release", "giveBack", "hold":
		return true
	}
	return false
}

// SignHeader implements Signer. The header must extend the last one signed by
// number and id, or be that one again, which gives the same signature. The
// caller stores what it wants signed before it asks: after a crash only the
// same header will be signed at its height.
func (s *LocalSigner) SignHeader(ctx context.Context, header *graphene.Header) (graphene.Signature, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return graphene.Signature{}, err
	}
	key, err := s.roleKey(RoleSequencer, "")
	if err != nil {
		return graphene.Signature{}, err
	}
	raw := header.Serialize()
	again, err := graphene.DecodeHeader(raw)
	if err != nil || again.Timestamp != header.Timestamp {
		return graphene.Signature{}, refuse(ErrMalformed, "header of block %d", header.Number())
	}
	last, err := s.journal.header()
	if err != nil {
		return graphene.Signature{}, err
	}
	if last != nil && last.Number == header.Number() && slices.Equal(last.Header, raw) {
		return graphene.ParseSignature(last.Signature)
	}
	if err := extends(last, header); err != nil {
		return graphene.Signature{}, err
	}
	signed := graphene.SignedHeader{Header: *header, Signature: key.Sign(header.Digest(s.cfg.BaseChainID))}
	return signed.Signature, s.journal.recordHeader(journalled(&signed))
}

// extends says whether a header follows the last one signed. A signer that
// never signed any begins with block 1.
func extends(last *signedHeader, header *graphene.Header) error {
	number, parent := uint64(0), graphene.BlockID{}.String()
	if last != nil {
		number, parent = last.Number, last.ID
	}
	if header.Number() != number+1 || header.Previous.String() != parent {
		return refuse(ErrRollback, "block %d on %s does not extend block %d, %s",
			header.Number(), header.Previous, number, parent)
	}
	return nil
}

func journalled(h *graphene.SignedHeader) signedHeader {
	return signedHeader{
		Number: h.Number(), ID: h.ID().String(), Header: h.Header.Serialize(), Signature: h.Signature.String(),
	}
}

// LastHeader is the last header signed; ok is false when there is none.
func (s *LocalSigner) LastHeader() (h *graphene.SignedHeader, ok bool, err error) {
	last, err := s.journal.header()
	if last == nil || err != nil {
		return nil, false, err
	}
	header, err := graphene.DecodeHeader(last.Header)
	if err != nil {
		return nil, false, fmt.Errorf("signer journal: last header: %w", err)
	}
	sig, err := graphene.ParseSignature(last.Signature)
	if err != nil {
		return nil, false, fmt.Errorf("signer journal: last header: %w", err)
	}
	return &graphene.SignedHeader{Header: *header, Signature: sig}, true, nil
}

// AdoptHeader moves the journal forward to a header that our own key signed:
// the head of base.db, after signer.db was lost or came from a backup. Only an
// operator may decide on it, since a journal that is behind cannot know what
// else was signed. It never goes back.
func (s *LocalSigner) AdoptHeader(h *graphene.SignedHeader) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, err := s.roleKey(RoleSequencer, "")
	if err != nil {
		return err
	}
	signer, err := h.SigningKey(s.cfg.BaseChainID)
	if err != nil || signer != key.Public() {
		return refuse(ErrNotOurs, "block %d was not signed by our key", h.Number())
	}
	last, err := s.journal.header()
	if err != nil {
		return err
	}
	if last != nil && h.Number() <= last.Number {
		return refuse(ErrRollback, "block %d is not above block %d", h.Number(), last.Number)
	}
	return s.journal.recordHeader(journalled(h))
}

// SignOperations implements Signer.
func (s *LocalSigner) SignOperations(ctx context.Context, account string, tx *graphene.Transaction) (*graphene.SignedTransaction, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	key, err := s.roleKey(RoleAttestor, account)
	if err != nil {
		return nil, err
	}
	if len(tx.Operations) == 0 {
		return nil, refuse(ErrForbidden, "no operations")
	}
	for i, op := range tx.Operations {
		custom, ok := op.(*graphene.CustomJSON)
		if !ok {
			return nil, refuse(ErrForbidden, "operation %d is %s", i, op.Name())
		}
		if err := s.checkAttestation(account, custom); err != nil {
			return nil, err
		}
	}
	return tx.Sign(s.cfg.BaseChainID, key)
}

// checkAttestation allows what an attestor says: actions of pegs of his kind,
// and votes on the state; under his active authority alone.
func (s *LocalSigner) checkAttestation(account string, op *graphene.CustomJSON) error {
	if !slices.Equal(op.RequiredAuths, []string{account}) || len(op.RequiredPostingAuths) != 0 {
		return refuse(ErrForbidden, "authorities %q and %q, key of %q", op.RequiredAuths, op.RequiredPostingAuths, account)
	}
	switch op.ID {
	case s.cfg.ContractID:
		return checkActions([]byte(op.JSON))
	case StateVoteID:
		var vote map[string]json.RawMessage
		if err := json.Unmarshal([]byte(op.JSON), &vote); err != nil || vote == nil {
			return refuse(ErrForbidden, "state vote is no JSON object")
		}
		return nil
	}
	return refuse(ErrForbidden, "custom_json %q", op.ID)
}

// checkActions reads one action or an array of them. Members are looked up by
// their exact names, and no others may be there, so that nothing is understood
// here in another way than by the engine.
func checkActions(text []byte) error {
	var list []map[string]json.RawMessage
	if err := json.Unmarshal(text, &list); err != nil {
		var one map[string]json.RawMessage
		if err := json.Unmarshal(text, &one); err != nil {
			return refuse(ErrForbidden, "neither an action nor an array of actions")
		}
		list = append(list[:0], one)
	}
	if len(list) == 0 {
		return refuse(ErrForbidden, "no action")
	}
	for _, action := range list {
		var contract, name string
		var payload map[string]json.RawMessage
		if len(action) != 3 ||
			json.Unmarshal(action["contractName"], &contract) != nil ||
			json.Unmarshal(action["contractAction"], &name) != nil ||
			json.Unmarshal(action["contractPayload"], &payload) != nil || payload == nil {
			return refuse(ErrForbidden, "not an action of a contract")
		}
		if contract != pegsContract || !attestorAction(name) {
			return refuse(ErrForbidden, "action %s.%s", contract, name)
		}
	}
	return nil
}
