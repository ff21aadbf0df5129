// Package devnet is an embedded regtest chain with a bitcoind-style JSON-RPC,
// for demo, dev and tests: real blocks, scripts, signatures, mempool policy and
// reorganisations with nothing to install. Consensus, mempool, block templates
// and storage are btcd's own packages (blockchain, mempool, mining,
// database/ffldb); a wallet, the RPC surface and its faults are ours.
//
//	chain, err := devnet.New(devnet.Config{Params: devnet.Bitcoin()})
//	defer chain.Close()
//	// POST JSON-RPC to chain.URL()
//
// # Invariants
//
//   - The journal is the chain (journal.go). What an RPC answered or a reader
//     could see is in it, so a kill -9 at any instant loses nothing that was
//     told; btcd's database is a cache that is rebuilt when it does not open or
//     does not agree. Writes are not synced: a power cut may cost the newest
//     blocks, but leaves a whole chain.
//   - Money is integers. Amounts are printed with eight decimals and read
//     exactly; only FaultFloat shows floats.
//   - One lock (Chain.mu): whoever changes chain, mempool or wallet holds it for
//     writing. A reader sees one state of all three.
//   - No block is made twice: the extra nonce counts all blocks ever made, so
//     mining after invalidateblock gives another block, and another coinbase.
//   - btcd's loggers stay as they are by default: silent.
//   - It listens on loopback only, and its wallet's seed is public.
//
// # RPC
//
// HTTP POST of JSON-RPC 1.0, 1.1 or 2.0 to / (or /wallet/NAME, which is the
// same wallet) with basic authentication; single or batch; positional or named
// parameters with Bitcoin Core's names. An error comes with HTTP 500 (404 for an
// unknown method, 400 for a bad envelope) in every version of JSON-RPC, as in
// Core before v28; bodies beyond 16 MiB get 413, bad credentials 401. Methods:
//
//	generatetoaddress submitblock sendtoaddress getnewaddress getbalance validateaddress
//	getblockcount getbestblockhash getblockhash getblock getblockheader
//	getblockchaininfo getnetworkinfo getchaintips invalidateblock reconsiderblock
//	getrawtransaction getrawmempool sendrawtransaction testmempoolaccept gettxout
//	estimatesmartfee help
//
// Known differences from Core: sendrawtransaction of a transaction that waits
// in the mempool already is error -27 txn-already-in-mempool (Core answers its
// id); estimatesmartfee always answers the flavour's rate; testmempoolaccept
// judges each transaction alone; getblock leaves out each transaction's fee,
// and verbosity 3 is 2; getnetworkinfo and getblockchaininfo are short forms.
// getrawtransaction finds every transaction of the best chain (Core: txindex).
//
// # What it is not
//
// There is no P2P: it has no peers, relays nothing and cannot be synced from.
// There is no ZMQ and no websocket, no pruning, no mempool expiry, size limit,
// package relay or full replace-by-fee (replacement is BIP 125 by signalling,
// as btcd has it). The wallet has one public seed, no encryption, no labels, no
// history and no import. The difficulty never changes. Whoever has the
// credentials can do everything.
//
// # Coins
//
// Bitcoin, Litecoin, BitcoinCash and Dogecoin are its flavours; their comments say
// what each leaves out. btcd's limits remain for all: a subsidy of 50 coins at
// first and no amount above 21 million coins. Proof of work is the coin's own.
//
// # Adding a coin
//
// Write a function that returns Params, as these do. Coins that differ in address
// versions, genesis, maturity, segwit, proof of work, block version and fees
// differ in data only; other signatures need code, as in cash.go.
package devnet
