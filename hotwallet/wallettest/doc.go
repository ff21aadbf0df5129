// Package wallettest is a made-up sidechain for tests of signers: rows of the
// contract pegs in a real state store, their proofs, and headers of base blocks
// that commit to its state, signed by any key.
//
// It knows no request of hotwallet's, so that hotwallet's own tests can use it.
// A row of another kind: Insert.
package wallettest
