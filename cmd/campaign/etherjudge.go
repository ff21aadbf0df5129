package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"

	"causeway/chains"
	"causeway/chains/ethereum/erc20test"
	"causeway/cmd/campaign/model"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
)

// judge takes the verdict in which the life came to rest: one that runs by itself may
// have begun to sweep again since.
func (w *etherWorld) judge(l *life) error {
	c := w.rested
	l.counts["credits"] += len(c.Rows)
	l.counts["payments"] += len(c.Settled)
	l.counts["given back"] += len(c.Returned)
	l.counts["transactions sent"] += len(w.given)
	return nil
}

// rest: what a contract forced upon an address is found by and by, gas is charged when
// a row says so. What is never right is never at rest.
func (w *etherWorld) rest() (string, error) {
	if w.height() < w.last {
		return fmt.Sprintf("block %d is not final", w.last), nil
	}
	faults, c, err := w.verdict(w.life)
	if err == nil && len(faults) == 0 {
		w.rested = c
	}
	return strings.Join(faults, "; "), err
}

// verdict is what the judge says of a life.
func (w *etherWorld) verdict(l *life) (faults []string, c model.AccountClaim, err error) {
	story, err := w.story(l)
	if err != nil {
		return nil, c, err
	}
	err = l.ask(func() (err error) {
		c, faults, err = w.claim(l)
		return err
	})
	if err != nil {
		return nil, c, err
	}
	return append(faults, model.JudgeAccounts(story, c)...), c, nil
}

// chainTx is a transaction in a block, as the chain tells it.
type chainTx struct {
	Hash  common.Hash     `json:"hash"`
	From  common.Address  `json:"from"`
	To    *common.Address `json:"to"`
	Nonce hexutil.Uint64  `json:"nonce"`
	Value hexutil.Big     `json:"value"`
	Input hexutil.Bytes   `json:"input"`
}

type chainReceipt struct {
	Status   hexutil.Uint64 `json:"status"`
	GasUsed  hexutil.Uint64 `json:"gasUsed"`
	GasPrice hexutil.Big    `json:"effectiveGasPrice"`
	Logs     []struct {
		Address common.Address `json:"address"`
		Topics  []common.Hash  `json:"topics"`
	} `json:"logs"`
}

// transfer is a transaction in the judge's words.
func transfer(id common.Hash, from common.Address, to *common.Address, nonce uint64, value *big.Int, input []byte) model.Transfer {
	t := model.Transfer{ID: id.Hex(), From: lower(from.Hex()), Nonce: nonce, Value: value, Fee: new(big.Int)}
	if to == nil {
		return t
	}
	t.To = lower(to.Hex())
	const words = 4 + 2*32
	if call := erc20test.Transfer([20]byte{}, new(big.Int)); t.To == dollar && len(input) == words && string(input[:4]) == string(call[:4]) {
		t.Token, t.Payee, t.Units = dollar, "0x"+hex.EncodeToString(input[16:36]), new(big.Int).SetBytes(input[36:])
	}
	return t
}

// story is what happened up to the newest final block.
func (w *etherWorld) story(l *life) (model.AccountWorld, error) {
	s := model.AccountWorld{Balances: map[model.Holder]*big.Int{}, Deposits: map[string]string{}}
	for user, address := range l.address {
		s.Deposits[lower(address)] = user
	}
	t := l.terms()
	s.Assets = []model.Asset{
		{Symbol: etherSymbol, Unit: big.NewInt(weiOfUnit), Minimum: t.minimum},
		{Symbol: dollarSymbol, Token: dollar, Unit: big.NewInt(1), Minimum: dollarLeast},
	}
	final := w.height()
	for n := range final + 1 {
		txs, err := w.block(n)
		if err != nil {
			return s, err
		}
		s.Chain = append(s.Chain, txs...)
	}
	l.mu.Lock()
	ours := map[string]bool{}
	for _, tx := range w.given {
		from, err := types.Sender(w.signer, tx)
		if err != nil {
			l.mu.Unlock()
			return s, err
		}
		s.Sent = append(s.Sent, transfer(tx.Hash(), from, tx.To(), tx.Nonce(), tx.Value(), tx.Data()))
		ours[lower(from.Hex())] = true
		if t := s.Sent[len(s.Sent)-1]; t.Payee != "" {
			ours[t.Payee] = true
		} else { // payees too: nobody looks at their balances
			ours[t.To] = true
		}
	}
	l.mu.Unlock()
	for address := range s.Deposits {
		ours[address] = true
	}
	for address := range ours {
		if err := w.holdings(s.Balances, address, final); err != nil {
			return s, err
		}
	}
	for _, b := range l.burns {
		if b.burned {
			s.Burns = append(s.Burns, accountBurn(b, t))
		}
	}
	return s, nil
}

func accountBurn(b *burn, t terms) model.AccountBurn {
	m := model.AccountBurn{ID: b.id(), Account: b.account, Symbol: b.symbol, Payee: "0x" + b.script, Quantity: b.quantity}
	if b.symbol == dollarSymbol {
		m.Token, m.Fee, m.Back, m.Net = dollar, dollarFee, b.quantity, big.NewInt(b.quantity)
		return m
	}
	m.Back = b.quantity - t.fee
	m.Net = new(big.Int).Mul(big.NewInt(m.Back), big.NewInt(weiOfUnit))
	return m
}

// block is what was in a block.
func (w *etherWorld) block(n int) (list []model.Transfer, err error) {
	var block struct {
		Transactions []chainTx `json:"transactions"`
	}
	if err := w.ask(&block, "eth_getBlockByNumber", hexutil.Uint64(n), true); err != nil || len(block.Transactions) == 0 {
		return nil, err
	}
	var receipts []chainReceipt
	if err := w.ask(&receipts, "eth_getBlockReceipts", hexutil.Uint64(n)); err != nil {
		return nil, err
	}
	if len(receipts) != len(block.Transactions) {
		return nil, fmt.Errorf("block %d has %d transactions and %d receipts", n, len(block.Transactions), len(receipts))
	}
	for i, tx := range block.Transactions {
		t, r := transfer(tx.Hash, tx.From, tx.To, uint64(tx.Nonce), (*big.Int)(&tx.Value), tx.Input), receipts[i]
		t.Fee.Mul(new(big.Int).SetUint64(uint64(r.GasUsed)), (*big.Int)(&r.GasPrice))
		t.Failed = r.Status != 1
		for _, log := range r.Logs {
			t.Logged = t.Logged || len(log.Topics) == 3 && log.Topics[0] == common.Hash(erc20test.TransferTopic())
		}
		list = append(list, t)
	}
	return list, nil
}

// holdings are what an account has after a block.
func (w *etherWorld) holdings(into map[model.Holder]*big.Int, address string, height int) error {
	var coin hexutil.Big
	if err := w.ask(&coin, "eth_getBalance", address, hexutil.Uint64(height)); err != nil {
		return err
	}
	var units hexutil.Bytes
	call := map[string]any{"to": dollar, "data": hexutil.Bytes(erc20test.BalanceOf(common.HexToAddress(address)))}
	if err := w.ask(&units, "eth_call", call, hexutil.Uint64(height)); err != nil {
		return err
	}
	into[model.Holder{Address: address}] = (*big.Int)(&coin)
	into[model.Holder{Address: address, Token: dollar}] = new(big.Int).SetBytes(units)
	return nil
}

// pegDecimals are the assets, with the decimals of the chain and of the peg.
var pegDecimals = map[string][2]int{etherSymbol: {18, 8}, dollarSymbol: {dollarUnit, dollarUnit}}

// smallest reads an amount of the chain.
func smallest(text, symbol string) (*big.Int, error) {
	a, err := chains.FromCoin(text, pegDecimals[symbol][0])
	return a.Big(), err
}

// pegUnits reads an amount of a peg.
func pegUnits(text, symbol string) (int64, error) { return unitsAt(text, pegDecimals[symbol][1]) }

// claim is what gateway and sidechain say, and whether the audit is content.
func (w *etherWorld) claim(l *life) (c model.AccountClaim, faults []string, err error) {
	c = model.AccountClaim{
		FeeAccount: feeAccount, Balances: map[string]map[string]int64{}, Supply: map[string]int64{}, Rows: map[string]model.Credit{},
		Settled: map[string]string{}, Returned: map[string]bool{}, Items: map[model.Holder]*big.Int{},
	}
	for symbol := range pegDecimals {
		if err := w.claimBalances(l, symbol, &c); err != nil {
			return c, nil, err
		}
	}
	if err := w.claimDeposits(l, &c); err != nil {
		return c, nil, err
	}
	withdrawals, err := pages[withdrawalItem](l.api, "/v1/withdrawals")
	if err != nil {
		return c, nil, err
	}
	for _, item := range withdrawals {
		switch item.State {
		case "settled":
			c.Settled[item.ID] = item.TxID
		case "returned":
			c.Returned[item.ID] = true
		}
	}
	faults, err = w.claimReserves(l, &c)
	return c, faults, err
}

func (w *etherWorld) claimBalances(l *life, symbol string, c *model.AccountClaim) error {
	rows, err := rowsOf[balanceRow](l.api, "tokens", "balances", map[string]string{"symbol": symbol})
	if err != nil {
		return err
	}
	c.Balances[symbol] = map[string]int64{}
	for _, r := range rows {
		if r.Account == "null" {
			continue
		}
		if c.Balances[symbol][r.Account], err = pegUnits(r.Balance, symbol); err != nil {
			return fmt.Errorf("balance of %s: %w", r.Account, err)
		}
	}
	return nil
}

func (w *etherWorld) claimDeposits(l *life, c *model.AccountClaim) error {
	deposits, err := pages[depositItem](l.api, "/v1/deposits")
	if err != nil {
		return err
	}
	symbols := map[string]string{}
	for _, d := range deposits {
		symbols[d.ID] = d.Symbol
		amount, err := smallest(d.Amount, d.Symbol)
		if err != nil {
			return fmt.Errorf("deposit %s: %w", d.ID, err)
		}
		m := model.AccountDeposit{ID: d.ID, Address: lower(d.Address), Account: d.Account, State: d.State, Amount: amount}
		if d.Symbol == dollarSymbol {
			m.Token = dollar
		}
		c.Deposits = append(c.Deposits, m)
	}
	rows, err := rowsOf[depositRow](l.api, "pegs", "deposits", struct{}{})
	if err != nil {
		return err
	}
	for _, r := range rows {
		units, err := pegUnits(r.Quantity, r.Symbol)
		if err != nil {
			return fmt.Errorf("row %s: %w", r.ID, err)
		}
		if symbol := symbols[r.ID]; symbol != "" && symbol != r.Symbol {
			return fmt.Errorf("deposit %s of %s is credited in %s", r.ID, symbol, r.Symbol)
		}
		c.Rows[r.ID] = model.Credit{Account: r.To, Units: units}
	}
	return nil
}

// claimReserves is the gateway's own audit, which must be content.
func (w *etherWorld) claimReserves(l *life, c *model.AccountClaim) (faults []string, err error) {
	var books booksAnswer
	if err := l.api.get("/campaign/books", &books); err != nil {
		return nil, err
	}
	var r reservesAnswer
	if err := json.Unmarshal(books.Reserves, &r); err != nil {
		return nil, err
	}
	content := r.OK && len(r.Assets) == len(pegDecimals)
	for _, a := range r.Assets {
		content = content && a.OK
		if c.Supply[a.Symbol], err = pegUnits(a.Supply, a.Symbol); err != nil {
			return nil, err
		}
	}
	if !content {
		faults = append(faults, fmt.Sprintf("the audit is not content: problems %q, unknown: %v, assets %+v, chains %s", books.Problems, books.Unknown, r.Assets, books.Chains))
	}
	for _, item := range r.Items {
		symbol := etherSymbol
		if item.Token != "" {
			symbol = dollarSymbol
		}
		amount, err := smallest(item.Amount, symbol)
		if err != nil {
			return faults, err
		}
		if amount.Sign() > 0 {
			c.Items[model.Holder{Address: lower(item.Address), Token: lower(item.Token)}] = amount
		}
	}
	return faults, nil
}
