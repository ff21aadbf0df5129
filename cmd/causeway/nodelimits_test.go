package main

import (
	"testing"
	"time"

	"causeway/chains"
	"causeway/chains/bitcoin"
	"causeway/chains/utxo/rpcnode"
	"causeway/pegs"
)

func TestPayoutLimits(t *testing.T) {
	section := defaultConfig("mainnet").Chains.BTC
	if l, err := payoutLimits(8, section); err != nil || l != (pegs.Limits{}) {
		t.Errorf("by default: %+v, %v", l, err)
	}
	section.PayoutCap, section.AccountCap, section.LargePayout = "20", "0.5", "1.00000001"
	want := pegs.Limits{
		Cap: chains.NewAmount(2_000_000_000), AccountCap: chains.NewAmount(50_000_000), Window: pegs.DefaultWindow,
		Large: chains.NewAmount(100_000_001), Delay: 1200,
	}
	if l, err := payoutLimits(8, section); err != nil || l != want {
		t.Errorf("%+v, %v", l, err)
	}
	for _, bad := range []string{"-1", "x", "", "0.000000001", "1e99"} {
		section.PayoutCap = bad
		if l, err := payoutLimits(8, section); err == nil {
			t.Errorf("%q is %+v", bad, l)
		}
	}
}

func TestNodeLimits(t *testing.T) {
	section := defaultConfig("mainnet").Chains.BTC
	if versionGate(section) != nil {
		t.Error("a gate where none is configured")
	}
	section.MinVersion = 270000
	gate := versionGate(section)
	if gate(rpcnode.Version{Number: 269999}) == nil || gate(rpcnode.Version{Number: 270000}) != nil {
		t.Error("the gate is elsewhere")
	}
	for _, c := range []struct {
		network chains.Network
		set     time.Duration
		want    time.Duration
	}{{chains.Mainnet, 0, 3 * time.Hour}, {chains.Regtest, 0, 0}, {chains.Mainnet, time.Hour, time.Hour}, {chains.Regtest, time.Hour, time.Hour}} {
		coin, err := bitcoin.New(c.network)
		if err != nil {
			t.Fatal(err)
		}
		section.MaxTipAge.Duration = c.set
		if got := maxTipAge(coin, section); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestSpan(t *testing.T) {
	cfg := defaultConfig("regtest")
	environ := []string{
		"CAUSEWAY_CHAINS_BTC_MAX_TIP_AGE=0s", "CAUSEWAY_CHAINS_LTC_MAX_TIP_AGE=90m", "CAUSEWAY_CHAINS_BTC_PAYOUT_CAP=3",
		"CAUSEWAY_CHAINS_BTC_MAX_LAG=7", "CAUSEWAY_CHAINS_BTC_MIN_VERSION=250000",
	}
	if err := cfg.applyEnviron(environ); err != nil {
		t.Fatal(err)
	}
	btc := cfg.Chains.BTC
	if btc.MaxTipAge.Duration != 0 || cfg.Chains.LTC.MaxTipAge.Duration != 90*time.Minute || btc.PayoutCap != "3" || btc.MaxLag != 7 || btc.MinVersion != 250000 {
		t.Errorf("%+v", btc)
	}
	if err := cfg.applyEnviron([]string{"CAUSEWAY_CHAINS_BTC_MAX_TIP_AGE=-1s"}); err == nil {
		t.Error("a negative age is accepted")
	}
}
