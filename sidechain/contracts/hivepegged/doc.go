// Package hivepegged is the contract of that name: the base layer's own coin as
// a token (peer-spec section 5). It belongs to the custody account, which holds
// the whole supply of the pegged token from block 0; what others hold is backed
// by the coins that they sent there.
//
// # Actions
//
//	buy              {}          carried by a transfer of the coin to the owner: the tokens for it, less the fee
//	withdraw         {quantity}  active key: gives tokens back and asks for the coins, less the fee
//	removeWithdrawal {id}        the owner's, carried by the payout itself: the request is done
//
// The fee is 0.75 %, rounded half up to three decimals, at least 0.001.
// What is owed stands in the table withdrawals until it is paid: {id, type,
// recipient, memo, quantity}, where id is the transaction's, with "-fee" behind
// it for the fee. The contract has no events of its own.
//
// Invariants:
//   - what a withdrawal owes, the fee included, is exactly what the owner got;
//   - a request is recorded only after the tokens have moved, and once for a
//     transaction;
//   - amount and recipient come from the base layer: the streamer removes from
//     payloads what only a transfer may say.
//
// On the peer's chain the names are fixed (Current). On a new chain they are
// the genesis document's: the token is profile.native_peg, the coin
// profile.base_coin, fees go to the admin; the contract is there only where
// base_peg names an account, which owns it. That account can be any, so its
// withdrawals are a list of debts: paying them is up to whoever has its keys.
package hivepegged
