package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"causeway/gateway"
)

// Orders reach the running process of a home, say who gave them, last over a
// restart, and are refused in words where they cannot be followed.
func TestOrdersOfTheOperator(t *testing.T) {
	home := filepath.Join(t.TempDir(), "net")
	p := serve(t, home, nil, "dev", "--home", home)
	order := func(code int, args ...string) string {
		t.Helper()
		got, out, errs := exitOf(t, nil, append(args, "--home", home, "--author", "ann", "--reason", "a drill")...)
		if got != code {
			t.Errorf("causeway %s: exit %d, want %d: %s", strings.Join(args, " "), got, code, errs)
		}
		return out + errs
	}
	status := func() gateway.ChainStatus {
		t.Helper()
		var s statusResult
		code, out, errs := exitOf(t, nil, "status", "--home", home, "--json")
		if err := json.Unmarshal([]byte(out), &s); code != exitOK || err != nil {
			t.Fatalf("status: exit %d, %v: %s", code, err, errs)
		}
		for _, c := range s.Chains {
			if c.Chain == "btc" {
				return c
			}
		}
		t.Fatal("no btc")
		return gateway.ChainStatus{}
	}
	order(exitOK, "halt", "--chain", "btc", "--scope", "payouts", "--scope", "minting")
	if s := status(); s.Payouts != "halted" || s.Minting != "halted" || s.Deposits != "open" || s.Reason != "operator: a drill" {
		t.Errorf("halted: %+v", s)
	}
	order(exitOK, "alert", "--chain", "btc")
	if said := order(exitError, "halt", "--chain", "xmr"); !strings.Contains(said, "halt: chain \"xmr\" is not served here") {
		t.Errorf("another chain: %s", said)
	}
	if said := order(exitUsage, "halt", "--chain", "btc", "--scope", "everything"); !strings.Contains(said, "everything") || strings.Contains(said, "{") {
		t.Errorf("a scope that is none: %s", said)
	}
	order(exitError, "veto", "--withdrawal", "none")
	order(exitError, "requeue", "--withdrawal", "none")
	order(exitError, "claim", "--deposit", "btc:none:0")
	order(exitError, "cancel", "--batch", "none")
	if said := order(exitUsage, "perished", "--chain", "btc", "--tx", "00", "--by", "none", "--block", "none"); !strings.Contains(said, "transaction 1") {
		t.Errorf("a transaction that is none: %s", said)
	}
	order(exitError, "acknowledge", "--chain", "btc", "--txid", "none")
	if code, _, errs := exitOf(t, nil, "halt", "--home", home, "--chain", "btc", "--author", "ann"); code != exitUsage || !strings.Contains(errs, "--reason") {
		t.Errorf("without a reason: exit %d: %s", code, errs)
	}
	p.stop()
	if said := order(exitRefused, "resume", "--chain", "btc"); !strings.Contains(said, "no process is running") {
		t.Errorf("nobody is there: %s", said)
	}
	serve(t, home, nil, "dev", "--home", home)
	order(exitOK, "resume", "--chain", "btc", "--scope", "minting")
	if s := status(); s.Payouts != "halted" || s.Minting != "open" || len(s.Alerts) != 1 {
		t.Errorf("after the restart: %+v", s)
	}
	order(exitOK, "resume", "--chain", "btc")
	order(exitOK, "alert", "--chain", "btc", "--over")
	if s := status(); s.Reason != "" || s.Payouts != "open" || len(s.Alerts) != 0 {
		t.Errorf("resumed: %+v", s)
	}
}
