package ethereum

import (
	"errors"
	"reflect"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"

	"causeway/chains"
)

func someTransaction() Transaction {
	return Transaction{
		ChainID: 31337, Nonce: 7, To: Address{1, 2, 3}, Value: NewWei(1e18), Data: []byte{1, 2, 3, 4}, Gas: 65_000,
		Price: Price{Max: NewWei(2_000_000_000), Tip: NewWei(1_000_000_000)},
	}
}

// TestUnsigned: the bytes are those whose hash is signed, and read back.
func TestUnsigned(t *testing.T) {
	for _, tx := range []Transaction{someTransaction(), {ChainID: 1, Gas: 21_000}} {
		raw, err := tx.Unsigned()
		if err != nil {
			t.Fatal(err)
		}
		if Hash(crypto.Keccak256(raw)) != tx.SigHash() {
			t.Error("another hash is signed")
		}
		got, err := DecodeUnsigned(raw)
		if err != nil {
			t.Fatal(err)
		}
		got.Data = append([]byte(nil), got.Data...)
		if !reflect.DeepEqual(*got, tx) {
			t.Errorf("%+v read back as %+v", tx, got)
		}
		for _, bad := range [][]byte{nil, {2}, raw[1:], append([]byte{1}, raw[1:]...), append(raw[:len(raw):len(raw)], 0), raw[:len(raw)-1]} {
			if _, err := DecodeUnsigned(bad); !errors.Is(err, chains.ErrBadTransaction) {
				t.Errorf("%x: %v", bad, err)
			}
		}
	}
	for name, tx := range map[string]Transaction{"no chain": {Gas: 1}, "no gas": {ChainID: 1}, "tip": {ChainID: 1, Gas: 1, Price: Price{Tip: NewWei(1)}}} {
		if _, err := tx.Unsigned(); err == nil {
			t.Errorf("%s: it has bytes", name)
		}
	}
}

// FuzzDecodeUnsigned: what is read has one form, and nothing panics.
func FuzzDecodeUnsigned(f *testing.F) {
	tx := someTransaction()
	raw, err := tx.Unsigned()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte{2, 0xc0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		tx, err := DecodeUnsigned(raw)
		if err != nil {
			if !errors.Is(err, chains.ErrBadTransaction) {
				t.Error(err)
			}
			return
		}
		again, err := tx.Unsigned()
		if err != nil || string(again) != string(raw) {
			t.Errorf("%x became %x: %v", raw, again, err)
		}
	})
}
