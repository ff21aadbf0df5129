// Package utxo is what the coins of the Bitcoin family have in common: the
// decoder of raw blocks and transactions, proof of work, standard scripts, dust
// and sizes, and the building and signing of our own transactions. A Coin is
// one of them on one network, made from Params; it is a chains.Chain.
//
// Invariants:
//
//   - Nothing that strangers sent is trusted: every count is bounded by the
//     bytes that are left before memory is taken for it, every value and every
//     sum of values lies in 0..MaxMoney, and no input makes a decoder panic.
//   - A decoded block was recomputed: header hash, proof of work, merkle root
//     (with the duplicate check of CVE-2012-2459) and witness commitment. A
//     parse that goes wrong anywhere in a transaction gives another txid and
//     with it another merkle root, so it cannot pass silently.
//   - The same inputs, payees and lock time always give the same transaction:
//     BIP69 order, RFC 6979 nonces, low S.
//   - A signature is returned only after the script engine accepted it under
//     the flags of standard relay; where the engine refuses fork ids, after a
//     verifier of our own did, with a digest computed apart.
//
// What a decoder reads is checked for integrity, not for validity: whether
// inputs exist and scripts succeed is the business of the nodes and of the
// quorum among them.
//
// What differs between coins is a field of Params (the hash that work is measured
// by, auxiliary proof of work after the header, extension blocks after the
// transactions, prefixes before scripts, fork ids in signatures, dust, versions,
// checkpoints), whose zero value means Bitcoin's way; no code asks for a coin's
// name (ADR 15).
//
// To add one more coin: a package beside chains/bitcoin that fills in Params. What
// Params does not cover yet becomes a new field of it.
package utxo
