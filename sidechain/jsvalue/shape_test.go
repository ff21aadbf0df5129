package jsvalue

import "testing"

func TestShape(t *testing.T) {
	s := NewShape("b", "a", "c")
	for _, test := range []struct {
		o    *Object
		want string
	}{
		{s.Object(), `{}`},
		{s.Object("x"), `{"b":"x"}`},
		{s.Object("x", 1.0, nil), `{"b":"x","a":1,"c":null}`},
	} {
		if got := Stringify(test.o); got != test.want {
			t.Errorf("%s, want %s", got, test.want)
		}
	}
	o := s.Object("x", 1.0, true)
	o.Set("0", 2)
	o.Set("a", "y")
	o.Delete("b")
	if got, want := Stringify(o), `{"0":2,"a":"y","c":true}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := Stringify(s.Object("x", 1.0, nil)); got != `{"b":"x","a":1,"c":null}` {
		t.Errorf("a second object of the shape is %s", got)
	}
}

// TestShapeLarge: an object that keeps a map from name to position has it.
func TestShapeLarge(t *testing.T) {
	var keys []string
	var values []Value
	for i := range 2 * indexFrom {
		keys, values = append(keys, string(rune('a'+i))), append(values, float64(i))
	}
	o := NewShape(keys...).Object(values...)
	for i, key := range keys {
		if o.Get(key) != float64(i) {
			t.Errorf("%s is %v", key, o.Get(key))
		}
	}
}

func TestShapeRefuses(t *testing.T) {
	for _, keys := range [][]string{{"a", "a"}, {"a", "7"}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%v makes a shape", keys)
				}
			}()
			NewShape(keys...)
		}()
	}
}
