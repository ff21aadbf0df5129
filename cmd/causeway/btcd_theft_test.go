package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil/v2/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/tyler-smith/go-bip39"

	"causeway/chains"
	"causeway/chains/utxo"
	"causeway/gateway"
)

// thief holds the seed and derives keys by the published rule, with none of the
// project's code.
type thief struct {
	t       *testing.T
	account *hdkeychain.ExtendedKey // m/84'/0'/0'
}

func newThief(t *testing.T) *thief {
	key, err := hdkeychain.NewMaster(bip39.NewSeed(testMnemonic, ""), &chaincfg.RegressionNetParams)
	must(t, err)
	for _, index := range []uint32{84, 0, 0} {
		key, err = key.Derive(hdkeychain.HardenedKeyStart + index)
		must(t, err)
	}
	return &thief{t: t, account: key}
}

// depositKey is p + t of an account.
func (h *thief) depositKey(account string) *btcec.PrivateKey {
	private, err := h.account.ECPrivKey()
	must(h.t, err)
	mac := hmac.New(sha256.New, private.PubKey().SerializeCompressed())
	mac.Write([]byte("causeway/deposit/1\x00regtest\x00btc\x000\x00" + account))
	var tweak btcec.ModNScalar
	if tweak.SetByteSlice(mac.Sum(nil)) || tweak.IsZero() {
		h.t.Fatal("a tweak beyond the order: choose another account")
	}
	return btcec.PrivKeyFromScalar(tweak.Add(&private.Key))
}

// changeKey is m/84'/0'/0'/1/0.
func (h *thief) changeKey() *btcec.PrivateKey {
	key := h.account
	for _, index := range []uint32{1, 0} {
		var err error
		key, err = key.Derive(index)
		must(h.t, err)
	}
	private, err := key.ECPrivKey()
	must(h.t, err)
	return private
}

// steal spends a coin of the reserves to an address of the thief's.
func (h *thief) steal(s *site, key *btcec.PrivateKey, item gateway.ReserveItem) {
	h.t.Helper()
	script := append([]byte{0, 20}, address.Hash160(key.PubKey().SerializeCompressed())...)
	if want, err := s.node.Coin.Script(item.Address); err != nil || hex.EncodeToString(want) != hex.EncodeToString(script) {
		h.t.Fatalf("the derived key is not that of %s", item.Address)
	}
	to, err := s.node.Coin.Address(s.purse.script)
	must(h.t, err)
	spend(h.t, s.node, key, utxo.Input{
		Outpoint: chains.Outpoint{TxID: *item.TxID, Index: *item.Index}, Amount: coins(h.t, item.Amount),
		Script: script, Sequence: utxo.Replaceable,
	}, to, "0.0001")
	s.node.Generate(1)
}

// itemOf finds a coin of the reserves.
func itemOf(t *testing.T, r gateway.Reserves, kind, address string) gateway.ReserveItem {
	t.Helper()
	for _, item := range r.Items {
		if item.Kind == kind && (address == "" || item.Address == address) {
			return item
		}
	}
	t.Fatalf("no %s coin of %s in %s", kind, address, show(r.Items))
	return gateway.ReserveItem{}
}

// TestStolenDepositOnBtcd moves a deposited coin with the seed, outside the
// gateway.
func TestStolenDepositOnBtcd(t *testing.T) {
	t.Parallel()
	s := newSite(t, "alice", "bob")
	s.credited("alice", "1")
	s.credited("bob", "1")
	s.node.Generate(inputDepth)
	r := s.checkReserves()
	h := newThief(t)
	h.steal(s, h.depositKey("alice"), itemOf(t, r, "deposit", s.depositAddress("alice")))
	s.wantStandstill("theft of a deposit", "none of ours")
	broken := s.awaitAudit(false).Assets[0]
	if broken.Reserves != "1.00000000" || broken.Surplus != "-1.00000000" {
		t.Errorf("books after the theft: %s", show(broken))
	}
}

// TestStolenChangeOnBtcd moves the hot coins with the seed.
func TestStolenChangeOnBtcd(t *testing.T) {
	t.Parallel()
	s := newSite(t, "alice", "bob")
	s.credited("alice", "1")
	s.credited("bob", "1")
	payee, err := s.node.Coin.Address(payees()["P2PKH"])
	must(t, err)
	id := s.withdraw("alice", "0.3", payee)
	s.mineUntil("the payout", func() bool { return s.withdrawal(id).State == "settled" })
	r := s.checkReserves()
	h := newThief(t)
	h.steal(s, h.changeKey(), itemOf(t, r, "change", ""))
	s.wantStandstill("theft of change", "none of ours")
}
