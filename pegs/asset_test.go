package pegs

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"causeway/chains"

	"pgregory.net/rapid"
)

func TestConversion(t *testing.T) {
	ether := Asset{Symbol: "SWAP.ETH", Chain: chains.ETH, Precision: 8, Decimals: 18, MinDeposit: "0.00000001"}
	for _, c := range []struct {
		asset               Asset
		amount              string
		quantity, remainder string
	}{
		{testAsset, "1", "0.00000001", "0"},
		{testAsset, "2100000000000000", "21000000.00000000", "0"},
		{ether, "1", "0.00000000", "1"},
		{ether, "9999999999", "0.00000000", "9999999999"},
		{ether, "1234567890123456789", "1.23456789", "123456789"},
		{Asset{Precision: 8, Decimals: 6}, "1", "0.00000100", "0"},
	} {
		amount, err := chains.ParseAmount(c.amount)
		if err != nil {
			t.Fatal(err)
		}
		quantity, remainder, err := c.asset.Quantity(amount)
		if err != nil || quantity != c.quantity || remainder.String() != c.remainder {
			t.Errorf("%s of %s: %s and %s, %v", c.amount, c.asset.Symbol, quantity, remainder, err)
		}
	}
	for _, text := range []string{"", "x", "-1", "0.000000001", "1e1000000000", "1,5", "NaN"} {
		if _, err := testAsset.Amount(text); !errors.Is(err, ErrAsset) {
			t.Errorf("amount %q: %v", text, err)
		}
	}
	if below, err := ether.BelowMinimum(chains.NewAmount(9_999_999_999)); err != nil || !below {
		t.Errorf("what rounds to nothing: %v, %v", below, err)
	}
}

// Nobody gains by conversion: quantity and remainder are the amount again.
func TestConversionLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		asset := Asset{Precision: rapid.IntRange(0, 8).Draw(t, "precision"), Decimals: rapid.IntRange(0, 18).Draw(t, "decimals")}
		amount := chains.NewAmount(rapid.Uint64().Draw(t, "amount"))
		quantity, remainder, err := asset.Quantity(amount)
		if err != nil {
			t.Fatal(err)
		}
		back, err := asset.Amount(quantity)
		if err != nil {
			t.Fatal(err)
		}
		if sum, err := back.Add(remainder); err != nil || sum != amount {
			t.Fatalf("%s became %s and %s", amount, quantity, remainder)
		}
	})
}

func TestRecords(t *testing.T) {
	r := Record{Seq: 1, At: time.Unix(5, 0).UTC(), Base: BaseRef{3, "three"}, Event: &Returned{Withdrawal: "w", Tx: "t"}}
	text, link, err := r.Encode(Link{})
	if err != nil {
		t.Fatal(err)
	}
	back, again, err := DecodeRecord(text, 1, Link{})
	if err != nil || again != link || back.Base != r.Base || !back.At.Equal(r.At) || *back.Event.(*Returned) != *r.Event.(*Returned) {
		t.Errorf("read back %+v, %v", back, err)
	}
	for i := range text {
		bad := append([]byte(nil), text...)
		bad[i] ^= 1
		if _, _, err := DecodeRecord(bad, 1, Link{}); !errors.Is(err, ErrRecord) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
		if _, _, err := DecodeRecord(text[:i], 1, Link{}); !errors.Is(err, ErrRecord) {
			t.Fatalf("cut at byte %d: %v", i, err)
		}
	}
	for name, try := range map[string]func() error{
		"another place": func() error { _, _, err := DecodeRecord(text, 2, Link{}); return err },
		"another log":   func() error { _, _, err := DecodeRecord(text, 1, Link{1}); return err },
	} {
		if err := try(); !errors.Is(err, ErrRecord) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, bad := range []string{
		`{"v":2,"seq":1,"kind":"returned","at":"2026-01-01T00:00:00Z","data":{}}`,
		`{"v":1,"seq":1,"kind":"unheard","at":"2026-01-01T00:00:00Z","data":{}}`,
		`{"v":1,"seq":1,"kind":"returned","at":"2026-01-01T00:00:00Z","data":{"more":1}}`,
		`{"v":1,"seq":1,"kind":"returned","at":"2026-01-01T00:00:00Z","data":{}} {}`,
	} {
		link := linkOf(Link{}, []byte(bad))
		if _, _, err := DecodeRecord(append(link[:], bad...), 1, Link{}); !errors.Is(err, ErrRecord) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// Whatever a record says, applying it to an empty state does not panic.
func FuzzDecodeRecord(f *testing.F) {
	for _, e := range []Event{
		&Configured{Chain: chains.BTC}, &Connected{Chain: chains.BTC}, planFor([]string{"w"}, at("t", 0)), &Halted{Chain: chains.BTC},
	} {
		text, _, err := Record{Seq: 1, Event: e}.Encode(Link{})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text[len(Link{}):])
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		link := linkOf(Link{}, text)
		r, _, err := DecodeRecord(append(link[:], text...), 1, Link{})
		if err != nil {
			return
		}
		if _, err := json.Marshal(r.Event); err != nil {
			t.Fatal(err)
		}
		_ = NewState().Apply(r)
	})
}
