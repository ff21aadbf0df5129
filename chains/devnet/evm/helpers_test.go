package evm

import (
	"context"
	"encoding/json"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/google/go-cmp/cmp"

	"causeway/chains/ethereum/erc20test"
)

// testClock gives every block its own second, and no test waits for it.
func testClock() func() time.Time {
	now := time.Unix(genesisTime, 0)
	return func() time.Time { return now }
}

var testToken = Token{Name: "Test USD", Symbol: "TUSD", Decimals: 6, Supply: big.NewInt(1_000_000_000_000)}

// start runs a chain for a test.
func start(t testing.TB, cfg Config) (*Chain, client) {
	t.Helper()
	if cfg.Clock == nil {
		cfg.Clock = testClock()
	}
	chain, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := chain.Close(); err != nil {
			t.Error(err)
		}
	})
	return chain, dial(t, chain.URL())
}

// client is go-ethereum's RPC client: the other side of the protocol.
type client struct {
	t testing.TB
	*rpc.Client
}

func dial(t testing.TB, url string) client {
	t.Helper()
	c, err := rpc.Dial(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return client{t, c}
}

// get calls a method that must succeed and returns its result.
func (c client) get(method string, args ...any) any {
	c.t.Helper()
	result, err := c.try(method, args...)
	if err != nil {
		c.t.Fatalf("%s%v: %v", method, args, err)
	}
	return result
}

func (c client) try(method string, args ...any) (any, error) {
	var raw json.RawMessage
	if err := c.CallContext(context.Background(), &raw, method, args...); err != nil {
		return nil, err
	}
	var result any
	return result, json.Unmarshal(raw, &result)
}

// fails calls a method that must fail and compares code and text.
func (c client) fails(code int, text, method string, args ...any) {
	c.t.Helper()
	result, err := c.try(method, args...)
	var coded rpc.Error
	if !errors.As(err, &coded) {
		c.t.Errorf("%s%v: %v, %v; want error %d %q", method, args, result, err, code, text)
		return
	}
	if coded.ErrorCode() != code || coded.Error() != text {
		c.t.Errorf("%s%v: error %d %q, want %d %q", method, args, coded.ErrorCode(), coded.Error(), code, text)
	}
}

// number is a quantity in an answer.
func (c client) number(v any) *big.Int {
	c.t.Helper()
	text, ok := v.(string)
	if !ok {
		c.t.Fatalf("%v is no quantity", v)
	}
	n, err := hexutil.DecodeBig(text)
	if err != nil {
		c.t.Fatalf("%v: %v", v, err)
	}
	return n
}

func (c client) balance(who common.Address, at any) *big.Int {
	c.t.Helper()
	return c.number(c.get("eth_getBalance", who, at))
}

func (c client) object(v any) map[string]any {
	c.t.Helper()
	o, ok := v.(map[string]any)
	if !ok {
		c.t.Fatalf("%v is no object", v)
	}
	return o
}

// send signs with a chain's account and sends; fees are 1 gwei above twice the base.
func (c client) send(chain *Chain, from int, nonce uint64, to *common.Address, wei *big.Int, data []byte) common.Hash {
	c.t.Helper()
	tx := sign(c.t, chain, from, &types.DynamicFeeTx{
		ChainID: chain.config.ChainID, Nonce: nonce, GasTipCap: gwei(1), GasFeeCap: gwei(3), Gas: 3_000_000, To: to, Value: wei, Data: data,
	})
	c.get("eth_sendRawTransaction", raw(c.t, tx))
	return tx.Hash()
}

func sign(t testing.TB, chain *Chain, from int, data types.TxData) *types.Transaction {
	t.Helper()
	tx, err := types.SignNewTx(chain.accounts[from].Key, chain.signer, data)
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

func raw(t testing.TB, tx *types.Transaction) hexutil.Bytes {
	t.Helper()
	data, err := tx.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func gwei(n int64) *big.Int  { return new(big.Int).Mul(big.NewInt(n), big.NewInt(params.GWei)) }
func ether(n int64) *big.Int { return new(big.Int).Mul(big.NewInt(n), big.NewInt(params.Ether)) }

// stranger is an address that owns nothing.
func stranger(n byte) common.Address {
	return common.BytesToAddress(crypto.Keccak256([]byte{n})[:20])
}

func mustEqual(t testing.TB, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 })); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func mine(t testing.TB, c *Chain, n int) {
	t.Helper()
	if err := c.Mine(n); err != nil {
		t.Fatal(err)
	}
}

func tokenTransfer(to common.Address, amount int64) []byte {
	return erc20test.Transfer(to, big.NewInt(amount))
}

// raws is the result of a method as it came.
func raws(t testing.TB, c client, method string, args ...any) json.RawMessage {
	t.Helper()
	var text json.RawMessage
	if err := c.CallContext(context.Background(), &text, method, args...); err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	return text
}

func rpcNumber(n uint64) string { return hexutil.EncodeUint64(n) }
