// Package kit holds what the embedded chains share, whatever their kind: the
// journal that keeps a chain over a kill, a directory taken for one process, a
// listener that no other machine reaches, and the names of the faults.
//
//	dir, err := kit.OpenDir(path, "causeway-devnet-btc-") // locked
//	j, records, err := kit.OpenJournal(file, header, wellFormed)
//	listener, err := kit.ListenLoopback("")
//
// It knows nothing of blocks: what a record means is the chain's own affair.
package kit
