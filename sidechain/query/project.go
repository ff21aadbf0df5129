package query

import (
	"errors"
	"fmt"
	"strings"

	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// ErrProject is what errors of CompileProjection wrap.
var ErrProject = errors.New("query: invalid projection")

// Projection selects members of rows: those named with 1 (and _id unless it is
// 0), or all but those named with 0. Dotted paths reach into objects.
type Projection struct {
	include bool
	tree    projectTree
}

// projectTree is the named members; a nil subtree names the whole member.
type projectTree map[string]projectTree

// CompileProjection reads {"field": 1, …} or {"field": 0, …}. nil and the empty
// object keep everything.
func CompileProjection(spec *jsvalue.Object) (*Projection, error) {
	if spec.Len() == 0 {
		return nil, nil
	}
	if spec.Len() > MaxClauses {
		return nil, fmt.Errorf("%w: more than %d fields", ErrTooLarge, MaxClauses)
	}
	p := &Projection{tree: projectTree{}}
	modes := map[bool]bool{}
	id, hasID := spec.Number("_id")
	for name, v := range spec.All() {
		if v != 0.0 && v != 1.0 {
			return nil, fmt.Errorf("%w: values are 0 or 1", ErrProject)
		}
		if name == "_id" {
			continue
		}
		p.include = v == 1.0
		modes[p.include] = true
		if err := p.tree.add(name); err != nil {
			return nil, err
		}
	}
	if len(modes) > 1 {
		return nil, fmt.Errorf("%w: fields are either included or excluded", ErrProject)
	}
	if len(modes) == 0 { // only _id is named
		p.include = id == 1
	}
	if wanted := !hasID || id == 1; wanted == p.include {
		p.tree["_id"] = nil
	}
	return p, nil
}

func (t projectTree) add(name string) error {
	parts := strings.Split(name, ".")
	if len(parts) > MaxPath {
		return fmt.Errorf("%w: a path has more than %d parts", ErrTooLarge, MaxPath)
	}
	for i, part := range parts {
		sub, known := t[part]
		if i == len(parts)-1 || known && sub == nil {
			t[part] = nil
			return nil
		}
		if sub == nil {
			sub = projectTree{}
			t[part] = sub
		}
		t = sub
	}
	return nil
}

// Apply returns the selected members in the row's order. A nil Projection
// returns the row itself.
func (p *Projection) Apply(row state.Row) state.Row {
	if p == nil {
		return row
	}
	return p.object(row, p.tree)
}

func (p *Projection) object(o *jsvalue.Object, tree projectTree) *jsvalue.Object {
	out := jsvalue.NewObject()
	for name, v := range o.All() {
		sub, named := tree[name]
		switch {
		case named && sub != nil:
			if v, ok := p.value(v, sub); ok {
				out.Set(name, v)
			}
		case named == p.include:
			out.Set(name, v)
		}
	}
	return out
}

// value projects below a member; ok is false when nothing of it is wanted.
func (p *Projection) value(v jsvalue.Value, tree projectTree) (out jsvalue.Value, ok bool) {
	switch x := v.(type) {
	case *jsvalue.Object:
		return p.object(x, tree), true
	case []jsvalue.Value:
		list := []jsvalue.Value{}
		for _, e := range x {
			if e, ok := p.value(e, tree); ok {
				list = append(list, e)
			}
		}
		return list, true
	}
	return v, !p.include
}
