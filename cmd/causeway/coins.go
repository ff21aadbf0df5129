package main

import (
	"fmt"
	"slices"
	"strings"

	"causeway/chains"
	"causeway/chains/bitcoin"
	"causeway/chains/bitcoincash"
	"causeway/chains/devnet"
	"causeway/chains/dogecoin"
	"causeway/chains/litecoin"
	"causeway/chains/utxo"
	"causeway/sidechain"
)

// builtCoin is what the binary knows of one outside chain.
type builtCoin struct {
	id string
	// newCoin is the codec of a chain of outputs; nil on a chain of accounts.
	newCoin  func(chains.Network) (*utxo.Coin, error)
	embedded openEmbedded
	// rpcPort is where init expects a node; feeMin and feeMax are its bounds of
	// miner fees: sat/vB, of a chain of accounts gwei.
	rpcPort        int
	feeMin, feeMax string
	// asset holds the limits of the peg that init writes: symbol, chain and
	// precision are added. regtest lists those that are wider where blocks cost
	// nothing.
	asset, regtest limits
	story          storyAmounts
}

// limits are the amounts of a peg, in coins.
type limits struct {
	minDeposit, minWithdrawal, withdrawalFee, feeMax string
	supplyCap, mintCap, largeMint                    string
	mintDelay                                        uint64
}

// storyAmounts are what demo moves, in coins.
type storyAmounts struct{ deposit, transfer, withdraw string }

var (
	// The limits of the least valued of these coins were chosen to be worth what
	// Bitcoin's are, by the order of magnitude.
	bitcoinLimits = limits{
		minDeposit: "0.00010000", minWithdrawal: "0.00100000", withdrawalFee: "0.00020000", feeMax: "0.01000000",
		supplyCap: "100.00000000", mintCap: "20.00000000", largeMint: "5.00000000", mintDelay: 1200,
	}
	litecoinLimits = limits{
		minDeposit: "0.00100000", minWithdrawal: "0.01000000", withdrawalFee: "0.00200000", feeMax: "0.05000000",
		supplyCap: "100000.00000000", mintCap: "20000.00000000", largeMint: "5000.00000000", mintDelay: 1200,
	}
	cashLimits = limits{
		minDeposit: "0.00100000", minWithdrawal: "0.01000000", withdrawalFee: "0.00100000", feeMax: "0.02000000",
		supplyCap: "20000.00000000", mintCap: "4000.00000000", largeMint: "1000.00000000", mintDelay: 1200,
	}
	dogecoinLimits = limits{
		minDeposit: "1.00000000", minWithdrawal: "1.00000000", withdrawalFee: "0.20000000", feeMax: "5.00000000",
		supplyCap: "50000000.00000000", mintCap: "10000000.00000000", largeMint: "2500000.00000000", mintDelay: 1200,
	}
	etherLimits = limits{
		minDeposit: "0.00100000", minWithdrawal: "0.00500000", withdrawalFee: "0.00200000", feeMax: "0.05000000",
		supplyCap: "100000.00000000", mintCap: "5000.00000000", largeMint: "500.00000000", mintDelay: 1200,
	}
	regtestLimits         = limits{supplyCap: "21000000.00000000", mintCap: "21000000.00000000", largeMint: "1000.00000000", mintDelay: 20}
	litecoinRegtestLimits = limits{supplyCap: "84000000.00000000", mintCap: "84000000.00000000", largeMint: "1000.00000000", mintDelay: 20}
	etherRegtestLimits    = limits{supplyCap: "90000000.00000000", mintCap: "90000000.00000000", largeMint: "1000.00000000", mintDelay: 20}
	dogecoinRegtestLimits = limits{supplyCap: "10000000000.00000000", mintCap: "10000000000.00000000", largeMint: "1000000.00000000", mintDelay: 20}
	usualStory            = storyAmounts{deposit: "1.5", transfer: "0.25", withdraw: "0.2"}
)

// coinTable lists the chains in the order in which they are shown. To add one: a
// row, and its section in ChainsConfig.
var coinTable = []builtCoin{
	{
		id: "btc", newCoin: bitcoin.New, embedded: outputsNet(devnet.Bitcoin), rpcPort: 18443, feeMin: "1", feeMax: "1000",
		asset: bitcoinLimits, regtest: regtestLimits, story: usualStory,
	},
	{
		id: "ltc", newCoin: litecoin.New, embedded: outputsNet(devnet.Litecoin), rpcPort: 19443, feeMin: "1", feeMax: "1000",
		asset: litecoinLimits, regtest: litecoinRegtestLimits, story: usualStory,
	},
	{
		id: "bch", newCoin: bitcoincash.New, embedded: outputsNet(devnet.BitcoinCash), rpcPort: 18543, feeMin: "1", feeMax: "1000",
		asset: cashLimits, regtest: regtestLimits, story: usualStory,
	},
	{
		id: "doge", newCoin: dogecoin.New, embedded: outputsNet(devnet.Dogecoin), rpcPort: 18643, feeMin: "1000", feeMax: "100000",
		asset: dogecoinLimits, regtest: dogecoinRegtestLimits, story: storyAmounts{deposit: "150", transfer: "25", withdraw: "20"},
	},
	{
		id: "eth", embedded: accountsNet, rpcPort: 18545, feeMin: "1", feeMax: "1000",
		asset: etherLimits, regtest: etherRegtestLimits, story: usualStory,
	},
}

// builtChains are the outside chains that this binary can follow, in the order
// in which they are shown.
var builtChains = func() (ids []string) {
	for _, c := range coinTable {
		ids = append(ids, c.id)
	}
	return ids
}()

// outputChains are those of builtChains that are chains of outputs.
var outputChains = func() (ids []string) {
	for _, c := range coinTable {
		if c.newCoin != nil {
			ids = append(ids, c.id)
		}
	}
	return ids
}()

// coinOf is the row of a built chain.
func coinOf(id string) (builtCoin, error) {
	i := slices.Index(builtChains, id)
	if i < 0 {
		return builtCoin{}, fmt.Errorf("chain %s is not built", id)
	}
	return coinTable[i], nil
}

// newCoin is the codec of a built chain of outputs.
func newCoin(id string, network chains.Network) (*utxo.Coin, error) {
	c, err := coinOf(id)
	if err != nil {
		return nil, err
	}
	if c.newCoin == nil {
		return nil, fmt.Errorf("chain %s is none of outputs", id)
	}
	return c.newCoin(network)
}

// tokenAsset is the peg of an ERC-20 with the limits that init writes. Its fees are
// in the chain's own coin.
func tokenAsset(t TokenConfig) sidechain.GenesisAsset {
	precision := min(8, t.Decimals)
	units := func(n uint64) string { return chains.NewAmount(n).Coin(0) + "." + strings.Repeat("0", precision) }
	if precision == 0 {
		units = func(n uint64) string { return chains.NewAmount(n).Coin(0) }
	}
	contract := strings.ToLower(t.Address)
	return sidechain.GenesisAsset{
		Symbol: t.Symbol, Chain: ethereumID, Token: &contract, Precision: precision,
		MinDeposit: units(1), MinWithdrawal: units(1), WithdrawalFee: "0.00300000", FeeMax: etherLimits.feeMax,
		SupplyCap: units(1_000_000_000), MintCap: units(10_000_000), LargeMint: units(1_000_000), MintDelay: 1200,
	}
}

// defaultAsset is the peg of a chain's own coin with the limits that init
// writes: wide on regtest, narrow where coins are worth something.
func (c builtCoin) defaultAsset(network string) sidechain.GenesisAsset {
	l := c.asset
	if network == "regtest" {
		l.supplyCap, l.mintCap, l.largeMint, l.mintDelay = c.regtest.supplyCap, c.regtest.mintCap, c.regtest.largeMint, c.regtest.mintDelay
	}
	return sidechain.GenesisAsset{
		Symbol: "SWAP." + upper(c.id), Chain: c.id, Precision: 8,
		MinDeposit: l.minDeposit, MinWithdrawal: l.minWithdrawal, WithdrawalFee: l.withdrawalFee, FeeMax: l.feeMax,
		SupplyCap: l.supplyCap, MintCap: l.mintCap, LargeMint: l.largeMint, MintDelay: l.mintDelay,
	}
}
