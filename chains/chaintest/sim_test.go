package chaintest

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"causeway/chains"
	"causeway/chains/bitcoin"
	"causeway/chains/devnet"
	"causeway/chains/utxo"
	"causeway/chains/utxo/rpcnode"

	btcaddress "github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

func newSim(t *testing.T, seed uint64, nodes int) *Sim {
	t.Helper()
	s, err := New(Config{Params: devnet.Bitcoin(), Seed: seed, Nodes: nodes})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newCoin(t *testing.T) *utxo.Coin {
	t.Helper()
	coin, err := bitcoin.New(chains.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	return coin
}

// door is the i-th node as the gateway sees it.
func door(t *testing.T, s *Sim, i int) *rpcnode.Node {
	t.Helper()
	n, err := rpcnode.New(fmt.Sprintf("http://sim/%d", i), newCoin(t), rpcnode.Options{Transport: s.Transport(), Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func fresh(t *testing.T, s *Sim) string {
	t.Helper()
	text, err := s.NewAddress()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func pay(t *testing.T, s *Sim, address string, units int64) *Tx {
	t.Helper()
	tx, err := s.Send(Output{Address: address, Units: units})
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

func mine(t *testing.T, s *Sim, n int) {
	t.Helper()
	if err := s.Mine(n); err != nil {
		t.Fatal(err)
	}
}

func depth(s *Sim, tx *Tx) int {
	chain := branch(s.Chain())
	if block := chain.where(tx); block != nil {
		return len(chain) - block.Height
	}
	return 0
}

// TestBlocksAreReal: the gateway's own decoder takes every block.
func TestBlocksAreReal(t *testing.T) {
	s := newSim(t, 1, 1)
	tx := pay(t, s, fresh(t, s), 12345)
	mine(t, s, 1)
	source, coin := door(t, s, 0), newCoin(t)
	tip, err := source.Tip(t.Context())
	if err != nil || tip.Hash != s.Best().Hash.String() || tip.Height != uint64(s.Best().Height) {
		t.Fatalf("tip %v, %v", tip, err)
	}
	for height := range tip.Height + 1 {
		hash, err := source.HashAt(t.Context(), height)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := source.RawBlock(t.Context(), hash)
		if err != nil {
			t.Fatal(err)
		}
		block, err := coin.DecodeBlock(raw, hash)
		if err != nil {
			t.Fatal(err)
		}
		if height == tip.Height && (len(block.Transactions) != 2 || block.Transactions[1] != tx.ID.String()) {
			t.Errorf("newest block holds %v", block.Transactions)
		}
	}
	if _, err := source.HashAt(t.Context(), tip.Height+1); !errors.Is(err, chains.ErrNotFound) {
		t.Errorf("beyond the tip: %v", err)
	}
}

// TestSameSeedSameBlocks and other seeds, others.
func TestSameSeedSameBlocks(t *testing.T) {
	run := func(seed uint64) string {
		s := newSim(t, seed, 2)
		for range 5 {
			pay(t, s, fresh(t, s), 5000)
			mine(t, s, 1)
		}
		if _, err := s.Reorg(Rewrite{Depth: 4}); err != nil {
			t.Fatal(err)
		}
		return s.Best().Hash.String()
	}
	if a, b, c := run(1), run(1), run(2); a != b || a == c {
		t.Errorf("%s %s %s", a, b, c)
	}
}

func TestReorgs(t *testing.T) {
	s := newSim(t, 3, 2)
	a, b := pay(t, s, fresh(t, s), 5000), pay(t, s, fresh(t, s), 6000)
	mine(t, s, 3)
	blocks, err := s.Reorg(Rewrite{Depth: 3, Drop: func(tx *Tx) bool { return tx == a }})
	if err != nil || len(blocks) != 4 || s.Node(1).Tip() != blocks[3] {
		t.Fatalf("%v, %v", blocks, err)
	}
	if depth(s, a) != 0 || depth(s, b) == 0 || len(s.Node(0).Pool()) != 1 {
		t.Fatalf("depths %d %d, %d wait", depth(s, a), depth(s, b), len(s.Node(0).Pool()))
	}
	mine(t, s, 1)
	if depth(s, a) != 1 {
		t.Fatalf("what was dropped is not mined again: %d", depth(s, a))
	}
	if _, err := s.Reorg(Rewrite{Depth: 1, Drop: func(tx *Tx) bool { return tx == a }, Replace: true}); err != nil {
		t.Fatal(err)
	}
	mine(t, s, 3)
	if depth(s, a) != 0 || len(s.Node(0).Pool()) != 0 {
		t.Error("a replaced payment came back")
	}
	if _, err := s.Reorg(Rewrite{Depth: 9999}); err == nil {
		t.Error("a reorganisation of everything")
	}
}

func TestTrees(t *testing.T) {
	s := newSim(t, 4, 3)
	root := s.Best()
	s.Node(2).SetTip(root)
	left, err := s.Extend(root)
	if err != nil {
		t.Fatal(err)
	}
	right, err := s.Extend(root)
	if err != nil || s.Best() != left {
		t.Fatalf("the first of two equal blocks is not the best: %v", err)
	}
	if right, err = s.Extend(right); err != nil || s.Best() != right || s.Node(0).Tip() != right || s.Node(2).Tip() != root {
		t.Fatalf("nodes do not follow the higher branch: %v", err)
	}
	s.Node(1).Delay(1)
	if s.Node(1).Tip() != right.Parent {
		t.Error("a delayed node is not behind")
	}
	s.Node(2).Release()
	if s.Node(2).Tip() != right {
		t.Error("a released node does not follow")
	}
}

// TestMalleate: another txid, the same payment, and only one of them is mined.
func TestMalleate(t *testing.T) {
	s := newSim(t, 5, 2)
	tx := pay(t, s, fresh(t, s), 5000)
	changed := s.Malleate(tx)
	if changed == nil || changed.ID == tx.ID || changed.Msg.TxOut[0].Value != 5000 {
		t.Fatalf("%v", changed)
	}
	mine(t, s, 1)
	if depth(s, tx) != 0 || depth(s, changed) != 1 {
		t.Errorf("depths %d %d", depth(s, tx), depth(s, changed))
	}
}

func TestMempools(t *testing.T) {
	s := newSim(t, 6, 2)
	s.Node(1).Cut(true)
	tx := pay(t, s, fresh(t, s), 5000)
	if len(s.Node(0).Pool()) != 1 || len(s.Node(1).Pool()) != 0 {
		t.Fatal("a node that is cut off heard of it")
	}
	again := s.wallet.respend(tx)
	raw, err := hexOf(again)
	if err != nil {
		t.Fatal(err)
	}
	bytes, _ := hex.DecodeString(raw)
	for i, want := range []chains.Verdict{chains.Accepted, chains.Accepted} {
		// In place of the first at node 0: it pays more.
		if v, err := door(t, s, i).Broadcast(t.Context(), bytes); v != want || err != nil {
			t.Errorf("node %d: %s, %v", i, v, err)
		}
	}
	if v, _ := door(t, s, 0).Broadcast(t.Context(), bytes); v != chains.Known {
		t.Errorf("again: %s", v)
	}
	s.Evict(s.Node(0).Pool()[0])
	mine(t, s, 1)
	if len(s.Best().Txs()) != 1 {
		t.Error("what was evicted is mined")
	}
}

// TestFaults: every kind at every method ends, and none is taken for an answer
// about the chain that it is not.
func TestFaults(t *testing.T) {
	for _, kind := range FaultKinds() {
		t.Run(string(kind), func(t *testing.T) {
			s := newSim(t, 7, 1)
			tx := pay(t, s, fresh(t, s), 5000)
			mine(t, s, 1)
			source := door(t, s, 0)
			truth, err := source.Tip(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			s.Node(0).Inject(Fault{Kind: kind, Delay: time.Millisecond})
			tip, err := source.Tip(t.Context())
			switch kind {
			case Float, Refuse:
				if err != nil || tip != truth {
					t.Errorf("tip %v, %v", tip, err)
				}
			case Behind, Back, Lie:
				if err != nil || tip == truth {
					t.Errorf("tip %v, %v", tip, err)
				}
			default:
				if err == nil {
					t.Errorf("tip %v", tip)
				}
			}
			raw, err := source.RawTransaction(t.Context(), tx.ID.String())
			if kind == Lie && err == nil {
				t.Errorf("bytes with other amounts pass: %x", raw)
			}
			s.Node(0).Heal()
			if tip, err := source.Tip(t.Context()); err != nil || tip != truth {
				t.Errorf("healed: %v, %v", tip, err)
			}
		})
	}
}

// TestLose: what was sent is taken, though nobody hears of it.
func TestLose(t *testing.T) {
	s := newSim(t, 8, 1)
	tx := pay(t, s, fresh(t, s), 5000)
	s.Evict(tx)
	raw, err := hexOf(tx.Msg)
	if err != nil {
		t.Fatal(err)
	}
	bytes, _ := hex.DecodeString(raw)
	s.Node(0).Inject(Fault{Method: "sendrawtransaction", Kind: Lose, Times: 1})
	if v, err := door(t, s, 0).Broadcast(t.Context(), bytes); v != chains.Unknown || err == nil {
		t.Errorf("%s, %v", v, err)
	}
	if len(s.Node(0).Pool()) != 1 {
		t.Error("the transaction was not taken")
	}
	if v, err := door(t, s, 0).Broadcast(t.Context(), bytes); v != chains.Known || err != nil {
		t.Errorf("%s, %v", v, err)
	}
}

// TestFollowerOnTrees: whatever reorganisations come, the follower's tail is in
// the end the best branch.
func TestFollowerOnTrees(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		s := newSim(t, seed, 1)
		f := chains.NewFollower(door(t, s, 0), newCoin(t), chains.FollowerOptions{Start: 100, MaxReorg: 30})
		var tail []chains.BlockRef
		for range 15 {
			if rng.IntN(2) == 0 {
				mine(t, s, 1+rng.IntN(3))
			} else if _, err := s.Reorg(Rewrite{Depth: 1 + rng.IntN(4), Length: 1 + rng.IntN(6)}); err != nil {
				t.Fatal(err)
			}
			tail = followAll(t, f, tail)
			chain := s.Chain()
			if got, want := tail[len(tail)-1].Hash, chain[len(chain)-1].Hash.String(); got != want {
				t.Fatalf("seed %d: follower at %s, chain at %s", seed, got, want)
			}
		}
		for i, ref := range tail {
			if want := s.Chain()[100+i].Hash.String(); ref.Hash != want {
				t.Fatalf("seed %d: block %d is %s, want %s", seed, 100+i, ref.Hash, want)
			}
		}
	}
}

func followAll(t *testing.T, f *chains.Follower, tail []chains.BlockRef) []chains.BlockRef {
	t.Helper()
	for {
		event, err := f.Next(context.Background(), tail)
		if err != nil {
			t.Fatal(err)
		}
		switch e := event.(type) {
		case nil:
			return tail
		case chains.Connected:
			tail = append(tail, e.Block.BlockRef)
		case chains.Disconnected:
			tail = tail[:len(tail)-1]
		}
	}
}

// TestMalleatedWitness: a changed witness leaves the txid alone; when the changed
// one is lost, the nodes take the original again.
func TestMalleatedWitness(t *testing.T) {
	s := newSim(t, 9, 1)
	key := s.wallet.derive("witness", 0)
	script := append([]byte{0, 20}, btcaddress.Hash160(key.PubKey().SerializeCompressed())...)
	in := pay(t, s, s.params.Addresses.Encode(script), 50_000)
	mine(t, s, 1)
	msg := wire.NewMsgTx(2)
	msg.AddTxIn(wire.NewTxIn(&wire.OutPoint{Hash: in.ID}, nil, nil))
	msg.AddTxOut(wire.NewTxOut(49_000, s.wallet.script))
	hashes := txscript.NewTxSigHashes(msg, txscript.NewCannedPrevOutputFetcher(script, 50_000))
	witness, err := txscript.WitnessSignature(msg, hashes, 0, 50_000, script, txscript.SigHashAll, key, true)
	if err != nil {
		t.Fatal(err)
	}
	msg.TxIn[0].Witness = witness
	raw, err := hexOf(msg)
	if err != nil {
		t.Fatal(err)
	}
	bytes, _ := hex.DecodeString(raw)
	if v, err := door(t, s, 0).Broadcast(t.Context(), bytes); v != chains.Accepted || err != nil {
		t.Fatalf("%s, %v", v, err)
	}
	tx := s.Node(0).Pool()[0]
	if changed := s.Malleate(tx); changed != tx || tx.Msg.WitnessHash() == msg.WitnessHash() || tx.Msg.TxHash() != msg.TxHash() {
		t.Fatal("the witness was not changed, or the txid was")
	}
	s.Evict(tx)
	if v, err := door(t, s, 0).Broadcast(t.Context(), bytes); v != chains.Accepted || err != nil {
		t.Fatalf("again: %s, %v", v, err)
	}
	mine(t, s, 1)
	if depth(s, tx) != 1 {
		t.Error("it is not mined")
	}
}

// hexOf is a transaction as it is sent.
func hexOf(msg *wire.MsgTx) (string, error) {
	raw, err := (&Tx{Msg: msg}).raw()
	return hex.EncodeToString(raw), err
}
