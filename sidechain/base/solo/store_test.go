package solo

import (
	"errors"
	"os"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"causeway/sidechain/base"
	"causeway/sidechain/graphene"
)

// filled is a closed store of five blocks.
func filled(t *testing.T) *network {
	n := newNetwork(t, nil)
	for i := 0; i < 5; i++ {
		n.send(n.tx([]string{"alice/active"}, transfer("alice", "bob", "1.000 HIVE")))
	}
	if err := n.store.Close(); err != nil {
		t.Fatal(err)
	}
	return n
}

// tamper changes records of a closed store.
func (n *network) tamper(change func(blocks *bolt.Bucket) error) {
	n.t.Helper()
	db, err := bolt.Open(n.path, 0o600, nil)
	if err != nil {
		n.t.Fatal(err)
	}
	defer db.Close()
	if err := db.Update(func(tx *bolt.Tx) error { return change(tx.Bucket(bucketBlocks)) }); err != nil {
		n.t.Fatal(err)
	}
}

func TestDamagedRecords(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(b *bolt.Bucket) error
		want   error
	}{
		{"one bit", func(b *bolt.Bucket) error {
			v := append([]byte(nil), b.Get(blockKey(5))...)
			v[len(v)/2] ^= 1
			return b.Put(blockKey(5), v)
		}, ErrCorrupt},
		{"cut", func(b *bolt.Bucket) error {
			v := b.Get(blockKey(5))
			return b.Put(blockKey(5), append([]byte(nil), v[:len(v)-1]...))
		}, ErrCorrupt},
		{"empty", func(b *bolt.Bucket) error { return b.Put(blockKey(5), nil) }, ErrCorrupt},
		{"missing", func(b *bolt.Bucket) error { return b.Delete(blockKey(3)) }, ErrCorrupt},
		{"first missing", func(b *bolt.Bucket) error { return b.Delete(blockKey(1)) }, ErrCorrupt},
		{"out of place", func(b *bolt.Bucket) error {
			raw := b.Get(blockKey(5))[recordHead:]
			return b.Put(blockKey(6), makeRecord(blockKey(6), raw))
		}, ErrCorrupt},
		{"newer", func(b *bolt.Bucket) error {
			v := append([]byte(nil), b.Get(blockKey(5))...)
			v[0] = 9
			return b.Put(blockKey(5), v)
		}, ErrStoreFormat},
		{"foreign key", func(b *bolt.Bucket) error { return b.Put([]byte("zzzzzzzzz"), []byte("x")) }, ErrCorrupt},
	} {
		t.Run(row.name, func(t *testing.T) {
			n := filled(t)
			n.tamper(row.change)
			if s, err := OpenStore(n.path, testChain, StoreOptions{}); !errors.Is(err, row.want) {
				if err == nil {
					s.Close()
				}
				t.Errorf("OpenStore: %v, want %v", err, row.want)
			}
		})
	}
}

func TestTruncatedFile(t *testing.T) {
	n := filled(t)
	info, err := os.Stat(n.path)
	if err != nil {
		t.Fatal(err)
	}
	for size := info.Size() - 4096; size > 0; size -= 4096 {
		if err := os.Truncate(n.path, size); err != nil {
			t.Fatal(err)
		}
		s, err := OpenStore(n.path, testChain, StoreOptions{ReadOnly: true})
		if err == nil { // only free pages were lost
			number, _, _ := s.Head()
			s.Close()
			if number != 5 {
				t.Fatalf("%d bytes: opened at block %d", size, number)
			}
			continue
		}
		if !errors.Is(err, ErrCorrupt) && !strings.Contains(err.Error(), "file size too small") && !strings.Contains(err.Error(), "invalid") {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func TestOtherChain(t *testing.T) {
	n := filled(t)
	if _, err := OpenStore(n.path, [32]byte{1}, StoreOptions{}); !errors.Is(err, ErrOtherChain) {
		t.Errorf("OpenStore: %v", err)
	}
	n.open()
	if _, err := OpenStore(n.path, testChain, StoreOptions{}); !errors.Is(err, ErrStoreInUse) {
		t.Errorf("OpenStore twice: %v", err)
	}
}

func TestAppendOnlyTheNextBlock(t *testing.T) {
	n := newNetwork(t, nil)
	b := n.produce()
	for _, wrong := range []*base.Block{
		b,
		{Number: 3, Previous: b.ID, Raw: b.Raw},
		{Number: 2, Previous: b.Previous, Raw: b.Raw},
		{Number: 2, Previous: b.ID},
	} {
		if err := n.store.Append(wrong); !errors.Is(err, ErrInvalidBlock) {
			t.Errorf("Append(%d after %s): %v", wrong.Number, wrong.Previous, err)
		}
	}
}

// A verifier must refuse a block that was altered in any way, and accept the
// same block unaltered.
func TestMachineRefusesAlteredBlocks(t *testing.T) {
	n := newNetwork(t, nil)
	n.send(n.tx([]string{"alice/active"}, transfer("alice", "bob", "1.000 HIVE")))
	tx1, tx2 := n.tx([]string{"alice/active"}, transfer("alice", "bob", "2.000 HIVE")), n.tx([]string{"bob/active"}, customJSON("bob"))
	for _, tx := range []*graphene.SignedTransaction{tx1, tx2} {
		if err := n.Broadcast(t.Context(), tx); err != nil {
			t.Fatal(err)
		}
	}
	block := n.produce()
	first, _, err := n.Block(1)
	if err != nil {
		t.Fatal(err)
	}
	for name, alter := range map[string]func(s *graphene.SignedBlock){
		"nothing":            func(s *graphene.SignedBlock) {},
		"time":               func(s *graphene.SignedBlock) { s.Timestamp = "2026-01-02T00:00:00" },
		"time before parent": func(s *graphene.SignedBlock) { s.Timestamp = first.Timestamp },
		"witness":            func(s *graphene.SignedBlock) { s.Witness = "alice" },
		"parent":             func(s *graphene.SignedBlock) { s.Previous[19]++ },
		"number":             func(s *graphene.SignedBlock) { s.Previous[3]++ },
		"state":              func(s *graphene.SignedBlock) { s.Commitment.StateRoot[0]++ },
		"no state":           func(s *graphene.SignedBlock) { s.Commitment = nil },
		"merkle root":        func(s *graphene.SignedBlock) { s.MerkleRoot[0]++ },
		"signature":          func(s *graphene.SignedBlock) { s.Signature[40]++ },
		"order": func(s *graphene.SignedBlock) {
			s.Transactions[0], s.Transactions[1] = s.Transactions[1], s.Transactions[0]
		},
		"one less":  func(s *graphene.SignedBlock) { s.Transactions = s.Transactions[:1] },
		"one twice": func(s *graphene.SignedBlock) { s.Transactions[1] = s.Transactions[0] },
		"amount": func(s *graphene.SignedBlock) {
			s.Transactions[0].Operations[0].(*graphene.Transfer).Amount.Amount = 3
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			x := newFakeExecutor(t, m)
			if err := x.Apply(first); err != nil {
				t.Fatal(err)
			}
			signed, err := graphene.DecodeBlock(block.Raw)
			if err != nil {
				t.Fatal(err)
			}
			alter(signed)
			raw, err := signed.Serialize()
			if err != nil {
				t.Fatal(err)
			}
			_, verifyErr := m.VerifyBlock(raw)
			if err := x.Apply(newBlock(signed, raw)); (err == nil) != (name == "nothing") {
				t.Errorf("Apply: %v", err)
			} else if err != nil && !errors.Is(err, ErrInvalidBlock) {
				t.Errorf("Apply: %v is no ErrInvalidBlock", err)
			}
			if (verifyErr == nil) != (name == "nothing") {
				t.Errorf("VerifyBlock: %v", verifyErr)
			}
		})
	}
}

// A sequencer that signs a block with a transaction that is not allowed: the
// verifier stops.
func TestMachineRefusesForbiddenTransactions(t *testing.T) {
	n := newNetwork(t, nil)
	good := n.tx([]string{"alice/active"}, customJSON("alice"))
	var six []*graphene.SignedTransaction
	for i := 0; i < 6; i++ {
		op := customJSON("alice")
		op.JSON = strings.Repeat("1", i+1)
		six = append(six, n.tx([]string{"alice/active"}, op))
	}
	name := create(t, "dave")
	name.NewAccountName = "tokens"
	for what, txs := range map[string][]*graphene.SignedTransaction{
		"unsigned":          {n.tx(nil, customJSON("alice"))},
		"wrong role":        {n.tx([]string{"alice/posting"}, customJSON("alice"))},
		"null":              {n.tx([]string{"alice/active"}, customJSON("null"))},
		"twice":             {good, good},
		"contract's name":   {n.tx([]string{"causeway/active"}, name)},
		"beyond the limit":  six,
		"more than he has":  {n.tx([]string{"alice/active"}, transfer("alice", "bob", "1000.001 HIVE"))},
		"not a transaction": {{}},
	} {
		t.Run(what, func(t *testing.T) {
			chosen := make([]*pending, len(txs))
			for i, tx := range txs {
				raw, err := tx.SerializeSigned()
				if err != nil {
					t.Fatal(err)
				}
				chosen[i] = &pending{prepared: &prepared{tx: tx, leaf: leafOf(raw)}}
			}
			_, previous, _ := n.store.Head()
			c, err := n.candidate(previous, "2026-01-01T00:02:00", chosen)
			if err != nil {
				t.Fatal(err)
			}
			n.forget()
			b, err := n.seal(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := n.machine.VerifyBlock(b.Raw); err != nil {
				t.Fatal(err)
			}
			if err := newFakeExecutor(t, newMachine(t)).Apply(b); !errors.Is(err, ErrInvalidBlock) {
				t.Errorf("Apply: %v", err)
			}
		})
	}
}
