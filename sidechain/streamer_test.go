package sidechain

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"causeway/sidechain/base"
	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
)

// stream lists "id sender contract.action payload" of operations in one
// transaction of a new chain's block.
func stream(ops ...graphene.Operation) []string {
	s := streamer{id: "ssc-test"}
	b := &base.Block{Number: 7, Transactions: []base.Transaction{{ID: "trx"}}}
	b.Transactions[0].Operations = ops
	var out []string
	for _, tx := range s.Transactions(b) {
		out = append(out, strings.Join([]string{tx.ID, tx.Sender.Value, tx.Contract.Value + "." + tx.Action.Value, tx.Payload.Value}, " "))
	}
	return out
}

func custom(json string) *graphene.CustomJSON {
	return &graphene.CustomJSON{RequiredAuths: []string{"alice", "bob"}, ID: "ssc-test", JSON: json}
}

func posting(json string) *graphene.CustomJSON {
	return &graphene.CustomJSON{RequiredPostingAuths: []string{"alice"}, ID: "ssc-test", JSON: json}
}

func one(payload string) string {
	return `{"contractName":"c","contractAction":"a","contractPayload":` + payload + `}`
}

func post(body, metadata string) *graphene.Comment {
	return &graphene.Comment{ParentAuthor: "pa", ParentPermlink: "pp", Author: "alice", Permlink: "pl", Body: body, JSONMetadata: metadata}
}

func TestStreamer(t *testing.T) {
	coins := graphene.Asset{Amount: 1000, Precision: 3, Symbol: "HIVE"}
	memo := func(text string) *graphene.Transfer {
		return &graphene.Transfer{From: "alice", To: "peg", Amount: coins, Memo: text}
	}
	deep := strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)
	vote := &graphene.Vote{Voter: "alice", Author: "bob", Permlink: "pl", Weight: -50}
	tests := []struct {
		name string
		ops  []graphene.Operation
		want []string
	}{
		{"active key", []graphene.Operation{custom(one(`{"x":1}`))}, []string{`trx alice c.a {"x":1,"isSignedWithActiveKey":true}`}},
		{"the example of the specification", []graphene.Operation{posting(one(`{"b":1.0,"10":"x","2":1e21,"isSignedWithActiveKey":true,"permlink":"zz","recipient":"r"}`))},
			[]string{`trx alice c.a {"2":1e+21,"10":"x","b":1,"isSignedWithActiveKey":false}`}},
		{"several calls", []graphene.Operation{custom(`[` + one(`{}`) + `,5,{"contractName":""},` + one(`[1]`) + `]`)},
			[]string{`trx-0 alice c.a {"isSignedWithActiveKey":true}`, `trx-3 alice c.a [1]`}},
		{"several operations", []graphene.Operation{&graphene.AccountUpdate{}, custom(one(`{}`)), custom(`[` + one(`{}`) + `,` + one(`{}`) + `]`), vote},
			[]string{
				`trx-1 alice c.a {"isSignedWithActiveKey":true}`,
				`trx-2-0 alice c.a {"isSignedWithActiveKey":true}`, `trx-2-1 alice c.a {"isSignedWithActiveKey":true}`,
				`trx-3 null comments.vote {"voter":"alice","author":"bob","weight":-50,"permlink":"pl"}`,
			}},
		{"null among the calls ends them", []graphene.Operation{custom(`[` + one(`{}`) + `,null,` + one(`{}`) + `]`)}, []string{`trx-0 alice c.a {"isSignedWithActiveKey":true}`}},
		{"reserved members", []graphene.Operation{custom(one(`{"amountHIVEHBD":"9 HIVE","callingContractInfo":{"name":"pegs"},"a":1}`))},
			[]string{`trx alice c.a {"a":1,"isSignedWithActiveKey":true}`}},
		{"prototype", []graphene.Operation{custom(one(`{"__proto__":{"isSignedWithActiveKey":true},"constructor":1}`))},
			[]string{`trx alice c.a {"__proto__":{"isSignedWithActiveKey":true},"constructor":1,"isSignedWithActiveKey":true}`}},
		{"another id", []graphene.Operation{&graphene.CustomJSON{RequiredAuths: []string{"alice"}, ID: "ssc-other", JSON: one(`{}`)}}, nil},
		{"no authority", []graphene.Operation{&graphene.CustomJSON{ID: "ssc-test", JSON: one(`{}`)}}, nil},
		{"no JSON", []graphene.Operation{custom(`{`), custom(``), custom(`null`), custom(`5`), custom(`"x"`), custom(deep), custom(one(deep))}, nil},
		{"payloads that are no objects", []graphene.Operation{custom(`[` + one(`null`) + `,` + one(`5`) + `,` + one(`"x"`) + `,` + one(`true`) + `]`)}, nil},
		{"names that are no text", []graphene.Operation{custom(`{"contractName":5,"contractAction":"a","contractPayload":{}}`), custom(`{"contractName":"c","contractAction":["a"],"contractPayload":{}}`)}, nil},
		{"memo", []graphene.Operation{memo(`{"id":"ssc-test","json":` + one(`{}`) + `}`)},
			[]string{`trx alice c.a {"recipient":"peg","amountHIVEHBD":"1.000 HIVE","isSignedWithActiveKey":true}`}},
		{"memo with a list of one", []graphene.Operation{memo(`{"id":"ssc-test","json":[` + one(`{}`) + `]}`)},
			[]string{`trx alice c.a {"recipient":"peg","amountHIVEHBD":"1.000 HIVE","isSignedWithActiveKey":true}`}},
		{"memo with a list of two", []graphene.Operation{memo(`{"id":"ssc-test","json":[` + one(`{}`) + `,` + one(`{}`) + `]}`)}, nil},
		{"other memos", []graphene.Operation{memo(`hello`), memo(`null`), memo(`[1]`), memo(``), memo(`{"id":["ssc-test"],"json":` + one(`{}`) + `}`)}, nil},
		{"post", []graphene.Operation{post("text", `{"tags":["a"],"format":"markdown","app":"x"}`)},
			[]string{`trx null comments.comment {"author":"alice","jsonMetadata":{"tags":["a"],"app":"x"},"parentAuthor":"pa","parentPermlink":"pp","permlink":"pl"}`}},
		{"post without metadata", []graphene.Operation{post("text", ``)},
			[]string{`trx null comments.comment {"author":"alice","jsonMetadata":null,"parentAuthor":"pa","parentPermlink":"pp","permlink":"pl"}`}},
		{"metadata that is a list", []graphene.Operation{post("text", `[1,{"ssc":1}]`)},
			[]string{`trx null comments.comment {"author":"alice","jsonMetadata":[null,null],"parentAuthor":"pa","parentPermlink":"pp","permlink":"pl"}`}},
		{"body null is a post", []graphene.Operation{post("null", ``)},
			[]string{`trx null comments.comment {"author":"alice","jsonMetadata":null,"parentAuthor":"pa","parentPermlink":"pp","permlink":"pl"}`}},
		{"body that is JSON is none", []graphene.Operation{post("123", ``), post(`{"id":"x"}`, ``), post("text", `{`)}, nil},
		{"calls in a body", []graphene.Operation{post(`{"id":"ssc-test","json":`+one(`{"isSignedWithActiveKey":true}`)+`}`, ``)}, []string{`trx alice c.a {}`}},
		{"calls in metadata", []graphene.Operation{post("text", `{"ssc":{"id":"ssc-test","transactions":[`+one(`{}`)+`,`+one(`{}`)+`]}}`)},
			[]string{`trx-0 alice c.a {"permlink":"pl"}`, `trx-1 alice c.a {"permlink":"pl"}`}},
		{"metadata that looks like a list", []graphene.Operation{post("text", `{"ssc":{"id":"ssc-test","transactions":{"length":2,"0":`+one(`{}`)+`}}}`)},
			[]string{`trx-0 alice c.a {"permlink":"pl"}`}},
		{"options", []graphene.Operation{&graphene.CommentOptions{Author: "alice", Permlink: "pl", AllowVotes: true,
			MaxAcceptedPayout: graphene.Asset{Amount: 5, Precision: 3, Symbol: "HBD"}, Beneficiaries: []graphene.Beneficiary{{Account: "bob", Weight: 500}}}},
			[]string{`trx null comments.commentOptions {"author":"alice","maxAcceptedPayout":"0.005 HBD","allowVotes":true,"allowCurationRewards":false,"beneficiaries":[{"account":"bob","weight":500}],"permlink":"pl"}`}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, stream(tt.ops...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestNobodyIsNull: whatever an account writes, sender "null" comes only with
// the three calls that the node builds, and a post's author is its own.
func TestNobodyIsNull(t *testing.T) {
	call := func(name, action string) string {
		return fmt.Sprintf(`{"contractName":%q,"contractAction":%q,"contractPayload":{"author":"victim","voter":"victim","sender":"null","isSignedWithActiveKey":true}}`, name, action)
	}
	var calls []string
	for _, name := range []string{"comments", "tokens", "pegs", "contract", "null"} {
		for _, action := range []string{"comment", "commentOptions", "vote", "issue", "mint", "transferFromContract", "deploy"} {
			calls = append(calls, call(name, action))
		}
	}
	list := "[" + strings.Join(calls, ",") + "]"
	for _, op := range []graphene.Operation{
		custom(list), posting(list), post("x", `{"ssc":{"id":"ssc-test","transactions":`+list+`}}`),
		post(`{"id":"ssc-test","json":`+list+`}`, ""), post("x", `{"ssc":{"id":"ssc-test","transactions":[`+call("comments", "comment")+`,`+call("tokens", "issue")+`]}}`),
	} {
		for _, line := range stream(op) {
			id, rest, _ := strings.Cut(line, " ")
			sender, rest, _ := strings.Cut(rest, " ")
			call, payload, _ := strings.Cut(rest, " ")
			if sender != "null" && sender != "alice" {
				t.Errorf("%s has sender %s", id, sender)
			}
			if sender == "null" && (call != "comments.comment" || !strings.HasPrefix(payload, `{"author":"alice"`)) {
				t.Errorf("%s comes from null: %s %s", id, call, payload)
			}
		}
	}
}

func FuzzStreamer(f *testing.F) {
	f.Add(one(`{}`), `{"ssc":{"id":"ssc-test","transactions":[]}}`)
	f.Add(`[{"contractName":"comments","contractAction":"comment","contractPayload":[1]}]`, `{"ssc":{"id":"ssc-test","transactions":{"length":3}}}`)
	f.Fuzz(func(t *testing.T, text, metadata string) {
		ops := []graphene.Operation{
			custom(text), posting(text), post(text, metadata), post(metadata, text),
			&graphene.Transfer{From: "alice", To: "bob", Memo: text},
		}
		s := streamer{id: "ssc-test"}
		b := &base.Block{Number: 1, Transactions: []base.Transaction{{ID: "trx"}}}
		b.Transactions[0].Operations = ops
		for _, tx := range s.Transactions(b) {
			if tx.Sender.Value == "null" && tx.Contract.Value+"."+tx.Action.Value != "comments.comment" {
				t.Errorf("null calls %s.%s", tx.Contract.Value, tx.Action.Value)
			}
			payload, err := jsvalue.Parse(tx.Payload.Value)
			if err != nil {
				t.Fatalf("payload %s: %v", tx.Payload.Value, err)
			}
			if object, ok := payload.(*jsvalue.Object); ok && jsvalue.Truthy(object.Get("callingContractInfo")) {
				t.Errorf("payload names a calling contract: %s", tx.Payload.Value)
			}
		}
	})
}
