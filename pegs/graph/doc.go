// Package graph writes a graph of Go values as bytes and reads it back, the
// unexported fields included. It knows nothing of what the values mean: what is
// added to a type is written without a line of code here, so that nothing can be
// forgotten.
//
// # The form
//
// A struct is its fields in the order of their declaration; an integer a varint;
// text its length and its bytes; a list its length and its elements; a map its
// length and its entries in the order of their keys; a time its seconds and
// nanoseconds in UTC. nil lists and maps differ from empty ones. A pointer is 0
// for nil, else the number of its target among the targets of that type, in order
// of first sight, which is followed by the target itself at first sight: who
// shared a value before shares it afterwards, and cycles are no matter.
//
// # Invariants
//
//   - Equal graphs, sharing included, have equal forms, and other graphs others:
//     the hash of the form names the value.
//   - A form says nothing of its types. Shape describes them; forms may only be
//     read by the shape that they were written with.
//   - Types that have no form (interfaces, functions, channels, floats) are
//     refused when the Codec is made, never later.
//   - A field with the tag `graph:"derived"` is left out: whoever reads a value
//     makes it again of the others.
//   - Pointers into the middle of other values are not followed back to them: they
//     become values of their own.
//   - Decoding never panics and allocates no more than a multiple of its input.
//     What is read shares memory with the input.
package graph
