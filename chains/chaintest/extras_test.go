package chaintest

import (
	"bytes"
	"net/http/httptest"
	"slices"
	"testing"

	"causeway/chains"
	"causeway/chains/bitcoincash"
	"causeway/chains/devnet"
	"causeway/chains/dogecoin"
	"causeway/chains/litecoin"
	"causeway/chains/utxo"
	"causeway/chains/utxo/rpcnode"

	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// special is a chain with what its coin has around transactions, and how the
// project's decoder reads its newest block.
func special(t *testing.T, cfg Config, newCoin func(chains.Network) (*utxo.Coin, error)) (*Sim, func() *chains.Block) {
	t.Helper()
	coin, err := newCoin(chains.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Coins, cfg.Seed = 20, 3
	sim, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim.Handler())
	t.Cleanup(server.Close)
	node, err := rpcnode.New(server.URL+"/0", coin, rpcnode.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return sim, func() *chains.Block {
		t.Helper()
		tip, err := node.Tip(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		raw, err := node.RawBlock(t.Context(), tip.Hash)
		if err != nil {
			t.Fatal(err)
		}
		block, err := coin.DecodeBlock(raw, tip.Hash)
		if err != nil {
			t.Fatal(err)
		}
		return block
	}
}

// TestExtensionBlock: the project's decoder reads blocks with an extension block,
// and what leaves it, which a reorganisation takes back and pays again.
func TestExtensionBlock(t *testing.T) {
	sim, newest := special(t, Config{Params: devnet.Litecoin(), Extension: true}, litecoin.New)
	to := fresh(t, sim)
	script, _ := sim.Script(to)
	find := func() *chains.Output {
		for _, out := range newest().Outputs {
			if bytes.Equal(out.Script, script) {
				return &out
			}
		}
		return nil
	}
	if err := sim.PegOut(Output{Address: to, Units: 12_345}); err != nil {
		t.Fatal(err)
	}
	mine(t, sim, 1)
	first := find()
	if first == nil || first.MinDepth != litecoin.PegOutDepth || !sim.Best().hogEx.HogEx() {
		t.Fatalf("%+v", first)
	}
	if _, err := sim.Reorg(Rewrite{Depth: 1, Length: 2}); err != nil {
		t.Fatal(err)
	}
	if a, b := sim.Best().Parent.hogEx.Msg, sim.Best().hogEx.Msg; len(a.TxOut)+len(b.TxOut) != 3 {
		t.Errorf("paid %d and %d times", len(a.TxOut)-1, len(b.TxOut)-1)
	}
	if _, err := sim.Reorg(Rewrite{Depth: 2, Forget: true, Drop: func(*Tx) bool { return true }}); err != nil {
		t.Fatal(err)
	}
	mine(t, sim, 1)
	if find() != nil || len(sim.pegOuts) > 0 {
		t.Error("it is paid, though dropped")
	}
	sim.Node(0).Inject(Fault{Kind: Lie})
	newest() // a lie about such a block is one that can be read
}

// TestMergeMining: the project's decoder reads merge-mined blocks among others,
// invented ones too.
func TestMergeMining(t *testing.T) {
	sim, newest := special(t, Config{Params: devnet.Dogecoin(), ChainID: dogecoin.ChainID}, dogecoin.New)
	merged := 0
	for range 12 {
		mine(t, sim, 1)
		newest()
		if sim.Best().proof != nil {
			merged++
		}
	}
	if merged == 0 || merged == 12 {
		t.Errorf("%d of 12 blocks are merge-mined", merged)
	}
	sim.Node(0).Inject(Fault{Kind: Lie})
	for range 4 {
		mine(t, sim, 1)
		newest()
	}
}

// TestTokens: an output with tokens is read as one, and nobody spends it by a
// plain signature.
func TestTokens(t *testing.T) {
	sim, newest := special(t, Config{Params: devnet.BitcoinCash()}, bitcoincash.New)
	to := fresh(t, sim)
	tx, err := sim.Send(Output{Address: to, Units: 5_000, Tokens: Tokens([32]byte{1}, 7)})
	if err != nil {
		t.Fatal(err)
	}
	mine(t, sim, 1)
	if !slices.ContainsFunc(newest().Outputs, func(o chains.Output) bool { return o.TxID == tx.ID.String() && o.Tokens && o.Index == 0 }) {
		t.Errorf("%+v", newest().Outputs)
	}
	script, _ := sim.Script(to)
	if rest, tokens := sim.Locking(tx.Msg.TxOut[0].PkScript); !tokens || !bytes.Equal(rest, script) {
		t.Errorf("%x", rest)
	}
	spend := wire.NewMsgTx(2)
	spend.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&tx.ID, 0), nil, nil))
	spend.AddTxOut(wire.NewTxOut(2_000, script))
	spend.TxIn[0].SignatureScript, err = sim.params.SignP2PKH(spend, 0, script, 5_000, sim.wallet.derive("address", 1))
	if err != nil {
		t.Fatal(err)
	}
	if block, err := sim.MineOnly(spend); err != nil || len(block.Txs()) != 1 {
		t.Errorf("%v, %d transactions", err, len(block.Txs()))
	}
}

// TestForkID: a signature of Bitcoin's, or one that commits to another amount, is
// none on Bitcoin Cash, nor the other form of a right one; blocks have the order
// of ids.
func TestForkID(t *testing.T) {
	sim, _ := special(t, Config{Params: devnet.BitcoinCash()}, bitcoincash.New)
	to := fresh(t, sim)
	script, _ := sim.Script(to)
	key := sim.wallet.derive("address", 1)
	tx := pay(t, sim, to, 50_000)
	if sim.Malleate(tx) != nil {
		t.Error("malleated")
	}
	mine(t, sim, 1)
	spend := wire.NewMsgTx(2)
	spend.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&tx.ID, 0), nil, nil))
	spend.AddTxOut(wire.NewTxOut(40_000, script))
	var err error
	for name, sign := range map[string]func() ([]byte, error){
		"Bitcoin's": func() ([]byte, error) {
			return txscript.SignatureScript(spend, 0, script, txscript.SigHashAll, key, true)
		},
		"another amount": func() ([]byte, error) { return sim.params.SignP2PKH(spend, 0, script, 49_999, key) },
	} {
		if spend.TxIn[0].SignatureScript, err = sign(); err != nil {
			t.Fatal(err)
		}
		if err := sim.Node(0).take(spend); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if spend.TxIn[0].SignatureScript, err = sim.params.SignP2PKH(spend, 0, script, 50_000, key); err != nil {
		t.Fatal(err)
	}
	if err := sim.Node(0).take(spend); err != nil {
		t.Error(err)
	}
	for range 6 {
		pay(t, sim, to, 30_000)
	}
	mine(t, sim, 1)
	var ids []string
	for _, tx := range sim.Best().Txs()[1:] {
		ids = append(ids, tx.ID.String())
	}
	if len(ids) != 7 || !slices.IsSorted(ids) {
		t.Errorf("%v", ids)
	}
}

// TestMineOnly: a miner takes what is valid and nothing that waits elsewhere.
func TestMineOnly(t *testing.T) {
	sim, err := New(Config{Params: devnet.Bitcoin(), Coins: 3})
	if err != nil {
		t.Fatal(err)
	}
	tx := pay(t, sim, fresh(t, sim), 50_000)
	broken := tx.Msg.Copy()
	broken.TxOut[0].Value--
	if block, err := sim.MineOnly(broken); err != nil || len(block.Txs()) != 1 {
		t.Errorf("%v, %d transactions", err, len(block.Txs()))
	}
	if block, err := sim.MineOnly(broken, tx.Msg, tx.Msg); err != nil || len(block.Txs()) != 2 || len(sim.Node(0).Pool()) != 0 {
		t.Errorf("%v, %d transactions", err, len(block.Txs()))
	}
	if sim.Deepest(tx.ID) != 1 {
		t.Errorf("%d deep", sim.Deepest(tx.ID))
	}
	mine(t, sim, 2)
	if _, err := sim.Reorg(Rewrite{Depth: 3, Forget: true, Drop: func(*Tx) bool { return true }}); err != nil || sim.Deepest(tx.ID) != 3 {
		t.Errorf("%v, %d deep", err, sim.Deepest(tx.ID))
	}
	sim.SetFeeRate(7_000)
	q := &query{node: sim.Node(0)}
	if got := q.estimate().(map[string]any)["feerate"]; got != q.coins(7_000) {
		t.Errorf("%v", got)
	}
}

// TestFork: what happens on a fork happens on no other, and equal seeds do equal
// things.
func TestFork(t *testing.T) {
	base, err := New(Config{Params: devnet.Litecoin(), Extension: true, Coins: 5})
	if err != nil {
		t.Fatal(err)
	}
	live := func(seed uint64) string {
		sim := base.Fork(2, seed)
		for range 3 {
			pay(t, sim, fresh(t, sim), 10_000)
			mine(t, sim, 1)
		}
		if _, err := sim.Reorg(Rewrite{Depth: 3}); err != nil {
			t.Fatal(err)
		}
		return sim.Best().Hash.String()
	}
	before := len(base.txs)
	if a, b := live(4), live(4); a != b {
		t.Errorf("%s, then %s", a, b)
	}
	if live(4) == live(9) {
		t.Error("another seed does the same")
	}
	if len(base.txs) != before || len(base.Node(0).Pool()) > 0 || len(base.wallet.coins) != 5 {
		t.Error("the chain that was forked has changed")
	}
}
