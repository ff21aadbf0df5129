// Package marketpools is the peer's contract of that name as far as recorded
// chains execute it: its deployment and the two updates that every chain of the
// peer's went through. No action is built, so no pool can come into being, and
// the contract says so (contract.Partial). A recorded state that holds one
// stops the node instead of being computed wrongly.
//
// New chains do without this contract.
package marketpools
