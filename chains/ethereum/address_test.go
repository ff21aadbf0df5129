package ethereum

import (
	"encoding/hex"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"
)

// TestAddressOf: the first two accounts of the mnemonic that every Ethereum
// development chain funds.
func TestAddressOf(t *testing.T) {
	for key, want := range map[string]string{
		"ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80": "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
		"59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
	} {
		raw, err := hex.DecodeString(key)
		if err != nil {
			t.Fatal(err)
		}
		_, public := btcec.PrivKeyFromBytes(raw)
		if got := AddressOf(public).String(); got != want {
			t.Errorf("address %s, want %s", got, want)
		}
		if back, err := ParseAddress(want); err != nil || back != AddressOf(public) {
			t.Errorf("%s reads as %s, %v", want, back, err)
		}
	}
	for _, bad := range []string{
		"", "0x", "f39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "0xF39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
		"0xf39Fd6e51aad88F6F4ce6aB8827279cffFb9226", "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb922666", "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
	} {
		if a, err := ParseAddress(bad); err == nil {
			t.Errorf("%q reads as %s", bad, a)
		}
	}
}

func TestParseHash(t *testing.T) {
	const text = "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"
	if h, err := ParseHash(text); err != nil || h.String() != text {
		t.Errorf("%s, %v", h, err)
	}
	for _, bad := range []string{"", text[2:], text[:65], text + "0", "0XD" + text[3:], "0xD" + text[3:], "0xg" + text[3:]} {
		if h, err := ParseHash(bad); err == nil {
			t.Errorf("%q reads as %s", bad, h)
		}
	}
}
