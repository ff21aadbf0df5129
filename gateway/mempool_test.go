package gateway

import (
	"context"
	"fmt"
	"testing"

	"causeway/chains"
	"causeway/chains/bitcoin"
	"causeway/pegs"
)

// crowdedNode has more unconfirmed transactions than one step asks for.
type crowdedNode struct {
	chains.Source
	list []string
}

func (n *crowdedNode) Mempool(context.Context) ([]string, error) { return n.list, nil }

func (n *crowdedNode) RawTransaction(context.Context, string) ([]byte, error) { return []byte{0}, nil }

// The mempool counts as looked at when all that was in it was looked at, not its
// first few transactions: what a restored ledger has paid may be the last.
func TestWholeMempoolIsLookedAt(t *testing.T) {
	coin, err := bitcoin.New(chains.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	node := &crowdedNode{}
	for i := range 2*fetchPerStep + 50 {
		node.list = append(node.list, fmt.Sprintf("%064x", i))
	}
	m := newMempool(&follower{ChainConfig: ChainConfig{Source: node, Coin: coin}, set: chains.NewWatchSet(), synced: true})
	for step := range 3 {
		if reason := m.unknown(pegs.NewState(), &pegs.Chain{}); reason == "" {
			t.Errorf("looked at after %d steps", step)
		}
		if err := m.step(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if reason := m.unknown(pegs.NewState(), &pegs.Chain{}); reason != "" {
		t.Errorf("after all steps: %s", reason)
	}
}
