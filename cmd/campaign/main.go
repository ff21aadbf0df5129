package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"causeway/chains"
	"causeway/chains/chaintest"
	"causeway/cmd/campaign/machine"
	"causeway/internal/failpoint"
)

// options are what a campaign is told.
type options struct {
	runs    int
	seed    uint64
	workers int
	off     []string  // defences that are switched off
	chain   chains.ID // empty: each seed draws one
	*networks
	log io.Writer
}

func newOptions(log io.Writer) options {
	return options{workers: 1, networks: &networks{made: map[chains.ID]*network{}, sims: map[string]*chaintest.Sim{}}, log: log}
}

// outcome is what one run says: nothing, or what was violated.
type outcome struct {
	seed       uint64
	violations []string
	counts     map[string]int // of what happened in it
}

// campaign runs one seed.
type campaign struct {
	about string
	runs  int // when nothing is said
	run   func(o options, seed uint64) outcome
	coins bool // it is not led on Ethereum
}

func campaigns() map[string]campaign {
	return map[string]campaign{
		"crash": {"processes killed at every crash point, and at any instant", 200, crashRun, false},
		"model": {"exhaustive search of the protocol as an abstract machine", 1, modelRun, true},
		"reorg": {"state depends on the final chain only, for random trees", 50, reorgRun, true},
		"lies":  {"nodes that lie, lag, fail or say nothing, at every method", liesRuns(), liesRun, false},
		"load":  {"--runs deposits and as many withdrawals, all at once", 2000, loadRun, true},
	}
}

// report is the campaign's result; its JSON form is fixed (design, section 4).
type report struct {
	Name         string   `json:"name"`
	Runs         int      `json:"runs"`
	Violations   int      `json:"violations"`
	FailingSeeds []uint64 `json:"failing_seeds"`
	Seconds      float64  `json:"seconds"`
}

func main() { os.Exit(start(os.Args[1:], os.Stdout, os.Stderr)) }

const (
	exitOK        = 0
	exitViolation = 1
	exitUsage     = 2
)

func start(args []string, out, log io.Writer) int {
	if !failpoint.Enabled {
		fmt.Fprintln(log, "campaign: built without its hooks: go run -tags failpoints ./cmd/campaign …")
		return exitUsage
	}
	if len(args) > 0 && args[0] == childArgument {
		return childMain(os.Stdin, out, log)
	}
	list := campaigns()
	flags := flag.NewFlagSet("campaign", flag.ContinueOnError)
	flags.SetOutput(log)
	runs := flags.Int("runs", 0, "how many (load: how large); 0: the campaign's own number")
	seed := flags.Uint64("seed", 1, "seed of the first run")
	workers := flags.Int("workers", runtime.NumCPU(), "runs at the same time")
	off := flags.String("off", "", "defences to switch off, separated by commas")
	chain := flags.String("chain", "", "btc, ltc, bch, doge or eth; nothing: every seed draws one of the first four")
	asJSON := flags.Bool("json", false, "only the result as JSON on standard output")
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		usage(log, list)
		return exitUsage
	}
	c, ok := list[args[0]]
	if !ok || flags.Parse(args[1:]) != nil || flags.NArg() > 0 || *runs < 0 || *workers < 1 {
		usage(log, list)
		return exitUsage
	}
	o := newOptions(log)
	o.runs, o.seed, o.workers, o.chain = *runs, *seed, *workers, chains.ID(*chain)
	if _, err := kindOf(o.chain); err != nil && *chain != "" {
		fmt.Fprintln(log, "campaign:", err)
		return exitUsage
	}
	if k, err := kindOf(o.chain); err == nil && c.coins && k.terms().final {
		fmt.Fprintf(log, "campaign: %s is not led on %s\n", args[0], o.chain)
		return exitUsage
	}
	if *off != "" {
		o.off = strings.Split(*off, ",")
	}
	known := failpoint.Defences()
	if args[0] == "model" {
		known = machine.Defences()
	}
	for _, name := range o.off {
		if !slices.Contains(known, name) {
			fmt.Fprintf(log, "campaign: no defence is called %q: %s\n", name, strings.Join(known, " "))
			return exitUsage
		}
	}
	r, counts := execute(args[0], c, o)
	return show(r, counts, *asJSON, out, log)
}

func usage(log io.Writer, list map[string]campaign) {
	fmt.Fprintln(log, "usage: campaign NAME [--runs N] [--seed S] [--chain CHAIN] [--workers N] [--off DEFENCE,…] [--json]")
	for _, name := range sortedKeys(list) {
		fmt.Fprintf(log, "  %-6s %s\n", name, list[name].about)
	}
}

// execute runs all seeds, some at a time.
func execute(name string, c campaign, o options) (report, map[string]int) {
	if o.runs == 0 {
		o.runs = c.runs
	}
	began := time.Now()
	r, counts := report{Name: name, Runs: o.runs, FailingSeeds: []uint64{}}, map[string]int{}
	seeds := make(chan uint64)
	var mu sync.Mutex
	var workers sync.WaitGroup
	for range min(o.workers, o.runs) {
		workers.Go(func() {
			for seed := range seeds {
				result := c.run(o, seed)
				mu.Lock()
				r.add(result, o.log)
				for what, n := range result.counts {
					counts[what] += n
				}
				mu.Unlock()
			}
		})
	}
	lives := o.runs
	if name == "load" { // one life, of that size
		lives = 1
	}
	for i := range lives {
		seeds <- o.seed + uint64(i)
	}
	close(seeds)
	workers.Wait()
	slices.Sort(r.FailingSeeds)
	r.Seconds = time.Since(began).Round(time.Millisecond).Seconds()
	return r, counts
}

func (r *report) add(result outcome, log io.Writer) {
	if len(result.violations) == 0 {
		return
	}
	r.Violations += len(result.violations)
	r.FailingSeeds = append(r.FailingSeeds, result.seed)
	for _, v := range result.violations {
		fmt.Fprintf(log, "seed %d: %s\n", result.seed, v)
	}
}

func show(r report, counts map[string]int, asJSON bool, out, log io.Writer) int {
	for _, what := range sortedKeys(counts) {
		fmt.Fprintf(log, "  %-28s %d\n", what, counts[what])
	}
	if asJSON {
		text, err := json.Marshal(r)
		if err != nil {
			fmt.Fprintln(log, err)
			return exitViolation
		}
		fmt.Fprintln(out, string(text))
	} else {
		fmt.Fprintf(out, "%s: %d runs, %d violations in %.1f s; failing seeds %v\n", r.Name, r.Runs, r.Violations, r.Seconds, r.FailingSeeds)
	}
	if r.Violations > 0 {
		return exitViolation
	}
	return exitOK
}
