//go:build unix

package main

import (
	"os/signal"
	"syscall"
)

// fileLimitIsAnError makes a write beyond the limit of file sizes (ulimit -f)
// fail like one to a full disk. Without it the signal would end the process
// with a dump of its goroutines, in the middle of whatever it does.
func fileLimitIsAnError() { signal.Ignore(syscall.SIGXFSZ) }
