package main

import (
	"log/slog"
	"testing"

	"causeway/chains"
	"causeway/chains/ethereum"
	"causeway/hotwallet"
	"causeway/sidechain"
)

// TestGivingBackWaitsForFinality: what the signer takes for dead on a public chain is
// finalized there, whatever deposits are credited at.
func TestGivingBackWaitsForFinality(t *testing.T) {
	cfg := ETHConfig{ChainID: 1, Finality: "latest"}
	cfg.Nodes, cfg.Quorum = []string{"http://127.0.0.1:1"}, 1
	for network, want := range map[chains.Network]ethereum.Tag{
		chains.Mainnet: ethereum.Finalized, chains.Testnet: ethereum.Finalized, chains.Regtest: ethereum.Latest,
	} {
		f, err := finalAccounts(&sidechain.Genesis{Network: string(network)}, cfg, hotwallet.AccountRules{}, slog.New(slog.DiscardHandler))
		if err != nil || f.Tag != want {
			t.Errorf("%s: %q, %v", network, f.Tag, err)
			continue
		}
		f.Source.Close()
	}
}
