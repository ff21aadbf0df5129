package ethereum

import (
	"encoding/hex"
	"fmt"
	"log/slog"
	"math/big"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"

	"causeway/chains"
	"causeway/chains/devnet/evm"
	"causeway/chains/ethereum/erc20test"
	"causeway/chains/jsonrpc"
	"causeway/internal/nodetest"
)

// world is a node with ten funded accounts, and what is built on it.
type world struct {
	t       testing.TB
	url     string
	client  *jsonrpc.Client
	quorum  *Quorum
	rich    []Address         // accounts that the node signs for
	key     *btcec.PrivateKey // of rich[0]
	devnet  *evm.Chain        // nil: it is an anvil
	payers  Address
	payee   Address
	token   Address
	foreign Address // a token that nobody listed
}

const testChainID = nodetest.AnvilChainID

// worlds runs a test on anvil and on the embedded network.
func worlds(t *testing.T, run func(t *testing.T, w *world)) {
	t.Run("anvil", func(t *testing.T) {
		t.Parallel()
		node := nodetest.Anvil(t)
		run(t, newWorld(t, node.URL))
	})
	t.Run("devnet", func(t *testing.T) {
		t.Parallel()
		run(t, newDevnet(t))
	})
}

func newDevnet(t testing.TB) *world {
	t.Helper()
	chain, err := evm.New(evm.Config{SlotsInEpoch: 1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = chain.Close() })
	w := newWorld(t, chain.URL())
	w.devnet = chain
	return w
}

// newWorld deploys the contracts in block 1.
func newWorld(t testing.TB, url string) *world {
	t.Helper()
	client, err := jsonrpc.New(url, jsonrpc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	w := &world{t: t, url: url, client: client, key: testKey(t)}
	w.quorum = w.open(1, url)
	w.call(&w.rich, "eth_accounts")
	if w.rich[0] != AddressOf(w.key.PubKey()) {
		t.Fatalf("the first account is %s", w.rich[0])
	}
	supply := new(big.Int).Exp(big.NewInt(10), big.NewInt(30), nil)
	var created [4]Hash
	for i, code := range [][]byte{
		erc20test.CreateToken("Test USD", "TUSD", 6, supply), erc20test.CreatePayer(), erc20test.CreatePayee(), erc20test.CreateToken("Test USD", "TUSD", 6, supply),
	} {
		created[i] = w.send(0, map[string]any{"data": hexData(code)})
	}
	w.mine(1)
	for i, to := range []*Address{&w.token, &w.payers, &w.payee, &w.foreign} {
		var receipt struct {
			Contract Address `json:"contractAddress"`
		}
		w.call(&receipt, "eth_getTransactionReceipt", created[i])
		*to = receipt.Contract
	}
	return w
}

// testKey is the first key of the mnemonic of development chains.
func testKey(t testing.TB) *btcec.PrivateKey {
	t.Helper()
	raw, err := hex.DecodeString("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
	if err != nil {
		t.Fatal(err)
	}
	key, _ := btcec.PrivKeyFromBytes(raw)
	return key
}

func (w *world) open(need int, urls ...string) *Quorum {
	w.t.Helper()
	q, err := Open(urls, need, Options{ChainID: testChainID, Network: chains.Regtest})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(q.Close)
	return q
}

func (w *world) call(result any, method string, params ...any) {
	w.t.Helper()
	if err := w.client.CallLimit(w.t.Context(), 64<<20, result, method, params...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) mine(blocks int) {
	w.t.Helper()
	w.call(nil, "anvil_mine", quantity(uint64(blocks)))
}

// send has the node sign a transaction of an account. Gas is given, so that nothing
// is estimated and what fails is mined.
func (w *world) send(from int, tx map[string]any) (txid Hash) {
	w.t.Helper()
	tx["from"] = w.rich[from]
	if tx["gas"] == nil {
		tx["gas"] = quantity(3_000_000)
	}
	w.call(&txid, "eth_sendTransaction", tx)
	return txid
}

func (w *world) pay(from int, to Address, wei uint64) Hash {
	w.t.Helper()
	return w.send(from, map[string]any{"to": to, "value": quantity(wei)})
}

func (w *world) invoke(from int, contract Address, wei uint64, data []byte) Hash {
	w.t.Helper()
	return w.send(from, map[string]any{"to": contract, "value": quantity(wei), "data": hexData(data)})
}

// head is the newest block of a tag, read and verified.
func (w *world) head(tag Tag) *Block {
	w.t.Helper()
	h, err := w.quorum.Head(w.t.Context(), tag)
	if err != nil {
		w.t.Fatal(err)
	}
	b, err := w.quorum.Block(w.t.Context(), mustHash(w.t, h.Hash))
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

func mustHash(t testing.TB, text string) Hash {
	t.Helper()
	h, err := ParseHash(text)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// account is an address that nobody has the key of.
func account(n byte) Address { return Address{0xca, 19: n} }

func (w *world) listed() map[Address]bool { return map[Address]bool{w.token: true} }

// must fails the test on an error.
func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// only is the value of a list of one.
func (w *world) balance(block Hash, a Address) Wei {
	w.t.Helper()
	list, err := w.quorum.Balances(w.t.Context(), block, []Address{a})
	if err != nil {
		w.t.Fatal(err)
	}
	return list[0]
}

func (w *world) nonce(a Address) uint64 {
	w.t.Helper()
	list, err := w.quorum.Nonces(w.t.Context(), mustHash(w.t, w.head(Latest).Hash), []Address{a})
	if err != nil {
		w.t.Fatal(err)
	}
	return list[0]
}

func (w *world) String() string { return fmt.Sprintf("world at %s", w.url) }
