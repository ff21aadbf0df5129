package main

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"causeway/chains"
	"causeway/chains/address"
)

// ethereumID is the one chain of accounts.
const ethereumID = string(chains.ETH)

// tokensPath is where config.toml has one section for each ERC-20.
const tokensPath = "chains.eth.tokens"

// tokenVariable is the environment variable of a token's key.
var tokenVariable = regexp.MustCompile(`^CAUSEWAY_CHAINS_ETH_TOKENS_([A-Z0-9_]+)_(ADDRESS|DECIMALS|SYMBOL)$`)

// tokenSettings makes known the keys of tokens that variables name. A variable may
// be of a token that the file does not have.
func (c *Config) tokenSettings(environ []string, known map[string]setting) error {
	tokens := map[string]*TokenConfig{}
	for name, token := range c.Chains.ETH.Tokens {
		upper := strings.ToUpper(name)
		if tokens[upper] != nil {
			return fmt.Errorf("config: %s.%s: the section is there in another spelling", tokensPath, name)
		}
		tokens[upper] = &token
	}
	found := false
	for _, pair := range environ {
		name, _, _ := strings.Cut(pair, "=")
		parts := tokenVariable.FindStringSubmatch(name)
		if parts == nil {
			continue
		}
		token := tokens[parts[1]]
		if token == nil {
			token = &TokenConfig{}
			tokens[parts[1]] = token
		}
		path := tokensPath + "." + strings.ToLower(parts[1]) + "." + strings.ToLower(parts[2])
		field := map[string]any{"ADDRESS": &token.Address, "DECIMALS": &token.Decimals, "SYMBOL": &token.Symbol}[parts[2]]
		s := setting{path, reflect.ValueOf(field).Elem()}
		_, text, _ := strings.Cut(pair, "=")
		if err := s.set(text); err != nil {
			return fmt.Errorf("environment: %s: %w", name, err)
		}
		known[name], found = s, true
	}
	if !found {
		return nil
	}
	merged := map[string]TokenConfig{}
	for name, token := range tokens {
		merged[name] = *token
	}
	c.Chains.ETH.Tokens = merged
	return nil
}

// maxTokenDecimals bounds the decimals of an ERC-20: amounts have 128 bits.
const maxTokenDecimals = 30

// tokenSymbol is a symbol of the sidechain: at most 10 characters.
var tokenSymbol = regexp.MustCompile(`^[A-Z]+(\.[A-Z]+)?$`)

func (c *ETHConfig) validateTokens() error {
	contracts, symbols := map[string]string{}, map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(c.Tokens)) {
		token, path := c.Tokens[name], tokensPath+"."+name
		contract, err := address.Decode(string(chains.ETH), string(chains.Mainnet), token.Address)
		switch {
		case err != nil:
			return fmt.Errorf("config: %s.address: %q: %w", path, token.Address, err)
		case token.Decimals < 0 || token.Decimals > maxTokenDecimals:
			return fmt.Errorf("config: %s.decimals: %d is not from 0 to %d", path, token.Decimals, maxTokenDecimals)
		case len(token.Symbol) > 10 || !tokenSymbol.MatchString(token.Symbol):
			return fmt.Errorf("config: %s.symbol: %q: at most 10 capital letters, with one point inside", path, token.Symbol)
		case contracts[contract.Canonical] != "":
			return fmt.Errorf("config: %s.address: it is that of %s too", path, contracts[contract.Canonical])
		case symbols[token.Symbol] != "":
			return fmt.Errorf("config: %s.symbol: it is that of %s too", path, symbols[token.Symbol])
		}
		contracts[contract.Canonical], symbols[token.Symbol] = name, name
	}
	return nil
}
