package main

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"causeway/pegs"
)

// Config is config.toml: what this one process needs to know. Nothing here
// touches consensus; that is the genesis document's.
type Config struct {
	Network  string         `toml:"network"`
	HTTP     HTTPConfig     `toml:"http"`
	Base     BaseConfig     `toml:"base"`
	Accounts AccountsConfig `toml:"accounts"`
	Chains   ChainsConfig   `toml:"chains"`
}

// HTTPConfig names the two listeners.
type HTTPConfig struct {
	Listen string `toml:"listen"`
	Admin  string `toml:"admin"`
}

// BaseConfig chooses the base layer.
type BaseConfig struct {
	Kind          string   `toml:"kind"`
	Role          string   `toml:"role"`
	Upstream      []string `toml:"upstream"`
	BlockInterval Duration `toml:"block_interval"`
}

// AccountsConfig is the sequencer's admission policy.
type AccountsConfig struct {
	Open bool `toml:"open"`
}

// ChainsConfig has one section for each outside chain.
type ChainsConfig struct {
	BTC  ChainConfig `toml:"btc"`
	LTC  ChainConfig `toml:"ltc"`
	BCH  ChainConfig `toml:"bch"`
	DOGE ChainConfig `toml:"doge"`
	ETH  ETHConfig   `toml:"eth"`
}

// ChainConfig says how to reach one outside chain.
type ChainConfig struct {
	Enabled       bool     `toml:"enabled"`
	Nodes         []string `toml:"nodes"`
	Quorum        int      `toml:"quorum"`
	Confirmations uint64   `toml:"confirmations"` // 0: by exposure
	StartHeight   uint64   `toml:"start_height"`
	Poll          Duration `toml:"poll"`
	FeeMin        string   `toml:"fee_min"`
	FeeMax        string   `toml:"fee_max"`
	MinVersion    uint64   `toml:"min_version"` // 0: any that the coin takes
	MaxLag        uint64   `toml:"max_lag"`
	MaxTipAge     Span     `toml:"max_tip_age"` // 0: by the coin's interval, outside regtest
	PayoutCap     string   `toml:"payout_cap"`
	AccountCap    string   `toml:"account_cap"`
	CapWindow     uint64   `toml:"cap_window"`
	LargePayout   string   `toml:"large_payout"`
	PayoutDelay   uint64   `toml:"payout_delay"`
}

// ETHConfig adds what only Ethereum has.
type ETHConfig struct {
	ChainConfig
	ChainID  uint64                 `toml:"chain_id"`
	Finality string                 `toml:"finality"`
	Tokens   map[string]TokenConfig `toml:"tokens"`
}

// TokenConfig is one ERC-20.
type TokenConfig struct {
	Address  string `toml:"address"`
	Decimals int    `toml:"decimals"`
	Symbol   string `toml:"symbol"`
}

// Duration is a time.Duration written as text ("3s").
type Duration struct{ time.Duration }

// UnmarshalText parses Go's duration syntax; it must be positive.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return err
	}
	if v <= 0 {
		return fmt.Errorf("%q is not a positive duration", text)
	}
	d.Duration = v
	return nil
}

// MarshalText is the inverse of UnmarshalText.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// Span is a Duration that may be zero, for "not set".
type Span struct{ time.Duration }

// UnmarshalText parses Go's duration syntax; it must not be negative.
func (s *Span) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err == nil && v < 0 {
		err = fmt.Errorf("%q is a negative duration", text)
	}
	s.Duration = v
	return err
}

// MarshalText is the inverse of UnmarshalText.
func (s Span) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// defaultConfig is what a key that is not written means.
func defaultConfig(network string) Config {
	chain := func(id string, enabled bool) ChainConfig {
		c, _ := coinOf(id)
		credentials := "user:pass@"
		if id == ethereumID { // its nodes take none
			credentials = ""
		}
		return ChainConfig{
			Enabled: enabled,
			Nodes:   []string{fmt.Sprintf("http://%s127.0.0.1:%d", credentials, c.rpcPort)},
			Quorum:  1,
			Poll:    Duration{time.Second},
			FeeMin:  c.feeMin,
			FeeMax:  c.feeMax,

			PayoutCap: "0", AccountCap: "0", CapWindow: pegs.DefaultWindow, LargePayout: "0", PayoutDelay: 1200,
		}
	}
	return Config{
		Network: network,
		HTTP:    HTTPConfig{Listen: "127.0.0.1:5000", Admin: "127.0.0.1:5001"},
		Base:    BaseConfig{Kind: "solo", Role: "sequencer", Upstream: []string{}, BlockInterval: Duration{3 * time.Second}},
		Chains: ChainsConfig{
			BTC:  chain("btc", true),
			LTC:  chain("ltc", false),
			BCH:  chain("bch", false),
			DOGE: chain("doge", false),
			ETH:  ETHConfig{ChainConfig: chain("eth", false), ChainID: 31337, Finality: "finalized"},
		},
	}
}

// configDoc is the comment that stands above each key in a written config.toml.
var configDoc = map[string]string{
	"network":                   "mainnet, testnet or regtest; must equal the genesis document's",
	"http.listen":               "public API",
	"http.admin":                "metrics, health, profiles and the operator; keep it on loopback",
	"base.kind":                 "solo (embedded sequencer); hive and comet come later",
	"base.role":                 "sequencer or follower (a follower verifies what upstream produces)",
	"base.upstream":             "a follower's upstream nodes: [\"http://host:5000\"]",
	"base.block_interval":       "longest wait of a pending operation for its block",
	"accounts.open":             "users may create accounts; otherwise only the admin",
	"chains.*.enabled":          "follow this chain and serve its peg",
	"chains.*.nodes":            "node RPC addresses with credentials",
	"chains.*.quorum":           "nodes that must agree on every block",
	"chains.*.confirmations":    "depth at which a deposit is credited; 0: by exposure",
	"chains.*.start_height":     "height from which our scripts may have been paid",
	"chains.*.poll":             "how often nodes are asked",
	"chains.*.fee_min":          "lowest miner fee rate: sat/vB (ETH: gwei)",
	"chains.*.fee_max":          "highest miner fee rate: sat/vB (ETH: gwei)",
	"chains.*.min_version":      "lowest version number that a node may have (getnetworkinfo), beside what the coin demands; 0: any",
	"chains.*.max_lag":          "blocks that the nodes may be behind before minting and payouts halt; 0: an hour's worth (BTC and BCH 12, LTC 24, DOGE 60)",
	"chains.*.max_tip_age":      "age of the newest block at which minting and payouts halt; 0s: 18 blocks' time, never on regtest",
	"chains.*.payout_cap":       "coins paid out within cap_window at most; 0: no cap",
	"chains.*.account_cap":      "the same for each account; 0: no cap",
	"chains.*.cap_window":       "base blocks that the caps are about (28800 are at least a day)",
	"chains.*.large_payout":     "coins from which a withdrawal waits payout_delay and can be vetoed; 0: none",
	"chains.*.payout_delay":     "base blocks that a large withdrawal waits",
	"chains.eth.chain_id":       "EIP-155 chain id",
	"chains.eth.finality":       "block tag at which deposits are credited: finalized, safe or latest",
	"chains.eth.tokens.*":       "ERC-20 tokens, one section each",
	"chains.eth.tokens.address": "token contract",
}

// loadConfig reads a file strictly, then the environment, then checks.
func loadConfig(path string, environ []string) (Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Config{}, err
	}
	cfg := defaultConfig("")
	dec := toml.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&cfg); err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, configError(err))
	}
	if err := cfg.applyEnviron(environ); err != nil {
		return Config{}, err
	}
	return cfg, cfg.validate()
}

// configError names the line of what the decoder did not like.
func configError(err error) error {
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) && len(strict.Errors) > 0 {
		row, _ := strict.Errors[0].Position()
		return fmt.Errorf("line %d: unknown key %q", row, strings.Join(strict.Errors[0].Key(), "."))
	}
	var bad *toml.DecodeError
	if errors.As(err, &bad) {
		row, column := bad.Position()
		return fmt.Errorf("line %d, column %d: %s", row, column, bad.Error())
	}
	return err
}

// setting is one key of the configuration: its dotted path and its place.
type setting struct {
	path  string
	value reflect.Value
}

// settings lists every scalar and list key in the order of the struct.
func (c *Config) settings() []setting {
	var out []setting
	var walk func(prefix string, v reflect.Value)
	walk = func(prefix string, v reflect.Value) {
		for i := range v.NumField() {
			field, value := v.Type().Field(i), v.Field(i)
			if field.Anonymous {
				walk(prefix, value)
				continue
			}
			path := prefix + field.Tag.Get("toml")
			_, text := value.Addr().Interface().(encoding.TextUnmarshaler)
			switch {
			case value.Kind() == reflect.Struct && !text:
				walk(path+".", value)
			case value.Kind() == reflect.Map:
			default:
				out = append(out, setting{path, value})
			}
		}
	}
	walk("", reflect.ValueOf(c).Elem())
	return out
}

// environName is the environment variable of a key.
func environName(path string) string {
	return "CAUSEWAY_" + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}

// applyEnviron overrides keys by CAUSEWAY_… variables. A variable that begins
// like one of our sections and names no key is an error, as in the file.
func (c *Config) applyEnviron(environ []string) error {
	known := map[string]setting{}
	for _, s := range c.settings() {
		known[environName(s.path)] = s
	}
	if err := c.tokenSettings(environ, known); err != nil {
		return err
	}
	sections := []string{"CAUSEWAY_NETWORK", "CAUSEWAY_HTTP_", "CAUSEWAY_BASE_", "CAUSEWAY_ACCOUNTS_", "CAUSEWAY_CHAINS_"}
	for _, pair := range environ {
		name, text, _ := strings.Cut(pair, "=")
		s, ok := known[name]
		if !ok {
			if slices.ContainsFunc(sections, func(p string) bool { return strings.HasPrefix(name, p) }) {
				return fmt.Errorf("environment: %s names no key of the configuration", name)
			}
			continue
		}
		if err := s.set(text); err != nil {
			return fmt.Errorf("environment: %s: %w", name, err)
		}
	}
	return nil
}

func (s setting) set(text string) error {
	if u, ok := s.value.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	switch s.value.Kind() {
	case reflect.String:
		s.value.SetString(text)
	case reflect.Bool:
		v, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", text)
		}
		s.value.SetBool(v)
	case reflect.Int:
		v, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", text)
		}
		s.value.SetInt(int64(v))
	case reflect.Uint64:
		v, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", text)
		}
		s.value.SetUint(v)
	case reflect.Slice:
		list := []string{}
		for item := range strings.SplitSeq(text, ",") {
			if item = strings.TrimSpace(item); item != "" {
				list = append(list, item)
			}
		}
		s.value.Set(reflect.ValueOf(list))
	default:
		return fmt.Errorf("a %s cannot be set by the environment", s.value.Kind())
	}
	return nil
}

// text writes the configuration with every key explained.
func (c Config) text() string {
	var b strings.Builder
	b.WriteString("# Causeway. Every key may also be set by an environment variable:\n# dots become _, upper case, prefix CAUSEWAY_ (CAUSEWAY_CHAINS_BTC_NODES).\n")
	section := ""
	for _, s := range c.settings() {
		key := s.path
		if i := strings.LastIndex(s.path, "."); i >= 0 {
			key = s.path[i+1:]
			if s.path[:i] != section {
				section = s.path[:i]
				fmt.Fprintf(&b, "\n[%s]\n", section)
			}
		}
		fmt.Fprintf(&b, "# %s\n%s = %s\n", describe(s.path), key, s.literal())
	}
	b.WriteString("\n# " + configDoc["chains.eth.tokens.*"] + ":\n# [chains.eth.tokens.USDC]\n# address = \"0x…\"\n# decimals = 6\n# symbol = \"SWAP.USDC\"\n")
	for _, name := range slices.Sorted(maps.Keys(c.Chains.ETH.Tokens)) {
		t := c.Chains.ETH.Tokens[name]
		fmt.Fprintf(&b, "[%s.%s]\naddress = %q\ndecimals = %d\nsymbol = %q\n", tokensPath, name, t.Address, t.Decimals, t.Symbol)
	}
	return b.String()
}

func describe(path string) string {
	if doc, ok := configDoc[path]; ok {
		return doc
	}
	parts := strings.Split(path, ".")
	if len(parts) == 3 {
		return configDoc[parts[0]+".*."+parts[2]]
	}
	return ""
}

func (s setting) literal() string {
	switch v := s.value.Interface().(type) {
	case Duration:
		return strconv.Quote(v.String())
	case Span:
		return strconv.Quote(v.String())
	case string:
		return strconv.Quote(v)
	case []string:
		quoted := make([]string, len(v))
		for i, item := range v {
			quoted[i] = strconv.Quote(item)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	default:
		return fmt.Sprint(v)
	}
}

func (c *Config) validate() error {
	oneOf := func(path, value string, allowed ...string) error {
		if !slices.Contains(allowed, value) {
			return fmt.Errorf("config: %s: %q is not one of %s", path, value, strings.Join(allowed, ", "))
		}
		return nil
	}
	if err := errors.Join(
		oneOf("network", c.Network, "mainnet", "testnet", "regtest"),
		oneOf("base.kind", c.Base.Kind, "solo", "hive", "comet"),
		oneOf("base.role", c.Base.Role, "sequencer", "follower"),
		oneOf("chains.eth.finality", c.Chains.ETH.Finality, "finalized", "safe", "latest"),
	); err != nil {
		return err
	}
	if c.Base.Role == "follower" && len(c.Base.Upstream) == 0 {
		return errors.New("config: base.upstream is empty: a follower needs a node to follow")
	}
	for path, address := range map[string]string{"http.listen": c.HTTP.Listen, "http.admin": c.HTTP.Admin} {
		if _, _, err := net.SplitHostPort(address); err != nil {
			return fmt.Errorf("config: %s: %w", path, err)
		}
	}
	for name, chain := range c.Chains.byID() {
		if !chain.Enabled {
			continue
		}
		if len(chain.Nodes) == 0 {
			return fmt.Errorf("config: chains.%s.nodes is empty", name)
		}
		if chain.Quorum < 1 || chain.Quorum > len(chain.Nodes) || 2*chain.Quorum <= len(chain.Nodes) {
			return fmt.Errorf("config: chains.%s.quorum: %d of %d nodes: more than half of them must agree", name, chain.Quorum, len(chain.Nodes))
		}
	}
	return c.Chains.ETH.validateTokens()
}

// sections are the chains' common sections by their ids.
func (c *ChainsConfig) sections() map[string]*ChainConfig {
	return map[string]*ChainConfig{"btc": &c.BTC, "ltc": &c.LTC, "bch": &c.BCH, "doge": &c.DOGE, ethereumID: &c.ETH.ChainConfig}
}

// byID are copies of sections.
func (c *ChainsConfig) byID() map[string]ChainConfig {
	copies := map[string]ChainConfig{}
	for id, section := range c.sections() {
		copies[id] = *section
	}
	return copies
}
