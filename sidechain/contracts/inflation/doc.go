// Package inflation is the contract of that name as it stands in the peer's
// genesis block: every 1,200 base blocks it issues the utility token to two
// accounts. Only the engine calls it; a chain without it has no inflation, and
// new chains have none.
package inflation
