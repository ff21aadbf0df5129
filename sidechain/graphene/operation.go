package graphene

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrOperation is wrapped by every error about an operation that does not
// hold by itself, whatever the state of the chain.
var ErrOperation = errors.New("invalid operation")

// Operation is one act of a transaction. The implementations are pointers to
// the types of this package; nobody else can add one.
type Operation interface {
	// Name is the operation's name in JSON, without the suffix _operation.
	Name() string
	// Validate is hived's check of the operation by itself, with hived's
	// texts. An operation that passes has a binary form.
	Validate() error

	authorities(*Authorities)
	encode(*Encoder)
	decode(*Decoder)
}

// kinds is the table of the operations: hived's tags.
var kinds = []struct {
	tag  uint32
	name string
	make func() Operation
}{
	{0, "vote", func() Operation { return new(Vote) }},
	{1, "comment", func() Operation { return new(Comment) }},
	{2, "transfer", func() Operation { return new(Transfer) }},
	{9, "account_create", func() Operation { return new(AccountCreate) }},
	{10, "account_update", func() Operation { return new(AccountUpdate) }},
	{18, "custom_json", func() Operation { return new(CustomJSON) }},
	{19, "comment_options", func() Operation { return new(CommentOptions) }},
}

// OperationNames lists the operations that the base layer takes.
func OperationNames() []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
	}
	return names
}

// UnknownOperationError names an operation that is not in the table.
type UnknownOperationError struct{ Operation string }

func (e *UnknownOperationError) Error() string {
	return fmt.Sprintf("unknown operation %q: this chain takes %s",
		clip(e.Operation), strings.Join(OperationNames(), ", "))
}

func newOperation(name string) (Operation, error) {
	tag, err := strconv.ParseUint(name, 10, 32)
	for _, k := range kinds {
		if k.name == name || (err == nil && uint64(k.tag) == tag) {
			return k.make(), nil
		}
	}
	return nil, &UnknownOperationError{name}
}

func encodeOperation(e *Encoder, op Operation) {
	for _, k := range kinds {
		if k.name == op.Name() {
			e.Varint(k.tag)
		}
	}
	op.encode(e)
}

func decodeOperation(d *Decoder) Operation {
	tag := d.Varint()
	for _, k := range kinds {
		if k.tag == tag {
			op := k.make()
			op.decode(d)
			return op
		}
	}
	d.Fail("unknown operation %d", tag)
	return nil
}

// typeSuffix is what the newer JSON form appends to names.
const typeSuffix = "_operation"

// unmarshalOperation reads ["vote",{…}], [0,{…}] or
// {"type":"vote_operation","value":{…}}.
func unmarshalOperation(b []byte) (Operation, error) {
	name, value, err := unmarshalVariant(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOperation, err)
	}
	op, err := newOperation(strings.TrimSuffix(name, typeSuffix))
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(value, op); err != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrOperation, op.Name(), err)
	}
	return op, nil
}

// unmarshalVariant splits a static variant in any of its spellings.
func unmarshalVariant(b []byte) (name string, value json.RawMessage, err error) {
	b = bytes.TrimSpace(b)
	if len(b) > 0 && b[0] == '{' {
		var named struct {
			Type  string          `json:"type"`
			Value json.RawMessage `json:"value"`
		}
		if err := json.Unmarshal(b, &named); err != nil {
			return "", nil, err
		}
		name, value = named.Type, named.Value
	} else {
		var pair []json.RawMessage
		if err := json.Unmarshal(b, &pair); err != nil {
			return "", nil, err
		}
		if len(pair) != 2 {
			return "", nil, fmt.Errorf("a variant of %d elements instead of 2", len(pair))
		}
		if json.Unmarshal(pair[0], &name) != nil {
			name = string(pair[0]) // a tag
		}
		value = pair[1]
	}
	if len(value) == 0 || value[0] != '{' {
		return "", nil, fmt.Errorf("the value of %q is not an object", clip(name))
	}
	return name, value, nil
}

// Authorities are the accounts whose consent a transaction needs, by role, in
// order of first appearance.
type Authorities struct{ Owner, Active, Posting []string }

func (a *Authorities) owner(name string)   { a.Owner = appendOnce(a.Owner, name) }
func (a *Authorities) active(name string)  { a.Active = appendOnce(a.Active, name) }
func (a *Authorities) posting(name string) { a.Posting = appendOnce(a.Posting, name) }

// Accounts lists every account of the three roles once.
func (a Authorities) Accounts() []string {
	var all []string
	for _, list := range [][]string{a.Owner, a.Active, a.Posting} {
		for _, name := range list {
			all = appendOnce(all, name)
		}
	}
	return all
}

func appendOnce(list []string, name string) []string {
	for _, have := range list {
		if have == name {
			return list
		}
	}
	return append(list, name)
}
