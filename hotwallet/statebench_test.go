package hotwallet

import (
	"testing"

	"causeway/hotwallet/wallettest"
)

// prove gives a request without a proof one of a state that has exactly its
// rows, signed by the sequencer of the bench.
func (b *bench) prove(r *SignRequest) {
	b.t.Helper()
	if r.Proof.Header != nil {
		return
	}
	seen, err := b.signer.journal.seen()
	if err == nil { // a closed journal is the signer's to complain of
		b.block = max(b.block, seen)
	}
	b.block++
	side := newSidechain(b.t)
	putRows(side, r)
	r.Proof = proofOf(b.t, side, r)
	r.Proof.Header = b.header(b.block, side.Root())
}

// header is the signed header that commits to a state root.
func (b *bench) header(block uint64, root [32]byte) []byte {
	return wallettest.Header(block, root, testRole(b.t, RoleSequencer, "sequencer").private, b.config().BaseChainID)
}

func newSidechain(t testing.TB) *wallettest.Sidechain {
	t.Helper()
	side, err := wallettest.New()
	if err != nil {
		t.Fatal(err)
	}
	return side
}

// putRows writes the rows of a request; of two withdrawals with one id the first
// counts.
func putRows(side *wallettest.Sidechain, r *SignRequest) {
	a := &r.Assign
	side.Insert(wallettest.Assigns, wallettest.Assign(a.Batch, string(a.Chain), string(a.Kind), a.IDs, a.Spends, a.State))
	for i := range r.Withdrawals {
		w := &r.Withdrawals[len(r.Withdrawals)-1-i]
		side.Insert(wallettest.Withdrawals, wallettest.Withdrawal(w.ID, w.Symbol, string(w.Chain), w.Address, w.Net, w.State, w.Batch))
	}
}

// proofOf shows the rows that a request names, without a header.
func proofOf(t testing.TB, side *wallettest.Sidechain, r *SignRequest) StateProof {
	t.Helper()
	p := StateProof{Assign: rowProof(t, side, wallettest.Assigns, r.Assign.Batch)}
	for _, w := range r.Withdrawals {
		p.Withdrawals = append(p.Withdrawals, rowProof(t, side, wallettest.Withdrawals, w.ID))
	}
	return p
}

func rowProof(t testing.TB, side *wallettest.Sidechain, table, key string) (p RowProof) {
	t.Helper()
	var err error
	if p.Row, p.Path, err = side.Prove(table, key); err != nil {
		t.Fatal(err)
	}
	return p
}
