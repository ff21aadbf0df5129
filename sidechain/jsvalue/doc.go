// Package jsvalue is JavaScript's data as the sidechain's rules see it: JSON
// text, numbers, decimal amounts, floating powers and seeded randomness, all
// byte for byte as the peer's runtime produces them (peer-spec 0.2 to 0.5 and
// 1.5). Block hashes and token amounts depend on these texts.
//
// Invariants:
//   - pure: no clock, no global that changes, no dependency on the machine's
//     architecture (float products that are added are rounded explicitly, so
//     no compiler may fuse them);
//   - a Value that was handed out is not changed by this package: Set and
//     Delete work on the object they are called on and nothing else;
//   - text from strangers costs no more than its length: depth is limited,
//     objects with very many members are indexed, and numbers outside of
//     bignumber.js's RANGE (1e±500) are never expanded; what has more than
//     1,000 digits that count is no number.
//
// One file a concern: value.go, object.go, parse.go, stringify.go, number.go,
// bignumber.go with its arithmetic and text, pow.go, random.go.
package jsvalue
