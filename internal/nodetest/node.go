package nodetest

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/chains"
	"causeway/chains/devnet"
	"causeway/chains/utxo"
	"causeway/chains/utxo/rpcnode"
)

const (
	user = "causeway"

	startTries = 3
	startWait  = 30 * time.Second
	stopWait   = time.Minute
	callWait   = 2 * time.Minute // nodes share a machine with all other tests
)

// Node is a running node. Its methods fail the test that started it.
type Node struct {
	// URL is the JSON-RPC endpoint with credentials.
	URL string
	// Client calls it.
	Client *rpcnode.Client
	// Coin is the node's coin on regtest.
	Coin *utxo.Coin
	// Embedded is the chain that runs in this process now; nil: the node is another.
	Embedded func() *devnet.Chain

	t     testing.TB
	spec  spec
	miner miner
	path  string // of the program
	place place
	log   *lockedBuffer
	// sent is what each transaction of the miner's spends.
	sent map[string][]utxo.Input

	mu   sync.Mutex
	halt func()        // ends what runs; nil: nothing does
	done chan struct{} // closed when it has ended
}

// spec is what differs between nodes.
type spec struct {
	name    string
	newCoin func(chains.Network) (*utxo.Coin, error)
	segwit  bool // what the miner is paid to
	command func(path string, p place) *exec.Cmd
	// embed runs the node in this process instead, and gives what ends it.
	embed func(p place) (io.Closer, error)
	// generates says that blocks are made by "generate" for that address, and not
	// by "generatetoaddress".
	generates bool
	// mines is the height up to which its own miner can; 0: any.
	mines int
}

// place is where a node runs.
type place struct {
	dir      string // for its data
	p2p, rpc string // loopback addresses
	miner    string // the address that blocks pay to
	// password is no other node's: a test that finds the node of another one on
	// its port, where its own could not listen, must not take it for its own.
	password string
}

// start runs a node of a program.
func start(t testing.TB, path string, s spec) *Node {
	t.Helper()
	coin, err := s.newCoin(chains.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	n := &Node{t: t, spec: s, Coin: coin, path: path, miner: newMiner(s.segwit), sent: map[string][]utxo.Input{}}
	for try := 1; ; try++ {
		err := n.settle(filepath.Join(t.TempDir(), fmt.Sprint(try)))
		if err == nil {
			break
		}
		n.Stop()
		if try == startTries { // a port may be taken between our look and its
			t.Fatalf("%s does not start: %v\n%s", s.name, err, n.log)
		}
	}
	t.Cleanup(n.Stop)
	return n
}

// settle finds a place for the node and runs it there.
func (n *Node) settle(dir string) error {
	p2p, rpc, err := freePorts()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	n.place = place{dir: dir, p2p: p2p, rpc: rpc, miner: n.minerAddress(), password: rand.Text()}
	n.URL = "http://" + user + ":" + n.place.password + "@" + rpc
	if n.Client, err = rpcnode.NewClient(n.URL, callWait); err != nil {
		return err
	}
	return n.run()
}

// run starts the node where it belongs and waits until it answers.
func (n *Node) run() error {
	n.log = &lockedBuffer{}
	done := make(chan struct{})
	halt, err := n.launch(done)
	if err != nil {
		return err
	}
	n.mu.Lock()
	n.halt, n.done = halt, done
	n.mu.Unlock()
	return n.ready(done)
}

// launch starts it; done is closed when it has ended.
func (n *Node) launch(done chan struct{}) (halt func(), err error) {
	if n.spec.embed != nil {
		running, err := n.spec.embed(n.place)
		return func() {
			if err := running.Close(); err != nil {
				n.t.Errorf("%s: %v", n.spec.name, err)
			}
			close(done)
		}, err
	}
	cmd := n.spec.command(n.path, n.place)
	cmd.Stdout, cmd.Stderr = n.log, n.log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = cmd.Wait()
		close(done)
	}()
	return func() {
		_ = cmd.Process.Signal(os.Interrupt)
		select {
		case <-done:
		case <-time.After(stopWait):
			_ = cmd.Process.Kill()
			<-done
		}
	}, nil
}

// Miner is the script that blocks pay to.
func (n *Node) Miner() []byte { return slices.Clone(n.miner.script) }

// minerAddress is where blocks pay to.
func (n *Node) minerAddress() string {
	n.t.Helper()
	text, err := n.Coin.Address(n.miner.script)
	if err != nil {
		n.t.Fatal(err)
	}
	return text
}

// ready waits until the node answers.
func (n *Node) ready(done chan struct{}) error {
	deadline := time.Now().Add(startWait)
	for {
		err := n.Client.Call(n.t.Context(), nil, "getblockcount")
		if err == nil {
			return nil
		}
		select {
		case <-done:
			return fmt.Errorf("the process ended: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return err
		}
	}
}

// Stop ends the node. It may be called again.
func (n *Node) Stop() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.Client != nil {
		n.Client.Close()
	}
	if n.halt != nil {
		n.halt()
		n.halt = nil
	}
}

// Restart ends the node, calls down, and runs it again at the same place. Of btcd
// and bchd nothing but the place is left: they forget a regtest chain.
func (n *Node) Restart(down func()) {
	n.t.Helper()
	n.Stop()
	down()
	if err := n.run(); err != nil {
		n.t.Fatalf("%s does not start again: %v\n%s", n.spec.name, err, n.log)
	}
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
	if !n.spec.generates {
		n.Call(&hashes, "generatetoaddress", blocks, n.minerAddress())
		return hashes
	}
	own := blocks
	if n.spec.mines > 0 {
		own = max(0, min(blocks, n.spec.mines-int(n.Height())))
	}
	if own > 0 {
		n.Call(&hashes, "generate", own)
	}
	for range blocks - own {
		hashes = append(hashes, n.mint())
	}
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
