// Package chaintest holds two things: the conformance suite that every outside
// chain passes (Run), and an in-memory chain of the Bitcoin family for tests and
// campaigns (Sim): everything that an outside chain can do to a gateway, on
// command and from a seed.
//
// # The suite
//
//	chaintest.Run(t, &chaintest.Subject{Chain: coin, Payer: payer, Open: …})
//
// It works through the seams alone: chains.Chain, chains.Source, a follower, a Payer
// for what happens on the chain, and a Wallet for what we pay. Its cases run one
// after the other on one chain that grows: deposits of each kind of output, alone
// and together, rewards, reorganisations in which a payment is paid again, is gone
// or is replaced, the mempool with its replacements and evictions, payouts to each
// kind, fees, dust, restarts of the client and of the node, nodes of other networks
// and too old ones, nodes that misbehave, 1,000 blocks at once, and each block that
// was seen against the node's own JSON. What does not apply to a subject is said
// with its reason, and is never skipped in silence (Subject.Lacks).
//
// The subjects are in this package's tests: a Sim and an embedded chain of every
// coin, btcd, litecoind with and without extension blocks, bchd, the embedded
// Dogecoin in a process of its own, and for chains of accounts the embedded Ethereum
// and anvil. To add one: fill in a Subject there (internal/nodetest.World drives any
// node with bitcoind's RPC). To add a case: a row in cases.
//
// # The simulator
//
//	sim, err := chaintest.New(chaintest.Config{Params: devnet.Bitcoin(), Nodes: 3, Seed: 7})
//	http.Serve(listener, sim.Handler())              // other processes: …/0, …/1, …/2
//	rpcnode.Options{Transport: sim.Transport()}      // this process: http://sim/0, …
//	txid, err := sim.Pay(address, 100_000)
//	sim.Mine(1)
//	sim.Reorg(Rewrite{Depth: 2, Drop: …})
//	sim.Node(1).Inject(Fault{Method: "getblock", Kind: Lie})
//
// # The world and its nodes
//
// A Sim holds every block and transaction there ever was: a tree, in which any
// block can be extended (Extend), and in which the highest is the best. Nodes
// stand somewhere in that tree with a mempool of their own: they may be delayed
// by a number of blocks, put on another branch, cut off, lose transactions from
// their mempools (Evict), and answer every RPC method wrongly (Inject).
//
// Blocks and transactions are real: btcd's encodings, merkle roots, witness
// commitments, proof of work at the network's lowest difficulty, signatures
// checked by btcd's script engine. What is left out is what no gateway sees:
// subsidies, the rules of difficulty and time, and block sizes.
//
// # Invariants
//
//   - The same seed and the same calls give the same blocks, byte for byte.
//   - A lie is told by a node, never by the world: Sim's own methods show the
//     truth, so that a model can be compared with it.
//   - No block holds a spend of an output that its branch does not have, or has
//     spent.
//
// # Beside devnet
//
// Package devnet is a node that people use, on btcd's own chain and mempool
// code, durable and with a wallet; a Sim forgets everything, starts in
// milliseconds and can be in several minds. The flavour of a coin (devnet.Params:
// addresses, network, fees) is the same for both.
package chaintest
