package evm

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/google/go-cmp/cmp"

	"causeway/chains/ethereum/erc20test"
	"causeway/internal/nodetest"
)

// twins are this chain and anvil, which are told the same.
type twins struct {
	t           *testing.T
	chain       *Chain
	ours, other client
	nonces      map[int]uint64
}

// both asks both and compares the answers.
func (w *twins) both(method string, args ...any) any {
	w.t.Helper()
	ours, other := w.ours.get(method, args...), w.other.get(method, args...)
	if diff := cmp.Diff(other, ours); diff != "" {
		w.t.Errorf("%s%v (-anvil +ours):\n%s", method, args, diff)
	}
	return ours
}

// send sends the same transaction to both.
func (w *twins) send(from int, to *common.Address, wei *big.Int, data []byte) common.Hash {
	w.t.Helper()
	tx := sign(w.t, w.chain, from, &types.DynamicFeeTx{
		ChainID: w.chain.config.ChainID, Nonce: w.nonces[from], GasTipCap: gwei(1), GasFeeCap: gwei(10), Gas: 2_000_000, To: to, Value: wei, Data: data,
	})
	w.nonces[from]++
	w.both("eth_sendRawTransaction", raw(w.t, tx))
	return tx.Hash()
}

// strip takes away the members that name a block, and those that only one of the
// two has but both may.
func strip(v any, names ...string) any {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range names {
			delete(v, name)
		}
		for _, member := range v {
			strip(member, names...)
		}
	case []any:
		for _, member := range v {
			strip(member, names...)
		}
	}
	return v
}

// mined compares what both say of a mined transaction.
func (w *twins) mined(what string, hash common.Hash) map[string]any {
	w.t.Helper()
	for _, method := range []string{"eth_getTransactionReceipt", "eth_getTransactionByHash"} {
		ours, other := w.ours.get(method, hash), w.other.get(method, hash)
		// The blocks differ in extra data and time; anvil tells a blob price with
		// every receipt, geth (and this chain) with those of blobs.
		differ := []string{"blockHash", "blockTimestamp", "blobGasPrice"}
		if diff := cmp.Diff(strip(other, differ...), strip(ours, differ...)); diff != "" {
			w.t.Errorf("%s: %s (-anvil +ours):\n%s", what, method, diff)
		}
	}
	return w.ours.object(w.ours.get("eth_getTransactionReceipt", hash))
}

// TestAgainstAnvil tells this chain and anvil the same and compares what they say:
// gas, receipts, logs, balances, base fees, addresses and errors.
func TestAgainstAnvil(t *testing.T) {
	node := nodetest.Anvil(t)
	chain, ours := start(t, Config{SlotsInEpoch: 1})
	w := &twins{t: t, chain: chain, ours: ours, other: dial(t, node.URL), nonces: map[int]uint64{}}
	// anvil's first block has genesis' base fee; by EIP-1559 it is an eighth lower,
	// since genesis is empty.
	w.other.get("anvil_setNextBlockBaseFeePerGas", rpcNumber(chain.nextBaseFee().Uint64()))
	w.both("eth_chainId")
	w.both("net_version")
	w.both("eth_accounts")
	mineBoth := func() { w.both("anvil_mine", "0x1") }

	create := func(what string, data []byte) common.Address {
		hash := w.send(0, nil, new(big.Int), data)
		mineBoth()
		return common.HexToAddress(w.mined(what, hash)["contractAddress"].(string))
	}
	token := create("token", erc20test.CreateToken("Test USD", "TUSD", 6, big.NewInt(1_000_000)))
	payer, payee := create("payer", erc20test.CreatePayer()), create("payee", erc20test.CreatePayee())
	mustEqual(t, "address", token, crypto.CreateAddress(chain.accounts[0].Address, 0))
	no, a, b := new(big.Int), stranger(1), stranger(2)
	var all []common.Hash
	for i, tc := range []struct {
		from int
		to   *common.Address
		wei  *big.Int
		data []byte
	}{
		{1, &a, ether(1), nil},
		{0, &token, no, erc20test.Transfer(a, big.NewInt(500))},
		{2, &payer, ether(2), erc20test.Pay(a, b)},
		{3, &payer, ether(2), erc20test.PayReverted(a)},
		{4, nil, ether(3), erc20test.CreateBomb(payee)},
		{5, &token, no, erc20test.SetMode(erc20test.ReturnsNothing)},
		{0, &token, no, erc20test.Transfer(b, big.NewInt(5))},
		{5, &token, no, erc20test.SetMode(erc20test.OnlyEvent)},
		{0, &token, no, erc20test.Transfer(b, big.NewInt(5))},
		{5, &token, no, erc20test.SetFee(500, false)},
		{5, &token, no, erc20test.SetMode(erc20test.Standard)},
		{0, &token, no, erc20test.Transfer(b, big.NewInt(100))},
		{5, &token, no, erc20test.SetPaused(true)},
		{0, &token, no, erc20test.Transfer(b, big.NewInt(100))},
		{6, &payee, no, erc20test.SetMode(erc20test.EatsGas)},
		{1, &payee, big.NewInt(1), nil},
		{6, &payee, no, erc20test.SetMode(erc20test.Reverts)},
		{1, &payee, big.NewInt(1), nil},
		{7, nil, no, hexutil.MustDecode("0x6160015ff3")}, // EIP-170
		{7, nil, no, []byte{0xfe}},
	} {
		all = append(all, w.send(tc.from, tc.to, tc.wei, tc.data))
		mineBoth()
		w.mined(fmt.Sprintf("transaction %d", i), all[i])
	}
	// Two payments in one block.
	all = append(all, w.send(1, &a, ether(1), nil), w.send(2, &b, ether(1), nil))
	mineBoth()
	w.mined("first of two", all[len(all)-2])
	w.mined("second of two", all[len(all)-1])

	w.states(token, payee, []common.Address{a, b, token, payer, payee, chain.accounts[0].Address, chain.accounts[5].Address})
	w.blocks()
	w.reorg(all[len(all)-1])
}

// states compares accounts at several blocks, and logs.
func (w *twins) states(token, payee common.Address, accounts []common.Address) {
	w.t.Helper()
	height := w.both("eth_blockNumber")
	for _, who := range accounts {
		for _, at := range []any{"latest", "finalized", "safe", "0x5", "pending"} {
			w.both("eth_getBalance", who, at)
			w.both("eth_getTransactionCount", who, at)
		}
		w.both("eth_getCode", who, "latest")
		w.both("eth_call", map[string]any{"to": token, "data": hexutil.Bytes(erc20test.BalanceOf(who))}, "latest")
		w.both("eth_call", map[string]any{"to": token, "data": hexutil.Bytes(erc20test.BalanceOf(who))}, "0x6")
	}
	w.both("eth_getStorageAt", payee, "0x0", "latest")
	for _, filter := range []map[string]any{{"fromBlock": "0x0"}, {"fromBlock": "0x0", "address": token}, {"fromBlock": "0x4", "toBlock": height, "topics": []any{nil, nil, common.BytesToHash(accounts[1][:])}}} {
		differ := []string{"blockHash", "blockTimestamp"}
		if diff := cmp.Diff(strip(w.other.get("eth_getLogs", filter), differ...), strip(w.ours.get("eth_getLogs", filter), differ...)); diff != "" {
			w.t.Errorf("eth_getLogs%v (-anvil +ours):\n%s", filter, diff)
		}
	}
}

// blocks compares what headers commit to, but for state, time and extra data.
func (w *twins) blocks() {
	w.t.Helper()
	for n := uint64(0); n <= w.chain.Height(); n++ {
		o, their := w.ours.object(w.ours.get("eth_getBlockByNumber", rpcNumber(n), false)), w.other.object(w.other.get("eth_getBlockByNumber", rpcNumber(n), false))
		names := []string{"number", "gasLimit", "gasUsed", "transactions", "logsBloom", "receiptsRoot", "transactionsRoot", "difficulty", "sha3Uncles", "nonce"}
		if n > 0 {
			names = append(names, "withdrawalsRoot", "baseFeePerGas")
		}
		for _, name := range names {
			if diff := cmp.Diff(their[name], o[name]); diff != "" {
				w.t.Errorf("block %d: %s (-anvil +ours):\n%s", n, name, diff)
			}
		}
	}
}

// reorg replaces blocks on both.
func (w *twins) reorg(dropped common.Hash) {
	w.t.Helper()
	before := w.both("eth_blockNumber")
	w.both("anvil_reorg", 2, []any{})
	if after := w.both("eth_blockNumber"); after != before {
		w.t.Errorf("height %v after %v", after, before)
	}
	w.both("eth_getTransactionReceipt", dropped)
	w.both("eth_getTransactionByHash", dropped)
	for i := range 8 {
		w.both("eth_getBalance", w.chain.accounts[i].Address, "latest")
		w.both("eth_getTransactionCount", w.chain.accounts[i].Address, "pending")
	}
	w.both("anvil_rollback", 3)
	w.both("eth_blockNumber")
	w.both("eth_getBalance", stranger(1), "latest")
}
