package main

import (
	"encoding/hex"

	"causeway/chains"
	"causeway/chains/bitcoin"
	"causeway/chains/bitcoincash"
	"causeway/chains/chaintest"
	"causeway/chains/devnet"
	"causeway/chains/dogecoin"
	"causeway/chains/litecoin"
	"causeway/chains/utxo"
	"causeway/chains/utxo/rpcnode"
	"causeway/gateway"
	"causeway/hotwallet"
	"causeway/internal/failpoint"
	"causeway/sidechain"
)

// coin is a kind of the Bitcoin family.
type coin struct {
	id     chains.ID
	symbol string
	params devnet.Params
	open   func(chains.Network) (*utxo.Coin, error)
	scale  int64
	depth  uint64
	sim    chaintest.Config // what is special about its blocks
}

func bitcoinCoin() coin {
	return coin{id: chains.BTC, symbol: "SWAP.BTC", params: devnet.Bitcoin(), open: bitcoin.New, scale: 1, depth: 3}
}

// litecoinCoin has an extension block in every block.
func litecoinCoin() coin {
	return coin{
		id: chains.LTC, symbol: "SWAP.LTC", params: devnet.Litecoin(), open: litecoin.New, scale: 1, depth: 4,
		sim: chaintest.Config{Extension: true},
	}
}

func cashCoin() coin {
	return coin{id: chains.BCH, symbol: "SWAP.BCH", params: devnet.BitcoinCash(), open: bitcoincash.New, scale: 1, depth: 5}
}

// dogecoinCoin has every second block merge-mined. A coin is worth so little that
// the smallest sensible amounts are a thousand times Bitcoin's.
func dogecoinCoin() coin {
	return coin{
		id: chains.DOGE, symbol: "SWAP.DOGE", params: devnet.Dogecoin(), open: dogecoin.New, scale: 1000, depth: 6,
		sim: chaintest.Config{ChainID: dogecoin.ChainID},
	}
}

func (c coin) terms() terms {
	t := terms{
		id: c.id, symbol: c.symbol, scale: c.scale, fee: feeUnits * c.scale, minimum: minimumUnits * c.scale, depth: c.depth, decimals: 8,
	}
	if coin, err := c.open(chains.Regtest); err == nil {
		t.own = coin.Facts().Depths.Normal
	}
	return t
}

// start is the height below which nothing is looked at: the payer's coins have
// just become spendable.
func (c coin) start() uint64 { return uint64(c.params.Maturity) }

// feeMax is the most that a payout may cost, in units.
func (c coin) feeMax() int64 { return 1_000_000 * c.scale }

// rateMax is the highest fee rate, in units per 1000 virtual bytes.
func (c coin) rateMax() chains.FeeRate { return chains.FeeRate(1_000_000 * c.scale) }

func (c coin) genesis(w *hotwallet.Wallet) (key sidechain.GenesisKey, assets []sidechain.GenesisAsset, err error) {
	p, err := w.MasterKey(c.id, 0)
	if err != nil {
		return key, nil, err
	}
	t := c.terms()
	const most = "10000000000.00000000"
	return sidechain.GenesisKey{Chain: string(c.id), Key: hex.EncodeToString(p[:]), Birthday: c.start()},
		[]sidechain.GenesisAsset{{
			Symbol: t.symbol, Chain: string(c.id), Precision: t.decimals, MinDeposit: coins(t.minimum), MinWithdrawal: coins(t.minimum),
			WithdrawalFee: coins(t.fee), FeeMax: coins(c.feeMax()), SupplyCap: most, MintCap: most, LargeMint: most,
		}}, nil
}

// quorum asks all nodes of the chain, more than half of which must agree.
func (c coin) quorum(n *node, coin *utxo.Coin, wrap func(chains.Source, int) chains.Source) (*chains.Quorum, int, error) {
	var sources []chains.Source
	for i, address := range n.nodes {
		var source chains.Source
		source, err := rpcnode.New(address, coin, rpcnode.Options{Logger: n.log, Timeout: nodeTimeout})
		if err != nil {
			return nil, 0, err
		}
		if wrap != nil {
			source = wrap(source, i)
		}
		sources = append(sources, source)
	}
	need := len(sources)/2 + 1
	quorum, err := chains.NewQuorum(sources, need)
	return quorum, need, err
}

func (c coin) gateway(n *node) (cfg gateway.ChainConfig, err error) {
	coin, err := c.open(chains.Regtest)
	if err != nil {
		return cfg, err
	}
	quorum, need, err := c.quorum(n, coin, n.wrap)
	if err != nil {
		return cfg, err
	}
	scanner, err := gateway.NewScanNodes(n.nodes, need)
	if err != nil {
		return cfg, err
	}
	return gateway.ChainConfig{
		Coin: coin, Source: quorum, Quorum: need, Scanner: scanner, Confirmations: n.depth, InputExtra: &n.extra, Limits: n.limits,
		Poll: n.pace().poll, FeeMin: chains.FeeRate(1000 * c.scale), FeeMax: c.rateMax(),
	}, nil
}

// signer gives the signer its own connections to the nodes.
func (c coin) signer(n *node, cfg *hotwallet.SignerConfig) error {
	coin, err := c.open(chains.Regtest)
	if err != nil {
		return err
	}
	quorum, _, err := c.quorum(n, coin, nil)
	if err != nil {
		return err
	}
	depth := n.depth + n.extra
	if n.depth == 0 {
		depth = coin.Facts().Depths.Normal + n.extra
	}
	if failpoint.Off(failpoint.ReleaseWhenDead) {
		depth = 1
	}
	cfg.Coins = []*utxo.Coin{coin}
	cfg.Caps = map[chains.ID]hotwallet.SignerCaps{c.id: {
		Caps:     hotwallet.Caps{MaxFee: chains.NewAmount(uint64(c.feeMax())), MaxRate: c.rateMax()},
		MaxTotal: chains.NewAmount(1_000_000_00000000 * uint64(c.scale)),
	}}
	cfg.Final = hotwallet.Finality([]hotwallet.FinalChain{{Coin: coin, Source: quorum, Depth: depth}}, nil)
	return nil
}
