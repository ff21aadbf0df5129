package market

import "testing"

// TestCover: a buy order wants no more than what it has locked pays for, also
// where the quotient is rounded up at its 20th decimal.
func TestCover(t *testing.T) {
	tests := []struct{ quantity, price, locked, want string }{
		{"3.00000000", "2.00000000", "6.00000000", "3.00000000"},
		{"3.00000000", "2.00000000", "5.99999999", "2.99999999"},
		{"3.00000000", "0.30000000", "0.10000000", "0.33333333"},
		{"0.00000002", "1000000.00000001", "0.01000000", "0.00000000"},
		{"0.00000005", "1000000.00000001", "0.03000001", "0.00000003"},
		{"1.00000000", "1.00000000", "0.00000000", "0.00000000"},
	}
	for _, tt := range tests {
		r := &run{edition: current(), pair: pair{basePrecision: 8, quotePrecision: 8}}
		o := &order{quantity: read(tt.quantity), price: read(tt.price), locked: read(tt.locked)}
		if r.cover(o); o.quantity.text != tt.want {
			t.Errorf("%s at %s for %s: %s, want %s", tt.quantity, tt.price, tt.locked, o.quantity.text, tt.want)
		}
	}
}
