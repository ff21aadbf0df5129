// Package boltfile opens bbolt files that may be damaged: cut short, altered, or
// no bbolt files at all. bbolt itself answers some damage by a panic, and a
// missing page faults in its memory map, which would end the process.
//
// Invariants:
//   - what is wrong with a file is an error (ErrDamaged, ErrInUse), at Open or
//     out of Guard; nothing is repaired;
//   - reading a file of ours never panics inside Guard.
//
// To use it elsewhere: open with Open, and read whatever has no checksum of its
// own inside Guard.
package boltfile
