package utxo

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"causeway/chains"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// extendedCoin is testCoin with extension blocks.
func extendedCoin() *Coin {
	coin := testCoin()
	coin.params.PegOutDepth = 36
	coin.params.MaxBlockBytes = 32 << 20
	return coin
}

// hogEx is a HogEx: the extension block's balance, and payments out of it.
func hogEx(outputs ...*wire.TxOut) *wire.MsgTx {
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&chainhash.Hash{7}, 0), nil, nil))
	tx.AddTxOut(wire.NewTxOut(1_000_000, append([]byte{opHogAddr, 32}, make([]byte, 32)...)))
	for _, out := range outputs {
		tx.AddTxOut(out)
	}
	return tx
}

// flagged is a transaction with flag 8 and its data before the lock time.
func flagged(tx *wire.MsgTx, data ...byte) []byte {
	var b bytes.Buffer
	_ = tx.SerializeNoWitness(&b)
	raw := b.Bytes()
	out := append(bytes.Clone(raw[:4]), 0, 8)
	out = append(append(out, raw[4:len(raw)-4]...), data...)
	return append(out, raw[len(raw)-4:]...)
}

// extended builds a mined block that ends with last and extension, as bytes.
func extended(t testing.TB, last []byte, plain *wire.MsgTx, extension []byte) (raw []byte, hash string) {
	t.Helper()
	block := edit2(t, plain)
	all := rawBlock(t, block)
	var b bytes.Buffer
	_ = plain.Serialize(&b)
	all = all[:len(all)-b.Len()]
	return append(append(all, last...), extension...), block.BlockHash().String()
}

// edit2 is a block of a coinbase, a payment and one more transaction.
func edit2(t testing.TB, last *wire.MsgTx) *wire.MsgBlock {
	block := &wire.MsgBlock{Header: wire.BlockHeader{Version: 4, Bits: 0x207fffff}}
	block.AddTransaction(newCoinbase(9))
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&chainhash.Hash{1}, 0), []byte{1, 2}, nil))
	tx.AddTxOut(wire.NewTxOut(1000, []byte{0x51}))
	block.AddTransaction(tx)
	block.AddTransaction(last)
	mine(t, block)
	return block
}

// someExtension is as long as the smallest extension block.
func someExtension(n int) []byte { return append([]byte{1}, make([]byte, n)...) }

func TestExtensionBlocks(t *testing.T) {
	coin := extendedCoin()
	script := append([]byte{0, 20}, make([]byte, 20)...)
	tx := hogEx(wire.NewTxOut(500, script), wire.NewTxOut(600, append([]byte{0x59, 32}, make([]byte, 32)...)))
	var plain bytes.Buffer
	_ = tx.Serialize(&plain)
	for name, tail := range map[string]struct{ last, extension []byte }{
		"as nodes send it":             {flagged(tx, 0), someExtension(200)},
		"32 MB of it":                  {flagged(tx, 0), someExtension(31 << 20)},
		"by a node that leaves it out": {plain.Bytes(), nil},
	} {
		raw, hash := extended(t, tail.last, tx, tail.extension)
		block, err := coin.DecodeBlock(raw, hash)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i, out := range block.Outputs {
			if want := uint64(0); i >= 2 {
				if want = 36; out.MinDepth != want {
					t.Errorf("%s: output %d asks for %d", name, i, out.MinDepth)
				}
			} else if out.MinDepth != want {
				t.Errorf("%s: output %d asks for %d", name, i, out.MinDepth)
			}
		}
		if last := block.Outputs[len(block.Outputs)-2]; !bytes.Equal(last.Script, script) || last.Amount != chains.NewAmount(500) || last.TxID != tx.TxHash().String() {
			t.Errorf("%s: %+v", name, last)
		}
	}
	if raw, hash := extended(t, flagged(tx, 0), tx, someExtension(200)); true {
		if _, err := testCoin().DecodeBlock(raw, hash); err == nil {
			t.Error("a coin without extension blocks reads one")
		}
	}
}

func TestExtensionBlocksRefused(t *testing.T) {
	coin := extendedCoin()
	tx := hogEx(wire.NewTxOut(500, []byte{0x51}))
	other := wire.NewMsgTx(2)
	other.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&chainhash.Hash{3}, 0), nil, nil))
	other.AddTxOut(wire.NewTxOut(500, []byte{0x51}))
	var plain bytes.Buffer
	_ = other.Serialize(&plain)
	tests := []struct {
		name            string
		last, extension []byte
		plain           *wire.MsgTx
	}{
		{"nothing behind the HogEx", flagged(tx, 0), nil, tx},
		{"an empty extension block", flagged(tx, 0), []byte{0}, tx},
		{"too short", flagged(tx, 0), someExtension(20), tx},
		{"another presence", flagged(tx, 0), append([]byte{2}, make([]byte, 200)...), tx},
		{"a HogEx that pays no balance", flagged(other, 0), someExtension(200), other},
		{"data of a transaction", flagged(tx, 1, 2, 3), someExtension(200), tx},
		{"extension without a HogEx", plain.Bytes(), someExtension(200), other},
	}
	for _, tt := range tests {
		raw, hash := extended(t, tt.last, tt.plain, tt.extension)
		if _, err := coin.DecodeBlock(raw, hash); !errors.Is(err, chains.ErrBadBlock) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	// A HogEx that is not the last.
	block := edit2(t, other)
	block.Transactions[1], block.Transactions[2] = tx, other
	mine(t, block)
	raw := rawBlock(t, block)
	var b bytes.Buffer
	_ = tx.Serialize(&b)
	raw = bytes.Replace(raw, b.Bytes(), flagged(tx, 0), 1)
	if _, err := coin.DecodeBlock(append(raw, someExtension(200)...), block.BlockHash().String()); err == nil || !strings.Contains(err.Error(), "not the last") {
		t.Errorf("a HogEx in the middle: %v", err)
	}
}

// TestExtensionTransactions: what waits in a mempool.
func TestExtensionTransactions(t *testing.T) {
	coin := extendedCoin()
	tx := wire.NewMsgTx(2)
	tx.LockTime = 77
	tx.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&chainhash.Hash{3}, 1), []byte{1}, nil))
	tx.AddTxOut(wire.NewTxOut(500, append([]byte{0x59, 32}, make([]byte, 32)...)))
	raw := flagged(tx, append([]byte{1}, bytes.Repeat([]byte{9}, 300)...)...)
	txid, outputs, spends, err := coin.DecodeTransaction(raw)
	if err != nil || txid != tx.TxHash().String() || len(outputs) != 1 || len(spends) != 1 || outputs[0].MinDepth != 0 {
		t.Errorf("into the extension block: %s %v %v, %v", txid, outputs, spends, err)
	}
	if _, wtxid, _, err := coin.TransactionIDs(raw); err != nil || wtxid != txid {
		t.Errorf("wtxid %s, %v", wtxid, err)
	}
	within := append([]byte{2, 0, 0, 0, 0, 8, 0, 0, 1}, bytes.Repeat([]byte{9}, 300)...)
	if _, _, _, err := coin.DecodeTransaction(append(within, 0, 0, 0, 0)); !errors.Is(err, chains.ErrHidden) || !errors.Is(err, chains.ErrBadTransaction) {
		t.Errorf("within the extension block: %v", err)
	}
	for name, bad := range map[string][]byte{
		"flag 4":                {2, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0},
		"flag 0":                {2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		"empty data":            flagged(tx),
		"data of kind 2":        flagged(tx, 2, 2),
		"nothing, but no HogEx": flagged(tx, 0),
	} {
		if _, _, _, err := coin.DecodeTransaction(bad); !errors.Is(err, chains.ErrBadTransaction) || errors.Is(err, chains.ErrHidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, _, err := testCoin().DecodeTransaction(raw); err == nil {
		t.Error("a coin without extension blocks takes flag 8")
	}
}

// TestTokens reads prefixes by the rules of CHIP-2022-02.
func TestTokens(t *testing.T) {
	category := bytes.Repeat([]byte{0xaa}, 32)
	locking := append(append([]byte{opDup, opHash160, 20}, make([]byte, 20)...), opEqualVerify, opCheckSig)
	with := func(rest ...byte) []byte {
		return append(append(append([]byte{0xef}, category...), rest...), locking...)
	}
	for name, tt := range map[string]struct {
		script []byte
		tokens bool
	}{
		"none":                        {locking, false},
		"amount":                      {with(0x10, 1), true},
		"amount of 252":               {with(0x10, 252), true},
		"amount of 253":               {with(0x10, 0xfd, 253, 0), true},
		"greatest amount":             {with(0x10, 0xff, 255, 255, 255, 255, 255, 255, 255, 127), true},
		"immutable NFT":               {with(0x20), true},
		"mutable NFT":                 {with(0x21), true},
		"minting NFT":                 {with(0x22), true},
		"NFT with commitment":         {with(0x60, 1, 0xcc), true},
		"commitment of 40":            {with(append([]byte{0x61, 40}, make([]byte, 40)...)...), true},
		"all":                         {with(0x72, 1, 0xcc, 9), true},
		"amount of 0":                 {with(0x10, 0), false},
		"amount beyond 2^63-1":        {with(0x10, 0xff, 0, 0, 0, 0, 0, 0, 0, 128), false},
		"amount in a longer form":     {with(0x10, 0xfd, 1, 0), false},
		"nothing":                     {with(0x00), false},
		"reserved bit":                {with(0xb0, 1), false},
		"commitment without NFT":      {with(0x50, 1, 0xcc, 1), false},
		"capability without NFT":      {with(0x11, 1), false},
		"capability 3":                {with(0x23), false},
		"empty commitment":            {with(0x60, 0), false},
		"commitment beyond the end":   {with(0x60, 0xfe, 255, 255, 255, 0), false},
		"cut in the category":         {with(0x10, 1)[:20], false},
		"nothing behind the category": {with()[:33], false},
		"prefix alone":                {[]byte{0xef}, false},
		"empty":                       {nil, false},
	} {
		got, tokens := stripTokens(tt.script)
		want := tt.script
		if tt.tokens {
			want = locking
		}
		if tokens != tt.tokens || !bytes.Equal(got, want) {
			t.Errorf("%s: %x, %t; want %x, %t", name, got, tokens, want, tt.tokens)
		}
	}
}

func FuzzTokens(f *testing.F) {
	f.Add(append(append([]byte{0xef}, make([]byte, 32)...), 0x72, 1, 0xcc, 9, 0x51))
	f.Fuzz(func(t *testing.T, script []byte) {
		locking, tokens := stripTokens(script)
		if !bytes.HasSuffix(script, locking) || tokens != (len(locking) < len(script)) || tokens && len(script)-len(locking) < 34 {
			t.Fatalf("%x gives %x, %t", script, locking, tokens)
		}
	})
}

func FuzzExtension(f *testing.F) {
	coin := extendedCoin()
	tx := hogEx(wire.NewTxOut(500, []byte{0x51}))
	raw, _ := extended(f, flagged(tx, 0), tx, someExtension(200))
	f.Add(raw)
	f.Add(flagged(tx, 1, 2, 3))
	f.Add(rawBlock(f, randomBlock(f, rand.New(rand.NewPCG(1, 1)), 3)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, _, _, err := coin.DecodeTransaction(raw); err != nil && !errors.Is(err, chains.ErrBadTransaction) {
			t.Fatal(err)
		}
		if len(raw) < HeaderBytes {
			return
		}
		txs, err := coin.layouts(raw, HeaderBytes)
		if err != nil {
			return
		}
		for i := range txs {
			if txs[i].hidden || txs[i].hogEx && i != len(txs)-1 {
				t.Fatalf("transaction %d of %d: %+v", i, len(txs), txs[i])
			}
		}
		ids := make([]hash, len(txs))
		for _, out := range coin.collect(raw, txs, ids).Outputs {
			if out.MinDepth != 0 && out.MinDepth != 36 {
				t.Fatalf("%+v", out)
			}
		}
	})
}

// FuzzAuxPoW: no proof makes the parser panic or read on past its end.
func FuzzAuxPoW(f *testing.F) {
	var coinbase bytes.Buffer
	_ = newCoinbase(3).Serialize(&coinbase)
	proof := append(coinbase.Bytes(), make([]byte, 32)...)
	proof = append(proof, 1)
	proof = append(append(proof, make([]byte, 36)...), 0, 0, 0, 0, 0)
	f.Add(append(proof, make([]byte, 80)...))
	aux := &AuxPoW{ChainID: 98, Strict: true}
	f.Fuzz(func(t *testing.T, raw []byte) {
		c := cursor{data: raw}
		p, err := c.auxProof()
		if err == nil {
			if c.pos > len(raw) || len(p.parent) != HeaderBytes {
				t.Fatalf("at %d of %d", c.pos, len(raw))
			}
			if aux.check(p, hash{}, 98) == nil && p.index != 0 {
				t.Fatal("a proof without a coinbase")
			}
		}
	})
}
