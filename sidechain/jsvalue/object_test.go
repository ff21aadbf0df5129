package jsvalue

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestObjectOrder(t *testing.T) {
	o := NewObject("b", 1, "10", "x", "a", true, "2", nil)
	if got := Stringify(o); got != `{"2":null,"10":"x","b":1,"a":true}` {
		t.Errorf("built: %s", got)
	}
	o.Set("b", 7)
	o.Set("5", Undefined{})
	if diff := cmp.Diff([]string{"2", "5", "10", "b", "a"}, o.Keys()); diff != "" {
		t.Error(diff)
	}
	if got := Stringify(o); got != `{"2":null,"10":"x","b":7,"a":true}` {
		t.Errorf("an undefined member has text: %s", got)
	}
	o.Delete("b")
	o.Set("b", 8)
	o.Delete("absent")
	o.Delete("2")
	if got := Stringify(o); got != `{"10":"x","a":true,"b":8}` {
		t.Errorf("deleted and added again: %s", got)
	}
}

func TestObjectGetters(t *testing.T) {
	o := NewObject("s", "x", "n", 1.5, "b", true, "o", NewObject("k", 1), "a", []Value{"y"}, "null", nil)
	if s, ok := o.String("s"); s != "x" || !ok {
		t.Error("String")
	}
	if _, ok := o.String("n"); ok {
		t.Error("a number is no string")
	}
	if n, ok := o.Number("n"); n != 1.5 || !ok {
		t.Error("Number")
	}
	if b, ok := o.Bool("b"); !b || !ok {
		t.Error("Bool")
	}
	if in, ok := o.Object("o"); !ok || in.Len() != 1 {
		t.Error("Object")
	}
	if _, ok := o.Object("null"); ok {
		t.Error("null is no object")
	}
	if a, ok := o.Array("a"); !ok || len(a) != 1 {
		t.Error("Array")
	}
	if o.Get("absent") != (Undefined{}) || o.Has("absent") || !o.Has("null") {
		t.Error("absent members")
	}
	var none *Object
	if none.Len() != 0 || none.Has("x") || none.Get("x") != (Undefined{}) || none.Clone().Len() != 0 {
		t.Error("a nil object is not empty")
	}
	for range none.All() {
		t.Error("a nil object has members")
	}
}

func TestGoValues(t *testing.T) {
	o := NewObject("i", int64(-3), "u", uint64(7), "big", Big("1e-9"), "zero", Big("-0"), "list", []string{"a"}, "empty", []string{})
	if got := Stringify(o); got != `{"i":-3,"u":7,"big":"1e-9","zero":"-0","list":["a"],"empty":[]}` {
		t.Error(got)
	}
	if got := Stringify([]Value{5, Big("0.1")}); got != `[5,"0.1"]` {
		t.Error(got)
	}
	defer func() {
		if recover() == nil {
			t.Error("a struct was written as JSON")
		}
	}()
	Stringify(struct{ A int }{1})
}

func TestCloneIsDeep(t *testing.T) {
	inner := NewObject("k", 1)
	o := NewObject("in", inner, "list", []Value{inner})
	c := o.Clone()
	if !Equal(o, c) {
		t.Fatal("the clone differs")
	}
	inner.Set("k", 2)
	if got := Stringify(c); got != `{"in":{"k":1},"list":[{"k":1}]}` {
		t.Errorf("the clone changed with its source: %s", got)
	}
}

// TestObjectModel compares an object with the plain rule: a list of keys in
// order of insertion, array indexes first.
func TestObjectModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := &Object{}
		var order []string
		values := map[string]float64{}
		for i := range rapid.IntRange(0, 80).Draw(t, "steps") {
			key := fmt.Sprint(rapid.IntRange(0, 40).Draw(t, "key"))
			if rapid.Bool().Draw(t, "word") {
				key = "k" + key
			}
			_, exists := values[key]
			if rapid.IntRange(0, 3).Draw(t, "op") == 0 {
				o.Delete(key)
				delete(values, key)
				if exists {
					order = without(order, key)
				}
				continue
			}
			o.Set(key, i)
			if values[key] = float64(i); !exists {
				order = append(order, key)
			}
		}
		text := "{"
		for i, k := range order {
			if i > 0 {
				text += ","
			}
			text += fmt.Sprintf("%q:%v", k, values[k])
		}
		want, err := Parse(text + "}")
		if err != nil {
			t.Fatal(err)
		}
		if !Equal(o, want) {
			t.Fatalf("Set gives %s, Parse %s", Stringify(o), Stringify(want))
		}
		for k, v := range values {
			if o.Get(k) != v {
				t.Fatalf("%s = %v, want %v", k, o.Get(k), v)
			}
		}
	})
}

func without(list []string, key string) []string {
	var out []string
	for _, k := range list {
		if k != key {
			out = append(out, k)
		}
	}
	return out
}

// TestHostileObject parses objects made to be slow: very many keys, in the
// worst order. Quadratic work would take minutes.
func TestHostileObject(t *testing.T) {
	const n = 100_000
	text := []byte(`{"z":0`)
	for i := n; i > 0; i-- {
		text = fmt.Appendf(text, `,"%d":1,"k%d":1`, i, i)
	}
	text = append(text, '}')
	start := time.Now()
	v, err := Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
	o := v.(*Object)
	if o.Len() != 2*n+1 || o.Get("77") != 1.0 || o.Get("k99999") != 1.0 || o.Keys()[0] != "1" || o.Keys()[n] != "z" {
		t.Error("members are lost or out of order")
	}
}

func TestEqual(t *testing.T) {
	for _, c := range []struct {
		a, b Value
		want bool
	}{
		{1.0, 1.0, true}, {1.0, "1", false}, {nil, Undefined{}, false}, {math.NaN(), math.NaN(), false},
		{0.0, math.Copysign(0, -1), true}, {[]Value{1.0}, []Value{1.0}, true}, {[]Value{1.0}, []Value{}, false},
		{[]Value{}, NewObject(), false}, {NewObject("a", 1, "b", 2), NewObject("b", 2, "a", 1), false},
		{NewObject("a", []Value{nil}), NewObject("a", []Value{nil}), true}, {"x", NewObject(), false},
	} {
		if got := Equal(c.a, c.b); got != c.want {
			t.Errorf("Equal(%v, %v) = %v", c.a, c.b, got)
		}
	}
}

func TestConversions(t *testing.T) {
	for _, c := range []struct {
		v       Value
		truthy  bool
		integer bool
		typeOf  string
		text    string
	}{
		{Undefined{}, false, false, "undefined", "undefined"},
		{nil, false, false, "object", "null"},
		{false, false, false, "boolean", "false"},
		{true, true, false, "boolean", "true"},
		{0.0, false, true, "number", "0"},
		{math.NaN(), false, false, "number", "NaN"},
		{5.0, true, true, "number", "5"},
		{1e21, true, true, "number", "1e+21"},
		{-1.5e-7, true, false, "number", "-1.5e-7"},
		{math.Inf(-1), true, false, "number", "-Infinity"},
		{"", false, false, "string", ""},
		{"0", true, false, "string", "0"},
		{[]Value{1.0, nil, []Value{"a", Undefined{}}}, true, false, "object", "1,,a,"},
		{NewObject(), true, false, "object", "[object Object]"},
	} {
		if Truthy(c.v) != c.truthy || IsInteger(c.v) != c.integer || TypeOf(c.v) != c.typeOf || ToString(c.v) != c.text {
			t.Errorf("%v: %v %v %q %q", c.v, Truthy(c.v), IsInteger(c.v), TypeOf(c.v), ToString(c.v))
		}
	}
}

func TestLength(t *testing.T) {
	for s, want := range map[string]int{"": 0, "abc": 3, "é": 1, "€": 1, "😀": 2, "a\xed\xa0\x80b": 3, "\xff": 1} {
		if got := Length(s); got != want || len(UTF16(s)) != want {
			t.Errorf("Length(%q) = %d, units %d, want %d", s, got, len(UTF16(s)), want)
		}
	}
}

func TestParseFloat(t *testing.T) {
	for s, want := range map[string]string{
		"1.5abc": "1.5", " \u00a0\n-2e3": "-2000", ".5.5": "0.5", "5.": "5", "1e": "1", "1e+": "1", "+7": "7", "-Infinityx": "-Infinity",
		"": "NaN", "abc": "NaN", ".": "NaN", "-.e5": "NaN", "1e999": "Infinity", "1e-999": "0", "0x10": "0", "1_000": "1",
	} {
		if got := NumberText(ParseFloat(s)); got != want {
			t.Errorf("ParseFloat(%q) = %s, want %s", s, got, want)
		}
	}
}

// ParseInto is Parse, whatever the object held before.
func TestParseInto(t *testing.T) {
	var o Object
	long := `{"7":1`
	for i := range 40 {
		long += fmt.Sprintf(`,"k%d":%d`, i, i)
	}
	for range 2 {
		for _, text := range []string{`{"a":1,"b":{"a":{"c":2}}}`, `[{"a":1}]`, `{"2":0,"b":1,"1":2,"b":3}`, `{}`, `{"a":`, `nope`, long + "}", ` {"x":[{}]} `} {
			want, errWant := Parse(text)
			got, err := ParseInto(&o, text)
			if (err == nil) != (errWant == nil) || err == nil && Stringify(got) != Stringify(want) {
				t.Fatalf("%s: %s, %v", text, Stringify(got), err)
			}
			if object, ok := got.(*Object); ok && object.Len() != len(object.Keys()) {
				t.Fatal(text)
			}
		}
	}
}
