package wallettest

import (
	"fmt"

	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// The tables that a Sidechain has. Those of eve belong to another contract.
const (
	Assigns        = "pegs_assigns"
	Withdrawals    = "pegs_withdrawals"
	EveAssigns     = "eve_assigns"
	EveWithdrawals = "eve_withdrawals"
)

// Sidechain is a state with the tables of pegs and some rows in them.
type Sidechain struct{ db *state.DB }

// New makes a state in memory.
func New() (*Sidechain, error) {
	db, err := state.Open("")
	if err != nil {
		return nil, err
	}
	for _, def := range []state.TableDef{
		{Name: Assigns, PrimaryKey: []string{"batch"}}, {Name: EveAssigns, PrimaryKey: []string{"batch"}},
		{Name: Withdrawals, PrimaryKey: []string{"id"}}, {Name: EveWithdrawals, PrimaryKey: []string{"id"}},
	} {
		db.Tables().CreateTable(def)
	}
	s := &Sidechain{db: db}
	for i := range 5 {
		s.Insert(Withdrawals, Withdrawal(fmt.Sprintf("other-%d", i), "SWAP.BTC", "btc", "nowhere", "1", "requested", ""))
	}
	return s, nil
}

// Insert writes a row, or replaces the one with its key.
func (s *Sidechain) Insert(table string, row *jsvalue.Object) {
	t := s.db.Tables().Table(table)
	key := t.Def().PrimaryKey[0]
	if old := t.Get(jsvalue.NewObject(key, row.Get(key))); old != nil {
		t.Remove(old)
	}
	t.Insert(row)
}

// Assign is a row of pegs.assigns.
func Assign(batch, chain, kind string, ids, spends []string, status string) *jsvalue.Object {
	return jsvalue.NewObject("batch", batch, "row", 1, "chain", chain, "kind", kind, "ids", ids, "spends", spends,
		"state", status, "block", 7, "closed", nil, "txid", nil, "cost", nil, "reason", nil)
}

// Withdrawal is a row of pegs.withdrawals; without a batch that is null.
func Withdrawal(id, symbol, chain, address, net, status, batch string) *jsvalue.Object {
	row := jsvalue.NewObject("id", id, "row", 1, "symbol", symbol, "chain", chain, "account", "alice", "address", address,
		"net", net, "state", status, "batch", nil)
	if batch != "" {
		row.Set("batch", batch)
	}
	return row
}

// Root is the state root.
func (s *Sidechain) Root() [32]byte { return s.db.Root() }

// Prove gives a row as JSON text and its path; of a row that is not there, no
// text and the proof of its absence.
func (s *Sidechain) Prove(table, key string) (row []byte, path state.Proof, err error) {
	s.db.Root()
	t := s.db.Tables().Table(table)
	id := jsvalue.NewObject(t.Def().PrimaryKey[0], key)
	if path, err = s.db.Tables().Prove(table, id); err != nil {
		return nil, path, err
	}
	if found := t.Get(id); found != nil {
		row = jsvalue.AppendJSON(nil, found)
	}
	return row, path, nil
}

// Header is the signed header of the base block after block, which commits to a
// state root; base blocks are three seconds apart.
func Header(block uint64, root [32]byte, key graphene.PrivateKey, baseChainID [32]byte) []byte {
	return Sign(&graphene.Header{
		Previous:  graphene.BlockID{byte(block >> 24), byte(block >> 16), byte(block >> 8), byte(block)},
		Timestamp: graphene.FormatTime(Genesis + 3*uint32(block)), Witness: "sequencer",
		Commitment: &graphene.StateCommitment{RefBlock: block, StateRoot: root},
	}, key, baseChainID)
}

// Genesis is the time before block 1, seconds since 1970.
const Genesis = 1_800_000_000

// Sign signs a header and gives both in binary form.
func Sign(h *graphene.Header, key graphene.PrivateKey, baseChainID [32]byte) []byte {
	signature := key.Sign(h.Digest(baseChainID))
	return append(h.Serialize(), signature[:]...)
}
