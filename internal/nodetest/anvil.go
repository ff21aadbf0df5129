package nodetest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"causeway/chains/jsonrpc"
)

// AnvilChainID is the chain id of an Anvil.
const AnvilChainID = 31337

var anvil = binary{name: "anvil", version: "v1.7.1", env: "CAUSEWAY_ANVIL"}

// EVM is a running Ethereum node. Its methods fail the test that started it.
type EVM struct {
	URL    string
	Client *jsonrpc.Client

	t    testing.TB
	cmd  *exec.Cmd
	done chan struct{}
	log  *lockedBuffer
	stop sync.Once
}

// Anvil runs an anvil that mines a block only when told to (Mine), with ten
// accounts of 10,000 coins each that it signs for (eth_accounts). The second block
// below the newest is finalized, the first is safe.
func Anvil(t testing.TB) *EVM {
	t.Helper()
	path := anvil.path(t)
	for try := 1; ; try++ {
		n := &EVM{t: t, log: &lockedBuffer{}, done: make(chan struct{})}
		err := n.start(path)
		if err == nil {
			t.Cleanup(n.Stop)
			return n
		}
		n.Stop()
		if try == startTries { // a port may be taken between our look and its
			t.Fatalf("anvil does not start: %v\n%s", err, n.log)
		}
	}
}

func (n *EVM) start(path string) error {
	addr, _, err := freePorts()
	if err != nil {
		close(n.done)
		return err
	}
	host, port, _ := net.SplitHostPort(addr)
	n.cmd = exec.Command(path, "--host", host, "--port", port, "--chain-id", fmt.Sprint(AnvilChainID), "--no-mining", "--slots-in-an-epoch", "1", "--silent")
	n.cmd.Dir = n.t.TempDir()
	n.cmd.Env = append(os.Environ(), "HOME="+filepath.Join(n.cmd.Dir, "home")) // it keeps a cache there
	n.cmd.Stdout, n.cmd.Stderr = n.log, n.log
	if err := n.cmd.Start(); err != nil {
		close(n.done)
		return err
	}
	go func() {
		_ = n.cmd.Wait()
		close(n.done)
	}()
	n.URL = "http://" + addr
	if n.Client, err = jsonrpc.New(n.URL, jsonrpc.Options{Timeout: callWait}); err != nil {
		return err
	}
	for deadline := time.Now().Add(startWait); ; {
		var height string
		err := n.Client.Call(n.t.Context(), &height, "eth_blockNumber")
		if err == nil && height != "0x0" {
			return fmt.Errorf("the port is another node's, at block %s", height)
		}
		select {
		case <-n.done:
			return fmt.Errorf("the process ended: %w", err)
		default:
		}
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Stop ends the process. It may be called again.
func (n *EVM) Stop() {
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

// Call calls a method of the node and decodes its result (nil: it is dropped).
func (n *EVM) Call(result any, method string, params ...any) {
	n.t.Helper()
	if err := n.Client.CallLimit(n.t.Context(), 64<<20, result, method, params...); err != nil {
		n.t.Fatal(err)
	}
}

// Mine makes blocks, the first of which holds what waits.
func (n *EVM) Mine(blocks int) {
	n.t.Helper()
	n.Call(nil, "anvil_mine", fmt.Sprintf("0x%x", blocks))
}

// Send has the node sign and take in a transaction (eth_sendTransaction), which
// waits for Mine, and returns its txid.
func (n *EVM) Send(tx map[string]any) (txid string) {
	n.t.Helper()
	n.Call(&txid, "eth_sendTransaction", tx)
	return txid
}
