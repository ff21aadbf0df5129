package solo

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"causeway/sidechain/base"
	"causeway/sidechain/graphene"
)

func TestTransferThroughABlock(t *testing.T) {
	n := newNetwork(t, nil)
	tx := n.tx([]string{"alice/active"}, transfer("alice", "bob", "1.500 HIVE"))
	n.send(tx)
	if got := n.Balance("alice").String(); got != "998.500 HIVE" {
		t.Errorf("alice has %s", got)
	}
	if got := n.Balance("bob").String(); got != "1001.500 HIVE" {
		t.Errorf("bob has %s", got)
	}
	b, index, ok, err := n.Transaction(tx.ID())
	if err != nil || !ok || b.Number != 1 || index != 0 {
		t.Errorf("Transaction: block %v, %d, %v, %v", b, index, ok, err)
	}
	number, id, _ := n.Head()
	if number != 1 || !strings.HasPrefix(id, "00000001") || id != b.ID {
		t.Errorf("head %d %s, block %s", number, id, b.ID)
	}
}

func TestBlockJSON(t *testing.T) {
	n := newNetwork(t, nil)
	n.send(n.tx([]string{"alice/active"}, transfer("alice", "bob", "1.500 HIVE")))
	n.send(n.tx([]string{"bob/active"}, customJSON("bob")))
	b, _, err := n.Block(2)
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []graphene.Form{graphene.Legacy, graphene.Appbase} {
		text, err := n.Machine().BlockJSON(b, form)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Previous        string
			BlockID         string   `json:"block_id"`
			SigningKey      string   `json:"signing_key"`
			TransactionIDs  []string `json:"transaction_ids"`
			TransactionRoot string   `json:"transaction_merkle_root"`
			Transactions    []graphene.SignedTransaction
			Extensions      []json.RawMessage
		}
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if got.BlockID != b.ID || got.Previous != b.Previous || len(got.Transactions) != 1 ||
			got.TransactionIDs[0] != got.Transactions[0].ID() || got.SigningKey != n.Machine().SequencerKey().String() ||
			len(got.Extensions) != 1 || len(got.TransactionRoot) != 40 {
			t.Errorf("block JSON: %s", text)
		}
	}
}

func TestCommitmentNamesTheParentsState(t *testing.T) {
	n := newNetwork(t, nil)
	genesis := n.executor.executed
	first := n.produce()
	if *first.Commitment != genesis {
		t.Errorf("block 1 commits to %+v, genesis is %+v", first.Commitment, genesis)
	}
	after := n.executor.executed
	n.clock = n.clock.Add(time.Minute)
	if second := n.produce(); *second.Commitment != after || second.Commitment.RefBlock != 1 {
		t.Errorf("block 2 commits to %+v, want %+v", second.Commitment, after)
	}
}

func TestNoBlockWhenNothingHappened(t *testing.T) {
	n := newNetwork(t, nil)
	n.produce()
	for i := 0; i < 19; i++ {
		n.clock = n.clock.Add(3 * time.Second)
		if ok, err := n.Produce(context.Background()); ok || err != nil {
			t.Fatalf("after %d s: block %v, %v", 3*(i+1), ok, err)
		}
	}
	n.produce() // a minute
}

func TestTimeFollowsTheParent(t *testing.T) {
	n := newNetwork(t, nil)
	first := n.produce()
	for i := 0; i < 2; i++ {
		if err := n.Broadcast(context.Background(), n.tx([]string{"bob/active"}, customJSON("bob"))); err != nil {
			t.Fatal(err)
		}
		want := n.Properties().Time
		if ok, err := n.Produce(context.Background()); err != nil || !ok {
			if i == 0 {
				t.Fatalf("Produce: %v, %v", ok, err)
			}
			break // the clock is behind the parent now: it waits
		}
		if _, _, got := n.Head(); got != want || got <= first.Timestamp {
			t.Errorf("block's time %s, announced %s, parent %s", got, want, first.Timestamp)
		}
		if i == 1 {
			t.Error("a block although the clock is behind its parent")
		}
	}
}

func TestGap(t *testing.T) {
	n := newNetwork(t, nil)
	n.produce()
	n.clock = n.clock.Add(61 * time.Minute)
	if _, err := n.Produce(context.Background()); !errors.Is(err, ErrGap) {
		t.Fatalf("Produce after a gap: %v", err)
	}
	if err := n.Run(context.Background()); !errors.Is(err, ErrGap) {
		t.Fatalf("Run after a gap: %v", err)
	}
	if err := n.Broadcast(context.Background(), n.tx([]string{"bob/active"}, customJSON("bob"))); err == nil {
		t.Error("a stopped sequencer took a transaction")
	}
	n.cfg = func(c *Config) { c.AcceptGap = true }
	n.restart()
	n.produce()
	n.clock = n.clock.Add(61 * time.Minute)
	if _, err := n.Produce(context.Background()); !errors.Is(err, ErrGap) {
		t.Fatalf("a second gap was accepted: %v", err)
	}
	n.cfg = func(c *Config) { c.NoGapRule = true }
	n.restart()
	n.produce()
}

func TestRunProducesWithinAnInterval(t *testing.T) {
	n := newNetwork(t, func(c *Config) {
		start := time.Now()
		clock, _ := time.Parse(base.TimeLayout, genesisStart)
		c.Clock = func() time.Time { return clock.Add(time.Minute + time.Since(start)) }
		c.Interval = 50 * time.Millisecond
	})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	for i := 0; i < 3; i++ {
		tx := n.tx([]string{"bob/active"}, transfer("bob", "alice", "1.000 HIVE"))
		tx.Expiration = graphene.FormatTime(mustTime(t, tx.Expiration) + uint32(i))
		receipt, err := n.BroadcastSynchronous(ctx, n.sign(&tx.Transaction, "bob/active"))
		if err != nil || receipt.Block == 0 || receipt.Expired {
			t.Fatalf("receipt %+v, %v", receipt, err)
		}
	}
	if n.Advance(2*time.Minute) != 2*time.Minute {
		t.Error("offset")
	}
	for at, _, _ := n.Head(); at < 5; at, _, _ = n.Head() {
		if ctx.Err() != nil {
			t.Fatal("no idle block after the clock was moved")
		}
		time.Sleep(5 * time.Millisecond)
		if p := n.Properties(); p.HeadBlockNumber >= 4 {
			break
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func mustTime(t testing.TB, text string) uint32 {
	t.Helper()
	s, err := graphene.ParseTime(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRestartReplays(t *testing.T) {
	n := newNetwork(t, nil)
	for i := 0; i < 5; i++ {
		n.send(n.tx([]string{"alice/active"}, transfer("alice", "bob", "1.000 HIVE")))
	}
	want := n.executor.executed
	n.restart()
	if n.executor.executed != want {
		t.Errorf("after the restart %+v, before %+v", n.executor.executed, want)
	}
}

func TestStateAheadOfTheStore(t *testing.T) {
	n := newNetwork(t, nil)
	n.produce()
	ahead := n.executor
	n.path += ".other"
	n.store.Close()
	n.open()
	n.executor = ahead
	if _, err := n.start(); !errors.Is(err, ErrAhead) {
		t.Errorf("New over an older base.db: %v", err)
	}
	n.machine = ahead.machine
}

func TestStateOfAnotherHistory(t *testing.T) {
	n := newNetwork(t, nil)
	n.send(n.tx([]string{"alice/active"}, customJSON("alice")))
	other := n.executor
	n.path += ".other"
	n.store.Close()
	n.open()
	n.send(n.tx([]string{"bob/active"}, customJSON("bob")))
	n.executor = other
	if _, err := n.start(); !errors.Is(err, ErrAhead) {
		t.Errorf("New over another history: %v", err)
	}
}

func TestDivergedState(t *testing.T) {
	n := newNetwork(t, nil)
	n.send(n.tx([]string{"alice/active"}, customJSON("alice")))
	n.send(n.tx([]string{"bob/active"}, customJSON("bob")))
	n.store.Close()
	n.machine = newMachine(t)
	n.executor = newFakeExecutor(t, n.machine)
	n.executor.executed.StateRoot = strings.Repeat("0", 64)
	var err error
	if n.store, err = OpenStore(n.path, testChain, StoreOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := n.start(); !errors.Is(err, ErrDiverged) {
		t.Errorf("New with another state: %v", err)
	}
}

func TestWrongSigner(t *testing.T) {
	n := newNetwork(t, nil)
	n.cfg = func(c *Config) { c.Signer = KeySigner{testKey(t, "alice", "active"), testChain} }
	if _, err := n.start(); !errors.Is(err, ErrSigner) {
		t.Errorf("New with another key: %v", err)
	}
}

func TestFailedExecutionIsReplayed(t *testing.T) {
	n := newNetwork(t, nil)
	n.executor.fail = errors.New("disk full")
	if _, err := n.Produce(context.Background()); err == nil {
		t.Fatal("no error")
	}
	n.restart()
	if n.executor.executed.RefBlock != 1 {
		t.Errorf("executed %+v", n.executor.executed)
	}
}
