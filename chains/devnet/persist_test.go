package devnet

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"

	"causeway/chains/devnet/kit"
)

// snapshot is all that an outside program can see of a chain.
func (c client) snapshot() string {
	c.Helper()
	return fmt.Sprint(c.count(), c.text("getbestblockhash"), c.mempool(), c.tips(), ask[json.Number](c, "getbalance"))
}

// copyDir takes the files as a kill -9 would leave them at this instant: what
// was written, and nothing that was still in memory.
func copyDir(t testing.TB, from string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

// story leaves mined, stale, reconsidered and waiting things behind.
func (c client) story() {
	to := c.text("getnewaddress")
	c.text("sendtoaddress", to, 1)
	branch := c.mine(3)
	c.null("invalidateblock", branch[1])
	c.mine(1)
	c.null("reconsiderblock", branch[1])
	c.text("sendtoaddress", to, 2)
	c.mine(2)
	dead := c.mine(2)
	c.null("invalidateblock", dead[0])
	c.mine(1)
	c.text("sendtoaddress", c.newAddress("bech32m"), 1045)
	c.text("sendtoaddress", to, "0.25")
}

func TestRestart(t *testing.T) {
	dir := t.TempDir()
	chain, c := start(t, Config{Dir: dir, User: "u", Pass: "p:/@"})
	c.story()
	before := c.snapshot()
	for range 3 {
		if err := chain.Close(); err != nil {
			t.Fatal(err)
		}
		chain, c = start(t, Config{Dir: dir, User: "u", Pass: "p:/@"})
		mustEqual(t, "after restart", c.snapshot(), before)
	}
	c.mine(1)
	mustEqual(t, "mempool", len(c.mempool()), 0)
	if err := chain.Close(); err != nil {
		t.Fatal(err)
	}
	if err := chain.Close(); err != nil {
		t.Fatal("second Close:", err)
	}
}

func TestKilled(t *testing.T) {
	dir := t.TempDir()
	_, c := start(t, Config{Dir: dir})
	c.story()
	before := c.snapshot()
	copied := copyDir(t, dir)

	again, c2 := start(t, Config{Dir: copied})
	mustEqual(t, "after a kill", c2.snapshot(), before)
	for hash, status := range c2.tips() {
		if status == "invalid" {
			c2.null("reconsiderblock", hash)
		}
	}
	c2.mine(1)
	after := c2.snapshot()
	// Killed once more, then closed properly, then without its database.
	_, c3 := start(t, Config{Dir: copyDir(t, copied)})
	mustEqual(t, "after two kills", c3.snapshot(), after)
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(copied, "blocks")); err != nil {
		t.Fatal(err)
	}
	_, c4 := start(t, Config{Dir: copied})
	mustEqual(t, "without its database", c4.snapshot(), after)
}

// Whatever byte the journal ends at, and however the database is damaged, the
// chain that comes back is a whole one.
func TestTornFiles(t *testing.T) {
	dir := t.TempDir()
	chain, c := start(t, Config{Dir: dir})
	c.story()
	if err := chain.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "chain.journal"))
	if err != nil {
		t.Fatal(err)
	}
	size := info.Size()
	for cut := int64(0); cut < size; cut += size/12 + 1 {
		torn := copyDir(t, dir)
		if err := os.Truncate(filepath.Join(torn, "chain.journal"), cut); err != nil {
			t.Fatal(err)
		}
		_, c := start(t, Config{Dir: torn})
		if c.count() < 120 {
			t.Errorf("cut at %d of %d: height %d", cut, size, c.count())
		}
		c.text("sendtoaddress", c.text("getnewaddress"), 1)
		c.mine(1)
		mustEqual(t, "mempool", len(c.mempool()), 0)
	}
	for _, name := range []string{"CURRENT", "MANIFEST-000000", "000001.log"} {
		torn := copyDir(t, dir)
		path := filepath.Join(torn, "blocks", "metadata", name)
		if err := os.WriteFile(path, []byte("garbage"), 0o600); err != nil {
			t.Fatal(err)
		}
		before := chain.chain.BestSnapshot().Hash.String()
		_, c := start(t, Config{Dir: torn})
		mustEqual(t, "tip with damaged "+name, c.text("getbestblockhash"), before)
	}
	torn := copyDir(t, dir)
	if err := os.Truncate(filepath.Join(torn, "blocks", "000000000.fdb"), 1000); err != nil {
		t.Fatal(err)
	}
	_, c = start(t, Config{Dir: torn})
	mustEqual(t, "tip with lost blocks", c.text("getbestblockhash"), chain.chain.BestSnapshot().Hash.String())
}

func TestDirIsGuarded(t *testing.T) {
	dir := t.TempDir()
	chain, _ := start(t, Config{Dir: dir})
	if _, err := New(Config{Params: Bitcoin(), Dir: dir}); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Fatalf("second process: %v", err)
	}
	if err := chain.Close(); err != nil {
		t.Fatal(err)
	}
	other := Bitcoin()
	other.Name, other.Net = "other", &chaincfg.SimNetParams
	if _, err := New(Config{Params: other, Dir: dir}); err == nil || !strings.Contains(err.Error(), "another chain") {
		t.Fatalf("other chain: %v", err)
	}
	temp, _ := start(t, Config{})
	where := temp.dir.Path
	if err := temp.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(where); !os.IsNotExist(err) {
		t.Errorf("temporary directory %s is still there: %v", where, err)
	}
}

// TestKillProcess kills a real process while it mines, again and again: the
// height it has told of is never lost.
func TestKillProcess(t *testing.T) {
	if dir := os.Getenv("DEVNET_TEST_CHILD"); dir != "" {
		mineUntilKilled(t, dir)
		return
	}
	dir, told := t.TempDir(), 0
	for round := range 4 {
		told = max(told, killWhileMining(t, dir, time.Duration(150+70*round)*time.Millisecond))
	}
	_, c := start(t, Config{Dir: dir})
	if c.count() < told {
		t.Errorf("height %d after having told %d", c.count(), told)
	}
	c.text("sendtoaddress", c.text("getnewaddress"), 1)
	c.mine(1)
	t.Logf("four kills, height %d", c.count())
}

func mineUntilKilled(t *testing.T, dir string) {
	_, c := start(t, Config{Dir: dir})
	to := c.text("getnewaddress")
	for {
		fmt.Println("height", c.count())
		c.text("sendtoaddress", to, "0.001")
		hash := c.mine(1)[0]
		fmt.Println("height", c.count())
		c.null("invalidateblock", hash)
		c.mine(2)
	}
}

func killWhileMining(t *testing.T, dir string, after time.Duration) (told int) {
	child := exec.Command(os.Args[0], "-test.run=^TestKillProcess$")
	child.Env = append(os.Environ(), "DEVNET_TEST_CHILD="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(30*time.Second, func() { _ = child.Process.Kill() })
	defer timer.Stop()
	killing := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var height int
		if _, err := fmt.Sscanf(lines.Text(), "height %d", &height); err != nil {
			t.Logf("child: %s", lines.Text())
			continue
		}
		told = height // invalidateblock lowers it by one and no more
		if !killing {
			killing = true
			time.AfterFunc(after, func() { _ = child.Process.Kill() })
		}
	}
	_ = child.Wait() // killed
	if told == 0 {
		t.Fatal("the child never got going")
	}
	return told - 1
}

func FuzzJournal(f *testing.F) {
	f.Add([]byte{'T', 1, 0, 0, 0, 7, 0, 0, 0, 0})
	f.Add([]byte{'B', 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		records, used := kit.ParseRecords(data, wellFormed)
		if used > len(data) {
			t.Fatal("read beyond the end")
		}
		for _, r := range records {
			if r.Kind == recBlock || r.Kind == recInvalidate || r.Kind == recReconsider || r.Kind == recClean {
				tipOf(r)
				bodyOf(r)
			}
		}
	})
}
