// Package resourcemanager is the contract that the engine asks before every
// user transaction whether it may run, and at what fee (peer-spec 1.4). Its
// action burnFee counts the transactions of one sender in one block: the first
// ones are free, further ones are limited, and market orders beyond them burn
// a fee.
//
// Invariants: burnFee writes at most the sender's own control row and the
// balances of the fee; when it asserts anything, the transaction does not run.
package resourcemanager
