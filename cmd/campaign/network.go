package main

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"causeway/chains"
	"causeway/chains/chaintest"
	"causeway/hotwallet"
	"causeway/sidechain"
	"causeway/sidechain/graphene"
)

// The network of all campaigns. Its keys are public: it lives for a second.
const (
	networkID    = "causeway-campaign"
	seedWords    = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
	feeAccount   = "pegfees"
	feeUnits     = 20_000 // of a withdrawal, in units of a Bitcoin's worth
	minimumUnits = 10_000 // of a deposit and of a withdrawal
	inputExtra   = 1
	nodeTimeout  = 2 * time.Second
)

// users have an account and pay in.
var users = []string{"alice", "bob", "carol"}

// network is what parent and child know of it.
type network struct {
	kind
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

// newNetwork makes the genesis of a network with one outside chain: the same one
// every time.
func newNetwork(k kind) (*network, error) {
	wallet, err := newWallet()
	if err != nil {
		return nil, err
	}
	key, assets, err := k.genesis(wallet)
	if err != nil {
		return nil, err
	}
	sequencer, err := userKey("sequencer")
	if err != nil {
		return nil, err
	}
	n := &network{kind: k, genesis: &sidechain.Genesis{
		Format: sidechain.GenesisFormat, ChainID: networkID, Timestamp: "2026-01-01T00:00:00",
		Profile: sidechain.Profile{UtilityToken: "BEE", NativePeg: "SWAP.HIVE", BaseCoin: "HIVE", AddressPrefix: "STM"},
		Network: "regtest", Sequencer: sequencer.Public().String(), Admin: "causeway",
		Reserved: []string{"null", "temp", "miners"}, Accounts: []sidechain.GenesisAccount{},
		Pegs:     sidechain.GenesisPegs{Attestors: []string{"gateway"}, Threshold: 1, FeeAccount: feeAccount, Gate: "peg", AdminDelay: 100},
		Keys:     []sidechain.GenesisKey{key},
		Params:   sidechain.GenesisParams{AccountFee: "3.000 HIVE", MaxBlockTransactions: 50, TokenCreationFee: "100"},
		Assets:   assets,
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

// readNetwork is what a child makes of the genesis that it is given.
func readNetwork(id chains.ID, document []byte) (*network, error) {
	k, err := kindOf(id)
	if err != nil {
		return nil, err
	}
	n := &network{kind: k, document: document, baseID: sidechain.BaseChainID(document)}
	n.genesis, err = sidechain.LoadGenesis(document)
	return n, err
}

// networks keeps what lives of one run share.
type networks struct {
	mu   sync.Mutex
	made map[chains.ID]*network
	sims map[string]*chaintest.Sim // to be forked, by coin and number of coins
}

// sim is a chain to fork.
func (n *networks) sim(c coin, coins int) (*chaintest.Sim, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := fmt.Sprintf("%s %d", c.id, coins)
	if n.sims[key] == nil {
		cfg := c.sim
		cfg.Params, cfg.Coins = c.params, coins
		sim, err := chaintest.New(cfg)
		if err != nil {
			return nil, err
		}
		n.sims[key] = sim
	}
	return n.sims[key], nil
}

func (n *networks) of(k kind) (*network, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	id := k.terms().id
	if n.made[id] == nil {
		network, err := newNetwork(k)
		if err != nil {
			return nil, err
		}
		n.made[id] = network
	}
	return n.made[id], nil
}

// coins prints base units.
func coins(units int64) string { return chains.NewAmount(uint64(units)).Coin(8) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
