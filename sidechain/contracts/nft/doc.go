// Package nft is the contract of that name as far as every block executes it:
// its tick, which has nothing to do while nobody has undelegated anything. The
// other actions are not built, and the contract says so (contract.Partial).
package nft
