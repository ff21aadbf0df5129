package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"causeway/gateway"
)

// auditTimeout is long: a full audit reads every block since the keys' birthday.
const auditTimeout = 12 * time.Hour

func newAuditCommand() *cobra.Command {
	var (
		dir          string
		asJSON, full bool
	)
	cmd := &cobra.Command{
		Use: "audit", Short: "Check that the books balance", Args: noArgs,
		Long: "audit balances supply, pending withdrawals and reserves of every asset, as the\n" +
			"ledger, the sidechain and an independent reader of the chain see them. It exits 4\n" +
			"when they do not balance, 1 when that cannot be known. --full reads every block\n" +
			"of the outside chains again from the keys' birthday.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			result, err := auditHome(cmd.Context(), dir, full)
			if err != nil {
				return err
			}
			return result.report(cmd.OutOrStdout(), asJSON)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&dir, "home", "", "home of the node")
	flags.BoolVar(&asJSON, "json", false, "one JSON object")
	flags.BoolVar(&full, "full", false, "read the outside chains again from the beginning")
	return cmd
}

// auditResult is an audit and, in words, what is wrong.
type auditResult struct {
	Audit    gateway.Audit `json:"audit"`
	Problems []string      `json:"problems"`
	Unknown  bool          `json:"unknown"` // the only problem is a node that does not answer
}

// auditHome asks the running process of a home, or opens its stores.
func auditHome(ctx context.Context, dir string, full bool) (result auditResult, err error) {
	if dir == "" {
		return result, usageErr("--home is required")
	}
	r, live, err := readRunning(dir)
	if err != nil {
		return result, err
	}
	if live {
		path := "/audit"
		if full {
			path += "?full=1"
		}
		return result, exchange(ctx, &http.Client{Timeout: auditTimeout}, http.MethodGet, r.Admin+path, nil, &result)
	}
	n, err := openStopped(ctx, dir)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	return n.audit(ctx, full)
}

// openStopped opens a home whose process is not running.
func openStopped(ctx context.Context, dir string) (*node, error) {
	h, err := findHome(dir)
	if err != nil {
		return nil, err
	}
	o := nodeOptions{home: h, log: newLogger(os.Stderr, slog.LevelWarn)}
	if o.genesis, o.document, err = h.genesis(); err != nil {
		return nil, err
	}
	if o.config, err = h.config(o.genesis); err != nil {
		return nil, err
	}
	for _, file := range []string{baseFile, stateFile, gatewayFile} {
		if !h.has(file) {
			return nil, fmt.Errorf("%s has no %s: it has never run", dir, file)
		}
	}
	return openStoppedNode(ctx, o)
}

func (n *node) audit(ctx context.Context, full bool) (auditResult, error) {
	ask := n.gateway.Audit
	if full {
		ask = n.gateway.FullAudit
	}
	audit, err := ask(ctx)
	return auditResult{Audit: audit, Problems: audit.Problems, Unknown: audit.Unknown}, err
}

func (n *node) serveAudit(w http.ResponseWriter, r *http.Request) {
	result, err := n.audit(r.Context(), r.URL.Query().Get("full") != "")
	if err != nil {
		answer(w, http.StatusServiceUnavailable, map[string]string{"error": err.Error()})
		return
	}
	answer(w, http.StatusOK, result)
}

// report prints an audit; books that do not balance are an error of their own.
func (r auditResult) report(out io.Writer, asJSON bool) error {
	if asJSON {
		if err := json.NewEncoder(out).Encode(r.Audit); err != nil {
			return err
		}
	} else {
		for _, a := range r.Audit.Assets {
			state := okText(a.OK)
			if r.Unknown && !a.OK {
				state = "not known"
			}
			fmt.Fprintf(out, "%-10s %s at height %d\n", a.Symbol, state, a.Height)
			for _, line := range []struct{ name, value string }{
				{"reserves", a.Reserves}, {"in flight", a.InFlight}, {"supply", a.Supply}, {"pending withdrawals", a.PendingWithdrawals},
				{"uncredited", a.Uncredited}, {"surplus", a.Surplus}, {"network fees", a.NetworkFees},
			} {
				fmt.Fprintf(out, "  %-20s %s\n", line.name, line.value)
			}
		}
		for _, problem := range r.Problems {
			fmt.Fprintln(out, problem)
		}
	}
	switch {
	case r.Unknown:
		return fmt.Errorf("whether the books balance is not known: %s", strings.Join(r.Problems, "; "))
	case !r.Audit.OK:
		return &exitErr{exitInvariant, errors.New("the books do not balance")}
	}
	return nil
}

func okText(ok bool) string {
	if ok {
		return "ok"
	}
	return "BROKEN"
}
