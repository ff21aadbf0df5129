package main

import (
	"fmt"
	"syscall"
)

// undumpable keeps other processes of the same user from reading this one's
// memory: no debugger attaches, no core is written.
func undumpable() error {
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_DUMPABLE, 0, 0); errno != 0 {
		return fmt.Errorf("signer: prctl: %w", errno)
	}
	return nil
}
