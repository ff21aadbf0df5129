package graph

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

type kind string

type key struct {
	name  string
	index uint32
}

type leaf struct {
	text string
	back *node
}

type node struct {
	Name   string
	flag   bool
	small  int8
	signed int64
	large  uint64
	raw    []byte
	at     time.Time
	kinds  []kind
	pair   [2]uint16
	by     map[string]*leaf
	keyed  map[key]kind
	ages   map[int16][]string
	left   *node
	shared *leaf
	leaves []*leaf
	inner  struct{ x, y uint32 }
}

func codec(t testing.TB) *Codec[node] {
	t.Helper()
	c, err := New[node]()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func sample() *node {
	l := &leaf{text: "shared"}
	n := &node{
		Name: "root", flag: true, small: -128, signed: math.MinInt64, large: math.MaxUint64, raw: []byte{0, 255},
		at: time.Unix(-62135596800, 5).UTC(), kinds: []kind{"", "b"}, pair: [2]uint16{1, 65535},
		by:    map[string]*leaf{"b": l, "a": {text: "own"}, "": nil},
		keyed: map[key]kind{{"x", 2}: "2", {"x", 1}: "1", {"", 9}: ""},
		ages:  map[int16][]string{-1: nil, 7: {}, 3: {"z"}},
		left:  &node{raw: []byte{}}, shared: l, leaves: []*leaf{l, nil, l},
	}
	n.inner.y = 4
	l.back = n // a cycle
	return n
}

var everything = cmp.Options{cmp.AllowUnexported(node{}, leaf{}, key{}, struct{ x, y uint32 }{})}

func TestRoundTrip(t *testing.T) {
	c := codec(t)
	for _, want := range []*node{{}, sample()} {
		text := c.Append([]byte("before"), want)
		got := new(node)
		if err := c.Decode(text[6:], got); err != nil {
			t.Fatal(err)
		}
		var pieces bytes.Buffer
		if err := c.Write(&pieces, want); err != nil || !bytes.Equal(pieces.Bytes(), text[6:]) {
			t.Errorf("in pieces: %d bytes of %d, %v", pieces.Len(), len(text)-6, err)
		}
		// The root itself is no pointer's target, so that a cycle through it
		// makes one copy of it: compare what can be compared by eye as well.
		if again := c.Append(nil, got); !bytes.Equal(again, text[6:]) {
			t.Errorf("another form after a round")
		}
		want.shared, got.shared = nil, nil
		want.by, got.by, want.leaves, got.leaves = nil, nil, nil, nil
		if diff := cmp.Diff(want, got, everything...); diff != "" {
			t.Error(diff)
		}
	}
}

// fewBytes is a sink that fails.
type fewBytes int

func (f *fewBytes) Write(p []byte) (int, error) {
	if *f -= fewBytes(len(p)); *f < 0 {
		return 0, errors.New("full")
	}
	return len(p), nil
}

// What is larger than a piece goes to the sink in several, and whole.
func TestManyPieces(t *testing.T) {
	c := codec(t)
	many := new(node)
	for range 20 {
		many.leaves = append(many.leaves, &leaf{text: strings.Repeat("x", pieceSize/3)})
	}
	var pieces bytes.Buffer
	if err := c.Write(&pieces, many); err != nil || !bytes.Equal(pieces.Bytes(), c.Append(nil, many)) {
		t.Errorf("%d bytes, %v", pieces.Len(), err)
	}
	few := fewBytes(2 * pieceSize)
	if err := c.Write(&few, many); err == nil {
		t.Error("a sink that fails goes unnoticed")
	}
}

func TestSharingIsKept(t *testing.T) {
	c := codec(t)
	got := new(node)
	if err := c.Decode(c.Append(nil, sample()), got); err != nil {
		t.Fatal(err)
	}
	if got.shared != got.by["b"] || got.shared != got.leaves[0] || got.shared != got.leaves[2] || got.shared == got.by["a"] {
		t.Error("who shared a value does no longer, or who did not does")
	}
	if got.ages[-1] != nil || got.ages[7] == nil || got.left.raw == nil || got.left.by != nil {
		t.Error("nil and empty are mixed up")
	}
	other := sample()
	other.leaves[2] = &leaf{text: "shared", back: other.shared.back}
	if bytes.Equal(c.Append(nil, sample()), c.Append(nil, other)) {
		t.Error("equal values that are not the same have the form of one")
	}
}

func TestTypesWithoutForm(t *testing.T) {
	for name, err := range map[string]error{
		"interface": of[struct{ a any }](), "float": of[struct{ a []float64 }](), "func": of[struct{ a map[string]func() }](),
		"channel": of[struct{ a *chan int }](), "nothing": of[struct{ a *struct{} }](), "key": of[struct{ a map[[2]string]int }](),
		"complex": of[complex128](), "list of nothing": of[[]struct{}](),
	} {
		if err == nil {
			t.Errorf("%s has a form", name)
		}
	}
}

func of[T any]() error {
	_, err := New[T]()
	return err
}

func TestDerivedFieldsAreLeftOut(t *testing.T) {
	type record struct{ A string }
	type indexed struct {
		A     string
		index map[string]func() `graph:"derived"`
	}
	c, plain := Must(New[indexed]()), Must(New[record]())
	text := c.Append(nil, &indexed{A: "x", index: map[string]func(){"f": nil}})
	if !bytes.Equal(text, plain.Append(nil, &record{A: "x"})) {
		t.Error("a derived field is in the form")
	}
	var got indexed
	if err := c.Decode(text, &got); err != nil || got.A != "x" || got.index != nil {
		t.Errorf("read back: %+v, %v", got, err)
	}
	if strings.Contains(c.Shape(), "index ") {
		t.Errorf("a derived field is in the shape:\n%s", c.Shape())
	}
}

func TestShape(t *testing.T) {
	type one struct{ A, B string }
	type two struct{ B, A string }
	x, y := Must(New[one]()), Must(New[two]())
	if strings.Count(x.Shape(), "A string; B string;") != 1 || strings.Contains(y.Shape(), "A string; B string;") {
		t.Errorf("%s\n%s", x.Shape(), y.Shape())
	}
	shape := codec(t).Shape()
	for _, part := range []string{"graph.kind string", "leaves []*graph.leaf;", "graph.key { name string; index uint32; }"} {
		if !strings.Contains(shape, part) {
			t.Errorf("no %q in\n%s", part, shape)
		}
	}
}

// Every part of a form matters: what is cut, or has more behind it, is refused.
func TestDamagedForms(t *testing.T) {
	c := codec(t)
	text := c.Append(nil, sample())
	for n := range len(text) {
		if err := c.Decode(text[:n], new(node)); !errors.Is(err, ErrForm) {
			t.Fatalf("%d of %d bytes: %v", n, len(text), err)
		}
	}
	if err := c.Decode(append(bytes.Clone(text), 0), new(node)); !errors.Is(err, ErrForm) {
		t.Errorf("a byte more: %v", err)
	}
}

func TestRandomValues(t *testing.T) {
	c := codec(t)
	rapid.Check(t, func(t *rapid.T) {
		pool := []*leaf{nil, {text: "a"}, {text: "b"}}
		any := rapid.SampledFrom(pool)
		n := &node{
			signed: rapid.Int64().Draw(t, "signed"), large: rapid.Uint64().Draw(t, "large"), small: rapid.Int8().Draw(t, "small"),
			raw: rapid.SliceOf(rapid.Byte()).Draw(t, "raw"), leaves: rapid.SliceOf(any).Draw(t, "leaves"),
			by: rapid.MapOf(rapid.String(), any).Draw(t, "by"), shared: any.Draw(t, "shared"),
			ages: rapid.MapOf(rapid.Int16(), rapid.SliceOf(rapid.String())).Draw(t, "ages"),
			at:   time.Unix(rapid.Int64Range(-1<<40, 1<<40).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC(),
		}
		text := c.Append(nil, n)
		got := new(node)
		if err := c.Decode(text, got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(n, got, everything...); diff != "" {
			t.Fatal(diff)
		}
		if !bytes.Equal(text, c.Append(nil, got)) {
			t.Fatal("another form after a round")
		}
	})
}

// What decodes has one form only: the bytes that it was read from.
func FuzzDecode(f *testing.F) {
	c := codec(f)
	f.Add(c.Append(nil, sample()))
	f.Add(c.Append(nil, &node{}))
	f.Fuzz(func(t *testing.T, text []byte) {
		n := new(node)
		if c.Decode(bytes.Clone(text), n) == nil && !bytes.Equal(c.Append(nil, n), text) {
			t.Error("two forms of one value")
		}
	})
}
