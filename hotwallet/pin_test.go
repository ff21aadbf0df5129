package hotwallet

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"causeway/sidechain/graphene"

	"go.etcd.io/bbolt"
)

// TestPin: a journal takes the word of one sequencer for ever.
func TestPin(t *testing.T) {
	b := newBench(t)
	_, r := b.payout("batch-1", 50_000)
	b.prove(&r)
	_ = b.signer.Close()
	other := b.config()
	other.Sequencer = testRole(t, RoleSequencer, "another").Public
	if _, err := OpenSigner(other); !errors.Is(err, ErrForeignJournal) {
		t.Errorf("another sequencer: %v", err)
	}
	other.Sequencer = graphene.PublicKey{}
	if _, err := OpenSigner(other); err == nil {
		t.Error("a signer that trusts the zero key")
	}
	b.signer = nil
	b.open(nil)
	b.sign(r)
}

// TestJournalOfVersionOne: the format of before proofs is taken over, with what
// it promised, and then belongs to its sequencer; a newer one is refused.
func TestJournalOfVersionOne(t *testing.T) {
	b := newBench(t)
	_ = b.signer.Close()
	path := filepath.Join(b.dir, "signer.db")
	copyFile(t, "testdata/signer-1.db", path)
	b.signer = nil
	b.open(nil)
	if err := b.signer.journal.verify(); err != nil {
		t.Error(err)
	}
	if n, err := b.signer.Counter(); n != 2 || err != nil {
		t.Errorf("counter %d (%v)", n, err)
	}
	list, err := b.signer.Variants("batch-1")
	if err != nil || len(list) != 1 {
		t.Fatalf("variants %v (%v)", list, err)
	}
	_, r := b.payout("batch-1", 50_000, 60_000)
	if again := b.sign(r); again.TxID != list[0].TxID || again.Counter != list[0].Counter {
		t.Errorf("the same request gives %s, it was %s", again.TxID, list[0].TxID)
	}
	_, fresh := b.payout("batch-2", 70_000)
	b.sign(fresh)
	_ = b.signer.Close()
	other := b.config()
	other.Sequencer = testRole(t, RoleSequencer, "another").Public
	if _, err := OpenSigner(other); !errors.Is(err, ErrForeignJournal) {
		t.Errorf("another sequencer: %v", err)
	}
	b.signer = nil
	b.open(nil)
	err = b.signer.journal.db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketMeta).Put(keyFormat, []byte("causeway-signer/3"))
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = b.signer.Close()
	if _, err := OpenSigner(b.config()); err == nil || !strings.Contains(err.Error(), "causeway-signer/3") {
		t.Errorf("a newer format: %v", err)
	}
}

// giveUp is a transaction of one action of pegs.
func giveUp(action, id string, seconds uint32) *graphene.Transaction {
	field := map[string]string{actionRelease: "proof", actionGiveBack: "reason"}[action]
	tx := operations(`[{"contractName":"pegs","contractAction":"` + action + `","contractPayload":{"id":"` + id + `","` + field + `":"because"}}]`)
	tx.Expiration = graphene.FormatTime(seconds)
	return tx
}

// TestGivingUp: nothing is given up that was signed for, nothing is released that
// was not shown to be dead, and what was given up is not paid.
func TestGivingUp(t *testing.T) {
	b := newBench(t)
	ctx := context.Background()
	refused := func(what, action, id string, rule ErrorKind) {
		t.Helper()
		if tx, err := b.signer.SignOperations(ctx, "gateway", giveUp(action, id, 1_800_000_000)); !errors.Is(err, rule) || tx != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	accepted := func(what, action, id string, seconds uint32) {
		t.Helper()
		if _, err := b.signer.SignOperations(ctx, "gateway", giveUp(action, id, seconds)); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, paid := b.payout("batch-1", 50_000, 60_000)
	b.sign(paid)
	refused("give back what is paid", actionGiveBack, "batch-1-w1", ErrNotDead)
	refused("release what is paid", actionRelease, "batch-1-w0", ErrNotDead)
	refused("release the batch", actionRelease, "batch-1", ErrNotDead)
	refused("release something else", actionRelease, "batch-2-w0", ErrNotDead)
	refused("no id", actionGiveBack, "", ErrForbidden)
	b.open(nil)
	refused("after a restart", actionGiveBack, "batch-1-w1", ErrNotDead)

	// Given back, unless it was assigned before: only once the operation can
	// have no effect any more is it known which of the two came first.
	_, r := b.payout("batch-2", 50_000)
	b.block = 100
	until := uint32(1_800_000_000 + 3*200)
	accepted("give back", actionGiveBack, "batch-2-w0", until)
	accepted("give back again, shorter", actionGiveBack, "batch-2-w0", until-300)
	b.open(nil)
	early := r
	b.prove(&early)
	if _, err := b.signer.Sign(ctx, early); !errors.Is(err, ErrStale) || errors.Is(err, ErrRefused) {
		t.Errorf("paid while it may be given back: %v", err)
	}
	b.block = 199
	b.sign(r)
	refused("give back after that", actionGiveBack, "batch-2-w0", ErrNotDead)
}
