package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"causeway/gateway"
)

func newDemoCommand() *cobra.Command {
	var (
		opts   demoOptions
		chains string
	)
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Move real value the whole round on an embedded network",
		Long: "demo starts a network in this process (or uses a running one) and drives it\n" +
			"through its public HTTP and RPC surfaces only: deposit, mint, transfer, withdrawal,\n" +
			"a community token that is staked, traded and earned, audit. It fails unless every\n" +
			"step happened and the books balance.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts.out, opts.log = cmd.OutOrStdout(), cmd.ErrOrStderr()
			opts.chains = strings.Split(chains, ",")
			for _, chain := range opts.chains {
				if !slices.Contains(builtChains, chain) {
					return usageErr("demo: chain %q is not built (built: %s)", chain, strings.Join(builtChains, ", "))
				}
			}
			return demo(cmd.Context(), opts)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&opts.home, "home", "", "home of the network (default: a temporary one)")
	flags.BoolVar(&opts.json, "json", false, "print one JSON object at the end")
	flags.BoolVar(&opts.keep, "keep", false, "keep the network running and its home when the story is over")
	flags.StringVar(&opts.against, "against", "", "home of a running dev network to use instead")
	flags.StringVar(&chains, "chains", strings.Join(builtChains, ","), "chains to use")
	return cmd
}

// demoOptions are the flags of demo.
type demoOptions struct {
	home, against string
	json, keep    bool
	chains        []string
	out, log      io.Writer
}

// demo starts or finds a network and tells the story on it.
func demo(ctx context.Context, o demoOptions) error {
	lines := o.out
	if o.json {
		lines = o.log
	}
	home := o.against
	if home == "" {
		var err error
		if home = o.home; home == "" {
			if home, err = os.MkdirTemp("", "causeway-demo-"); err != nil {
				return err
			}
			if !o.keep {
				defer os.RemoveAll(home)
			}
		}
		stop, err := startDev(ctx, devOptions{home: home, interval: demoInterval, log: o.log})
		if err != nil {
			return err
		}
		defer stop()
	}
	r, live, err := readRunning(home)
	if err != nil {
		return err
	}
	if !live {
		return fmt.Errorf("no running network in %s", home)
	}
	s := &story{lines: lines, started: time.Now()}
	err = s.tell(ctx, r, o.chains)
	if o.json {
		encodeErr := json.NewEncoder(o.out).Encode(demoResult{OK: err == nil, Steps: s.steps, Audit: s.audit})
		err = errors.Join(err, encodeErr)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(lines, "done: the round is complete and the books balance (%.1f s)\n", time.Since(s.started).Seconds())
	if o.keep && o.against == "" {
		fmt.Fprintf(lines, "the network keeps running: %s, home %s\n", r.URL, home)
		<-ctx.Done()
	}
	return nil
}

// demoResult is what --json prints.
type demoResult struct {
	OK    bool           `json:"ok"`
	Steps []demoStep     `json:"steps"`
	Audit *gateway.Audit `json:"audit"`
}

// demoStep is one step of the story.
type demoStep struct {
	Name  string            `json:"name"`
	OK    bool              `json:"ok"`
	IDs   map[string]string `json:"ids"`
	Error string            `json:"error,omitempty"`
}

// story tells the main job step by step.
type story struct {
	lines   io.Writer
	started time.Time
	steps   []demoStep
	audit   *gateway.Audit
}

// step runs one step and writes its line.
func (s *story) step(name string, do func(ids map[string]string) (string, error)) error {
	step := demoStep{Name: name, IDs: map[string]string{}}
	said, err := do(step.IDs)
	step.OK = err == nil
	if err != nil {
		step.Error = err.Error()
		said = "FAILED: " + step.Error
		err = fmt.Errorf("step %s: %w", name, err)
	}
	s.steps = append(s.steps, step)
	fmt.Fprintf(s.lines, "%5.1fs  %-16s %s\n", time.Since(s.started).Seconds(), name, said)
	return err
}
