package hotwallet

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"causeway/chains"
	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
)

// The actions of pegs by which attestors give a payout up.
const (
	actionRelease  = "release"
	actionGiveBack = "giveBack"
)

// FinalTransaction says what a transaction does that stands in a block of that hash
// and height which is final in the eyes of the signer's own nodes; an error
// otherwise. See Finality.
type FinalTransaction func(ctx context.Context, chain chains.ID, block chains.BlockRef, txid string) (FinalTx, error)

// FinalTx is what a final transaction does.
type FinalTx struct {
	// Spends are its inputs, as spends of an assign row name them.
	Spends []string
	// Failed and Payment are of a chain of accounts: that it moved nothing but its
	// gas, and what it asks for, as accountPayment writes it.
	Failed  bool
	Payment string
}

// chainFacts is what nodes said of transactions while one request was looked at.
type chainFacts struct {
	final FinalTransaction
	known map[string]FinalTx
}

func (s *LocalSigner) noFacts() chainFacts {
	return chainFacts{final: s.cfg.Final, known: map[string]FinalTx{}}
}

func factKey(chain chains.ID, block chains.BlockRef, txid string) string {
	return fmt.Sprintf("%s %d %s %s", chain, block.Height, block.Hash, txid)
}

// ask is a FinalTransaction that asks the nodes and keeps what they say.
func (f chainFacts) ask(ctx context.Context, chain chains.ID, block chains.BlockRef, txid string) (FinalTx, error) {
	tx, err := f.final(ctx, chain, block, txid)
	if err == nil {
		f.known[factKey(chain, block, txid)] = tx
	}
	return tx, err
}

// asked is a FinalTransaction that repeats what ask was told.
func (f chainFacts) asked(_ context.Context, chain chains.ID, block chains.BlockRef, txid string) (FinalTx, error) {
	tx, ok := f.known[factKey(chain, block, txid)]
	if !ok {
		return FinalTx{}, fmt.Errorf("the nodes were not asked about %s", txid)
	}
	return tx, nil
}

// givingUp is one action that gives something up.
type givingUp struct{ action, id string }

// givingUp lists what an operation gives up, if all of it may be. The text is
// read as the engine reads it; checkActions has passed it.
func (s *LocalSigner) givingUp(ctx context.Context, op *graphene.CustomJSON, final FinalTransaction) (list []givingUp, err error) {
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
		if name == actionRelease {
			proof, _ := payload.String("proof")
			err = s.mayRelease(ctx, id, proof, final)
		} else {
			err = s.mayGiveBack(id)
		}
		if err != nil {
			return nil, err
		}
		list = append(list, givingUp{name, id})
	}
	return list, nil
}

// mayGiveBack refuses to return what was signed for, unless we have released it.
// The contract returns nothing that is assigned and not released.
func (s *LocalSigner) mayGiveBack(id string) error {
	signed, err := s.journal.holds(id)
	if err != nil || signed == nil {
		return err
	}
	m, err := s.journal.markOf(id)
	if err != nil || m.Released {
		return err
	}
	return refuse(ErrNotDead, "give back %s: batch %s pays it", id, signed.Batch)
}

// deathForm is how a proof of death ends: the transaction that was mined instead,
// and where (pegs.State.Dead).
var deathForm = regexp.MustCompile(`((?:0x)?[0-9a-f]{64})(?: was mined instead| with status 0)? in block (0|[1-9][0-9]{0,9}) ((?:0x)?[0-9a-f]{64})$`)

// mayRelease refuses to call a payout dead that is not: a transaction must be
// final, in the eyes of our own nodes, that takes an input of it, or makes it
// impossible that an input of it ever comes to be. What the inputs are is known
// from what was signed, or from an assign row that was shown (Observe): a journal
// from a backup may not know what was signed.
func (s *LocalSigner) mayRelease(ctx context.Context, id, proof string, final FinalTransaction) error {
	p, err := s.journal.promiseOf(id)
	if err != nil {
		return err
	}
	_, err = s.mustBeDead(ctx, p, proof, final)
	var unknown *notKnown
	var not *Refusal
	switch {
	case errors.As(err, &unknown):
		return refuse(ErrNotDead, "release %s: %v", id, unknown.cause)
	case errors.As(err, &not):
		return refuse(not.Rule, "release %s: %s", id, not.Detail)
	}
	return err
}

// notKnown is what our own nodes do not say, or not yet.
type notKnown struct{ cause error }

func (e *notKnown) Error() string { return "not known to be final: " + e.cause.Error() }

// mustBeDead holds a proof that a promise can never be kept against what our own
// nodes say: ErrNotDead when it is none, notKnown when they do not tell. spends are
// those of the transaction that the proof names, sorted.
func (s *LocalSigner) mustBeDead(ctx context.Context, p *promise, proof string, final FinalTransaction) (spends []string, err error) {
	found := deathForm.FindStringSubmatch(proof)
	switch {
	case p == nil:
		return nil, refuse(ErrNotDead, "its inputs are not known here")
	case found == nil:
		return nil, refuse(ErrNotDead, "the proof names no transaction and block")
	case s.cfg.Final == nil:
		return nil, refuse(ErrNotDead, "this signer asks no node")
	}
	block := chains.BlockRef{Height: uintOf(found[2]), Hash: found[3]}
	tx, err := final(ctx, p.Chain, block, found[1])
	if err != nil {
		return nil, &notKnown{err}
	}
	spends = slices.Sorted(slices.Values(tx.Spends))
	if slices.Equal(spends, p.Spends) && !p.deadBy(tx) {
		return nil, refuse(ErrNotDead, "%s is its payout", found[1])
	}
	d := death{journal: s.journal, chain: p.Chain, txid: found[1], spends: spends}
	dead, err := d.of(p.Spends, maxGenerations)
	if err == nil && !dead {
		err = refuse(ErrNotDead, "%s takes nothing that it needs", found[1])
	}
	return spends, err
}

// mayTake refuses outpoints that are promised to a batch which may still be mined,
// or that its death itself has used up: a nonce of a chain of accounts always is.
func (s *LocalSigner) mayTake(ctx context.Context, r *SignRequest, held []claim, final FinalTransaction) error {
	spent := map[string][]string{} // by batch, what its death has spent
	for _, h := range held {
		if spent[h.batch] == nil {
			i := slices.IndexFunc(r.Deaths, func(d Death) bool { return d.Batch == h.batch })
			if i < 0 {
				return refuse(ErrPromised, "%s is an input of batch %s", h.spend, h.batch)
			}
			p, err := s.journal.promiseOf(h.batch)
			if err == nil {
				spent[h.batch], err = s.mustBeDead(ctx, p, r.Deaths[i].Proof, final)
			}
			if errors.Is(err, ErrNotDead) {
				return refuse(ErrPromised, "%s is an input of batch %s: %v", h.spend, h.batch, err)
			}
			if err != nil {
				return fmt.Errorf("%s was an input of batch %s: %w", h.spend, h.batch, err)
			}
		}
		if slices.Contains(spent[h.batch], h.spend) {
			return refuse(ErrPromised, "%s is spent since batch %s is dead", h.spend, h.batch)
		}
	}
	return nil
}

// askDeaths asks the nodes about the deaths that a request rests on. What they do
// not say is missing when it is wanted.
func (s *LocalSigner) askDeaths(ctx context.Context, r *SignRequest) FinalTransaction {
	facts := s.noFacts()
	for _, d := range r.Deaths {
		if p, err := s.journal.promiseOf(d.Batch); err == nil {
			_, _ = s.mustBeDead(ctx, p, d.Proof, facts.ask)
		}
	}
	return facts.asked
}

// uintOf reads digits that a form has passed.
func uintOf(text string) (n uint64) {
	for _, c := range text {
		n = 10*n + uint64(c-'0')
	}
	return n
}

// maxGenerations bounds how far back the makers of inputs are followed: longer
// chains of unconfirmed transactions are not made.
const maxGenerations = 30

// death is a final transaction, and what it makes impossible.
type death struct {
	journal *journal
	chain   chains.ID
	txid    string
	spends  []string // sorted
}

// of says whether a transaction that needs these outpoints can never be mined.
func (d *death) of(needs []string, generations int) (bool, error) {
	for _, spend := range needs {
		if _, taken := slices.BinarySearch(d.spends, spend); taken {
			return true, nil
		}
	}
	for _, spend := range needs {
		txid, _, _ := strings.Cut(spend, ":")
		if generations == 0 || txid == d.txid {
			continue
		}
		needs, err := d.journal.needs(d.chain, txid)
		if err != nil {
			return false, err
		}
		if dead, err := d.of(needs, generations-1); dead || err != nil {
			return dead, err
		}
	}
	return false, nil
}

// Observe shows the signer rows without asking for a signature, so that it knows
// what a batch was assigned, and what transactions of others were to spend that it
// needs. Errors are those of Sign.
func (s *LocalSigner) Observe(ctx context.Context, r SignRequest) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, err := s.shown(&r); err != nil {
		return err
	}
	if err := s.journal.learn(s.coins[r.Assign.Chain], r.Perished); err != nil {
		return err
	}
	payments := ""
	if rules, ok := s.cfg.Accounts[r.Assign.Chain]; ok {
		payments = rules.payments(&r)
	}
	return s.journal.markAssigned(&r, payments)
}
