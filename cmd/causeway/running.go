package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/google/renameio/v2"
)

// runningFile tells other programs how to reach the process of a home.
const runningFile = "running.json"

// running is running.json: written when the process is ready, removed at its
// end.
type running struct {
	URL         string           `json:"url"`
	Admin       string           `json:"admin"`
	PID         int              `json:"pid"`
	Started     string           `json:"started"`
	ChainID     string           `json:"chain_id"`
	BaseChainID string           `json:"base_chain_id"`
	Accounts    []runningAccount `json:"accounts"`
	Chains      []runningChain   `json:"chains"`
}

// runningAccount carries private keys (WIF): of development networks only.
type runningAccount struct {
	Name    string `json:"name"`
	Active  string `json:"active"`
	Posting string `json:"posting"`
}

// runningChain says where a chain's node is; with credentials only where the
// chain is embedded.
type runningChain struct {
	Chain   string            `json:"chain"`
	RPC     string            `json:"rpc"`
	ChainID uint64            `json:"chain_id"`
	Tokens  map[string]string `json:"tokens"`
}

// describe adds what Ethereum's clients want to know.
func (c *runningChain) describe(cfg ETHConfig) {
	c.ChainID = cfg.ChainID
	for name, token := range cfg.Tokens {
		c.Tokens[name] = token.Address
	}
}

func (r running) write(home string) error {
	if r.Accounts == nil {
		r.Accounts = []runningAccount{}
	}
	if r.Chains == nil {
		r.Chains = []runningChain{}
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return renameio.WriteFile(filepath.Join(home, runningFile), append(text, '\n'), 0o600)
}

// dialTimeout is how long a process may take to accept a connection.
const dialTimeout = 2 * time.Second

// readRunning reads running.json; live is false when there is none, its process
// is gone, or nobody listens where it says: the file of a process that was
// killed stays, and its number may be another's by now.
func readRunning(home string) (r running, live bool, err error) {
	text, err := os.ReadFile(filepath.Join(home, runningFile))
	if errors.Is(err, fs.ErrNotExist) {
		return running{}, false, nil
	}
	if err != nil {
		return running{}, false, err
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return running{}, false, fmt.Errorf("%s: %w", runningFile, err)
	}
	process, err := os.FindProcess(r.PID)
	if err != nil {
		return r, false, nil
	}
	if err := process.Signal(syscall.Signal(0)); err != nil && !errors.Is(err, syscall.EPERM) {
		return r, false, nil
	}
	conn, err := net.DialTimeout("tcp", strings.TrimPrefix(r.Admin, "http://"), dialTimeout)
	if err != nil {
		return r, !errors.Is(err, syscall.ECONNREFUSED), nil
	}
	return r, true, conn.Close()
}
