// Package verify derives a sidechain again from its base blocks, in an empty
// store, and holds every derived block against one that is said to be the same:
// the node's own, or another node's. It trusts nothing but the genesis document
// and the sequencer's key in it: signatures, authorities, links between blocks,
// hashes, state roots and the commitments in the headers are all computed anew.
//
// It is read-only. To compare with another source of blocks: implement Source.
package verify
