// Package bitcoin is Bitcoin on its networks: a utxo.Coin with Bitcoin's
// limits, depths and addresses. It holds no code of its own beyond that table.
//
// Testnet means testnet4. Regtest is that of Bitcoin Core and of btcd, whose
// genesis is the same.
//
// To add one more network: a row in the table of New.
package bitcoin
