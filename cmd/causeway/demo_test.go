package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"causeway/chains"
	"causeway/gateway"
	"causeway/sidechain/jsvalue"
)

// storySteps are the steps of the story on all chains, in order.
var storySteps = func() (steps []string) {
	for _, coin := range append(slices.Clone(builtChains), strings.ToLower(devToken.symbol)) {
		for _, step := range []string{"deposit", "credited", "transfer", "withdraw", "confirmed"} {
			steps = append(steps, coin+"."+step)
		}
	}
	return append(steps, "token.create", "token.issue", "token.stake", "market.sell", "market.buy",
		"scot.pool", "scot.post", "scot.wait", "scot.payout", "audit")
}()

// readDemo decodes what demo --json printed: one object and nothing else, no
// member that the design does not name.
func readDemo(t *testing.T, text string) demoResult {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	var result demoResult
	if err := dec.Decode(&result); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		t.Fatalf("more than one JSON value on stdout: %s", text)
	}
	var members map[string]json.RawMessage
	must(t, json.Unmarshal([]byte(text), &members))
	for _, name := range []string{"ok", "steps", "audit"} {
		if members[name] == nil {
			t.Errorf("no member %q in %s", name, text)
		}
	}
	return result
}

// checkDemo says whether every step happened and the books balance.
func checkDemo(t *testing.T, r demoResult) {
	t.Helper()
	var names []string
	for _, step := range r.Steps {
		names = append(names, step.Name)
		if !step.OK || step.Error != "" {
			t.Errorf("step %s: %s", step.Name, step.Error)
		}
		if step.IDs == nil {
			t.Errorf("step %s has no ids", step.Name)
		}
		for name, id := range step.IDs {
			if id == "" {
				t.Errorf("step %s: id %s is empty", step.Name, name)
			}
		}
	}
	if diff := cmp.Diff(storySteps, names); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if !r.OK || r.Audit == nil || !r.Audit.OK {
		t.Fatalf("not ok: %s", show(r))
	}
	if len(r.Audit.Assets) != len(builtChains)+1 {
		t.Fatalf("audit: %s", show(r.Audit))
	}
	for _, a := range r.Audit.Assets {
		checkEquality(t, a)
	}
}

// bookOf is the part of an audit about a chain's own coin.
func bookOf(t *testing.T, audit gateway.Audit, chain string) gateway.AssetAudit {
	t.Helper()
	for _, a := range audit.Assets {
		if a.Symbol == "SWAP."+upper(chain) && string(a.Chain) == chain {
			return a
		}
	}
	t.Fatalf("no books of %s: %s", chain, show(audit))
	return gateway.AssetAudit{}
}

// checkEquality adds up an asset's books by hand: they are equal, and nothing
// is missing.
func checkEquality(t *testing.T, a gateway.AssetAudit) {
	t.Helper()
	checkSums(t, a)
	if sumOf(a.Surplus, a.NetworkFees, a.Tolerance).Lt(jsvalue.BigInt(0)) {
		t.Errorf("coins are missing: %s", show(a))
	}
}

// checkSums is the equality, which holds whether or not coins are missing.
func checkSums(t *testing.T, a gateway.AssetAudit) {
	t.Helper()
	have, owed := sumOf(a.Reserves, a.InFlight), sumOf(a.Supply, a.PendingWithdrawals, a.Uncredited, a.Surplus)
	if !have.Eq(owed) {
		t.Errorf("reserves and in flight are %s, supply, pending, uncredited and surplus %s: %s", have, owed, show(a))
	}
}

// sumOf adds decimal texts.
func sumOf(texts ...string) jsvalue.BigNumber {
	total := jsvalue.BigInt(0)
	for _, text := range texts {
		total = total.Plus(jsvalue.Big(text))
	}
	return total
}

func TestDemoInProcess(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := inProcess(t.Context(), "demo", "--json")
	if code != exitOK {
		t.Fatalf("exit %d:\n%s", code, stderr)
	}
	checkDemo(t, readDemo(t, stdout))
	// Readable lines go to stderr, one a step.
	for _, name := range storySteps {
		if strings.Count(stderr, " "+name+" ") != 1 {
			t.Errorf("no line for step %s in:\n%s", name, stderr)
		}
	}
}

func TestDemoAgainst(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	p := serveDev(t, home)
	if code, _, stderr := exitOf(t, nil, "demo", "--against", t.TempDir()); code != exitError || !strings.Contains(stderr, "no running network") {
		t.Errorf("demo against an empty directory: exit %d: %s", code, stderr)
	}
	var symbols []string
	for range 2 {
		code, stdout, stderr := exitOf(t, nil, "demo", "--against", home, "--json")
		if code != exitOK {
			t.Fatalf("exit %d:\n%s", code, stderr)
		}
		result := readDemo(t, stdout)
		checkDemo(t, result)
		symbols = append(symbols, result.Steps[slices.Index(storySteps, "token.create")].IDs["symbol"])
	}
	if symbols[0] == symbols[1] {
		t.Errorf("the same token twice: %s", symbols)
	}
	// The story leaves 1.26 with alice and 0.04 with bob, each time.
	p.wantBalance("alice", "SWAP.BTC", "2.52000000")
	p.wantBalance("bob", "SWAP.BTC", "0.08000000")

	for _, args := range [][]string{
		{"dev", "--home", home},
		{"demo", "--home", home},
		{"run", "--home", home},
		{"init", "--home", home},
	} {
		if code, _, stderr := exitOf(t, nil, args...); code != exitRefused {
			t.Errorf("causeway %s beside a running one: exit %d: %s", strings.Join(args, " "), code, stderr)
		}
	}
	if p.ended() || !hasRunning(t, home) {
		t.Fatal("the refused processes disturbed the running one")
	}
}

// TestRunningJSON holds running.json against the design.
func TestRunningJSON(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	p := serveDev(t, home)
	info, err := os.Stat(home + "/" + runningFile)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("running.json holds keys and has mode %s", info.Mode())
	}
	text, err := os.ReadFile(home + "/" + runningFile)
	must(t, err)
	var got struct {
		URL, Admin, Started string
		PID                 int
		ChainID             string `json:"chain_id"`
		BaseChainID         string `json:"base_chain_id"`
		Accounts            []struct{ Name, Active, Posting string }
		Chains              []struct {
			Chain, RPC string
			ChainID    uint64 `json:"chain_id"`
			Tokens     map[string]string
		}
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	must(t, dec.Decode(&got))
	var names []string
	for _, a := range got.Accounts {
		names = append(names, a.Name)
		p.wantBalance(a.Name, "BEE", "10000.00000000")
	}
	if diff := cmp.Diff(devAccounts, names); diff != "" {
		t.Errorf("accounts (-want +got):\n%s", diff)
	}
	if _, err := time.Parse(time.RFC3339, got.Started); err != nil {
		t.Error(err)
	}
	var status struct {
		ChainID     string `json:"chain_id"`
		BaseChainID string `json:"base_chain_id"`
	}
	must(t, p.get(t.Context(), "/v1/status", &status))
	if status.ChainID != got.ChainID || status.BaseChainID != got.BaseChainID {
		t.Errorf("running.json says %s %s, /v1/status %+v", got.ChainID, got.BaseChainID, status)
	}
	for _, path := range []string{"/livez", "/readyz", "/metrics"} {
		status := ""
		if err := poll(t.Context(), stepWait, func() (bool, error) {
			res, err := http.Get(got.Admin + path)
			if err != nil {
				return false, err
			}
			status = res.Status
			return res.StatusCode == http.StatusOK, res.Body.Close()
		}); err != nil {
			t.Errorf("%s: %v (%s)", path, err, status)
		}
	}
	if code := p.stop(); code != exitOK {
		t.Errorf("exit %d after SIGTERM: %s", code, p.stderr)
	}
	if hasRunning(t, home) {
		t.Error("running.json is left behind")
	}
}

// advance moves the base clock over the admin listener.
func (p *process) advance(seconds int) (offset int64) {
	p.t.Helper()
	var answer struct {
		Offset int64 `json:"offset_seconds"`
	}
	body, _ := json.Marshal(map[string]int{"seconds": seconds})
	must(p.t, exchange(p.t.Context(), p.client.http, http.MethodPost, p.running.Admin+"/dev/advance", body, &answer))
	return answer.Offset
}

// baseTime is the time that the next base block would carry.
func (p *process) baseTime() time.Time {
	p.t.Helper()
	var props struct {
		Time string `json:"time"`
	}
	must(p.t, p.call(p.t.Context(), "/hive", "condenser_api.get_dynamic_global_properties", []any{}, &props))
	at, err := time.Parse("2006-01-02T15:04:05", props.Time)
	must(p.t, err)
	return at
}

// deposit pays to an account on the embedded chain and waits for the credit.
func (p *process) deposit(account, amount string) {
	p.t.Helper()
	ctx, c := p.t.Context(), p.embedded()
	before, err := p.balance(ctx, account, "SWAP.BTC")
	must(p.t, err)
	_, err = c.pay(ctx, p.depositAddress(account), amount)
	must(p.t, err)
	want := jsvalue.Big(before).Plus(jsvalue.Big(amount))
	must(p.t, mineUntil(ctx, c, func() (bool, error) {
		after, err := p.balance(ctx, account, "SWAP.BTC")
		return jsvalue.Big(after).Eq(want), err
	}))
}

func TestDevPersists(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	const days = 10 * 24 * 3600
	var height int
	var tip, tokens string
	p := serveDev(t, home)
	for round, end := range []string{"kill", "kill", "stop"} {
		p.deposit("carol", "0.5")
		tx, err := p.contract(t.Context(), "carol", p.key("carol"), "tokens", "transfer", map[string]any{"symbol": "BEE", "to": "dave", "quantity": "1"})
		must(t, err)
		if offset := p.advance(days); offset != int64(round+1)*days {
			t.Fatalf("offset %d after %d advances", offset, round+1)
		}
		must(t, p.embedded().rpc(t.Context(), "getblockcount", &height))
		must(t, p.embedded().rpc(t.Context(), "getblockhash", &tip, height))
		tokens, err = p.balance(t.Context(), "carol", "SWAP.BTC")
		must(t, err)
		if end == "kill" {
			p.kill()
		} else if code := p.stop(); code != exitOK {
			t.Fatalf("exit %d", code)
		}
		if hasRunning(t, home) == (end == "stop") {
			t.Errorf("after %s: running.json there: %t", end, hasRunning(t, home))
		}
		p = serveDev(t, home)
		p.wantBalance("carol", "SWAP.BTC", tokens)
		p.wantBalance("dave", "BEE", []string{"10001.00000000", "10002.00000000", "10003.00000000"}[round])
		var info json.RawMessage
		must(t, p.call(t.Context(), "/blockchain", "getTransactionInfo", map[string]any{"txid": tx}, &info))
		if string(info) == "null" {
			t.Errorf("transaction %s is lost", tx)
		}
		var again string
		must(t, p.embedded().rpc(t.Context(), "getblockhash", &again, height))
		if again != tip {
			t.Errorf("block %d of the embedded chain was %s and is %s", height, tip, again)
		}
		if ahead := time.Until(p.baseTime()); ahead < time.Duration(round+1)*days*time.Second-time.Minute {
			t.Errorf("the base clock is only %s ahead", ahead)
		}
	}
	checkEquality(t, bookOf(t, p.awaitAudit(true).Audit, "btc"))
	// What was there before still pays.
	if _, err := chains.FromCoin(tokens, 8); err != nil || tokens != "1.50000000" {
		t.Errorf("carol holds %s", tokens)
	}
}

func TestHomesAreNotMixed(t *testing.T) {
	t.Parallel()
	dev, ours, foreign := t.TempDir(), t.TempDir()+"/home", t.TempDir()
	serveDev(t, dev).stop()
	if code, _, stderr := exitOf(t, nil, "init", "--home", ours); code != exitOK {
		t.Fatalf("init: exit %d: %s", code, stderr)
	}
	must(t, os.WriteFile(foreign+"/letter.txt", []byte("dear"), 0o600))
	for _, test := range []struct {
		code int
		want string
		args []string
	}{
		{exitRefused, "dev network", []string{"run", "--home", dev}},
		{exitRefused, "dev network", []string{"keys", "--home", dev}},
		{exitRefused, "dev network", []string{"dev", "--home", ours}},
		{exitRefused, "dev network", []string{"demo", "--home", ours}},
		{exitRefused, "neither empty nor", []string{"dev", "--home", foreign}},
		{exitRefused, "not empty", []string{"init", "--home", foreign}},
		{exitError, "init first", []string{"run", "--home", foreign}},
		{exitError, "init first", []string{"run", "--home", foreign + "/none"}},
		{exitUsage, "--home", []string{"run"}},
	} {
		code, _, stderr := exitOf(t, nil, test.args...)
		if code != test.code || !strings.Contains(stderr, test.want) {
			t.Errorf("causeway %s: exit %d, want %d: %s", strings.Join(test.args, " "), code, test.code, stderr)
		}
	}
	entries, err := os.ReadDir(foreign)
	must(t, err)
	if len(entries) != 1 {
		t.Errorf("a refused command wrote into a foreign directory: %v", entries)
	}
}
