package sidechain

import (
	"causeway/sidechain/contract"
	"causeway/sidechain/state"
)

// ContractState is a deployed contract as a recorded state names it.
type ContractState struct {
	Name, Owner, CodeHash string
	Version               int
	Tables                []TableState
}

// TableState is one of a contract's tables: its full name and running hash
// ("" before the first write).
type TableState struct{ Name, Hash string }

// TickState is an entry of the list of ticks.
type TickState struct {
	Contract, Action string
	Start            uint64 // first base block
}

// Import writes contracts and ticks into a store that holds their tables
// already, before a Runtime is made for it.
func Import(db *state.DB, contracts []ContractState, ticks []TickState) error {
	unknown := func(string, string) (contract.Contract, bool) { return nil, false }
	reg, err := newRegistry(db.Tables(), unknown)
	if err != nil {
		return err
	}
	for _, c := range contracts {
		r := &record{name: c.Name, owner: c.Owner, codeHash: c.CodeHash, version: c.Version}
		for _, t := range c.Tables {
			table := db.Tables().Table(t.Name)
			if table == nil {
				return missingTable(c.Name, t.Name)
			}
			reg.addTable(r, t.Name, indexCount(table.Def())).hash = parseDigest(t.Hash)
		}
		reg.put(r)
	}
	reg.store()
	for _, t := range ticks {
		reg.addTick(tick(t))
	}
	return nil
}

// Contracts lists the deployed contracts by name.
func (rt *Runtime) Contracts() []ContractState {
	var out []ContractState
	for _, r := range rt.reg.sorted() {
		c := ContractState{Name: r.name, Owner: r.owner, CodeHash: r.codeHash, Version: r.version}
		for _, t := range r.tables {
			c.Tables = append(c.Tables, TableState{t.full, t.hash.String()})
		}
		out = append(out, c)
	}
	return out
}

// Ticks lists the ticks in the order of their execution.
func (rt *Runtime) Ticks() []TickState {
	out := make([]TickState, len(rt.reg.ticks))
	for i, t := range rt.reg.ticks {
		out[i] = TickState(t)
	}
	return out
}

// Adopt replaces the newest block's hash: recorded blocks whose deployments
// carry no source text have one that cannot be computed.
func (rt *Runtime) Adopt(hash string) { rt.last.Hash = hash }
