package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestMemoryLimit(t *testing.T) {
	for _, c := range []struct {
		meminfo, group string
		want           uint64
	}{
		{"MemTotal:       24601392 kB\nMemFree: 1 kB\n", "max\n", 24601392 << 10},
		{"MemTotal: 1000 kB\n", "4096\n", 4096},
		{"MemTotal: 1 kB\n", "4096\n", 1024},
		{"", "4096\n", 4096},
		{"MemTotal: x kB\n", "", 0},
		{"MemTotal: 5\n", "-1", 0},
	} {
		dir := t.TempDir()
		meminfo, group := filepath.Join(dir, "a"), filepath.Join(dir, "b")
		must(t, os.WriteFile(meminfo, []byte(c.meminfo), 0o600))
		must(t, os.WriteFile(group, []byte(c.group), 0o600))
		if got := memoryLimit(meminfo, group); got != c.want {
			t.Errorf("%q, %q: %d, want %d", c.meminfo, c.group, got, c.want)
		}
	}
	if got := memoryLimit("/nothing", "/nothing"); got != 0 {
		t.Errorf("no files: %d", got)
	}
}
