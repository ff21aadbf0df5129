// Package pegs is the pure ledger between coins on outside chains and their
// pegged tokens: assets and the conversion of amounts, deposits, withdrawals,
// the batches that pay them, and the audit that must always balance. It does no
// I/O, has no clock and starts no goroutine.
//
// # State is a fold
//
// Everything the gateway knows is State, and State is the fold of Records: facts
// (a block was connected, a deposit was credited, a withdrawal was burned) and
// intents (this mint will be submitted, these inputs pay these withdrawals,
// these bytes will be broadcast). Apply refuses a record that cannot follow and
// then changes nothing. An outbox is a view of the state (ToMint, ToAssign,
// ToBroadcast …), never stored apart, so that a restart at any point continues.
//
// # Life cycles
//
//	deposit     seen ─▶ confirming ─▶ minting ─▶ credited
//	            below_minimum, held, unclaimed: never minted by themselves
//	            gone: not in the chain (reorganised or replaced)
//	            shortfall: credited, and no longer in the chain
//
//	withdrawal  requested ─▶ queued ─▶ planned ─▶ signed ─▶ broadcast ─▶ confirmed ─▶ settled
//	            parked ─▶ returned
//
//	batch       planned ─▶ assigned ─▶ signed ─▶ broadcast ─▶ mined ─▶ confirmed ─▶ settled
//	            dead (an input is spent otherwise for good) ─▶ releasing ─▶ released
//
// On a chain of accounts (Ethereum) an input is {sender, nonce}, a deposit of the coin
// is a rise of what an address has received, one of a token is a transfer as far as it
// came in, and a batch whose transaction failed is dead by it and still charged
// (account*.go, ADR 16).
//
// A withdrawal waits in queued for the limits (Admitted), for its delay and for
// coins; a veto parks it. Batches are of a kind: payouts, and what assigns no
// withdrawal (consolidate, child, cancel; ADR 12). Chains carry halts and alerts,
// each with cause, author and reason (ADR 13).
//
// # Invariants
//
//   - A deposit is its outpoint (chain:txid:vout). The block it stands in says
//     where, never who; a reorganisation changes only that.
//   - A withdrawal is the sidechain transaction that burned the tokens. It
//     belongs to at most one batch that was assigned, for ever.
//   - Intent before act: a batch is planned before it is assigned, assigned by a
//     final row of the sidechain before it is signed, signed before broadcast.
//   - Every variant of a batch spends exactly the batch's inputs. A payout is
//     recognised by what it spends, not by its txid.
//   - Rounding is against the claimant; the remainder is booked (Rounding).
//   - Nothing is un-minted. A credited deposit that left the chain is a
//     shortfall, which is a reason to halt.
//
// To add a kind of event: a type in events.go with its Kind, one line in the
// registry, one case in Apply, and a transition table test.
package pegs
