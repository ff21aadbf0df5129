package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"causeway/chains"
	"causeway/chains/ethereum"
	"causeway/gateway"
	"causeway/hotwallet"
	"causeway/sidechain"
)

const (
	// maxGas bounds the gas of one transaction of ours: tokens with long ways take
	// less, and a payee that needs more is not paid.
	maxGas = 300_000
	// ethDecimals are those of ether.
	ethDecimals = 18
)

// tokenOf is the configured section of an asset's token.
func (c *ETHConfig) tokenOf(asset sidechain.GenesisAsset) (TokenConfig, error) {
	for _, token := range c.Tokens {
		switch same := strings.EqualFold(token.Address, *asset.Token); {
		case token.Symbol == asset.Symbol && !same:
			return token, fmt.Errorf("%s: %s is contract %s, the network's is %s", tokensPath, token.Symbol, token.Address, *asset.Token)
		case token.Symbol == asset.Symbol && min(8, token.Decimals) != asset.Precision:
			return token, fmt.Errorf("%s: %s has %d decimals, the network's peg %d", tokensPath, token.Symbol, token.Decimals, asset.Precision)
		case token.Symbol == asset.Symbol:
			return token, nil
		case same:
			return token, fmt.Errorf("%s: contract %s is that of %s, not of %s", tokensPath, token.Address, asset.Symbol, token.Symbol)
		}
	}
	return TokenConfig{}, fmt.Errorf("%s: no section for %s, contract %s", tokensPath, asset.Symbol, *asset.Token)
}

// servedToken is a token that is configured, with the limits that the genesis document
// has for it. The admin may have made its asset later: then it has none.
type servedToken struct {
	TokenConfig
	contract              ethereum.Address
	minDeposit, supplyCap chains.Amount
}

// servedTokens are the tokens of the configuration, in the order of their names. Every
// token of the genesis document must be among them, as it is there.
func servedTokens(g *sidechain.Genesis, cfg ETHConfig) (list []servedToken, err error) {
	if !cfg.Enabled {
		return nil, nil
	}
	genesis := map[string]sidechain.GenesisAsset{}
	for _, asset := range g.Assets {
		if asset.Chain != ethereumID || asset.Token == nil {
			continue
		}
		if _, err := cfg.tokenOf(asset); err != nil {
			return nil, err
		}
		genesis[asset.Symbol] = asset
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Tokens)) {
		t := servedToken{TokenConfig: cfg.Tokens[name]}
		if t.contract, err = ethereum.ParseAddress(t.Address); err != nil {
			return nil, err
		}
		most := new(big.Int).Lsh(big.NewInt(1), 128)
		if t.supplyCap, err = chains.AmountFromBig(most.Sub(most, big.NewInt(1))); err != nil {
			return nil, err
		}
		if asset, ok := genesis[t.Symbol]; ok {
			var errCap, errLeast error
			t.supplyCap, errCap = chains.FromCoin(asset.SupplyCap, t.Decimals)
			t.minDeposit, errLeast = chains.FromCoin(asset.MinDeposit, t.Decimals)
			if err := errors.Join(errCap, errLeast); err != nil {
				return nil, err
			}
		}
		list = append(list, t)
	}
	return list, nil
}

// accountRules are the signer's own limits on Ethereum: the assets' largest fee, the
// configured largest price of gas, and not more than the supply cap in one
// transaction. None where the network has no peg of ether.
func accountRules(g *sidechain.Genesis, cfg ETHConfig) (map[chains.ID]hotwallet.AccountRules, error) {
	price, err := ethereum.ParseGwei(cfg.FeeMax)
	if err != nil {
		return nil, fmt.Errorf("chains.eth.fee_max: %w", err)
	}
	r := hotwallet.AccountRules{ChainID: cfg.ChainID, MaxGas: maxGas, MaxGasPrice: price, Tokens: map[string]hotwallet.AccountToken{}}
	for _, asset := range g.Assets {
		switch {
		case asset.Chain != ethereumID:
		case asset.Token == nil:
			fee, errFee := chains.FromCoin(asset.FeeMax, ethDecimals)
			total, errTotal := chains.FromCoin(asset.SupplyCap, ethDecimals)
			if err := errors.Join(errFee, errTotal); err != nil {
				return nil, err
			}
			r.Coin, r.MaxFee, r.MaxTotal = asset.Symbol, ethereum.WeiOf(fee), total
		}
	}
	if r.Coin == "" {
		return nil, nil
	}
	tokens, err := servedTokens(g, cfg)
	if err != nil {
		return nil, err
	}
	for _, t := range tokens {
		r.Tokens[t.Symbol] = hotwallet.AccountToken{Contract: t.contract, Decimals: t.Decimals, MaxTotal: t.supplyCap}
	}
	return map[chains.ID]hotwallet.AccountRules{chains.ETH: r}, nil
}

// openEthereum is the door to Ethereum's nodes.
func openEthereum(g *sidechain.Genesis, cfg ETHConfig, log *slog.Logger) (*ethereum.Quorum, error) {
	return ethereum.Open(cfg.Nodes, cfg.Quorum, ethereum.Options{ChainID: cfg.ChainID, Network: chains.Network(g.Network), Logger: log})
}

// finalAccounts is the signer's own eye on Ethereum. Whatever deposits are credited at,
// nothing is given back on a public chain before its block is finalized: a payout that
// failed in a block which others replace may be mined again, and succeed.
func finalAccounts(g *sidechain.Genesis, cfg ETHConfig, rules hotwallet.AccountRules, log *slog.Logger) (f hotwallet.FinalAccounts, err error) {
	f.Rules = rules
	if f.Tag, err = ethereum.ParseTag(cfg.Finality); err != nil {
		return f, err
	}
	if g.Network != string(chains.Regtest) {
		f.Tag = ethereum.Finalized
	}
	f.Source, err = openEthereum(g, cfg, log)
	return f, err
}

const (
	// sweepAt is how many of an asset's smallest deposits an address must hold to be
	// swept though nobody waits for it.
	sweepAt = 20
	// finalityLag is how late final blocks may be: two epochs are 13 minutes.
	finalityLag = 30 * time.Minute
	// ethInterval is the time of a slot.
	ethInterval = 12 * time.Second
)

// openAccounts readies the nodes of Ethereum.
func (n *node) openAccounts(cfg ETHConfig) (chain gateway.ChainConfig, err error) {
	a := &gateway.AccountChain{ID: chains.ETH, Network: chains.Network(n.genesis.Network), ChainID: cfg.ChainID}
	if a.Nodes, err = openEthereum(n.genesis, cfg, n.log); err != nil {
		return chain, fmt.Errorf("chains.eth.nodes: %w", err)
	}
	if a.Finality, err = ethereum.ParseTag(cfg.Finality); err != nil {
		return chain, err
	}
	limits, errLimits := payoutLimits(ethDecimals, cfg.ChainConfig)
	var errMin, errMax error
	a.Fees.Min, errMin = ethereum.ParseGwei(cfg.FeeMin)
	a.Fees.Max, errMax = ethereum.ParseGwei(cfg.FeeMax)
	if err := errors.Join(errMin, errMax, errLimits); err != nil {
		return chain, fmt.Errorf("chains.eth: %w", err)
	}
	tipAge := cfg.MaxTipAge.Duration
	if a.Network != chains.Regtest { // there blocks come when somebody wants them
		a.MaxFinalityLag = finalityLag
		tipAge = cmp.Or(tipAge, tipAgeBlocks*ethInterval)
	}
	if err := n.openTokens(cfg, a); err != nil {
		return chain, err
	}
	chain = gateway.ChainConfig{
		Accounts: a, Quorum: cfg.Quorum, Start: cfg.StartHeight, Confirmations: cfg.Confirmations, Poll: cfg.Poll.Duration,
		MaxLag: cfg.MaxLag, MaxTipAge: tipAge, Limits: limits,
	}
	chain.Scanner, err = gateway.NewAccountScanNodes(cfg.Nodes, cfg.Quorum)
	return chain, err
}

// openTokens readies the tokens that are served, and says what is swept.
func (n *node) openTokens(cfg ETHConfig, a *gateway.AccountChain) error {
	tokens, err := servedTokens(n.genesis, cfg)
	if err != nil {
		return err
	}
	for _, t := range tokens {
		above, err := sweepAbove(t.minDeposit)
		if err != nil {
			return err
		}
		a.Tokens = append(a.Tokens, gateway.AccountToken{Symbol: t.Symbol, Address: t.contract, Decimals: t.Decimals, SweepAbove: above})
	}
	for _, asset := range n.genesis.Assets {
		if asset.Chain != ethereumID || asset.Token != nil {
			continue
		}
		least, err := chains.FromCoin(asset.MinDeposit, ethDecimals)
		if err != nil {
			return err
		}
		if a.SweepAbove, err = sweepAbove(least); err != nil {
			return err
		}
	}
	return nil
}

func sweepAbove(minDeposit chains.Amount) (chains.Amount, error) {
	return chains.AmountFromBig(new(big.Int).Mul(minDeposit.Big(), big.NewInt(sweepAt)))
}
