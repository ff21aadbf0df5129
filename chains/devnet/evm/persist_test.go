package evm

import (
	"bufio"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holiman/uint256"

	"causeway/chains/devnet/kit"
)

// story makes a chain with one of everything in its journal.
func story(t testing.TB, chain *Chain, c client) {
	token, to := chain.Token("TUSD"), stranger(1)
	mine(t, chain, 2)
	c.send(chain, 4, 0, &to, ether(1), nil)
	c.send(chain, 0, 1, &token, new(big.Int), tokenTransfer(to, 5))
	mine(t, chain, 2)
	must(t, chain.SetBalance(stranger(2), uint256.NewInt(77)))
	c.send(chain, 1, 0, &to, ether(2), nil)
	mine(t, chain, 1)
	must(t, chain.Reorg(2, true)) // SetBalance and the transfer of 2 are gone
	c.send(chain, 2, 0, &to, ether(3), nil)
	mine(t, chain, 1)
	must(t, chain.Reorg(1, false))
	must(t, chain.SetBalance(stranger(3), uint256.NewInt(78)))
	must(t, chain.Rollback(1))
	c.send(chain, 3, 0, &to, ether(4), nil)
	c.send(chain, 3, 5, &to, ether(5), nil)
}

// shown is what a reader can see of a chain.
func shown(c client) []any {
	c.t.Helper()
	out := []any{c.get("eth_blockNumber"), c.get("txpool_content")}
	for n := uint64(0); ; n++ {
		b := c.get("eth_getBlockByNumber", rpcNumber(n), true)
		if b == nil {
			return out
		}
		out = append(out, b, c.get("eth_getBlockReceipts", rpcNumber(n)))
		for i := range byte(4) {
			out = append(out, c.get("eth_getBalance", stranger(i), rpcNumber(n)))
		}
	}
}

// TestRestart opens a chain again: all is there, stale blocks too.
func TestRestart(t *testing.T) {
	cfg := Config{Dir: t.TempDir(), Tokens: []Token{testToken}, Clock: testClock()}
	chain, c := start(t, cfg)
	story(t, chain, c)
	before, stale := shown(c), len(chain.byHash)
	if _, err := New(cfg); err == nil {
		t.Error("a second chain in the same directory")
	}
	must(t, chain.Close())
	must(t, chain.Close())
	for range 2 {
		again, c := start(t, cfg)
		mustEqual(t, "after the restart", shown(c), before)
		mustEqual(t, "blocks, stale ones included", len(again.byHash), stale)
		mustEqual(t, "token", again.Token("TUSD"), chain.Token("TUSD"))
		must(t, again.Close())
	}
	again, c := start(t, cfg)
	mine(t, again, 1)
	mustEqual(t, "what waited is mined", c.balance(stranger(1), "latest"), ether(1+3+4))
	must(t, again.Close())
	for name, other := range map[string]Config{
		"chain id":   {Dir: cfg.Dir, Tokens: cfg.Tokens, ChainID: 1},
		"no token":   {Dir: cfg.Dir},
		"more of it": {Dir: cfg.Dir, Tokens: []Token{{Name: "Test USD", Symbol: "TUSD", Decimals: 6, Supply: big.NewInt(1)}}},
	} {
		if other, err := New(other); err == nil || !strings.Contains(err.Error(), "another chain") {
			t.Errorf("%s: %v", name, err)
			if err == nil {
				must(t, other.Close())
			}
		}
	}
	temp, _ := start(t, Config{})
	where := temp.dir.Path
	must(t, temp.Close())
	if _, err := os.Stat(where); !os.IsNotExist(err) {
		t.Errorf("temporary directory %s is still there: %v", where, err)
	}
}

// TestTornJournal cuts the journal anywhere: the chain that comes back is whole, and
// goes on.
func TestTornJournal(t *testing.T) {
	cfg := Config{Dir: t.TempDir(), Tokens: []Token{testToken}, Clock: testClock()}
	chain, c := start(t, cfg)
	story(t, chain, c)
	must(t, chain.Close())
	whole, err := os.ReadFile(filepath.Join(cfg.Dir, "chain.journal"))
	must(t, err)
	for cut := 0; cut < len(whole); cut += len(whole)/29 + 1 {
		torn := Config{Dir: t.TempDir(), Tokens: cfg.Tokens, Clock: cfg.Clock}
		must(t, os.WriteFile(filepath.Join(torn.Dir, "chain.journal"), whole[:cut], 0o600))
		chain, _ := start(t, torn)
		height := chain.Height()
		mine(t, chain, 1)
		must(t, chain.Close())
		again, _ := start(t, torn)
		mustEqual(t, fmt.Sprintf("height, cut at %d of %d", cut, len(whole)), again.Height(), height+1)
		must(t, again.Close())
	}
}

// TestFullDisk goes no further once the journal cannot be written.
func TestFullDisk(t *testing.T) {
	chain, c := start(t, Config{})
	mine(t, chain, 2)
	must(t, chain.journal.Close())
	for range 2 {
		if err := chain.Mine(1); err == nil {
			t.Error("a block that nothing keeps")
		}
		if _, err := chain.Fund(stranger(1), ether(1)); err == nil {
			t.Error("a transaction that nothing keeps")
		}
	}
	mustEqual(t, "height", c.get("eth_blockNumber"), "0x2")
	mustEqual(t, "waiting", len(chain.pool.byHash), 0)
	journal, _, err := kit.OpenJournal(filepath.Join(t.TempDir(), "j"), nil, wellFormed) // for Close
	must(t, err)
	chain.journal = journal
}

// TestKillProcess kills a real process while it mines, again and again: the height
// it has told of is never lost.
func TestKillProcess(t *testing.T) {
	if dir := os.Getenv("DEVNET_TEST_CHILD"); dir != "" {
		mineUntilKilled(t, dir)
		return
	}
	dir, told := t.TempDir(), uint64(0)
	for round := range 4 {
		told = max(told, killWhileMining(t, dir, time.Duration(100+50*round)*time.Millisecond))
	}
	chain, c := start(t, Config{Dir: dir})
	if chain.Height() < told {
		t.Errorf("height %d after having told %d", chain.Height(), told)
	}
	before := c.balance(stranger(1), "latest")
	if _, err := chain.Fund(stranger(1), ether(1)); err != nil {
		t.Fatal(err)
	}
	mine(t, chain, 1)
	if c.balance(stranger(1), "latest").Cmp(before) <= 0 {
		t.Error("it does not go on")
	}
	t.Logf("four kills, height %d", chain.Height())
}

func mineUntilKilled(t *testing.T, dir string) {
	chain, _ := start(t, Config{Dir: dir, Clock: time.Now})
	for {
		fmt.Println("height", chain.Height())
		if _, err := chain.Fund(stranger(1), big.NewInt(1)); err != nil {
			t.Fatal(err)
		}
		mine(t, chain, 1)
		fmt.Println("height", chain.Height())
		must(t, chain.Reorg(1, false))
		mine(t, chain, 1)
	}
}

func killWhileMining(t *testing.T, dir string, after time.Duration) (told uint64) {
	child := exec.Command(os.Args[0], "-test.run=^TestKillProcess$")
	child.Env = append(os.Environ(), "DEVNET_TEST_CHILD="+dir)
	out, err := child.StdoutPipe()
	must(t, err)
	must(t, child.Start())
	timer := time.AfterFunc(30*time.Second, func() { _ = child.Process.Kill() })
	defer timer.Stop()
	killing, lines := false, 0
	for scanner := bufio.NewScanner(out); scanner.Scan(); lines++ {
		var height uint64
		if _, err := fmt.Sscanf(scanner.Text(), "height %d", &height); err != nil {
			t.Logf("child: %s", scanner.Text())
			continue
		}
		told = height
		if !killing && lines >= 4 {
			killing = true
			kill := time.AfterFunc(after, func() { _ = child.Process.Kill() })
			defer kill.Stop()
		}
	}
	_ = child.Wait() // killed
	if told == 0 {
		t.Fatal("the child never got going")
	}
	return told
}
