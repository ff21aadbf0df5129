// Package gateway is the service that moves value: it follows the outside
// chains and the sidechain, mints what was deposited and pays what was burned.
// It is the only place with time, retries, order and halts.
//
// # Shape
//
//	nodes ─▶ chains.Follower ─▶ WatchSet ─┐                        ┌─▶ minter ─▶ pegs.mint
//	                                      ▼                        │
//	sidechain rows of final blocks ─▶  Ledger (one writer:         ├─▶ payer ─▶ pegs.assign, signer, nodes
//	                                   validate, fsync, apply)     │
//	                                      ▲    state = fold(log) ──┼─▶ pegs.settle, pegs.giveBack
//	people, nodes, audit ─▶ halts ────────┘                        └─▶ read model for the API
//
// gateway.db holds the events and nothing else (ADR 9: a file of frames, with
// seals of the state and a snapshot beside it); everything the services do is a
// view of the state (package pegs), so a restart at any point continues.
//
// # Invariants
//
//   - Every act outside the process has its intent durable before it: the mint
//     before its operation is submitted, the plan before it is assigned, the
//     signed bytes before they are broadcast.
//   - An error or a time-out of a node, the base layer or the signer means
//     unknown. Only a row of a final block says that a deposit is credited, and
//     only the chain says that a payout was made.
//   - Nothing is signed before its assign row is final.
//   - One process writes: the home is locked. Each event that rests on a base
//     block records its number and id, and a base layer that does not contain
//     them is refused (ErrOlderBase).
//   - Any disagreement between the ledger, the sidechain and the scanner, which
//     reads the chain by other code, makes the audit not ok.
//
// # Where to find what
//
//	follow, watch, nodes         blocks, scripts that are ours, halts for what nodes do
//	tail, sidechain              rows of the sidechain become events
//	operator                     mints, assigns, settlements, releases: what attestors say
//	limits, payout, sign, broadcast
//	                             a withdrawal is admitted, planned, signed, sent
//	lift, tidy, orders           bumps and children, mergers, orders of people (ADR 12)
//	eventlog, logfile, snapshot  gateway.db
//	scanner, audit               the second reading of the chain, the books
//
// To add a service: a type with a method step(ctx) error and a line in
// Gateway.loops; what it needs from elsewhere is an interface in interfaces.go.
package gateway
