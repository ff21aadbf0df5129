package hotwallet

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"causeway/chains"

	"go.etcd.io/bbolt"
)

func (b *bench) bump(p *Plan, rate chains.FeeRate) *Plan {
	b.t.Helper()
	q, err := Bump(BumpInput{Chain: b.coin, Previous: p, FeeRate: rate, Caps: testCaps()})
	if err != nil {
		b.t.Fatal(err)
	}
	return q
}

// TestVariants: a bump is a variant of the same batch; every one signed before
// stays what it was, in any order and after a restart.
func TestVariants(t *testing.T) {
	b := newBench(t)
	rows, payees := b.withdrawals("w", 50_000, 60_000)
	p := b.plan("batch-1", payees, b.fund(deposit("alice", 0), 200_000))
	r := b.request(p, rows)
	first := b.sign(r)
	q := b.bump(p, 5_000)
	r2 := b.request(q, rows)
	r2.Counter = first.Counter
	second := b.sign(r2)
	verifySigned(t, q, second)
	if second.Variant != 2 || second.Counter != 2 || second.TxID == first.TxID {
		t.Errorf("variant %d, counter %d", second.Variant, second.Counter)
	}
	b.open(nil)
	if again := b.sign(r); again.TxID != first.TxID || again.Variant != 1 {
		t.Errorf("the first variant became %v", again)
	}
	all, err := b.signer.Variants("batch-1")
	if err != nil || len(all) != 2 || all[0].TxID != first.TxID || !bytes.Equal(all[1].Raw, second.Raw) {
		t.Errorf("variants %v (%v)", all, err)
	}
	if none, err := b.signer.Variants("batch-2"); none != nil || err != nil {
		t.Errorf("variants of an unknown batch: %v (%v)", none, err)
	}
	if err := b.signer.journal.verify(); err != nil {
		t.Error(err)
	}
}

// TestPromises: what was promised to one batch is refused to all others, and a
// batch never gets other inputs or payees, also after a restart.
func TestPromises(t *testing.T) {
	b := newBench(t)
	rows, payees := b.withdrawals("w", 50_000, 60_000)
	coin, spare := b.fund(deposit("alice", 0), 200_000), b.fund(deposit("bob", 0), 210_000)
	b.sign(b.request(b.plan("batch-1", payees, coin), rows))
	b.open(nil)

	b.refuses("disjoint inputs", b.request(b.plan("batch-1", payees, spare), rows), ErrWrongInputs)

	others, otherPayees := b.withdrawals("x", 50_000)
	b.refuses("other payees", b.request(b.plan("batch-1", otherPayees, coin), others), ErrWrongOutputs)
	b.refuses("fewer payees", b.request(b.plan("batch-1", payees[:1], coin), rows[:1]), ErrWrongOutputs)
	b.refuses("outpoint promised", b.request(b.plan("batch-2", otherPayees, coin), others), ErrPromised)
	b.refuses("payees paid", b.request(b.plan("batch-2", payees, spare), rows), ErrPromised)
	b.refuses("one payee paid", b.request(b.plan("batch-2", append(otherPayees, payees[0]), spare), append(others, rows[0])), ErrPromised)

	asChild := b.request(b.plan("batch-1", payees, coin), rows)
	asChild.Unsigned = b.request(b.bump(b.plan("batch-1", payees, coin), 9_000), rows).Unsigned
	asChild.Assign.Kind = KindChild
	b.refuses("another kind", asChild, ErrNotAssigned)

	b.sign(b.request(b.plan("batch-2", otherPayees, spare), others))
	if err := b.signer.journal.verify(); err != nil {
		t.Error(err)
	}
}

// TestSameIDOnEqualPayments: withdrawals of equal address and amount are told
// apart by their ids.
func TestSameIDOnEqualPayments(t *testing.T) {
	b := newBench(t)
	rows, payees := b.withdrawals("w", 50_000)
	twin, twinPayee := rows[0], payees[0]
	twin.ID, twinPayee.ID = "twin", "twin"
	coin := b.fund(deposit("alice", 0), 200_000)
	p := b.plan("batch-1", append(payees, twinPayee), coin)
	verifySigned(t, p, b.sign(b.request(p, append(rows, twin))))
	swapped := b.request(b.bump(p, 5_000), []Withdrawal{rows[0], rows[0]})
	b.refuses("one paid for two", swapped, ErrNotAssigned)
}

// TestFrozen: once a child spends the change of a variant, there is no further
// variant.
func TestFrozen(t *testing.T) {
	b := newBench(t)
	rows, payees := b.withdrawals("w", 50_000)
	p := b.plan("batch-1", payees, b.fund(deposit("alice", 0), 200_000))
	s := b.sign(b.request(p, rows))
	index, amount, _ := p.Change()
	b.raw[s.TxID] = s.Raw
	change := Coin{
		Outpoint: chains.Outpoint{TxID: s.TxID, Index: uint32(index)}, Amount: amount, Script: p.ChangeScript,
		Depth: 1, Own: true, Watch: chains.Watch{Kind: chains.WatchChange},
	}
	others, otherPayees := b.withdrawals("x", 50_000)
	b.sign(b.request(b.plan("batch-2", otherPayees, change), others))
	b.refuses("bump of a parent", b.request(b.bump(p, 9_000), rows), ErrFrozen)
	if again := b.sign(b.request(p, rows)); again.TxID != s.TxID {
		t.Error("the variant that was signed is no longer given out")
	}
}

// TestRestoredJournal: a journal from a backup is noticed by its counter, by
// the signer at the next request and at start.
func TestRestoredJournal(t *testing.T) {
	b := newBench(t)
	_, r1 := b.payout("batch-1", 50_000)
	b.sign(r1)
	path, backup := filepath.Join(b.dir, "signer.db"), filepath.Join(b.dir, "backup.db")
	_ = b.signer.Close()
	copyFile(t, path, backup)
	b.signer = nil
	b.open(nil)
	_, r2 := b.payout("batch-2", 50_000)
	s := b.sign(r2)
	_ = b.signer.Close()
	copyFile(t, backup, path)
	b.signer = nil
	b.open(nil)
	_, r3 := b.payout("batch-3", 50_000)
	r3.Counter = s.Counter
	b.refuses("restored", r3, ErrRollback)
	cfg := b.config()
	cfg.Counter = s.Counter
	_ = b.signer.Close()
	if _, err := OpenSigner(cfg); !errors.Is(err, ErrRollback) {
		t.Errorf("at start: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenSigner(cfg); !errors.Is(err, ErrRollback) {
		t.Errorf("journal lost: %v", err)
	}
}

func TestForeignJournal(t *testing.T) {
	b := newBench(t)
	_ = b.signer.Close()
	other := b.config()
	phrase, err := NewMnemonic()
	if err != nil {
		t.Fatal(err)
	}
	if other.Wallet, err = NewWallet(phrase, chains.Regtest); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenSigner(other); !errors.Is(err, ErrForeignJournal) {
		t.Errorf("another seed: %v", err)
	}
	other = b.config()
	other.BaseChainID[0]++
	if _, err := OpenSigner(other); !errors.Is(err, ErrForeignJournal) {
		t.Errorf("another network: %v", err)
	}
	other = b.config()
	other.Wallet = testWallet(t, chains.Mainnet)
	if _, err := OpenSigner(other); err == nil {
		t.Error("a wallet of another network than the coins was accepted")
	}
	b.signer = nil
	b.open(nil)
	if _, err := OpenSigner(b.config()); err == nil || errors.Is(err, ErrRefused) {
		t.Errorf("journal in use: %v", err)
	}
}

// TestJournalFailure: when the journal cannot be written, no signature leaves,
// and the error is no refusal.
func TestJournalFailure(t *testing.T) {
	b := newBench(t)
	_, r := b.payout("batch-1", 50_000)
	if err := b.signer.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := b.signer.Sign(context.Background(), r)
	if err == nil || errors.Is(err, ErrRefused) || s.Raw != nil {
		t.Errorf("closed journal: %v", err)
	}
	b.signer = nil
	b.open(nil)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := b.signer.Sign(ctx, r); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	b.sign(r)
}

// TestVerifyJournal alters a journal in every part and expects the check to
// notice.
func TestVerifyJournal(t *testing.T) {
	for name, alter := range map[string]func(tx *bbolt.Tx) error{
		"index of outpoints": func(tx *bbolt.Tx) error {
			c := tx.Bucket(bucketOutpoints).Cursor()
			key, _ := c.First()
			return tx.Bucket(bucketOutpoints).Delete(key)
		},
		"index of payees": func(tx *bbolt.Tx) error {
			return tx.Bucket(bucketPayees).Put([]byte("batch-1-w0"), []byte("batch-9"))
		},
		"intent": func(tx *bbolt.Tx) error { return tx.Bucket(bucketIntents).Delete([]byte("batch-2")) },
		"entry": func(tx *bbolt.Tx) error {
			key := binary.BigEndian.AppendUint64(nil, 1)
			raw := bytes.Replace(tx.Bucket(bucketLog).Get(key), []byte("batch-1"), []byte("batch-3"), 1)
			return tx.Bucket(bucketLog).Put(key, raw)
		},
		"newest entry": func(tx *bbolt.Tx) error {
			return tx.Bucket(bucketLog).Delete(binary.BigEndian.AppendUint64(nil, 2))
		},
		"oldest entry": func(tx *bbolt.Tx) error {
			return tx.Bucket(bucketLog).Delete(binary.BigEndian.AppendUint64(nil, 1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			for _, batch := range []string{"batch-1", "batch-2"} {
				_, r := b.payout(batch, 50_000)
				b.sign(r)
			}
			if err := b.signer.journal.verify(); err != nil {
				t.Fatal(err)
			}
			if err := b.signer.journal.db.Update(alter); err != nil {
				t.Fatal(err)
			}
			if err := b.signer.journal.verify(); err == nil {
				t.Error("not noticed")
			}
		})
	}
}

// crashHome is the environment variable that makes the test binary the child
// of TestCrash.
const crashHome = "HOTWALLET_CRASH_HOME"

// TestCrash kills a signing process at any moment and checks that every
// signature it ever let out is in the journal, byte for byte.
func TestCrash(t *testing.T) {
	if home := os.Getenv(crashHome); home != "" {
		signForEver(t, home)
		return
	}
	home := t.TempDir()
	total := 0
	for round := range 6 {
		lines := runAndKill(t, home, time.Duration(20+35*round)*time.Millisecond)
		b := &bench{t: t, dir: home, coin: testCoin(t), wallet: testWallet(t, chains.Regtest)}
		b.open(nil)
		for _, line := range lines {
			total++
			b.survived(line)
		}
		if err := errors.Join(b.signer.journal.verify(), b.signer.Close()); err != nil {
			t.Error(err)
		}
	}
	if total == 0 {
		t.Error("the child never signed anything")
	}
}

// released is what the child prints once Sign has returned.
type released struct {
	Request SignRequest
	Signed  Signed
}

// signForEver signs batch after batch; the batch number goes on where the
// journal stands.
func signForEver(t *testing.T, home string) {
	b := &bench{t: t, dir: home, coin: testCoin(t), wallet: testWallet(t, chains.Regtest), raw: map[string][]byte{}}
	b.open(nil)
	start, err := b.signer.Counter()
	if err != nil {
		t.Fatal(err)
	}
	out := json.NewEncoder(os.Stdout)
	for i := range 200 {
		_, r := b.payout(fmt.Sprintf("batch-%d", start+uint64(i)), 50_000+start*1_000+uint64(i))
		if err := out.Encode(released{Request: r, Signed: b.sign(r)}); err != nil {
			t.Fatal(err)
		}
	}
}

func runAndKill(t *testing.T, home string, after time.Duration) (lines []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestCrash$")
	cmd.Env = append(os.Environ(), crashHome+"="+home)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var timer *time.Timer
	scan := bufio.NewScanner(stdout)
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		if line := scan.Text(); strings.HasPrefix(line, "{") && json.Valid([]byte(line)) {
			lines = append(lines, line)
		}
		if timer == nil {
			timer = time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		}
	}
	_ = cmd.Wait() // killed
	if timer != nil {
		timer.Stop()
	}
	return lines
}

// survived checks one released signature against the journal.
func (b *bench) survived(line string) {
	b.t.Helper()
	var out released
	if err := json.Unmarshal([]byte(line), &out); err != nil {
		b.t.Fatal(err)
	}
	batch := out.Request.Assign.Batch
	known, err := b.signer.journal.intent(batch)
	if err != nil || known == nil {
		b.t.Fatalf("batch %s left the signer and is not in the journal (%v)", batch, err)
	}
	if again := b.sign(out.Request); !bytes.Equal(again.Raw, out.Signed.Raw) || again.Counter != out.Signed.Counter {
		b.t.Errorf("batch %s: another transaction after the crash", batch)
	}
}
