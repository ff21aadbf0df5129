// Package resourcemanager is the contract that the engine asks before every
// user transaction whether it may run, and at what fee (peer-spec 1.4). Its
// action burnFee counts the transactions of one sender in one block: the first
// ones are free, further ones are limited, and market orders beyond them burn
// a fee.
//
// Invariants: burnFee writes at most the sender's own control row and the
// balances of the fee; when it asserts anything, the transaction does not run.
//
// New chains differ from the peer in three things (manager): an account that
// was allowed without an end stays allowed, which is how attestors are; the name
// marketpools is no exception; and nothing is said to be burned that was not.
package resourcemanager
