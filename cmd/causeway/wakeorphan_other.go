//go:build !linux

package main

import "os/exec"

// wakeOrphan does nothing where the system has no such signal.
func wakeOrphan(*exec.Cmd) {}
