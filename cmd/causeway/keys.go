package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"causeway/chains"
	"causeway/hotwallet"
)

func newKeysCommand() *cobra.Command {
	var (
		dir            string
		asJSON, reveal bool
	)
	cmd := &cobra.Command{
		Use: "keys", Short: "Show the public keys of a home, or its seed phrase", Args: noArgs,
		Long: "keys prints the published derivation keys, the hot addresses and the public role\n" +
			"keys. --reveal adds the seed phrase. Private keys of single addresses are never\n" +
			"printed: one of them and the published key would give the parent key.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, err := openHome(dir)
			if err != nil {
				return err
			}
			listing, err := listKeys(h, reveal)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if asJSON {
				return json.NewEncoder(out).Encode(listing)
			}
			for _, c := range listing.Chains {
				fmt.Fprintf(out, "%-5s epoch %d  P %s  hot %s\n", c.Chain, c.Epoch, c.Key, c.Hot)
				if c.Sweeper != "" {
					fmt.Fprintf(out, "%-5s epoch %d  sweeper %s\n", c.Chain, c.Epoch, c.Sweeper)
				}
			}
			for _, r := range listing.Roles {
				fmt.Fprintf(out, "%-10s %-16s %s\n", r.Role, r.Account, r.Public)
			}
			if reveal {
				fmt.Fprintf(out, "\n%s\n", listing.Mnemonic)
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&dir, "home", "", "home of the node")
	flags.BoolVar(&asJSON, "json", false, "one JSON object")
	flags.BoolVar(&reveal, "reveal", false, "print the seed phrase too")
	return cmd
}

// chainKeys are the public keys of one chain.
type chainKeys struct {
	Chain   string `json:"chain"`
	Epoch   uint32 `json:"epoch"`
	Key     string `json:"key"`
	Hot     string `json:"hot"`
	Sweeper string `json:"sweeper,omitempty"` // Ethereum's account that pays for gas
}

// keyListing is what keys --json prints.
type keyListing struct {
	Chains []chainKeys `json:"chains"`
	Roles  []struct {
		Role    string `json:"role"`
		Account string `json:"account"`
		Public  string `json:"public"`
	} `json:"roles"`
	Mnemonic string `json:"mnemonic,omitempty"`
}

func listKeys(h home, reveal bool) (keyListing, error) {
	g, _, err := h.genesis()
	if err != nil {
		return keyListing{}, err
	}
	secret, err := passphrase(false)
	if err != nil {
		return keyListing{}, err
	}
	store, err := hotwallet.Open(h.path(keysFile), secret)
	if err != nil {
		return keyListing{}, err
	}
	wallet, err := store.Wallet(chains.Network(g.Network))
	if err != nil {
		return keyListing{}, err
	}
	var listing keyListing
	for _, id := range builtChains {
		p, err := wallet.MasterKey(chains.ID(id), 0)
		if err != nil {
			return keyListing{}, err
		}
		hot, err := wallet.ChangeAddress(chains.ID(id), 0)
		if err != nil {
			return keyListing{}, err
		}
		shown := chainKeys{Chain: id, Key: hex.EncodeToString(p[:]), Hot: hot}
		if id == ethereumID {
			if shown.Sweeper, err = wallet.SweeperAddress(shown.Epoch); err != nil {
				return keyListing{}, err
			}
		}
		listing.Chains = append(listing.Chains, shown)
	}
	for _, r := range store.Roles() {
		listing.Roles = append(listing.Roles, struct {
			Role    string `json:"role"`
			Account string `json:"account"`
			Public  string `json:"public"`
		}{string(r.Role), r.Account, r.Public.String()})
	}
	if reveal {
		listing.Mnemonic = store.Mnemonic().Reveal()
	}
	return listing, nil
}
