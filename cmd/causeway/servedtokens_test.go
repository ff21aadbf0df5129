package main

import (
	"strings"
	"testing"

	"causeway/sidechain"
)

// TestServedTokens: a token that the admin makes later is served once it is configured;
// one of the genesis document must be configured as it is there.
func TestServedTokens(t *testing.T) {
	usdc := TokenConfig{Address: devToken.Address, Decimals: 6, Symbol: "SWAP.USDC"}
	later := TokenConfig{Address: "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512", Decimals: 18, Symbol: "SWAP.DAI"}
	g := &sidechain.Genesis{Assets: []sidechain.GenesisAsset{coinTable[len(coinTable)-1].defaultAsset("regtest"), tokenAsset(usdc)}}
	cfg := defaultConfig("regtest").Chains.ETH
	cfg.Enabled, cfg.Tokens = true, map[string]TokenConfig{"USDC": usdc, "DAI": later}
	list, err := servedTokens(g, cfg)
	if err != nil || len(list) != 2 || list[0].Symbol != "SWAP.DAI" || list[1].supplyCap.Coin(6) != "1000000000.000000" || !list[0].minDeposit.IsZero() {
		t.Fatalf("%+v, %v", list, err)
	}
	rules, err := accountRules(g, cfg)
	if err != nil || len(rules["eth"].Tokens) != 2 || rules["eth"].Coin != "SWAP.ETH" {
		t.Errorf("%+v, %v", rules, err)
	}
	for want, tokens := range map[string]map[string]TokenConfig{
		"no section for SWAP.USDC": {"DAI": later},
		"decimals":                 {"USDC": {Address: usdc.Address, Decimals: 5, Symbol: usdc.Symbol}},
		"the network's is":         {"USDC": {Address: later.Address, Decimals: 6, Symbol: usdc.Symbol}},
		"is that of":               {"USDC": {Address: usdc.Address, Decimals: 6, Symbol: "SWAP.X"}},
	} {
		cfg.Tokens = tokens
		if _, err := servedTokens(g, cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
