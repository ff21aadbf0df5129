package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// benchOptions are the flags of bench: the size of the load.
type benchOptions struct {
	Chain    string  `json:"chain,omitempty"` // of those with perChain
	Accounts int     `json:"accounts"`
	PerBlock int     `json:"per_block"`
	Resting  int     `json:"resting,omitempty"`
	Seconds  float64 `json:"seconds"`
	Memory   bool    `json:"memory"`
	Nodelike bool    `json:"nodelike,omitempty"`
	Procs    int     `json:"gomaxprocs"`
	profile  string  // file for a CPU profile of the measurement
	dir      string  // of the stores
}

// workload is a load that is ready to run. What next does is not measured; the
// work that it returns is, and so is finish.
type workload struct {
	next   func() (ops int, work func() error, err error)
	finish func() error
	close  func() error
	// extra are further facts, known after the measurement.
	extra func() (map[string]float64, error)
	once  bool // next has one piece of work only
	whole bool // next is measured too: its work goes on meanwhile
}

// benchmark is a load that bench knows.
type benchmark struct {
	name     string
	open     func(context.Context, benchOptions) (*workload, error)
	perChain bool // a load for each outside chain
}

// benchDefaultChain is measured when no other is asked for.
const benchDefaultChain = "btc"

// benchmarks in the order in which they are listed.
var benchmarks = []benchmark{
	{"transfers", openTransfers, false},
	{"orders", openOrders, false},
	{"votes", openVotes, false},
	{"replay", openReplay, false},
	{"scan", openScan, true},
	{"match", openMatch, true},
	{"payouts", openPayouts, true},
	{"ledger", openLedger, false},
}

func benchNames() string {
	var names []string
	for _, b := range benchmarks {
		names = append(names, b.name)
	}
	return strings.Join(names, ", ")
}

func newBenchCommand() *cobra.Command {
	var o benchOptions
	var asJSON bool
	cmd := &cobra.Command{
		Use: "bench NAME", Short: "Measure this machine: " + benchNames(),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageErr("bench: name one of %s", benchNames())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			result, err := o.run(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(result)
			}
			fmt.Fprintln(cmd.OutOrStdout(), result)
			return nil
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&o.Accounts, "accounts", 1000, "accounts that take part (match: watched scripts)")
	flags.StringVar(&o.Chain, "chain", benchDefaultChain, "scan, match, payouts: the coin: "+strings.Join(outputChains, ", "))
	flags.IntVar(&o.PerBlock, "per-block", 1000, "transactions in a base block (payouts: in a batch, 100 at most)")
	flags.IntVar(&o.Resting, "resting", 0, "orders: how many rest in the book beforehand")
	flags.Float64Var(&o.Seconds, "seconds", 5, "how long to measure")
	flags.BoolVar(&o.Memory, "memory", false, "no files: without checkpoints")
	flags.BoolVar(&o.Nodelike, "nodelike", false, "chains: checkpoints in the background as a node's, the making of the load measured too, and a restart at the end")
	flags.StringVar(&o.profile, "profile", "", "write a CPU profile of the measurement to this file")
	flags.BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// benchResult is what bench prints.
type benchResult struct {
	Name         string  `json:"name"`
	Ops          int     `json:"ops"`
	Seconds      float64 `json:"seconds"`
	OpsPerSecond float64 `json:"ops_per_second"`
	// Signed is of replay alone: with the recovery of keys.
	Signed      float64     `json:"ops_per_second_signed,omitempty"`
	CPUPerOp    float64     `json:"cpu_ns_per_op"`
	AllocsPerOp float64     `json:"allocs_per_op"`
	Config      benchConfig `json:"config"`
}

// signedRate is the fact that becomes benchResult.Signed.
const signedRate = "ops_per_second_signed"

// benchConfig is the options, and what else is to be known of a run.
type benchConfig struct {
	benchOptions
	facts map[string]float64
}

// MarshalJSON puts the facts beside the options.
func (c benchConfig) MarshalJSON() ([]byte, error) {
	text, err := json.Marshal(c.benchOptions)
	if err != nil || len(c.facts) == 0 {
		return text, err
	}
	facts, err := json.Marshal(c.facts)
	if err != nil {
		return nil, err
	}
	return append(append(text[:len(text)-1], ','), facts[1:]...), nil
}

func (r benchResult) String() string {
	text := fmt.Sprintf("%s: %.0f ops/s (%d in %.2f s), %.0f ns of CPU and %.1f allocations each",
		r.Name, r.OpsPerSecond, r.Ops, r.Seconds, r.CPUPerOp, r.AllocsPerOp)
	if r.Signed > 0 {
		text += fmt.Sprintf(", %.0f ops/s with signatures", r.Signed)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Config.facts)) {
		text += fmt.Sprintf(", %s %.4g", name, r.Config.facts[name])
	}
	return text
}

func (o benchOptions) run(ctx context.Context, name string) (result benchResult, err error) {
	i := slices.IndexFunc(benchmarks, func(b benchmark) bool { return b.name == name })
	switch {
	case i < 0:
		return result, usageErr("bench: %q is not one of %s", name, benchNames())
	case o.Accounts < 2 || o.PerBlock < 1 || o.Resting < 0 || o.Seconds <= 0:
		return result, usageErr("bench: --accounts from 2, --per-block from 1, --seconds above 0")
	case !slices.Contains(outputChains, o.Chain):
		return result, usageErr("bench: --chain %q is not one of %s", o.Chain, strings.Join(outputChains, ", "))
	case !benchmarks[i].perChain && o.Chain != benchDefaultChain:
		return result, usageErr("bench: %s has no --chain", name)
	case !benchmarks[i].perChain:
		o.Chain = ""
	}
	if o.dir, err = os.MkdirTemp("", "causeway-bench-"); err != nil {
		return result, err
	}
	defer os.RemoveAll(o.dir)
	o.Procs = runtime.GOMAXPROCS(0)
	w, err := benchmarks[i].open(ctx, o)
	if err != nil {
		return result, err
	}
	result, err = o.profiled(func() (benchResult, error) { return w.measure(ctx, o.Seconds) })
	result.Name, result.Config.benchOptions = name, o
	if err == nil && w.extra != nil {
		facts, failed := w.extra()
		result.Signed, err = facts[signedRate], failed
		delete(facts, signedRate)
		result.Config.facts = facts
	}
	if w.close != nil {
		err = errors.Join(err, w.close())
	}
	return result, err
}

// profiled measures under the profiler when there is a file for it.
func (o benchOptions) profiled(measure func() (benchResult, error)) (r benchResult, err error) {
	if o.profile == "" {
		return measure()
	}
	file, err := os.Create(o.profile)
	if err != nil {
		return r, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return r, errors.Join(err, file.Close())
	}
	r, err = measure()
	pprof.StopCPUProfile()
	return r, errors.Join(err, file.Close())
}

// measure runs pieces of work until they took so many seconds.
func (w *workload) measure(ctx context.Context, seconds float64) (r benchResult, err error) {
	var m meter
	runtime.GC() // of what opening left
	for m.wall.Seconds() < seconds && (!w.once || r.Ops == 0) {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		if err := w.piece(&m, &r.Ops); err != nil {
			return r, err
		}
	}
	if w.finish != nil {
		if err := m.during(w.finish); err != nil {
			return r, err
		}
	}
	r.Seconds = m.wall.Seconds()
	r.OpsPerSecond = float64(r.Ops) / r.Seconds
	r.CPUPerOp = float64(m.cpu.Nanoseconds()) / float64(r.Ops)
	r.AllocsPerOp = float64(m.allocs) / float64(r.Ops)
	return r, nil
}

// piece does and measures one piece of work.
func (w *workload) piece(m *meter, sum *int) error {
	var ops int
	var work func() error
	next := func() (err error) {
		ops, work, err = w.next()
		return err
	}
	if w.whole {
		if err := m.during(next); err != nil {
			return err
		}
	} else if err := next(); err != nil {
		return err
	}
	*sum += ops
	return m.during(work)
}

// meter sums up what pieces of work cost the whole process.
type meter struct {
	wall, cpu time.Duration
	allocs    uint64
}

func (m *meter) during(work func() error) error {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu, start := processTime(), time.Now()
	err := work()
	m.wall += time.Since(start)
	m.cpu += processTime() - cpu
	runtime.ReadMemStats(&after)
	m.allocs += after.Mallocs - before.Mallocs
	return err
}

// processTime is the CPU time of all threads so far, the kernel's included.
func processTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
