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
//	tail, booking, sidechain     rows of the sidechain become events
//	operator                     mints, assigns, settlements, releases: what attestors say
//	limits, payout, sign, broadcast
//	                             a withdrawal is admitted, planned, signed, sent
//	lift, tidy, orders           bumps and children, mergers, orders of people (ADR 12)
//	eventlog, logfile, snapshot  gateway.db
//	scanner, audit               the second reading of the chain, the books
//
//	account_*                    Ethereum: the same services for a chain of accounts
//
// What the parts that are the same for all chains ask of one is in served.go; what
// paying has in common, in office.go.
//
// # Chains of accounts
//
// Only final blocks enter the ledger (account_follow). A block says what our accounts
// sent and which tokens say that they moved; what was received the balances say, which
// are read at the hash of the newest block (account_read): at once where a block touches
// an account, and of all accounts in turn, because coins that a contract moves leave no
// trace in transactions. What stands above finality is shown from memory
// (account_above). A payout is one transaction with the ledger's next nonce, tried on the
// nodes before it is planned (account_pay); deposit addresses are swept to the hot
// account, with gas from the sweeper where it is a token (account_sweep); what no block
// takes is replaced at its nonce (account_lift).
//
// To add a service: a type with a method step(ctx) error and a line in
// Gateway.loops; what it needs from elsewhere is an interface in interfaces.go.
package gateway
