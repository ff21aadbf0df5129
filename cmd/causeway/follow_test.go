package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"path/filepath"
	"testing"
	"time"

	"causeway/sidechain/graphene"
)

// TestNodeFollows joins a running network with a home of its own, follows it
// without any key, forwards a broadcast, and is verified against its upstream.
func TestNodeFollows(t *testing.T) {
	dir := t.TempDir()
	upstream, joined := filepath.Join(dir, "up"), filepath.Join(dir, "joined")
	stop, err := startDev(t.Context(), devOptions{home: upstream, interval: demoInterval, log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	up, _, err := readRunning(upstream)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("CAUSEWAY_PASSPHRASE", "pass")
	var out bytes.Buffer
	if code := run(t.Context(), []string{"init", "--home", joined, "--genesis", filepath.Join(upstream, genesisFile)}, &out, &out); code != exitOK {
		t.Fatalf("init: exit %d: %s", code, &out)
	}
	if code := run(t.Context(), []string{"node", "--home", joined}, &out, &out); code != exitError {
		t.Errorf("a follower without upstream: exit %d: %s", code, &out)
	}
	t.Setenv("CAUSEWAY_BASE_UPSTREAM", up.URL)
	t.Setenv("CAUSEWAY_HTTP_LISTEN", "127.0.0.1:0")
	t.Setenv("CAUSEWAY_HTTP_ADMIN", "127.0.0.1:0")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int, 1)
	go func() { done <- run(ctx, []string{"node", "--home", joined}, io.Discard, io.Discard) }()
	var here running
	err = poll(t.Context(), 20*time.Second, func() (bool, error) {
		var live bool
		var err error
		here, live, err = readRunning(joined)
		return live, err
	})
	if err != nil {
		t.Fatal(err)
	}
	// alice speaks to the follower only; what she does comes back to it.
	c, err := newClient(here.URL, here.ChainID, here.BaseChainID)
	if err != nil {
		t.Fatal(err)
	}
	key, err := graphene.ParseWIF(up.Accounts[0].Active)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.contract(t.Context(), "alice", key, "tokens", "transfer", map[string]any{"symbol": "BEE", "to": "bob", "quantity": "3"}); err != nil {
		t.Fatal(err)
	}
	if balance, err := c.balance(t.Context(), "bob", "BEE"); err != nil || balance != "10003.00000000" {
		t.Errorf("bob holds %s (%v)", balance, err)
	}
	var refused json.RawMessage
	if err := c.get(t.Context(), "/v1/assets", &refused); err == nil {
		t.Error("a node without a gateway answers for one")
	}
	cancel()
	if code := <-done; code != exitOK {
		t.Errorf("node: exit %d", code)
	}
	if code, said := verified(t, "--home", joined, "--against", up.URL); code != exitOK {
		t.Errorf("verify: exit %d: %s", code, said)
	}
}
