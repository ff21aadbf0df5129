package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDamagedStores: a store that was cut short or altered is refused with an
// error that names it, or was not needed as it was. Never does the process
// panic, pay again, or lose what it had.
func TestDamagedStores(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.start()
	y.treasury("2", "2")
	y.burn("0.1")
	y.settled("bob")
	if code := y.stop(); code != exitOK {
		t.Errorf("exit %d after SIGTERM", code)
	}
	whole := y.snapshot()
	random := rand.New(rand.NewPCG(number(t, "CAUSEWAY_SEED", 1), 3))
	damages := map[string]func(b []byte) []byte{
		"half":    func(b []byte) []byte { return b[:len(b)/2] },
		"odd":     func(b []byte) []byte { return b[:len(b)-1000] },
		"empty":   func([]byte) []byte { return nil },
		"zeros":   func(b []byte) []byte { clear(b[len(b)/4:]); return b },
		"garbage": func(b []byte) []byte { return corrupt(random, b[len(b)/4:], b, 1<<20) },
		"bits":    func(b []byte) []byte { return corrupt(random, b[2*4096:min(len(b), 1<<17)], b, 20) },
	}
	refused, ran := 0, 0
	for _, store := range storeFiles {
		data, err := os.ReadFile(filepath.Join(whole, store))
		must(t, err)
		for name, damage := range damages {
			copyFiles(t, whole, y.home, storeFiles...)
			must(t, os.WriteFile(filepath.Join(y.home, store), damage(append([]byte(nil), data...)), 0o600))
			y.launch()
			if !y.ended() {
				y.kill()
				ran++
				continue
			}
			refused++
			code, text := y.cmd.ProcessState.ExitCode(), y.stderr.String()
			said := text[max(0, strings.LastIndex(text, "causeway: ")):]
			if code != exitError && code != exitRefused || !strings.Contains(said, strings.TrimSuffix(store, ".db")) {
				t.Errorf("%s, %s: exit %d: %s", store, name, code, said)
			}
		}
	}
	t.Logf("%d refused, %d ran", refused, ran)
	copyFiles(t, whole, y.home, storeFiles...)
	y.start()
	y.settled("bob")
}

// corrupt changes up to n bytes of part and returns all.
func corrupt(random *rand.Rand, part, all []byte, n int) []byte {
	for range min(n, len(part)) {
		part[random.IntN(len(part))] ^= byte(1 + random.IntN(255))
	}
	return all
}
