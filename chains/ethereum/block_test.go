package ethereum

import (
	"encoding/json"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/trie"
	"github.com/google/go-cmp/cmp"
	"github.com/holiman/uint256"

	"causeway/chains"
)

// builtBlock is a block with a transaction of every type, logs, and withdrawals,
// with its receipts, as JSON: written by go-ethereum's encoder, signed by us.
func builtBlock(t testing.TB, copies int) (block, receipts json.RawMessage, hash Hash, txs types.Transactions) {
	t.Helper()
	key, to := testKey(t).ToECDSA(), common.Address(account(1))
	baseFee, gwei := big.NewInt(3e9), big.NewInt(1e9)
	var list types.Receipts
	var gas uint64
	topics := func(extra ...common.Hash) []common.Hash {
		return append([]common.Hash{common.Hash(topicTransfer), common.BytesToHash(account(2).Bytes()), common.BytesToHash(to[:])}, extra...)
	}
	token := common.Address(account(50))
	amount := common.BigToHash(big.NewInt(77)).Bytes()
	for range copies {
		nonce := uint64(len(txs))
		for _, inner := range []types.TxData{
			&types.LegacyTx{Nonce: nonce, To: &to, Gas: 21000, GasPrice: big.NewInt(5e9), Value: big.NewInt(1)},
			&types.AccessListTx{ChainID: big.NewInt(1), Nonce: nonce + 1, To: &to, Gas: 50000, GasPrice: big.NewInt(5e9), Value: big.NewInt(2), AccessList: types.AccessList{{Address: to, StorageKeys: []common.Hash{{1}}}}},
			&types.DynamicFeeTx{ChainID: big.NewInt(1), Nonce: nonce + 2, Gas: 50000, GasFeeCap: big.NewInt(100e9), GasTipCap: gwei, Value: big.NewInt(3), Data: []byte{1}},
			&types.BlobTx{ChainID: uint256.NewInt(1), Nonce: nonce + 3, To: to, Gas: 50000, GasFeeCap: uint256.NewInt(100e9), GasTipCap: uint256.NewInt(1e9), Value: uint256.NewInt(4), BlobFeeCap: uint256.NewInt(1), BlobHashes: []common.Hash{{1}}},
			&types.SetCodeTx{ChainID: uint256.NewInt(1), Nonce: nonce + 4, To: to, Gas: 90000, GasFeeCap: uint256.NewInt(3500e6), GasTipCap: uint256.NewInt(1e9), Value: uint256.NewInt(5), AuthList: []types.SetCodeAuthorization{{ChainID: *uint256.NewInt(1), Address: to}}},
		} {
			tx, err := types.SignNewTx(key, types.LatestSignerForChainID(big.NewInt(1)), inner)
			if err != nil {
				t.Fatal(err)
			}
			if inner, ok := inner.(*types.LegacyTx); ok && nonce == 0 { // as before EIP-155
				if tx, err = types.SignNewTx(key, types.HomesteadSigner{}, inner); err != nil {
					t.Fatal(err)
				}
			}
			gas += 21000
			txs = append(txs, tx)
			list = append(list, &types.Receipt{Type: tx.Type(), Status: 1, CumulativeGasUsed: gas, TxHash: tx.Hash(), Logs: []*types.Log{}})
		}
		list[len(list)-1].Logs = []*types.Log{
			{Address: token, Topics: topics(common.Hash{31: 9}), Data: []byte{}}, // ERC-721
			{Address: token, Topics: topics(), Data: amount},
			{Address: token, Topics: topics(), Data: amount[1:]},
			{Address: token, Topics: topics(), Data: append(amount[:32:32], amount...)},
			{Address: token, Topics: topics()[:2], Data: amount},
			{Address: token, Topics: append(topics()[:2:2], common.Hash{1, 31: 1}), Data: amount}, // no account
			{Address: token, Topics: append([]common.Hash{{1}}, topics()[1:]...), Data: amount},
			{Address: token, Topics: topics(), Data: make([]byte, 32)}, // of nothing
			{Address: common.Address(account(51)), Topics: topics(), Data: amount},
			{Address: token, Data: amount},
			{Address: token, Topics: topics(), Data: common.MaxHash.Bytes()}, // 2^256-1: it is said
		}
		list[len(list)-2].Status = 0 // failed: what it logged is no receipt's business, and none is believed
		list[len(list)-2].Logs = []*types.Log{{Address: token, Topics: topics(), Data: amount}}
	}
	for _, r := range list {
		r.Bloom = types.CreateBloom(r)
	}
	withdrawals := types.Withdrawals{{Index: 1, Validator: 2, Address: common.Address(account(3)), Amount: 5}}
	hasher := trie.NewStackTrie(nil)
	root, used := types.DeriveSha(withdrawals, hasher), uint64(131072)
	h := &types.Header{
		ParentHash: common.Hash{7}, Number: big.NewInt(1000), Time: 1_700_000_000, GasLimit: 60_000_000, GasUsed: gas, Difficulty: new(big.Int),
		UncleHash: types.EmptyUncleHash, Coinbase: common.Address(account(4)), BaseFee: baseFee, Extra: []byte("built"),
		TxHash: types.DeriveSha(txs, hasher), ReceiptHash: types.DeriveSha(list, hasher), Bloom: types.MergeBloom(list), WithdrawalsHash: &root,
		BlobGasUsed: &used, ExcessBlobGas: new(uint64), ParentBeaconRoot: new(common.Hash), RequestsHash: new(common.Hash),
	}
	var body object
	text := must[[]byte](t)(json.Marshal(h))
	if err := json.Unmarshal(text, &body); err != nil {
		t.Fatal(err)
	}
	rendered := make([]object, len(txs))
	for i, tx := range txs {
		if err := json.Unmarshal(must[[]byte](t)(json.Marshal(tx)), &rendered[i]); err != nil {
			t.Fatal(err)
		}
		rendered[i]["from"] = AddressOf(testKey(t).PubKey())
	}
	body["transactions"], body["withdrawals"] = rendered, withdrawals
	return must[[]byte](t)(json.Marshal(body)), must[[]byte](t)(json.Marshal(list)), Hash(h.Hash()), txs
}

// Bytes is the account's bytes.
func (a Address) Bytes() []byte { return a[:] }

// TestDecodeBlock: every type of transaction, and every kind of log that is no
// transfer.
func TestDecodeBlock(t *testing.T) {
	raw, receipts, hash, txs := builtBlock(t, 1)
	b, err := decodeBlock(raw, receipts, hash)
	if err != nil {
		t.Fatal(err)
	}
	if want := (chains.Header{BlockRef: chains.BlockRef{Height: 1000, Hash: hash.String()}, Parent: Hash{7}.String(), Time: 1_700_000_000}); b.Header != want {
		t.Errorf("%+v", b.Header)
	}
	for i, want := range []struct {
		price uint64
		to    bool
		ok    bool
	}{{5e9, true, true}, {5e9, true, true}, {4e9, false, true}, {4e9, true, false}, {3500e6, true, true}} {
		m := b.Transactions[i]
		from, err := m.Sender()
		if err != nil || from != AddressOf(testKey(t).PubKey()) || m.From != from {
			t.Errorf("%d: from %s, %v", i, from, err)
		}
		if m.Hash != Hash(txs[i].Hash()) || m.GasPrice != NewWei(want.price) || m.Fee != NewWei(want.price*21000) || m.GasUsed != 21000 ||
			(m.To != nil) != want.to || m.Succeeded != want.ok || m.Value != NewWei(uint64(i+1)) {
			t.Errorf("%d: %+v", i, m)
		}
	}
	last := b.Transactions[4].Hash
	token, all := account(50), WeiOfMax()
	want := []Transfer{
		{Token: token, From: account(2), To: account(1), Value: NewWei(77), TxID: last, Index: 1},
		{Token: token, From: account(2), To: account(1), Value: all, TxID: last, Index: 10},
	}
	if diff := cmp.Diff(want, b.Transfers(map[Address]bool{token: true})); diff != "" {
		t.Error(diff)
	}
	if list := b.Transfers(nil); len(list) != 0 {
		t.Errorf("%v with no token listed", list)
	}
	if _, err := all.Amount(); !errors.Is(err, chains.ErrAmountRange) {
		t.Errorf("2^256-1 is an amount: %v", err)
	}
	if diff := cmp.Diff([]Withdrawal{{To: account(3), Amount: NewWei(5e9)}}, b.Withdrawals); diff != "" {
		t.Error(diff)
	}
	touched := b.Touched(map[Address]bool{token: true})
	for n := byte(1); n <= 4; n++ {
		if !touched[account(n)] {
			t.Errorf("account %d is not touched", n)
		}
	}
}

// WeiOfMax is 2^256-1.
func WeiOfMax() Wei { return weiOfWord(common.MaxHash.Bytes()) }

// TestSample: a block of anvil 1.7.1 with a deployment, transfers of two tokens and
// a failure, as it came over the wire.
func TestSample(t *testing.T) {
	raw, receipts := sample(t)
	var claim struct{ Hash Hash }
	if err := json.Unmarshal(raw, &claim); err != nil {
		t.Fatal(err)
	}
	b, err := decodeBlock(raw, receipts, claim.Hash)
	if err != nil {
		t.Fatal(err)
	}
	failed, logs := 0, 0
	for _, m := range b.Transactions {
		logs += len(m.Logs)
		if !m.Succeeded {
			failed++
		}
	}
	if b.Height != 2 || len(b.Transactions) != 5 || failed != 1 || logs != 4 {
		t.Errorf("block %d: %d transactions, %d failed, %d logs", b.Height, len(b.Transactions), failed, logs)
	}
}

func sample(t testing.TB) (block, receipts json.RawMessage) {
	t.Helper()
	block = must[[]byte](t)(os.ReadFile(filepath.Join("testdata", "anvil-block.json")))
	return block, must[[]byte](t)(os.ReadFile(filepath.Join("testdata", "anvil-receipts.json")))
}

func FuzzDecodeBlock(f *testing.F) {
	block, receipts := sample(f)
	f.Add([]byte(block), []byte(receipts))
	block, receipts, _, _ = builtBlock(f, 1)
	f.Add([]byte(block), []byte(receipts))
	f.Add([]byte("null"), []byte("[null]"))
	f.Fuzz(func(t *testing.T, block, receipts []byte) {
		var claim struct{ Hash Hash }
		_ = json.Unmarshal(block, &claim)
		b, err := decodeBlock(block, receipts, claim.Hash)
		if err != nil {
			if !errors.Is(err, chains.ErrBadBlock) || len(err.Error()) > 1000 {
				t.Fatal(err)
			}
			return
		}
		if b.Hash != claim.Hash.String() {
			t.Fatalf("block %s, asked for %s", b.Hash, claim.Hash)
		}
		b.Transfers(map[Address]bool{account(50): true})
		b.Touched(map[Address]bool{account(50): true})
		for i := range b.Transactions {
			_, _ = b.Transactions[i].Sender()
		}
	})
}

// BenchmarkDecodeBlock is a block of 200 transactions with 440 logs.
func BenchmarkDecodeBlock(b *testing.B) {
	block, receipts, hash, _ := builtBlock(b, 40)
	b.SetBytes(int64(len(block) + len(receipts)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decodeBlock(block, receipts, hash); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSender(b *testing.B) {
	block, receipts, hash, _ := builtBlock(b, 1)
	for b.Loop() {
		d, err := decodeBlock(block, receipts, hash)
		if err != nil {
			b.Fatal(err)
		}
		for i := range d.Transactions {
			if _, err := d.Transactions[i].Sender(); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// mainnetGenesis is the header of mainnet's block 0.
func mainnetGenesis() *types.Header {
	return &types.Header{
		UncleHash: types.EmptyUncleHash, Root: common.HexToHash("0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544"),
		TxHash: types.EmptyTxsHash, ReceiptHash: types.EmptyReceiptsHash, Difficulty: big.NewInt(17_179_869_184), Number: new(big.Int), GasLimit: 5000,
		Extra: common.FromHex("0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa"), Nonce: types.EncodeNonce(66),
	}
}
