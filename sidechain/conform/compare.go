package conform

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"causeway/sidechain"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// maxDiff bounds what is reported of one vector.
const maxDiff = 20

// comparer holds what the engine did against what a vector says.
type comparer struct {
	db       *state.DB
	rt       *sidechain.Runtime
	compared Compared
	diff     []string
	at       string // step
}

func (c *comparer) differ(text string, args ...any) {
	if len(c.diff) < maxDiff {
		c.diff = append(c.diff, c.at+": "+fmt.Sprintf(text, args...))
	}
}

// same compares two texts.
func (c *comparer) same(what, got, want string) {
	if got != want {
		c.differ("%s is %s, want %s", what, clip(got), clip(want))
	}
}

// hash compares two hashes and counts them.
func (c *comparer) hash(what, got string, want node) {
	c.compared.Hashes++
	c.same(what, got, want.text())
}

func clip(s string) string {
	const most = 600
	if len(s) > most {
		s = s[:most] + "…"
	}
	if s == "" {
		return `""`
	}
	return s
}

// result compares a block.
func (c *comparer) result(s step, b *sidechain.Block, trace *sidechain.Trace) {
	r := s.result
	c.same("blockNumber", fmt.Sprint(b.Number), fmt.Sprint(r.get("blockNumber").number()))
	c.same("refHiveBlockNumber", fmt.Sprint(b.Ref), fmt.Sprint(r.get("refHiveBlockNumber").number()))
	c.same("timestamp", b.Timestamp, r.get("timestamp").text())
	c.hash("previousHash", b.PreviousHash, r.get("previousHash"))
	c.hash("previousDatabaseHash", b.PreviousDatabaseHash, r.get("previousDatabaseHash"))

	taken := c.transactions(r.must("transactions"), b.Transactions, trace.Writes)
	c.transactions(r.must("virtualTransactions"), b.VirtualTransactions, trace.VirtualWrites)
	c.silent(r.get("silentTicks"), trace.SilentTicks)

	c.hash("databaseHash", b.DatabaseHash, r.get("databaseHash"))
	c.hash("merkleRoot", b.Merkle(), r.get("merkleRoot"))
	if taken {
		c.rt.Adopt(r.get("hash").text())
		return
	}
	c.hash("hash", b.Hash, r.get("hash"))
}

// transactions compares receipts. It says whether a hash was taken from the
// vector because a source is not in it.
func (c *comparer) transactions(want node, got []*sidechain.Transaction, writes [][]string) (taken bool) {
	list := want.items()
	if len(list) != len(got) {
		c.differ("%s has %d entries, want %d", want.path, len(got), len(list))
		return false
	}
	outer := c.at
	defer func() { c.at = outer }()
	for i, tx := range got {
		c.at = list[i].path
		if strings.Contains(tx.Payload.Value, codePrefix) {
			tx.Hash, taken = list[i].get("hash").text(), true
		}
		c.receipt(list[i], tx)
		c.same("writes", strings.Join(writes[i], " "), strings.Join(list[i].must("writes").texts(), " "))
	}
	return taken
}

func (c *comparer) receipt(want node, tx *sidechain.Transaction) {
	c.same("transactionId", tx.ID, want.get("transactionId").text())
	for _, m := range []struct {
		key  string
		text sidechain.Text
	}{{"sender", tx.Sender}, {"contract", tx.Contract}, {"action", tx.Action}} {
		if w := readText(want.get(m.key)); w != m.text {
			c.differ("%s is %q, want %q", m.key, m.text.Value, w.Value)
		}
	}
	c.compared.Logs++
	logs := want.get("logs")
	text := jsvalue.Stringify(logs.value)
	if raw := want.get("logsRaw"); !raw.null() {
		text = raw.text()
	} else if logs.missing() {
		logs.fail("missing")
	}
	c.same("logs", tx.Logs, text)
	c.hash("executedCodeHash", tx.ExecutedCodeHash, want.get("executedCodeHash"))
	c.hash("databaseHash", tx.DatabaseHash, want.get("databaseHash"))
	c.hash("hash", tx.Hash, want.get("hash"))
}

// silent compares ticks that wrote but are not in the block.
func (c *comparer) silent(want node, got []sidechain.SilentTick) {
	list := want.items()
	if len(list) != len(got) {
		c.differ("silentTicks has %d entries, want %d", len(got), len(list))
		return
	}
	for i, tick := range got {
		for key, text := range map[string]string{"contract": tick.Transaction.Contract.Value, "action": tick.Transaction.Action.Value} {
			if w := list[i].get(key); !w.missing() {
				c.same("silentTicks."+key, text, w.text())
			}
		}
		if w := list[i].get("writes"); !w.missing() {
			c.same("silentTicks.writes", strings.Join(tick.Writes, " "), strings.Join(w.texts(), " "))
		}
	}
}

// snapshot keeps all rows by table and id. Rows never change, so this copies
// no content.
func snapshot(db *state.DB) map[string]map[string]state.Row {
	all := make(map[string]map[string]state.Row)
	for _, name := range contractTables(db) {
		rows := make(map[string]state.Row)
		for row := range db.Tables().Table(name).All() {
			rows[idText(row.Get("_id"))] = row
		}
		all[name] = rows
	}
	return all
}

// contractTables are the tables that a contract made: all others have no "_".
func contractTables(db *state.DB) []string {
	return slices.DeleteFunc(db.Tables().TableNames(), func(name string) bool { return !strings.Contains(name, "_") })
}

func idText(id jsvalue.Value) string { return jsvalue.Stringify(id) }

// changes compares the rows that a step changed.
func (c *comparer) changes(want node, before map[string]map[string]state.Row) {
	expected := map[string]node{}
	for _, table := range want.members() {
		expected[tableName(table)] = table
	}
	for name, rows := range snapshot(c.db) {
		upserts, deletes := difference(before[name], rows)
		table, ok := expected[name]
		delete(expected, name)
		if !ok {
			if n := len(upserts) + len(deletes); n > 0 {
				c.differ("%s has %d changed rows, want none: %s", name, n, clip(strings.Join(append(upserts, deletes...), " ")))
			}
			continue
		}
		c.rows(name+" upserts", upserts, canonicalRows(table.get("upserts").items()))
		c.rows(name+" deletes", deletes, canonicalRows(table.get("deletes").items()))
	}
	for name := range expected {
		c.differ("%s: no such table", name)
	}
}

// difference lists changed rows and removed ids, in canonical text.
func difference(before, after map[string]state.Row) (upserts, deletes []string) {
	for id, row := range after {
		if old := before[id]; old == row {
			continue
		} else if old == nil || canonical(old) != canonical(row) {
			upserts = append(upserts, canonical(row))
		}
	}
	for id, row := range before {
		if after[id] == nil {
			deletes = append(deletes, canonical(row.Get("_id")))
		}
	}
	return upserts, deletes
}

func canonicalRows(rows []node) []string {
	out := make([]string, len(rows))
	for i, row := range rows {
		out[i] = canonical(row.value)
	}
	return out
}

// rows compares two sets of rows.
func (c *comparer) rows(what string, got, want []string) {
	slices.Sort(got)
	slices.Sort(want)
	c.compared.Rows += len(want)
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			c.differ("%s: missing %s", what, clip(want[i]))
		case i >= len(want):
			c.differ("%s: unexpected %s", what, clip(got[i]))
		case got[i] != want[i]:
			c.differ("%s: %s, want %s", what, clip(got[i]), clip(want[i]))
		}
	}
}

// canonical is JSON with sorted members: rows are compared as maps.
func canonical(v jsvalue.Value) string { return jsvalue.Stringify(sorted(v)) }

func sorted(v jsvalue.Value) jsvalue.Value {
	switch x := v.(type) {
	case *jsvalue.Object:
		keys := x.Keys()
		sort.Strings(keys)
		out := jsvalue.NewObject()
		for _, key := range keys {
			out.Set(key, sorted(x.Get(key)))
		}
		return out
	case []jsvalue.Value:
		out := make([]jsvalue.Value, len(x))
		for i := range x {
			out[i] = sorted(x[i])
		}
		return out
	}
	return v
}
