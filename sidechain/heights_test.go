package sidechain_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"causeway/sidechain"
	"causeway/sidechain/contracts/resourcemanager"
	"causeway/sidechain/contracts/tokens"
)

// TestOrderOfLogs: after the fee's merge events come first, but only for those
// who may be charged.
func TestOrderOfLogs(t *testing.T) {
	k := noisy("probe")
	events := fmt.Sprintf(eventText, "probe")
	old, merged := "{"+errorText+","+events+"}", "{"+events+","+errorText+"}"
	p := newPeer(t, resourcemanager.Plain(), k)
	for _, tt := range []struct {
		ref          uint64
		sender, want string
	}{
		{latestRule - 1, "alice", old}, {latestRule, "alice", merged}, {latestRule + 1, "null", old},
	} {
		if got := p.block(tt.ref, p.call(tt.sender, "probe", "both", `{}`)).Transactions[0].Logs; got != tt.want {
			t.Errorf("%s in %d: %s, want %s", tt.sender, tt.ref, got, tt.want)
		}
	}
	// The chain's own answers have one member.
	b := p.block(latestRule+2, p.call("alice", "contract", "deploy", deployment("probe", k)), p.call("alice", "probe", "createSSC", `{}`),
		p.call("alice", "", "x", `{}`), p.call("alice", "contract", "deploy", ""))
	var got []string
	for _, tx := range b.Transactions {
		got = append(got, tx.Logs+tx.ExecutedCodeHash)
	}
	want := []string{
		`{"errors":["the contract deployment is currently unavailable"]}`, `{"errors":["you cannot trigger this action"]}`,
		`{"errors":["the parameters sender, contract and action are required"]}`, `{"errors":["contract doesn't exist"]}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
}

// TestExecutedCodeHash: nested calls that ran are chained, or appended before
// a height; those that the engine ended count nothing.
func TestExecutedCodeHash(t *testing.T) {
	k := noisy("probe")
	p, h := newPeer(t, k), k.CodeHash()
	for ref, want := range map[uint64]string{83680408: h + h + h, 83680409: hexSum(hexSum(h+h) + h)} {
		tx := p.block(ref, p.call("alice", "probe", "nested", `{}`)).Transactions[0]
		if tx.ExecutedCodeHash != want {
			t.Errorf("block %d: %s, want %s", ref, tx.ExecutedCodeHash, want)
		}
		if tx.Logs != `{"errors":["contract doesn't exist","RangeError: x","unknown error"]}` {
			t.Errorf("block %d: %s", ref, tx.Logs)
		}
	}
	b := p.block(90_000_000, p.call("alice", "probe", "throw", `{}`), p.call("alice", "probe", "unknown", `{}`), p.call("alice", "probe", "both", `{}`))
	for i, want := range []string{"", "", h} {
		if got := b.Transactions[i].ExecutedCodeHash; got != want {
			t.Errorf("transaction %d: code hash %q, want %q", i, got, want)
		}
	}
}

// TestCommentsFiltered: before a height, calls of comments that say anything
// are executed but not stored.
func TestCommentsFiltered(t *testing.T) {
	p := newPeer(t, noisy("comments"))
	for ref, want := range map[uint64]int{54560500: 1, 54560501: 2} {
		b := p.block(ref, p.call("null", "comments", "comment", `{}`), p.call("null", "comments", "quiet", `{}`))
		if got := len(b.Transactions); got != want {
			t.Errorf("block %d has %d transactions, want %d", ref, got, want)
		}
	}
	b, trace, err := p.produce(54560499, p.call("alice", "comments", "both", `{}`))
	if b != nil || err != nil || trace.HashChanged {
		t.Errorf("a block of nothing kept: %v %v", b, err)
	}
}

// TestFeeStopsBlock: the node reads payloads for the fee outside any try; for
// "null" and before the fee it does not.
func TestFeeStopsBlock(t *testing.T) {
	p := newPeer(t, resourcemanager.Plain(), noisy("probe"))
	before := p.rt.Last()
	_, _, err := p.produce(latestRule, p.call("alice", "probe", "silent", `{}`), p.call("alice", "probe", "quiet", "{"))
	if !errors.Is(err, sidechain.ErrBlock) || p.rt.Last() != before {
		t.Errorf("unreadable payload: %v", err)
	}
	text := `{"errors":["SyntaxError: Expected property name or '}' in JSON at position 1"]}`
	for _, tx := range []*sidechain.Transaction{
		p.block(latestRule-1, p.call("alice", "probe", "quiet", "{")).Transactions[0],
		p.block(latestRule, p.call("null", "probe", "quiet", "{")).Transactions[0],
	} {
		if tx.Logs != text {
			t.Errorf("%s: %s", tx.Sender.Value, tx.Logs)
		}
	}
	// Empty payloads are no reason to stop, nor is a contract that is missing.
	b := p.block(latestRule+1, p.call("alice", "probe", "quiet", ""), p.call("alice", "nobody", "x", ""))
	if b.Transactions[0].Logs != quietText || b.Transactions[1].Logs != `{"errors":["contract doesn't exist"]}` {
		t.Errorf("%s %s", b.Transactions[0].Logs, b.Transactions[1].Logs)
	}
	// Without the contract of fees nobody can do anything any more.
	q := newPeer(t, noisy("probe"))
	b = q.block(latestRule, q.call("alice", "probe", "quiet", "{}"), q.call("null", "probe", "both", "{}"))
	if b.Transactions[0].Logs != `{"errors":["contract doesn't exist"]}` || !strings.Contains(b.Transactions[1].Logs, "not done") {
		t.Errorf("without fees: %s %s", b.Transactions[0].Logs, b.Transactions[1].Logs)
	}
}

// TestFeeCounts: the count is of the sender and the block; free ones, markets,
// the limit of twenty.
func TestFeeCounts(t *testing.T) {
	p := newPeer(t, tokens.Bootstrap(), tokens.Current(), resourcemanager.Plain(), noisy("market"), noisy("probe"))
	const key = `,"isSignedWithActiveKey":true}`
	setup := []*sidechain.Transaction{
		p.call("hive-engine", "tokens", "create", `{"name":"x","symbol":"BEED","precision":3,"maxSupply":"1"`+key),
		p.call("hive-engine", "tokens", "issue", `{"symbol":"BEED","to":"alice","quantity":"0.002"`+key),
		p.call("hive-engine", "resourcemanager", "updateParams", `{"numberOfFreeTx":2}`),
	}
	for _, tx := range p.block(latestRule-1, setup...).Transactions {
		if strings.Contains(tx.Logs, "errors") {
			t.Fatal(tx.Logs)
		}
	}
	var txs []*sidechain.Transaction
	add := func(sender, name string) { txs = append(txs, p.call(sender, name, "both", `{}`)) }
	for range 19 {
		add("alice", "probe")
	}
	add("alice", "market") // 20th: charged
	add("bob", "market")   // his first
	add("alice", "market") // 21st: markets have no limit
	add("alice", "probe")  // 22nd: too many
	add("alice", "market") // cannot pay any more
	ran := func(name string) string { return fmt.Sprintf("{"+eventText+","+errorText+"}", name) }
	fee := `{"contract":"resourcemanager","event":"burnFee","data":{"from":"alice","to":"null","symbol":"BEED","fee":"0.001"}}`
	paid := `{"events":[{"contract":"tokens","event":"transfer","data":{"from":"alice","to":"null","symbol":"BEED","quantity":"0.001"}},` + fee + "," +
		`{"contract":"market","event":"done"}],"errors":["not done"]}`
	want := []string{
		ran("probe"), paid, ran("market"), paid, `{"errors":["max transaction limit per block reached."]}`,
		`{"events":[` + fee + `],"errors":["overdrawn balance","not enough tokens for multiTransaction fee"]}`,
	}
	var got []string
	for _, tx := range p.block(latestRule, txs...).Transactions[18:] {
		got = append(got, tx.Logs)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("logs (-want +got):\n%s", diff)
	}
}
