package state

import (
	"path/filepath"
	"testing"

	"causeway/sidechain/jsvalue"
)

func TestSmoke(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	db, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	tab := db.Tables().CreateTable(TableDef{Name: "tokens_balances", Indexes: []Index{{"account", []string{"account"}}}, Lookups: []Index{{"account_symbol", []string{"account", "symbol"}}}})
	r := tab.Insert(jsvalue.NewObject("account", "a", "symbol", "X", "balance", "1"))
	tab.Insert(jsvalue.NewObject("account", "b", "symbol", "X", "balance", "1"))
	m := db.Tables().Savepoint()
	tab.Update(jsvalue.NewObject("_id", r.Get("_id"), "balance", "2", "z", 1))
	tab.Remove(tab.Get(2.0))
	db.Tables().Rollback(m)
	if got := tab.Find1("account_symbol", "a", "X"); !jsvalue.Equal(got, r) {
		t.Fatal(jsvalue.Stringify(got))
	}
	root := db.Root()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db, err = Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if db.Root() != root {
		t.Fatal("root")
	}
	p, err := db.Tables().Prove("tokens_balances", 1.0)
	if err != nil {
		t.Fatal(err)
	}
	if err := VerifyProof(root, "tokens_balances", 1.0, r, p); err != nil {
		t.Fatal(err)
	}
	p, _ = db.Tables().Prove("tokens_balances", 7.0)
	if err := VerifyProof(root, "tokens_balances", 7.0, nil, p); err != nil {
		t.Fatal(err)
	}
}
