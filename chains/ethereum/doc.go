// Package ethereum is what the gateway, the ledger and the signer know of
// Ethereum: quantities of wei, blocks that were verified against their hash,
// state read at a block's hash, transfers of tokens, and transactions to sign.
package ethereum
