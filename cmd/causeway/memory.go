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
	// hugeShare is for how much of the memory large pages are asked for at most.
	hugeShare = 0.25
	// largeState is the file, in bytes, from which on they are asked for: with a
	// small heap clearing them costs more than finding small ones.
	largeState = 64 << 20
	// heapPerByte is about what a byte of the file becomes in memory, with
	// garbage.
	heapPerByte = 32
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
	}
}

// tunePages prepares the heap for a state whose file has so many bytes, before
// it is opened.
func tunePages(file int64) {
	if file < largeState {
		return
	}
	limit := memoryLimit("/proc/meminfo", "/sys/fs/cgroup/memory.max")
	if size := min(heapPerByte*float64(file), hugeShare*float64(limit), math.MaxInt/2); size > 0 {
		hugePages(int(size))
	}
}

// fileSize is that of a file that may not be there.
func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
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
