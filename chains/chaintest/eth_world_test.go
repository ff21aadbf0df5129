package chaintest_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/chains"
	"causeway/chains/chaintest"
	"causeway/chains/ethereum"
	"causeway/chains/ethereum/erc20test"
	"causeway/chains/jsonrpc"
	"causeway/internal/nodetest"

	"github.com/btcsuite/btcd/btcec/v2"
)

// The keys of the first two accounts of development chains.
const (
	richKey = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
	hotKey  = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
)

var ethLimits = ethereum.FeeLimits{Min: ethereum.NewWei(1e9), Max: ethereum.NewWei(1000e9)}

// ethWorld is a development node of Ethereum, a token on it, and a contract that
// pays whom it is told to.
type ethWorld struct {
	t            *testing.T
	url          string
	client       *jsonrpc.Client
	quorum       *ethereum.Quorum
	rich, hot    *btcec.PrivateKey
	token, payer ethereum.Address
	made         byte

	mu       sync.Mutex
	raws     map[string][]byte // what the payer sent
	internal []ethereum.Address
	asked    map[string][]ethereum.Address // whose balances, by block
}

func newEthWorld(t *testing.T, url string) *ethWorld {
	t.Helper()
	client, err := jsonrpc.New(url, jsonrpc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	w := &ethWorld{
		t: t, url: url, client: client, rich: ethKey(t, richKey), hot: ethKey(t, hotKey),
		raws: map[string][]byte{}, asked: map[string][]ethereum.Address{},
	}
	w.quorum = w.open(t, nodetest.AnvilChainID)
	supply := new(big.Int).Exp(big.NewInt(10), big.NewInt(30), nil)
	w.token, w.payer = w.deploy(erc20test.CreateToken("Test USD", "TUSD", 6, supply)), w.deploy(erc20test.CreatePayer())
	// The hot wallet pays tokens too.
	w.mustSend(w.token, 0, ethereum.TransferCall(ethereum.AddressOf(w.hot.PubKey()), ethereum.NewWei(1e18)))
	w.mine(1)
	return w
}

func ethKey(t *testing.T, text string) *btcec.PrivateKey {
	t.Helper()
	raw, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	key, _ := btcec.PrivKeyFromBytes(raw)
	return key
}

func (w *ethWorld) open(t testing.TB, chainID uint64) *ethereum.Quorum {
	t.Helper()
	q, err := ethereum.Open([]string{w.url}, 1, ethereum.Options{ChainID: chainID, Network: chains.Regtest, Timeout: impatient})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	return q
}

// call asks the node; a result of null leaves what was there.
func (w *ethWorld) call(result any, method string, params ...any) {
	w.t.Helper()
	if err := w.client.CallLimit(w.t.Context(), 64<<20, result, method, params...); err != nil && !errors.Is(err, jsonrpc.ErrNull) {
		w.t.Fatal(err)
	}
}

// deploy has the node sign for the first account.
func (w *ethWorld) deploy(code []byte) ethereum.Address {
	w.t.Helper()
	var txid string
	w.call(&txid, "eth_sendTransaction", map[string]any{
		"from": ethereum.AddressOf(w.rich.PubKey()), "data": "0x" + hex.EncodeToString(code), "gas": "0x2dc6c0",
	})
	w.mine(1)
	var receipt struct {
		Contract ethereum.Address `json:"contractAddress"`
	}
	w.call(&receipt, "eth_getTransactionReceipt", txid)
	return receipt.Contract
}

func (w *ethWorld) mine(blocks int) {
	w.t.Helper()
	w.call(nil, "anvil_mine", fmt.Sprintf("0x%x", blocks))
}

// tokenPrefix is before the address of a payee who is paid in the token.
const tokenPrefix = "TUSD:"

// parse reads a payee of coins or of tokens.
func parse(text string) (to ethereum.Address, token bool, err error) {
	text, token = strings.CutPrefix(text, tokenPrefix)
	to, err = ethereum.ParseAddress(text)
	return to, token, err
}

// transaction is what moves units to a payee.
func (w *ethWorld) transaction(key *btcec.PrivateKey, payee string, units int64) (ethereum.Transaction, error) {
	to, token, err := parse(payee)
	if err != nil {
		return ethereum.Transaction{}, err
	}
	value := ethereum.NewWei(uint64(units))
	if token {
		return w.filled(key, w.token, ethereum.Wei{}, ethereum.TransferCall(to, value))
	}
	return w.filled(key, to, value, nil)
}

// filled is a transaction with the next nonce, at the market's price.
func (w *ethWorld) filled(key *btcec.PrivateKey, to ethereum.Address, value ethereum.Wei, data []byte) (tx ethereum.Transaction, err error) {
	from := ethereum.AddressOf(key.PubKey())
	var nonce string
	w.call(&nonce, "eth_getTransactionCount", from, "pending")
	tx = ethereum.Transaction{ChainID: nodetest.AnvilChainID, To: to, Value: value, Data: data}
	if _, err := fmt.Sscanf(nonce, "0x%x", &tx.Nonce); err != nil {
		return tx, err
	}
	market, err := w.market()
	if err != nil {
		return tx, err
	}
	tx.Price = ethLimits.Price(market)
	tx.Gas, err = w.quorum.Gas(w.t.Context(), from, tx)
	return tx, err
}

// market asks until there is an answer: an anvil that has just mined has no history
// of fees for a moment.
func (w *ethWorld) market() (m ethereum.Market, err error) {
	for range 500 {
		if m, err = w.quorum.Market(w.t.Context()); err == nil {
			return m, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return m, err
}

// send signs and hands in a transaction of the payer's.
func (w *ethWorld) send(tx ethereum.Transaction) (txid string, err error) {
	signed, err := tx.Sign(w.rich)
	if err != nil {
		return "", err
	}
	txid = signed.Hash.String()
	w.mu.Lock()
	w.raws[txid] = signed.Raw
	w.mu.Unlock()
	if verdict, err := w.quorum.Broadcast(w.t.Context(), signed.Raw); verdict != chains.Accepted {
		return "", fmt.Errorf("the node says %s: %w", verdict, err)
	}
	return txid, nil
}

// mustSend sends value and data of the payer to a contract.
func (w *ethWorld) mustSend(to ethereum.Address, value uint64, data []byte) {
	w.t.Helper()
	tx, err := w.filled(w.rich, to, ethereum.NewWei(value), data)
	if err == nil {
		_, err = w.send(tx)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// NewAddress implements chaintest.Payer.
func (w *ethWorld) NewAddress() (string, error) {
	w.made++
	return ethereum.Address{0xca, 19: w.made}.String(), nil
}

// Pay implements chaintest.Payer.
func (w *ethWorld) Pay(address string, units int64) (txid string, err error) {
	tx, err := w.transaction(w.rich, address, units)
	if err != nil {
		return "", err
	}
	return w.send(tx)
}

// Mine implements chaintest.Payer.
func (w *ethWorld) Mine(blocks int) error {
	w.mine(blocks)
	return nil
}

// conflict is a dearer transaction of the same nonce, to the payer itself.
func (w *ethWorld) conflict(txid string) ([]byte, error) {
	w.mu.Lock()
	raw := w.raws[txid]
	w.mu.Unlock()
	signed, err := ethereum.Decode(raw)
	if err != nil {
		return nil, err
	}
	tx := signed.Transaction
	tx.To, tx.Value, tx.Data = signed.From, ethereum.Wei{}, nil
	if tx.Price.Max, err = tx.Price.Max.Times(2); err != nil {
		return nil, err
	}
	if tx.Price.Tip, err = tx.Price.Tip.Times(2); err != nil {
		return nil, err
	}
	again, err := tx.Sign(w.rich)
	if err != nil {
		return nil, err
	}
	return again.Raw, nil
}

// hand gives a transaction to the node, which may have it.
func (w *ethWorld) hand(raw []byte) error {
	verdict, err := w.quorum.Broadcast(w.t.Context(), raw)
	if verdict != chains.Accepted && verdict != chains.Known {
		return fmt.Errorf("the node says %s: %w", verdict, err)
	}
	return nil
}

// reorg puts empty blocks in place of the newest, and one more, in which the payment
// meets its fate.
func (w *ethWorld) reorg(txid string, depth int, fate chaintest.Fate) error {
	if depth > 0 {
		w.call(nil, "anvil_reorg", depth, []any{})
		w.call(nil, "anvil_dropTransaction", txid)
	}
	var err error
	switch fate {
	case chaintest.Again:
		err = w.hand(w.raws[txid])
	case chaintest.Replaced:
		var raw []byte
		if raw, err = w.conflict(txid); err == nil {
			err = w.hand(raw)
		}
	}
	w.mine(1)
	return err
}

func (w *ethWorld) evict(txid string) error {
	w.call(nil, "anvil_dropTransaction", txid)
	return nil
}

// kinds are the ways in which an account is paid.
func (w *ethWorld) kinds(salt string) []chaintest.Kind {
	account := func(use string) (a ethereum.Address) {
		sum := sha256.Sum256([]byte(use + salt))
		copy(a[:], sum[:])
		return a
	}
	coins, tokens, inside := account("coins"), account("tokens"), account("inside")
	return []chaintest.Kind{
		{Name: "coins", Address: coins.String(), Script: coins[:]},
		{Name: "tokens", Address: tokenPrefix + tokens.String(), Script: slices.Concat(w.token[:], tokens[:])},
		{Name: "coins from a contract", Address: inside.String(), Script: inside[:], In: true, Pay: func(units int64) error {
			w.mu.Lock()
			w.internal = append(w.internal, inside)
			w.mu.Unlock()
			tx, err := w.filled(w.rich, w.payer, ethereum.NewWei(uint64(units)), erc20test.Pay(inside))
			if err == nil {
				_, err = w.send(tx)
			}
			return err
		}},
	}
}

// wallet pays from the hot account, as chains/ethereum prices and signs.
func (w *ethWorld) wallet() *chaintest.Wallet {
	address := ethereum.AddressOf(w.hot.PubKey())
	return &chaintest.Wallet{
		Account: "hot", Address: address.String(),
		Cost: func(txid string) (chains.Amount, error) {
			hash, err := ethereum.ParseHash(txid)
			if err != nil {
				return chains.Amount{}, err
			}
			status, err := w.quorum.Lookup(w.t.Context(), hash)
			if err != nil || status.State != ethereum.InBlock || !status.Mined.Succeeded {
				return chains.Amount{}, fmt.Errorf("it is %s and succeeded: %t: %w", status.State, status.Mined.Succeeded, err)
			}
			return status.Mined.Fee.Amount()
		},
		Pay: func(_ []chaintest.Fund, payees []chaintest.Output, _ chains.FeeRate, _ uint64) (*chaintest.Payout, error) {
			tx, err := w.transaction(w.hot, payees[0].Address, payees[0].Units)
			if err != nil {
				return nil, err
			}
			signed, err := tx.Sign(w.hot)
			if err != nil {
				return nil, err
			}
			most, err := tx.Price.Max.Times(tx.Gas)
			if err != nil {
				return nil, err
			}
			fee, err := most.Amount()
			return &chaintest.Payout{TxID: signed.Hash.String(), Raw: signed.Raw, Fee: fee}, err
		},
	}
}

// pending lists what the payer and the wallet sent that waits.
func (w *ethWorld) pending(ctx context.Context) (list []string, err error) {
	var content map[string]map[string]map[string]struct {
		Hash string `json:"hash"`
	}
	if err := w.client.CallLimit(ctx, 64<<20, &content, "txpool_content"); err != nil {
		return nil, err
	}
	for _, group := range content {
		for _, byNonce := range group {
			for _, tx := range byNonce {
				list = append(list, tx.Hash)
			}
		}
	}
	return list, nil
}
