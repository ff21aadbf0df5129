package hotwallet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"causeway/chains"
	"causeway/sidechain/graphene"

	"github.com/btcsuite/btcd/wire/v2"
)

// finals are the transactions that the signer's own nodes call final.
type finals map[string][]string

func (f finals) get(_ context.Context, _ chains.ID, block chains.BlockRef, txid string) (FinalTx, error) {
	spends, ok := f[txid]
	if !ok || block.Height != 7 || block.Hash != strings.Repeat("b", 64) {
		return FinalTx{}, errors.New("not final")
	}
	return FinalTx{Spends: spends}, nil
}

// release asks for the release of an id, with a proof that names a transaction.
func (b *bench) release(id, proof string) error {
	tx := operations(`{"contractName":"pegs","contractAction":"release","contractPayload":{"id":"` + id + `","proof":"` + proof + `"}}`)
	tx.Expiration = graphene.FormatTime(1_800_000_000)
	_, err := b.signer.SignOperations(context.Background(), "gateway", tx)
	return err
}

func deathOf(outpoint, txid string) string {
	return fmt.Sprintf("%s is spent by %s in block 7 %s", outpoint, txid, strings.Repeat("b", 64))
}

// TestRelease: a payout is called dead when a final transaction takes an input
// that every variant of it needs, or what such an input would be made by; whatever
// the one who asks says.
func TestRelease(t *testing.T) {
	b, final := newBench(t), finals{}
	b.open(func(c *SignerConfig) { c.Final = final.get })
	rows, payees := b.withdrawals("w", 50_000, 60_000)
	p := b.plan("batch-1", payees, b.fund(deposit("alice", 0), 200_000))
	parent := b.request(p, rows)
	first := b.sign(parent)
	second := b.sign(b.request(b.bump(p, 5_000), rows))
	// A batch that spends the first variant's change.
	index, amount, _ := p.Change()
	b.raw[first.TxID] = first.Raw
	change := chains.Outpoint{TxID: first.TxID, Index: uint32(index)}
	kidRows, kidPayees := b.withdrawals("k", 50_000)
	kid := b.request(b.plan("batch-2", kidPayees, Coin{
		Outpoint: change, Amount: amount, Script: p.ChangeScript, Depth: 1, Own: true, Watch: chains.Watch{Kind: chains.WatchChange},
	}), kidRows)
	b.sign(kid)
	_, never := b.payout("batch-3", 70_000)

	theft, elsewhere := strings.Repeat("1", 64), strings.Repeat("2", 64)
	final[second.TxID] = parent.Assign.Spends
	final[elsewhere] = []string{strings.Repeat("3", 64) + ":0"}
	for _, c := range []struct{ what, id, proof string }{
		{"mined", "w0", deathOf(parent.Assign.Spends[0], second.TxID)},
		{"not final", "w0", deathOf(parent.Assign.Spends[0], theft)},
		{"another height", "w0", strings.Replace(deathOf(parent.Assign.Spends[0], elsewhere), "block 7", "block 8", 1)},
		{"takes something else", "w0", deathOf(parent.Assign.Spends[0], elsewhere)},
		{"no transaction", "w0", "it is dead"},
		{"more text", "w0", deathOf(parent.Assign.Spends[0], second.TxID) + " or so"},
		{"unknown", "w9", deathOf(parent.Assign.Spends[0], second.TxID)},
		{"never shown", "batch-3-w0", deathOf(never.Assign.Spends[0], second.TxID)},
	} {
		if err := b.release(c.id, c.proof); !errors.Is(err, ErrNotDead) || !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", c.what, err)
		}
	}
	// The second variant was mined: the change of the first will never be.
	if err := b.release("k0", change.TxID+":1 will not be made: "+deathOf("", second.TxID)[len(" is spent by "):]); err != nil {
		t.Errorf("the change of the variant that lost: %v", err)
	}
	b.refuses("released", b.request(b.bump(b.plan("batch-2", kidPayees, Coin{
		Outpoint: change, Amount: amount, Script: p.ChangeScript, Depth: 1, Own: true, Watch: chains.Watch{Kind: chains.WatchChange},
	}), 9_000), kidRows), ErrGivenUp)

	// What was never signed for is released once its rows were shown.
	final[theft] = []string{never.Assign.Spends[1], strings.Repeat("4", 64) + ":9"}
	b.prove(&never)
	if err := b.signer.Observe(context.Background(), SignRequest{Assign: never.Assign, Withdrawals: never.Withdrawals}); !errors.Is(err, ErrUnproven) {
		t.Errorf("rows without a proof: %v", err)
	}
	if err := b.signer.Observe(context.Background(), never); err != nil {
		t.Fatal(err)
	}
	if err := b.release("batch-3-w0", deathOf(never.Assign.Spends[0], elsewhere)); !errors.Is(err, ErrNotDead) {
		t.Errorf("shown, and alive: %v", err)
	}
	b.open(func(c *SignerConfig) { c.Final = final.get })
	if err := b.release("batch-3-w0", deathOf(never.Assign.Spends[1], theft)); err != nil {
		t.Errorf("shown, and dead: %v", err)
	}
	b.refuses("released, never signed", never, ErrGivenUp)
	if _, err := b.signer.SignOperations(context.Background(), "gateway", giveUp(actionGiveBack, "k0", 1_800_000_000)); err != nil {
		t.Errorf("give back what was released: %v", err)
	}
	b.open(nil)
	if err := b.release("w0", deathOf(parent.Assign.Spends[0], theft)); !errors.Is(err, ErrNotDead) {
		t.Errorf("a signer without nodes: %v", err)
	}
}

// TestNodesDoNotHoldTheSigner: while a node of one chain does not answer for a
// release, everything else is signed.
// TestReleaseOfWhatRestsOnAMalleatedOne: a payout is mined under another txid, its
// change is spent by the next, and a reorganisation has a variant of the first mined
// instead.
func TestReleaseOfWhatRestsOnAMalleatedOne(t *testing.T) {
	b, final := newBench(t), finals{}
	b.open(func(c *SignerConfig) { c.Final = final.get })
	rows, payees := b.withdrawals("w", 50_000)
	p := b.plan("batch-1", payees, b.fund(deposit("alice", 0), 200_000))
	parent := b.request(p, rows)
	first := b.sign(parent)
	second := b.sign(b.request(b.bump(p, 5_000), rows))

	msg := new(wire.MsgTx)
	if err := msg.Deserialize(bytes.NewReader(first.Raw)); err != nil {
		t.Fatal(err)
	}
	msg.LockTime++ // in place of other signatures, which count in the txids of other coins
	var raw bytes.Buffer
	if err := msg.Serialize(&raw); err != nil {
		t.Fatal(err)
	}
	index, amount, _ := p.Change()
	change := chains.Outpoint{TxID: msg.TxHash().String(), Index: uint32(index)}
	b.raw[change.TxID] = raw.Bytes()
	kidRows, kidPayees := b.withdrawals("k", 50_000)
	b.sign(b.request(b.plan("batch-2", kidPayees, Coin{
		Outpoint: change, Amount: amount, Script: p.ChangeScript, Depth: 1, Own: true, Watch: chains.Watch{Kind: chains.WatchChange},
	}), kidRows))

	proof := SpendText(change) + " will not be made: " + deathOf("", second.TxID)[len(" is spent by "):]
	if err := b.release("k0", proof); !errors.Is(err, ErrNotDead) {
		t.Errorf("while nothing is final: %v", err)
	}
	final[second.TxID] = parent.Assign.Spends
	if err := b.release("k0", proof); err != nil {
		t.Error(err)
	}
}

func TestNodesDoNotHoldTheSigner(t *testing.T) {
	b := newBench(t)
	asked, answer := make(chan struct{}), make(chan struct{})
	b.open(func(c *SignerConfig) {
		c.Final = func(context.Context, chains.ID, chains.BlockRef, string) (FinalTx, error) {
			close(asked)
			<-answer
			return FinalTx{}, errors.New("no answer")
		}
	})
	_, first := b.payout("batch-1", 50_000)
	b.sign(first)
	released := make(chan error, 1)
	go func() { released <- b.release("batch-1-w0", deathOf(first.Assign.Spends[0], strings.Repeat("1", 64))) }()
	<-asked
	_, second := b.payout("batch-2", 60_000)
	b.prove(&second)
	signed := make(chan error, 1)
	go func() {
		_, err := b.signer.Sign(context.Background(), second)
		signed <- err
	}()
	select {
	case err := <-signed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("the signer waits for a node")
	}
	close(answer)
	if err := <-released; !errors.Is(err, ErrNotDead) {
		t.Errorf("released: %v", err)
	}
}
