// Package ethereum is what the gateway, the ledger and the signer know of
// Ethereum: quantities of wei, blocks that were verified against their hash, state
// read at a block's hash, transfers of tokens, transactions to sign, and what
// became of them. It is the only part of the gateway that knows go-ethereum; what
// it hands out are types of its own.
//
//	Open ──▶ Quorum ─┬─ Follower.Next ──▶ Step{Connected *Block} ──▶ Transfers, Touched
//	                 ├─ Balances, TokenBalances, Nonces, Code, Token   at a block's hash
//	                 ├─ Market, Gas ──▶ FeeLimits.Price, Replace ──▶ Transaction.Sign
//	                 └─ Broadcast, Lookup
//
// Invariants:
//
//   - Every error of a node or a Quorum means "unknown". Only the chain says that a
//     transaction failed (Mined.Succeeded) or can never be mined (Quorum.Nonces).
//   - A block is what its hash says: header, transactions, receipts, withdrawals and
//     bloom are recomputed from what the node sent. A block that this does not
//     understand, say with a kind of transaction of a later fork, is
//     chains.ErrBadBlock and stops the chain.
//   - Which block stands at a height, and every balance, nonce and answer of a
//     contract, was said by as many nodes as must agree, exactly alike, about the
//     same block's hash.
//   - A transfer's identity is transaction and place within the transaction's own
//     receipt (Log.Index), never its place in a block.
//   - Coins that contracts move leave no trace in transactions or logs: only
//     balances tell what was received. Touched wakes a check and proves nothing.
//   - What is signed is decoded from its own bytes before it leaves the package.
//
// Wei becomes the token's quantity in pegs (Asset.Quantity), rounded down with the
// remainder booked, like every other coin; Wei.Amount is the way there.
//
// A node must answer batches of 100 calls, eth_getBlockReceipts by hash, and state
// by block hash (EIP-1898) for the newest 128 blocks, as Geth, Nethermind, Besu,
// Erigon and Reth do as they are shipped.
//
// To follow a fork of the protocol: a newer go-ethereum, which knows its header
// fields and transaction types.
package ethereum
