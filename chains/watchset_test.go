package chains

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestWatchSetIsAMap compares the set with a map.
func TestWatchSetIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set, model := NewWatchSet(), map[string]Watch{}
		script := rapid.SliceOfN(rapid.Byte(), 1, 3)
		for range rapid.IntRange(0, 300).Draw(t, "adds") {
			s := script.Draw(t, "script")
			w := Watch{
				Kind: rapid.SampledFrom(watchKinds[:]).Draw(t, "kind"), Epoch: rapid.Uint32().Draw(t, "epoch"),
				Account: rapid.StringN(0, 8, 16).Draw(t, "account"), Address: rapid.StringN(0, 8, 90).Draw(t, "address"),
			}
			old, taken := model[string(s)]
			if err := set.Add(s, w); (err != nil) != (taken && old != w) {
				t.Fatalf("Add over %v of %v: %v", old, w, err)
			}
			if !taken {
				model[string(s)] = w
			}
		}
		if set.Len() != len(model) {
			t.Fatalf("%d scripts, want %d", set.Len(), len(model))
		}
		for range 100 {
			s := script.Draw(t, "lookup")
			want, wantOK := model[string(s)]
			if got, ok := set.Lookup(s); ok != wantOK || got != want {
				t.Fatalf("Lookup(%x) = %v, %v; want %v, %v", s, got, ok, want, wantOK)
			}
		}
	})
}

func TestWatchSetRefuses(t *testing.T) {
	set := NewWatchSet()
	for _, tt := range []struct {
		script []byte
		watch  Watch
	}{
		{nil, Watch{Kind: WatchHot}},
		{[]byte{1}, Watch{Kind: "other"}},
		{make([]byte, 1<<16), Watch{Kind: WatchHot}},
		{[]byte{1}, Watch{Kind: WatchDeposit, Account: strings.Repeat("a", 256)}},
	} {
		if err := set.Add(tt.script, tt.watch); err == nil {
			t.Errorf("watching %v as %v", tt.script, tt.watch)
		}
	}
	if _, ok := set.Lookup(nil); ok || set.Len() != 0 {
		t.Error("an empty script is watched")
	}
}

func TestMatch(t *testing.T) {
	set := NewWatchSet()
	alice := Watch{Kind: WatchDeposit, Account: "alice", Epoch: 3, Address: "bcrt1alice"}
	if err := set.Add([]byte("to alice"), alice); err != nil {
		t.Fatal(err)
	}
	out := func(tx string, index uint32, script string, v uint64) Output {
		return Output{Outpoint: Outpoint{tx, index}, Script: []byte(script), Amount: NewAmount(v)}
	}
	spend := func(tx string, index uint32, by string) Spend { return Spend{Outpoint{tx, index}, by} }
	block := &Block{
		Header:       Header{BlockRef: BlockRef{7, "h7"}, Parent: "h6", Time: 5},
		Transactions: []string{"c", "1", "2", "3", "4"},
		Outputs: []Output{
			out("c", 0, "miner", 50), out("1", 0, "to alice", 1), out("1", 1, "to alice", 2), out("1", 2, "to alic", 3),
			out("2", 0, "to alice!", 4), out("3", 0, "x", 5), out("4", 0, "", 6),
		},
		Spends: []Spend{
			spend("p", 0, "1"), spend("p", 1, "1"), // not ours
			spend("q", 0, "2"), spend("old", 7, "2"), spend("q", 1, "2"), // one of three is
			spend("1", 1, "3"), spend("r", 0, "3"), // spends what this block paid
			spend("old", 8, "4"), // same transaction as ours, another output
		},
	}
	ours := func(o Outpoint) bool { return o == Outpoint{"old", 7} }
	got := set.Match(block, ours)
	want := &Matched{
		Header:   block.Header,
		Payments: []Payment{{block.Outputs[1], alice}, {block.Outputs[2], alice}},
		Spends:   []Spend{block.Spends[2], block.Spends[3], block.Spends[4], block.Spends[5], block.Spends[6]},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("-want +got\n%s", diff)
	}
	// The result must not share the block's memory.
	block.Outputs[1].Script[0] = '!'
	if !bytes.Equal(got.Payments[0].Script, []byte("to alice")) {
		t.Fatal("a payment shares its script with the block")
	}
	if m := set.Match(block, nil); len(m.Spends) != 2 {
		t.Fatalf("without outpoints of ours: %v", m.Spends)
	}
}

// Scenario 7: what holds our key or its hash in any other form is not ours.
func TestLookalikesAreNotOurs(t *testing.T) {
	key, hash := bytes.Repeat([]byte{2}, 33), bytes.Repeat([]byte{7}, 20)
	script := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	ours := script([]byte{0, 20}, hash)
	set := NewWatchSet()
	if err := set.Add(ours, Watch{Kind: WatchDeposit, Account: "alice"}); err != nil {
		t.Fatal(err)
	}
	if _, ok := set.Lookup(ours); !ok {
		t.Fatal("our own script is not ours")
	}
	for name, s := range map[string][]byte{
		"P2PKH of the hash":         script([]byte{0x76, 0xa9, 20}, hash, []byte{0x88, 0xac}),
		"P2SH of the hash":          script([]byte{0xa9, 20}, hash, []byte{0x87}),
		"P2PK":                      script([]byte{33}, key, []byte{0xac}),
		"bare multisig":             script([]byte{0x51, 33}, key, []byte{0x51, 0xae}),
		"OP_RETURN of the hash":     script([]byte{0x6a, 20}, hash),
		"OP_RETURN of the script":   script([]byte{0x6a, 22}, ours),
		"witness version 1":         script([]byte{0x51, 20}, hash),
		"witness version 2":         script([]byte{0x52, 20}, hash),
		"pushed by OP_PUSHDATA1":    script([]byte{0, 0x4c, 20}, hash),
		"a program of 32 bytes":     script([]byte{0, 32}, hash, make([]byte, 12)),
		"with a byte more":          script(ours, []byte{0}),
		"with a byte less":          ours[:21],
		"behind a token prefix":     script([]byte{0xef}, make([]byte, 32), []byte{0x20}, ours),
		"the hash, one bit changed": script([]byte{0, 20, 6}, hash[1:]),
	} {
		if w, ok := set.Lookup(s); ok {
			t.Errorf("%s is taken for %v", name, w)
		}
	}
}

// watchedScript is the n-th of many P2WPKH scripts.
func watchedScript(n int) []byte {
	script := append([]byte{0, 20}, make([]byte, 20)...)
	binary.LittleEndian.PutUint64(script[2:], uint64(n)*0x9e3779b97f4a7c15)
	binary.LittleEndian.PutUint64(script[10:], uint64(n))
	return script
}

func bigSet(tb testing.TB, n int) *WatchSet {
	set := NewWatchSet()
	for i := range n {
		err := set.Add(watchedScript(i), Watch{Kind: WatchDeposit, Account: fmt.Sprintf("user%d", i), Address: "bcrt1qxy2kgdygjrsqtzq2n0yrf2493p83kkfjhx0wl0"})
		if err != nil {
			tb.Fatal(err)
		}
	}
	return set
}

func TestMissTakesNoMemory(t *testing.T) {
	set := bigSet(t, 10_000)
	stranger := watchedScript(1 << 40)
	if n := testing.AllocsPerRun(100, func() { set.Lookup(stranger) }); n != 0 {
		t.Fatalf("%f allocations", n)
	}
	if _, ok := set.Lookup(watchedScript(9_999)); !ok {
		t.Fatal("the last script is not found")
	}
}

func BenchmarkLookupMiss(b *testing.B) {
	for _, n := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			set := bigSet(b, n)
			strangers := make([][]byte, 1<<12)
			for i := range strangers {
				strangers[i] = watchedScript(1<<40 + i)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				if _, ok := set.Lookup(strangers[i&(1<<12-1)]); ok {
					b.Fatal("found a stranger")
				}
			}
		})
	}
}
