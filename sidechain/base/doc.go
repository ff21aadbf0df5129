// Package base is the seam between the sidechain and the chain below it.
//
// A base layer only orders and authenticates operations. It hands final blocks
// to an [Executor] (the engine), one after the other, and takes signed
// transactions. What the blocks mean is the engine's business; so anyone who
// has a layer's blocks computes the same state, hash for hash.
//
// Invariants:
//   - a block that an Executor sees is final: there is no undo;
//   - it is durable in the layer's own store before it is executed;
//   - signatures and authorities of its transactions were checked;
//   - a layer that keeps state of its own (accounts, balances, posts) keeps it
//     as rows of state's base section, changed only by its [Machine], so that
//     it stands under the state root and in the same checkpoint.
//
// To add a layer: a package below this one with a type that implements [Layer]
// (and [Machine], [Directory] where it has state), and one line in the
// command's wiring.
package base
