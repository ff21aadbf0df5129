package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"causeway/sidechain"
	"causeway/sidechain/base"
	"causeway/sidechain/base/solo"
	"causeway/sidechain/graphene"
	"causeway/sidechain/state"
)

// replayBlocks is how many full blocks replay executes.
const replayBlocks = 10

// benchReplay is a stored chain of signed transfers.
type benchReplay struct {
	o       benchOptions
	genesis *sidechain.Genesis
	text    []byte
	chainID [32]byte
	key     graphene.PrivateKey // of everybody
	store   *solo.Store
	ops     int
}

// replayNode is what the blocks are executed on.
type replayNode struct {
	machine *solo.Machine
	engine  *sidechain.Engine
	db      *state.DB
}

func (n *replayNode) close() error { return errors.Join(n.engine.Close(), n.db.Close()) }

// openReplay stores blocks of signed transfers; the work is to derive the state
// from them, without the recovery of keys, and once more with it.
func openReplay(ctx context.Context, o benchOptions) (*workload, error) {
	if o.Accounts < o.PerBlock/20 {
		return nil, usageErr("bench: --accounts %d are too few for %d transactions in a block", o.Accounts, o.PerBlock)
	}
	r := &benchReplay{o: o, genesis: benchGenesis()}
	if err := r.makeGenesis(); err != nil {
		return nil, err
	}
	var err error
	if r.store, err = solo.OpenStore(home{o.dir}.path(baseFile), r.chainID, solo.StoreOptions{NoSync: true}); err != nil {
		return nil, err
	}
	if err := r.record(ctx); err != nil {
		return nil, errors.Join(err, r.store.Close())
	}
	node, err := r.open(true, stateFile)
	if err != nil {
		return nil, errors.Join(err, r.store.Close())
	}
	return &workload{
		once:   true,
		next:   func() (int, func() error, error) { return r.ops, func() error { return r.replay(ctx, node) }, nil },
		finish: node.engine.Checkpoint,
		extra:  func() (map[string]float64, error) { return r.signed(ctx) },
		close:  func() error { return errors.Join(node.close(), r.store.Close()) },
	}, nil
}

// makeGenesis gives every account the same key and some tokens.
func (r *benchReplay) makeGenesis() error {
	var err error
	if r.key, err = graphene.LoginKey("bench", "active", "bench"); err != nil {
		return err
	}
	g := r.genesis
	g.Sequencer, g.Params.AccountFee, g.Accounts = r.key.Public().String(), "3.000 HIVE", nil
	for _, name := range []string{benchAdmin, "gateway"} {
		g.Accounts = append(g.Accounts, oneKeyAccount(name, r.key.Public(), "0.000 HIVE", nil))
	}
	for i := range r.o.Accounts {
		g.Accounts = append(g.Accounts, oneKeyAccount(benchAccount(i), r.key.Public(), "0.000 HIVE", map[string]string{"BEE": "100"}))
	}
	r.text, err = g.Encode()
	r.chainID = sidechain.BaseChainID(r.text)
	return err
}

// open makes a new state; name is its file.
func (r *benchReplay) open(skipSignatures bool, name string) (*replayNode, error) {
	contracts := chainContracts(r.genesis)
	n := &replayNode{}
	var err error
	n.machine, err = solo.NewMachine(solo.MachineConfig{Genesis: r.genesis, ChainID: r.chainID, SkipSignatures: skipSignatures})
	if err != nil {
		return nil, err
	}
	path := home{r.o.dir}.path(name)
	if r.o.Memory {
		path = ""
	}
	if n.db, err = state.Open(path); err != nil {
		return nil, err
	}
	n.engine, err = sidechain.OpenEngine(sidechain.EngineConfig{
		Genesis: r.genesis, GenesisBytes: r.text, DB: n.db, Contracts: contracts, Machine: n.machine,
		CheckpointBlocks: math.MaxInt, CheckpointEvery: -1,
	})
	if err != nil {
		return nil, errors.Join(err, n.db.Close())
	}
	return n, nil
}

func (r *benchReplay) replay(ctx context.Context, n *replayNode) error {
	return solo.Replay(ctx, n.machine, r.store, n.db, n.engine, slog.New(slog.DiscardHandler))
}

// record lets a sequencer make the blocks.
func (r *benchReplay) record(ctx context.Context) error {
	n, err := r.open(false, "recorder.db")
	if err != nil {
		return err
	}
	clock, err := time.Parse(base.TimeLayout, benchStart)
	if err != nil {
		return errors.Join(err, n.close())
	}
	s, err := solo.New(ctx, solo.Config{
		Machine: n.machine, Store: r.store, State: n.db, Executor: n.engine, NoGapRule: true,
		Signer: solo.KeySigner{Key: r.key, ChainID: r.chainID}, Clock: func() time.Time { return clock },
	})
	for range replayBlocks {
		if err != nil {
			break
		}
		clock = clock.Add(3 * time.Second)
		err = r.recordBlock(ctx, s)
	}
	return errors.Join(err, n.close())
}

func (r *benchReplay) recordBlock(ctx context.Context, s *solo.Sequencer) error {
	p := s.Properties()
	head, err := graphene.ParseBlockID(p.HeadBlockID)
	if err != nil {
		return err
	}
	now, err := graphene.ParseTime(p.Time)
	if err != nil {
		return err
	}
	for range r.o.PerBlock {
		from, to := r.ops%r.o.Accounts, (r.ops*7919+1)%r.o.Accounts
		if from == to {
			to = (to + 1) % r.o.Accounts
		}
		op := transferOf("BEE", benchAccount(from), benchAccount(to), fmt.Sprintf("0.%08d", 1+r.ops))
		tx := &graphene.SignedTransaction{Transaction: graphene.Transaction{
			RefBlockNum: uint16(p.HeadBlockNumber), RefBlockPrefix: head.RefPrefix(),
			Expiration: graphene.FormatTime(now + 60), Operations: []graphene.Operation{op},
		}}
		tx.Signatures = []string{r.key.Sign(tx.Digest(r.chainID)).String()}
		if err := s.Broadcast(ctx, tx); err != nil {
			return err
		}
		r.ops++
	}
	_, err = s.Produce(ctx)
	return err
}

// signed replays with the recovery of every key, which all processors share.
func (r *benchReplay) signed(ctx context.Context) (map[string]float64, error) {
	n, err := r.open(false, "signed.db")
	if err != nil {
		return nil, err
	}
	start := time.Now()
	err = errors.Join(r.replay(ctx, n), n.engine.Checkpoint())
	rate := float64(r.ops) / time.Since(start).Seconds()
	return map[string]float64{"ops_per_second_signed": rate}, errors.Join(err, n.close())
}
