package main

import (
	"encoding/hex"
	"strings"

	"causeway/chains"
	"causeway/chains/ethereum"
	"causeway/gateway"
	"causeway/hotwallet"
	"causeway/sidechain"
)

// ether is the kind of Ethereum: a coin and one ERC-20.
type ether struct{}

const (
	etherSymbol   = "SWAP.ETH"
	dollarSymbol  = "SWAP.USDC"
	dollarUnit    = 6 // decimals of the token and of its peg
	etherChainID  = 31337
	etherGas      = 200_000           // of one transaction
	etherScale    = 100               // units of 10^-8
	weiOfUnit     = 10_000_000_000    // one unit of the peg
	etherPriceMax = 100_000_000_000   // wei for a unit of gas
	etherTotal    = 1_000_000_0000000 // units that a payout pays at most
	dollarFee     = 2_000_000         // of a withdrawal of the token, in units of the coin's peg
	dollarLeast   = 1_000_000         // of a deposit and of a withdrawal, in the token's units
	etherSlots    = 1                 // the final block is twice as many below the newest
)

// dollar is the contract of the embedded chain's first token.
const dollar = "0x5fbdb2315678afecb367f032d93f642f64180aa3"

func (ether) terms() terms {
	return terms{
		id: chains.ETH, symbol: etherSymbol, scale: etherScale, fee: feeUnits * etherScale, minimum: minimumUnits * etherScale,
		depth: 2*etherSlots + 1, own: 2*etherSlots + 1, decimals: 8, final: true,
	}
}

func (e ether) genesis(w *hotwallet.Wallet) (key sidechain.GenesisKey, assets []sidechain.GenesisAsset, err error) {
	p, err := w.MasterKey(chains.ETH, 0)
	if err != nil {
		return key, nil, err
	}
	t, contract := e.terms(), dollar
	const most = "10000000000.00000000"
	const mostDollars = "10000000000.000000"
	least := chains.NewAmount(dollarLeast).Coin(dollarUnit)
	return sidechain.GenesisKey{Chain: string(chains.ETH), Key: hex.EncodeToString(p[:])}, []sidechain.GenesisAsset{{
		Symbol: t.symbol, Chain: string(chains.ETH), Precision: t.decimals, MinDeposit: coins(t.minimum), MinWithdrawal: coins(t.minimum),
		WithdrawalFee: coins(t.fee), FeeMax: "0.10000000", SupplyCap: most, MintCap: most, LargeMint: most,
	}, {
		Symbol: dollarSymbol, Chain: string(chains.ETH), Token: &contract, Precision: dollarUnit, MinDeposit: least, MinWithdrawal: least,
		WithdrawalFee: coins(dollarFee), FeeMax: "0.10000000", SupplyCap: mostDollars, MintCap: mostDollars, LargeMint: mostDollars,
	}}, nil
}

// quorum asks all nodes, more than half of which must agree.
func (ether) quorum(n *node) (*ethereum.Quorum, int, error) {
	need := len(n.nodes)/2 + 1
	q, err := ethereum.Open(n.nodes, need, ethereum.Options{ChainID: etherChainID, Network: chains.Regtest, Timeout: nodeTimeout, Logger: n.log})
	if err == nil {
		n.defers(func() error { q.Close(); return nil })
	}
	return q, need, err
}

func (e ether) gateway(n *node) (cfg gateway.ChainConfig, err error) {
	nodes, need, err := e.quorum(n)
	if err != nil {
		return cfg, err
	}
	scanner, err := gateway.NewAccountScanNodes(n.nodes, need)
	if err != nil {
		return cfg, err
	}
	token, err := ethereum.ParseAddress(dollar)
	if err != nil {
		return cfg, err
	}
	return gateway.ChainConfig{
		Accounts: &gateway.AccountChain{
			ID: chains.ETH, Network: chains.Regtest, Nodes: nodes, ChainID: etherChainID, Finality: ethereum.Finalized, Tokens: e.tokens(token),
			Fees: ethereum.FeeLimits{Min: ethereum.NewWei(1_000_000_000), Max: ethereum.NewWei(etherPriceMax)},
		},
		Quorum: need, Scanner: scanner, Poll: n.pace().poll,
	}, nil
}

func (ether) tokens(contract ethereum.Address) []gateway.AccountToken {
	return []gateway.AccountToken{{Symbol: dollarSymbol, Address: contract, Decimals: dollarUnit}}
}

func (e ether) signer(n *node, cfg *hotwallet.SignerConfig) error {
	nodes, _, err := e.quorum(n)
	if err != nil {
		return err
	}
	token, err := ethereum.ParseAddress(dollar)
	if err != nil {
		return err
	}
	most, err := chains.FromCoin("0.1", 18)
	if err != nil {
		return err
	}
	total, err := chains.FromCoin(coins(etherTotal), 18)
	if err != nil {
		return err
	}
	rules := hotwallet.AccountRules{
		ChainID: etherChainID, Coin: etherSymbol, MaxGas: etherGas, MaxGasPrice: ethereum.NewWei(etherPriceMax), MaxFee: ethereum.WeiOf(most), MaxTotal: total,
		Tokens: map[string]hotwallet.AccountToken{dollarSymbol: {Contract: token, Decimals: dollarUnit, MaxTotal: chains.NewAmount(1 << 60)}},
	}
	cfg.Accounts = map[chains.ID]hotwallet.AccountRules{chains.ETH: rules}
	cfg.Final = hotwallet.Finality(nil, map[chains.ID]hotwallet.FinalAccounts{chains.ETH: {Rules: rules, Source: nodes, Tag: ethereum.Finalized}})
	return nil
}

// lower is an address as ids and assignments have it.
func lower(address string) string { return strings.ToLower(address) }
