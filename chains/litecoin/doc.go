// Package litecoin is Litecoin on its networks: a utxo.Coin with Litecoin's
// proof of work, limits, depths, addresses and extension blocks (MWEB).
//
// Coins inside the extension block belong to no script and are never ours. A
// peg-out pays an ordinary script in the block's last transaction (HogEx): a
// real deposit, credited at PegOutDepth. Outputs of witness version 8 (the
// extension block's balance) and 9 (what goes into it) match nothing, and MWEB
// addresses are refused as payees.
//
// Nodes as they are shipped refuse replacements (-mempoolreplacement=0), so a
// payout that is stuck is raised by a child.
//
// Testnet means testnet4. To add one more network: a row in the table of New.
package litecoin
