package main

import (
	"runtime/debug"
	"syscall"
)

// hugePages asks the kernel for large pages below so much of the heap. A state
// of a million accounts is reached at random, and with pages of 4 kB most of
// such an access is finding the page: a third of a transfer's work on a machine
// that is itself a guest. The range is reserved, marked and given back
// untouched; the mark stays with the addresses, which the heap takes first.
// It is a hint: where the kernel has none to give, nothing changes.
func hugePages(size int) {
	_ = syscall.Madvise(make([]byte, size), syscall.MADV_HUGEPAGE)
	debug.FreeOSMemory()
}
