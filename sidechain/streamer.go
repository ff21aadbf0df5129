package sidechain

import (
	"strconv"

	"causeway/sidechain/base"
	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
)

// streamer finds the sidechain transactions in the operations of base blocks
// (peer-spec 1.2).
type streamer struct {
	id    string // of the chain's custom_json operations: "ssc-" + chain id
	rules Rules
	buf   []byte         // scratch
	texts arena          // payloads of the block
	outer jsvalue.Object // of the custom_json that is being read
}

// call is one sidechain transaction as an operation asks for it.
type call struct {
	name, action string
	payload      jsvalue.Value // *jsvalue.Object or []jsvalue.Value
}

// envelope is what an operation says of all its calls. A nil context value is
// removed from the payloads.
type envelope struct {
	sender    string
	recipient jsvalue.Value
	amount    jsvalue.Value
	signed    jsvalue.Value // isSignedWithActiveKey
	permlink  jsvalue.Value
	// author is set for posts: their calls of comments.comment are the node's.
	author string
	// single: what is read is the call itself, not a list of calls.
	single bool
	// own marks a call that the node itself built from the operation.
	own bool
}

// Transactions lists the sidechain transactions of a block, in order, with
// their ids.
func (s *streamer) Transactions(b *base.Block) []*Transaction {
	txs := make([]*Transaction, 0, len(b.Transactions))
	for i := range b.Transactions {
		tx := &b.Transactions[i]
		for n, op := range tx.Operations {
			id := tx.ID
			if len(tx.Operations) > 1 {
				id += "-" + strconv.Itoa(n)
			}
			txs = s.operation(txs, b.Number, id, op)
		}
	}
	return txs
}

// operation appends the transactions of one operation. What cannot be parsed
// is skipped.
func (s *streamer) operation(txs []*Transaction, ref uint64, id string, op graphene.Operation) []*Transaction {
	env, list, n, ok := s.read(ref, op)
	if !ok {
		return txs
	}
	for i := range n {
		asked := list
		if !env.single {
			asked = element(list, i)
		}
		call, ok, broken := readCall(asked)
		if broken {
			break // the peer's loop throws here
		}
		if !ok {
			continue
		}
		txID := id
		if n > 1 {
			txID += "-" + strconv.Itoa(i)
		}
		txs = append(txs, s.transaction(&env, ref, txID, call))
	}
	return txs
}

// read turns an operation into its envelope and a list of n calls; ok is false
// when it does not address the chain.
func (s *streamer) read(ref uint64, op graphene.Operation) (env envelope, list jsvalue.Value, n int, ok bool) {
	var id jsvalue.Value
	switch op := op.(type) {
	case *graphene.CustomJSON:
		if op.ID != s.id {
			return env, nil, 0, false
		}
		env, list, n = s.readCustomJSON(op)
		return env, list, n, n > 0
	case *graphene.Transfer:
		env, id, list = readTransfer(op)
	case *graphene.Comment:
		env, id, list = s.readComment(ref, op)
	case *graphene.CommentOptions:
		env, id, list = s.readCommentOptions(op)
	case *graphene.Vote:
		env, id, list = s.readVote(op)
	}
	n = length(list)
	return env, list, n, id == s.id && n > 0
}

// readCustomJSON reads calls: an array of them, or one that is there alone.
func (s *streamer) readCustomJSON(op *graphene.CustomJSON) (env envelope, list jsvalue.Value, n int) {
	switch {
	case len(op.RequiredAuths) > 0:
		env.sender, env.signed = op.RequiredAuths[0], true
	case len(op.RequiredPostingAuths) > 0:
		env.sender, env.signed = op.RequiredPostingAuths[0], false
	default:
		return env, nil, 0
	}
	parsed, err := jsvalue.ParseInto(&s.outer, op.JSON)
	if err != nil {
		return env, nil, 0
	}
	if list, ok := parsed.([]jsvalue.Value); ok {
		return env, parsed, len(list)
	}
	env.single = true
	return env, parsed, 1
}

// readTransfer reads a memo {id, json}. It carries one call at most.
func readTransfer(op *graphene.Transfer) (env envelope, id, list jsvalue.Value) {
	memo, err := jsvalue.Parse(op.Memo)
	object, ok := memo.(*jsvalue.Object)
	if err != nil || !ok {
		return env, nil, nil
	}
	env = envelope{sender: op.From, recipient: op.To, amount: op.Amount.String(), signed: true}
	list = listOf(object.Get("json"))
	if length(list) != 1 {
		return env, nil, nil
	}
	return env, object.Get("id"), list
}

// metadataMembers are what is left of a post's metadata.
var metadataMembers = []string{"app", "tags", "ssc"}

// readComment reads a post: calls in its metadata, else in its body, else the
// post itself is a call of comments.comment.
func (s *streamer) readComment(ref uint64, op *graphene.Comment) (env envelope, id, list jsvalue.Value) {
	env = envelope{sender: op.Author, author: op.Author}
	metadata, ok := s.readMetadata(ref, op.JSONMetadata)
	if !ok {
		return env, nil, nil
	}
	if ssc := member(metadata, "ssc"); jsvalue.Truthy(ssc) {
		env.permlink = op.Permlink
		return env, member(ssc, "id"), member(ssc, "transactions")
	}
	body, err := jsvalue.Parse(op.Body)
	if err == nil && body != nil {
		return env, member(body, "id"), listOf(member(body, "json"))
	}
	if !s.rules.on(ruleCommentPost, ref, true) {
		return env, nil, nil
	}
	env.permlink = op.Permlink
	return env, s.id, oneCall("comments", "comment", jsvalue.NewObject(
		"author", op.Author, "jsonMetadata", metadata,
		"parentAuthor", op.ParentAuthor, "parentPermlink", op.ParentPermlink))
}

// readMetadata parses a post's metadata; empty is null, invalid is not ok.
func (s *streamer) readMetadata(ref uint64, text string) (metadata jsvalue.Value, ok bool) {
	if text == "" {
		return nil, true
	}
	metadata, err := jsvalue.Parse(text)
	if err != nil {
		return nil, false
	}
	if !s.rules.on(ruleCommentMetadata, ref, true) {
		return metadata, true
	}
	switch m := metadata.(type) {
	case *jsvalue.Object:
		kept := jsvalue.NewObject()
		for key, v := range m.All() {
			for _, name := range metadataMembers {
				if key == name {
					kept.Set(key, v)
				}
			}
		}
		return kept, true
	case []jsvalue.Value: // its elements are deleted, its length stays
		return make([]jsvalue.Value, len(m)), true
	}
	return metadata, true
}

func (s *streamer) readCommentOptions(op *graphene.CommentOptions) (env envelope, id, list jsvalue.Value) {
	shares := make([]jsvalue.Value, len(op.Beneficiaries))
	for i, b := range op.Beneficiaries {
		shares[i] = jsvalue.NewObject("account", b.Account, "weight", int(b.Weight))
	}
	env = envelope{sender: "null", permlink: op.Permlink, own: true}
	return env, s.id, oneCall("comments", "commentOptions", jsvalue.NewObject(
		"author", op.Author, "maxAcceptedPayout", op.MaxAcceptedPayout.String(),
		"allowVotes", op.AllowVotes, "allowCurationRewards", op.AllowCurationRewards,
		"beneficiaries", shares))
}

func (s *streamer) readVote(op *graphene.Vote) (env envelope, id, list jsvalue.Value) {
	env = envelope{sender: "null", permlink: op.Permlink, own: true}
	return env, s.id, oneCall("comments", "vote", jsvalue.NewObject(
		"voter", op.Voter, "author", op.Author, "weight", int(op.Weight)))
}

func oneCall(name, action string, payload *jsvalue.Object) jsvalue.Value {
	return []jsvalue.Value{jsvalue.NewObject(
		"contractName", name, "contractAction", action, "contractPayload", payload)}
}

// transaction completes a call: the context members of its payload and its
// sender. The sender is decided for each call by itself, so that nothing but
// the calls built from posts, post options and votes comes from "null".
func (s *streamer) transaction(env *envelope, ref uint64, id string, c call) *Transaction {
	tx := &Transaction{
		Ref: ref, HasRef: true, ID: id,
		Sender: T(env.sender), Contract: T(c.name), Action: T(c.action),
		nodeBuilt: env.own,
	}
	post := env.author != "" && c.name == "comments" && c.action == "comment"
	if payload, ok := c.payload.(*jsvalue.Object); ok {
		context(payload, "recipient", env.recipient)
		context(payload, "amountHIVEHBD", env.amount)
		context(payload, "isSignedWithActiveKey", env.signed)
		context(payload, "permlink", env.permlink)
		if jsvalue.Truthy(payload.Get("callingContractInfo")) {
			payload.Delete("callingContractInfo")
		}
		if post {
			payload.Set("author", env.author)
		}
	}
	if post {
		tx.Sender, tx.nodeBuilt = T("null"), true
	}
	s.buf = jsvalue.AppendJSON(s.buf[:0], c.payload)
	tx.Payload = T(s.texts.text(s.buf))
	if jsvalue.RoundTrips(c.payload) {
		tx.parsed = c.payload
	}
	return tx
}

// context sets a payload member that only the node may set.
func context(payload *jsvalue.Object, key string, v jsvalue.Value) {
	if v == nil {
		payload.Delete(key)
		return
	}
	payload.Set(key, v)
}

// readCall checks the shape of one call. broken means that the peer throws.
func readCall(v jsvalue.Value) (c call, ok, broken bool) {
	if _, undefined := v.(jsvalue.Undefined); undefined || v == nil {
		return c, false, true
	}
	object, isObject := v.(*jsvalue.Object)
	if !isObject {
		return c, false, false
	}
	c.name, _ = object.String("contractName")
	c.action, _ = object.String("contractAction")
	c.payload = object.Get("contractPayload")
	switch c.payload.(type) {
	case *jsvalue.Object, []jsvalue.Value:
		return c, c.name != "" && c.action != "", false
	}
	return c, false, false
}

// listOf is `Array.isArray(v) ? v : [v]`.
func listOf(v jsvalue.Value) jsvalue.Value {
	if list, ok := v.([]jsvalue.Value); ok {
		return list
	}
	return []jsvalue.Value{v}
}

// member is v[key], undefined for what has no members.
func member(v jsvalue.Value, key string) jsvalue.Value {
	if o, ok := v.(*jsvalue.Object); ok {
		return o.Get(key)
	}
	return jsvalue.Undefined{}
}

// maxLength bounds what a list may claim to hold.
const maxLength = 1 << 16

// length is v.length of an array or of an object that looks like one.
func length(v jsvalue.Value) int {
	switch x := v.(type) {
	case []jsvalue.Value:
		return len(x)
	case *jsvalue.Object:
		if n, ok := x.Number("length"); ok && n > 0 && n <= maxLength && jsvalue.IsInteger(n) {
			return int(n)
		}
	}
	return 0
}

func element(v jsvalue.Value, i int) jsvalue.Value {
	switch x := v.(type) {
	case []jsvalue.Value:
		return x[i]
	case *jsvalue.Object:
		return x.Get(strconv.Itoa(i))
	}
	return jsvalue.Undefined{}
}
