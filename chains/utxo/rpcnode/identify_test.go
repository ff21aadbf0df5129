package rpcnode

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"causeway/chains"
	"causeway/chains/bitcoin"
	"causeway/chains/bitcoincash"
	"causeway/chains/litecoin"
	"causeway/chains/utxo"
)

// TestWrongChain: a node of another chain is refused even when the two have one
// genesis, and so is one too old to be trusted.
func TestWrongChain(t *testing.T) {
	const cash = "0000000000000000004626ff6e3b936941d341c5932ece4357eeccac44e6d56c"
	agent := func(name, number string) string {
		return result(`{"version":` + number + `,"subversion":"/` + name + `:0.0/"}`)
	}
	valid, invalid := result(`{"isvalid":true}`), result(`{"isvalid":false}`)
	tests := []struct {
		name    string
		newCoin func(chains.Network) (*utxo.Coin, error)
		network chains.Network
		answers map[string]string // getblockhash: of blocks that are not 0
		want    error
	}{
		{"bitcoin on regtest", bitcoin.New, chains.Regtest, map[string]string{"validateaddress": valid}, nil},
		{"no such question", bitcoin.New, chains.Regtest, nil, nil},
		{"cash for bitcoin, regtest", bitcoin.New, chains.Regtest, map[string]string{"validateaddress": invalid}, chains.ErrWrongNetwork},
		{"bitcoin for cash, regtest", bitcoincash.New, chains.Regtest, map[string]string{"validateaddress": invalid}, chains.ErrWrongNetwork},
		{"the question is refused", bitcoincash.New, chains.Regtest, map[string]string{"validateaddress": refusal(-1, "not here")}, nil},
		{"starting", bitcoincash.New, chains.Regtest, map[string]string{"validateaddress": refusal(-28, "Loading")}, chains.ErrUnavailable},
		{"broken answer", bitcoincash.New, chains.Regtest, map[string]string{"validateaddress": "broken"}, chains.ErrUnavailable},
		{"other fork", bitcoincash.New, chains.Mainnet, map[string]string{"getblockhash": result(`"` + testHash + `"`)}, chains.ErrWrongNetwork},
		{"not so far yet", bitcoincash.New, chains.Mainnet, map[string]string{"getblockhash": refusal(-8, "Block height out of range"), "validateaddress": valid}, chains.ErrUnavailable},
		{"cash for bitcoin", bitcoin.New, chains.Mainnet, map[string]string{"getblockhash": result(`"` + cash + `"`)}, chains.ErrWrongNetwork},
		{"old node", litecoin.New, chains.Mainnet, map[string]string{"getnetworkinfo": agent("LitecoinCore", "210201")}, chains.ErrNodeVersion},
		{"new node", litecoin.New, chains.Mainnet, map[string]string{"getnetworkinfo": agent("LitecoinCore", "210505")}, nil},
		{"node of another make", litecoin.New, chains.Mainnet, map[string]string{"getnetworkinfo": agent("ltcd", "1")}, nil},
		{"any version on regtest", litecoin.New, chains.Regtest, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			coin, err := tt.newCoin(tt.network)
			if err != nil {
				t.Fatal(err)
			}
			f := &fakeRPC{answers: tt.answers, genesis: coin.Genesis()}
			server := httptest.NewServer(f)
			defer server.Close()
			n, err := New(strings.Replace(server.URL, "http://", "http://hidd3n:s3cret@", 1), coin, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer n.Close()
			if err := n.guard.Do(t.Context(), func() error { return nil }); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Fatalf("%v, want %v", err, tt.want)
			}
		})
	}
}
