package solo

import (
	"fmt"
	"strconv"

	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// Tables of the base section. Their rows are consensus: they stand under the
// state root. Amounts are texts of integer units (thousandths of the coin).
const (
	tableProperties = "properties" // one row: {number, id, time, supply}
	tableBlocks     = "blocks"     // _id = number mod TaposWindow: {number, id}
	tableAccounts   = "accounts"   // {name, owner, active, posting, memo_key, json_metadata, created, block, creator}
	tableKeys       = "keys"       // {key, account}: every key of every authority
	tableBalances   = "balances"   // {account, balance}
	tableSeen       = "seen"       // {id, expiration (Unix seconds), block}
	tableContent    = "content"    // posts: where their text stands, and how they may be paid
	tableVotes      = "votes"      // {author, permlink, voter, weight, time}
)

const (
	baseCoin      = "HIVE"
	basePrecision = 3
	nullAccount   = "null"
)

func createTables(sec *state.Section) {
	for _, def := range []state.TableDef{
		{Name: tableProperties},
		{Name: tableBlocks},
		{Name: tableAccounts, PrimaryKey: []string{"name"}, Lookups: []state.Index{
			{Name: "name", Fields: []string{"name"}},
			{Name: "block", Fields: []string{"block", "name"}},
		}},
		{Name: tableKeys, PrimaryKey: []string{"key", "account"}, Lookups: []state.Index{
			{Name: "key", Fields: []string{"key"}},
			{Name: "account", Fields: []string{"account"}},
		}},
		{Name: tableBalances, PrimaryKey: []string{"account"}, Lookups: []state.Index{
			{Name: "account", Fields: []string{"account"}},
		}},
		{Name: tableSeen, PrimaryKey: []string{"id"}, Lookups: []state.Index{
			{Name: "id", Fields: []string{"id"}},
			{Name: "expiration", Fields: []string{"expiration"}},
		}},
		{Name: tableContent, PrimaryKey: []string{"author", "permlink"}, Lookups: []state.Index{
			{Name: "post", Fields: []string{"author", "permlink"}},
		}},
		{Name: tableVotes, PrimaryKey: []string{"author", "permlink", "voter"}, Lookups: []state.Index{
			{Name: "vote", Fields: []string{"author", "permlink", "voter"}},
		}},
	} {
		sec.CreateTable(def)
	}
}

func newRow(kv ...any) state.Row { return jsvalue.NewObject(kv...) }

// changed is a patch for Table.Update: the row's id and the members to set.
func changed(row state.Row, kv ...any) state.Row {
	return jsvalue.NewObject(append([]any{"_id", row.Get("_id")}, kv...)...)
}

func text(row state.Row, member string) string {
	s, _ := row.String(member)
	return s
}

func number(row state.Row, member string) uint64 {
	f, _ := row.Number(member)
	return uint64(f)
}

func flag(row state.Row, member string) bool {
	b, _ := row.Bool(member)
	return b
}

func units(n int64) string { return strconv.FormatInt(n, 10) }

func parseUnits(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64) // written by units
	return n
}

// parseCoin reads "1.000 HIVE", or "" as nothing where that is allowed.
func parseCoin(text string, emptyOK bool) (int64, error) {
	if text == "" && emptyOK {
		return 0, nil
	}
	a, err := graphene.ParseAsset(text)
	if err != nil {
		return 0, err
	}
	if a.Symbol != baseCoin || a.Precision != basePrecision || a.Amount < 0 {
		return 0, fmt.Errorf("%w: %q is not an amount like 1.000 %s", graphene.ErrAsset, text, baseCoin)
	}
	return a.Amount, nil
}

func coin(n int64) graphene.Asset {
	return graphene.Asset{Amount: n, Precision: basePrecision, Symbol: baseCoin}
}

// Head is the newest block that the machine has applied; before block 1 its
// number is 0, its id 40 zeros and its time that of genesis.
type Head struct {
	Number uint64
	ID     string // 40 hex digits
	Time   string // base.TimeLayout
	Supply int64  // units of the base coin in existence
}

func (h Head) seconds() uint32 {
	s, _ := graphene.ParseTime(h.Time) // checked when it was written
	return s
}

func headRow(sec *state.Section) state.Row {
	for row := range sec.Table(tableProperties).All() {
		return row
	}
	return nil
}

func readHead(sec *state.Section) Head {
	row := headRow(sec)
	return Head{number(row, "number"), text(row, "id"), text(row, "time"), parseUnits(text(row, "supply"))}
}

// blockIDAt is the id of one of the last TaposWindow blocks.
func blockIDAt(sec *state.Section, n uint64) (graphene.BlockID, bool) {
	row := sec.Table(tableBlocks).Get(float64(n % TaposWindow))
	if row == nil || number(row, "number") != n {
		return graphene.BlockID{}, false
	}
	id, err := graphene.ParseBlockID(text(row, "id"))
	return id, err == nil
}
