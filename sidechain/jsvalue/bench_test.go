package jsvalue

import "testing"

const transferText = `{"contractName":"tokens","contractAction":"transfer","contractPayload":{"symbol":"SWAP.BTC","to":"bob","quantity":"0.05000000","memo":"thanks"}}`

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(transferText); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	v, err := Parse(transferText)
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendJSON(buf[:0], v)
	}
}

// BenchmarkAmounts does what a transfer does to amounts.
func BenchmarkAmounts(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		q, balance := Big("0.05000000"), Big("1234.56780000")
		if n, _ := q.DP(); n > 8 || !q.Gt(BigInt(0)) || balance.Lt(q) {
			b.Fatal("amounts")
		}
		if balance.Minus(q).ToFixedN(8) != "1234.51780000" || balance.Plus(q).ToFixedN(8) == "" {
			b.Fatal("amounts")
		}
	}
}

func BenchmarkTrade(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		price, quantity := Big("0.00123456"), Big("1234.56780000")
		if price.Times(quantity).ToFixedMode(8, RoundDown) == "" || quantity.Div(price).ToFixedN(8) == "" {
			b.Fatal("amounts")
		}
	}
}

func BenchmarkPow(b *testing.B) {
	for b.Loop() {
		Pow(23.91, 1.1)
	}
}

// BenchmarkRow makes a row as the widest of the contracts have and reads it whole.
func BenchmarkRow(b *testing.B) {
	keys := []string{
		"_id", "id", "row", "account", "symbol", "chain", "address", "quantity", "fee", "net", "feeSymbol", "ref", "block", "state", "batch",
		"closed", "reason", "timestamp", "tx", "memo",
	}
	b.ReportAllocs()
	for b.Loop() {
		o := MakeObject(len(keys))
		for _, key := range keys {
			o.Set(key, key)
		}
		for _, key := range keys {
			if _, ok := o.String(key); !ok {
				b.Fatal(key)
			}
		}
	}
}
