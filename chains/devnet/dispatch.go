package devnet

import (
	"context"
	"encoding/json"
	"runtime/debug"
	"sort"
	"strings"
)

// method is one RPC method. To add one, write its function and put it into the
// table of its file.
type method struct {
	// params are the names in positional order, as in Bitcoin Core's help;
	// "verbosity|verbose" has a second name.
	params []string
	// required is how many of them must be given.
	required int
	// acts is set where the method changes the chain or the wallet: such
	// methods are not bent by faults, and take the lock themselves.
	acts bool
	// empty is the answer under FaultEmpty; "" is null.
	empty string
	run   func(*call) (any, error)
}

// call is one request on its way through a method.
type call struct {
	args
	ctx     context.Context
	c       *Chain
	v       *view // nil where the method acts
	methods map[string]method
}

// methodTable is every method by name.
func methodTable() map[string]method {
	table := map[string]method{
		"help": {params: []string{"command"}, acts: true, run: help},
	}
	for _, part := range []map[string]method{chainMethods(), txMethods(), walletMethods(), controlMethods()} {
		for name, m := range part {
			table[name] = m
		}
	}
	return table
}

// call runs a method. A panic in btcd's code becomes an error, loudly.
func (s *server) call(ctx context.Context, req request) (result any, err error) {
	m, ok := s.methods[req.method]
	if !ok {
		return nil, fail(codeNoMethod, "Method not found")
	}
	bound, err := bindArgs(m.params, req.params)
	if err != nil {
		return nil, err
	}
	for i := range m.required {
		if !bound.has(i) {
			return nil, fail(codeMisc, "%s", usage(req.method, m))
		}
	}
	c := s.chain
	fault := c.Fault()
	if fault == FaultEmpty && !m.acts {
		return json.RawMessage(m.emptyAnswer()), nil
	}
	defer func() {
		if r := recover(); r != nil {
			c.log.Error("devnet RPC panic", "method", req.method, "panic", r, "stack", string(debug.Stack()))
			result, err = nil, fail(codeInternal, "Internal error")
		}
	}()
	inv := &call{args: bound, ctx: ctx, c: c, methods: s.methods}
	if m.acts {
		return m.run(inv)
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	if inv.v, err = c.view(fault); err != nil {
		return nil, err
	}
	return m.run(inv)
}

func (m method) emptyAnswer() string {
	if m.empty == "" {
		return "null"
	}
	return m.empty
}

// usage is a line such as `getblock "blockhash" ( verbosity )`.
func usage(name string, m method) string {
	parts := []string{name}
	for i, param := range m.params {
		if i == m.required {
			parts = append(parts, "(")
		}
		name, _, _ := strings.Cut(param, "|")
		parts = append(parts, name)
	}
	if len(m.params) > m.required {
		parts = append(parts, ")")
	}
	return strings.Join(parts, " ")
}

func help(k *call) (any, error) {
	name, err := k.text(0)
	if err != nil {
		return nil, err
	}
	if name != "" {
		m, ok := k.methods[name]
		if !ok {
			return "help: unknown command: " + clip(name), nil
		}
		return usage(name, m), nil
	}
	lines := make([]string, 0, len(k.methods))
	for name, m := range k.methods {
		lines = append(lines, usage(name, m))
	}
	sort.Strings(lines)
	return strings.Join(lines, "\n"), nil
}
