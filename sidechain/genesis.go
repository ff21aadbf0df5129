package sidechain

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"
)

// GenesisFormat is the format member of every genesis document.
const GenesisFormat = "causeway-genesis/1"

// ErrGenesis is wrapped by every error about a genesis document.
var ErrGenesis = errors.New("genesis")

// chainIDForm leaves room for the "ssc-" before it in a custom_json id, which
// has 32 characters at most: beyond them nobody could ever sign an operation.
var chainIDForm = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,27}$`)

// Genesis is the document that starts a network. Everything that consensus
// reads of a network stands here and nowhere else. Its members are written in
// the order of the fields, with a two-space indent and one final newline; a
// document that does not encode to its own bytes is refused, because the bytes
// are hashed into every signature (BaseChainID).
type Genesis struct {
	Format    string           `json:"format"`
	ChainID   string           `json:"chain_id"`
	Timestamp string           `json:"timestamp"` // base.TimeLayout, UTC
	Profile   Profile          `json:"profile"`
	Network   string           `json:"network"` // mainnet, testnet or regtest
	Sequencer string           `json:"sequencer"`
	Admin     string           `json:"admin"`
	BasePeg   *string          `json:"base_peg"` // account that backs the native peg; null: none
	Reserved  []string         `json:"reserved"`
	Accounts  []GenesisAccount `json:"accounts"`
	Pegs      GenesisPegs      `json:"pegs"`
	Keys      []GenesisKey     `json:"keys"`
	Assets    []GenesisAsset   `json:"assets"`
	Params    GenesisParams    `json:"params"`
	Switches  map[string]bool  `json:"switches"`
}

// Profile holds the names that differ between networks of this family.
type Profile struct {
	UtilityToken  string `json:"utility_token"`
	NativePeg     string `json:"native_peg"`
	BaseCoin      string `json:"base_coin"`
	AddressPrefix string `json:"address_prefix"`
}

// GenesisAccount is an account that exists from block 0. The keys are public
// keys in text form; each becomes an authority of one key with threshold 1.
type GenesisAccount struct {
	Name    string            `json:"name"`
	Owner   string            `json:"owner"`
	Active  string            `json:"active"`
	Posting string            `json:"posting"`
	Memo    string            `json:"memo"`
	Base    string            `json:"base"`   // "1000.000 HIVE"
	Tokens  map[string]string `json:"tokens"` // symbol -> quantity
}

// GenesisPegs holds who may act on pegged tokens.
type GenesisPegs struct {
	Attestors  []string `json:"attestors"`
	Threshold  int      `json:"threshold"`
	FeeAccount string   `json:"fee_account"`
	Gate       string   `json:"gate"`
	AdminDelay uint64   `json:"admin_delay"` // base blocks
}

// GenesisKey is a published derivation key: the compressed public key P of a
// chain and epoch, and the outside chain's height from which it may have been
// paid.
type GenesisKey struct {
	Chain    string `json:"chain"`
	Epoch    uint32 `json:"epoch"`
	Key      string `json:"key"` // 66 hex digits
	Birthday uint64 `json:"birthday"`
}

// GenesisAsset is a pegged token and its limits. Quantities are decimal text
// in units of the token.
type GenesisAsset struct {
	Symbol        string  `json:"symbol"`
	Chain         string  `json:"chain"`
	Token         *string `json:"token"` // ERC-20 contract, null for the chain's own coin
	Precision     int     `json:"precision"`
	MinDeposit    string  `json:"min_deposit"`
	MinWithdrawal string  `json:"min_withdrawal"`
	WithdrawalFee string  `json:"withdrawal_fee"`
	FeeMax        string  `json:"fee_max"` // largest miner fee of one of our transactions
	SupplyCap     string  `json:"supply_cap"`
	MintCap       string  `json:"mint_cap"` // per rolling 28,800 base blocks
	LargeMint     string  `json:"large_mint"`
	MintDelay     uint64  `json:"mint_delay"` // base blocks that a large mint waits
}

// GenesisParams are the numbers of the rules that a network may choose.
type GenesisParams struct {
	// AccountFee is burned by the creator of an account ("3.000 HIVE").
	AccountFee string `json:"account_fee"`
	// MaxBlockTransactions bounds the transactions of one account in one block.
	MaxBlockTransactions int `json:"max_block_transactions"`
	// TokenCreationFee, EnableStakingFee and EnableDelegationFee are burned in
	// the utility token.
	TokenCreationFee    string `json:"tokenCreationFee"`
	EnableStakingFee    string `json:"enableStakingFee"`
	EnableDelegationFee string `json:"enableDelegationFee"`
	// MaxTickRows bounds the rows that one tick of a contract works off in a
	// block; the rest follows in the next blocks, in order. A document without
	// it means DefaultMaxTickRows.
	MaxTickRows int `json:"maxTickRows,omitempty"`
	// MaxFillsPerOrder bounds the resting orders that an order on the market
	// meets, filled or not; what is left of a market order then is given back,
	// of a limit order rests. A document without it means
	// DefaultMaxFillsPerOrder.
	MaxFillsPerOrder int `json:"maxFillsPerOrder,omitempty"`
	// MaxExpiredPerOrder bounds the expired orders that an order on the market
	// clears away first. A document without it means DefaultMaxExpiredPerOrder.
	MaxExpiredPerOrder int `json:"maxExpiredPerOrder,omitempty"`
}

// What the bounds of GenesisParams are when they are absent.
const (
	DefaultMaxTickRows        = 2000
	DefaultMaxFillsPerOrder   = 500
	DefaultMaxExpiredPerOrder = 100
)

// LoadGenesis parses a document strictly: no unknown member, and the same
// bytes when written again.
func LoadGenesis(text []byte) (*Genesis, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	var g Genesis
	if err := dec.Decode(&g); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrGenesis, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: text after the document", ErrGenesis)
	}
	if err := g.validate(); err != nil {
		return nil, err
	}
	again, err := g.Encode()
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again, text) {
		return nil, fmt.Errorf("%w: the document does not encode to its own bytes (member order, indent, spelling of numbers or a missing final newline), first difference at byte %d", ErrGenesis, firstDifference(again, text))
	}
	return &g, nil
}

// Encode writes the document in its one accepted form.
func (g *Genesis) Encode() ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(g); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrGenesis, err)
	}
	return buf.Bytes(), nil
}

// BaseChainID is the chain id that every signature of a network commits to:
// SHA-256("causeway:" + the bytes of its genesis document).
func BaseChainID(text []byte) [32]byte {
	h := sha256.New()
	h.Write([]byte("causeway:"))
	h.Write(text)
	return [32]byte(h.Sum(nil))
}

func (g *Genesis) validate() error {
	switch {
	case g.Format != GenesisFormat:
		return fmt.Errorf("%w: format %q, want %q", ErrGenesis, g.Format, GenesisFormat)
	case !chainIDForm.MatchString(g.ChainID):
		return fmt.Errorf("%w: chain_id %q: 1 to 28 of a-z, 0-9, . and - are expected, the first no sign", ErrGenesis, g.ChainID)
	case g.Network != "mainnet" && g.Network != "testnet" && g.Network != "regtest":
		return fmt.Errorf("%w: network %q, want mainnet, testnet or regtest", ErrGenesis, g.Network)
	case g.Pegs.Threshold < 1 || g.Pegs.Threshold > len(g.Pegs.Attestors):
		return fmt.Errorf("%w: threshold %d of %d attestors", ErrGenesis, g.Pegs.Threshold, len(g.Pegs.Attestors))
	case g.Params.MaxTickRows < 0:
		return fmt.Errorf("%w: maxTickRows %d is negative", ErrGenesis, g.Params.MaxTickRows)
	case g.Params.MaxFillsPerOrder < 0:
		return fmt.Errorf("%w: maxFillsPerOrder %d is negative", ErrGenesis, g.Params.MaxFillsPerOrder)
	case g.Params.MaxExpiredPerOrder < 0:
		return fmt.Errorf("%w: maxExpiredPerOrder %d is negative", ErrGenesis, g.Params.MaxExpiredPerOrder)
	}
	if _, err := time.Parse("2006-01-02T15:04:05", g.Timestamp); err != nil {
		return fmt.Errorf("%w: timestamp: %v", ErrGenesis, err)
	}
	names := map[string]bool{}
	for _, a := range g.Accounts {
		if names[a.Name] {
			return fmt.Errorf("%w: account %q stands twice", ErrGenesis, a.Name)
		}
		names[a.Name] = true
	}
	if !names[g.Admin] {
		return fmt.Errorf("%w: admin %q is not among the accounts", ErrGenesis, g.Admin)
	}
	if g.BasePeg != nil && !names[*g.BasePeg] {
		return fmt.Errorf("%w: base_peg %q is not among the accounts", ErrGenesis, *g.BasePeg)
	}
	for _, a := range g.Pegs.Attestors {
		if !names[a] {
			return fmt.Errorf("%w: attestor %q is not among the accounts", ErrGenesis, a)
		}
	}
	for _, a := range []string{g.Pegs.FeeAccount, g.Pegs.Gate} {
		if names[a] {
			return fmt.Errorf("%w: %q is kept for the pegs and may not have keys", ErrGenesis, a)
		}
	}
	symbols := map[string]bool{}
	for _, a := range g.Assets {
		if symbols[a.Symbol] {
			return fmt.Errorf("%w: asset %q stands twice", ErrGenesis, a.Symbol)
		}
		symbols[a.Symbol] = true
	}
	return nil
}

func firstDifference(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
