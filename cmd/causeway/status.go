package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"causeway/gateway"
)

func newStatusCommand() *cobra.Command {
	var (
		dir    string
		asJSON bool
	)
	cmd := &cobra.Command{
		Use: "status", Short: "Say where a home's node stands", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := homeStatus(cmd.Context(), dir)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if asJSON {
				return json.NewEncoder(out).Encode(s)
			}
			state := "stopped"
			if s.Running {
				state = fmt.Sprintf("running, pid %d, %s", s.PID, s.URL)
			}
			fmt.Fprintf(out, "%s: %s\nsidechain block %d, base block %d, %s\n", s.ChainID, state, s.Block, s.RefBlock, s.Time)
			for _, c := range s.Chains {
				describeChain(out, c, s.Running)
			}
			if s.Signer != nil {
				fmt.Fprintf(out, "signer %s, ok %t, %d journal entries %s\n", s.Signer.Where, s.Signer.OK, s.Signer.Counter, s.Signer.Detail)
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&dir, "home", "", "home of the node")
	flags.BoolVar(&asJSON, "json", false, "one JSON object")
	return cmd
}

// describeChain prints where a chain stands, and which of its nodes do not do
// what they should. A home that is stopped has not asked them.
func describeChain(out io.Writer, c gateway.ChainStatus, running bool) {
	height := fmt.Sprintf("%d of %d", c.Height, c.NodeHeight)
	if !running {
		height, c.Nodes = fmt.Sprint(c.Height), nil
	}
	fmt.Fprintf(out, "%-5s height %s  deposits %s  minting %s  payouts %s  %s\n", c.Chain, height, c.Deposits, c.Minting, c.Payouts, c.Reason)
	for _, alert := range c.Alerts {
		fmt.Fprintf(out, "      alert: %s\n", alert)
	}
	for _, n := range c.Nodes {
		if !n.OK || n.Lag > 0 {
			fmt.Fprintf(out, "      node %s: ok %t, %d blocks behind, %s %s\n", n.Name, n.OK, n.Lag, n.Version, n.Error)
		}
	}
}

// statusResult is what status --json prints.
type statusResult struct {
	Running  bool                  `json:"running"`
	PID      int                   `json:"pid,omitempty"`
	URL      string                `json:"url,omitempty"`
	Version  string                `json:"version"`
	ChainID  string                `json:"chain_id"`
	Block    uint64                `json:"block"`
	RefBlock uint64                `json:"ref_block"`
	Time     string                `json:"time"`
	Chains   []gateway.ChainStatus `json:"chains"`
	Signer   *signerStatus         `json:"signer,omitempty"`
}

func homeStatus(ctx context.Context, dir string) (s statusResult, err error) {
	if dir == "" {
		return s, usageErr("--home is required")
	}
	r, live, err := readRunning(dir)
	if err != nil {
		return s, err
	}
	if live {
		err := exchange(ctx, &http.Client{Timeout: 10 * time.Second}, http.MethodGet, r.Admin+"/status", nil, &s)
		s.Running, s.PID, s.URL = true, r.PID, r.URL
		return s, err
	}
	n, err := openStopped(ctx, dir)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	return n.status(ctx), nil
}

func (n *node) status(ctx context.Context) statusResult {
	head := n.engine.Head()
	s := statusResult{
		Version: version, ChainID: n.genesis.ChainID, Block: head.Block, RefBlock: head.RefBlock,
		Time: head.Timestamp + "Z", Chains: []gateway.ChainStatus{},
	}
	if n.gateway != nil {
		s.Chains = n.gateway.ChainStatus()
	}
	if n.signer != nil {
		signer := n.signer.status(ctx)
		s.Signer = &signer
	}
	return s
}

func (n *node) serveStatus(w http.ResponseWriter, r *http.Request) {
	answer(w, http.StatusOK, n.status(r.Context()))
}
