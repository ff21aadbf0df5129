package address

import "fmt"

type family uint8

const (
	base58 family = iota // base58check, and bech32 where segwit is set
	cash                 // CashAddr alone
	ethereum
)

// params is what distinguishes the addresses of one chain on one network.
type params struct {
	family     family
	pubKeyHash byte
	scriptHash byte
	oldScript  byte   // another version still accepted for P2SH; 0 for none
	segwit     string // bech32 prefix; "" where there is no segwit
	cash       string // CashAddr prefix
}

// Base58 versions and prefixes, from each chain's chainparams.
func lookup(chain, network string) (*params, error) {
	var p params
	switch chain + " " + network {
	case "btc mainnet":
		p = params{pubKeyHash: 0x00, scriptHash: 0x05, segwit: "bc"}
	case "btc testnet":
		p = params{pubKeyHash: 0x6F, scriptHash: 0xC4, segwit: "tb"}
	case "btc regtest":
		p = params{pubKeyHash: 0x6F, scriptHash: 0xC4, segwit: "bcrt"}
	case "ltc mainnet":
		p = params{pubKeyHash: 0x30, scriptHash: 0x32, oldScript: 0x05, segwit: "ltc"}
	case "ltc testnet":
		p = params{pubKeyHash: 0x6F, scriptHash: 0x3A, oldScript: 0xC4, segwit: "tltc"}
	case "ltc regtest":
		p = params{pubKeyHash: 0x6F, scriptHash: 0x3A, oldScript: 0xC4, segwit: "rltc"}
	case "doge mainnet":
		p = params{pubKeyHash: 0x1E, scriptHash: 0x16}
	case "doge testnet":
		p = params{pubKeyHash: 0x71, scriptHash: 0xC4}
	case "doge regtest":
		p = params{pubKeyHash: 0x6F, scriptHash: 0xC4}
	case "bch mainnet":
		p = params{family: cash, cash: "bitcoincash"}
	case "bch testnet":
		p = params{family: cash, cash: "bchtest"}
	case "bch regtest":
		p = params{family: cash, cash: "bchreg"}
	case "eth mainnet", "eth testnet", "eth regtest":
		p = params{family: ethereum}
	default:
		return nil, fmt.Errorf("%w: %.20q on %.20q", ErrChain, chain, network)
	}
	return &p, nil
}

// segwitKind says what a bech32 prefix is known for: "segwit", "mweb" or "".
func segwitKind(prefix string) string {
	switch prefix {
	case "bc", "tb", "bcrt", "ltc", "tltc", "rltc":
		return "segwit"
	case "ltcmweb", "tmweb", "rmweb":
		return "mweb"
	}
	return ""
}
