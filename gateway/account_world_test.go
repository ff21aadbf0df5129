package gateway

import (
	"context"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"causeway/chains"
	"causeway/chains/bitcoin"
	"causeway/chains/devnet/evm"
	"causeway/chains/ethereum"
	"causeway/chains/ethereum/erc20test"
	"causeway/hotwallet"
	"causeway/pegs"
	"causeway/sidechain"
)

// outsider is the account of the embedded chain that pays in tests, receiver one
// that is paid.
const (
	outsider = 1
	receiver = 7
)

// ethDriver is a network with an embedded Ethereum in one process, driven step by
// step.
type ethDriver struct {
	*driver
	eth   *evm.Chain // nil: a node of its own kind
	url   string
	rich  []ethereum.Address // whose keys the node has
	usdc  ethereum.Address
	wire  http.RoundTripper // of the gateway's own nodes; nil: the network
	chain func(*AccountChain)
	token AccountToken
}

// testEthChain is the chain id of the tests' nodes.
const testEthChain = 31337

// noSource is the source of a chain that is not there.
type noSource struct{ chains.Source }

func newEthDriver(t *testing.T) *ethDriver {
	t.Helper()
	supply := new(big.Int).Mul(big.NewInt(1_000_000), big.NewInt(1_000_000))
	eth, err := evm.New(evm.Config{SlotsInEpoch: 1, Tokens: []evm.Token{{Name: "Test USD", Symbol: "TUSD", Decimals: 6, Supply: supply}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { eth.Close() })
	d := newEthDriverOf(t, eth.URL(), ethereum.Address(eth.Token("TUSD")))
	d.eth = eth
	return d
}

// newEthDriverOf is a network beside a node that mines when told to. Without a token
// it makes one.
func newEthDriverOf(t *testing.T, url string, token ethereum.Address) *ethDriver {
	t.Helper()
	coin, err := bitcoin.New(chains.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorldOf(t, coin)
	d := &ethDriver{driver: &driver{world: w}, url: url, usdc: token}
	d.ask(&d.rich, "eth_accounts")
	if token == (ethereum.Address{}) {
		d.usdc = d.createBy(0, erc20test.CreateToken("Test USD", "TUSD", 6, big.NewInt(1_000_000_000_000)), chains.Amount{})
	}
	d.token = AccountToken{Symbol: "SWAP.USDC", Address: d.usdc, Decimals: 6}
	w.genesis = testGenesis(t, chains.ETH)
	contract := strings.ToLower(d.usdc.String())
	w.genesis.Assets = append(w.genesis.Assets, sidechain.GenesisAsset{
		Symbol: "SWAP.USDC", Chain: "eth", Token: &contract, Precision: 6, MinDeposit: "1.000000", MinWithdrawal: "1.000000",
		WithdrawalFee: "0.00100000", FeeMax: "0.01000000", SupplyCap: "21000000.000000", MintCap: "21000000.000000", LargeMint: "21000000.000000",
	})
	if w.text, err = w.genesis.Encode(); err != nil {
		t.Fatal(err)
	}
	w.chainID = sidechain.BaseChainID(w.text)
	w.outside = noSource{}
	w.tune, w.tuneSigner = d.tuneGateway, d.tuneSigner2
	d.mineEth(3)
	return d
}

func gwei(n uint64) ethereum.Wei {
	w, err := ethereum.NewWei(n).Times(1_000_000_000)
	if err != nil {
		panic(err)
	}
	return w
}

// ether is an amount in coin units.
func ether(text string) chains.Amount {
	a, err := chains.FromCoin(text, 18)
	if err != nil {
		panic(err)
	}
	return a
}

func (d *ethDriver) nodes(wire http.RoundTripper) *ethereum.Quorum {
	q, err := ethereum.Open([]string{d.url}, 1, ethereum.Options{ChainID: testEthChain, Network: chains.Regtest, Transport: wire, Logger: d.log})
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(q.Close)
	return q
}

func (d *ethDriver) tuneGateway(cfg *Config) {
	scanner, err := NewAccountScanNode(d.url)
	if err != nil {
		d.t.Fatal(err)
	}
	chain := &AccountChain{
		ID: chains.ETH, Network: chains.Regtest, Nodes: d.nodes(d.wire), ChainID: testEthChain, Finality: ethereum.Finalized,
		Tokens: []AccountToken{d.token}, Fees: ethereum.FeeLimits{Min: gwei(1), Max: gwei(100)},
	}
	if d.chain != nil {
		d.chain(chain)
	}
	cfg.Chains = []ChainConfig{{Accounts: chain, Quorum: 1, Scanner: scanner, Poll: 20 * time.Millisecond}}
	side := cfg.Sidechain.(*engineState)
	cfg.Sidechain = NewSidechain(side.engine, side.blocks, chain.Tokens...)
}

func (d *ethDriver) tuneSigner2(cfg *hotwallet.SignerConfig) {
	rules := hotwallet.AccountRules{
		ChainID: testEthChain, Coin: "SWAP.ETH", MaxGas: 200_000, MaxGasPrice: gwei(1000), MaxFee: ethereum.WeiOf(ether("0.1")), MaxTotal: ether("1000"),
		Tokens: map[string]hotwallet.AccountToken{"SWAP.USDC": {Contract: d.usdc, Decimals: 6, MaxTotal: chains.NewAmount(1_000_000_000_000)}},
	}
	cfg.Accounts = map[chains.ID]hotwallet.AccountRules{chains.ETH: rules}
	cfg.Final = hotwallet.Finality(nil, map[chains.ID]hotwallet.FinalAccounts{
		chains.ETH: {Rules: rules, Source: d.nodes(nil), Tag: ethereum.Finalized},
	})
}

func ethBooted(t *testing.T) *ethDriver {
	d := newEthDriver(t)
	d.boot()
	d.pump()
	return d
}

// send makes a transaction of a funded account of the chain.
func (d *ethDriver) send(from int, to ethereum.Address, wei chains.Amount, data []byte) (txid string) {
	d.t.Helper()
	d.ask(&txid, "eth_sendTransaction", map[string]any{
		"from": d.rich[from], "to": to, "value": "0x" + wei.Big().Text(16), "data": fmt.Sprintf("0x%x", data), "gas": "0x7a120",
	})
	return txid
}

// create makes a contract and says where it is.
func (d *ethDriver) create(data []byte, wei chains.Amount) ethereum.Address {
	d.t.Helper()
	return d.createBy(outsider, data, wei)
}

func (d *ethDriver) createBy(from int, data []byte, wei chains.Amount) ethereum.Address {
	d.t.Helper()
	var txid string
	d.ask(&txid, "eth_sendTransaction", map[string]any{
		"from": d.rich[from], "value": "0x" + wei.Big().Text(16), "data": fmt.Sprintf("0x%x", data), "gas": "0x4c4b40",
	})
	d.mineEth(1)
	var receipt struct {
		Contract string `json:"contractAddress"`
	}
	d.ask(&receipt, "eth_getTransactionReceipt", txid)
	if receipt.Contract == "" {
		return ethereum.Address{}
	}
	return d.parse(strings.ToLower(receipt.Contract))
}

func (d *ethDriver) ask(result any, method string, params ...any) {
	d.t.Helper()
	node, err := NewAccountScanNode(d.url)
	if err != nil {
		d.t.Fatal(err)
	}
	if params == nil {
		params = []any{}
	}
	if err := node.Call(context.Background(), method, params, result); err != nil {
		d.t.Fatal(err)
	}
}

func (d *ethDriver) mineEth(n int) {
	d.t.Helper()
	for range n {
		var block any
		d.ask(&block, "evm_mine")
	}
}

// finalEth makes what is in the pool final, with a step after each block.
func (d *ethDriver) finalEth() {
	d.t.Helper()
	for range 3 {
		d.mineEth(1)
		if !d.pump() {
			d.point = ""
			d.boot()
		}
	}
}

func (d *ethDriver) address(account string) ethereum.Address {
	d.t.Helper()
	a, err := d.node.gateway.DepositAddress("eth", account)
	if err != nil {
		d.t.Fatal(err)
	}
	return d.parse(a.Address)
}

func (d *ethDriver) parse(text string) ethereum.Address {
	d.t.Helper()
	a, err := ethereum.ParseAddress(text)
	if err != nil {
		d.t.Fatal(err)
	}
	return a
}

// holds is what an address has on the chain's newest block.
func (d *ethDriver) holds(a ethereum.Address) chains.Amount {
	d.t.Helper()
	var text string
	d.ask(&text, "eth_getBalance", a, "latest")
	amount, err := hexAmount(text)
	if err != nil {
		d.t.Fatal(err)
	}
	return amount
}

// units is what an address has of the token.
func (d *ethDriver) units(a ethereum.Address) string {
	d.t.Helper()
	var text string
	d.ask(&text, "eth_call", map[string]any{"to": d.usdc, "data": fmt.Sprintf("0x%x", erc20test.BalanceOf(a))}, "latest")
	amount, err := hexAmount(text)
	if err != nil {
		d.t.Fatal(err)
	}
	return amount.Coin(6)
}

// peg is what an account holds of a peg.
func (d *ethDriver) peg(account, symbol string) string {
	db := d.node.db
	db.RLock()
	defer db.RUnlock()
	row := db.Tables().Table("tokens_balances").Find1("account+symbol", account, symbol)
	if row == nil {
		return "0"
	}
	return textOf(row, "balance")
}

// credited waits until an account holds so much of a peg.
func (d *ethDriver) credited(account, symbol, quantity string) {
	d.t.Helper()
	d.until("credit of "+quantity+" "+symbol, func() bool { return d.peg(account, symbol) == quantity })
}

// payIn has an account credited with ether from an outside account.
func (d *ethDriver) payIn(account, amount string) {
	d.t.Helper()
	before := d.peg(account, "SWAP.ETH")
	d.send(outsider, d.address(account), ether(amount), nil)
	d.finalEth()
	sum, err := ether(before).Add(ether(amount))
	if err != nil {
		d.t.Fatal(err)
	}
	d.credited(account, "SWAP.ETH", eight(sum))
}

// eight is an amount of wei as the peg has it.
func eight(a chains.Amount) string {
	text := a.Coin(18)
	return text[:strings.Index(text, ".")+9]
}

func (d *ethDriver) withdraw(account, symbol, quantity string, to ethereum.Address) string {
	d.t.Helper()
	return d.act(account, "pegs", "withdraw", fmt.Sprintf(`{"symbol":%q,"quantity":%q,"address":%q}`, symbol, quantity, to))
}

// state waits until a withdrawal is in a state, with blocks on the way.
func (d *ethDriver) state(id, state string) Withdrawal {
	d.t.Helper()
	d.until("withdrawal "+state, func() bool {
		if d.withdrawal(id).State == state {
			return true
		}
		d.mineEth(1)
		return false
	})
	return d.withdrawal(id)
}

// ownAddress is the account of ours of a kind.
func (d *ethDriver) ownAddress(kind chains.WatchKind) (address string) {
	d.t.Helper()
	var err error
	if view := d.node.gateway.ledger.View(func(s *pegs.State) {
		c, _ := s.Chain(chains.ETH)
		address, err = c.OwnAddress(kind)
	}); view != nil || err != nil {
		d.t.Fatal(view, err)
	}
	return address
}

// fees is what the gas of transactions costs that is not burned yet, of one peg unit
// and more: what is less was burned by rounding up.
func (d *ethDriver) fees() string {
	d.t.Helper()
	text := d.balanced().Assets[0].NetworkFees
	if strings.HasPrefix(text, "-") {
		return "0.00000000"
	}
	return text[:strings.Index(text, ".")+9]
}
