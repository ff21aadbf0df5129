package chaintest_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/big"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"causeway/chains"
	"causeway/chains/chaintest"
	"causeway/chains/devnet/evm"
	"causeway/chains/devnet/kit"
	"causeway/chains/ethereum"
	"causeway/chains/ethereum/erc20test"
	"causeway/chains/jsonrpc"
	"causeway/internal/nodetest"
)

// wholeValue is the index of the coins that a transaction itself moves: no log has it.
const wholeValue = math.MaxUint32

// ethClient is a follower of the newest blocks in the suite's form: an output is what
// a transaction moves, a log tells of a token, or a balance rose by beyond these.
type ethClient struct {
	w        *ethWorld
	quorum   *ethereum.Quorum
	follower *ethereum.Follower
}

func (w *ethWorld) newClient(t testing.TB, chainID uint64) *ethClient {
	t.Helper()
	q := w.open(t, chainID)
	return &ethClient{w, q, ethereum.NewFollower(q, ethereum.Latest, chains.FollowerOptions{})}
}

func (c *ethClient) Next(ctx context.Context, tail []chains.BlockRef) (chains.Event, error) {
	step, err := c.follower.Next(ctx, tail)
	switch {
	case err != nil || step == nil:
		return nil, err
	case step.Disconnected != nil:
		return chains.Disconnected{BlockRef: *step.Disconnected}, nil
	}
	block, err := c.block(ctx, step.Connected)
	if err != nil {
		return nil, err
	}
	return chains.Connected{Block: block}, nil
}

func (c *ethClient) block(ctx context.Context, b *ethereum.Block) (*chains.Block, error) {
	out := &chains.Block{Header: b.Header, Transactions: []string{}, Outputs: []chains.Output{}, Spends: []chains.Spend{}}
	direct := map[ethereum.Address]ethereum.Wei{}
	for _, tx := range b.Transactions {
		out.Transactions = append(out.Transactions, tx.Hash.String())
		if !tx.Succeeded || tx.To == nil || tx.Value.IsZero() {
			continue
		}
		amount, err := tx.Value.Amount()
		if err != nil {
			return nil, err
		}
		direct[*tx.To], _ = direct[*tx.To].Add(tx.Value)
		out.Outputs = append(out.Outputs, chains.Output{Outpoint: chains.Outpoint{TxID: tx.Hash.String(), Index: wholeValue}, Script: tx.To[:], Amount: amount})
	}
	for _, tr := range b.Transfers(map[ethereum.Address]bool{c.w.token: true}) {
		amount, err := tr.Value.Amount()
		if err != nil {
			return nil, err
		}
		out.Outputs = append(out.Outputs, chains.Output{Outpoint: tr.Outpoint(), Script: slices.Concat(tr.Token[:], tr.To[:]), Amount: amount})
	}
	return out, c.risen(ctx, b, direct, out)
}

// risen adds what accounts received from contracts: only their balances tell.
func (c *ethClient) risen(ctx context.Context, b *ethereum.Block, direct map[ethereum.Address]ethereum.Wei, out *chains.Block) error {
	c.w.mu.Lock()
	accounts := slices.Clone(c.w.internal)
	c.w.asked[b.Hash] = accounts
	c.w.mu.Unlock()
	if len(accounts) == 0 {
		return nil
	}
	var states [2][]ethereum.Wei
	for i, text := range []string{b.Parent, b.Hash} {
		hash, err := ethereum.ParseHash(text)
		if err != nil {
			return err
		}
		if states[i], err = c.quorum.Balances(ctx, hash, accounts); err != nil {
			return err
		}
	}
	for i, a := range accounts {
		had, err := states[0][i].Add(direct[a])
		if err != nil {
			return err
		}
		rise, err := states[1][i].Sub(had)
		if err != nil || rise.IsZero() {
			continue
		}
		amount, err := rise.Amount()
		if err != nil {
			return err
		}
		out.Outputs = append(out.Outputs, received(a, states[1][i].String(), amount))
	}
	return nil
}

// received is an output that no transaction shows: its identity is how much the
// account has received in all.
func received(a ethereum.Address, total string, amount chains.Amount) chains.Output {
	return chains.Output{Outpoint: chains.Outpoint{TxID: a.String() + " " + total}, Script: a[:], Amount: amount}
}

func (c *ethClient) Tip(ctx context.Context) (chains.BlockRef, error) {
	h, err := c.quorum.Head(ctx, ethereum.Latest)
	return h.BlockRef, err
}

func (c *ethClient) HashAt(ctx context.Context, height uint64) (string, error) {
	return c.quorum.HashAt(ctx, height)
}

func (c *ethClient) RawBlock(ctx context.Context, hash string) ([]byte, error) {
	id, err := ethereum.ParseHash("0x" + strings.TrimPrefix(hash, "0x"))
	if err == nil {
		_, err = c.quorum.Block(ctx, id)
	}
	return nil, err
}

func (c *ethClient) Mempool(ctx context.Context) ([]string, error) { return c.w.pending(ctx) }

func (c *ethClient) RawTransaction(ctx context.Context, txid string) ([]byte, error) {
	var text string
	err := c.w.client.Call(ctx, &text, "eth_getRawTransactionByHash", "0x"+strings.TrimPrefix(txid, "0x"))
	if errors.Is(err, jsonrpc.ErrNull) || err == nil && text == "0x" {
		return nil, chains.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return hex.DecodeString(strings.TrimPrefix(text, "0x"))
}

func (c *ethClient) Broadcast(ctx context.Context, raw []byte) (chains.Verdict, error) {
	return c.quorum.Broadcast(ctx, raw)
}

func (c *ethClient) EstimateFee(context.Context, int) (chains.FeeRate, bool, error) {
	return 0, false, nil
}

func (c *ethClient) Health() []chains.NodeHealth { return c.quorum.Health() }

// ethChain is the codec of the subject: scripts are accounts, or tokens and accounts.
type ethChain struct{ token ethereum.Address }

func (ethChain) ID() chains.ID           { return chains.ETH }
func (ethChain) Network() chains.Network { return chains.Regtest }
func (ethChain) Facts() chains.Facts {
	return chains.Facts{Name: "Ethereum", Decimals: 18, Replaceable: true, RelayFee: 1}
}
func (ethChain) CoinbaseMaturity() uint64  { return 0 }
func (ethChain) Dust([]byte) chains.Amount { return chains.Amount{} }

func (c ethChain) Script(text string) ([]byte, error) {
	to, token, err := parse(text)
	if token {
		return slices.Concat(c.token[:], to[:]), err
	}
	return to[:], err
}

func (c ethChain) Address(script []byte) (string, error) {
	if len(script) == 2*len(c.token) {
		return tokenPrefix + ethereum.Address(script[len(c.token):]).String(), nil
	}
	return ethereum.Address(script).String(), nil
}

func (ethChain) DecodeBlock([]byte, string) (*chains.Block, error) {
	return nil, errors.New("blocks are decoded by chains/ethereum")
}

func (c ethChain) DecodeTransaction(raw []byte) (string, []chains.Output, []chains.Spend, error) {
	signed, err := ethereum.Decode(raw)
	if err != nil {
		return "", nil, nil, err
	}
	txid := signed.Hash.String()
	script, value := signed.To[:], signed.Value
	if to, units, ok := ethereum.ParseTransferCall(signed.Data); ok && signed.To == c.token {
		script, value = slices.Concat(c.token[:], to[:]), units
	}
	amount, err := value.Amount()
	return txid, []chains.Output{{Outpoint: chains.Outpoint{TxID: txid, Index: wholeValue}, Script: script, Amount: amount}}, nil, err
}

// show is what the node's JSON says of a block, by a reader of its own.
func (w *ethWorld) show(t testing.TB, hash string) *chains.Block {
	t.Helper()
	var b struct {
		Hash, ParentHash, Number, Timestamp string
		Transactions                        []struct{ Hash, To, Value string }
	}
	var receipts []struct {
		Status          string
		TransactionHash string
		Logs            []struct {
			Address string
			Topics  []string
			Data    string
		}
	}
	w.call(&b, "eth_getBlockByHash", hash, true)
	w.call(&receipts, "eth_getBlockReceipts", hash)
	out := &chains.Block{Header: chains.Header{BlockRef: chains.BlockRef{Height: hexUint(t, b.Number), Hash: b.Hash}, Parent: b.ParentHash, Time: int64(hexUint(t, b.Timestamp))}}
	out.Transactions, out.Spends = []string{}, []chains.Spend{}
	var tokens []chains.Output
	direct := map[string]*big.Int{}
	for i, tx := range b.Transactions {
		out.Transactions = append(out.Transactions, tx.Hash)
		value := hexBig(t, tx.Value)
		if receipts[i].Status != "0x1" {
			continue
		}
		if tx.To != "" && value.Sign() > 0 {
			to := strings.ToLower(tx.To)
			if direct[to] == nil {
				direct[to] = new(big.Int)
			}
			direct[to].Add(direct[to], value)
			out.Outputs = append(out.Outputs, chains.Output{Outpoint: chains.Outpoint{TxID: tx.Hash, Index: wholeValue}, Script: unhex(t, tx.To), Amount: amountOf(t, value)})
		}
		topic := erc20test.TransferTopic()
		for at, log := range receipts[i].Logs {
			value := hexBig(t, log.Data)
			if !strings.EqualFold(log.Address, w.token.String()) || len(log.Topics) != 3 || log.Topics[0] != "0x"+hex.EncodeToString(topic[:]) || value.Sign() == 0 {
				continue
			}
			tokens = append(tokens, chains.Output{
				Outpoint: chains.Outpoint{TxID: tx.Hash, Index: uint32(at)}, Script: slices.Concat(w.token[:], unhex(t, log.Topics[2])[12:]), Amount: amountOf(t, value),
			})
		}
	}
	out.Outputs = append(out.Outputs, tokens...)
	w.mu.Lock()
	accounts := w.asked[hash]
	w.mu.Unlock()
	for _, a := range accounts {
		had, has := w.balance(t, b.ParentHash, a), w.balance(t, b.Hash, a)
		rise := new(big.Int).Sub(has, had)
		if d := direct[strings.ToLower(a.String())]; d != nil {
			rise.Sub(rise, d)
		}
		if rise.Sign() > 0 {
			out.Outputs = append(out.Outputs, received(a, has.String(), amountOf(t, rise)))
		}
	}
	return out
}

func (w *ethWorld) balance(t testing.TB, block string, a ethereum.Address) *big.Int {
	t.Helper()
	var text string
	w.call(&text, "eth_getBalance", a, map[string]any{"blockHash": block})
	return hexBig(t, text)
}

func hexBig(t testing.TB, text string) *big.Int {
	t.Helper()
	text = strings.TrimPrefix(text, "0x")
	if text == "" {
		return new(big.Int)
	}
	v, ok := new(big.Int).SetString(text, 16)
	if !ok {
		t.Fatalf("%q is no number", text)
	}
	return v
}

func hexUint(t testing.TB, text string) uint64 { t.Helper(); return hexBig(t, text).Uint64() }

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func amountOf(t testing.TB, v *big.Int) chains.Amount {
	t.Helper()
	a, err := chains.AmountFromBig(v)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// onEthereum is a subject on a development node.
func onEthereum(t *testing.T, url string) *chaintest.Subject {
	t.Helper()
	w := newEthWorld(t, url)
	return &chaintest.Subject{
		Name: t.Name(), Blocks: catchUpBlocks, Chain: ethChain{w.token}, Payer: w, Units: 1e15,
		Open:  func(t testing.TB) chaintest.Client { return w.newClient(t, nodetest.AnvilChainID) },
		Kinds: w.kinds, Conflict: w.conflict, Reorg: w.reorg, Evict: w.evict, Show: w.show, Wallet: w.wallet(),
		Strangers: func(t testing.TB) map[string]chains.Source {
			list := map[string]chains.Source{}
			for _, id := range []uint64{1, 11155111, nodetest.AnvilChainID + 1} {
				list[fmt.Sprint("chain ", id)] = w.newClient(t, id)
			}
			return list
		},
		Lacks: map[string]string{
			"several outputs in one transaction": "a transaction has one payee; of several that a contract pays only balances tell",
			"a reward":                           "blocks pay nobody in coins that would have to mature",
			"fees":                               "gas has a price and no rate of a size: chains/ethereum tests its limits",
			"dust":                               "an account holds any amount; who is paid less than it costs is for the gateway's minimum",
			"node that is too old":               "versions are asked for on public chains alone: chains/ethereum tests them",
			"restart of the node":                "it forgets its chain",
			"troubles":                           "it does not misbehave on command",
		},
	}
}

// TestAnvil: Ethereum on an anvil, with a token.
func TestAnvil(t *testing.T) {
	t.Parallel()
	chaintest.Run(t, onEthereum(t, nodetest.Anvil(t).URL))
}

// TestEmbeddedEthereum: the embedded network, with restarts and faults.
func TestEmbeddedEthereum(t *testing.T) {
	t.Parallel()
	cfg := evm.Config{Dir: filepath.Join(t.TempDir(), "chain"), SlotsInEpoch: 1}
	chain, err := evm.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = chain.Close() })
	cfg.Listen = strings.TrimPrefix(chain.URL(), "http://")
	s := onEthereum(t, chain.URL())
	s.Restart = func(down func()) error {
		if err := chain.Close(); err != nil {
			return err
		}
		down()
		chain, err = evm.New(cfg)
		return err
	}
	delete(s.Lacks, "restart of the node")
	for _, fault := range []kit.Fault{kit.FaultDown, kit.FaultLag, kit.FaultEmpty, kit.FaultFloat} {
		set := func(f kit.Fault) {
			if err := chain.SetFault(f); err != nil {
				t.Error(err)
			}
		}
		s.Faults = append(s.Faults, chaintest.Trouble{Name: string(fault), Begin: func() { set(fault) }, End: func() { set(kit.FaultNone) }})
	}
	delete(s.Lacks, "troubles")
	chaintest.Run(t, s)
}
