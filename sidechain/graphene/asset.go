package graphene

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrAsset is wrapped by every error about an amount of coin.
var ErrAsset = errors.New("graphene: invalid asset")

// maxPrecision keeps 10^precision within int64.
const maxPrecision = 14

// Asset is an amount of a coin of the base layer, in units of
// 10^-Precision.
type Asset struct {
	Amount    int64
	Precision uint8
	Symbol    string // HIVE, HBD, VESTS, …: 1 to 7 capital letters
}

// binarySymbols: the coins were renamed in 2020, their binary form was not.
var binarySymbols = []struct{ name, binary string }{
	{"HIVE", "STEEM"},
	{"HBD", "SBD"},
}

// nais are the numeric names of coins in the newer JSON form.
var nais = []struct {
	nai, name string
	precision uint8
}{
	{"@@000000021", "HIVE", 3},
	{"@@000000013", "HBD", 3},
	{"@@000000037", "VESTS", 6},
}

func binarySymbol(name string) string {
	for _, s := range binarySymbols {
		if s.name == name {
			return s.binary
		}
	}
	return name
}

func assetSymbol(binary string) string {
	for _, s := range binarySymbols {
		if s.binary == binary {
			return s.name
		}
	}
	return binary
}

// ParseAsset reads "1.000 HIVE". The number of decimals is the precision. The
// old names STEEM and SBD are read as HIVE and HBD, whose binary form they
// share.
func ParseAsset(text string) (Asset, error) {
	number, symbol, ok := strings.Cut(text, " ")
	if !ok || !validSymbol(symbol) {
		return Asset{}, fmt.Errorf("%w: %q", ErrAsset, clip(text))
	}
	whole, decimals, point := strings.Cut(number, ".")
	digits := strings.TrimPrefix(whole, "-")
	if !allDigits(digits) || (point && !allDigits(decimals)) || len(decimals) > maxPrecision ||
		(len(digits) > 1 && digits[0] == '0') {
		return Asset{}, fmt.Errorf("%w: %q", ErrAsset, clip(text))
	}
	amount, err := strconv.ParseInt(whole+decimals, 10, 64)
	if err != nil {
		return Asset{}, fmt.Errorf("%w: %q is out of range", ErrAsset, clip(text))
	}
	return Asset{amount, uint8(len(decimals)), assetSymbol(symbol)}, nil
}

func allDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func validSymbol(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 7
}

// String is "1.000 HIVE".
func (a Asset) String() string { return a.Number() + " " + a.Symbol }

// Number is the amount without the symbol.
func (a Asset) Number() string {
	sign, digits := "", strconv.FormatInt(a.Amount, 10)
	if a.Amount < 0 {
		sign, digits = "-", digits[1:]
	}
	p := int(a.Precision)
	if p == 0 {
		return sign + digits
	}
	if len(digits) <= p {
		digits = strings.Repeat("0", p+1-len(digits)) + digits
	}
	return sign + digits[:len(digits)-p] + "." + digits[len(digits)-p:]
}

// Check says whether the asset has a binary form.
func (a Asset) Check() error {
	if !validSymbol(a.Symbol) || assetSymbol(a.Symbol) != a.Symbol || a.Precision > maxPrecision {
		return fmt.Errorf("%w: symbol %q, precision %d", ErrAsset, clip(a.Symbol), a.Precision)
	}
	return nil
}

func (a Asset) encode(e *Encoder) {
	var symbol [7]byte
	copy(symbol[:], binarySymbol(a.Symbol))
	e.I64(a.Amount)
	e.U8(a.Precision)
	e.Raw(symbol[:])
}

func (a *Asset) decode(d *Decoder) {
	a.Amount = d.I64()
	a.Precision = d.U8()
	raw := string(d.Raw(7))
	symbol := strings.TrimRight(raw, "\x00")
	a.Symbol = assetSymbol(symbol)
	if d.Err() == nil && (a.Check() != nil || binarySymbol(a.Symbol) != symbol) {
		d.Fail("asset symbol %q, precision %d", raw, a.Precision)
	}
}

// MarshalText writes "1.000 HIVE".
func (a Asset) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalJSON reads "1.000 HIVE" or
// {"amount":"1000","precision":3,"nai":"@@000000021"}.
func (a *Asset) UnmarshalJSON(b []byte) (err error) {
	if len(b) > 0 && b[0] == '{' {
		return a.unmarshalNAI(b)
	}
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return fmt.Errorf("%w: %s", ErrAsset, clip(string(b)))
	}
	*a, err = ParseAsset(text)
	return err
}

type naiAsset struct {
	Amount    string `json:"amount"`
	Precision uint8  `json:"precision"`
	NAI       string `json:"nai"`
}

func (a *Asset) unmarshalNAI(b []byte) error {
	var n naiAsset
	if err := json.Unmarshal(b, &n); err != nil {
		return fmt.Errorf("%w: %s", ErrAsset, clip(string(b)))
	}
	amount, err := strconv.ParseInt(n.Amount, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: amount %q", ErrAsset, clip(n.Amount))
	}
	for _, known := range nais {
		if known.nai == n.NAI && known.precision == n.Precision {
			*a = Asset{amount, known.precision, known.name}
			return nil
		}
	}
	return fmt.Errorf("%w: coin %q with precision %d", ErrAsset, clip(n.NAI), n.Precision)
}

// nai is the asset in the newer JSON form; a coin that has no numeric name
// keeps its symbol.
func (a Asset) nai() naiAsset {
	name := a.Symbol
	for _, known := range nais {
		if known.name == a.Symbol {
			name = known.nai
		}
	}
	return naiAsset{strconv.FormatInt(a.Amount, 10), a.Precision, name}
}
