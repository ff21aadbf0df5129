package btcdtest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/chains"
	"causeway/chains/bitcoin"
	"causeway/chains/utxo"
	"causeway/chains/utxo/rpcnode"
)

const (
	user     = "causeway"
	password = "test"

	startTries = 3
	startWait  = 30 * time.Second
	stopWait   = 10 * time.Second
)

// Node is a running btcd. Its methods fail the test that started it.
type Node struct {
	// URL is the JSON-RPC endpoint with credentials.
	URL string
	// Client calls it.
	Client *rpcnode.Client
	// Coin is Bitcoin's regtest.
	Coin *utxo.Coin

	t     testing.TB
	miner miner
	cmd   *exec.Cmd
	done  chan struct{} // closed when the process has ended
	log   *lockedBuffer
	stop  sync.Once
}

// Start runs a btcd with an empty regtest chain, whose blocks pay to the
// node's own miner (Generate, Pay). It is stopped when the test ends.
func Start(t testing.TB) *Node {
	t.Helper()
	path := Binary(t)
	coin, err := bitcoin.New(chains.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	n := &Node{t: t, Coin: coin, miner: newMiner()}
	for try := 1; ; try++ {
		err := n.start(path, filepath.Join(t.TempDir(), fmt.Sprint(try)))
		if err == nil {
			break
		}
		n.Stop()
		if try == startTries { // a port may be taken between our look and its
			t.Fatalf("btcd does not start: %v\n%s", err, n.log)
		}
		n.stop = sync.Once{}
	}
	t.Cleanup(n.Stop)
	return n
}

func (n *Node) start(path, dir string) error {
	p2p, rpc, err := freePorts()
	if err != nil {
		return err
	}
	address, err := n.Coin.Address(n.miner.script)
	if err != nil {
		return err
	}
	n.log, n.done = &lockedBuffer{}, make(chan struct{})
	n.cmd = exec.Command(path,
		"--configfile="+os.DevNull, "--regtest", "--notls", "--nodnsseed", "--txindex", "--addrindex",
		"--datadir="+filepath.Join(dir, "data"), "--logdir="+filepath.Join(dir, "log"),
		"--listen="+p2p, "--rpclisten="+rpc, "--rpcuser="+user, "--rpcpass="+password, "--miningaddr="+address)
	n.cmd.Stdout, n.cmd.Stderr = n.log, n.log
	if err := n.cmd.Start(); err != nil {
		close(n.done)
		return err
	}
	go func() {
		_ = n.cmd.Wait()
		close(n.done)
	}()
	n.URL = "http://" + user + ":" + password + "@" + rpc
	if n.Client, err = rpcnode.NewClient(n.URL, 0); err != nil {
		return err
	}
	return n.ready()
}

// ready waits until the node answers.
func (n *Node) ready() error {
	deadline := time.Now().Add(startWait)
	for {
		err := n.Client.Call(n.t.Context(), nil, "getblockcount")
		if err == nil {
			return nil
		}
		select {
		case <-n.done:
			return fmt.Errorf("the process ended: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return err
		}
	}
}

// Stop ends the process. It may be called again.
func (n *Node) Stop() {
	n.stop.Do(func() {
		if n.Client != nil {
			n.Client.Close()
		}
		if n.cmd == nil || n.cmd.Process == nil {
			return
		}
		_ = n.cmd.Process.Signal(os.Interrupt)
		select {
		case <-n.done:
		case <-time.After(stopWait):
			_ = n.cmd.Process.Kill()
			<-n.done
		}
	})
}

// Call calls a method of the node and decodes its result.
func (n *Node) Call(result any, method string, params ...any) {
	n.t.Helper()
	if err := n.Client.Call(n.t.Context(), result, method, params...); err != nil {
		n.t.Fatal(err)
	}
}

// Source is the node through the project's own driver.
func (n *Node) Source() *rpcnode.Node {
	n.t.Helper()
	source, err := rpcnode.New(n.URL, n.Coin, rpcnode.Options{})
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(source.Close)
	return source
}

// Generate mines blocks and returns their hashes.
func (n *Node) Generate(blocks int) []string {
	n.t.Helper()
	var hashes []string
	n.Call(&hashes, "generate", blocks)
	return hashes
}

// Height is the height of the best block.
func (n *Node) Height() uint64 {
	n.t.Helper()
	var height uint64
	n.Call(&height, "getblockcount")
	return height
}

// freePorts finds two free loopback addresses.
func freePorts() (a, b string, err error) {
	var addrs []string
	for range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", "", err
		}
		defer l.Close()
		addrs = append(addrs, l.Addr().String())
	}
	return addrs[0], addrs[1], nil
}

// lockedBuffer collects the newest output of a process.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.buf.Len() > 1<<20 {
		b.buf.Reset()
	}
	return b.buf.Write(p)
}

// String is the last lines.
func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(b.buf.String()), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}
