// Package chaintest is an in-memory chain of the Bitcoin family for tests and
// campaigns: everything that an outside chain can do to a gateway, on command
// and from a seed.
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
