package main

import (
	"os/exec"
	"syscall"
)

// wakeOrphan has the kernel wake a child that is stopped when the thread that
// starts it ends, with our process at the latest: it then sees that it is alone,
// instead of holding what it holds for ever.
func wakeOrphan(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGCONT} }
