package gateway

import (
	"fmt"
	"strconv"
	"strings"

	"causeway/chains"
	"causeway/hotwallet"
	"causeway/pegs"
	"causeway/sidechain"
	"causeway/sidechain/base"
	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// Engine is what the gateway reads of the sidechain: *sidechain.Engine is one.
type Engine interface {
	DB() *state.DB
	Head() sidechain.Head
	Subscribe() <-chan struct{}
	Block(number uint64) (*jsvalue.Object, bool)
	BlockByRef(ref uint64) (*jsvalue.Object, bool)
	Transaction(id string) jsvalue.Value
}

// BlockStore finds base blocks.
type BlockStore interface {
	Block(number uint64) (*base.Block, bool, error)
}

// NewSidechain reads the tables of an engine and the blocks of its base layer. What
// decimals tokens have on their chains the sidechain does not say: tokens does.
func NewSidechain(engine Engine, blocks BlockStore, tokens ...AccountToken) Sidechain {
	e := &engineState{engine: engine, blocks: blocks, decimals: map[string]int{}}
	for _, t := range tokens {
		e.decimals[t.Symbol] = t.Decimals
	}
	return e
}

// engineState is a Sidechain, and its SideState while the store is locked.
type engineState struct {
	engine   Engine
	blocks   BlockStore
	decimals map[string]int // of tokens, by symbol
}

// View implements Sidechain.
func (e *engineState) View(f func(SideState) error) error {
	db := e.engine.DB()
	db.RLock()
	defer db.RUnlock()
	if e.table("assets") == nil || e.table("params") == nil {
		return fmt.Errorf("gateway: the sidechain has no contract pegs")
	}
	return f(e)
}

// Subscribe implements Sidechain.
func (e *engineState) Subscribe() <-chan struct{} { return e.engine.Subscribe() }

// BaseBlock implements Sidechain.
func (e *engineState) BaseBlock(number uint64) (string, bool, error) {
	b, ok, err := e.blocks.Block(number)
	if err != nil || !ok {
		return "", false, err
	}
	return b.ID, true, nil
}

// Header implements Sidechain.
func (e *engineState) Header(number uint64) ([]byte, bool, error) {
	b, ok, err := e.blocks.Block(number)
	if err != nil || !ok {
		return nil, false, err
	}
	h, err := graphene.DecodeSignedHeader(b.Raw)
	if err != nil {
		return nil, false, fmt.Errorf("gateway: base block %d: %w", number, err)
	}
	return append(h.Serialize(), h.Signature[:]...), true, nil
}

// Errors implements Sidechain.
func (e *engineState) Errors(txid string) []string {
	tx, ok := e.engine.Transaction(txid).(*jsvalue.Object)
	if !ok {
		return nil
	}
	return listOf(logsOf(tx), "errors")
}

// StateHash implements Sidechain.
func (e *engineState) StateHash(number uint64) (string, bool) {
	block, ok := e.engine.Block(number)
	if !ok {
		return "", false
	}
	return block.String("stateHash")
}

// SettledBy implements Sidechain.
func (e *engineState) SettledBy(row BatchRow) string {
	block, ok := e.engine.BlockByRef(row.Closed)
	if !ok {
		return ""
	}
	txs, _ := block.Array("transactions")
	for _, v := range txs {
		tx, ok := v.(*jsvalue.Object)
		if !ok || textOf(tx, "contract") != "pegs" {
			continue
		}
		events, _ := logsOf(tx).Array("events")
		for _, v := range events {
			event, ok := v.(*jsvalue.Object)
			if !ok {
				continue
			}
			data, ok := event.Object("data")
			if name := textOf(event, "event"); ok && (name == "settle" || name == "cost") && textOf(data, "txid") == row.TxID {
				return textOf(tx, "transactionId")
			}
		}
	}
	return ""
}

// logsOf parses the logs of a transaction: {"errors":[…],"events":[…]}.
func logsOf(tx *jsvalue.Object) *jsvalue.Object {
	parsed, err := jsvalue.Parse(textOf(tx, "logs"))
	if object, ok := parsed.(*jsvalue.Object); ok && err == nil {
		return object
	}
	return jsvalue.NewObject()
}

func (e *engineState) table(name string) *state.Table {
	return e.engine.DB().Tables().Table("pegs_" + name)
}

// Head implements SideState.
func (e *engineState) Head() SideHead {
	h := e.engine.Head()
	return SideHead{Block: h.Block, Base: pegs.BaseRef{Number: h.RefBlock, ID: h.RefID}}
}

func (e *engineState) accounts() *state.Table { return e.engine.DB().Base().Table("accounts") }

// AccountExists implements SideState.
func (e *engineState) AccountExists(name string) bool {
	t := e.accounts()
	return t != nil && t.Find1("name", name) != nil
}

// AccountsSince implements SideState.
func (e *engineState) AccountsSince(block uint64) (names []string) {
	t := e.accounts()
	if t == nil {
		return nil
	}
	for row := range t.Ascend("block", []jsvalue.Value{float64(block)}, nil) {
		names = append(names, textOf(row, "name"))
	}
	return names
}

// Assets implements SideState.
func (e *engineState) Assets() (list []pegs.Asset, err error) {
	for row := range e.table("assets").All() {
		a := pegs.Asset{
			Symbol: textOf(row, "symbol"), Chain: chains.ID(textOf(row, "chain")), Token: textOf(row, "token"),
			Precision: int(numberOf(row, "precision")), MinDeposit: textOf(row, "min_deposit"),
			MinWithdrawal: textOf(row, "min_withdrawal"), WithdrawalFee: textOf(row, "withdrawal_fee"), FeeMax: textOf(row, "fee_max"),
			DepositsPaused: row.Get("deposits_paused") == true, WithdrawalsPaused: row.Get("withdrawals_paused") == true,
			MintsPaused: row.Get("mints_paused") == true,
		}
		if a.Decimals = pegs.CoinDecimals(a.Chain); a.Token != "" {
			a.Decimals = a.Precision
			if decimals, ok := e.decimals[a.Symbol]; ok {
				a.Decimals = decimals
			}
		}
		list = append(list, a)
	}
	return list, nil
}

// Keys implements SideState.
func (e *engineState) Keys() (list []PublishedKey, err error) {
	for row := range e.table("keys").All() {
		list = append(list, PublishedKey{
			Chain: chains.ID(textOf(row, "chain")), Epoch: uint32(numberOf(row, "epoch")),
			Key: textOf(row, "key"), Birthday: numberOf(row, "birthday"),
		})
	}
	return list, nil
}

// Deposit implements SideState.
func (e *engineState) Deposit(id string) (DepositRow, bool) {
	row := e.table("deposits").Get(jsvalue.NewObject("id", id))
	if row == nil {
		return DepositRow{}, false
	}
	return depositRow(row), true
}

func depositRow(row state.Row) DepositRow {
	return DepositRow{
		ID: textOf(row, "id"), Symbol: textOf(row, "symbol"), Quantity: textOf(row, "quantity"), To: textOf(row, "to"), Tx: textOf(row, "tx"),
	}
}

// ChainDeposits implements SideState.
func (e *engineState) ChainDeposits(chain chains.ID) (list []DepositRow) {
	for row := range e.table("deposits").All() {
		if id := textOf(row, "id"); strings.HasPrefix(id, string(chain)+":") {
			list = append(list, depositRow(row))
		}
	}
	return list
}

// Cost implements SideState.
func (e *engineState) Cost(chain chains.ID, txid string) (string, bool) {
	row := e.table("costs").Get(jsvalue.NewObject("chain", string(chain), "txid", txid))
	if row == nil {
		return "", false
	}
	return textOf(row, "amount"), true
}

// Delayed implements SideState.
func (e *engineState) Delayed(id string) (DelayedMint, bool) {
	row := e.table("votes").Find1("kind+subject+attestor", "mint", id)
	if row == nil {
		return DelayedMint{}, false
	}
	return DelayedMint{Due: numberOf(row, "due"), Held: row.Get("held") == true}, true
}

// WithdrawalsAfter implements SideState.
func (e *engineState) WithdrawalsAfter(after uint64, limit int) (list []WithdrawalRow, err error) {
	for row := range e.table("withdrawals").Ascend("row", []jsvalue.Value{float64(after + 1)}, nil) {
		if len(list) >= limit {
			break
		}
		list = append(list, withdrawalRow(row))
	}
	return list, nil
}

// Withdrawal implements SideState.
func (e *engineState) Withdrawal(id string) (WithdrawalRow, bool) {
	row := e.table("withdrawals").Get(jsvalue.NewObject("id", id))
	if row == nil {
		return WithdrawalRow{}, false
	}
	return withdrawalRow(row), true
}

func withdrawalRow(row state.Row) WithdrawalRow {
	return WithdrawalRow{
		Row: numberOf(row, "row"), ID: textOf(row, "id"), Symbol: textOf(row, "symbol"), Chain: chains.ID(textOf(row, "chain")),
		Account: textOf(row, "account"), Address: textOf(row, "address"), Quantity: textOf(row, "quantity"),
		Fee: textOf(row, "fee"), Net: textOf(row, "net"), Ref: textOf(row, "ref"), State: textOf(row, "state"), Batch: textOf(row, "batch"),
	}
}

// Batch implements SideState.
func (e *engineState) Batch(id string) (BatchRow, bool, error) {
	row := e.table("assigns").Get(jsvalue.NewObject("batch", id))
	if row == nil {
		return BatchRow{}, false, nil
	}
	b, err := e.batchRow(row)
	return b, err == nil, err
}

// Batches implements SideState.
func (e *engineState) Batches(chain chains.ID) (list []BatchRow, err error) {
	for row := range e.table("assigns").All() {
		if textOf(row, "chain") != string(chain) {
			continue
		}
		b, err := e.batchRow(row)
		if err != nil {
			return nil, err
		}
		list = append(list, b)
	}
	return list, nil
}

func (e *engineState) batchRow(row state.Row) (BatchRow, error) {
	b := BatchRow{
		Batch: textOf(row, "batch"), Chain: chains.ID(textOf(row, "chain")), Kind: textOf(row, "kind"), IDs: listOf(row, "ids"),
		State: textOf(row, "state"), TxID: textOf(row, "txid"), Cost: textOf(row, "cost"), Reason: textOf(row, "reason"),
	}
	for _, text := range listOf(row, "spends") {
		o, err := parseSpend(text)
		if err != nil {
			return b, fmt.Errorf("gateway: batch %s: %w", b.Batch, err)
		}
		b.Spends = append(b.Spends, o)
	}
	if cost := e.table("costs").Get(jsvalue.NewObject("chain", string(b.Chain), "txid", b.TxID)); b.State == rowClosed && cost != nil {
		b.Closed = numberOf(cost, "block")
	}
	return b, nil
}

// Prove implements SideState.
func (e *engineState) Prove(batch string, withdrawals []string) (p hotwallet.StateProof, err error) {
	if p.Assign, err = e.proveRow("assigns", "batch", batch); err != nil {
		return p, err
	}
	for _, id := range withdrawals {
		row, err := e.proveRow("withdrawals", "id", id)
		if err != nil {
			return p, err
		}
		p.Withdrawals = append(p.Withdrawals, row)
	}
	return p, nil
}

func (e *engineState) proveRow(table, field, key string) (hotwallet.RowProof, error) {
	id := jsvalue.NewObject(field, key)
	t := e.table(table)
	row := t.Get(id)
	if row == nil {
		return hotwallet.RowProof{}, fmt.Errorf("gateway: %s has no row %s to prove", table, key)
	}
	path, err := e.engine.DB().Tables().Prove(t.Def().Name, id)
	return hotwallet.RowProof{Row: jsvalue.AppendJSON(nil, row), Path: path}, err
}

// parseSpend reads "txid:vout".
func parseSpend(text string) (chains.Outpoint, error) {
	txid, index, ok := strings.Cut(text, ":")
	n, err := strconv.ParseUint(index, 10, 32)
	if !ok || err != nil {
		return chains.Outpoint{}, fmt.Errorf("spend %q", clip(text))
	}
	return chains.Outpoint{TxID: txid, Index: uint32(n)}, nil
}

// FeeAccount implements SideState.
func (e *engineState) FeeAccount(symbol string) (balance, owed string) {
	balance, owed = "0", "0"
	for params := range e.table("params").All() {
		balances := e.engine.DB().Tables().Table("tokens_balances")
		if row := balances.Find1("account+symbol", textOf(params, "fee_account"), symbol); row != nil {
			balance = plainNumber(textOf(row, "balance"))
		}
	}
	if row := e.table("assets").Find1("symbol", symbol); row != nil && textOf(row, "owed") != "" {
		owed = textOf(row, "owed")
	}
	return balance, owed
}

// plainNumber writes a number of the sidechain as digits and a point. Balances
// may stand there as their first sender wrote them: "+.5", "1e-8", "0x1".
func plainNumber(text string) string { return jsvalue.Big(text).ToFixed() }

func textOf(row *jsvalue.Object, key string) string {
	s, _ := row.String(key)
	return s
}

func numberOf(row *jsvalue.Object, key string) uint64 {
	f, ok := row.Number(key)
	if !ok || f < 0 || f > 1<<53 {
		return 0
	}
	return uint64(f)
}

// listOf is an array of strings; other elements are left out.
func listOf(row *jsvalue.Object, key string) (list []string) {
	values, _ := row.Array(key)
	for _, v := range values {
		if s, ok := v.(string); ok {
			list = append(list, s)
		}
	}
	return list
}
