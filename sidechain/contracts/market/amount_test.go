package market

import (
	"strings"
	"testing"
)

func TestDecimalText(t *testing.T) {
	nines := strings.Repeat("9", 34)
	for plain, want := range map[string]string{
		"0.234":                       "0.234",
		"3.00000000":                  "3.00000000",
		"0.00000001":                  "1E-8",
		"0.00000010":                  "1.0E-7",
		"0.00000099":                  "9.9E-7",
		"0.00000100":                  "0.00000100",
		"0.00001234":                  "0.00001234",
		"0.00000000":                  "0E-8",
		"0.00":                        "0.00",
		"0":                           "0",
		"12":                          "12",
		"9007199254740991.00000000":   "9007199254740991.00000000",
		"Infinity":                    "Infinity",
		"1" + strings.Repeat("0", 33): "1" + strings.Repeat("0", 33),
		"1" + strings.Repeat("0", 34): "1." + strings.Repeat("0", 33) + "E+34",
		"1" + strings.Repeat("0", 30) + ".00000000": "1" + strings.Repeat("0", 30) + ".000",
		nines + ".4":                       nines,
		nines + ".5":                       "1." + strings.Repeat("0", 33) + "E+34",
		strings.Repeat("2", 34) + ".5":     strings.Repeat("2", 34),
		strings.Repeat("2", 34) + ".50001": strings.Repeat("2", 33) + "3",
	} {
		if got := decimalText(plain); got != want {
			t.Errorf("%s: %s, want %s", plain, got, want)
		}
	}
}
