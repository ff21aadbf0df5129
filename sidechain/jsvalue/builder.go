package jsvalue

import "slices"

// builder collects the members of one parsed object. It keeps them in order of
// appearance and brings array indexes to the front once, at the end, so that a
// hostile object costs no more than n log n.
type builder struct {
	o       *Object
	numeric bool // some key is an array index
}

func (b *builder) add(key string, v Value) {
	o := b.o
	if i := o.find(key); i >= 0 {
		o.members[i].value = v
		return
	}
	o.members = append(o.members, member{key, v})
	if c := firstByte(key); c-'0' <= 9 {
		if _, ok := arrayIndex(key); ok {
			b.numeric = true
			o.arrays++
		}
	}
	o.indexed(len(o.members) - 1)
}

func firstByte(s string) byte {
	if s == "" {
		return 0
	}
	return s[0]
}

// finish puts the members in property order.
func (b *builder) finish() *Object {
	if !b.numeric {
		return b.o
	}
	slices.SortStableFunc(b.o.members, func(x, y member) int {
		i, xi := arrayIndex(x.key)
		j, yi := arrayIndex(y.key)
		switch {
		case xi && yi:
			return int(int64(i) - int64(j))
		case xi:
			return -1
		case yi:
			return 1
		}
		return 0
	})
	b.o.indexed(0)
	return b.o
}

// wellKnown returns the constant for member names that nearly every payload
// carries, so that parsing allocates nothing for them; "" for others.
func wellKnown(s string) string {
	switch s {
	case "symbol":
		return "symbol"
	case "to":
		return "to"
	case "quantity":
		return "quantity"
	case "memo":
		return "memo"
	case "price":
		return "price"
	case "expiration":
		return "expiration"
	case "contractName":
		return "contractName"
	case "contractAction":
		return "contractAction"
	case "contractPayload":
		return "contractPayload"
	case "isSignedWithActiveKey":
		return "isSignedWithActiveKey"
	case "id":
		return "id"
	case "type":
		return "type"
	case "account":
		return "account"
	case "_id":
		return "_id"
	case "author":
		return "author"
	case "permlink":
		return "permlink"
	case "voter":
		return "voter"
	case "weight":
		return "weight"
	}
	return ""
}

// wellKnownText is wellKnown for texts: the names of contracts and actions that
// are called most, as values; nil for others.
func wellKnownText(s string) Value {
	switch s {
	case "":
		return ""
	case "tokens":
		return "tokens"
	case "transfer":
		return "transfer"
	case "market":
		return "market"
	case "buy":
		return "buy"
	case "sell":
		return "sell"
	case "comments":
		return "comments"
	}
	return nil
}
