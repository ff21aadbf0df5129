package solo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"causeway/sidechain/base"
	"causeway/sidechain/graphene"
)

// mirror is an Upstream that shows a network, through a filter that may lie.
type mirror struct {
	*network
	bend func(n uint64, text []byte) []byte
	down error
}

func (m *mirror) String() string { return "mirror" }

func (m *mirror) Head(context.Context) (uint64, error) {
	n, _, _ := m.store.Head()
	return n, m.down
}

func (m *mirror) Blocks(_ context.Context, from uint64, count int) (list []json.RawMessage, err error) {
	for n := from; n < from+uint64(count); n++ {
		b, ok, err := m.store.Block(n)
		if err != nil || !ok {
			return list, err
		}
		text, err := m.machine.BlockJSON(b, graphene.Appbase)
		if err != nil {
			return nil, err
		}
		if m.bend != nil {
			text = m.bend(n, text)
		}
		list = append(list, text)
	}
	return list, m.down
}

func (m *mirror) Broadcast(ctx context.Context, tx *graphene.SignedTransaction) (Receipt, error) {
	if m.down != nil {
		return Receipt{}, m.down
	}
	return Receipt{ID: tx.ID()}, m.Sequencer.Broadcast(ctx, tx)
}

// follow makes a follower of upstreams in an empty home.
func follow(t *testing.T, upstreams ...Upstream) (*Follower, *fakeExecutor, *Store) {
	t.Helper()
	m := newMachine(t)
	x := newFakeExecutor(t, m)
	store, err := OpenStore(filepath.Join(t.TempDir(), "base.db"), testChain, StoreOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	f, err := NewFollower(t.Context(), FollowerConfig{Machine: m, Store: store, State: x.db, Executor: x, Upstreams: upstreams, Poll: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return f, x, store
}

// busy is a network with some blocks.
func busy(t *testing.T, memo string) *network {
	t.Helper()
	n := newNetwork(t, nil)
	n.produce()
	for _, amount := range []string{"1.000 HIVE", "1.001 HIVE", "1.002 HIVE", "1.003 HIVE", "1.004 HIVE"} {
		op := transfer("alice", "bob", amount)
		op.Memo = memo
		n.send(n.tx([]string{"alice/active"}, op))
	}
	return n
}

func TestFollowerDerivesTheSame(t *testing.T) {
	n := busy(t, "one")
	f, x, store := follow(t, &mirror{network: n})
	if err := f.Follow(t.Context(), f.cfg.Upstreams[0]); err != nil {
		t.Fatal(err)
	}
	for i := range uint64(6) {
		ours, _, errOurs := store.Block(i + 1)
		theirs, _, errTheirs := n.store.Block(i + 1)
		if errOurs != nil || errTheirs != nil || !bytes.Equal(ours.Raw, theirs.Raw) {
			t.Errorf("block %d is not the same: %v %v", i+1, errOurs, errTheirs)
		}
	}
	if x.Executed() != n.executor.Executed() {
		t.Errorf("executed %+v, the sequencer %+v", x.Executed(), n.executor.Executed())
	}
	// What the follower is told to broadcast reaches the sequencer; a refusal
	// comes back as one.
	tx := n.tx([]string{"bob/active"}, transfer("bob", "alice", "0.001 HIVE"))
	if err := f.Broadcast(t.Context(), tx); err != nil {
		t.Fatal(err)
	}
	_, err := f.BroadcastSynchronous(t.Context(), tx)
	if reject, ok := errors.AsType[*base.RejectError](err); !ok || reject.Kind != base.RejectDuplicate {
		t.Errorf("the second broadcast: %v", err)
	}
	n.produce()
	if err := f.Follow(t.Context(), f.cfg.Upstreams[0]); err != nil {
		t.Fatal(err)
	}
	if x.Executed() != n.executor.Executed() {
		t.Error("the new block was not followed")
	}
}

// TestFollowerBelievesNothing gives it every kind of false block: none is
// stored, and a later honest upstream heals it.
func TestFollowerBelievesNothing(t *testing.T) {
	n := busy(t, "one")
	replace := func(at uint64, old, new string) func(uint64, []byte) []byte {
		return func(num uint64, text []byte) []byte {
			if num != at {
				return text
			}
			return bytes.Replace(text, []byte(old), []byte(new), 1)
		}
	}
	for name, up := range map[string]*mirror{
		"an amount":          {network: n, bend: replace(3, `"1001"`, `"9001"`)},
		"the time":           {network: n, bend: replace(3, `"timestamp":"2026`, `"timestamp":"2027`)},
		"a signature":        {network: n, bend: replace(3, `"witness_signature":"1f`, `"witness_signature":"20`)},
		"the commitment":     {network: n, bend: replace(3, `"ref_block":2`, `"ref_block":1`)},
		"another number":     {network: n, bend: func(num uint64, text []byte) []byte { return nil }},
		"no JSON":            {network: n, bend: func(uint64, []byte) []byte { return []byte("{") }},
		"an error":           {network: n, down: errors.New("503")},
		"a missing previous": {network: n, bend: replace(2, `"previous":"`, `"was":"`)},
	} {
		if name == "a signature" {
			up.bend = func(num uint64, text []byte) []byte {
				if num != 3 {
					return text
				}
				i := bytes.Index(text, []byte(`"witness_signature":"`)) + len(`"witness_signature":"`) + 10
				flip := bytes.Clone(text)
				flip[i] = map[bool]byte{true: 'a', false: 'b'}[flip[i] == 'b']
				return flip
			}
		}
		t.Run(name, func(t *testing.T) {
			f, x, store := follow(t, up)
			err := f.Follow(t.Context(), up)
			if err == nil || fatal(err) {
				t.Errorf("error %v: an upstream's lie must be its own", err)
			}
			if head, _, _ := store.Head(); head > 2 {
				t.Errorf("%d blocks stored", head)
			}
			if err := f.Follow(t.Context(), &mirror{network: n}); err != nil || x.Executed() != n.executor.Executed() {
				t.Errorf("an honest upstream did not heal it: %v", err)
			}
		})
	}
}

func TestFollowerHaltsOnTwoBlocksOfOneNumber(t *testing.T) {
	one, two := busy(t, "one"), busy(t, "two")
	up := &mirror{network: one}
	f, _, store := follow(t, up, &mirror{network: two})
	err := f.Run(t.Context())
	if !errors.Is(err, ErrEquivocation) {
		t.Fatalf("Run: %v", err)
	}
	if _, id, _ := store.Head(); id == "" {
		t.Error("nothing was followed before")
	}
}

func TestFollowerHaltsOnAnotherState(t *testing.T) {
	n := busy(t, "one")
	f, x, store := follow(t, &mirror{network: n})
	x.executed.StateRoot = "00" + x.executed.StateRoot[2:]
	if err := f.Run(t.Context()); !errors.Is(err, ErrDiverged) {
		t.Fatalf("Run: %v", err)
	}
	if head, _, _ := store.Head(); head != 0 {
		t.Errorf("%d blocks stored", head)
	}
}

func FuzzBlockJSON(f *testing.F) {
	f.Add([]byte(`{"previous":"0000000000000000000000000000000000000000","timestamp":"2026-01-01T00:00:00","witness":"a","transaction_merkle_root":"0000000000000000000000000000000000000000","extensions":[],"witness_signature":"","transactions":[null]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		raw, err := parseBlockJSON(text)
		if err != nil {
			return
		}
		if _, err := graphene.DecodeBlock(raw); err != nil {
			t.Errorf("%s makes a block that cannot be read: %v", text, err)
		}
	})
}
