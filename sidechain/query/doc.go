// Package query is the find and findOne language of the public API: a subset of
// MongoDB's (peer-spec 1.11) over the tables of package state. Contracts do not
// use it; they have typed finds by index.
//
// A filter knows equality, dotted paths, array membership, $eq $ne $gt $gte $lt
// $lte $in $nin $not $exists $and $or $nor, BSON's type bracketing, and numbers
// in extended JSON ({"$numberDecimal":"0.5"}). Any other operator is an error;
// regular expressions and scripts are left out on purpose.
//
// Invariants:
//   - a filter is compiled once, never changes, and may be shared;
//   - compiling a stranger's query costs no more than its text: nesting, clauses
//     and list values are bounded (ErrTooLarge);
//   - using an index never changes a result, only its cost.
//
// To add an operator: a line in operators (operator.go), its predicate, a row
// in the table test, and, when it implies equality, a fact in collect.
package query
