// Package evm is an embedded Ethereum network with geth's JSON-RPC, for demo, dev
// and tests: real blocks, transactions, receipts and contracts with nothing to
// install. The EVM, the state and every encoding are go-ethereum's own packages
// (core, core/vm, core/state, core/types, rpc); chain, pool and control methods are
// ours.
//
//	chain, err := evm.New(evm.Config{SlotsInEpoch: 1})
//	defer chain.Close()
//	hash, err := chain.Fund(address, wei) // a transaction of the first account
//	err = chain.Mine(1)
//	// POST JSON-RPC to chain.URL()
//
// # Invariants
//
//   - The journal is the chain (store.go). What an RPC answered or a reader could
//     see is in it, so a kill -9 at any instant loses nothing that was told. Writes
//     are not synced: a power cut may cost the newest blocks, but leaves a whole
//     chain. The state is in memory: every block is executed again at start, and one
//     that does not come out with the same hash is an error.
//   - Every block's header commits to its transactions, receipts, logs and state:
//     types.Header.Hash of it is its hash. No block is made twice: the extra data
//     counts all blocks ever made.
//   - One lock (Chain.mu): whoever changes chain or pool holds it for writing. A
//     reader sees one state of both.
//   - Money is integers; only FaultFloat shows floats.
//   - It listens on loopback only, refuses requests under another host name, and its
//     keys are public.
//
// # Chain
//
// Chain id 31337 unless configured, every fork up to Osaka from genesis, blocks of
// 30,000,000 gas, no uncles, no withdrawals, base fee by EIP-1559 from 1 gwei. The
// contracts of EIP-4788 and EIP-2935 are not deployed. Ten accounts (anvil's) have
// 10,000 ether; configured tokens exist from genesis on, made by the first account,
// the first of them at 0x5FbDB2315678afecb367f032d93F642f64180aa3. Blocks are made by
// evm_mine, by each transaction (Automine) or as time passes (Interval). safe and
// finalized are SlotsInEpoch and twice SlotsInEpoch blocks old, or genesis.
//
// # RPC
//
// HTTP POST of JSON-RPC 2.0, single or batch, without credentials, answered by
// go-ethereum's server with geth's codes and texts:
//
//	web3_clientVersion net_version net_listening net_peerCount
//	eth_chainId eth_syncing eth_accounts eth_blockNumber eth_getBlockByNumber
//	eth_getBlockByHash eth_getBlockReceipts eth_getTransactionByHash
//	eth_getRawTransactionByHash eth_getTransactionReceipt eth_getTransactionCount
//	eth_getBalance eth_getCode eth_getStorageAt eth_call eth_estimateGas
//	eth_gasPrice eth_maxPriorityFeePerGas eth_feeHistory eth_getLogs
//	eth_sendRawTransaction eth_sendTransaction txpool_content txpool_status
//
// and to move the chain, as anvil and Hardhat spell it:
//
//	evm_mine evm_setAutomine evm_setIntervalMining anvil_mine anvil_setAutomine
//	anvil_reorg anvil_rollback anvil_setBalance anvil_dropTransaction
//	anvil_dropAllTransactions (and hardhat_ for anvil_)
//
// Every state that ever was can be asked for, unless KeptStates says otherwise. A block that was replaced is still
// found by its hash, as at geth, and eth_getBlockByNumber tells which is canonical.
//
// Known differences: the suggested tip is always 1 gwei; blob transactions, state
// overrides, filters and subscriptions are refused; eth_estimateGas is exact, where
// geth stops at 1.5 %. From anvil: anvil_setBalance makes a block of its own, so that
// every state belongs to a block; anvil_reorg leaves out no block's time; mining
// takes no time stamps.
//
// # Faults
//
// SetFault bends what is read; what acts goes on working. down: HTTP 503 or a
// dropped connection. lag: blocks, transactions and states of the last six blocks,
// and the pool, are unknown. empty: null or an empty list. lie: balances, values,
// single-word call results and log data are doubled, no transaction failed, and the
// latest block is another one, whose header commits to those receipts. float:
// quantities are JSON floats.
//
// # What it is not
//
// There is no P2P, no consensus client, no websocket, no tracing and no signature
// of a validator: nobody could sync from it. Do not use it where anything is worth
// anything: whoever reaches the port can do everything.
package evm
