package hotwallet

import (
	"bytes"
	"fmt"
	"slices"

	"causeway/chains"
	"causeway/internal/failpoint"
	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// The tables of the contract pegs that the signer reads, by their full names,
// and the section of the state root that they stand in.
const (
	assignsTable     = pegsContract + "_assigns"
	withdrawalsTable = pegsContract + "_withdrawals"
	tablesSection    = "tables"
)

// maxProofAge is how many base blocks a proof may be older than the newest one
// that the signer knows of: about five minutes at three seconds a block. Whoever
// asks can always make a newer one.
const maxProofAge = 100

// RowProof is a row of the sidechain with its path to the state root.
type RowProof struct {
	Row  []byte      `json:"row"`  // JSON text, as jsvalue.AppendJSON writes it
	Path state.Proof `json:"path"` // state.VerifyProof
}

// StateProof shows rows in a state that the sequencer committed to: the signed
// header of a base block carries the state root (design, "Block commitment")
// that the paths lead to.
type StateProof struct {
	// Header is a base block's header with its signature, as at the beginning
	// of the stored block.
	Header []byte   `json:"header"`
	Assign RowProof `json:"assign"`
	// Withdrawals are in the order of SignRequest.Withdrawals.
	Withdrawals []RowProof `json:"withdrawals"`
}

// evidence is what a proof that holds is about.
type evidence struct {
	block uint64 // the executed base block whose state it is
	time  uint32 // of the header, seconds since 1970
}

// verify checks that the sequencer's key signed the header on this network, and
// that the state it commits to has exactly the rows of the request.
func (p *StateProof) verify(r *SignRequest, sequencer graphene.PublicKey, baseChainID [32]byte) (evidence, error) {
	header, err := graphene.DecodeSignedHeader(p.Header)
	if err != nil || !bytes.Equal(append(header.Serialize(), header.Signature[:]...), p.Header) {
		return evidence{}, refuse(ErrUnproven, "%d bytes are no signed block header", len(p.Header))
	}
	key, err := header.SigningKey(baseChainID)
	if err != nil || key != sequencer {
		return evidence{}, refuse(ErrUnproven, "block %d was not signed by the sequencer of this network", header.Number())
	}
	c := header.Commitment
	if c == nil || c.RefBlock >= header.Number() {
		return evidence{}, refuse(ErrUnproven, "the header of block %d commits to no state", header.Number())
	}
	if err := p.verifyRows(r, c.StateRoot); err != nil {
		return evidence{}, err
	}
	seconds, err := graphene.ParseTime(header.Timestamp)
	if err != nil {
		return evidence{}, refuse(ErrUnproven, "block %d: %v", header.Number(), err)
	}
	return evidence{block: c.RefBlock, time: seconds}, nil
}

func (p *StateProof) verifyRows(r *SignRequest, root [32]byte) error {
	row, err := p.Assign.verify(root, assignsTable, "batch", r.Assign.Batch)
	if err != nil {
		return err
	}
	if shown, ok := assignOf(row); !ok || !shown.equal(&r.Assign) {
		return refuse(ErrUnproven, "the row of batch %s says otherwise than the request", r.Assign.Batch)
	}
	if len(p.Withdrawals) != len(r.Withdrawals) {
		return refuse(ErrUnproven, "%d proofs for %d withdrawals", len(p.Withdrawals), len(r.Withdrawals))
	}
	for i := range r.Withdrawals {
		w := &r.Withdrawals[i]
		row, err := p.Withdrawals[i].verify(root, withdrawalsTable, "id", w.ID)
		if err != nil {
			return err
		}
		if shown, ok := withdrawalOf(row); !ok || shown != *w {
			return refuse(ErrUnproven, "the row of withdrawal %s says otherwise than the request", w.ID)
		}
	}
	return nil
}

// verify gives the row that the table has under the key, once the path leads
// from it to the root. The row is the one that is hashed, not the text.
func (p *RowProof) verify(root [32]byte, table, field, key string) (*jsvalue.Object, error) {
	if p.Path.Section != tablesSection {
		return nil, refuse(ErrUnproven, "%s %q: proof of section %q", table, key, p.Path.Section)
	}
	value, err := jsvalue.Parse(string(p.Row))
	row, ok := value.(*jsvalue.Object)
	if err != nil || !ok {
		return nil, refuse(ErrUnproven, "%s %q: no row", table, key)
	}
	if err := state.VerifyProof(root, table, jsvalue.NewObject(field, key), row, p.Path); err != nil {
		return nil, refuse(ErrUnproven, "%s %q: %v", table, key, err)
	}
	return row, nil
}

// assignOf reads a row of pegs.assigns; every member must be of its type.
func assignOf(row *jsvalue.Object) (a Assign, ok bool) {
	m := members{row: row, ok: true}
	a = Assign{
		Batch: m.text("batch"), Chain: chains.ID(m.text("chain")), Kind: Kind(m.text("kind")),
		IDs: m.texts("ids"), Spends: m.texts("spends"), State: m.text("state"),
	}
	return a, m.ok
}

func (a *Assign) equal(b *Assign) bool {
	return a.Batch == b.Batch && a.Chain == b.Chain && a.Kind == b.Kind && a.State == b.State &&
		slices.Equal(a.IDs, b.IDs) && slices.Equal(a.Spends, b.Spends)
}

// withdrawalOf reads a row of pegs.withdrawals. Before it is assigned its batch
// is null.
func withdrawalOf(row *jsvalue.Object) (w Withdrawal, ok bool) {
	m := members{row: row, ok: true}
	w = Withdrawal{
		ID: m.text("id"), Symbol: m.text("symbol"), Chain: chains.ID(m.text("chain")), Address: m.text("address"), Net: m.text("net"), State: m.text("state"),
	}
	if row.Get("batch") != nil {
		w.Batch = m.text("batch")
	}
	return w, m.ok
}

// members reads a row; ok is false once one is not of the wanted type.
type members struct {
	row *jsvalue.Object
	ok  bool
}

func (m *members) text(name string) string {
	text, ok := m.row.String(name)
	m.ok = m.ok && ok
	return text
}

func (m *members) texts(name string) []string {
	values, ok := m.row.Array(name)
	m.ok = m.ok && ok
	var list []string
	for _, v := range values {
		text, ok := v.(string)
		m.ok = m.ok && ok
		list = append(list, text)
	}
	return list
}

// prove is shown, and refuses what was seen to be over or given up by our own
// attestors.
func (s *LocalSigner) prove(r *SignRequest) (evidence, error) {
	if failpoint.Off(failpoint.AssignBeforeSign) {
		return evidence{}, nil
	}
	e, err := s.shown(r)
	if err != nil {
		return e, err
	}
	return e, s.checkMarks(r, e)
}

// shown checks the proof of a request, and that it is not of too old a state. It
// remembers what is over.
func (s *LocalSigner) shown(r *SignRequest) (evidence, error) {
	e, err := r.Proof.verify(r, s.cfg.Sequencer, s.cfg.BaseChainID)
	if err != nil {
		return e, err
	}
	seen, err := s.journal.seen()
	if err != nil {
		return e, err
	}
	if e.block+maxProofAge < seen {
		return e, fmt.Errorf("%w: of block %d, block %d is known", ErrStale, e.block, seen)
	}
	return e, s.journal.markEnded(r, e.block)
}

func (s *LocalSigner) checkMarks(r *SignRequest, e evidence) error {
	subjects := []string{r.Assign.Batch}
	for _, w := range r.Withdrawals {
		subjects = append(subjects, w.ID)
	}
	for _, id := range subjects {
		m, err := s.journal.markOf(id)
		switch {
		case err != nil:
			return err
		case m.Ended != "":
			return refuse(ErrNotAssigned, "%s was %s at base block %d", id, m.Ended, m.Block)
		case m.Released:
			return refuse(ErrGivenUp, "%s was released with our signature", id)
		case e.time < m.ReturnUntil:
			return fmt.Errorf("%w: until %s an operation that gives back the tokens of %s may still take effect",
				ErrStale, graphene.FormatTime(m.ReturnUntil), id)
		}
	}
	return nil
}
