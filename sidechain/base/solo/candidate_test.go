package solo

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"causeway/sidechain/graphene"
)

// carefulSigner is a signer with a journal of its own, which a crash of the
// sequencer does not touch: one header for each number, and the same signature
// for the same header. die fails instead of answering.
type carefulSigner struct {
	KeySigner
	headers map[uint64][]byte
	die     string // "", "before" or "after" the signature was recorded
}

var errDied = errors.New("the process died")

func (s *carefulSigner) SignHeader(ctx context.Context, header []byte) (graphene.Signature, error) {
	h, err := graphene.DecodeHeader(header)
	if err != nil || s.die == "before" {
		return graphene.Signature{}, errors.Join(err, errDied)
	}
	if known := s.headers[h.Number()]; known != nil && !bytes.Equal(known, header) {
		return graphene.Signature{}, errors.New("another header of a number that was signed")
	}
	s.headers[h.Number()] = bytes.Clone(header)
	if s.die == "after" {
		return graphene.Signature{}, errDied
	}
	return s.KeySigner.SignHeader(ctx, header)
}

func newCareful(t *testing.T) (*network, *carefulSigner) {
	s := &carefulSigner{KeySigner{testKey(t, "sequencer", "signing"), testChain}, map[uint64][]byte{}, ""}
	return newNetwork(t, func(c *Config) { c.Signer = s }), s
}

// TestCrashAroundTheSignature: a process that dies before or after the
// signature makes, when it starts again, the very block that it had begun,
// whatever came meanwhile and whatever the clock says.
func TestCrashAroundTheSignature(t *testing.T) {
	for _, die := range []string{"before", "after"} {
		for _, later := range []time.Duration{0, -time.Hour, 10 * time.Second, 100 * time.Hour} {
			n, signer := newCareful(t)
			n.send(n.tx([]string{"alice/active"}, transfer("alice", "bob", "1.000 HIVE")))
			begun := n.tx([]string{"alice/active"}, transfer("alice", "bob", "2.000 HIVE"))
			if err := n.Broadcast(t.Context(), begun); err != nil {
				t.Fatal(err)
			}
			n.clock = n.clock.Add(3 * time.Second)
			signer.die = die
			if _, err := n.Produce(t.Context()); !errors.Is(err, errDied) {
				t.Fatalf("%s: %v", die, err)
			}
			want, err := n.store.CandidateHeader()
			if err != nil || want == nil {
				t.Fatalf("%s: candidate %v, %v", die, want, err)
			}

			signer.die = ""
			n.restart()
			n.clock = n.clock.Add(later)
			if n.wait() > 0 {
				t.Errorf("%s, clock %v later: the begun block waits", die, later)
			}
			// The client saw no answer and sends again, unless it is too late.
			waiting, err := n.admit(t.Context(), begun)
			if expired := later > time.Minute; (err != nil) != expired {
				t.Fatal(err)
			}
			if err := n.Broadcast(t.Context(), n.tx([]string{"bob/active"}, customJSON("bob"))); err != nil {
				t.Fatal(err)
			}
			if ok, err := n.Produce(t.Context()); !ok || err != nil {
				t.Fatalf("%s, clock %v later: %v, %v", die, later, ok, err)
			}
			b, _, err := n.Block(2)
			if err != nil || b == nil || len(b.Transactions) != 1 || b.Transactions[0].ID != begun.ID() {
				t.Fatalf("%s: block 2 is %+v, %v", die, b, err)
			}
			got, err := graphene.DecodeSignedHeader(b.Raw)
			if err != nil || !bytes.Equal(got.Header.Serialize(), want.Serialize()) {
				t.Errorf("%s: another header than the one begun", die)
			}
			if waiting != nil && (!waiting.gone || waiting.err != nil || waiting.receipt.Block != 2) {
				t.Errorf("%s: the one who sent it again is told %+v, %v", die, waiting.receipt, waiting.err)
			}
			if c, err := n.store.Candidate(); c != nil || err != nil {
				t.Errorf("%s: candidate after the block: %v, %v", die, c, err)
			}
			if balance := n.Balance("bob").String(); balance != "1003.000 HIVE" {
				t.Errorf("%s: bob has %s", die, balance)
			}
			// It says nothing about the clock: what comes next is held against it.
			if _, err := n.Produce(t.Context()); errors.Is(err, ErrGap) != (later > maxGap) {
				t.Errorf("%s, clock %v later: the next block: %v", die, later, err)
			}
		}
	}
}

// TestCrashAtTheFirstBlock: there is no block yet, only a candidate.
func TestCrashAtTheFirstBlock(t *testing.T) {
	n, signer := newCareful(t)
	signer.die = "after"
	for range 3 {
		if _, err := n.Produce(t.Context()); !errors.Is(err, errDied) {
			t.Fatal(err)
		}
		n.restart()
		n.clock = n.clock.Add(time.Second)
	}
	signer.die = ""
	n.produce()
	n.produceAfter(time.Minute)
	if number, _, _ := n.Head(); number != 2 {
		t.Errorf("head %d", number)
	}
}

func (n *network) produceAfter(d time.Duration) {
	n.t.Helper()
	n.clock = n.clock.Add(d)
	n.produce()
}

// TestCandidateStays: the same process asks again for the block whose
// signature it did not get, not for another.
func TestCandidateStays(t *testing.T) {
	n, signer := newCareful(t)
	n.produce()
	tx := n.tx([]string{"alice/active"}, transfer("alice", "bob", "2.000 HIVE"))
	if err := n.Broadcast(t.Context(), tx); err != nil {
		t.Fatal(err)
	}
	n.clock = n.clock.Add(3 * time.Second)
	signer.die = "after"
	if _, err := n.Produce(t.Context()); !errors.Is(err, errDied) {
		t.Fatal(err)
	}
	other := n.tx([]string{"bob/active"}, customJSON("bob"))
	if err := n.Broadcast(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	signer.die = ""
	for i, want := range []string{tx.ID(), other.ID()} {
		b := n.produce()
		if len(b.Transactions) != 1 || b.Transactions[0].ID != want {
			t.Errorf("block %d holds %d transactions, the first %s", i+2, len(b.Transactions), b.Transactions[0].ID)
		}
	}
	if n.pending() != 0 {
		t.Errorf("%d pending", n.pending())
	}
}

// TestCandidateOfAnotherState: what the candidate commits to must be what the
// blocks give, or it is not signed.
func TestCandidateOfAnotherState(t *testing.T) {
	n, signer := newCareful(t)
	n.produce()
	n.clock = n.clock.Add(time.Minute)
	signer.die = "before"
	if _, err := n.Produce(t.Context()); !errors.Is(err, errDied) {
		t.Fatal(err)
	}
	signer.die = ""
	n.restart()
	n.executor.executed.StateHash = strings.Repeat("1", 64)
	if _, err := n.Produce(t.Context()); !errors.Is(err, ErrDiverged) {
		t.Errorf("Produce: %v", err)
	}
	if len(signer.headers) != 1 {
		t.Error("the header was signed")
	}
}

func TestDamagedCandidate(t *testing.T) {
	n, signer := newCareful(t)
	n.produce()
	n.clock = n.clock.Add(time.Minute)
	signer.die = "after"
	if _, err := n.Produce(t.Context()); !errors.Is(err, errDied) {
		t.Fatal(err)
	}
	var record []byte
	if err := n.store.db.View(func(tx *bolt.Tx) error {
		record = bytes.Clone(tx.Bucket(bucketMeta).Get(keyCandidate))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	first, _, err := n.Block(1)
	if err != nil {
		t.Fatal(err)
	}
	altered := func(i int) []byte {
		b := bytes.Clone(record)
		b[i] ^= 1
		return b
	}
	n.store.Close()
	for name, row := range map[string]struct {
		record []byte
		want   error
	}{
		"one bit":          {altered(recordHead + 30), ErrCorrupt},
		"cut":              {record[:len(record)-1], ErrCorrupt},
		"empty":            {[]byte{}, ErrCorrupt},
		"newer":            {altered(0), ErrStoreFormat},
		"of another block": {candidateRecord(first.Raw), ErrCorrupt}, // signed, and not after the head
		"no block":         {candidateRecord([]byte("block")), ErrCorrupt},
	} {
		db, err := bolt.Open(n.path, 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Update(func(tx *bolt.Tx) error { return tx.Bucket(bucketMeta).Put(keyCandidate, row.record) }); err != nil {
			t.Fatal(err)
		}
		db.Close()
		if s, err := OpenStore(n.path, testChain, StoreOptions{}); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", name, err, row.want)
			if err == nil {
				s.Close()
			}
		}
	}
}

// TestProposeOnlyTheNextBlock: one candidate at a time, and only after the
// head.
func TestProposeOnlyTheNextBlock(t *testing.T) {
	n, _ := newCareful(t)
	n.produce()
	_, previous, _ := n.store.Head()
	propose := func(c *graphene.SignedBlock) error {
		raw, err := c.Serialize()
		if err != nil {
			t.Fatal(err)
		}
		return n.store.Propose(c, raw)
	}
	c, err := n.candidate(previous, "2026-01-01T00:02:00", nil)
	if err != nil {
		t.Fatal(err)
	}
	late, err := n.candidate(strings.Repeat("0", 40), "2026-01-01T00:02:00", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := propose(late); !errors.Is(err, ErrInvalidBlock) {
		t.Errorf("block 1 again: %v", err)
	}
	for range 2 {
		if err := propose(c); err != nil {
			t.Error(err)
		}
	}
	c.Timestamp = "2026-01-01T00:02:01"
	if err := propose(c); !errors.Is(err, ErrInvalidBlock) {
		t.Errorf("another candidate: %v", err)
	}
}

// TestStoreFails: once a block could not be stored, nothing is made any more
// and nothing is taken.
func TestStoreFails(t *testing.T) {
	n, signer := newCareful(t)
	n.produce()
	n.clock = n.clock.Add(time.Minute)
	failing := &failingSigner{carefulSigner: signer, then: func() { n.store.db.Close() }}
	n.Sequencer.cfg.Signer = failing
	err := n.Run(t.Context())
	if !errors.Is(err, berrors.ErrDatabaseNotOpen) {
		t.Fatalf("Run: %v", err)
	}
	if _, again := n.Produce(t.Context()); again == nil || again.Error() != err.Error() {
		t.Errorf("Produce afterwards: %v", again)
	}
	if err := n.Broadcast(t.Context(), n.tx([]string{"bob/active"}, customJSON("bob"))); err == nil {
		t.Error("a stopped sequencer took a transaction")
	}
	n.cfg = func(c *Config) { c.Signer = signer }
	n.open()
	n.produce()
	if number, _, _ := n.Head(); number != 2 {
		t.Errorf("head %d", number)
	}
}

// failingSigner does something right after a signature.
type failingSigner struct {
	*carefulSigner
	then func()
}

func (s *failingSigner) SignHeader(ctx context.Context, header []byte) (graphene.Signature, error) {
	defer s.then()
	return s.carefulSigner.SignHeader(ctx, header)
}

// TestFailedExecutionIsFinal: the sequencer does not build on a state that a
// block did not reach.
func TestFailedExecutionIsFinal(t *testing.T) {
	n, _ := newCareful(t)
	tx, err := n.admit(t.Context(), n.tx([]string{"bob/active"}, customJSON("bob")))
	if err != nil {
		t.Fatal(err)
	}
	n.executor.fail = errors.New("defect")
	if _, err := n.Produce(t.Context()); err == nil {
		t.Fatal("no error")
	}
	if !tx.gone || tx.err != nil || tx.receipt.Block != 1 {
		t.Errorf("the sender is told %+v, %v of a transaction that is in a stored block", tx.receipt, tx.err)
	}
	n.executor.fail = nil
	n.clock = n.clock.Add(time.Minute)
	if ok, err := n.Produce(t.Context()); ok || err == nil {
		t.Errorf("Produce after a block that was not executed: %v, %v", ok, err)
	}
}

// TestLateClock: blocks a second apart make the clock lag a little, which is
// nobody's fault.
func TestLateClock(t *testing.T) {
	n, _ := newCareful(t)
	var log bytes.Buffer
	n.log = slog.New(slog.NewTextHandler(&log, nil))
	n.produce()
	for _, row := range []struct {
		behind time.Duration
		lines  int
	}{{time.Second, 0}, {5 * time.Second, 0}, {6 * time.Second, 1}, {7 * time.Second, 1}, {0, 1}, {time.Minute, 2}} {
		n.clock = n.parentTime().Add(-row.behind)
		if wait := n.wait(); row.behind > 0 && wait != min(row.behind, n.Sequencer.cfg.IdleInterval) {
			t.Errorf("%v behind: waits %v", row.behind, wait)
		}
		if got := strings.Count(log.String(), "clock is behind"); got != row.lines {
			t.Errorf("%v behind: %d warnings, want %d", row.behind, got, row.lines)
		}
	}
}
