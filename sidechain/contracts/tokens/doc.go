// Package tokens is the contract of that name: tokens, balances of users and
// of contracts, issuing, transfers and burns, to the letter of peer-spec
// section 2.
//
// One implementation serves several editions of the peer's contract. What
// differs between them is data (type edition), not code: who may issue, which
// symbols are restricted, whether a quantity is normalised before it is
// booked. New returns the edition of new chains: the newest rules, no reserved
// symbols, the contract pegs as an issuer, and the gate.
//
// Invariants:
//   - checks come first and in the order of the peer, one message at a time;
//     writes and events follow in the peer's order, because both are hashed;
//   - a balance row is never deleted, and no balance goes below zero;
//   - tokens leave circulation only by a transfer to "null";
//   - on new chains nobody but the contract pegs issues a pegged token.
//
// A stake is moved by hand and by time: the two ticks pay out the slices of
// unstakes and give delegated stake back. At any moment the slice that is due
// next has left the stake already; so the tokens in circulation are balances +
// stakes + those slices + delegationsOut + pendingUndelegations + what
// contracts hold, and what is staked of a token is stakes + delegationsOut +
// pendingUndelegations.
package tokens
