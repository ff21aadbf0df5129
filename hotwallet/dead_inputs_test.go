package hotwallet

import (
	"context"
	"errors"
	"strings"
	"testing"

	"causeway/chains"
)

// TestInputsOfTheDead: what was promised to a batch is promised to another one
// only when the signer's own nodes show that the first is dead.
func TestInputsOfTheDead(t *testing.T) {
	b, final := newBench(t), finals{}
	b.open(func(c *SignerConfig) { c.Final = final.get })
	rows, payees := b.withdrawals("w", 150_000)
	one, two := b.fund(deposit("alice", 0), 100_000), b.fund(deposit("bob", 0), 100_000)
	first := b.request(b.plan("batch-1", payees, one, two), rows)
	signed := b.sign(first)
	three := b.fund(deposit("alice", 0), 100_000)
	nextRows, nextPayees := b.withdrawals("n", 150_000)
	next := b.request(b.plan("batch-2", nextPayees, two, three), nextRows)

	thief, other, shallow := strings.Repeat("1", 64), strings.Repeat("2", 64), strings.Repeat("3", 64)
	final[thief] = []string{SpendText(one.Outpoint)}
	final[other] = []string{strings.Repeat("4", 64) + ":0"}
	final[signed.TxID] = first.Assign.Spends
	proof := deathOf(SpendText(one.Outpoint), thief)
	for what, deaths := range map[string][]Death{
		"no proof":             nil,
		"of another batch":     {{Batch: "batch-9", Proof: proof}},
		"no transaction":       {{Batch: "batch-1", Proof: "it is dead"}},
		"takes something else": {{Batch: "batch-1", Proof: deathOf(SpendText(one.Outpoint), other)}},
		"its own payout":       {{Batch: "batch-1", Proof: deathOf(SpendText(one.Outpoint), signed.TxID)}},
	} {
		r := next
		r.Deaths = deaths
		b.refuses(what, r, ErrPromised)
	}
	// What the nodes do not say is not known: no refusal, no signature.
	r := next
	r.Deaths = []Death{{Batch: "batch-1", Proof: deathOf(SpendText(one.Outpoint), shallow)}}
	b.prove(&r)
	if _, err := b.signer.Sign(context.Background(), r); err == nil || errors.Is(err, ErrRefused) {
		t.Errorf("not final: %v", err)
	}
	r.Deaths[0].Proof = proof
	second := b.sign(r)
	b.open(nil) // without nodes the same request still gives the same bytes
	if again := b.sign(r); again.TxID != second.TxID {
		t.Errorf("%s after %s", again.TxID, second.TxID)
	}
	if err := b.signer.journal.verify(); err != nil {
		t.Error(err)
	}
	b.refuses("the first again", b.request(b.bump(b.plan("batch-1", payees, one, two), 5_000), rows), ErrPromised)
	thirdRows, thirdPayees := b.withdrawals("x", 40_000)
	third := b.request(b.plan("batch-3", thirdPayees, two), thirdRows)
	third.Deaths = r.Deaths
	b.refuses("a third", third, ErrPromised)

	// The second dies as well; the third takes what both were promised.
	b.open(func(c *SignerConfig) { c.Final = final.get })
	final[other] = []string{SpendText(two.Outpoint)}
	third.Deaths = []Death{{Batch: "batch-2", Proof: deathOf(SpendText(two.Outpoint), other)}, r.Deaths[0]}
	b.refuses("what the death itself has spent", third, ErrPromised)
	final[other] = []string{SpendText(three.Outpoint)}
	third.Deaths = []Death{{Batch: "batch-2", Proof: deathOf(SpendText(two.Outpoint), other)}, r.Deaths[0]}
	b.sign(third)
	if err := b.signer.journal.verify(); err != nil {
		t.Error(err)
	}
}

// TestCancelOfWhatTookFromTheDead: a cancel shares an outpoint with the batch that
// has it now.
func TestCancelOfWhatTookFromTheDead(t *testing.T) {
	b, final := newBench(t), finals{}
	b.open(func(c *SignerConfig) { c.Final = final.get })
	rows, payees := b.withdrawals("w", 150_000)
	one, two := b.fund(deposit("alice", 0), 100_000), b.fund(deposit("bob", 0), 100_000)
	b.sign(b.request(b.plan("batch-1", payees, one, two), rows))
	thief := strings.Repeat("1", 64)
	final[thief] = []string{SpendText(one.Outpoint)}
	nextRows, nextPayees := b.withdrawals("n", 50_000)
	next := b.plan("batch-2", nextPayees, two)
	r := b.request(next, nextRows)
	r.Deaths = []Death{{Batch: "batch-1", Proof: deathOf(SpendText(one.Outpoint), thief)}}
	b.sign(r)
	cancel, err := Cancel(CancelInput{
		Chain: b.coin, Batch: "batch-3", Previous: next, Extra: b.fund(deposit("alice", 0), 40_000), FeeRate: 5_000,
		Caps: testCaps(), LockTime: 121, ChangeScript: next.ChangeScript,
	})
	if err != nil {
		t.Fatal(err)
	}
	request := b.request(cancel, nil)
	request.Assign.Kind = KindCancel
	b.sign(request)
	if err := b.signer.journal.verify(); err != nil {
		t.Error(err)
	}
	if p, err := b.signer.journal.promiseOf("batch-2"); err != nil || p.Chain != chains.BTC || len(p.Spends) != 1 {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestReleaseOfThePerished: a payout whose deposit was double-spent away is dead
// once the deposit's own transaction was shown: its bytes say what it needed.
func TestReleaseOfThePerished(t *testing.T) {
	b, final := newBench(t), finals{}
	b.open(func(c *SignerConfig) { c.Final = final.get })
	rows, payees := b.withdrawals("w", 50_000)
	coin := b.fund(deposit("alice", 0), 100_000)
	r := b.request(b.plan("batch-1", payees, coin), rows)
	signed := b.sign(r)
	_, _, needs, err := b.coin.DecodeTransaction(b.raw[coin.TxID])
	if err != nil {
		t.Fatal(err)
	}
	double, other := strings.Repeat("1", 64), strings.Repeat("2", 64)
	final[double] = spendTexts(needs)
	final[other] = []string{strings.Repeat("3", 64) + ":0"}
	final[coin.TxID] = spendTexts(needs)
	proof := SpendText(coin.Outpoint) + " will not be made: " + deathOf(SpendText(needs[0].Outpoint), double)
	if err := b.release("w0", proof); !errors.Is(err, ErrNotDead) {
		t.Errorf("before it is known what the deposit needed: %v", err)
	}
	observe := func(raws ...[]byte) error {
		shown := SignRequest{Assign: r.Assign, Withdrawals: r.Withdrawals}
		b.prove(&shown)
		shown.Perished = raws
		return b.signer.Observe(context.Background(), shown)
	}
	for what, raws := range map[string][][]byte{"garbage": {{1, 2, 3}}, "too many": make([][]byte, maxPerished+1)} {
		if err := observe(raws...); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := observe(b.raw[coin.TxID], signed.Raw); err != nil {
		t.Fatal(err)
	}
	for what, killer := range map[string]string{"takes something else": other, "the deposit itself": coin.TxID, "the payout": signed.TxID} {
		if err := b.release("w0", deathOf("", killer)); !errors.Is(err, ErrNotDead) {
			t.Errorf("%s: %v", what, err)
		}
	}
	b.open(func(c *SignerConfig) { c.Final = final.get }) // what was shown is remembered
	if err := b.release("w0", proof); err != nil {
		t.Errorf("dead: %v", err)
	}
}
