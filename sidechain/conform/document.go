package conform

import (
	"fmt"
	"strconv"

	"causeway/sidechain/jsvalue"
)

// node is a value inside a vector together with the place where it stands, so
// that every complaint names it. The first complaint is kept; after it the
// node reads as empty.
type node struct {
	value jsvalue.Value
	path  string
	doc   *document
}

// document is a parsed file.
type document struct{ err error }

func parseDocument(text []byte) (node, error) {
	v, err := jsvalue.Parse(string(text))
	if err != nil {
		return node{}, fmt.Errorf("not JSON: %w", err)
	}
	if _, ok := v.(*jsvalue.Object); !ok {
		return node{}, fmt.Errorf("not a JSON object")
	}
	return node{v, "", &document{}}, nil
}

func (n node) fail(format string, args ...any) {
	if n.doc.err == nil {
		where := n.path
		if where == "" {
			where = "the document"
		}
		n.doc.err = fmt.Errorf("%s: %s", where, fmt.Sprintf(format, args...))
	}
}

func (n node) missing() bool {
	_, undefined := n.value.(jsvalue.Undefined)
	return undefined
}

func (n node) null() bool { return n.value == nil || n.missing() }

// get is a member; undefined when there is none.
func (n node) get(key string) node {
	path := key
	if n.path != "" {
		path = n.path + "." + key
	}
	return node{n.object().Get(key), path, n.doc}
}

// must is a member that has to be there; it may be null.
func (n node) must(key string) node {
	m := n.get(key)
	if m.missing() {
		m.fail("missing")
	}
	return m
}

// object is the value, which must be an object.
func (n node) object() *jsvalue.Object {
	o, ok := n.value.(*jsvalue.Object)
	if !ok {
		n.fail("not an object")
	}
	return o
}

// members lists an object's members in order.
func (n node) members() []node {
	if n.null() {
		return nil
	}
	var out []node
	for _, key := range n.object().Keys() {
		out = append(out, n.get(key))
	}
	return out
}

// items lists an array's elements; none for null and undefined.
func (n node) items() []node {
	if n.null() {
		return nil
	}
	list, ok := n.value.([]jsvalue.Value)
	if !ok {
		n.fail("not an array")
	}
	out := make([]node, len(list))
	for i, v := range list {
		out[i] = node{v, n.path + "[" + strconv.Itoa(i) + "]", n.doc}
	}
	return out
}

func (n node) text() string {
	s, ok := n.value.(string)
	if !ok {
		n.fail("not a string")
	}
	return s
}

// number is the value, which must be a whole number of 0 or more.
func (n node) number() uint64 {
	f, ok := n.value.(float64)
	if !ok || !jsvalue.IsInteger(f) || f < 0 || f > 1<<53 {
		n.fail("not a whole number")
		return 0
	}
	return uint64(f)
}

func (n node) texts() []string {
	var out []string
	for _, item := range n.items() {
		out = append(out, item.text())
	}
	return out
}
