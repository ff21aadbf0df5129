package jsvalue

import (
	"fmt"
	"iter"
	"sort"
)

// indexFrom is the number of members beyond which an object keeps a map from
// key to position. Below it a linear scan is faster.
const indexFrom = 24

// Object is a JavaScript object: members in property order (canonical array
// indexes first, ascending, then the others in order of insertion). The zero
// value is an empty object. A nil *Object reads as an empty one.
type Object struct {
	members []member
	arrays  int            // how many leading members have array-index keys
	index   map[string]int // key -> position, only beyond indexFrom members
}

type member struct {
	key   string
	value Value
}

// newObject is an empty object with room for n members. Small ones have their
// members beside them, in one allocation.
func newObject(n int) *Object {
	switch {
	case n == 0:
		return &Object{}
	case n <= 2:
		o := &struct {
			Object
			room [2]member
		}{}
		o.members = o.room[:0]
		return &o.Object
	case n <= 4:
		o := &struct {
			Object
			room [4]member
		}{}
		o.members = o.room[:0]
		return &o.Object
	case n <= 6:
		o := &struct {
			Object
			room [6]member
		}{}
		o.members = o.room[:0]
		return &o.Object
	case n <= 9:
		o := &struct {
			Object
			room [9]member
		}{}
		o.members = o.room[:0]
		return &o.Object
	}
	return &Object{members: make([]member, 0, n)}
}

// NewObject builds an object from alternating keys and values. Go integers
// become float64, a BigNumber its text. It panics when a key is not a string or has no value, which
// is a programming error.
func NewObject(kv ...any) *Object {
	if len(kv)%2 != 0 {
		panic("jsvalue: NewObject needs a value for each key")
	}
	o := newObject(len(kv) / 2)
	for i := 0; i < len(kv); i += 2 {
		key, ok := kv[i].(string)
		if !ok {
			panic(fmt.Sprintf("jsvalue: key %d of NewObject is a %T", i/2, kv[i]))
		}
		o.Set(key, kv[i+1])
	}
	return o
}

// MakeObject is an empty object with room for n members.
func MakeObject(n int) *Object { return newObject(n) }

// Len is the number of members.
func (o *Object) Len() int {
	if o == nil {
		return 0
	}
	return len(o.members)
}

// find returns the position of key, or -1.
func (o *Object) find(key string) int {
	if o == nil {
		return -1
	}
	if o.index != nil {
		if i, ok := o.index[key]; ok {
			return i
		}
		return -1
	}
	for i := range o.members {
		if o.members[i].key == key {
			return i
		}
	}
	return -1
}

// Get is the member's value; Undefined when absent.
func (o *Object) Get(key string) Value {
	if i := o.find(key); i >= 0 {
		return o.members[i].value
	}
	return Undefined{}
}

// Find is the position of a member, -1 when absent.
func (o *Object) Find(key string) int { return o.find(key) }

// At is the member at a position below Len.
func (o *Object) At(i int) (key string, v Value) { return o.members[i].key, o.members[i].value }

// SetAt replaces the value of the member at a position below Len, as Set does.
func (o *Object) SetAt(i int, v any) { o.members[i].value = normal(v) }

// Has says whether the member exists (it may still be undefined).
func (o *Object) Has(key string) bool { return o.find(key) >= 0 }

// Set assigns a member: an existing one keeps its position, a new one goes
// where property order puts it. Go integers become float64, a BigNumber its
// text.
func (o *Object) Set(key string, v any) {
	value := normal(v)
	if i := o.find(key); i >= 0 {
		o.members[i].value = value
		return
	}
	n, isIndex := arrayIndex(key)
	if !isIndex {
		o.members = append(o.members, member{key, value})
		o.indexed(len(o.members) - 1)
		return
	}
	at := sort.Search(o.arrays, func(i int) bool {
		other, _ := arrayIndex(o.members[i].key)
		return other > n
	})
	o.members = append(o.members, member{})
	copy(o.members[at+1:], o.members[at:])
	o.members[at] = member{key, value}
	o.arrays++
	o.indexed(at)
}

// Delete removes a member if it exists.
func (o *Object) Delete(key string) {
	at := o.find(key)
	if at < 0 {
		return
	}
	if at < o.arrays {
		o.arrays--
	}
	copy(o.members[at:], o.members[at+1:])
	o.members[len(o.members)-1] = member{}
	o.members = o.members[:len(o.members)-1]
	if o.index != nil {
		delete(o.index, key)
		o.indexed(at)
	}
}

// indexed brings the map up to date for the members from a position on.
func (o *Object) indexed(from int) {
	if len(o.members) <= indexFrom {
		o.index = nil
		return
	}
	if o.index == nil {
		o.index = make(map[string]int, 2*len(o.members))
		from = 0
	}
	for i := from; i < len(o.members); i++ {
		o.index[o.members[i].key] = i
	}
}

// Keys lists the keys in property order.
func (o *Object) Keys() []string {
	keys := make([]string, o.Len())
	for i := range keys {
		keys[i] = o.members[i].key
	}
	return keys
}

// All iterates over the members in property order. The object must not be
// changed meanwhile.
func (o *Object) All() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		if o == nil {
			return
		}
		for i := range o.members {
			if !yield(o.members[i].key, o.members[i].value) {
				return
			}
		}
	}
}

// Clone copies the object and everything in it.
func (o *Object) Clone() *Object {
	if o == nil {
		return &Object{}
	}
	c := &Object{members: make([]member, len(o.members), len(o.members)+2), arrays: o.arrays}
	for i := range o.members {
		c.members[i] = member{o.members[i].key, cloneValue(o.members[i].value)}
	}
	c.indexed(0)
	return c
}

// With is a copy of the object with one member set. All other values are
// shared with it: neither may be changed in depth from then on.
func (o *Object) With(key string, v any) *Object {
	if o == nil {
		return NewObject(key, v)
	}
	c := o.shallow(0)
	c.Set(key, v)
	return c
}

// Shallow is a copy of the object that shares the values of its members, with
// room for more members.
func (o *Object) Shallow(room int) *Object {
	if o == nil {
		return newObject(room)
	}
	return o.shallow(room)
}

func (o *Object) shallow(room int) *Object {
	c := newObject(len(o.members) + room)
	c.members, c.arrays = append(c.members, o.members...), o.arrays
	c.indexed(0)
	return c
}

// String is the member when it is a string.
func (o *Object) String(key string) (string, bool) {
	s, ok := o.Get(key).(string)
	return s, ok
}

// Number is the member when it is a number.
func (o *Object) Number(key string) (float64, bool) {
	f, ok := o.Get(key).(float64)
	return f, ok
}

// Bool is the member when it is a boolean.
func (o *Object) Bool(key string) (value, ok bool) {
	value, ok = o.Get(key).(bool)
	return value, ok
}

// Object is the member when it is an object (not null, not an array).
func (o *Object) Object(key string) (*Object, bool) {
	v, ok := o.Get(key).(*Object)
	return v, ok && v != nil
}

// Array is the member when it is an array.
func (o *Object) Array(key string) ([]Value, bool) {
	v, ok := o.Get(key).([]Value)
	return v, ok
}

// arrayIndex parses a canonical array index: 0 to 2^32-2 without leading
// zeros.
func arrayIndex(key string) (uint32, bool) {
	if len(key) == 0 || len(key) > 10 || key[0] == '0' && len(key) > 1 {
		return 0, false
	}
	var n uint64
	for i := 0; i < len(key); i++ {
		c := key[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = n*10 + uint64(c)
	}
	return uint32(n), n < 1<<32-1
}
