package gateway

import (
	"context"
	"errors"
	"slices"
	"testing"

	"causeway/chains"
	"causeway/chains/bitcoin"
	"causeway/chains/chaintest"
	"causeway/chains/devnet"
	"causeway/chains/utxo"
	"causeway/chains/utxo/rpcnode"
	"causeway/pegs"
)

// simDriver is a driver whose outside chain is a simulation: blocks hold what a
// test wants them to hold.
type simDriver struct {
	*driver
	sim   *chaintest.Sim
	node0 *askedNode
}

// askedNode is a node whose fee estimate a test sets, and that tells of every
// broadcast.
type askedNode struct {
	chains.Source
	rate   chains.FeeRate
	err    error
	before func(raw []byte) // a broadcast
}

func (n *askedNode) EstimateFee(context.Context, int) (chains.FeeRate, bool, error) {
	return n.rate, n.rate > 0, n.err
}

func (n *askedNode) Broadcast(ctx context.Context, raw []byte) (chains.Verdict, error) {
	if n.before != nil {
		n.before(raw)
	}
	return n.Source.Broadcast(ctx, raw)
}

// simBooted boots a gateway on a simulated chain.
func simBooted(t *testing.T, change ...func(*Config)) *simDriver {
	t.Helper()
	sim, err := chaintest.New(chaintest.Config{Params: devnet.Bitcoin(), Coins: 400})
	if err != nil {
		t.Fatal(err)
	}
	d := &simDriver{driver: newDriver(t), sim: sim, node0: &askedNode{rate: 2000}}
	source, err := rpcnode.New("http://sim/0", d.coin(), rpcnode.Options{Transport: sim.Transport()})
	if err != nil {
		t.Fatal(err)
	}
	scan, err := NewScanNode("http://sim/0")
	if err != nil {
		t.Fatal(err)
	}
	scan.http.Transport = sim.Transport()
	d.node0.Source = source
	d.outside = d.node0
	d.driver.tune = func(cfg *Config) {
		cfg.Chains[0].Source, cfg.Chains[0].Scanner = d.node0, scan
		for _, more := range change {
			more(cfg)
		}
	}
	d.boot()
	d.pump()
	t.Cleanup(func() { d.node.close() })
	return d
}

func (d *simDriver) mine(blocks int) {
	d.t.Helper()
	if err := d.sim.Mine(blocks); err != nil {
		d.t.Fatal(err)
	}
}

// mineWith makes a block of these transactions and nothing that waits.
func (d *simDriver) mineWith(txids ...string) {
	d.t.Helper()
	var txs []*chaintest.Tx
	for _, id := range txids {
		txs = append(txs, d.tx(id))
	}
	if _, err := d.sim.Extend(d.sim.Best(), txs...); err != nil {
		d.t.Fatal(err)
	}
}

func (d *simDriver) tx(id string) *chaintest.Tx {
	d.t.Helper()
	tx, ok := d.sim.Tx(id)
	if !ok {
		d.t.Fatalf("no node has seen %s", id)
	}
	return tx
}

// fund credits deposits of that many base units each to alice, deep enough to be
// spent.
func (d *simDriver) fund(amounts ...int64) {
	d.t.Helper()
	outs := make([]chaintest.Output, len(amounts))
	for i, units := range amounts {
		outs[i] = chaintest.Output{Address: d.depositAddress([]string{"alice", "bob", "carol"}[i%3]), Units: units}
	}
	for chunk := range slices.Chunk(outs, 15) {
		if _, err := d.sim.Send(chunk...); err != nil {
			d.t.Fatal(err)
		}
	}
	d.mine(4)
	d.until("credited", func() bool {
		n := 0
		for _, account := range []string{"alice", "bob", "carol"} {
			n += len(d.deposits(account)["credited"])
		}
		return n == len(amounts)
	})
}

func (d *simDriver) payee() string {
	d.t.Helper()
	address, err := d.sim.NewAddress()
	if err != nil {
		d.t.Fatal(err)
	}
	return address
}

// paid sums what an address got in the best chain.
func (d *simDriver) paid(address string) string {
	d.t.Helper()
	script, err := d.sim.Script(address)
	if err != nil {
		d.t.Fatal(err)
	}
	var sum int64
	for _, block := range d.sim.Chain() {
		for _, tx := range block.Txs() {
			for _, out := range tx.Msg.TxOut {
				if string(out.PkScript) == string(script) {
					sum += out.Value
				}
			}
		}
	}
	return chains.NewAmount(uint64(sum)).Coin(8)
}

// broadcastOf withdraws and gives the payout once it is sent.
func (d *simDriver) broadcastOf(quantity, address string) Withdrawal {
	d.t.Helper()
	id := d.withdraw("alice", quantity, address)
	d.until("broadcast", func() bool { return d.withdrawal(id).State == "broadcast" })
	return d.withdrawal(id)
}

// stuck lets blocks without our transactions pass.
func (d *simDriver) stuck(blocks int) {
	d.t.Helper()
	for range blocks {
		d.mineWith()
		d.until("followed", d.followed)
		d.shake()
		d.shake()
	}
}

func (d *simDriver) followed() bool {
	same := false
	_ = d.node.gateway.ledger.View(func(s *pegs.State) {
		c, _ := s.Chain(chains.BTC)
		tip, _ := c.Tip()
		same = tip.Hash == d.sim.Best().Hash.String()
	})
	return same
}

// settles waits until a withdrawal is paid and booked.
func (d *simDriver) settles(id string) {
	d.t.Helper()
	for range 8 {
		if d.withdrawal(id).State == "settled" {
			return
		}
		d.mineWith()
		for range 3 {
			d.pump()
		}
	}
	d.until("settled", func() bool { return d.withdrawal(id).State == "settled" })
}

// batches lists the batches of a kind, oldest first, as the ledger has them.
func (d *simDriver) batches(kind string) (list []pegs.Batch) {
	_ = d.node.gateway.ledger.View(func(s *pegs.State) {
		for _, b := range s.Batches() {
			if b.Kind == kind {
				list = append(list, *b)
			}
		}
	})
	return list
}

// feesLeft is what the fee account holds.
func (d *simDriver) feesLeft() string { return d.balance("pegfees") }

// firstSeen is a Bitcoin whose nodes keep the first of two conflicting
// transactions.
func firstSeen(t *testing.T) *utxo.Coin {
	t.Helper()
	usual, err := bitcoin.New(chains.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	facts := usual.Facts()
	facts.Replaceable = false
	p := utxo.Params{
		ID: chains.BTC, Network: chains.Regtest, Genesis: usual.Genesis(), MaxTarget: utxo.BelowPowerOf2(255),
		MaxMoney: 21e14, MaxBlockBytes: 4e6, Segwit: true, DustRate: 3000, Facts: facts,
	}
	coin, err := utxo.New(p.WithAddresses())
	if err != nil {
		t.Fatal(err)
	}
	return coin
}

var errNoEstimate = errors.New("no estimate today")

// fundMore is fund for one more deposit of bob's.
func (d *simDriver) fundMore(units int64) {
	d.t.Helper()
	n := len(d.deposits("bob")["credited"])
	if _, err := d.sim.Send(chaintest.Output{Address: d.depositAddress("bob"), Units: units}); err != nil {
		d.t.Fatal(err)
	}
	pool := d.sim.Node(0).Pool()
	d.mineWith(pool[len(pool)-1].ID.String())
	for range 3 {
		d.mineWith()
	}
	d.until("credited", func() bool { return len(d.deposits("bob")["credited"]) == n+1 })
}
