package solo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"causeway/sidechain/base"
	"causeway/sidechain/graphene"
)

func TestImpossibleAuthorities(t *testing.T) {
	n := newNetwork(t, nil)
	key := func(i int) graphene.PublicKey { return testKey(t, fmt.Sprint("key", i), "active").Public() }
	var many graphene.Authority
	for i := 0; i < 41; i++ {
		many.KeyAuths = append(many.KeyAuths, graphene.KeyAuth{Key: key(i), Weight: 1})
	}
	many.WeightThreshold = 1
	offCurve := key(0)
	for offCurve.Valid() {
		offCurve[32]++
	}
	accounts := func(threshold uint32, names ...string) graphene.Authority {
		a := graphene.Authority{WeightThreshold: threshold}
		for _, name := range names {
			a.AccountAuths = append(a.AccountAuths, graphene.AccountAuth{Account: name, Weight: 1})
		}
		return a
	}
	for name, authority := range map[string]graphene.Authority{
		"zero":            {},
		"threshold zero":  {KeyAuths: []graphene.KeyAuth{{Key: key(1), Weight: 1}}},
		"empty":           {WeightThreshold: 1},
		"unreachable":     {WeightThreshold: 3, KeyAuths: []graphene.KeyAuth{{Key: key(1), Weight: 1}, {Key: key(2), Weight: 1}}},
		"weight zero":     {WeightThreshold: 1, KeyAuths: []graphene.KeyAuth{{Key: key(1)}}},
		"41 entries":      many,
		"duplicate key":   {WeightThreshold: 2, KeyAuths: []graphene.KeyAuth{{Key: key(1), Weight: 1}, {Key: key(1), Weight: 1}}},
		"null key":        {WeightThreshold: 1, KeyAuths: []graphene.KeyAuth{{Weight: 1}}},
		"off the curve":   {WeightThreshold: 1, KeyAuths: []graphene.KeyAuth{{Key: offCurve, Weight: 1}}},
		"itself":          accounts(1, "dave"),
		"unknown account": accounts(1, "nobody"),
		"null account":    accounts(1, "null"),
		"twice":           accounts(2, "bob", "bob"),
	} {
		for _, role := range []string{"owner", "active", "posting"} {
			op := create(t, "dave")
			switch role {
			case "owner":
				op.Owner = authority
			case "active":
				op.Active = authority
			case "posting":
				op.Posting = authority
			}
			err := n.Broadcast(context.Background(), n.tx([]string{"causeway/active"}, op))
			var reject *base.RejectError
			if !errors.As(err, &reject) || reject.Kind != base.RejectInvalid {
				t.Errorf("%s as %s: %v", name, role, err)
			}
		}
	}
}

func TestAuthorityCycles(t *testing.T) {
	n := newNetwork(t, nil)
	behind := func(account string, names ...string) *graphene.AccountUpdate {
		a := keyOf(t, account, "active")
		for _, name := range names {
			a.AccountAuths = append(a.AccountAuths, graphene.AccountAuth{Account: name, Weight: 1})
		}
		return &graphene.AccountUpdate{Account: account, Active: &a}
	}
	n.send(n.tx([]string{"alice/active"}, behind("alice", "bob")))
	n.send(n.tx([]string{"bob/active"}, behind("bob", "carol")))
	n.refuse(n.tx([]string{"carol/active"}, behind("carol", "alice")), base.RejectInvalid)
	n.refuse(n.tx([]string{"bob/active"}, behind("bob", "alice")), base.RejectInvalid)
	n.refuse(n.tx([]string{"carol/active"}, behind("carol", "carol")), base.RejectInvalid)
	n.send(n.tx([]string{"carol/active"}, behind("carol", "gateway")))
}

// An authority that only an account too far away could fulfil is impossible.
func TestAuthorityBeyondReach(t *testing.T) {
	n := newNetwork(t, nil)
	only := func(account, name string) *graphene.AccountUpdate {
		a := graphene.Authority{WeightThreshold: 1, AccountAuths: []graphene.AccountAuth{{Account: name, Weight: 1}}}
		return &graphene.AccountUpdate{Account: account, Active: &a}
	}
	n.send(n.tx([]string{"alice/active"}, only("alice", "bob")))
	n.send(n.tx([]string{"carol/active"}, only("carol", "alice"))) // carol <- alice <- bob's key
	n.refuse(n.tx([]string{"gateway/active"}, only("gateway", "carol")), base.RejectInvalid)
	n.send(n.tx([]string{"bob/active"}, transfer("carol", "bob", "1.000 HIVE")))
	n.refuse(n.tx([]string{"carol/active"}, transfer("carol", "bob", "1.000 HIVE")), base.RejectAuthority)
	n.send(n.tx([]string{"carol/owner"}, transfer("carol", "bob", "1.000 HIVE"))) // owner stands in
}

func TestRolesAndKeys(t *testing.T) {
	n := newNetwork(t, nil)
	post := &graphene.Comment{ParentPermlink: "cool", Author: "alice", Permlink: "hello", Title: "t", Body: "b"}
	posting := &graphene.CustomJSON{RequiredPostingAuths: []string{"alice"}, ID: "x", JSON: "{}"}
	owner := keyOf(t, "alice", "owner")
	update := &graphene.AccountUpdate{Account: "alice", Owner: &owner}
	for _, row := range []struct {
		name    string
		op      graphene.Operation
		signers []string
		kind    base.RejectKind
		message string
	}{
		{"no signature", customJSON("alice"), nil, base.RejectAuthority, "missing required active authority"},
		{"posting key for active", customJSON("alice"), []string{"alice/posting"}, base.RejectAuthority, "missing required active authority"},
		{"memo key for active", customJSON("alice"), []string{"alice/memo"}, base.RejectAuthority, "missing required active authority"},
		{"somebody else's", customJSON("alice"), []string{"bob/active"}, base.RejectAuthority, "missing required active authority"},
		{"unknown account", customJSON("nobody"), []string{"alice/active"}, base.RejectAuthority, "missing required active authority"},
		{"null", customJSON("null"), []string{"alice/active"}, base.RejectAuthority, "missing required active authority"},
		{"posting for null", &graphene.CustomJSON{RequiredPostingAuths: []string{"null"}, ID: "x", JSON: "{}"}, []string{"alice/posting"}, base.RejectAuthority, "missing required posting authority"},
		{"the gate", customJSON("peg"), []string{"alice/active"}, base.RejectAuthority, "missing required active authority"},
		{"memo key for posting", post, []string{"alice/memo"}, base.RejectAuthority, "missing required posting authority"},
		{"active for owner", update, []string{"alice/active"}, base.RejectAuthority, "missing required owner authority"},
		{"needless", customJSON("alice"), []string{"alice/active", "bob/active"}, base.RejectSignature, "irrelevant signature"},
		{"twice", customJSON("alice"), []string{"alice/active", "alice/active"}, base.RejectSignature, "duplicate signature"},
		{"mixed", &graphene.CustomJSON{RequiredAuths: []string{"alice"}, RequiredPostingAuths: []string{"bob"}, ID: "x", JSON: "{}"},
			[]string{"alice/active", "bob/posting"}, base.RejectAuthority, "cannot be combined"},
		{"nobody", &graphene.CustomJSON{ID: "x", JSON: "{}"}, []string{"alice/active"}, base.RejectInvalid, "at least one account"},
	} {
		t.Run(row.name, func(t *testing.T) {
			n.t = t
			if reject := n.refuse(n.tx(row.signers, row.op), row.kind); !strings.Contains(reject.Message, row.message) {
				t.Errorf("%q, want %q", reject.Message, row.message)
			}
		})
	}
	n.t = t
	n.send(n.tx([]string{"alice/posting"}, posting))
	n.send(n.tx([]string{"alice/active"}, post))
	n.send(n.tx([]string{"alice/owner"}, update))
	n.send(n.tx([]string{"alice/active", "bob/active"}, &graphene.CustomJSON{RequiredAuths: []string{"alice", "bob"}, ID: "x", JSON: "{}"}))
}

func TestWeights(t *testing.T) {
	n := newNetwork(t, nil)
	a := graphene.Authority{
		WeightThreshold: 3,
		AccountAuths:    []graphene.AccountAuth{{Account: "bob", Weight: 2}},
		KeyAuths: []graphene.KeyAuth{
			{Key: testKey(t, "alice", "one").Public(), Weight: 1},
			{Key: testKey(t, "alice", "two").Public(), Weight: 2},
		},
	}
	n.send(n.tx([]string{"alice/active"}, &graphene.AccountUpdate{Account: "alice", Active: &a}))
	if got := n.AccountsByKey(testKey(t, "alice", "active").Public().String()); len(got) != 0 {
		t.Errorf("the old key still leads to %v", got)
	}
	op := transfer("alice", "bob", "1.000 HIVE")
	for _, too := range [][]string{{"alice/active"}, {"alice/one"}, {"alice/two"}, {"bob/active"}, {"bob/posting", "alice/one"}} {
		n.refuse(n.tx(too, op), base.RejectAuthority)
	}
	n.send(n.tx([]string{"alice/one", "alice/two"}, op))
	n.send(n.tx([]string{"alice/one", "bob/active"}, op))
	n.send(n.tx([]string{"alice/owner"}, op))
}
