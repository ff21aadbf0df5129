package utxo

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"causeway/chains"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// testCoin is Bitcoin's regtest without addresses.
func testCoin() *Coin {
	return &Coin{params: Params{
		ID: chains.BTC, Network: chains.Regtest, MaxTarget: hash{0: 0x7f, 1: 0xff, 2: 0xff},
		MaxMoney: 21e14, MaxBlockBytes: 4e6, Segwit: true, DustRate: 3000,
	}}
}

// mine gives a block the roots and the work that it needs.
func mine(t testing.TB, block *wire.MsgBlock) {
	t.Helper()
	coinbase := block.Transactions[0]
	txs := make([]*btcutil.Tx, len(block.Transactions))
	segwit := false
	for i, tx := range block.Transactions {
		txs[i] = btcutil.NewTx(tx)
		segwit = segwit || i > 0 && tx.HasWitness()
	}
	if segwit {
		coinbase.TxIn[0].Witness = wire.TxWitness{make([]byte, 32)}
		root := blockchain.CalcMerkleRoot(txs, true)
		commitment := chainhash.DoubleHashB(append(root[:], make([]byte, 32)...))
		coinbase.AddTxOut(wire.NewTxOut(0, append([]byte{0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed}, commitment...)))
		txs[0] = btcutil.NewTx(coinbase)
	}
	block.Header.MerkleRoot = blockchain.CalcMerkleRoot(txs, false)
	work(block)
}

func work(block *wire.MsgBlock) {
	for {
		id := block.BlockHash()
		if id[31] < 0x7f {
			return
		}
		block.Header.Nonce++
	}
}

func newCoinbase(height uint32) *wire.MsgTx {
	tx := wire.NewMsgTx(1)
	tx.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&chainhash.Hash{}, 1<<32-1), binary.LittleEndian.AppendUint32([]byte{4}, height), nil))
	tx.AddTxOut(wire.NewTxOut(50e8, []byte{0x51}))
	return tx
}

// randomBlock makes a block of transactions of every shape.
func randomBlock(t testing.TB, rnd *rand.Rand, transactions int) *wire.MsgBlock {
	bytesOf := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		return b
	}
	block := &wire.MsgBlock{Header: wire.BlockHeader{Version: 4, Bits: 0x207fffff, Timestamp: time.Unix(int64(rnd.Uint32()), 0), PrevBlock: chainhash.Hash(bytesOf(32))}}
	block.AddTransaction(newCoinbase(rnd.Uint32()))
	for range transactions {
		tx := wire.NewMsgTx(int32(rnd.Uint32()))
		tx.LockTime = rnd.Uint32()
		witness := rnd.IntN(2) == 0
		for i := range 1 + rnd.IntN(3) {
			in := wire.NewTxIn(wire.NewOutPoint((*chainhash.Hash)(bytesOf(32)), rnd.Uint32()), bytesOf(rnd.IntN(300)), nil)
			in.Sequence = rnd.Uint32()
			if witness && (i == 0 || rnd.IntN(2) == 0) {
				in.Witness = wire.TxWitness{bytesOf(rnd.IntN(80)), nil, bytesOf(rnd.IntN(300))}
			}
			tx.AddTxIn(in)
		}
		for range 1 + rnd.IntN(4) {
			tx.AddTxOut(wire.NewTxOut(int64(rnd.Uint64N(1e12)), bytesOf(rnd.IntN(70))))
		}
		block.AddTransaction(tx)
	}
	mine(t, block)
	return block
}

func rawBlock(t testing.TB, block *wire.MsgBlock) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := block.Serialize(&buf); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// expect is what btcd's own types say that a block holds.
func expect(block *wire.MsgBlock) *chains.Block {
	b := &chains.Block{Header: chains.Header{
		BlockRef: chains.BlockRef{Hash: block.BlockHash().String()},
		Parent:   block.Header.PrevBlock.String(),
		Time:     block.Header.Timestamp.Unix(),
	}}
	for i, tx := range block.Transactions {
		txid := tx.TxHash().String()
		b.Transactions = append(b.Transactions, txid)
		for j, out := range tx.TxOut {
			b.Outputs = append(b.Outputs, chains.Output{
				Outpoint: chains.Outpoint{TxID: txid, Index: uint32(j)},
				Script:   out.PkScript, Amount: chains.NewAmount(uint64(out.Value)), Coinbase: i == 0,
			})
		}
		for _, in := range tx.TxIn {
			if i > 0 {
				b.Spends = append(b.Spends, chains.Spend{
					Outpoint: chains.Outpoint{TxID: in.PreviousOutPoint.Hash.String(), Index: in.PreviousOutPoint.Index},
					By:       txid,
				})
			}
		}
	}
	if b.Spends == nil {
		b.Spends = []chains.Spend{}
	}
	return b
}

// TestDecodeBlockIsBtcd compares our decoder with btcd's on random blocks.
func TestDecodeBlockIsBtcd(t *testing.T) {
	coin := testCoin()
	rapid.Check(t, func(rt *rapid.T) {
		rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		block := randomBlock(t, rnd, rapid.IntRange(0, 12).Draw(rt, "transactions"))
		want := expect(block)
		got, err := coin.DecodeBlock(rawBlock(t, block), want.Hash)
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatalf("-btcd +ours\n%s", diff)
		}
		for _, tx := range block.Transactions {
			var buf bytes.Buffer
			_ = tx.Serialize(&buf)
			txid, wtxid, vsize, err := coin.TransactionIDs(buf.Bytes())
			wantSize := uint64(tx.SerializeSizeStripped()*3+tx.SerializeSize()+3) / 4
			if err != nil || txid != tx.TxHash().String() || wtxid != tx.WitnessHash().String() || vsize != wantSize {
				rt.Fatalf("ids %s %s size %d, %v; btcd says %s %s %d", txid, wtxid, vsize, err, tx.TxHash(), tx.WitnessHash(), wantSize)
			}
		}
	})
}

// TestDecodeBlockDetectsEveryByte flips each bit position of a block: whatever
// is altered, the block is refused.
func TestDecodeBlockDetectsEveryByte(t *testing.T) {
	coin := testCoin()
	block := randomBlock(t, rand.New(rand.NewPCG(7, 0)), 5)
	raw, want := rawBlock(t, block), block.BlockHash().String()
	for i := range raw {
		for bit := range 8 {
			forged := bytes.Clone(raw)
			forged[i] ^= 1 << bit
			if _, err := coin.DecodeBlock(forged, want); !errors.Is(err, chains.ErrBadBlock) {
				t.Fatalf("byte %d bit %d: %v", i, bit, err)
			}
		}
	}
	for i := range raw {
		if _, err := coin.DecodeBlock(raw[:i], want); !errors.Is(err, chains.ErrBadBlock) {
			t.Fatalf("first %d bytes: %v", i, err)
		}
	}
	if _, err := coin.DecodeBlock(append(bytes.Clone(raw), 0), want); !errors.Is(err, errTrailing) {
		t.Fatalf("one byte more: %v", err)
	}
}

// edit makes a valid block of three transactions, lets change alter it and
// mines it again.
func edit(t *testing.T, change func(*wire.MsgBlock)) *wire.MsgBlock {
	block := &wire.MsgBlock{Header: wire.BlockHeader{Version: 4, Bits: 0x207fffff, Timestamp: time.Unix(1_700_000_000, 0)}}
	block.AddTransaction(newCoinbase(9))
	for i := range 2 {
		tx := wire.NewMsgTx(2)
		tx.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&chainhash.Hash{byte(i + 1)}, 0), []byte{1, 2}, nil))
		tx.AddTxOut(wire.NewTxOut(1000, []byte{0x51}))
		block.AddTransaction(tx)
	}
	change(block)
	mine(t, block)
	return block
}

func TestDecodeBlockRefuses(t *testing.T) {
	value := func(values ...int64) func(*wire.MsgBlock) {
		return func(b *wire.MsgBlock) {
			b.Transactions[1].TxOut = nil
			for _, v := range values {
				b.Transactions[1].AddTxOut(wire.NewTxOut(v, []byte{0x51}))
			}
		}
	}
	tests := []struct {
		name   string
		change func(*wire.MsgBlock)
		after  func(*wire.MsgBlock) // after mining
		want   string               // part of the error; "" = accepted
	}{
		{name: "as it is"},
		{name: "value 0", change: value(0)},
		{name: "MaxMoney", change: value(21e14)},
		{name: "value -1", change: value(-1), want: "value out of range"},
		{name: "MaxMoney+1", change: value(21e14 + 1), want: "value out of range"},
		{name: "2^63-1", change: value(1<<63 - 1), want: "value out of range"},
		{name: "sum", change: value(21e14, 1), want: "sum of values"},
		{name: "sum that overflows", change: value(1<<62, 1<<62, 1<<62, 1<<62), want: "out of range"},
		{name: "no coinbase", change: func(b *wire.MsgBlock) { b.Transactions = b.Transactions[1:] }, want: "no coinbase"},
		{name: "coinbase with two inputs", change: func(b *wire.MsgBlock) {
			b.Transactions[0].AddTxIn(b.Transactions[1].TxIn[0])
		}, want: "no coinbase"},
		{name: "second coinbase", change: func(b *wire.MsgBlock) { b.AddTransaction(newCoinbase(10)) }, want: "coinbase"},
		{name: "null input", change: func(b *wire.MsgBlock) {
			b.Transactions[1].AddTxIn(newCoinbase(1).TxIn[0])
		}, want: "spends nothing"},
		{name: "no outputs", change: func(b *wire.MsgBlock) { b.Transactions[1].TxOut = nil }, want: "no outputs"},
		{name: "duplicate at the end (CVE-2012-2459)", after: func(b *wire.MsgBlock) {
			b.AddTransaction(b.Transactions[2])
		}, want: "duplicates"},
		{name: "root", after: func(b *wire.MsgBlock) { b.Header.MerkleRoot[0]++; work(b) }, want: "merkle root differs"},
		{name: "too easy", after: func(b *wire.MsgBlock) { b.Header.Bits = 0x2100ffff; work(b) }, want: "target out of range"},
		{name: "negative target", after: func(b *wire.MsgBlock) { b.Header.Bits = 0x20ffffff; work(b) }, want: "target out of range"},
		{name: "zero target", after: func(b *wire.MsgBlock) { b.Header.Bits = 0x20000000; work(b) }, want: "target out of range"},
		{name: "no work", after: func(b *wire.MsgBlock) { b.Header.Bits = 0x1d00ffff }, want: "proof of work"},
		{name: "witness nobody commits to", after: func(b *wire.MsgBlock) {
			b.Transactions[1].TxIn[0].Witness = wire.TxWitness{{1}}
		}, want: "nothing commits to"},
		{name: "commitment without reserved value", change: func(b *wire.MsgBlock) {
			b.Transactions[0].AddTxOut(wire.NewTxOut(0, append([]byte{0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed}, make([]byte, 32)...)))
		}, want: "without its reserved value"},
		{name: "witness changed", change: func(b *wire.MsgBlock) {
			b.Transactions[1].TxIn[0].Witness = wire.TxWitness{{1}}
		}, after: func(b *wire.MsgBlock) {
			b.Transactions[1].TxIn[0].Witness = wire.TxWitness{{2}}
		}, want: "witness commitment differs"},
	}
	coin := testCoin()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			change := tt.change
			if change == nil {
				change = func(*wire.MsgBlock) {}
			}
			block := edit(t, change)
			if tt.after != nil {
				tt.after(block)
			}
			_, err := coin.DecodeBlock(rawBlock(t, block), block.BlockHash().String())
			if tt.want == "" && err != nil || tt.want != "" && (!errors.Is(err, chains.ErrBadBlock) || !strings.Contains(fmt.Sprint(err), tt.want)) {
				t.Fatalf("%v, want %q", err, tt.want)
			}
		})
	}
}

// TestForgedCounts puts huge counts where counts stand: memory must not follow.
func TestForgedCounts(t *testing.T) {
	coin := testCoin()
	raw := rawBlock(t, edit(t, func(*wire.MsgBlock) {}))
	want := blockHash(raw)
	for _, huge := range []string{"ff0000000000000010", "fe00000040", "fdffff", "ffffffffffffffffff"} {
		count, _ := hex.DecodeString(huge)
		for at := 80; at < len(raw); at++ {
			forged := append(append(bytes.Clone(raw[:at]), count...), raw[at+1:]...)
			if n := testing.AllocsPerRun(1, func() { _, _ = coin.DecodeBlock(forged, want) }); n > 60 {
				t.Fatalf("count %s at %d: %f allocations", huge, at, n)
			}
			if _, err := coin.DecodeBlock(forged, want); err == nil {
				t.Fatalf("count %s at %d accepted", huge, at)
			}
		}
	}
}

func TestMainnetGenesis(t *testing.T) {
	coin := testCoin()
	var buf bytes.Buffer
	if err := chaincfg.MainNetParams.GenesisBlock.Serialize(&buf); err != nil {
		t.Fatal(err)
	}
	block, err := coin.DecodeBlock(buf.Bytes(), "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f")
	if err != nil {
		t.Fatal(err)
	}
	if block.Transactions[0] != "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b" || block.Time != 1231006505 {
		t.Fatalf("genesis decoded as %+v", block)
	}
}

func TestTarget(t *testing.T) {
	for _, tt := range []struct {
		bits uint32
		want string
	}{
		{0x1d00ffff, "00000000ffff0000000000000000000000000000000000000000000000000000"},
		{0x207fffff, "7fffff0000000000000000000000000000000000000000000000000000000000"},
		{0x1700a333, "00000000000000000000a3330000000000000000000000000000000000000000"},
		{0x01120000, "0000000000000000000000000000000000000000000000000000000000000012"},
		{0x02123456, "0000000000000000000000000000000000000000000000000000000000001234"},
		{0x03123456, "0000000000000000000000000000000000000000000000000000000000123456"},
		{0x2100ffff, "ffff000000000000000000000000000000000000000000000000000000000000"},
		{0x220000ff, "ff00000000000000000000000000000000000000000000000000000000000000"},
		{0x2200ffff, ""}, {0x21123456, ""}, {0x23000001, ""}, {0xff123456, ""},
		{0x01800000, ""}, {0x04923456, ""}, {0x00123456, ""}, {0x01003456, ""}, {0, ""},
	} {
		got, ok := target(tt.bits)
		if ok != (tt.want != "") || ok && hex.EncodeToString(got[:]) != tt.want {
			t.Errorf("target(%08x) = %x, %v; want %s", tt.bits, got, ok, tt.want)
		}
		if big := blockchain.CompactToBig(tt.bits); ok {
			var theirs [32]byte
			big.FillBytes(theirs[:])
			if theirs != got {
				t.Errorf("target(%08x) = %x, btcd says %x", tt.bits, got, theirs)
			}
		}
	}
}

func FuzzDecodeBlock(f *testing.F) {
	coin := testCoin()
	f.Add(rawBlock(f, randomBlock(f, rand.New(rand.NewPCG(1, 1)), 3)))
	f.Add(rawBlock(f, randomBlock(f, rand.New(rand.NewPCG(2, 1)), 0)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) < HeaderBytes {
			return
		}
		// The roots are made to fit, so that the fuzzer gets past them.
		txs, err := coin.layouts(raw, HeaderBytes)
		if err != nil {
			if _, err := coin.DecodeBlock(raw, blockHash(raw)); err == nil {
				t.Fatal("a block that cannot be measured was accepted")
			}
			return
		}
		ids, err := checkMerkle(raw, withRoot(raw, txs), txs)
		if err != nil {
			return
		}
		_ = checkWitness(raw, txs)
		block := coin.collect(raw, txs, ids)
		var theirs wire.MsgBlock
		if err := theirs.Deserialize(bytes.NewReader(raw)); err != nil {
			return // btcd has limits of its own on scripts and witnesses
		}
		want := expect(&theirs)
		want.Header = chains.Header{}
		if diff := cmp.Diff(want, block); diff != "" {
			t.Fatalf("-btcd +ours\n%s", diff)
		}
	})
}

func blockHash(raw []byte) string {
	h := sha256d(raw[:HeaderBytes])
	return hashText(h[:])
}

func withRoot(raw []byte, txs []layout) []byte {
	ids := make([]hash, len(txs))
	for i := range txs {
		stripped, _ := txs[i].stripped(raw, nil)
		ids[i] = sha256d(stripped)
	}
	root, _ := merkleRoot(ids)
	header := bytes.Clone(raw[:HeaderBytes])
	copy(header[36:], root[:])
	return header
}

func FuzzDecodeTransaction(f *testing.F) {
	coin := testCoin()
	for _, tx := range randomBlock(f, rand.New(rand.NewPCG(3, 1)), 4).Transactions {
		var buf bytes.Buffer
		_ = tx.Serialize(&buf)
		f.Add(buf.Bytes())
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		txid, outputs, spends, err := coin.DecodeTransaction(raw)
		var theirs wire.MsgTx
		r := bytes.NewReader(raw)
		if theirErr := theirs.Deserialize(r); err != nil || theirErr != nil {
			return
		}
		if txid != theirs.TxHash().String() || len(outputs) != len(theirs.TxOut) || r.Len() != 0 {
			t.Fatalf("txid %s with %d outputs, btcd says %s with %d", txid, len(outputs), theirs.TxHash(), len(theirs.TxOut))
		}
		if len(spends) != len(theirs.TxIn) && !blockchain.IsCoinBaseTx(&theirs) {
			t.Fatalf("%d spends, btcd says %d", len(spends), len(theirs.TxIn))
		}
	})
}
