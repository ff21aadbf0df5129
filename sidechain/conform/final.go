package conform

import (
	"fmt"
	"slices"
	"strings"

	"causeway/sidechain"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// final compares the whole state after the last step.
func (c *comparer) final(want node) {
	c.finalTables(want.must("tables"))
	c.finalSequences(want.must("sequences"))
	c.finalSchema(want.must("schema"))
	c.finalContracts(want.must("contracts"))
	c.finalTicks(want.must("contractTicks"))
}

// all says of which of these names the vector says nothing.
func (c *comparer) all(what string, want node, names []string) {
	for _, name := range names {
		if want.get(name).missing() {
			c.differ("%s %s is not expected", what, name)
		}
	}
}

func (c *comparer) finalTables(want node) {
	c.all("table", want, contractTables(c.db))
	for _, table := range want.members() {
		name := tableName(table)
		t := c.db.Tables().Table(name)
		if t == nil {
			c.differ("table %s is missing", name)
			continue
		}
		var got []string
		for row := range t.All() {
			got = append(got, canonical(row))
		}
		c.rows(name, got, canonicalRows(table.items()))
	}
}

func (c *comparer) finalSequences(want node) {
	c.all("sequence", want, append(contractTables(c.db), chainSequence))
	for _, seq := range want.members() {
		name := tableName(seq)
		got := c.rt.Last().Number + 1
		if name != chainSequence {
			t := c.db.Tables().Table(name)
			if t == nil {
				c.differ("sequence %s: no such table", name)
				continue
			}
			got = t.Sequence()
		}
		c.same("sequence "+name, fmt.Sprint(got), fmt.Sprint(seq.number()))
	}
}

func (c *comparer) finalSchema(want node) {
	c.all("schema of", want, contractTables(c.db))
	for _, table := range want.members() {
		def := readSchema(table)
		t := c.db.Tables().Table(def.Name)
		if t == nil {
			c.differ("table %s is missing", def.Name)
			continue
		}
		c.same("schema of "+def.Name, schemaText(t.Def()), schemaText(def))
	}
}

func schemaText(def state.TableDef) string {
	var indexes []string
	for _, ix := range def.Indexes {
		indexes = append(indexes, ix.Name+"("+strings.Join(ix.Fields, ",")+")")
	}
	slices.Sort(indexes)
	return "key(" + strings.Join(def.PrimaryKey, ",") + ") " + strings.Join(indexes, " ")
}

func (c *comparer) finalContracts(want node) {
	got := map[string]sidechain.ContractState{}
	for _, contract := range c.rt.Contracts() {
		got[contract.Name] = contract
	}
	for _, w := range readContracts(want) {
		g, ok := got[w.Name]
		delete(got, w.Name)
		if !ok {
			c.differ("contract %s is missing", w.Name)
			continue
		}
		c.same("owner of "+w.Name, g.Owner, w.Owner)
		c.same("version of "+w.Name, fmt.Sprint(g.Version), fmt.Sprint(w.Version))
		c.compared.Hashes += 1 + len(w.Tables)
		c.same("codeHash of "+w.Name, g.CodeHash, w.CodeHash)
		c.same("tables of "+w.Name, tablesText(g.Tables), tablesText(w.Tables))
	}
	for name := range got {
		c.differ("contract %s is not expected", name)
	}
}

func tablesText(tables []sidechain.TableState) string {
	list := make([]string, len(tables))
	for i, t := range tables {
		list[i] = t.Name + "=" + t.Hash
	}
	return strings.Join(list, " ")
}

func (c *comparer) finalTicks(want node) {
	c.same("contractTicks", ticksText(c.rt.Ticks()), ticksText(readTicks(want)))
}

func ticksText(ticks []sidechain.TickState) string {
	list := make([]jsvalue.Value, len(ticks))
	for i, t := range ticks {
		list[i] = jsvalue.NewObject("contract", t.Contract, "action", t.Action, "startRefBlock", t.Start)
	}
	return jsvalue.Stringify(list)
}
