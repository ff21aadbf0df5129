// Package bitcoincash is Bitcoin Cash on its networks: a utxo.Coin with its
// limits, depths, CashAddr addresses, fork ids in signatures and CashTokens.
//
// An output that carries tokens beside its coins is matched without the prefix:
// the coins are credited, the tokens are recorded as there, and nothing ever
// spends it, since our transactions would destroy them. Addresses for tokens
// (CashAddr types 2 and 3) are paid coins like the plain ones. The legacy form is
// refused: it cannot be told from Bitcoin's.
//
// Blocks list transactions in the order of their ids (CTOR), so children may
// stand before parents. There is no replacement: the first transaction seen
// holds, and a payout that is stuck is raised by a child.
//
// Its genesis is Bitcoin's: nodes of the two are told apart by the block after the
// fork (mainnet) and by which addresses they know.
//
// Testnet means testnet4. To add one more network: a row in the table of New.
package bitcoincash
