package address

import (
	"errors"
	"fmt"
)

// The kinds of refusal. Every error of this package wraps exactly one.
var (
	ErrChain       = errors.New("unknown chain or network")
	ErrForm        = errors.New("not an address of this chain")
	ErrChecksum    = errors.New("wrong checksum")
	ErrNetwork     = errors.New("address of another chain or network")
	ErrMixedCase   = errors.New("mixed upper and lower case")
	ErrUnsupported = errors.New("address type is not supported")
)

// Type is what kind of script an address stands for.
type Type string

// The types that payouts can be made to.
const (
	P2PKH   Type = "p2pkh"
	P2SH    Type = "p2sh"
	P2WPKH  Type = "p2wpkh"
	P2WSH   Type = "p2wsh"
	P2TR    Type = "p2tr"
	Account Type = "account" // Ethereum
)

// Address is a decoded address.
type Address struct {
	Type Type
	// Script is the output script; on Ethereum the account's 20 bytes.
	Script []byte
	// Canonical is the text that this package writes for Script.
	Canonical string
}

// Decode reads an address strictly. chain is btc, ltc, bch, doge or eth;
// network is mainnet, testnet or regtest (Ethereum's addresses are the same on
// all). Several texts may stand for one script (CashAddr with and without
// prefix, Litecoin's two P2SH versions): compare scripts, not texts.
func Decode(chain, network, text string) (Address, error) {
	p, err := lookup(chain, network)
	if err != nil {
		return Address{}, err
	}
	script, err := p.decode(text)
	if err != nil {
		return Address{}, fmt.Errorf("%s %s address %.100q: %w", chain, network, text, err)
	}
	kind, _ := classify(script)
	if p.family == ethereum {
		kind = Account
	}
	canonical, err := p.encode(script)
	if err != nil {
		return Address{}, fmt.Errorf("%s %s address %.100q: %w", chain, network, text, err)
	}
	return Address{Type: kind, Script: script, Canonical: canonical}, nil
}

// Encode writes the canonical address of a script (Ethereum: of 20 bytes).
func Encode(chain, network string, script []byte) (string, error) {
	p, err := lookup(chain, network)
	if err != nil {
		return "", err
	}
	text, err := p.encode(script)
	if err != nil {
		return "", fmt.Errorf("%s %s script %.80x: %w", chain, network, script, err)
	}
	return text, nil
}

func (p *params) decode(text string) ([]byte, error) {
	switch p.family {
	case ethereum:
		return decodeEthereum(text)
	case cash:
		return p.decodeCash(text)
	}
	if prefix, known := segwitPrefix(text); known {
		return p.decodeSegwit(prefix, text)
	}
	return p.decodeBase58(text)
}

func (p *params) encode(script []byte) (string, error) {
	if p.family == ethereum {
		return encodeEthereum(script)
	}
	kind, payload := classify(script)
	if p.family == cash {
		return p.encodeCash(kind, payload)
	}
	switch kind {
	case P2PKH:
		return base58Check(p.pubKeyHash, payload), nil
	case P2SH:
		return base58Check(p.scriptHash, payload), nil
	case P2WPKH, P2WSH:
		if p.segwit != "" {
			return encodeSegwit(p.segwit, 0, payload), nil
		}
	case P2TR:
		if p.segwit != "" {
			return encodeSegwit(p.segwit, 1, payload), nil
		}
	}
	return "", ErrUnsupported
}

// AlsoOn lists the other chains of the Bitcoin family, in a fixed order, on whose
// network of the same name a text is an address too: what is meant for one can be
// given for the other (Litecoin's old P2SH form is Bitcoin's; test networks share
// most of theirs). It is empty for what is no address of chain itself.
func AlsoOn(chain, network, text string) []string {
	if _, err := Decode(chain, network, text); err != nil {
		return nil
	}
	var others []string
	for _, other := range []string{"btc", "ltc", "bch", "doge"} {
		if other == chain {
			continue
		}
		if _, err := Decode(other, network, text); err == nil {
			others = append(others, other)
		}
	}
	return others
}
