package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"causeway/chains"
	"causeway/hotwallet"
	"causeway/sidechain"
	"causeway/sidechain/base"
	"causeway/sidechain/graphene"
)

// initOptions are the flags of init.
type initOptions struct {
	home, network, chainID    string
	accounts                  []string
	admin, attestor           string
	genesisPath, mnemonicPath string
	json                      bool
	passphrase                hotwallet.Secret
	workFactor                int
	timestamp                 time.Time
	mnemonic                  hotwallet.Secret
	roles                     []hotwallet.RoleKey // nil: fresh random ones
	extra                     []sidechain.GenesisAccount
	cfg                       Config
}

func newInitCommand() *cobra.Command {
	var o initOptions
	cmd := &cobra.Command{
		Use: "init", Short: "Make the home of a node: configuration, genesis, keys", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			made, err := o.run()
			if err != nil {
				return err
			}
			if o.json {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(made)
			}
			out := cmd.OutOrStdout()
			fmt.Fprintf(out, "home           %s\nchain id       %s\nbase chain id  %s\n", made.Home, made.ChainID, made.BaseChainID)
			if o.genesisPath == "" {
				fmt.Fprintf(out, "\nMove %s off this machine: the admin's key is not needed to run.\n", adminFile)
			}
			fmt.Fprintf(out, "See the seed phrase with: causeway keys --home %s --reveal\n", made.Home)
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.home, "home", "", "directory to make (must be absent or empty)")
	flags.StringVar(&o.network, "network", "regtest", "mainnet, testnet or regtest")
	flags.StringVar(&o.chainID, "chain-id", "", "name of the sidechain (default: causeway-<network>)")
	flags.StringArrayVar(&o.accounts, "account", nil, "NAME=STM…: an account with that key for every role (repeatable)")
	flags.StringVar(&o.admin, "admin-account", "causeway", "account of the admin")
	flags.StringVar(&o.attestor, "attestor", "gateway", "account that attests deposits and payouts")
	flags.StringVar(&o.genesisPath, "genesis", "", "genesis document of an existing network to join")
	flags.StringVar(&o.mnemonicPath, "mnemonic-file", "", "file with the BIP39 seed phrase to use")
	flags.BoolVar(&o.json, "json", false, "print one JSON object")
	return cmd
}

// initResult is what init --json prints.
type initResult struct {
	Home        string `json:"home"`
	Network     string `json:"network"`
	ChainID     string `json:"chain_id"`
	BaseChainID string `json:"base_chain_id"`
}

func (o *initOptions) run() (initResult, error) {
	if o.home == "" {
		return initResult{}, usageErr("init: --home is required")
	}
	if !slices.Contains([]string{"mainnet", "testnet", "regtest"}, o.network) {
		return initResult{}, usageErr("init: network %q is not one of mainnet, testnet, regtest", o.network)
	}
	empty, err := home{o.home}.empty()
	if err != nil {
		return initResult{}, err
	}
	if !empty {
		return initResult{}, refusedErr("%s is not empty", o.home)
	}
	if o.mnemonicPath != "" {
		text, err := os.ReadFile(o.mnemonicPath)
		if err != nil {
			return initResult{}, err
		}
		if o.mnemonic, err = hotwallet.ImportMnemonic(string(text)); err != nil {
			return initResult{}, fmt.Errorf("%s: %w", o.mnemonicPath, err)
		}
	}
	if o.extra, err = parseAccounts(o.accounts, o.network); err != nil {
		return initResult{}, err
	}
	if o.passphrase, err = passphrase(true); err != nil {
		return initResult{}, err
	}
	o.cfg = defaultConfig(o.network)
	o.timestamp = time.Now().UTC()
	return o.make()
}

// make writes a home. Everything that can fail by wrong input was checked or
// fails before the first file.
func (o *initOptions) make() (initResult, error) {
	var err error
	if o.mnemonic.Empty() {
		if o.mnemonic, err = hotwallet.NewMnemonic(); err != nil {
			return initResult{}, err
		}
	}
	if o.roles == nil {
		for _, r := range []struct {
			role    hotwallet.Role
			account string
		}{{hotwallet.RoleSequencer, ""}, {hotwallet.RoleAttestor, o.attestor}, {hotwallet.RoleAdmin, o.admin}} {
			key, err := hotwallet.GenerateRoleKey(r.role, r.account)
			if err != nil {
				return initResult{}, err
			}
			o.roles = append(o.roles, key)
		}
	}
	text, g, err := o.genesis()
	if err != nil {
		return initResult{}, err
	}
	o.cfg.Network = g.Network
	if o.genesisPath != "" { // who joins has no sequencer's key
		o.cfg.Base.Role = "follower"
	}
	if err := os.MkdirAll(o.home, 0o700); err != nil {
		return initResult{}, err
	}
	h := home{o.home}
	isAdmin := func(k hotwallet.RoleKey) bool { return k.Role == hotwallet.RoleAdmin }
	online := slices.DeleteFunc(slices.Clone(o.roles), isAdmin)
	offline := slices.DeleteFunc(slices.Clone(o.roles), func(k hotwallet.RoleKey) bool { return !isAdmin(k) })
	if o.genesisPath == "" {
		if _, err := hotwallet.Create(h.path(adminFile), o.passphrase, hotwallet.Content{Roles: offline}, o.workFactor); err != nil {
			return initResult{}, err
		}
	} else {
		online = nil // the network's role keys are elsewhere
	}
	if _, err := hotwallet.Create(h.path(keysFile), o.passphrase, hotwallet.Content{Mnemonic: o.mnemonic, Roles: online}, o.workFactor); err != nil {
		return initResult{}, err
	}
	if err := renameio.WriteFile(h.path(configFile), []byte(o.cfg.text()), 0o600); err != nil {
		return initResult{}, err
	}
	// The genesis document comes last: with it the directory is a home.
	if err := renameio.WriteFile(h.path(genesisFile), text, 0o644); err != nil {
		return initResult{}, err
	}
	id := sidechain.BaseChainID(text)
	return initResult{Home: o.home, Network: g.Network, ChainID: g.ChainID, BaseChainID: hex.EncodeToString(id[:])}, nil
}

// genesis builds the network's document, or reads the one to join.
func (o *initOptions) genesis() ([]byte, *sidechain.Genesis, error) {
	if o.genesisPath != "" {
		text, err := os.ReadFile(o.genesisPath)
		if err != nil {
			return nil, nil, err
		}
		g, err := sidechain.LoadGenesis(text)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", o.genesisPath, err)
		}
		return text, g, nil
	}
	g, err := o.newGenesis()
	if err != nil {
		return nil, nil, err
	}
	text, err := g.Encode()
	if err != nil {
		return nil, nil, err
	}
	// What is written must be what can be read, and be the start of a network.
	if _, err := sidechain.LoadGenesis(text); err != nil {
		return nil, nil, &exitErr{exitUsage, err}
	}
	if _, err := newMachine(g, sidechain.BaseChainID(text), chainContracts(g)); err != nil {
		return nil, nil, &exitErr{exitUsage, err}
	}
	return text, g, nil
}

// validChainID is a name that fits, behind "ssc-", into the id of a custom_json.
var validChainID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,27}$`)

func (o *initOptions) newGenesis() (*sidechain.Genesis, error) {
	if o.chainID == "" {
		o.chainID = "causeway-" + o.network
	}
	if !validChainID.MatchString(o.chainID) {
		return nil, usageErr("init: --chain-id %q: a letter or digit, then at most 27 of letters, digits, dot, dash and underscore", o.chainID)
	}
	g := &sidechain.Genesis{
		Format: sidechain.GenesisFormat, ChainID: o.chainID, Timestamp: o.timestamp.Format(base.TimeLayout),
		Profile:  sidechain.Profile{UtilityToken: "BEE", NativePeg: "SWAP.HIVE", BaseCoin: "HIVE", AddressPrefix: graphene.DefaultPrefix},
		Network:  o.network,
		Admin:    o.admin,
		Reserved: []string{"null", "temp", "miners"},
		Pegs:     sidechain.GenesisPegs{Attestors: []string{o.attestor}, Threshold: 1, FeeAccount: "pegfees", Gate: "peg", AdminDelay: 100},
		Params: sidechain.GenesisParams{
			AccountFee: "3.000 HIVE", MaxBlockTransactions: 50,
			TokenCreationFee: "100", EnableStakingFee: "1000", EnableDelegationFee: "1000",
			MaxTickRows:      sidechain.DefaultMaxTickRows,
			MaxFillsPerOrder: sidechain.DefaultMaxFillsPerOrder, MaxExpiredPerOrder: sidechain.DefaultMaxExpiredPerOrder,
		},
		Switches: map[string]bool{"gate": true},
	}
	for _, role := range o.roles {
		switch role.Role {
		case hotwallet.RoleSequencer:
			g.Sequencer = role.Public.String()
		case hotwallet.RoleAttestor:
			g.Accounts = append(g.Accounts, oneKeyAccount(role.Account, role.Public, "0.000 HIVE", nil))
		case hotwallet.RoleAdmin:
			// What new accounts cost and the first tokens must come from somewhere.
			g.Accounts = append(g.Accounts, oneKeyAccount(role.Account, role.Public, "1000000.000 HIVE", map[string]string{g.Profile.UtilityToken: "1000000"}))
		}
	}
	slices.SortFunc(g.Accounts, func(a, b sidechain.GenesisAccount) int { return strings.Compare(a.Name, b.Name) })
	g.Accounts = append(g.Accounts, o.extra...)
	wallet, err := hotwallet.NewWallet(o.mnemonic, chains.Network(o.network))
	if err != nil {
		return nil, err
	}
	for _, c := range coinTable {
		p, err := wallet.MasterKey(chains.ID(c.id), 0)
		if err != nil {
			return nil, err
		}
		g.Keys = append(g.Keys, sidechain.GenesisKey{Chain: c.id, Key: hex.EncodeToString(p[:])})
		g.Assets = append(g.Assets, c.defaultAsset(o.network))
	}
	for _, name := range slices.Sorted(maps.Keys(o.cfg.Chains.ETH.Tokens)) {
		g.Assets = append(g.Assets, tokenAsset(o.cfg.Chains.ETH.Tokens[name]))
	}
	return g, nil
}

// oneKeyAccount is an account whose every role has the same key.
func oneKeyAccount(name string, key graphene.PublicKey, coins string, tokens map[string]string) sidechain.GenesisAccount {
	if tokens == nil {
		tokens = map[string]string{}
	}
	text := key.String()
	return sidechain.GenesisAccount{Name: name, Owner: text, Active: text, Posting: text, Memo: text, Base: coins, Tokens: tokens}
}

// parseAccounts reads --account NAME=STM… flags.
func parseAccounts(flags []string, network string) ([]sidechain.GenesisAccount, error) {
	var list []sidechain.GenesisAccount
	for _, flag := range flags {
		name, text, ok := strings.Cut(flag, "=")
		if !ok {
			return nil, usageErr("--account %q is not NAME=STM…", flag)
		}
		if !graphene.ValidAccountName(name) {
			return nil, usageErr("--account %q: %q is not a valid account name", flag, name)
		}
		key, err := graphene.ParsePublicKey(graphene.DefaultPrefix, text)
		if err != nil {
			return nil, usageErr("--account %q: %v", flag, err)
		}
		coins := "0.000 HIVE"
		if network == "regtest" {
			coins = "1000.000 HIVE"
		}
		list = append(list, oneKeyAccount(name, key, coins, map[string]string{"BEE": "10000"}))
	}
	return list, nil
}
