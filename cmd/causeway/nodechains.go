package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"causeway/chains"
	"causeway/chains/utxo"
	"causeway/chains/utxo/rpcnode"
	"causeway/gateway"
	"causeway/hotwallet"
	"causeway/sidechain"
)

// openGateway connects the outside chains.
func (n *node) openGateway(context.Context) error {
	cfg := gateway.Config{
		Home: n.home.dir, Network: chains.Network(n.genesis.Network), NetworkID: hex.EncodeToString(n.baseID[:]),
		Lock: n.lock, Log: n.log.With("component", "gateway"),
	}
	openGateway := gateway.OpenReadOnly
	if !n.readOnly {
		openGateway = gateway.Open
		cfg.Signer, cfg.Keys = n.signer, n.signer
		cfg.Submitter = gateway.NewAttestor(n.layer, n.signer, n.signer.attestor(), n.genesis.ChainID)
	}
	var tokens []gateway.AccountToken
	sections := n.config.Chains.byID()
	for _, id := range slices.Sorted(maps.Keys(sections)) {
		section := sections[id]
		if !section.Enabled {
			continue
		}
		open := func() (gateway.ChainConfig, error) { return n.openChain(id, section) }
		if id == ethereumID {
			open = func() (gateway.ChainConfig, error) { return n.openAccounts(n.config.Chains.ETH) }
		}
		chain, err := open()
		if err != nil {
			return err
		}
		cfg.Chains = append(cfg.Chains, chain)
		if chain.Accounts != nil {
			tokens = chain.Accounts.Tokens
		}
	}
	cfg.Sidechain = gateway.NewSidechain(n.engine, n.store, tokens...)
	var err error
	if n.gateway, err = openGateway(cfg); err != nil {
		return err
	}
	n.defers(n.gateway.Close)
	return nil
}

// openChain readies the nodes of one chain.
func (n *node) openChain(id string, section ChainConfig) (gateway.ChainConfig, error) {
	coin, err := newCoin(id, chains.Network(n.genesis.Network))
	if err != nil {
		return gateway.ChainConfig{}, err
	}
	quorum, err := openQuorum(id, coin, section, n.log)
	if err != nil {
		return gateway.ChainConfig{}, err
	}
	var scanner gateway.NodeRPC
	if len(section.Nodes) > 0 {
		if scanner, err = gateway.NewScanNodes(section.Nodes, section.Quorum); err != nil {
			return gateway.ChainConfig{}, fmt.Errorf("chains.%s.nodes: %w", id, err)
		}
	}
	feeMin, errMin := parseFeeRate(section.FeeMin)
	feeMax, errMax := parseFeeRate(section.FeeMax)
	limits, errLimits := payoutLimits(coin.Facts().Decimals, section)
	if err := errors.Join(errMin, errMax, errLimits); err != nil {
		return gateway.ChainConfig{}, fmt.Errorf("chains.%s: %w", id, err)
	}
	relay := coin.Facts().RelayFee
	if feeMax < relay {
		return gateway.ChainConfig{}, fmt.Errorf("chains.%s.fee_max: %s sat/vB is less than nodes relay (%s)", id, section.FeeMax, chains.NewAmount(uint64(relay)).Coin(3))
	}
	return gateway.ChainConfig{
		Coin: coin, Source: quorum, Quorum: section.Quorum, Scanner: scanner, Start: section.StartHeight,
		Confirmations: section.Confirmations, Poll: section.Poll.Duration, FeeMin: max(feeMin, relay), FeeMax: feeMax,
		Caps: n.caps[coin.ID()], MaxLag: section.MaxLag, MaxTipAge: maxTipAge(coin, section),
		SlowBlocks: coin.Network() != chains.Regtest, Limits: limits,
	}, nil
}

// openQuorum is the door to the nodes of one chain.
func openQuorum(id string, coin *utxo.Coin, section ChainConfig, log *slog.Logger) (*chains.Quorum, error) {
	quorum, err := rpcnode.Open(section.Nodes, section.Quorum, coin, rpcnode.Options{Logger: log, Gate: versionGate(section)})
	if err != nil {
		return nil, fmt.Errorf("chains.%s.nodes: %w", id, err)
	}
	return quorum, nil
}

// parseFeeRate reads sat/vB with up to three decimals.
func parseFeeRate(text string) (chains.FeeRate, error) {
	amount, err := chains.FromCoin(strings.TrimSpace(text), 3)
	if err != nil {
		return 0, fmt.Errorf("fee rate %q: %w", text, err)
	}
	rate, ok := amount.Uint64()
	if !ok || rate == 0 {
		return 0, fmt.Errorf("fee rate %q is out of range", text)
	}
	return chains.FeeRate(rate), nil
}

// signerCaps are the signer's own limits: the asset's largest fee, the
// configured largest rate, and not more than the supply cap in one transaction.
func signerCaps(asset sidechain.GenesisAsset, decimals int, feeMax string) (hotwallet.SignerCaps, error) {
	fee, errFee := chains.FromCoin(asset.FeeMax, decimals)
	rate, errRate := parseFeeRate(feeMax)
	total, errTotal := chains.FromCoin(asset.SupplyCap, decimals)
	return hotwallet.SignerCaps{Caps: hotwallet.Caps{MaxFee: fee, MaxRate: rate}, MaxTotal: total}, errors.Join(errFee, errRate, errTotal)
}
