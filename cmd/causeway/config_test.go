package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func writeConfig(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWrittenConfigIsReadBackAndExplained(t *testing.T) {
	want := defaultConfig("regtest")
	text := want.text()
	got, err := loadConfig(writeConfig(t, text), nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(text, "# \n") {
		t.Errorf("a key has no explanation:\n%s", text)
	}
}

func TestConfigErrorsNameTheirPlace(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"unknown key", "network = \"regtest\"\n[http]\nlisen = \"x\"\n", "line 3: unknown key \"http.lisen\""},
		{"unknown chain", "network = \"regtest\"\n[chains.xmr]\nenabled = true\n", "line 2: unknown key"},
		{"wrong type", "network = 3\n", "line 1"},
		{"bad network", "network = \"moon\"\n", "network: \"moon\""},
		{"bad duration", "network = \"regtest\"\n[base]\nblock_interval = \"-3s\"\n", "positive"},
		{"quorum", "network = \"regtest\"\n[chains.btc]\nquorum = 2\n", "2 of 1 nodes"},
		{"listen", "network = \"regtest\"\n[http]\nlisten = \"nowhere\"\n", "http.listen"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := loadConfig(writeConfig(t, test.text), nil)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestEnvironmentOverridesTheFile(t *testing.T) {
	path := writeConfig(t, "network = \"regtest\"\n")
	cfg, err := loadConfig(path, []string{
		"CAUSEWAY_CHAINS_BTC_NODES=http://a:b@127.0.0.1:1,http://c:d@127.0.0.1:2",
		"CAUSEWAY_CHAINS_BTC_QUORUM=2",
		"CAUSEWAY_BASE_BLOCK_INTERVAL=500ms",
		"CAUSEWAY_ACCOUNTS_OPEN=true",
		"CAUSEWAY_CHAINS_ETH_CHAIN_ID=5",
		"CAUSEWAY_PASSPHRASE=secret",
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Chains.BTC.Nodes) != 2 || cfg.Chains.BTC.Quorum != 2 || cfg.Base.BlockInterval.Duration != 500*time.Millisecond || !cfg.Accounts.Open || cfg.Chains.ETH.ChainID != 5 {
		t.Errorf("not overridden: %+v", cfg)
	}
	if _, err := loadConfig(path, []string{"CAUSEWAY_CHAINS_BTC_NODE=x"}); err == nil {
		t.Error("an unknown variable of a known section was ignored")
	}
	if _, err := loadConfig(path, []string{"CAUSEWAY_ACCOUNTS_OPEN=maybe"}); err == nil {
		t.Error("a value that is no boolean was taken")
	}
}
