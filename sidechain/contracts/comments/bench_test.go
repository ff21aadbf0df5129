package comments_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"causeway/sidechain"
	"causeway/sidechain/base"
	"causeway/sidechain/contract"
	"causeway/sidechain/contracts/comments"
	"causeway/sidechain/contracts/contracttest"
	"causeway/sidechain/contracts/resourcemanager"
	"causeway/sidechain/contracts/tokens"
	"causeway/sidechain/graphene"
	"causeway/sidechain/state"
)

const perBlock = 1000

// forum is an engine with a pool, posts and accounts that hold stake.
type forum struct {
	b      *testing.B
	engine *sidechain.Engine
	last   string
	ref    uint64
	ids    int
	clock  time.Time
}

func openForum(b *testing.B, path string, voters, posts int, config string) *forum {
	b.Helper()
	g := contracttest.Genesis()
	text, err := g.Encode()
	if err != nil {
		b.Fatal(err)
	}
	db, err := state.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	f := &forum{b: b}
	f.engine, err = sidechain.OpenEngine(sidechain.EngineConfig{
		Genesis: g, GenesisBytes: text, DB: db, CheckpointBlocks: 10, CheckpointEvery: -1,
		Contracts: []contract.Contract{tokens.New(), resourcemanager.New(), comments.New()},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := f.engine.Close(); err != nil {
			b.Error(err)
		}
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	f.last = f.engine.Head().RefID
	if f.clock, err = time.Parse(base.TimeLayout, contracttest.Start); err != nil {
		b.Fatal(err)
	}
	f.apply(f.block(
		call("causeway", "tokens", "create", `{"name":"Cool","symbol":"COOL","precision":8,"maxSupply":"1000000000"}`),
		call("causeway", "tokens", "enableStaking", `{"symbol":"COOL","unstakingCooldown":1,"numberTransactions":1}`),
		call("causeway", "tokens", "issue", `{"symbol":"COOL","to":"gateway","quantity":"1000000"}`),
		call("causeway", "comments", "createRewardPool", `{"symbol":"COOL","config":`+config+`}`)))
	var ops []graphene.Operation
	for i := range voters { // an attestor has no limit for a block
		ops = append(ops, call("gateway", "tokens", "stake", fmt.Sprintf(`{"symbol":"COOL","to":%q,"quantity":"10.5"}`, voter(i))))
	}
	for i := range posts {
		ops = append(ops, post("alice", fmt.Sprintf("p%d", i), "cool"))
	}
	for at := 0; at < len(ops); at += perBlock {
		f.apply(f.block(ops[at:min(at+perBlock, len(ops))]...))
	}
	return f
}

func call(sender, name, action, payload string) graphene.Operation {
	return &graphene.CustomJSON{RequiredAuths: []string{sender}, ID: "ssc-causeway-test",
		JSON: fmt.Sprintf(`{"contractName":%q,"contractAction":%q,"contractPayload":%s}`, name, action, payload)}
}

func (f *forum) block(ops ...graphene.Operation) *base.Block {
	f.ref++
	f.clock = f.clock.Add(3 * time.Second)
	b := &base.Block{
		Number: f.ref, ID: fmt.Sprintf("%08x%032x", f.ref, f.ref), Previous: f.last,
		Timestamp: f.clock.Format(base.TimeLayout), Transactions: make([]base.Transaction, len(ops)),
	}
	for i, op := range ops {
		f.ids++
		b.Transactions[i].ID = fmt.Sprintf("%040x", f.ids)
		b.Transactions[i].Operations = []graphene.Operation{op}
	}
	f.last = b.ID
	return b
}

func (f *forum) apply(b *base.Block) {
	f.b.Helper()
	if err := f.engine.Apply(b); err != nil {
		f.b.Fatal(err)
	}
}

func benchmarkVotes(b *testing.B, path, config string) {
	const voters, posts = 10_000, 1000
	f := openForum(b, path, voters, posts, config)
	next := 0
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i += perBlock {
		b.StopTimer()
		ops := make([]graphene.Operation, perBlock)
		for j := range ops {
			at := next % voters
			ops[j] = vote(voter(at), "alice", fmt.Sprintf("p%d", (at*7+next/voters)%posts), 10000)
			next++
		}
		block := f.block(ops...)
		b.StartTimer()
		f.apply(block)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "votes/s")
}

// BenchmarkVotes: blocks of 1,000 votes of 10,000 stakers on 1,000 posts of
// one pool, one operation is one vote.
func BenchmarkVotes(b *testing.B) {
	curved := config(b, "postRewardCurveParameter", "1.03", "curationRewardCurveParameter", "0.7")
	linear := config(b)
	b.Run("memory", func(b *testing.B) { benchmarkVotes(b, "", linear) })
	b.Run("curves", func(b *testing.B) { benchmarkVotes(b, "", curved) })
	b.Run("disk", func(b *testing.B) { benchmarkVotes(b, filepath.Join(b.TempDir(), "sidechain.db"), linear) })
}

// BenchmarkPayout: the maintenance of one block, which pays a hundred votes
// and stakes half of each reward; one operation is one such block.
func BenchmarkPayout(b *testing.B) {
	const voters = 10_000
	f := openForum(b, "", voters, 1, config(b, "rewardPerInterval", "100000"))
	var ops []graphene.Operation
	for i := range voters {
		ops = append(ops, vote(voter(i), "alice", "p0", 10000))
	}
	visit := vote("bob", "nobody", "none", 1)
	blocks := 0
	b.ReportAllocs()
	for b.Loop() {
		if blocks == 0 {
			b.StopTimer()
			f.post(fmt.Sprintf("again%d", f.ref), ops)
			blocks = voters / 100
			b.StartTimer()
		}
		blocks--
		f.apply(f.block(visit))
	}
}

// post writes a post, has all vote for it and waits for the interval that pays
// it.
func (f *forum) post(permlink string, votes []graphene.Operation) {
	f.apply(f.block(post("alice", permlink, "cool")))
	for i := range votes {
		v := *votes[i].(*graphene.Vote)
		v.Permlink = permlink
		votes[i] = &v
	}
	for at := 0; at < len(votes); at += perBlock {
		f.apply(f.block(votes[at:min(at+perBlock, len(votes))]...))
	}
	f.clock = f.clock.Add(48 * time.Hour)
	f.apply(f.block(vote("bob", "nobody", "none", 1)))
}

// BenchmarkClaims: the maintenance of one block that opens an interval in which
// 10,000 posts end, with votes, and pays the first 20.
func BenchmarkClaims(b *testing.B) {
	f := openForum(b, "", 10_000, 0, config(b, "postRewardCurveParameter", "1.03"))
	visit := vote("bob", "nobody", "none", 1)
	for b.Loop() {
		b.StopTimer()
		var posts, votes []graphene.Operation
		for i := range 10_000 {
			permlink := fmt.Sprintf("p%d-%d", f.ref, i)
			posts = append(posts, post("alice", permlink, "cool"))
			votes = append(votes, vote(voter(i), "alice", permlink, 10000))
		}
		f.apply(f.block(posts...))
		f.apply(f.block(votes...))
		f.clock = f.clock.Add(24 * time.Hour)
		f.apply(f.block(visit))
		f.clock = f.clock.Add(24 * time.Hour)
		b.StartTimer()
		f.apply(f.block(visit))
	}
}
