package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"time"

	"causeway/sidechain"
	"causeway/sidechain/base"
	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// What every chain of bench is made of.
const (
	benchChainID = "causeway-bench"
	benchAdmin   = "causeway"
	benchBank    = "acct0" // holds everything at first
	// benchAttestor may act as often in a block as it wants.
	benchAttestor = "gateway"
	benchStart    = "2026-01-01T00:00:00"
	batchBlocks   = 20 // measured in one piece
	// benchRowBytes is what an account takes in the file.
	benchRowBytes = 130
)

func benchAccount(i int) string { return fmt.Sprintf("acct%d", i) }

// benchChain is an engine with the contracts of a new chain and the base
// blocks that it is fed. The base layer has no state of its own here: its
// blocks are authenticated already.
type benchChain struct {
	engine *sidechain.Engine
	db     *state.DB
	o      benchOptions
	number uint64
	last   string
	clock  time.Time
	ids    int
	saved  time.Time
	ops    []graphene.Operation // of the next block
	recent []recentBlock        // for the restart of a nodelike run
}

func benchGenesis() *sidechain.Genesis {
	peg := benchBank
	return &sidechain.Genesis{
		Format: sidechain.GenesisFormat, ChainID: benchChainID, Timestamp: benchStart,
		Profile: sidechain.Profile{UtilityToken: "BEE", NativePeg: "SWAP.HIVE", BaseCoin: "HIVE", AddressPrefix: graphene.DefaultPrefix},
		Network: "regtest", Admin: benchAdmin, BasePeg: &peg, Reserved: []string{"null"},
		Pegs: sidechain.GenesisPegs{Attestors: []string{benchAttestor}, Threshold: 1, FeeAccount: "pegfees", Gate: "peg", AdminDelay: 100},
		Params: sidechain.GenesisParams{
			TokenCreationFee: "100", EnableStakingFee: "1000", EnableDelegationFee: "1000", MaxBlockTransactions: 50,
			MaxTickRows:      sidechain.DefaultMaxTickRows,
			MaxFillsPerOrder: sidechain.DefaultMaxFillsPerOrder, MaxExpiredPerOrder: sidechain.DefaultMaxExpiredPerOrder,
		},
		Switches: map[string]bool{"gate": true},
		Accounts: []sidechain.GenesisAccount{
			{Name: benchBank, Tokens: map[string]string{"BEE": "100000000"}},
			{Name: benchAdmin, Tokens: map[string]string{"BEE": "1000000"}},
			{Name: benchAttestor, Tokens: map[string]string{}},
		},
	}
}

func openBenchChain(o benchOptions) (*benchChain, error) {
	path := home{o.dir}.path(stateFile)
	if o.Memory {
		path = ""
	}
	tunePages(int64(o.Accounts) * benchRowBytes)
	c := &benchChain{o: o, saved: time.Now()}
	var err error
	if c.clock, err = time.Parse(base.TimeLayout, benchStart); err != nil {
		return nil, err
	}
	if c.db, c.engine, err = openBenchEngine(o, path); err != nil {
		return nil, err
	}
	c.last = c.engine.Head().RefID
	return c, nil
}

// openBenchEngine opens the chain that is in a file.
func openBenchEngine(o benchOptions, path string) (*state.DB, *sidechain.Engine, error) {
	g := benchGenesis()
	text, err := g.Encode()
	if err != nil {
		return nil, nil, err
	}
	db, err := state.Open(path)
	if err != nil {
		return nil, nil, err
	}
	cfg := sidechain.EngineConfig{Genesis: g, GenesisBytes: text, DB: db, Contracts: chainContracts(g)}
	if !o.Nodelike {
		cfg.CheckpointBlocks, cfg.CheckpointEvery = math.MaxInt, -1 // saved in the measured time
	}
	engine, err := sidechain.OpenEngine(cfg)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return db, engine, nil
}

func (c *benchChain) close() error { return errors.Join(c.engine.Close(), c.db.Close()) }

// call is an operation of one call, as clients send it.
func call(sender, name, action, payload string) graphene.Operation {
	return &graphene.CustomJSON{
		RequiredAuths: []string{sender}, RequiredPostingAuths: []string{}, ID: "ssc-" + benchChainID,
		JSON: `{"contractName":"` + name + `","contractAction":"` + action + `","contractPayload":` + payload + `}`,
	}
}

func transferOf(symbol, from, to, quantity string) graphene.Operation {
	return call(from, "tokens", "transfer", `{"symbol":"`+symbol+`","to":"`+to+`","quantity":"`+quantity+`","memo":""}`)
}

// block makes the next base block.
func (c *benchChain) block(ops []graphene.Operation) *base.Block {
	c.number++
	c.clock = c.clock.Add(3 * time.Second)
	b := &base.Block{
		Number: c.number, ID: fmt.Sprintf("%08x%032x", c.number, c.number), Previous: c.last,
		Timestamp: c.clock.Format(base.TimeLayout), Witness: benchAdmin,
		Transactions: make([]base.Transaction, len(ops)),
	}
	c.last = b.ID
	for i, op := range ops {
		c.ids++
		id := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(c.ids)))
		b.Transactions[i].ID = hex.EncodeToString(id[:20])
		b.Transactions[i].Operations = []graphene.Operation{op}
	}
	return b
}

// apply executes blocks and saves the state as often as a node does.
func (c *benchChain) apply(blocks []*base.Block) error {
	for _, b := range blocks {
		if err := c.engine.Apply(b); err != nil {
			return err
		}
	}
	if c.o.Nodelike {
		c.remember(blocks)
		return nil
	}
	if time.Since(c.saved) < 2*time.Second {
		return nil
	}
	return c.save()
}

func (c *benchChain) save() error {
	c.saved = time.Now()
	if c.o.Memory {
		return nil
	}
	return c.engine.Checkpoint()
}

// add executes an operation of the preparation, sooner or later.
func (c *benchChain) add(op graphene.Operation) error {
	if c.ops = append(c.ops, op); len(c.ops) < 1000 {
		return nil
	}
	return c.flush()
}

func (c *benchChain) flush() error {
	ops := c.ops
	if c.ops = nil; len(ops) == 0 {
		return nil
	}
	return c.apply([]*base.Block{c.block(ops)})
}

// spread gives every account the same share of what the bank has: each round
// everybody who has any gives half of it away.
func (c *benchChain) spread(symbol string, total float64, accounts int) error {
	for have := 1; have < accounts; have *= 2 {
		total /= 2
		quantity := fmt.Sprintf("%.3f", math.Floor(total*1000)/1000-0.001)
		for i := 0; i < have && have+i < accounts; i++ {
			if err := c.add(transferOf(symbol, benchAccount(i), benchAccount(have+i), quantity)); err != nil {
				return err
			}
		}
		if err := c.flush(); err != nil {
			return err
		}
	}
	return nil
}

// work is a workload of blocks that ops fills, an operation of one call at a
// time. After it every transaction must have gone through.
func (c *benchChain) work(op func() graphene.Operation) (*workload, error) {
	if err := c.save(); err != nil { // what the preparation left
		return nil, errors.Join(err, c.close())
	}
	first := c.engine.Head().Block
	finish := c.save
	if c.o.Nodelike {
		finish = nil
	}
	return &workload{
		whole: c.o.Nodelike,
		next: func() (int, func() error, error) {
			blocks := make([]*base.Block, batchBlocks)
			for i := range blocks {
				ops := make([]graphene.Operation, c.o.PerBlock)
				for k := range ops {
					ops[k] = op()
				}
				blocks[i] = c.block(ops)
			}
			return batchBlocks * c.o.PerBlock, func() error { return c.apply(blocks) }, nil
		},
		finish: finish,
		close:  c.close,
		extra: func() (map[string]float64, error) {
			facts := c.size()
			return facts, errors.Join(c.allWell(first), c.restart(facts))
		},
	}, nil
}

// allWell looks for refusals in the first and the newest measured block: a load
// that is refused measures nothing.
func (c *benchChain) allWell(before uint64) error {
	for _, number := range []uint64{before + 1, c.engine.Head().Block} {
		block, ok := c.engine.Block(number)
		if !ok {
			return fmt.Errorf("bench: block %d is missing", number)
		}
		list, _ := block.Array("transactions")
		for _, v := range list {
			tx, _ := v.(*jsvalue.Object)
			text, _ := tx.String("logs")
			logs, err := jsvalue.Parse(text)
			if o, ok := logs.(*jsvalue.Object); err != nil || !ok || o.Has("errors") {
				return fmt.Errorf("bench: block %d has a refused transaction: %s", number, text)
			}
		}
	}
	return nil
}

// openTransfers is transfers between accounts that all have a balance.
func openTransfers(_ context.Context, o benchOptions) (*workload, error) {
	c, err := openBenchChain(o)
	if err != nil {
		return nil, err
	}
	if err := c.spread("BEE", 100_000_000, o.Accounts); err != nil {
		return nil, errors.Join(err, c.close())
	}
	n := 0
	return c.work(func() graphene.Operation {
		from, to := n%o.Accounts, (n*7919+1)%o.Accounts
		if n++; from == to {
			to = (to + 1) % o.Accounts
		}
		return transferOf("BEE", benchAccount(from), benchAccount(to), "0.001")
	})
}

// openOrders is limit orders of which every second one fills the one before.
func openOrders(_ context.Context, o benchOptions) (*workload, error) {
	if !hasContract("market") {
		return nil, usageErr("bench: this binary has no contract market")
	}
	c, err := openBenchChain(o)
	if err != nil {
		return nil, err
	}
	if err := c.fillMarket(); err != nil {
		return nil, errors.Join(err, c.close())
	}
	n := 0
	return c.work(func() graphene.Operation {
		side := []string{"sell", "buy"}[n%2]
		price := fmt.Sprintf("0.%03d", 300+n/2%100)
		n++
		return orderOf(n%o.Accounts, side, "1.5", price)
	})
}

func orderOf(account int, side, quantity, price string) graphene.Operation {
	return call(benchAccount(account), "market", side, `{"symbol":"COOL","quantity":"`+quantity+`","price":"`+price+`"}`)
}

// fillMarket gives every account both tokens of the market and fee money, and
// fills the book.
func (c *benchChain) fillMarket() error {
	const supply = 1_000_000_000
	for _, op := range []graphene.Operation{
		call(benchAdmin, "tokens", "create", `{"name":"Cool","symbol":"COOL","precision":8,"maxSupply":"10000000000"}`),
		call(benchAdmin, "tokens", "issue", fmt.Sprintf(`{"symbol":"COOL","to":%q,"quantity":"%d"}`, benchBank, supply)),
	} {
		if err := c.add(op); err != nil {
			return err
		}
	}
	if err := errors.Join(c.flush(), c.spread("COOL", supply, c.o.Accounts),
		c.spread("SWAP.HIVE", supply, c.o.Accounts), c.spread("BEE", 100_000_000, c.o.Accounts)); err != nil {
		return err
	}
	for i := range c.o.Resting {
		price := fmt.Sprintf("%d.%04d", 1+i%7, i%10_000)
		if err := c.add(orderOf(i%c.o.Accounts, "sell", "0.1", price)); err != nil {
			return err
		}
	}
	return c.flush()
}

func hasContract(name string) bool {
	for _, c := range chainContracts(benchGenesis()) {
		if c.Name() == name {
			return len(c.Actions()) > 0
		}
	}
	return false
}
