package main

import (
	"log/slog"
	"math/big"

	"causeway/chains/devnet"
	"causeway/chains/devnet/evm"
	"causeway/chains/devnet/kit"
)

// embedded is an outside chain in this process.
type embedded interface {
	URL() string
	SetFault(kit.Fault) error
	Close() error
}

// openEmbedded opens the chain that is kept in a directory, or begins one there.
type openEmbedded func(dir string, log *slog.Logger) (embedded, error)

// outputsNet is an embedded chain of the Bitcoin family.
func outputsNet(flavour func() devnet.Params) openEmbedded {
	return func(dir string, log *slog.Logger) (embedded, error) {
		return devnet.New(devnet.Config{Params: flavour(), Dir: dir, Logger: log})
	}
}

// devToken is the ERC-20 of the embedded Ethereum chain: the first that was made
// there.
var devToken = struct {
	name, symbol string
	TokenConfig
}{"Dev Dollar", "USDC", TokenConfig{Address: "0x5FbDB2315678afecb367f032d93F642f64180aa3", Decimals: 6, Symbol: "SWAP.USDC"}}

// accountsNet is an embedded Ethereum chain, on which every transaction has its
// block at once and blocks are final when two are above them.
func accountsNet(dir string, log *slog.Logger) (embedded, error) {
	supply := new(big.Int).Exp(big.NewInt(10), big.NewInt(15), nil) // a thousand million
	return evm.New(evm.Config{
		Dir: dir, Logger: log, SlotsInEpoch: 1, Automine: true,
		Tokens: []evm.Token{{Name: devToken.name, Symbol: devToken.symbol, Decimals: uint8(devToken.Decimals), Supply: supply}},
	})
}
