package main

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
)

// bench prints one JSON object with the figures that the name promises, and
// every load goes through without a refusal.
func TestBench(t *testing.T) {
	for _, b := range benchmarks {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			var out, errs bytes.Buffer
			args := []string{"bench", b.name, "--json", "--seconds", "0.01", "--accounts", "60", "--per-block", "40", "--resting", "50"}
			if code := run(context.Background(), args, &out, &errs); code != exitOK {
				t.Fatalf("exit %d: %s", code, &errs)
			}
			var r map[string]any
			if err := json.Unmarshal(out.Bytes(), &r); err != nil {
				t.Fatal(err)
			}
			want := []string{"ops", "seconds", "ops_per_second", "cpu_ns_per_op"}
			if b.name == "replay" {
				want = append(want, "ops_per_second_signed")
			}
			for _, key := range want {
				if f, ok := r[key].(float64); !ok || f <= 0 {
					t.Errorf("%s is %v", key, r[key])
				}
			}
			if r["name"] != b.name || r["config"] == nil || r["allocs_per_op"] == nil {
				t.Errorf("printed %s", &out)
			}
		})
	}
}

// The loads of outside chains are there for each coin.
func TestBenchChains(t *testing.T) {
	for _, name := range []string{"scan", "match", "payouts"} {
		for _, chain := range outputChains {
			t.Run(name+" "+chain, func(t *testing.T) {
				t.Parallel()
				var out, errs bytes.Buffer
				args := []string{"bench", name, "--chain", chain, "--json", "--seconds", "0.01", "--accounts", "60", "--per-block", "40"}
				if code := run(context.Background(), args, &out, &errs); code != exitOK {
					t.Fatalf("exit %d: %s", code, &errs)
				}
				var r struct {
					Ops    float64
					Config struct{ Chain string }
				}
				if err := json.Unmarshal(out.Bytes(), &r); err != nil || r.Ops <= 0 || r.Config.Chain != chain {
					t.Errorf("%v: %s", err, &out)
				}
			})
		}
	}
}

// A nodelike run ends with a restart from what a kill would leave.
func TestBenchNodelike(t *testing.T) {
	var out, errs bytes.Buffer
	args := []string{"bench", "transfers", "--json", "--nodelike", "--seconds", "0.3", "--accounts", "60", "--per-block", "40"}
	if code := run(context.Background(), args, &out, &errs); code != exitOK {
		t.Fatalf("exit %d: %s", code, &errs)
	}
	var r struct{ Config map[string]any }
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"rows", "heap_bytes_per_row", "row_bytes_stored", "row_bytes_in_file", "restart_seconds", "restart_open_seconds", "restart_blocks"} {
		if f, ok := r.Config[key].(float64); !ok || f <= 0 {
			t.Errorf("%s is %v", key, r.Config[key])
		}
	}
}

func TestBenchUnknown(t *testing.T) {
	for _, args := range [][]string{{"bench"}, {"bench", "nothing"}, {"bench", "transfers", "--accounts", "1"}, {"bench", "scan", "--chain", "xmr"}, {"bench", "transfers", "--chain", "ltc"}} {
		var out, errs bytes.Buffer
		if code := run(context.Background(), args, &out, &errs); code != exitUsage {
			t.Errorf("%v: exit %d", args, code)
		}
		if len(args) < 3 && !strings.Contains(errs.String(), "transfers, orders, votes, replay") {
			t.Errorf("%v: %s", args, &errs)
		}
	}
}
