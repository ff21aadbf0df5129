package devnet

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/btcsuite/btcd/btcutil/v2"
)

const coin = btcutil.SatoshiPerBitcoin

var errAmount = errors.New("invalid amount")

// formatAmount prints satoshi as a JSON number with exactly eight decimals,
// from integers alone.
func formatAmount(sat int64) json.Number {
	sign := ""
	mag := uint64(sat)
	if sat < 0 {
		sign, mag = "-", -mag
	}
	frac := strconv.FormatUint(mag%coin, 10)
	return json.Number(sign + strconv.FormatUint(mag/coin, 10) + "." +
		strings.Repeat("0", 8-len(frac)) + frac)
}

// floatAmount prints satoshi the way a careless node does: with an exponent
// when small, and one binary ulp off (0.3 as 0.30000000000000004) otherwise, as
// long as that is less than half a satoshi. Rounded to eight decimals it is
// still the right amount.
func floatAmount(sat int64) json.Number {
	f := float64(sat) / coin
	if mag := math.Abs(f); mag >= 1e-4 && mag < 1<<23 {
		f = math.Nextafter(f, math.Inf(1))
	}
	text := strconv.FormatFloat(f, 'g', -1, 64)
	if f == 0 {
		text = "0.0"
	}
	return json.Number(text)
}

// parseAmount reads a decimal number of coins, as a JSON number or the text of
// one, without passing through floats. Like Bitcoin Core it takes exponents,
// but no digit beyond the eighth decimal that is not zero.
func parseAmount(text string) (int64, error) {
	if len(text) > 64 {
		return 0, errAmount
	}
	var probe json.Number
	if err := json.Unmarshal([]byte(text), &probe); err != nil || probe.String() != text {
		return 0, errAmount
	}
	mantissa, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	shift := 0
	if exponent != "" {
		n, err := strconv.Atoi(exponent)
		if err != nil || n < -30 || n > 30 {
			return 0, errAmount
		}
		shift = n
	}
	digits, negative := strings.CutPrefix(mantissa, "-")
	whole, frac, _ := strings.Cut(digits, ".")
	digits = whole + frac
	shift += 8 - len(frac) // digits * 10^shift satoshi
	for ; shift < 0; shift++ {
		if !strings.HasSuffix(digits, "0") && digits != "" {
			return 0, errAmount
		}
		digits = strings.TrimSuffix(digits, "0")
	}
	digits = strings.TrimLeft(digits, "0")
	if digits == "" {
		return 0, nil
	}
	sat, err := strconv.ParseInt(digits+strings.Repeat("0", shift), 10, 64)
	if err != nil {
		return 0, errAmount
	}
	if negative {
		sat = -sat
	}
	return sat, nil
}
