package gateway

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"causeway/chains"
	"causeway/pegs"
)

// sideOf is a sidechain of which only the delayed mints are known.
type sideOf struct {
	Sidechain
	SideState
	delayed map[string]bool
}

func (s *sideOf) View(f func(SideState) error) error { return f(s) }

func (s *sideOf) Delayed(id string) (DelayedMint, bool) {
	return DelayedMint{Held: true}, s.delayed[id]
}

// mintingState has n deposits that are to be minted.
func mintingState(t *testing.T, n int) (s *pegs.State, apply func(...pegs.Event)) {
	t.Helper()
	s, _ = plannedState(t)
	apply = func(events ...pegs.Event) {
		t.Helper()
		for _, e := range events {
			if err := s.Apply(pegs.Record{Seq: s.Seq + 1, Event: e}); err != nil {
				t.Fatal(err)
			}
		}
	}
	match := pegs.Match{Header: chains.Header{BlockRef: chains.BlockRef{Height: 2, Hash: "h2"}, Parent: "h1"}}
	for i := range n {
		match.Payments = append(match.Payments, pegs.Payment{
			Outpoint: chains.Outpoint{TxID: fmt.Sprintf("t%05d", i)}, Amount: chains.NewAmount(1_000_000), Script: "01",
			Kind: chains.WatchDeposit, Account: "alice", Address: "hers",
		})
	}
	apply(&pegs.Connected{Chain: chains.BTC, Match: match})
	for _, d := range s.ToMint(chains.BTC) {
		apply(&pegs.Minting{Deposit: d.ID, Symbol: d.Symbol, Quantity: d.Quantity, To: d.Account})
	}
	return s, apply
}

// Of very many mints as many are submitted as are not on their way already, the
// oldest first; what is refused again and again, or delayed, keeps nobody waiting.
// What concerns payouts comes before them.
func TestMintsGoInAWindow(t *testing.T) {
	const many = 3*maxOnTheWay + 17
	s, apply := mintingState(t, many)
	now := time.Unix(1, 0)
	side := &sideOf{delayed: map[string]bool{}}
	o := &operator{
		ledger: &Ledger{state: s}, sidechain: side, attempts: map[string]*attempt{}, notes: newNotes(), retry: time.Second,
		now: func() time.Time { return now },
	}
	// submitted lists the mints of one step and takes them to be on their way.
	submitted := func(pause time.Duration) (ids []string) {
		t.Helper()
		list, err := o.due()
		if err != nil {
			t.Fatal(err)
		}
		for i, task := range list {
			a := o.attempt(task)
			a.until, a.next = now.Add(o.retry), now.Add(pause)
			if task.action.Name == "mint" {
				ids = append(ids, task.items[0])
			} else if i > 0 {
				t.Errorf("%s comes after %d mints", task.key, i)
			}
		}
		return ids
	}
	first := submitted(time.Hour)
	if len(first) != maxOnTheWay || !strings.HasPrefix(first[0], "btc:t00000") || len(submitted(0)) != 0 {
		t.Fatalf("%d mints at first", len(first))
	}
	for _, id := range first[:10] {
		apply(&pegs.Credited{Deposit: id, Symbol: "SWAP.BTC", Quantity: "0.01000000", To: "alice", Tx: "m"})
	}
	if next := submitted(time.Hour); len(next) != 10 || len(o.attempts) > maxOnTheWay+1 {
		t.Fatalf("%d mints when ten are credited, %d attempts remembered", len(next), len(o.attempts))
	}
	now = now.Add(2 * time.Second) // the contract has refused all of them: they wait much longer
	for _, d := range s.Minting(chains.BTC)[maxOnTheWay : 2*maxOnTheWay] {
		side.delayed[d.ID] = true
	}
	third := submitted(0)
	if len(third) != maxOnTheWay || side.delayed[third[0]] || !o.notes.isHeld(s.Minting(chains.BTC)[maxOnTheWay].ID) {
		t.Fatalf("%d mints behind those that are refused and those that are delayed, the first %s", len(third), third[0])
	}
}
