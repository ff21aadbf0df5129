// Package graphene speaks the transaction format of Hive and Steem: the
// operations that Causeway's base layer takes, their binary and JSON forms,
// digests, recoverable signatures, keys and authorities.
//
// The binary form is Graphene's ("fc::raw"): little-endian integers, unsigned
// LEB128 lengths, static variants by tag, fixed order of members. It is what a
// key signs, so it has exactly one spelling: [Decode] refuses whatever
// [Transaction.Serialize] would not write (long-form varints, booleans other
// than 0 and 1, trailing bytes, text that is not UTF-8). Every decoder bounds
// its allocations by the bytes that are really there.
//
// The JSON form is read in both spellings of the chain, ["vote",{…}] and
// {"type":"vote_operation","value":{…}}, and written in the first one unless
// asked otherwise. In JSON and in this package's values the coins are called
// HIVE and HBD; in the binary form they are, for ever, STEEM and SBD.
//
// # Adding an operation
//
// Write its type in a file of its own with the methods of [Operation], and add
// one line to the table in operation.go. Tags and member order are those of
// hived's protocol headers (hive/protocol/operations.hpp).
//
// The package decides consensus: it depends on nothing but the standard
// library, secp256k1 and RIPEMD-160.
package graphene
