package gateway

import (
	"encoding/json"
	"fmt"
	"testing"

	"causeway/hotwallet"
	"causeway/sidechain/graphene"
)

// TestStateVotes: the attestor signs the state of every twentieth sidechain
// block, once, with the hash that the block carries.
func TestStateVotes(t *testing.T) {
	w := newWorld(t)
	w.start()
	for i := 0; w.node.engine.Head().Block < 2*stateEvery+1; i++ {
		w.act("alice", "tokens", "transfer", fmt.Sprintf(`{"to":"bob","symbol":"BEE","quantity":"%d"}`, i))
		head := w.node.engine.Head().RefBlock
		w.wait("block", func() bool { return w.node.engine.Head().RefBlock > head })
	}
	votes := map[uint64]string{}
	read := uint64(0)
	w.wait("two votes", func() bool {
		for ; read < w.node.engine.Head().RefBlock; read++ {
			b, ok, err := w.node.store.Block(read + 1)
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
			for _, tx := range b.Transactions {
				op, ok := tx.Operations[0].(*graphene.CustomJSON)
				if !ok || op.ID != hotwallet.StateVoteID {
					continue
				}
				var vote struct {
					Block     uint64 `json:"block"`
					StateHash string `json:"stateHash"`
				}
				if err := json.Unmarshal([]byte(op.JSON), &vote); err != nil || votes[vote.Block] != "" {
					t.Fatalf("vote %s, %v", op.JSON, err)
				}
				votes[vote.Block] = vote.StateHash
			}
		}
		return len(votes) >= 2
	})
	for _, number := range []uint64{stateEvery, 2 * stateEvery} {
		block, _ := w.node.engine.Block(number)
		if want := textOf(block, "stateHash"); votes[number] != want || want == "" {
			t.Errorf("block %d: signed %q, it carries %q", number, votes[number], want)
		}
	}
	if len(votes) != 2 {
		t.Errorf("votes: %v", votes)
	}
}
