package ethereum

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/big"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"causeway/chains"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(text[2:])
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

var testTransaction = Transaction{
	ChainID: 1, Nonce: 9, To: account(1), Value: NewWei(5), Data: []byte{1, 2}, Gas: 50_000,
	Price: Price{Max: NewWei(30e9), Tip: NewWei(1e9)},
}

// TestVariant: what differs in anything but the price is another payment.
func TestVariant(t *testing.T) {
	key := testKey(t)
	base := must[*Signed](t)(testTransaction.Sign(key))
	for name, change := range map[string]func(*Transaction){
		"nonce": func(tx *Transaction) { tx.Nonce++ },
		"chain": func(tx *Transaction) { tx.ChainID++ },
		"to":    func(tx *Transaction) { tx.To = account(2) },
		"value": func(tx *Transaction) { tx.Value = NewWei(6) },
		"data":  func(tx *Transaction) { tx.Data = []byte{1, 3} },
		"gas":   func(tx *Transaction) { tx.Gas++ },
	} {
		tx := testTransaction
		change(&tx)
		if s := must[*Signed](t)(tx.Sign(key)); s.VariantOf(base) || base.VariantOf(s) {
			t.Errorf("another %s is a variant", name)
		}
	}
	dearer := testTransaction
	dearer.Price = Price{Max: NewWei(40e9), Tip: NewWei(2e9)}
	s := must[*Signed](t)(dearer.Sign(key))
	if !s.VariantOf(base) || !base.VariantOf(s) || s.Hash == base.Hash {
		t.Error("a dearer one is no variant")
	}
	other, _ := btcec.PrivKeyFromBytes([]byte{1})
	if must[*Signed](t)(testTransaction.Sign(other)).VariantOf(base) {
		t.Error("that of another account is a variant")
	}
	if cost, err := testTransaction.MaxCost(); err != nil || cost != NewWei(30e9*50_000+5) {
		t.Errorf("cost %s, %v", cost, err)
	}
}

// TestSignRefuses: what no node would take is not signed.
func TestSignRefuses(t *testing.T) {
	for name, change := range map[string]func(*Transaction){
		"chain id": func(tx *Transaction) { tx.ChainID = 0 },
		"gas":      func(tx *Transaction) { tx.Gas = 0 },
		"tip":      func(tx *Transaction) { tx.Price.Tip = NewWei(31e9) },
		"size":     func(tx *Transaction) { tx.Data = make([]byte, MaxTransaction) },
	} {
		tx := testTransaction
		change(&tx)
		if s, err := tx.Sign(testKey(t)); err == nil {
			t.Errorf("%s: signed %s", name, s.Hash)
		}
	}
}

// TestDecodeRefuses: only what Sign makes is read.
func TestDecodeRefuses(t *testing.T) {
	key := testKey(t)
	good := must[*Signed](t)(testTransaction.Sign(key))
	sign := func(inner types.TxData) []byte {
		signer := types.LatestSignerForChainID(big.NewInt(1))
		ecdsa := key.ToECDSA()
		tx, err := types.SignNewTx(ecdsa, signer, inner)
		if err != nil {
			t.Fatal(err)
		}
		return must[[]byte](t)(tx.MarshalBinary())
	}
	to := common.Address(account(1))
	mutate := func(change func(*types.DynamicFeeTx)) []byte {
		inner := testTransaction.inner()
		change(inner)
		return sign(inner)
	}
	var high types.Transaction // the other s of the same signature
	if err := high.UnmarshalBinary(good.Raw); err != nil {
		t.Fatal(err)
	}
	v, r, s := high.RawSignatureValues()
	inner := testTransaction.inner()
	inner.V, inner.R, inner.S = new(big.Int).Xor(v, big.NewInt(1)), r, new(big.Int).Sub(btcec.S256().N, s)
	malleated := must[[]byte](t)(types.NewTx(inner).MarshalBinary())
	for name, raw := range map[string][]byte{
		"empty":       {},
		"type only":   {2},
		"legacy":      sign(&types.LegacyTx{Nonce: 1, To: &to, Gas: 21000, GasPrice: big.NewInt(1), Value: big.NewInt(1)}),
		"access list": sign(&types.AccessListTx{ChainID: big.NewInt(1), To: &to, Gas: 21000, GasPrice: big.NewInt(1), Value: big.NewInt(1)}),
		"creation":    mutate(func(i *types.DynamicFeeTx) { i.To = nil }),
		"accesses":    mutate(func(i *types.DynamicFeeTx) { i.AccessList = types.AccessList{{Address: to}} }),
		"no gas":      mutate(func(i *types.DynamicFeeTx) { i.Gas = 0 }),
		"tip":         mutate(func(i *types.DynamicFeeTx) { i.GasTipCap = new(big.Int).Add(i.GasFeeCap, big.NewInt(1)) }),
		"high s":      malleated,
		"unsigned":    must[[]byte](t)(types.NewTx(testTransaction.inner()).MarshalBinary()),
		"trailing":    append(bytes.Clone(good.Raw), 0),
		"cut":         good.Raw[:len(good.Raw)-1],
		"huge":        make([]byte, MaxTransaction+1),
	} {
		if s, err := Decode(raw); !errors.Is(err, chains.ErrBadTransaction) {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}

// TestSignDecode: what is signed is what is decoded, and go-ethereum's own signer
// makes the same bytes.
func TestSignDecode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wei := func(name string) Wei {
			return weiOfWord(rapid.SliceOfN(rapid.Byte(), 0, 16).Draw(t, name))
		}
		tx := Transaction{
			ChainID: rapid.Uint64Range(1, 1<<62).Draw(t, "chain"), Nonce: rapid.Uint64Range(0, 1<<62).Draw(t, "nonce"),
			To: Address(rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "to")), Value: wei("value"),
			Data: rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "data"), Gas: rapid.Uint64Range(1, 1<<40).Draw(t, "gas"),
			Price: Price{Max: wei("max"), Tip: wei("tip")},
		}
		if tx.Price.Max.Less(tx.Price.Tip) {
			tx.Price.Max, tx.Price.Tip = tx.Price.Tip, tx.Price.Max
		}
		raw := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key")
		raw[0], raw[31] = raw[0]&0x7f, raw[31]|1
		key, _ := btcec.PrivKeyFromBytes(raw)
		s, err := tx.Sign(key)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := types.SignNewTx(key.ToECDSA(), types.NewLondonSigner(new(big.Int).SetUint64(tx.ChainID)), tx.inner())
		if err != nil {
			t.Fatal(err)
		}
		again, err := theirs.MarshalBinary()
		if err != nil || !bytes.Equal(again, s.Raw) {
			t.Fatalf("%x, go-ethereum %x, %v", s.Raw, again, err)
		}
		if s.From != AddressOf(key.PubKey()) || s.Hash != Hash(theirs.Hash()) {
			t.Fatalf("%s from %s", s.Hash, s.From)
		}
		text, err := json.Marshal(tx)
		var back Transaction
		if err != nil || json.Unmarshal(text, &back) != nil || !back.same(&tx) || back.Price != tx.Price {
			t.Fatalf("%s: %s", text, cmp.Diff(tx, back))
		}
	})
}

func FuzzDecode(f *testing.F) {
	s, err := testTransaction.Sign(testKey(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(s.Raw)
	f.Add([]byte{2, 0xc0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := Decode(raw)
		if err != nil {
			if !errors.Is(err, chains.ErrBadTransaction) {
				t.Fatal(err)
			}
			return
		}
		tx := types.NewTx(s.inner())
		var read types.Transaction
		if err := read.UnmarshalBinary(raw); err != nil {
			t.Fatal(err)
		}
		back, err := read.MarshalBinary()
		if err != nil || !bytes.Equal(back, raw) {
			t.Fatalf("%x is written %x", raw, back)
		}
		if got := types.NewLondonSigner(read.ChainId()).Hash(tx); Hash(got) != s.SigHash() {
			t.Fatal("another digest")
		}
	})
}
