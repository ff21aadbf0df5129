// Package address reads and writes the addresses of the outside chains: their
// form only, no keys and no network. The contract pegs uses it, so it decides
// consensus: it is pure, it depends on neither btcd nor go-ethereum, and what
// it accepts may not change without a switch.
//
// Sources: base58check (Bitcoin), BIP 173 and BIP 350 (bech32, bech32m),
// CashAddr (BCH specification, with CashTokens' token-aware types), EIP-55.
//
// Invariants: Decode never accepts two meanings for a text; Encode(Decode(x))
// is the canonical text, and decoding that gives the same script again.
//
// To add a chain: a row for each of its networks in params.go, and its rows in
// testdata.
package address
