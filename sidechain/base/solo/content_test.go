package solo

import (
	"context"
	"errors"
	"strings"
	"testing"

	"causeway/sidechain/base"
	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
)

func post(author, permlink, body string) *graphene.Comment {
	return &graphene.Comment{ParentPermlink: "cool", Author: author, Permlink: permlink, Title: "T", Body: body, JSONMetadata: `{"tags":["cool"]}`}
}

func reply(author, permlink, parentAuthor, parentPermlink string) *graphene.Comment {
	return &graphene.Comment{ParentAuthor: parentAuthor, ParentPermlink: parentPermlink, Author: author, Permlink: permlink, Body: "b"}
}

func TestContent(t *testing.T) {
	n := newNetwork(t, nil)
	n.send(n.tx([]string{"alice/posting"}, post("alice", "hello", "one")))
	n.send(n.tx([]string{"bob/posting"}, reply("bob", "re-hello", "alice", "hello")))
	n.send(n.tx([]string{"carol/posting"},
		reply("carol", "re-re", "bob", "re-hello"),
		&graphene.Vote{Voter: "carol", Author: "alice", Permlink: "hello", Weight: 10000},
		&graphene.Vote{Voter: "carol", Author: "bob", Permlink: "re-hello", Weight: -5000},
	))
	n.send(n.tx([]string{"alice/posting"}, &graphene.CustomJSON{RequiredPostingAuths: []string{"alice"}, ID: "x", JSON: "1"}, post("alice", "hello", "two")))

	got, ok, err := n.Content("alice", "hello")
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	for member, want := range map[string]jsvalue.Value{
		"body": "two", "title": "T", "category": "cool", "depth": 0.0, "children": 1.0, "net_votes": 1.0,
		"url": "/cool/@alice/hello", "json_metadata": `{"tags":["cool"]}`,
	} {
		if have := got.Get(member); !jsvalue.Equal(have, want) {
			t.Errorf("%s: %v, want %v", member, have, want)
		}
	}
	if text(got, "created") >= text(got, "last_update") {
		t.Error("created and last_update")
	}
	deep, _, err := n.Content("carol", "re-re")
	if err != nil || number(deep, "depth") != 2 || text(deep, "category") != "cool" {
		t.Errorf("reply to a reply: %v, %v", jsvalue.Stringify(deep), err)
	}
	votes := n.Votes("bob", "re-hello")
	if len(votes) != 1 || votes[0].Get("percent") != -5000.0 || votes[0].Get("voter") != "carol" {
		t.Errorf("votes: %v", votes)
	}
	if _, ok, err := n.Content("alice", "nothing"); ok || err != nil {
		t.Error("a post that is not there")
	}
}

func TestContentRules(t *testing.T) {
	n := newNetwork(t, nil)
	n.send(n.tx([]string{"alice/posting"}, post("alice", "hello", "one")))
	n.send(n.tx([]string{"bob/posting"}, &graphene.Vote{Voter: "bob", Author: "alice", Permlink: "hello", Weight: 1}))
	options := func(change func(*graphene.CommentOptions)) *graphene.CommentOptions {
		payout, _ := graphene.ParseAsset("1000000.000 HBD")
		o := &graphene.CommentOptions{Author: "alice", Permlink: "hello", MaxAcceptedPayout: payout, PercentHBD: 10000, AllowVotes: true, AllowCurationRewards: true}
		change(o)
		return o
	}
	long := strings.Repeat("x", 256)
	for name, op := range map[string]graphene.Operation{
		"parent missing":      reply("alice", "a", "bob", "nothing"),
		"parent changed":      reply("alice", "hello", "alice", "hello"),
		"category changed":    &graphene.Comment{ParentPermlink: "other", Author: "alice", Permlink: "hello", Body: "b"},
		"permlink empty":      post("alice", "", "b"),
		"permlink upper":      post("alice", "Hello", "b"),
		"permlink long":       post("alice", long, "b"),
		"permlink slash":      post("alice", "a/b", "b"),
		"category":            &graphene.Comment{ParentPermlink: "a b", Author: "alice", Permlink: "p", Body: "b"},
		"body empty":          post("alice", "p", ""),
		"author invalid":      post("Alice", "p", "b"),
		"vote on nothing":     &graphene.Vote{Voter: "alice", Author: "bob", Permlink: "nothing", Weight: 1},
		"vote too heavy":      &graphene.Vote{Voter: "alice", Author: "alice", Permlink: "hello", Weight: 10001},
		"vote too light":      &graphene.Vote{Voter: "alice", Author: "alice", Permlink: "hello", Weight: -10001},
		"vote of nothing":     &graphene.Vote{Voter: "alice", Author: "alice", Permlink: "hello", Weight: 0},
		"options for nothing": options(func(o *graphene.CommentOptions) { o.Permlink = "nothing" }),
		"payout in HIVE":      options(func(o *graphene.CommentOptions) { o.MaxAcceptedPayout.Symbol = "HIVE" }),
		"payout greater":      options(func(o *graphene.CommentOptions) { o.MaxAcceptedPayout.Amount++ }),
		"percent":             options(func(o *graphene.CommentOptions) { o.PercentHBD = 10001 }),
		"late beneficiaries": options(func(o *graphene.CommentOptions) {
			o.Beneficiaries = []graphene.Beneficiary{{Account: "bob", Weight: 1}}
		}),
		"unsorted beneficiaries": options(func(o *graphene.CommentOptions) {
			o.Beneficiaries = []graphene.Beneficiary{{Account: "carol", Weight: 1}, {Account: "bob", Weight: 1}}
		}),
		"beneficiaries over 100 %": options(func(o *graphene.CommentOptions) {
			o.Beneficiaries = []graphene.Beneficiary{{Account: "bob", Weight: 9000}, {Account: "carol", Weight: 1001}}
		}),
	} {
		err := n.Broadcast(context.Background(), n.tx([]string{"alice/active"}, op))
		var reject *base.RejectError
		if !errors.As(err, &reject) || (reject.Kind != base.RejectInvalid && reject.Kind != base.RejectAuthority) {
			t.Errorf("%s: %v", name, err)
		}
	}
	same := &graphene.Vote{Voter: "bob", Author: "alice", Permlink: "hello", Weight: 1}
	n.refuse(n.tx([]string{"bob/posting"}, same), base.RejectInvalid)
	n.send(n.tx([]string{"bob/posting"}, &graphene.Vote{Voter: "bob", Author: "alice", Permlink: "hello", Weight: 0}))
	n.send(n.tx([]string{"alice/posting"}, options(func(o *graphene.CommentOptions) { o.AllowVotes = false; o.PercentHBD = 0 })))
	n.refuse(n.tx([]string{"bob/posting"}, same), base.RejectInvalid)
	n.refuse(n.tx([]string{"alice/posting"}, options(func(*graphene.CommentOptions) {})), base.RejectInvalid)
}

func TestBeneficiaries(t *testing.T) {
	n := newNetwork(t, nil)
	payout, _ := graphene.ParseAsset("0.000 HBD")
	o := &graphene.CommentOptions{
		Author: "alice", Permlink: "hello", MaxAcceptedPayout: payout, AllowVotes: true,
		Beneficiaries: []graphene.Beneficiary{{Account: "bob", Weight: 2500}, {Account: "nobody", Weight: 1}},
	}
	n.send(n.tx([]string{"alice/posting"}, post("alice", "hello", "one")))
	n.refuse(n.tx([]string{"alice/posting"}, o), base.RejectInvalid)
	o.Beneficiaries = o.Beneficiaries[:1]
	n.send(n.tx([]string{"alice/posting"}, o))
	got, _, err := n.Content("alice", "hello")
	if err != nil {
		t.Fatal(err)
	}
	if have := jsvalue.Stringify(got.Get("beneficiaries")); have != `[{"account":"bob","weight":2500}]` {
		t.Errorf("beneficiaries %s", have)
	}
	n.refuse(n.tx([]string{"alice/posting"}, o), base.RejectInvalid)
}
