package address

import (
	"slices"
	"testing"
)

func TestAlsoOn(t *testing.T) {
	p2sh := append(append([]byte{opHash160, 20}, make([]byte, 20)...), opEqual)
	p2pkh := payToPubKeyHash(make([]byte, 20))
	encode := func(chain, network string, script []byte) string {
		text, err := Encode(chain, network, script)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for _, tt := range []struct {
		chain, network, text string
		want                 []string
	}{
		{"ltc", "mainnet", encode("btc", "mainnet", p2sh), []string{"btc"}}, // 3…
		{"btc", "mainnet", encode("btc", "mainnet", p2sh), []string{"ltc"}},
		{"ltc", "mainnet", encode("ltc", "mainnet", p2sh), nil}, // M…
		{"ltc", "mainnet", encode("ltc", "mainnet", p2pkh), nil},
		{"btc", "mainnet", encode("btc", "mainnet", p2pkh), nil},
		{"doge", "mainnet", encode("doge", "mainnet", p2pkh), nil},
		{"bch", "mainnet", encode("bch", "mainnet", p2pkh), nil},
		{"doge", "regtest", encode("doge", "regtest", p2pkh), []string{"btc", "ltc"}},
		{"btc", "regtest", encode("btc", "regtest", append([]byte{0, 20}, make([]byte, 20)...)), nil},
		{"ltc", "mainnet", encode("btc", "mainnet", p2pkh), nil}, // none of Litecoin's at all
		{"eth", "mainnet", "0x5c88E7A226E11ad1204Cb8D30cD5D6ff6CBa69b0", nil},
		{"xrp", "mainnet", "", nil},
	} {
		if got := AlsoOn(tt.chain, tt.network, tt.text); !slices.Equal(got, tt.want) {
			t.Errorf("%s %s %s: %v, want %v", tt.chain, tt.network, tt.text, got, tt.want)
		}
	}
}
