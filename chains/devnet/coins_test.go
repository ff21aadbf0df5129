package devnet

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"causeway/chains"
	"causeway/chains/bitcoin"
	"causeway/chains/bitcoincash"
	"causeway/chains/dogecoin"
	"causeway/chains/litecoin"
	"causeway/chains/utxo"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// everyCoin lists the flavours with the project's own codecs.
func everyCoin(t testing.TB) map[chains.ID]struct {
	Params
	coin *utxo.Coin
} {
	t.Helper()
	all := map[chains.ID]struct {
		Params
		coin *utxo.Coin
	}{}
	for _, c := range []struct {
		params  Params
		newCoin func(chains.Network) (*utxo.Coin, error)
	}{{Bitcoin(), bitcoin.New}, {Litecoin(), litecoin.New}, {BitcoinCash(), bitcoincash.New}, {Dogecoin(), dogecoin.New}} {
		coin, err := c.newCoin(chains.Regtest)
		if err != nil {
			t.Fatal(err)
		}
		all[coin.ID()] = struct {
			Params
			coin *utxo.Coin
		}{c.params, coin}
	}
	return all
}

// TestCoins: every flavour pays, mines, reorganises and starts again, and every
// block of it is one for the project's own decoder, with the same content.
func TestCoins(t *testing.T) {
	for id, flavour := range everyCoin(t) {
		t.Run(string(id), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			_, c := start(t, Config{Params: flavour.Params, Dir: dir})
			to := c.text("getnewaddress")
			if script, err := flavour.coin.Script(to); err != nil || flavour.Addresses.Encode(script) != to {
				t.Fatalf("address %s: %x, %v", to, script, err)
			}
			mustEqual(t, "probe", flavour.coin.Probe() == "" || ask[map[string]any](c, "validateaddress", flavour.coin.Probe())["isvalid"] == true, true)
			var paid []string
			for range 3 {
				paid = append(paid, c.text("sendtoaddress", to, 7))
			}
			block := c.mine(1)[0]
			for _, txid := range paid {
				if _, value := c.outputTo(txid, to); value != "7.00000000" {
					t.Errorf("paid %s", value)
				}
			}
			c.null("invalidateblock", block)
			mustEqual(t, "back in the mempool", len(c.mempool()), 3)
			c.mine(2)
			mustEqual(t, "mempool", len(c.mempool()), 0)
			checkBlocks(t, c, flavour.coin)
			before := c.snapshot()
			_, killed := start(t, Config{Params: flavour.Params, Dir: copyDir(t, dir)})
			mustEqual(t, "after a kill", killed.snapshot(), before)
		})
	}
}

// checkBlocks holds the project's decoder against the node's JSON.
func checkBlocks(t *testing.T, c client, coin *utxo.Coin) {
	t.Helper()
	mustEqual(t, "genesis", c.text("getblockhash", 0), coin.Genesis())
	for height := range c.count() + 1 {
		hash := c.text("getblockhash", height)
		raw, err := hex.DecodeString(c.text("getblock", hash, 0))
		if err != nil {
			t.Fatal(err)
		}
		block, err := coin.DecodeBlock(raw, hash)
		if err != nil {
			t.Fatalf("block %d: %v", height, err)
		}
		shown := ask[struct{ Tx []txJSON }](c, "getblock", hash, 2)
		at := 0
		for i, tx := range shown.Tx {
			mustEqual(t, "txid", block.Transactions[i], tx.TxID)
			for _, out := range tx.Vout {
				got := block.Outputs[at]
				at++
				amount, err := chains.FromCoin(out.Value.String(), 8)
				if err != nil || got.Amount != amount || hex.EncodeToString(got.Script) != out.ScriptPubKey.Hex || got.MinDepth != 0 || got.Tokens {
					t.Fatalf("block %d: %+v, node says %+v", height, got, out)
				}
			}
		}
		mustEqual(t, "outputs", len(block.Outputs), at)
	}
}

// TestOwnSignatures: what the project signs is taken by every flavour, and what
// is forged is not.
func TestOwnSignatures(t *testing.T) {
	for id, flavour := range everyCoin(t) {
		t.Run(string(id), func(t *testing.T) {
			t.Parallel()
			_, c := start(t, Config{Params: flavour.Params})
			key, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{5}, 32))
			script := keyScript(key.PubKey(), formPubKeyHash)
			to, err := flavour.coin.Address(script)
			if err != nil {
				t.Fatal(err)
			}
			txid := c.text("sendtoaddress", to, 3)
			c.mine(1)
			index, _ := c.outputTo(txid, to)
			spend := func(fee uint64, lie uint64) *utxo.Signed {
				draft, err := flavour.coin.Draft(
					[]utxo.Input{{Outpoint: chains.Outpoint{TxID: txid, Index: uint32(index)}, Amount: chains.NewAmount(3e8 + lie), Script: script, Sequence: utxo.Replaceable}},
					[]utxo.Payee{{Script: script, Amount: chains.NewAmount(3e8 - fee)}}, 0)
				if err != nil {
					t.Fatal(err)
				}
				signed, err := draft.Sign(func([]byte) (*btcec.PrivateKey, error) { return key, nil })
				if err != nil {
					t.Fatal(err)
				}
				return signed
			}
			fee := uint64(flavour.Fees.Wallet)
			signed := spend(fee, 0)
			forged := bytes.Clone(signed.Raw)
			forged[len(forged)-1] ^= 1 // lock time
			c.refuse(codeRejected, "", "sendrawtransaction", hex.EncodeToString(forged))
			if id == chains.BCH { // its digest holds the amount
				c.refuse(codeRejected, "mandatory-script-verify-flag-failed", "sendrawtransaction", hex.EncodeToString(spend(fee, 1).Raw))
			}
			mustEqual(t, "txid", c.text("sendrawtransaction", hex.EncodeToString(signed.Raw)), signed.TxID)
			bump, failure := c.try("sendrawtransaction", hex.EncodeToString(spend(3*fee, 0).Raw))
			if !flavour.coin.Facts().Replaceable {
				if failure == nil || !strings.Contains(failure.Message, "txn-mempool-conflict") {
					t.Errorf("a replacement: %s, %v", bump, failure)
				}
			} else if failure != nil {
				t.Errorf("a replacement: %v", failure)
			}
			c.mine(1)
			mustEqual(t, "mempool", len(c.mempool()), 0)
		})
	}
}

// TestCashRules: what sets Bitcoin Cash apart.
func TestCashRules(t *testing.T) {
	chain, c := start(t, Config{Params: BitcoinCash()})
	s := newSpender(t, chain)
	// A signature without fork id.
	plain := s.tx(100_000, final, chain.wallet.change)
	coins := chain.spendable()[:1]
	previous := txscript.NewCannedPrevOutputFetcher(coins[0].script, coins[0].value)
	key := chain.wallet.scripts[string(coins[0].script)]
	if err := signInput(plain, 0, coins[0], key, txscript.NewTxSigHashes(plain, previous)); err != nil {
		t.Fatal(err)
	}
	c.refuse(codeRejected, "SIGHASH_FORKID", "sendrawtransaction", encodeTx(t, plain))
	// An output with tokens, and one that no key can spend.
	for _, script := range [][]byte{append([]byte{0xef}, chain.wallet.change...), {txscript.OP_TRUE}} {
		c.refuse(codeRejected, "scriptpubkey", "sendrawtransaction", encodeTx(t, s.tx(100_000, final, script)))
	}

	// Many payments and a chain of them: the order is by id, and a child comes a
	// block later.
	var first []string
	for range 6 {
		first = append(first, c.text("sendtoaddress", c.text("getnewaddress"), 1))
	}
	chain.mu.Lock()
	parent := chain.poolTxs()[0]
	chain.mu.Unlock()
	child := wire.NewMsgTx(2)
	child.AddTxIn(wire.NewTxIn(&wire.OutPoint{Hash: *parent.Hash(), Index: 0}, nil, nil))
	out := parent.MsgTx().TxOut[0]
	child.AddTxOut(wire.NewTxOut(out.Value-10_000, chain.wallet.change))
	if err := chain.sign(child, []walletCoin{{OutPoint: child.TxIn[0].PreviousOutPoint, value: out.Value, script: out.PkScript}}); err != nil {
		t.Fatal(err)
	}
	childID := c.text("sendrawtransaction", encodeTx(t, child))
	blocks := c.mine(2)
	list := ask[struct{ Tx []string }](c, "getblock", blocks[0], 1).Tx[1:]
	if len(list) != 6 || !slices.IsSorted(list) || slices.Contains(list, childID) {
		t.Errorf("block %v, want %v in order", list, first)
	}
	if list := ask[struct{ Tx []string }](c, "getblock", blocks[1], 1).Tx[1:]; !slices.Equal(list, []string{childID}) {
		t.Errorf("next block %v, want %s", list, childID)
	}
	// Fees went to the miner: coins are neither made nor lost.
	coinbase := ask[struct{ Tx []txJSON }](c, "getblock", blocks[0], 2).Tx[0]
	mustEqual(t, "coinbase is more than the subsidy", coinbase.Vout[0].Value.String() > "50.00000000", true)
}

// TestCashAddresses: both of the project's codecs and this one agree.
func TestCashAddresses(t *testing.T) {
	codec := CashAddresses{Prefix: "bchreg"}
	coin := everyCoin(t)[chains.BCH].coin
	for i := range 40 {
		hash := bytes.Repeat([]byte{byte(i * 7)}, 20)
		for _, script := range [][]byte{pubKeyHashScript(hash), scriptHashScript(hash)} {
			text := codec.Encode(script)
			if want, err := coin.Address(script); err != nil || text != want {
				t.Fatalf("%x: %s, want %s (%v)", script, text, want, err)
			}
			for _, form := range []string{text, strings.TrimPrefix(text, "bchreg:"), strings.ToUpper(text)} {
				if got, err := codec.Decode(form); err != nil || !bytes.Equal(got, script) {
					t.Errorf("%s: %x, %v", form, got, err)
				}
			}
		}
	}
	// CashAddr test vector (specification), and what is wrong with others.
	main := CashAddresses{Prefix: "bitcoincash"}
	if got := main.Encode(pubKeyHashScript([]byte{118, 160, 64, 83, 189, 160, 168, 139, 218, 81, 119, 184, 106, 21, 195, 178, 159, 85, 152, 115})); got != "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a" {
		t.Error(got)
	}
	for _, bad := range []string{
		"", "bchreg:", "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a", "mzdTzPn6fRjJxBHQT58viSe1T6eHPrEe33",
		"bchreg:Qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a", "bchreg:bpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a",
	} {
		if script, err := codec.Decode(bad); err == nil {
			t.Errorf("%q gives %x", bad, script)
		}
	}
}
