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
	want.Chains.ETH.Tokens = map[string]TokenConfig{"USDC": {Address: "0x5FbDB2315678afecb367f032d93F642f64180aa3", Decimals: 6, Symbol: "SWAP.USDC"}}
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
		{"token's address", "network = \"regtest\"\n[chains.eth.tokens.X]\naddress = \"0x12\"\nsymbol = \"SWAP.X\"\n", "tokens.X.address"},
		{"token's checksum", "network = \"regtest\"\n[chains.eth.tokens.X]\naddress = \"0x5fbDB2315678afecb367f032d93F642f64180aa3\"\nsymbol = \"SWAP.X\"\n", "checksum"},
		{"token's symbol", "network = \"regtest\"\n[chains.eth.tokens.X]\naddress = \"0x5FbDB2315678afecb367f032d93F642f64180aa3\"\nsymbol = \"SWAP.LONGER\"\n", "at most 10"},
		{"token's decimals", "network = \"regtest\"\n[chains.eth.tokens.X]\naddress = \"0x5FbDB2315678afecb367f032d93F642f64180aa3\"\ndecimals = 31\nsymbol = \"SWAP.X\"\n", "tokens.X.decimals"},
		{"one contract twice", "network = \"regtest\"\n[chains.eth.tokens.X]\naddress = \"0x5FbDB2315678afecb367f032d93F642f64180aa3\"\nsymbol = \"SWAP.X\"\n[chains.eth.tokens.Y]\naddress = \"0x5fbdb2315678afecb367f032d93f642f64180aa3\"\nsymbol = \"SWAP.Y\"\n", "that of X too"},
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

// TestTokensFromTheEnvironment: the keys of ERC-20s are resolved like all others, of
// tokens that the file has and of others.
func TestTokensFromTheEnvironment(t *testing.T) {
	path := writeConfig(t, "network = \"regtest\"\n[chains.eth.tokens.usdc]\naddress = \"0x5FbDB2315678afecb367f032d93F642f64180aa3\"\ndecimals = 18\nsymbol = \"SWAP.USDC\"\n")
	cfg, err := loadConfig(path, []string{
		"CAUSEWAY_CHAINS_ETH_TOKENS_USDC_DECIMALS=6",
		"CAUSEWAY_CHAINS_ETH_TOKENS_DAI_ADDRESS=0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512",
		"CAUSEWAY_CHAINS_ETH_TOKENS_DAI_DECIMALS=18", "CAUSEWAY_CHAINS_ETH_TOKENS_DAI_SYMBOL=SWAP.DAI",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]TokenConfig{
		"USDC": {Address: "0x5FbDB2315678afecb367f032d93F642f64180aa3", Decimals: 6, Symbol: "SWAP.USDC"},
		"DAI":  {Address: "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512", Decimals: 18, Symbol: "SWAP.DAI"},
	}
	if diff := cmp.Diff(want, cfg.Chains.ETH.Tokens); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"CAUSEWAY_CHAINS_ETH_TOKENS_USDC_NAME=x", "CAUSEWAY_CHAINS_ETH_TOKENS_USDC_DECIMALS=six", "CAUSEWAY_CHAINS_ETH_TOKENS_NEW_DECIMALS=6"} {
		if _, err := loadConfig(path, []string{bad}); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}
