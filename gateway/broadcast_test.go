package gateway

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"causeway/chains"
)

// pinnedNode refuses what costs more than the first variant: somebody has pinned
// it with a large child.
type pinnedNode struct {
	chains.Source
	only *atomic.Value // txid of the one transaction that it takes; empty: any
	coin chains.Chain
}

func (n pinnedNode) Broadcast(ctx context.Context, raw []byte) (chains.Verdict, error) {
	txid, _, _, err := n.coin.DecodeTransaction(raw)
	if only, _ := n.only.Load().(string); err != nil || only != "" && txid != only {
		return chains.Rejected, err
	}
	return n.Source.Broadcast(ctx, raw)
}

// mute is a node that never answers to a transaction.
type mute struct{ chains.Source }

func (mute) Broadcast(context.Context, []byte) (chains.Verdict, error) {
	return chains.Unknown, errors.Join(chains.ErrUnavailable, errors.New("no answer"))
}

// Nodes refuse the dearer variant and one is down: the others are offered the older
// one all the same, again and again.
func TestOlderVariantWhileANodeIsDown(t *testing.T) {
	var only atomic.Value
	d := simBooted(t, func(cfg *Config) {
		c := &cfg.Chains[0]
		pinned := pinnedNode{c.Source, &only, c.Coin}
		quorum, err := chains.NewQuorum([]chains.Source{mute{c.Source}, pinned, pinned}, 2)
		if err != nil {
			t.Fatal(err)
		}
		c.Source, c.Quorum = quorum, 2
		cfg.RebroadcastAfter, c.Poll = 1, 1
	})
	d.fund(2_000_000)
	w := d.broadcastOf("0.01", d.payee())
	only.Store(w.TxID)
	d.stuck(bumpAfter)
	d.until("bumped", func() bool { return len(d.withdrawal(w.ID).Variants) == 2 })
	for range 3 {
		d.sim.Evict(d.tx(w.TxID))
		d.until("the first is sent again", func() bool { p := d.sim.Node(0).Pool(); return len(p) == 1 && p[0].ID.String() == w.TxID })
	}
	d.mine(1)
	d.settles(w.ID)
	if got := d.withdrawal(w.ID); got.TxID != w.TxID {
		t.Errorf("paid by %s", got.TxID)
	}
	d.balanced()
}
