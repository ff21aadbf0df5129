package dogecoin_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/chains"
	"causeway/chains/dogecoin"
	"causeway/chains/utxo"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

var update = flag.Bool("update", false, "build the sample blocks anew")

const (
	easyBits   = 0x207fffff
	ownVersion = dogecoin.ChainID<<16 | 4
	auxVersion = ownVersion | 0x100
)

func mustCoin(t testing.TB) *utxo.Coin {
	t.Helper()
	coin, err := dogecoin.New(chains.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	return coin
}

// proof is an auxiliary proof of work in the making: an encoder of the tests' own,
// by the merged mining specification.
type proof struct {
	branch, chainBranch []chainhash.Hash
	index, chainIndex   uint32
	nonce               uint32
	parentVersion       int32
	segwit              bool // the parent's coinbase has a witness
	script              func(root []byte, size, nonce uint32) []byte
	lazy                bool // the parent has no work done for it
}

// usual is a merge-mined block as pools make them.
func usual(branch, chainBranch int) *proof {
	p := &proof{nonce: 77, parentVersion: 0x20000000, script: marked}
	for i := range branch {
		p.branch = append(p.branch, chainhash.Hash{byte(i), 1})
	}
	for i := range chainBranch {
		p.chainBranch = append(p.chainBranch, chainhash.Hash{byte(i), 2})
	}
	slot := p.nonce*1103515245 + 12345
	slot = (slot+dogecoin.ChainID)*1103515245 + 12345
	p.chainIndex = slot % (1 << chainBranch)
	return p
}

var mark = []byte{0xfa, 0xbe, 'm', 'm'}

// marked is the coinbase script with the merged mining header.
func marked(root []byte, size, nonce uint32) []byte {
	return slices.Concat([]byte{3, 1, 2, 3}, []byte("pool"), mark, root, le(size), le(nonce), []byte("tail"))
}

func le(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }

// root climbs a merkle branch.
func root(leaf chainhash.Hash, branch []chainhash.Hash, index uint32) chainhash.Hash {
	for _, other := range branch {
		if index&1 == 0 {
			leaf = chainhash.DoubleHashH(append(leaf[:], other[:]...))
		} else {
			leaf = chainhash.DoubleHashH(append(other[:], leaf[:]...))
		}
		index >>= 1
	}
	return leaf
}

// encode is the proof for a block's hash.
func (p *proof) encode(block chainhash.Hash) []byte {
	top := root(block, p.chainBranch, p.chainIndex)
	slices.Reverse(top[:])
	coinbase := wire.NewMsgTx(1)
	in := wire.NewTxIn(wire.NewOutPoint(&chainhash.Hash{}, wire.MaxPrevOutIndex), p.script(top[:], 1<<len(p.chainBranch), p.nonce), nil)
	if p.segwit {
		in.Witness = wire.TxWitness{make([]byte, 32)}
	}
	coinbase.AddTxIn(in)
	coinbase.AddTxOut(wire.NewTxOut(6_25000000, []byte{0x51}))
	parent := wire.BlockHeader{
		Version: p.parentVersion, Bits: easyBits, Timestamp: time.Unix(1_700_000_000, 0),
		MerkleRoot: root(coinbase.TxHash(), p.branch, p.index),
	}
	solve(&parent, !p.lazy)
	var b bytes.Buffer
	_ = coinbase.Serialize(&b)
	b.Write(make([]byte, 32)) // hash of the parent: nobody looks
	for _, side := range []struct {
		branch []chainhash.Hash
		index  uint32
	}{{p.branch, p.index}, {p.chainBranch, p.chainIndex}} {
		_ = wire.WriteVarInt(&b, 0, uint64(len(side.branch)))
		for _, h := range side.branch {
			b.Write(h[:])
		}
		b.Write(le(side.index))
	}
	_ = parent.Serialize(&b)
	return b.Bytes()
}

// solve finds a nonce whose scrypt hash meets the easy target, or misses it.
func solve(h *wire.BlockHeader, meets bool) {
	for ; ; h.Nonce++ {
		var b bytes.Buffer
		_ = h.Serialize(&b)
		if work := utxo.Scrypt(b.Bytes()); (work[31] < 0x7f) == meets {
			return
		}
	}
}

// transactions are a coinbase and a payment.
func transactions() []*wire.MsgTx {
	coinbase := wire.NewMsgTx(1)
	coinbase.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&chainhash.Hash{}, wire.MaxPrevOutIndex), []byte{2, 1, 1}, nil))
	coinbase.AddTxOut(wire.NewTxOut(10_000_00000000, []byte{0x51}))
	pay := wire.NewMsgTx(1)
	pay.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&chainhash.Hash{9}, 1), []byte{1, 2}, nil))
	pay.AddTxOut(wire.NewTxOut(123_45678901, append(append([]byte{0x76, 0xa9, 20}, make([]byte, 20)...), 0x88, 0xac)))
	return []*wire.MsgTx{coinbase, pay}
}

// block builds a block with a proof, or without when p is nil.
func block(version int32, p *proof) (raw []byte, hash string) {
	txs := transactions()
	a, b := txs[0].TxHash(), txs[1].TxHash()
	header := wire.BlockHeader{
		Version: version, Bits: easyBits, Timestamp: time.Unix(1_700_000_000, 0),
		MerkleRoot: chainhash.DoubleHashH(append(a[:], b[:]...)),
	}
	solve(&header, p == nil)
	var buf bytes.Buffer
	_ = header.Serialize(&buf)
	if p != nil {
		buf.Write(p.encode(header.BlockHash()))
	}
	buf.WriteByte(2)
	for _, tx := range txs {
		_ = tx.Serialize(&buf)
	}
	return buf.Bytes(), header.BlockHash().String()
}

// TestBlocks decodes blocks of every sort and finds the same in all of them.
func TestBlocks(t *testing.T) {
	coin := mustCoin(t)
	witness := usual(3, 2)
	witness.segwit = true
	early := usual(1, 0)
	early.script = func(root []byte, size, nonce uint32) []byte {
		return slices.Concat([]byte{3, 1, 2, 3}, root, le(size), le(nonce))
	}
	tests := []struct {
		name    string
		version int32
		proof   *proof
	}{
		{"own work", ownVersion, nil},
		{"legacy version 1", 1, nil},
		{"legacy version 2", 2, nil},
		{"the only chain and transaction", auxVersion, usual(0, 0)},
		{"one branch node each", auxVersion, usual(1, 1)},
		{"thirty branch nodes each", auxVersion, usual(30, 30)},
		{"parent with a witness", auxVersion, witness},
		{"without merged mining header", auxVersion, early},
	}
	for _, tt := range tests {
		raw, hash := block(tt.version, tt.proof)
		got, err := coin.DecodeBlock(raw, hash)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if len(got.Transactions) != 2 || len(got.Outputs) != 2 || got.Outputs[1].Amount != chains.NewAmount(123_45678901) || got.Hash != hash {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}

// TestBlocksRefused: a proof that does not prove, whatever is wrong with it.
func TestBlocksRefused(t *testing.T) {
	coin := mustCoin(t)
	change := func(f func(*proof)) *proof {
		p := usual(2, 2)
		f(p)
		return p
	}
	scripted := func(f func(root []byte, size, nonce uint32) []byte) *proof {
		return change(func(p *proof) { p.script = f })
	}
	tests := []struct {
		name    string
		version int32
		proof   *proof
		want    string
	}{
		{"version says so and nothing follows", auxVersion, nil, "auxiliary proof of work"},
		{"data without the version's bit", ownVersion, usual(0, 0), "not enough proof of work"},
		{"another chain's id", 99<<16 | 4, nil, "chain id 99"},
		{"no chain id", 4, nil, "chain id 0"},
		{"no work", auxVersion, change(func(p *proof) { p.lazy = true }), "not enough proof of work"},
		{"parent of our own chain", auxVersion, change(func(p *proof) { p.parentVersion = ownVersion }), "own chain id"},
		{"no coinbase", auxVersion, change(func(p *proof) { p.index = 1 }), "no coinbase"},
		{"another slot", auxVersion, change(func(p *proof) { p.chainIndex ^= 1 }), "among the chains"},
		{"branch too long", auxVersion, usual(0, 31), "merkle branch of 31"},
		{"coinbase branch too long", auxVersion, usual(65, 0), "merkle branch of 65"},
		{"root is missing", auxVersion, scripted(func(root []byte, size, nonce uint32) []byte {
			return marked(make([]byte, 32), size, nonce)
		}), "does not hold the root"},
		{"root in the other order", auxVersion, scripted(func(root []byte, size, nonce uint32) []byte {
			root = bytes.Clone(root)
			slices.Reverse(root)
			return marked(root, size, nonce)
		}), "does not hold the root"},
		{"two headers", auxVersion, scripted(func(root []byte, size, nonce uint32) []byte {
			return append(marked(root, size, nonce), mark...)
		}), "two merged mining headers"},
		{"header elsewhere", auxVersion, scripted(func(root []byte, size, nonce uint32) []byte {
			return slices.Concat(mark, []byte{1}, root, le(size), le(nonce))
		}), "not before the root"},
		{"late and without header", auxVersion, scripted(func(root []byte, size, nonce uint32) []byte {
			return slices.Concat(make([]byte, 21), root, le(size), le(nonce))
		}), "comes late"},
		{"nothing behind the root", auxVersion, scripted(func(root []byte, size, nonce uint32) []byte {
			return slices.Concat(mark, root, le(size))
		}), "no size and nonce"},
		{"another size", auxVersion, scripted(func(root []byte, size, nonce uint32) []byte {
			return marked(root, size*2, nonce)
		}), "tree of 8 chains"},
		{"another nonce", auxVersion, scripted(func(root []byte, size, nonce uint32) []byte {
			return marked(root, size, nonce+1)
		}), "among the chains"},
	}
	for _, tt := range tests {
		raw, hash := block(tt.version, tt.proof)
		if _, err := coin.DecodeBlock(raw, hash); !errors.Is(err, chains.ErrBadBlock) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	// A proof for another block.
	raw, _ := block(auxVersion, usual(1, 2))
	raw[68] ^= 1 // the time
	if _, err := coin.DecodeBlock(raw, chainhash.DoubleHashH(raw[:80]).String()); err == nil || !strings.Contains(err.Error(), "does not hold the root") {
		t.Errorf("the proof of another block: %v", err)
	}
}

// samples are the committed blocks, all of our own encoder.
var samples = map[string]*proof{"own": nil, "auxpow-0-0": usual(0, 0), "auxpow-5-3": usual(5, 3)}

// TestSamples decodes the committed blocks; no byte of them but the parent's hash,
// which nobody looks at, can be altered.
func TestSamples(t *testing.T) {
	coin := mustCoin(t)
	for name, p := range samples {
		file := filepath.Join("testdata", name+".hex")
		version := int32(auxVersion)
		if p == nil {
			version = ownVersion
		}
		if *update {
			raw, hash := block(version, p)
			if err := os.WriteFile(file, []byte(hash+"\n"+hex.EncodeToString(raw)+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		hash, body, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
		raw, err := hex.DecodeString(body)
		if err != nil {
			t.Fatal(err)
		}
		got, err := coin.DecodeBlock(raw, hash)
		if err != nil || len(got.Transactions) != 2 {
			t.Fatalf("%s: %+v, %v", name, got, err)
		}
		taken := 0
		for i := range raw {
			forged := bytes.Clone(raw)
			forged[i] ^= 1
			if _, err := coin.DecodeBlock(forged, hash); err == nil {
				taken++
			}
		}
		// The hash of the parent, and what is left of its work when a bit of it is
		// flipped: its header may still meet the easy target.
		if limit := 32 + 80; p == nil && taken > 0 || taken > limit {
			t.Errorf("%s: %d bytes can be altered", name, taken)
		}
		for i := range raw {
			if _, err := coin.DecodeBlock(raw[:i], hash); !errors.Is(err, chains.ErrBadBlock) {
				t.Fatalf("%s: first %d bytes: %v", name, i, err)
			}
		}
	}
}

// FuzzDecodeBlock: whatever stands behind a header with our chain id, the decoder
// ends with a block or with ErrBadBlock.
func FuzzDecodeBlock(f *testing.F) {
	coin := mustCoin(f)
	for _, p := range samples {
		raw, _ := block(auxVersion, p)
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) < 80 {
			return
		}
		hash := chainhash.DoubleHashH(raw[:80])
		b, err := coin.DecodeBlock(raw, hash.String())
		if (b == nil) == (err == nil) || err != nil && !errors.Is(err, chains.ErrBadBlock) {
			t.Fatalf("%v, %v", b, err)
		}
	})
}
