package chaintest_test

import (
	"testing"
	"time"

	"causeway/chains"
	"causeway/chains/bitcoin"
	"causeway/chains/bitcoincash"
	"causeway/chains/chaintest"
	"causeway/chains/devnet"
	"causeway/chains/dogecoin"
	"causeway/chains/litecoin"
	"causeway/chains/utxo"
	"causeway/chains/utxo/rpcnode"
	"causeway/internal/nodetest"
)

// coinOf is what the suite must know of a coin of the Bitcoin family.
type coinOf struct {
	params  func() devnet.Params
	newCoin func(chains.Network) (*utxo.Coin, error)
	units   int64 // of a usual payment
}

var coins = map[string]coinOf{
	"btc":  {devnet.Bitcoin, bitcoin.New, 1_000_000},
	"ltc":  {devnet.Litecoin, litecoin.New, 1_000_000},
	"bch":  {devnet.BitcoinCash, bitcoincash.New, 1_000_000},
	"doge": {devnet.Dogecoin, dogecoin.New, 300_000_000},
}

// impatient is how long a node that does not answer is waited for.
const impatient = 5 * time.Second

// open is a client of one node by its URL.
func open(t testing.TB, url string, coin *utxo.Coin, o rpcnode.Options) chains.Source {
	t.Helper()
	node, err := rpcnode.New(url, coin, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(node.Close)
	return node
}

// tooNew asks for a version that no node has.
const tooNew = 1 << 40

// others are clients of every other coin and network of the family that a node must
// be told apart from. A simulator, which is not asked about addresses, is not told
// from a coin with its block 0.
func others(t testing.TB, url string, o rpcnode.Options, not ...string) map[string]chains.Source {
	t.Helper()
	list := map[string]chains.Source{}
	for name, c := range coins {
		for _, network := range []chains.Network{chains.Mainnet, chains.Testnet, chains.Regtest} {
			skip := false
			for _, same := range not {
				skip = skip || network == chains.Regtest && name == same
			}
			if skip {
				continue
			}
			coin, err := c.newCoin(network)
			if err != nil {
				t.Fatal(err)
			}
			list[name+" "+string(network)] = open(t, url, coin, o)
		}
	}
	return list
}

// onNode is a subject on a node and its rival, which both have empty chains.
func onNode(t *testing.T, node, rival *nodetest.Node) *chaintest.Subject {
	t.Helper()
	w := nodetest.NewWorld(node, rival)
	coin := node.Coin
	pegOut := uint64(0)
	if coin.ID() == chains.LTC {
		pegOut = litecoin.PegOutDepth
	}
	return &chaintest.Subject{
		Name: t.Name(), Blocks: catchUpBlocks, Chain: coin, Payer: w, Units: coins[string(coin.ID())].units,
		Open: func(t testing.TB) chaintest.Client {
			return chaintest.NewClient(open(t, node.URL, coin, rpcnode.Options{}), coin)
		},
		Kinds: func(salt string) []chaintest.Kind { return chaintest.ScriptKinds(coin, t.Name()+salt) },
		Send:  w.Send, Conflict: w.Conflict, Reorg: w.Reorg, Reward: w.Reward, Restart: w.Restart,
		Show: func(t testing.TB, hash string) *chains.Block { return nodetest.Show(t, node.Client, hash, pegOut) },
		Strangers: func(t testing.TB) map[string]chains.Source {
			return others(t, node.URL, rpcnode.Options{}, string(coin.ID()))
		},
		Old: func(t testing.TB) chains.Source {
			return open(t, node.URL, coin, rpcnode.Options{Gate: rpcnode.AtLeast(tooNew)})
		},
		Wallet: newWallet(t, coin),
		Lacks: map[string]string{
			"mempool, evicted": "the node has no way to drop one transaction without a cause",
			"troubles":         "a real node does not misbehave on command; the simulator and the embedded chains do",
		},
	}
}

// TestSimulator: three simulated nodes, two of which must agree, and every fault
// that one of them can have.
func TestSimulator(t *testing.T) {
	for name, c := range coins {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			chaintest.Run(t, onSim(t, c))
		})
	}
}

// onSim is a subject on a simulator.
func onSim(t *testing.T, c coinOf) *chaintest.Subject {
	t.Helper()
	coin, err := c.newCoin(chains.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	cfg := chaintest.Config{Params: c.params(), Nodes: 3, Seed: 11}
	switch coin.ID() {
	case chains.LTC:
		cfg.Extension = true
	case chains.DOGE:
		cfg.ChainID = dogecoin.ChainID
	}
	sim, err := chaintest.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	urls := []string{"http://sim/0", "http://sim/1", "http://sim/2"}
	o := rpcnode.Options{Transport: sim.Transport(), Timeout: impatient}
	show := showClient(t, sim)
	sameGenesis := []string{string(coin.ID())}
	if coin.ID() == chains.BTC || coin.ID() == chains.BCH {
		sameGenesis = []string{"btc", "bch"}
	}
	s := &chaintest.Subject{
		Name: t.Name(), Blocks: catchUpBlocks, Chain: coin, Payer: sim, Units: c.units,
		Open: func(t testing.TB) chaintest.Client {
			q, err := rpcnode.Open(urls, 2, coin, o)
			if err != nil {
				t.Fatal(err)
			}
			return chaintest.NewClient(q, coin)
		},
		Kinds: func(salt string) []chaintest.Kind { return simKinds(sim, coin, t.Name()+salt) },
		Send: func(outputs ...chaintest.Output) (string, error) {
			tx, err := sim.Send(outputs...)
			if err != nil {
				return "", err
			}
			return tx.ID.String(), nil
		},
		Conflict: sim.Conflict, Reorg: sim.Rewind,
		Evict: func(txid string) error {
			tx, _ := sim.Tx(txid)
			sim.Evict(tx)
			return nil
		},
		Show: func(t testing.TB, hash string) *chains.Block {
			b := nodetest.Show(t, show, hash, 0)
			for i := range b.Outputs { // the JSON does not tell what came out of the extension block
				if tx, ok := sim.Tx(b.Outputs[i].TxID); ok && tx.HogEx() {
					b.Outputs[i].MinDepth = litecoin.PegOutDepth
				}
			}
			return b
		},
		Strangers: func(t testing.TB) map[string]chains.Source {
			return others(t, urls[0], o, sameGenesis...)
		},
		Old: func(t testing.TB) chains.Source {
			old := o
			old.Gate = rpcnode.AtLeast(tooNew)
			return open(t, urls[0], coin, old)
		},
		Wallet: newWallet(t, coin),
		Lacks: map[string]string{
			"a reward":            "the simulator's blocks pay their miner nothing",
			"restart of the node": "a simulated node lives in memory; its faults down, warm_up and lose stand in for a restart",
		},
	}
	trouble := func(name string, kind chaintest.FaultKind, nodes ...int) {
		s.Faults = append(s.Faults, chaintest.Trouble{
			Name: name + string(kind),
			Begin: func() {
				for _, i := range nodes {
					sim.Node(i).Inject(chaintest.Fault{Kind: kind, Delay: time.Millisecond})
				}
			},
			End: func() {
				for _, i := range nodes {
					sim.Node(i).Heal()
				}
			},
		})
	}
	for _, kind := range chaintest.FaultKinds() {
		trouble("one node: ", kind, 1)
		if kind != chaintest.Lie { // one lie of two nodes is believed, and cannot be told from the truth
			trouble("two nodes: ", kind, 0, 2)
		}
	}
	return s
}

// simKinds are the forms of output of a simulated coin, those of its own included.
func simKinds(sim *chaintest.Sim, coin *utxo.Coin, salt string) []chaintest.Kind {
	kinds := chaintest.ScriptKinds(coin, salt)
	k := chaintest.ScriptKinds(coin, "its own "+salt)[0]
	k.In = true
	switch coin.ID() {
	case chains.LTC:
		k.Name, k.MinDepth = "peg-out", litecoin.PegOutDepth
		k.Pay = func(units int64) error { return sim.PegOut(chaintest.Output{Address: k.Address, Units: units}) }
	case chains.BCH:
		k.Name, k.Tokens = "tokens", true
		k.Pay = func(units int64) error {
			_, err := sim.Send(chaintest.Output{Address: k.Address, Units: units, Tokens: chaintest.Tokens([32]byte{1, 2, 3}, 100)})
			return err
		}
	default:
		return kinds
	}
	return append(kinds, k)
}

// showClient reads the JSON of a simulator's first node.
func showClient(t *testing.T, sim *chaintest.Sim) *rpcnode.Client {
	t.Helper()
	url := serve(t, sim.Handler())
	client, err := rpcnode.NewClient(url+"/0", 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// TestEmbedded: the embedded chain of each coin, with its faults.
func TestEmbedded(t *testing.T) {
	for name, c := range coins {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			node := nodetest.Embedded(t, c.params(), c.newCoin)
			chaintest.Run(t, withFaults(onNode(t, node, nodetest.Embedded(t, c.params(), c.newCoin)), node.Embedded))
		})
	}
}

// withFaults adds the faults of an embedded chain. One node that lies is believed:
// against that there is the quorum (TestSimulator).
func withFaults(s *chaintest.Subject, chain func() *devnet.Chain) *chaintest.Subject {
	for _, fault := range []devnet.Fault{devnet.FaultDown, devnet.FaultLag, devnet.FaultEmpty, devnet.FaultFloat} {
		set := func(f devnet.Fault) {
			if err := chain().SetFault(f); err != nil {
				panic(err)
			}
		}
		s.Faults = append(s.Faults, chaintest.Trouble{
			Name: string(fault), Begin: func() { set(fault) }, End: func() { set(devnet.FaultNone) },
		})
	}
	delete(s.Lacks, "troubles")
	return s
}
