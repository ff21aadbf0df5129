package sidechain_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"causeway/sidechain"
	"causeway/sidechain/graphene"
)

// document is a genesis that can be loaded, after a change.
func document(t *testing.T, change func(g *sidechain.Genesis)) []byte {
	t.Helper()
	g := &sidechain.Genesis{
		Format: sidechain.GenesisFormat, ChainID: "causeway-regtest", Timestamp: "2026-01-01T00:00:00", Network: "regtest",
		Admin: "causeway", Reserved: []string{"null"},
		Accounts: []sidechain.GenesisAccount{{Name: "causeway"}, {Name: "gateway"}},
		Pegs:     sidechain.GenesisPegs{Attestors: []string{"gateway"}, Threshold: 1, FeeAccount: "pegfees", Gate: "peg"},
	}
	if change != nil {
		change(g)
	}
	text, err := g.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestGenesisIsRefused(t *testing.T) {
	for _, test := range []struct {
		want   string
		change func(g *sidechain.Genesis)
	}{
		{"format", func(g *sidechain.Genesis) { g.Format = "causeway-genesis/2" }},
		{"chain_id", func(g *sidechain.Genesis) { g.ChainID = "" }},
		{"chain_id", func(g *sidechain.Genesis) { g.ChainID = "Causeway" }},
		{"chain_id", func(g *sidechain.Genesis) { g.ChainID = "a b" }},
		{"chain_id", func(g *sidechain.Genesis) { g.ChainID = "-a" }},
		{"chain_id", func(g *sidechain.Genesis) { g.ChainID = strings.Repeat("a", 29) }},
		{"network", func(g *sidechain.Genesis) { g.Network = "moon" }},
		{"timestamp", func(g *sidechain.Genesis) { g.Timestamp = "2026-01-01T00:00:00Z" }},
		{"threshold", func(g *sidechain.Genesis) { g.Pegs.Threshold = 2 }},
		{"threshold", func(g *sidechain.Genesis) { g.Pegs.Threshold = 0 }},
		{"admin", func(g *sidechain.Genesis) { g.Admin = "nobody" }},
		{"base_peg", func(g *sidechain.Genesis) { name := "nobody"; g.BasePeg = &name }},
		{"attestor", func(g *sidechain.Genesis) { g.Pegs.Attestors = []string{"nobody"} }},
		{"may not have keys", func(g *sidechain.Genesis) { g.Pegs.Gate = "gateway" }},
		{"twice", func(g *sidechain.Genesis) { g.Accounts = append(g.Accounts, g.Accounts[0]) }},
	} {
		if _, err := sidechain.LoadGenesis(document(t, test.change)); !errors.Is(err, sidechain.ErrGenesis) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error %v, want one about %s", err, test.want)
		}
	}
}

// TestChainIDFitsIntoAnOperation: the longest chain id leaves a custom_json id
// that can be signed.
func TestChainIDFitsIntoAnOperation(t *testing.T) {
	g, err := sidechain.LoadGenesis(document(t, func(g *sidechain.Genesis) { g.ChainID = strings.Repeat("a", 28) }))
	if err != nil {
		t.Fatal(err)
	}
	op := &graphene.CustomJSON{RequiredAuths: []string{"alice"}, RequiredPostingAuths: []string{}, ID: "ssc-" + g.ChainID, JSON: "{}"}
	if err := op.Validate(); err != nil {
		t.Error(err)
	}
}

// TestGenesisIsItsBytes: any other spelling of the same content is refused, and
// has another base chain id.
func TestGenesisIsItsBytes(t *testing.T) {
	text := document(t, nil)
	if _, err := sidechain.LoadGenesis(text); err != nil {
		t.Fatal(err)
	}
	for name, other := range map[string][]byte{
		"no final newline": bytes.TrimSuffix(text, []byte("\n")),
		"two newlines":     append(bytes.Clone(text), '\n'),
		"another indent":   bytes.Replace(text, []byte("\n  \"chain_id\""), []byte("\n   \"chain_id\""), 1),
		"spelling of text": bytes.Replace(text, []byte("regtest"), []byte("\\u0072egtest"), 1),
		"unknown member":   bytes.Replace(text, []byte("\n  \"chain_id\""), []byte("\n  \"more\": 1,\n  \"chain_id\""), 1),
		"member twice":     bytes.Replace(text, []byte("\n  \"network\": \"regtest\","), []byte("\n  \"network\": \"regtest\",\n  \"network\": \"regtest\","), 1),
		"something after":  append(bytes.Clone(text), "{}\n"...),
		"carriage returns": bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")),
		"byte order mark":  append([]byte("\xef\xbb\xbf"), text...),
		"nothing":          nil,
		"another type":     []byte("[]\n"),
	} {
		if bytes.Equal(other, text) {
			t.Fatalf("%s: nothing was changed", name)
		}
		if _, err := sidechain.LoadGenesis(other); !errors.Is(err, sidechain.ErrGenesis) {
			t.Errorf("%s: error %v", name, err)
		}
		if sidechain.BaseChainID(other) == sidechain.BaseChainID(text) {
			t.Errorf("%s: the same base chain id", name)
		}
	}
}
