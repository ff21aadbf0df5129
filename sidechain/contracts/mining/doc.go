// Package mining is the peer's contract of that name on a chain without mining
// pools: its tables, the hook that tokens calls when a stake changes, and its
// tick, both of which find nothing to do.
//
// Pools cannot come into being, because the actions that make them are not
// built, and the contract says so (contract.Partial). A recorded state that
// holds one stops the node instead of being computed wrongly.
//
// New chains do without this contract: there the hooks of tokens are optional
// (contract.RuleOptionalHooks).
package mining
