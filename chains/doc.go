// Package chains holds what the gateway knows of the outside chains: the values
// (Amount, Outpoint, Block, Payment), the seams (Chain, Source), the Follower
// that walks a chain by hash, and the WatchSet that matches blocks against the
// scripts we own. It knows nothing of the sidechain, of accounts beyond their
// names, or of tokens.
//
// Invariants:
//
//   - An amount is a count of base units (satoshi, wei). No float is ever made,
//     not even on the way from a node's JSON numbers.
//   - A payment is identified by its Outpoint. A BlockRef says where it was seen
//     and may change; it is never an identity.
//   - A block is linked to its parent by hash. Height alone decides nothing.
//   - Every error of a Source means "unknown": neither the absence of a
//     transaction, nor a reorganisation, nor the failure of a payout may be
//     inferred from one.
//   - What a Chain decodes was re-hashed: block hash and merkle root are
//     computed from the bytes, so that a wrong parse cannot pass silently.
//
// One block goes through the package like this:
//
//	Source.Tip, HashAt ──▶ Follower.Next ──▶ Connected{Block} ──▶ WatchSet.Match ──▶ Matched
//	Source.RawBlock ──▶ Chain.DecodeBlock ─┘  Disconnected{BlockRef}
//
// To add one more coin of the Bitcoin family: a package beside bitcoin that
// fills in utxo.Params (what differs in encoding, policy and signing) and
// returns a Chain; the driver utxo/rpcnode serves its nodes. A coin of another
// kind implements Source and its own follower of finality, and fills Block.
package chains
