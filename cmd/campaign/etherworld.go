package main

import (
	"encoding/hex"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"causeway/chains/devnet/evm"
	"causeway/chains/ethereum/erc20test"
	"causeway/cmd/campaign/model"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
)

// The embedded chain's accounts, by what they do: the first has the tokens, some pay
// in, one makes contracts, one fills blocks.
const (
	tokenHolder  = 0
	firstPayer   = 1
	lastPayer    = 5
	contractor   = 6
	blockFiller  = 7
	creationGas  = 1_000_000
	callGas      = 200_000
	fillGas      = 14_000_000
	gasEaterMode = erc20test.EatsGas
)

// etherWorld is the world of Ethereum: the embedded chain, in this process so that it
// outlives the gateway's, behind several nodes that can be wrong.
type etherWorld struct {
	*life
	chain *evm.Chain
	node  *client // honest
	nodes []*etherNode
	bend  sync.RWMutex // held for writing while the chain answers wrongly
	payer common.Address
	eater common.Address

	payees map[common.Address]bool
	last   int                // block with the last of what happened
	rested model.AccountClaim // in which everything was right

	// Under the life's lock.
	signer types.Signer
	given  []*types.Transaction // to nodes, by the gateway
	taken  map[common.Hash]bool // of given
}

func (ether) simulate(l *life, nodes, _ int) (world, error) {
	dir, err := os.MkdirTemp(memory(), "causeway-campaign-eth-")
	if err != nil {
		return nil, err
	}
	l.close = append(l.close, func() { _ = os.RemoveAll(dir) })
	supply := new(big.Int).Exp(big.NewInt(10), big.NewInt(15), nil)
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	chain, err := evm.New(evm.Config{
		Dir: filepath.Join(dir, "chain"), ChainID: etherChainID, SlotsInEpoch: etherSlots, Clock: func() time.Time { return began },
		Tokens: []evm.Token{{Name: "Campaign USD", Symbol: "CUSD", Decimals: dollarUnit, Supply: supply}},
	})
	if err != nil {
		return nil, err
	}
	w := &etherWorld{
		life: l, chain: chain, node: &client{url: chain.URL(), http: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}},
		payees: map[common.Address]bool{}, signer: types.LatestSignerForChainID(new(big.Int).SetUint64(etherChainID)), taken: map[common.Hash]bool{},
	}
	l.close = append(l.close, func() { w.node.http.CloseIdleConnections(); _ = chain.Close() })
	if got := lower(chain.Token("CUSD").Hex()); got != dollar {
		return nil, fmt.Errorf("the token is at %s", got)
	}
	for range nodes {
		w.nodes = append(w.nodes, &etherNode{})
	}
	return w, w.furnish()
}

// furnish makes the contracts that everybody uses.
func (w *etherWorld) furnish() error {
	owner := w.chain.Accounts()[contractor].Address
	w.payer, w.eater = crypto.CreateAddress(owner, 0), crypto.CreateAddress(owner, 1)
	for _, tx := range []deal{
		{from: contractor, data: erc20test.CreatePayer(), gas: creationGas},
		{from: contractor, data: erc20test.CreatePayee(), gas: creationGas},
		{from: contractor, to: &w.eater, data: erc20test.SetMode(gasEaterMode), gas: callGas},
	} {
		if err := w.send(tx); err != nil {
			return err
		}
	}
	return w.mine(3)
}

// deal is a transaction of an account of the chain's own.
type deal struct {
	from int
	to   *common.Address
	wei  *big.Int
	data []byte
	gas  uint64
}

func (w *etherWorld) send(d deal) error {
	tx := map[string]any{"from": w.chain.Accounts()[d.from].Address, "gas": hexutil.Uint64(d.gas), "data": hexutil.Bytes(d.data)}
	if d.to != nil {
		tx["to"] = d.to
	}
	if d.wei != nil {
		tx["value"] = (*hexutil.Big)(d.wei)
	}
	return w.ask(nil, "eth_sendTransaction", tx)
}

// ask puts a question to the chain itself, which answers truly: no node is wrong
// meanwhile.
func (w *etherWorld) ask(out any, method string, params ...any) error {
	w.bend.RLock()
	defer w.bend.RUnlock()
	return w.node.rpc("", method, params, out)
}

// ServeHTTP implements http.Handler: the nodes' JSON-RPC, each below its number.
func (w *etherWorld) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	var index int
	if n, err := fmt.Sscanf(r.URL.Path, "/%d", &index); n != 1 || err != nil || index < 0 || index >= len(w.nodes) {
		http.Error(rw, "no such node", http.StatusNotFound)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, 5<<20))
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	w.serve(rw, w.nodes[index], body)
}

func (w *etherWorld) height() int { return max(int(w.chain.Height())-2*etherSlots, 0) }

func (w *etherWorld) tip() string {
	var block struct {
		Hash string `json:"hash"`
	}
	if err := w.ask(&block, "eth_getBlockByNumber", "latest", false); err != nil {
		return err.Error()
	}
	return fmt.Sprintf("block %d %.10s", w.chain.Height(), block.Hash)
}

func (w *etherWorld) mine(blocks int) error {
	w.bend.Lock()
	defer w.bend.Unlock()
	return w.chain.Mine(blocks)
}

// weiOf is an amount of the peg and what the peg cannot say of it.
func (w *etherWorld) weiOf(units int64) *big.Int {
	wei := new(big.Int).Mul(big.NewInt(units), big.NewInt(weiOfUnit))
	return wei.Add(wei, big.NewInt(w.rng.Int64N(weiOfUnit)))
}

func (w *etherWorld) somePayer() int { return firstPayer + w.rng.IntN(lastPayer-firstPayer+1) }

func (w *etherWorld) pay(list ...payment) error {
	for _, p := range list {
		to := common.HexToAddress(p.address)
		if err := w.send(deal{from: w.somePayer(), to: &to, wei: w.weiOf(p.units), gas: 21_000}); err != nil {
			return err
		}
	}
	return nil
}

// payee is an account of nobody, or a contract that takes coins in its own way.
func (w *etherWorld) payee(rng *rand.Rand) (address, script string, err error) {
	var a common.Address
	for i := range a {
		a[i] = byte(rng.UintN(256))
	}
	if rng.IntN(3) == 0 {
		mode := []erc20test.Mode{erc20test.Accepts, erc20test.Emits, erc20test.Reverts, erc20test.EatsGas}[rng.IntN(4)]
		made, err := w.contract(mode)
		if err != nil {
			return "", "", err
		}
		// One that was dropped with its creation comes again; each burn has a payee of
		// its own, so that payments can be told apart.
		if !w.payees[made] {
			a = made
		}
	}
	w.payees[a] = true
	return a.Hex(), hex.EncodeToString(a[:]), nil
}

// contract makes a payee, in the next block, whose manners are known one block later
// or with it.
func (w *etherWorld) contract(mode erc20test.Mode) (common.Address, error) {
	from := w.chain.Accounts()[contractor].Address
	var nonce hexutil.Uint64
	if err := w.ask(&nonce, "eth_getTransactionCount", from, "pending"); err != nil {
		return common.Address{}, err
	}
	a := crypto.CreateAddress(from, uint64(nonce))
	if err := w.send(deal{from: contractor, data: erc20test.CreatePayee(), gas: creationGas}); err != nil {
		return a, err
	}
	return a, w.send(deal{from: contractor, to: &a, data: erc20test.SetMode(mode), gas: callGas})
}

func (w *etherWorld) calm() {
	for _, n := range w.nodes {
		n.heal()
	}
	w.last = int(w.chain.Height()) + 1
}
