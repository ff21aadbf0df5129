package hotwallet

import (
	"context"
	"encoding/json"
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

// SignOperations implements Signer. What gives a payout up is remembered before
// it is signed: nothing is signed for that payout after it.
func (s *LocalSigner) SignOperations(ctx context.Context, account string, tx *graphene.Transaction) (*graphene.SignedTransaction, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	key, err := s.roleKey(RoleAttestor, account)
	if err != nil {
		return nil, err
	}
	// Nodes are asked before the signer is held: one that does not answer keeps
	// neither base blocks nor the payouts of other chains from their signatures.
	facts := s.noFacts()
	if _, err := s.checkOperations(ctx, account, tx, facts.ask); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	given, err := s.checkOperations(ctx, account, tx, facts.asked)
	if err != nil {
		return nil, err
	}
	signed, err := tx.Sign(s.cfg.BaseChainID, key)
	if err != nil {
		return nil, err
	}
	expiration, err := graphene.ParseTime(tx.Expiration)
	if err != nil {
		return nil, err
	}
	if err := s.journal.markGivenUp(given, expiration); err != nil {
		return nil, err
	}
	return signed, nil
}

// checkOperations says what a transaction gives up, when all of it may be signed.
func (s *LocalSigner) checkOperations(ctx context.Context, account string, tx *graphene.Transaction, final FinalTransaction) (given []givingUp, err error) {
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
		list, err := s.givingUp(ctx, custom, final)
		if err != nil {
			return nil, err
		}
		given = append(given, list...)
	}
	return given, nil
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
