package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"

	"causeway/internal/failpoint"
)

// TestMain is a campaign's child when it is started as one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == childArgument {
		os.Exit(start(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// with are options for some runs.
func with(log io.Writer, runs int, seed uint64) options {
	o := newOptions(log)
	o.runs, o.seed, o.workers = runs, seed, 2
	return o
}

func TestUsage(t *testing.T) {
	var out, log bytes.Buffer
	for _, args := range [][]string{{}, {"nonsense"}, {"crash", "--runs", "x"}, {"crash", "--off", "nonsense"}, {"crash", "more"}, {"crash", "--chain", "xmr"}, {"reorg", "--chain", "eth"}, {"--json"}} {
		if code := start(args, &out, &log); code != exitUsage {
			t.Errorf("%q: exit %d", args, code)
		}
	}
	if out.Len() > 0 {
		t.Errorf("printed %s", &out)
	}
	if !failpoint.Enabled && !strings.Contains(log.String(), "-tags failpoints") {
		t.Errorf("a build without the tag says only %s", &log)
	}
}

func TestReport(t *testing.T) {
	c := campaign{runs: 4, run: func(_ options, seed uint64) outcome {
		o := outcome{seed: seed, counts: map[string]int{"lives": 1}}
		if seed%2 == 0 {
			o.violations = []string{"one", "two"}
		}
		return o
	}}
	var out, log bytes.Buffer
	r, counts := execute("crash", c, with(&log, 0, 5))
	if code := show(r, counts, true, &out, &log); code != exitViolation {
		t.Errorf("exit %d", code)
	}
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	seeds, _ := got["failing_seeds"].([]any)
	if got["name"] != "crash" || got["runs"] != 4.0 || got["violations"] != 4.0 || len(seeds) != 2 || seeds[0] != 6.0 || seeds[1] != 8.0 {
		t.Errorf("%s", &out)
	}
	if counts["lives"] != 4 || !strings.Contains(log.String(), "seed 8: two") {
		t.Errorf("%v, %s", counts, &log)
	}
}
