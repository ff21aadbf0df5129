package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"causeway/chains"
	"causeway/pegs"

	"github.com/google/go-cmp/cmp"
)

// history is one life of everything: deposits, payouts, a reorganisation, halts.
func history() []pegs.Event {
	block := func(height uint64, hash, parent string) chains.Header {
		return chains.Header{BlockRef: chains.BlockRef{Height: height, Hash: hash}, Parent: parent, Time: 1700000000 + int64(height)}
	}
	out := func(txid string, index uint32) chains.Outpoint { return chains.Outpoint{TxID: txid, Index: index} }
	deposit := pegs.Payment{
		Outpoint: out("t1", 0), Amount: chains.NewAmount(100_000), Script: "0014aa", Kind: chains.WatchDeposit, Account: "alice", Address: "addr",
	}
	other := deposit
	other.Outpoint, other.Account = out("t2", 3), "bob"
	change := pegs.Payment{Outpoint: out("p1", 1), Amount: chains.NewAmount(59_700), Script: "00", Kind: chains.WatchChange, Address: "change"}
	inputs := []chains.Outpoint{out("t1", 0)}
	batch := pegs.BatchID(chains.BTC, pegs.BatchPayout, []string{"w1"}, inputs)
	asset := pegs.Asset{
		Symbol: "SWAP.BTC", Chain: chains.BTC, Precision: 8, Decimals: 8, MinDeposit: "0.00010000", MinWithdrawal: "0.00010000",
		WithdrawalFee: "0.00005000", FeeMax: "0.01000000",
	}
	connected := func(h chains.Header, payments []pegs.Payment, spends ...chains.Spend) pegs.Event {
		return &pegs.Connected{Chain: chains.BTC, Match: pegs.Match{Header: h, Payments: payments, Spends: spends}}
	}
	return []pegs.Event{
		&pegs.Configured{Chain: chains.BTC, Network: chains.Regtest, Confirmations: 2, InputExtra: 1, Policy: pegs.Policy{Floor: 2, Normal: 3, Large: 6, Maturity: 100, Keep: 144, Much: chains.NewAmount(500_000_000)}},
		&pegs.EpochAdded{Chain: chains.BTC, Key: "02aa", Scripts: []pegs.OwnScript{{Kind: chains.WatchChange, Address: "change", Script: "00"}}},
		&pegs.AssetsSeen{Assets: []pegs.Asset{asset}},
		&pegs.Watching{Chain: chains.BTC, Accounts: []string{"alice"}},
		connected(block(0, "b0", "root"), []pegs.Payment{deposit}),
		&pegs.Watching{Chain: chains.BTC, Accounts: []string{"bob"}},
		&pegs.Backscanned{Chain: chains.BTC, Accounts: []string{"bob"}, Matched: []pegs.Match{{Header: block(0, "b0", "root"), Payments: []pegs.Payment{other}}}},
		connected(block(1, "x1", "b0"), nil),
		&pegs.Disconnected{Chain: chains.BTC, Block: chains.BlockRef{Height: 1, Hash: "x1"}},
		connected(block(1, "b1", "b0"), nil),
		&pegs.Minting{Deposit: "btc:t1:0", Symbol: "SWAP.BTC", Quantity: "0.00100000", To: "alice"},
		&pegs.Credited{Deposit: "btc:t1:0", Symbol: "SWAP.BTC", Quantity: "0.00100000", To: "alice", Tx: "m1"},
		connected(block(2, "b2", "b1"), nil),
		&pegs.Requested{Withdrawal: "w1", Row: 1, Symbol: "SWAP.BTC", Chain: chains.BTC, Account: "alice", Address: "payee", Quantity: "0.0004", Fee: "0", Net: "0.0004", Ref: "r"},
		&pegs.Queued{Withdrawal: "w1", Script: "0014", Amount: chains.NewAmount(40_000)},
		&pegs.Planned{Batch: batch, Chain: chains.BTC, BatchKind: pegs.BatchPayout, Withdrawals: []string{"w1"}, Inputs: inputs, Fee: chains.NewAmount(300), Plan: json.RawMessage(`{"a":[1,2]}`)},
		&pegs.Assigned{Batch: batch, Chain: chains.BTC, BatchKind: pegs.BatchPayout, Withdrawals: []string{"w1"}, Inputs: inputs, Tx: "a1"},
		&pegs.Signed{Batch: batch, TxID: "p1", Raw: []byte{1, 2, 3}, Fee: chains.NewAmount(300), VSize: 141, Counter: 4, Change: []pegs.Payment{change}},
		&pegs.Broadcast{Batch: batch, TxID: "p1", Verdict: chains.Accepted},
		connected(block(3, "b3", "b2"), []pegs.Payment{change}, chains.Spend{Outpoint: out("t1", 0), By: "p1"}),
		connected(block(4, "b4", "b3"), nil),
		&pegs.Settling{Batch: batch, TxID: "p1", Cost: "0.00000300"},
		&pegs.Settled{Batch: batch, TxID: "p1", Cost: "0.00000300", Tx: "s1"},
		&pegs.Requested{Withdrawal: "w2", Row: 2, Symbol: "SWAP.BTC", Chain: chains.BTC, Account: "alice", Address: "own", Quantity: "0.0002", Fee: "0", Net: "0.0002"},
		&pegs.Parked{Withdrawal: "w2", Reason: "our own address", GiveBack: true},
		&pegs.Returned{Withdrawal: "w2", Tx: "r1"},
		&pegs.Halted{Chain: chains.BTC, Scopes: pegs.Scopes(), Cause: "operator", Reason: "test", Author: "anna"},
		&pegs.Resumed{Chain: chains.BTC, Cause: "operator", Reason: "done", Author: "anna"},
		&pegs.Halted{Chain: chains.BTC, Scopes: []pegs.Scope{pegs.ScopeMinting}, Cause: "audit", Reason: "books", Author: "gateway"},
	}
}

// fixtureNetwork is the network of the stored fixtures.
const fixtureNetwork = "fixture"

// fixtureTime is the clock of the stored fixtures: a second a record.
func fixtureTime() func() time.Time {
	n := int64(0)
	return func() time.Time { n++; return time.Unix(1_700_000_000+n, 0) }
}

// writeHistory makes a log of the history, one decision a record; two records in
// each acted on base blocks.
func writeHistory(t *testing.T, path string) *Ledger {
	t.Helper()
	l, err := openLedger(path, fixtureNetwork, fixtureTime(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range history() {
		entry := Entry{Event: e}
		if i == 11 || i == 22 {
			entry.Base = pegs.BaseRef{Number: uint64(i), ID: strings.Repeat("b", i)}
		}
		if err := l.Do(context.Background(), func(*pegs.State) ([]Entry, error) { return []Entry{entry}, nil }); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func hashOf(t *testing.T, l *Ledger) (hash string, seq uint64) {
	t.Helper()
	if err := l.View(func(s *pegs.State) { hash, seq = s.Hash(), s.Seq }); err != nil {
		t.Fatal(err)
	}
	return hash, seq
}

// wholeLog is a log with frames of one record and of several, and for every
// length of the file the number of records that are whole in it.
func wholeLog(t *testing.T) (text []byte, records []int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), LogFile)
	l := writeHistory(t, path)
	many := make([]pegs.Event, 5)
	for i := range many {
		many[i] = &pegs.EpochAdded{Chain: chains.BTC, Epoch: uint32(i + 1), Key: "02cc"}
	}
	if err := l.Append(context.Background(), many...); err != nil {
		t.Fatal(err)
	}
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	records = make([]int, len(text)+1)
	at, n := len(logHeader(fixtureNetwork)), 0
	mark := func(to int) {
		for ; at < to; at++ {
			records[at] = n
		}
	}
	for at < len(text) {
		length, ok := bodyLength(text[at:])
		if !ok {
			t.Fatalf("no frame at byte %d", at)
		}
		mark(at + frameHead)
		for body := text[at : at+int(length)]; len(body) > 0; n++ {
			_, rest, ok := nextRecord(body)
			if !ok {
				t.Fatalf("no record at byte %d", at)
			}
			mark(at + len(body) - len(rest))
			body = rest
		}
	}
	records[len(text)] = n
	if n != len(history())+5 {
		t.Fatalf("%d records", n)
	}
	return text, records
}

// TestCutAnywhere cuts the log at every byte: it opens at the last whole event,
// and goes on from there.
func TestCutAnywhere(t *testing.T) {
	text, records := wholeLog(t)
	path := filepath.Join(t.TempDir(), LogFile)
	open := func(n int, want uint64, how func() (*Ledger, error)) *Ledger {
		t.Helper()
		l, err := how()
		if err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		if _, seq := hashOf(t, l); seq != want {
			t.Fatalf("%d bytes: %d records, want %d", n, seq, want)
		}
		return l
	}
	for n := range len(text) + 1 {
		want := uint64(records[n])
		if err := os.WriteFile(path, text[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		l := open(n, want, func() (*Ledger, error) { return readLedger(path, fixtureNetwork) })
		if _, err := l.Verify(t.Context()); err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		l.close()
		if n%29 != 0 && n < len(text)-60 {
			continue
		}
		write := func() (*Ledger, error) { return openLedger(path, fixtureNetwork, time.Now, quiet) }
		l = open(n, want, write)
		if err := l.Append(t.Context(), &pegs.Configured{Chain: chains.LTC}); err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		l.close()
		open(n, want+1, write).close()
		rest, err := os.ReadFile(path + cutFile)
		if err == nil && !bytes.HasSuffix(text[:n], bytes.TrimSuffix(rest[bytes.IndexByte(rest, '\n')+1:], []byte("\n"))) {
			t.Fatalf("%d bytes: what was cut off is not kept", n)
		}
		os.Remove(path + cutFile)
	}
}

// TestDamagedLogs: a log is never opened with a hole, nor with other events than
// it was written with. Only what stands at its end can be taken for torn.
func TestDamagedLogs(t *testing.T) {
	text, records := wholeLog(t)
	last := bytes.LastIndex(text, []byte{0xca, 0x5e, 0x1a, 0x9e})
	random := rand.New(rand.NewPCG(1, 2))
	path := filepath.Join(t.TempDir(), LogFile)
	try := func(name string, data []byte, at int) {
		t.Helper()
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := readLedger(path, fixtureNetwork)
		if at < last {
			if !errors.Is(err, ErrLogDamaged) && !errors.Is(err, ErrNewerFormat) {
				t.Fatalf("%s at byte %d: %v", name, at, err)
			}
			return
		}
		if err != nil {
			t.Fatalf("%s at byte %d: %v", name, at, err)
		}
		if _, seq := hashOf(t, l); seq < uint64(records[last]) || seq > uint64(records[at]) {
			t.Fatalf("%s at byte %d: %d records", name, at, seq)
		}
		l.close()
	}
	for at := range len(text) {
		altered := bytes.Clone(text)
		altered[at] ^= byte(1 << random.IntN(8))
		try("a bit", altered, at)
		if at%50 == 0 && at > 0 {
			gone := append(bytes.Clone(text[:at]), text[at+1:]...)
			try("a byte gone", gone, at)
			zeros := bytes.Clone(text)
			end := min(at+40, len(text))
			if at < last { // with the end gone as well all would look torn
				end = min(end, last)
			}
			clear(zeros[at:end])
			try("zeros", zeros, at)
		}
	}
	// A frame taken out of the middle, two that changed places, one that is there
	// twice: each whole by itself.
	first := len(logHeader(fixtureNetwork))
	length, _ := bodyLength(text[first:])
	second := first + frameHead + int(length)
	length, _ = bodyLength(text[second:])
	third := second + frameHead + int(length)
	for name, parts := range map[string][][]byte{
		"out":     {text[:first], text[second:]},
		"swapped": {text[:first], text[second:third], text[first:second], text[third:]},
		"twice":   {text[:second], text[first:second], text[second:]},
		"at end":  {text, text[first:second]},
	} {
		try("frame "+name, bytes.Join(parts, nil), first)
	}
}

func TestForeignLogs(t *testing.T) {
	path := filepath.Join(t.TempDir(), LogFile)
	testLedger(t, path).close()
	for name, c := range map[string]struct {
		text string
		want error
		says string
	}{
		"another network": {"causeway-gateway/2\nother\n", ErrLogDamaged, `it is of network "other", not net`},
		"newer":           {"causeway-gateway/3\nnet\nwhatever", ErrNewerFormat, "format 3, this program knows formats up to 2"},
		"unknown":         {"causeway-gateway/0\nnet\n", ErrLogDamaged, "no event log"},
		"something else":  {"SQLite format 3", ErrLogDamaged, "no event log"},
		"zeros":           {strings.Repeat("\x00", 5000), ErrLogDamaged, "no event log"},
	} {
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, readOnly := range []bool{true, false} {
			_, err := openLog(path, "net", readOnly)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if text, err := os.ReadFile(path); err != nil || string(text) != c.text {
			t.Errorf("%s: it was changed", name)
		}
	}
}

func TestLogIsHeld(t *testing.T) {
	path := filepath.Join(t.TempDir(), LogFile)
	l := testLedger(t, path)
	if _, err := readLedger(path, "net"); !errors.Is(err, ErrHomeInUse) {
		t.Errorf("read while it is written: %v", err)
	}
	l.close()
	l, err := readLedger(path, "net")
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	if _, err := openLedger(path, "net", time.Now, quiet); !errors.Is(err, ErrHomeInUse) {
		t.Errorf("written while it is read: %v", err)
	}
}

// What was decided together is durable together, by one write.
func TestGroupCommit(t *testing.T) {
	path := filepath.Join(t.TempDir(), LogFile)
	l := testLedger(t, path)
	fill(t, l, 1)
	l.close() // the writer: this test writes
	if err := l.load(path, "net", false); err != nil {
		t.Fatal(err)
	}
	add := func(epoch uint32) *ledgerTask {
		return &ledgerTask{decide: func(s *pegs.State) ([]Entry, error) {
			return []Entry{{Event: &pegs.EpochAdded{Chain: chains.BTC, Epoch: epoch}}}, nil
		}}
	}
	mine := errors.New("mine")
	tasks := []*ledgerTask{
		add(5), add(6), add(5),
		{decide: func(s *pegs.State) ([]Entry, error) { return nil, mine }},
		{decide: func(s *pegs.State) ([]Entry, error) { return nil, nil }},
		add(7),
	}
	before := l.log.Offset
	l.perform(tasks)
	for i, want := range []error{nil, nil, pegs.ErrTransition, mine, nil, nil} {
		if !errors.Is(tasks[i].err, want) {
			t.Errorf("decision %d: %v, want %v", i, tasks[i].err, want)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if length, ok := bodyLength(text[before:]); !ok || before+frameHead+length != int64(len(text)) || l.log.Offset != int64(len(text)) {
		t.Error("the decisions did not become one frame")
	}
	if got := epochs(t, l); got != 4 {
		t.Errorf("%d epochs", got)
	}
	// A write that fails is everybody's failure, also of who added nothing.
	l.log.file.Close()
	tasks = []*ledgerTask{add(8), {decide: func(s *pegs.State) ([]Entry, error) { return nil, nil }}, add(9)}
	l.perform(tasks)
	for i, task := range tasks {
		if !errors.Is(task.err, ErrLedgerStopped) {
			t.Errorf("decision %d after the failure: %v", i, task.err)
		}
	}
}

// Many records become several frames, one that is larger than a frame should be
// has one for itself, and one that no reader would take is not written.
func TestFramesAreSplit(t *testing.T) {
	records := [][]byte{make([]byte, 10), make([]byte, 10), make([]byte, 10), make([]byte, 500), make([]byte, 20)}
	b, err := appendFrames(nil, records, 45)
	must(t, err)
	var sizes []int
	for len(b) > 0 {
		length, ok := bodyLength(b)
		if !ok {
			t.Fatal("no frame")
		}
		n := 0
		for body := b[frameHead : frameHead+length]; len(body) > 0; n++ {
			var record []byte
			if record, body, ok = nextRecord(body); !ok || len(record) != len(records[0]) {
				t.Fatalf("a record of %d bytes", len(record))
			}
			records = records[1:]
		}
		sizes = append(sizes, n)
		b = b[frameHead+length:]
	}
	if diff := cmp.Diff([]int{2, 1, 1, 1}, sizes); diff != "" || len(records) != 0 {
		t.Error(diff)
	}
	if _, err := appendFrames(nil, [][]byte{make([]byte, maxFrame+1)}, 45); err == nil {
		t.Error("a record that no reader takes was written")
	}
}
