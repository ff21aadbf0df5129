package main

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"causeway/chains"
	"causeway/hotwallet"
	"causeway/sidechain"
	"causeway/sidechain/graphene"
)

// The network of all campaigns. Its keys are public: it lives for a second.
const (
	networkID    = "causeway-campaign"
	seedWords    = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
	pegSymbol    = "SWAP.BTC"
	feeAccount   = "pegfees"
	feeUnits     = 5_000  // of a withdrawal
	minimumUnits = 10_000 // of a deposit and of a withdrawal
	creditDepth  = 3
	inputExtra   = 1
	startHeight  = 100 // of the chain, when the gateway begins
)

// users have an account and pay in.
var users = []string{"alice", "bob", "carol"}

// network is what parent and child know of it.
type network struct {
	genesis  *sidechain.Genesis
	document []byte
	baseID   [32]byte
}

func userKey(account string) (graphene.PrivateKey, error) {
	return graphene.LoginKey(account, "active", "campaign")
}

func newWallet() (*hotwallet.Wallet, error) {
	return hotwallet.NewWallet(hotwallet.NewSecret(seedWords), chains.Regtest)
}

// newNetwork makes the genesis: the same one every time.
func newNetwork() (*network, error) {
	wallet, err := newWallet()
	if err != nil {
		return nil, err
	}
	p, err := wallet.MasterKey(chains.BTC, 0)
	if err != nil {
		return nil, err
	}
	sequencer, err := userKey("sequencer")
	if err != nil {
		return nil, err
	}
	n := &network{genesis: &sidechain.Genesis{
		Format: sidechain.GenesisFormat, ChainID: networkID, Timestamp: "2026-01-01T00:00:00",
		Profile: sidechain.Profile{UtilityToken: "BEE", NativePeg: "SWAP.HIVE", BaseCoin: "HIVE", AddressPrefix: "STM"},
		Network: "regtest", Sequencer: sequencer.Public().String(), Admin: "causeway",
		Reserved: []string{"null", "temp", "miners"}, Accounts: []sidechain.GenesisAccount{},
		Pegs:   sidechain.GenesisPegs{Attestors: []string{"gateway"}, Threshold: 1, FeeAccount: feeAccount, Gate: "peg", AdminDelay: 100},
		Keys:   []sidechain.GenesisKey{{Chain: "btc", Key: hex.EncodeToString(p[:]), Birthday: startHeight}},
		Params: sidechain.GenesisParams{AccountFee: "3.000 HIVE", MaxBlockTransactions: 50, TokenCreationFee: "100"},
		Assets: []sidechain.GenesisAsset{{
			Symbol: pegSymbol, Chain: "btc", Precision: 8, MinDeposit: coins(minimumUnits), MinWithdrawal: coins(minimumUnits),
			WithdrawalFee: coins(feeUnits), FeeMax: "0.01000000", SupplyCap: "21000000.00000000", MintCap: "21000000.00000000",
			LargeMint: "21000000.00000000",
		}},
		Switches: map[string]bool{},
	}}
	for _, name := range append([]string{"causeway", "gateway"}, users...) {
		key, err := userKey(name)
		if err != nil {
			return nil, err
		}
		public := key.Public().String()
		n.genesis.Accounts = append(n.genesis.Accounts, sidechain.GenesisAccount{
			Name: name, Owner: public, Active: public, Posting: public, Memo: public, Base: "1000.000 HIVE", Tokens: map[string]string{"BEE": "10000"},
		})
	}
	if n.document, err = n.genesis.Encode(); err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	n.baseID = sidechain.BaseChainID(n.document)
	return n, nil
}

// coins prints base units.
func coins(units int64) string { return chains.NewAmount(uint64(units)).Coin(8) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
