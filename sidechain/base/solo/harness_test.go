package solo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"causeway/sidechain"
	"causeway/sidechain/base"
	"causeway/sidechain/graphene"
	"causeway/sidechain/state"
)

// fakeExecutor stands for the engine: the machine and a chain of state hashes.
type fakeExecutor struct {
	db       *state.DB
	machine  *Machine
	executed base.Commitment
	applied  []*base.Block
	fail     error
}

func newFakeExecutor(t testing.TB, m *Machine) *fakeExecutor {
	t.Helper()
	db, err := state.Open("")
	if err != nil {
		t.Fatal(err)
	}
	x := &fakeExecutor{db: db, machine: m}
	db.Lock()
	defer db.Unlock()
	if err := m.Genesis(db.Base()); err != nil {
		t.Fatal(err)
	}
	x.commit(0)
	return x
}

func (x *fakeExecutor) commit(n uint64) {
	root := x.db.Root()
	hash := sha256.Sum256([]byte(x.executed.StateHash + hex.EncodeToString(root[:])))
	x.executed = base.Commitment{RefBlock: n, StateHash: hex.EncodeToString(hash[:]), StateRoot: hex.EncodeToString(root[:])}
	x.db.Base().Forget()
}

func (x *fakeExecutor) Apply(b *base.Block) error {
	if x.fail != nil {
		return x.fail
	}
	x.db.Lock()
	defer x.db.Unlock()
	if err := x.machine.Apply(x.db.Base(), b); err != nil {
		return err
	}
	x.commit(b.Number)
	x.applied = append(x.applied, b)
	return nil
}

func (x *fakeExecutor) Executed() base.Commitment { return x.executed }

const (
	password     = "causeway"
	genesisStart = "2026-01-01T00:00:00"
)

var testChain = sha256.Sum256([]byte("test chain"))

func testKey(t testing.TB, account, role string) graphene.PrivateKey {
	t.Helper()
	key, err := graphene.LoginKey(account, role, password)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func testGenesis(t testing.TB) *sidechain.Genesis {
	g := &sidechain.Genesis{
		Format: sidechain.GenesisFormat, ChainID: "test", Timestamp: genesisStart, Network: "regtest",
		Profile:   sidechain.Profile{UtilityToken: "BEE", NativePeg: "SWAP.HIVE", BaseCoin: "HIVE", AddressPrefix: "STM"},
		Sequencer: testKey(t, "sequencer", "signing").Public().String(),
		Admin:     "causeway",
		Reserved:  []string{"null", "temp", "miners"},
		Pegs:      sidechain.GenesisPegs{Attestors: []string{"gateway"}, Threshold: 1, FeeAccount: "pegfees", Gate: "peg"},
		Params:    sidechain.GenesisParams{AccountFee: "3.000 HIVE", MaxBlockTransactions: 5},
	}
	for _, name := range []string{"alice", "bob", "carol", "causeway", "gateway"} {
		g.Accounts = append(g.Accounts, sidechain.GenesisAccount{
			Name:  name,
			Owner: testKey(t, name, "owner").Public().String(), Active: testKey(t, name, "active").Public().String(),
			Posting: testKey(t, name, "posting").Public().String(), Memo: testKey(t, name, "memo").Public().String(),
			Base: "1000.000 HIVE",
		})
	}
	return g
}

// network is a sequencer with a fake engine and a clock that stands still.
type network struct {
	t        testing.TB
	path     string
	machine  *Machine
	store    *Store
	executor *fakeExecutor
	*Sequencer
	clock time.Time
	cfg   func(*Config)
}

func newNetwork(t testing.TB, cfg func(*Config)) *network {
	t.Helper()
	n := &network{t: t, path: filepath.Join(t.TempDir(), "base.db"), cfg: cfg}
	n.clock, _ = time.Parse(base.TimeLayout, genesisStart)
	n.clock = n.clock.Add(time.Minute)
	n.open()
	t.Cleanup(func() { n.store.Close() })
	return n
}

func newMachine(t testing.TB) *Machine {
	t.Helper()
	m, err := NewMachine(MachineConfig{Genesis: testGenesis(t), ChainID: testChain, ContractNames: []string{"tokens", "ours"}})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// open starts the network over its base.db, with an empty state.
func (n *network) open() {
	n.t.Helper()
	n.machine = newMachine(n.t)
	n.executor = newFakeExecutor(n.t, n.machine)
	var err error
	if n.store, err = OpenStore(n.path, testChain, StoreOptions{NoSync: true}); err != nil {
		n.t.Fatal(err)
	}
	if n.Sequencer, err = n.start(); err != nil {
		n.t.Fatal(err)
	}
}

func (n *network) start() (*Sequencer, error) {
	cfg := Config{
		Machine: n.machine, Store: n.store, State: n.executor.db, Executor: n.executor,
		Signer: KeySigner{testKey(n.t, "sequencer", "signing"), testChain},
		Clock:  func() time.Time { return n.clock },
	}
	if n.cfg != nil {
		n.cfg(&cfg)
	}
	return New(context.Background(), cfg)
}

func (n *network) restart() {
	n.t.Helper()
	if err := n.store.Close(); err != nil {
		n.t.Fatal(err)
	}
	n.open()
}

// tx is a transaction on the head, expiring a minute after it, signed by the
// given ACCOUNT/ROLE keys.
func (n *network) tx(signers []string, ops ...graphene.Operation) *graphene.SignedTransaction {
	n.t.Helper()
	return n.sign(n.unsigned(ops...), signers...)
}

func (n *network) unsigned(ops ...graphene.Operation) *graphene.Transaction {
	p := n.Properties()
	id, err := graphene.ParseBlockID(p.HeadBlockID)
	if err != nil {
		n.t.Fatal(err)
	}
	now, _ := graphene.ParseTime(p.Time)
	return &graphene.Transaction{
		RefBlockNum: uint16(p.HeadBlockNumber), RefBlockPrefix: id.RefPrefix(),
		Expiration: graphene.FormatTime(now + 60), Operations: ops,
	}
}

func (n *network) sign(tx *graphene.Transaction, signers ...string) *graphene.SignedTransaction {
	n.t.Helper()
	signed := &graphene.SignedTransaction{Transaction: *tx}
	for _, s := range signers {
		account, role, _ := strings.Cut(s, "/")
		signed.Signatures = append(signed.Signatures, testKey(n.t, account, role).Sign(tx.Digest(testChain)).String())
	}
	return signed
}

// produce makes the next block, the clock one interval later.
func (n *network) produce() *base.Block {
	n.t.Helper()
	n.clock = n.clock.Add(3 * time.Second)
	ok, err := n.Produce(context.Background())
	if err != nil || !ok {
		n.t.Fatalf("Produce: %v, %v", ok, err)
	}
	return n.executor.applied[len(n.executor.applied)-1]
}

// send puts a transaction into the next block.
func (n *network) send(tx *graphene.SignedTransaction) {
	n.t.Helper()
	if err := n.Broadcast(context.Background(), tx); err != nil {
		n.t.Fatalf("Broadcast: %v", err)
	}
	b := n.produce()
	for _, t := range b.Transactions {
		if t.ID == tx.ID() {
			return
		}
	}
	n.t.Fatalf("transaction %s is not in block %d", tx.ID(), b.Number)
}

func (n *network) refuse(tx *graphene.SignedTransaction, kind base.RejectKind) *base.RejectError {
	n.t.Helper()
	before := n.executor.db.Root()
	err := n.Broadcast(context.Background(), tx)
	var reject *base.RejectError
	if !errors.As(err, &reject) || reject.Kind != kind {
		n.t.Fatalf("Broadcast: %v, want kind %s", err, kind)
	}
	if n.executor.db.Root() != before {
		n.t.Fatal("a refused transaction changed the state")
	}
	return reject
}

func customJSON(account string) *graphene.CustomJSON {
	return &graphene.CustomJSON{RequiredAuths: []string{account}, ID: "ssc-test", JSON: `{"a":1}`}
}

func transfer(from, to, amount string) *graphene.Transfer {
	a, err := graphene.ParseAsset(amount)
	if err != nil {
		panic(err)
	}
	return &graphene.Transfer{From: from, To: to, Amount: a}
}

// forget drops the stored candidate, as no program does.
func (n *network) forget() {
	n.t.Helper()
	err := n.store.db.Update(func(tx *bolt.Tx) error { return tx.Bucket(bucketMeta).Delete(keyCandidate) })
	if err != nil {
		n.t.Fatal(err)
	}
}
