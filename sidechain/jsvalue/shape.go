package jsvalue

// Shape is a list of member names for objects that are made often: an object
// of a shape is filled without looking for its members.
type Shape struct{ keys []string }

// NewShape makes a shape. The names must differ, and none may be an array
// index; anything else is a programming error and panics.
func NewShape(keys ...string) *Shape {
	seen := make(map[string]bool, len(keys))
	for _, key := range keys {
		if _, isIndex := arrayIndex(key); isIndex || seen[key] {
			panic("jsvalue: a shape cannot have the member " + key)
		}
		seen[key] = true
	}
	return &Shape{keys: keys}
}

// Object is an object with the first len(values) members of the shape. Values
// are taken as they are: numbers must be float64.
func (s *Shape) Object(values ...Value) *Object {
	o := newObject(len(values))
	for i, v := range values {
		o.members = append(o.members, member{s.keys[i], v})
	}
	o.indexed(len(values))
	return o
}
