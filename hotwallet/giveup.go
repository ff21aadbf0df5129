package hotwallet

import (
	"context"

	"causeway/chains"
	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
)

// The actions of pegs by which attestors give a payout up.
const (
	actionRelease  = "release"
	actionGiveBack = "giveBack"
)

// Release is what an attestor wants to say of a payout: that it is dead
// (release), or that the tokens go back although something was signed for it
// (giveBack).
type Release struct {
	Action string // of pegs
	ID     string // of a withdrawal, or of a batch without any
	Proof  string // as the operation gives it
	// Batch, Chain and Spends are of the transactions that this signer signed
	// for it; Batch is empty when there are none.
	Batch  string
	Chain  chains.ID
	Spends []string // "txid:vout"
}

// givingUp is one action that gives something up.
type givingUp struct{ action, id string }

// givingUp lists what an operation gives up, if all of it may be. The text is
// read as the engine reads it; checkActions has passed it.
func (s *LocalSigner) givingUp(ctx context.Context, op *graphene.CustomJSON) (list []givingUp, err error) {
	if op.ID != s.cfg.ContractID {
		return nil, nil
	}
	value, err := jsvalue.Parse(op.JSON)
	if err != nil {
		return nil, refuse(ErrForbidden, "%v", err)
	}
	actions, ok := value.([]jsvalue.Value)
	if !ok {
		actions = []jsvalue.Value{value}
	}
	for _, value := range actions {
		action, ok := value.(*jsvalue.Object)
		if !ok {
			return nil, refuse(ErrForbidden, "not an action of a contract")
		}
		name, _ := action.String("contractAction")
		if name != actionRelease && name != actionGiveBack {
			continue
		}
		payload, _ := action.Object("contractPayload")
		id, ok := payload.String("id")
		if !ok || id == "" {
			return nil, refuse(ErrForbidden, "%s without an id", name)
		}
		if err := s.mayGiveUp(ctx, name, id, payload); err != nil {
			return nil, err
		}
		list = append(list, givingUp{name, id})
	}
	return list, nil
}

// mayGiveUp refuses to give up what may still be paid. A journal from a backup
// may not know what was signed; so nothing is released without a judge, signed
// for or not: a withdrawal that was assigned once is only ever given back after
// a release.
func (s *LocalSigner) mayGiveUp(ctx context.Context, action, id string, payload *jsvalue.Object) error {
	signed, err := s.journal.holds(id)
	if err != nil {
		return err
	}
	if action == actionGiveBack && signed == nil {
		return nil
	}
	if s.cfg.Dead == nil {
		return refuse(ErrNotDead, "%s of %s: nobody here can tell", action, id)
	}
	r := Release{Action: action, ID: id}
	if r.Proof, _ = payload.String("proof"); action == actionGiveBack {
		r.Proof, _ = payload.String("reason")
	}
	if signed != nil {
		r.Batch, r.Chain, r.Spends = signed.Batch, signed.Chain, signed.Spends
	}
	if err := s.cfg.Dead(ctx, r); err != nil {
		return refuse(ErrNotDead, "%s of %s: %v", action, id, err)
	}
	return nil
}
