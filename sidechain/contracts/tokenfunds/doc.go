// Package tokenfunds is the peer's contract of that name on a chain without
// funds: its tables, the hook that tokens calls when a stake changes, and its
// tick, both of which find nothing to do.
//
// Funds and proposals cannot come into being, because the actions that make
// them are not built, and the contract says so (contract.Partial). A recorded
// state that holds one stops the node instead of being computed wrongly.
//
// New chains do without this contract: there the hooks of tokens are optional
// (contract.RuleOptionalHooks).
package tokenfunds
