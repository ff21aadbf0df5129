package main

import (
	"bytes"
	"math"
	"os"
	"runtime/debug"
	"strconv"
)

// What the commands set for the garbage collector. The state is a large heap
// that lives long beside garbage that does not outlive its block: at Go's own
// setting a quarter of the work of a chain with a million accounts is walking
// the first to find the second. So the heap may grow to five times of what
// lives, as long as the process stays below a share of the machine's memory;
// from there on the collector runs as often as it must.
const (
	gcPercent   = 400
	memoryShare = 0.7
	// hugeShare is for how much of the memory large pages are asked for.
	hugeShare = 0.25
)

// tuneCollector applies the setting. GOGC and GOMEMLIMIT, where they are given,
// come first.
func tuneCollector() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	if limit := memoryLimit("/proc/meminfo", "/sys/fs/cgroup/memory.max"); limit > 0 {
		debug.SetMemoryLimit(int64(memoryShare * float64(limit)))
		debug.SetGCPercent(gcPercent)
		hugePages(int(min(hugeShare*float64(limit), math.MaxInt/2)))
	}
}

// memoryLimit is the memory, in bytes, that the machine has or that its group
// of processes may use, whichever is less; 0 where it is not known.
func memoryLimit(meminfo, group string) uint64 {
	limit := uint64(0)
	if text, err := os.ReadFile(meminfo); err == nil {
		_, rest, _ := bytes.Cut(text, []byte("MemTotal:"))
		if fields := bytes.Fields(rest); len(fields) > 1 && string(fields[1]) == "kB" {
			n, _ := strconv.ParseUint(string(fields[0]), 10, 54) // 0 for what is no number
			limit = n << 10
		}
	}
	if text, err := os.ReadFile(group); err == nil { // "max" is no number
		if n, err := strconv.ParseUint(string(bytes.TrimSpace(text)), 10, 64); err == nil && (limit == 0 || n < limit) {
			limit = n
		}
	}
	return limit
}
