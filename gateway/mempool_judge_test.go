package gateway

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"causeway/chains"
	"causeway/pegs"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// TestMempoolJudgesAgain: what the mempool held before an account was watched,
// or before the block of what it spends was read, is known for what it is
// afterwards; and nothing is planned before that.
func TestMempoolJudgesAgain(t *testing.T) {
	d := newDriver(t)
	d.boot()
	g := d.node.gateway
	f, m := g.followers[0], g.mempools[chains.BTC]
	ctx := context.Background()
	step := func(run func(context.Context) error) {
		t.Helper()
		if err := run(ctx); err != nil {
			t.Fatal(err)
		}
	}
	unknown := func() (reason string) {
		err := g.ledger.View(func(s *pegs.State) {
			c, _ := s.Chain(chains.BTC)
			reason = m.unknown(s, c)
		})
		if err != nil {
			t.Fatal(err)
		}
		return reason
	}
	if _, err := d.node.sequencer.Produce(ctx); err != nil {
		t.Fatal(err)
	}

	txid := d.pay(d.depositAddress("alice"), "0.01")
	step(m.step)
	if n := len(m.payments("alice")); n != 0 {
		t.Fatalf("%d payments are seen before the account is watched", n)
	}
	if unknown() == "" {
		t.Error("payouts may be planned before the blocks were read")
	}
	step(f.step)
	step(m.step)
	seen := m.payments("alice")
	if len(seen) != 1 || seen[0].Outpoint.TxID != txid || unknown() != "" {
		t.Fatalf("seen %+v; %s", seen, unknown())
	}
	step(m.step)
	if again := m.payments("alice"); len(again) != 1 || again[0] != seen[0] {
		t.Errorf("seen %+v, then %+v", seen, again)
	}

	d.mine(1)
	spender := wire.NewMsgTx(2)
	hash, err := chainhash.NewHashFromStr(txid)
	if err != nil {
		t.Fatal(err)
	}
	spender.AddTxIn(wire.NewTxIn(wire.NewOutPoint(hash, seen[0].Outpoint.Index), nil, nil))
	spender.AddTxOut(wire.NewTxOut(1000, []byte{0x51}))
	var raw bytes.Buffer
	if err := spender.Serialize(&raw); err != nil {
		t.Fatal(err)
	}
	m.add(spender.TxHash().String(), raw.Bytes())
	if unknown() != "" {
		t.Errorf("a spend of an output that is not known is known: %s", unknown())
	}
	step(f.step)
	m.judgeAgain()
	if !strings.Contains(unknown(), spender.TxHash().String()) {
		t.Errorf("a spend of an output of ours is not known: %q", unknown())
	}
	d.node.close()
}
