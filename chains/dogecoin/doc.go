// Package dogecoin is Dogecoin on its networks: a utxo.Coin with its proof of
// work (scrypt, own or merge-mined), limits, depths and addresses. There is no
// segregated witness: our keys are P2PKH and signatures are of the original form.
//
// A merge-mined block carries the parent's coinbase and header between its own
// header and its transactions; both merkle branches, the place among the chains
// and the parent's work are verified.
//
// Nodes ask 0.001 DOGE per 1000 bytes and treat outputs below 0.01 DOGE as dust
// that costs extra: we make none. They replace by default, but chains of
// unconfirmed transactions are not relied upon: own change is spent when it is in
// a block.
//
// To add one more network: a row in the table of New.
package dogecoin
