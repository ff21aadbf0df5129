package api

import (
	"fmt"
	"net/http"

	"causeway/sidechain/jsvalue"
	"causeway/sidechain/query"
	"causeway/sidechain/state"
)

// maxFind is the most rows that one find answers.
const maxFind = 1000

// contractsMethods are the methods of POST /contracts (peer specification 6.2).
func (s *Server) contractsMethods() map[string]method {
	return map[string]method{
		"getContract": s.getContract,
		"findOne":     s.findOne,
		"find":        s.find,
	}
}

func (s *Server) getContract(_ *http.Request, params jsvalue.Value) (jsvalue.Value, error) {
	p, err := needParams(params)
	if err != nil {
		return nil, err
	}
	name, ok := p.String("name")
	if !ok {
		if name, ok = p.String("contract"); !ok {
			return nil, badParameters("missing or wrong parameters: name is required")
		}
	}
	return orNull(s.chain.Contract(name)), nil
}

// findParams is a parsed find or findOne request.
type findParams struct {
	contract, table string
	query           *jsvalue.Object
	limit, offset   int
	order           []state.Order
	project         *query.Projection
}

func (s *Server) findOne(r *http.Request, params jsvalue.Value) (jsvalue.Value, error) {
	f, err := parseFind(params)
	if err != nil {
		return nil, err
	}
	f.limit, f.offset, f.order = 1, 0, nil
	rows, known := s.rows(r, f)
	if !known || len(rows) == 0 {
		return nil, nil
	}
	return rows[0], nil
}

func (s *Server) find(r *http.Request, params jsvalue.Value) (jsvalue.Value, error) {
	f, err := parseFind(params)
	if err != nil {
		return nil, err
	}
	if f.offset < 0 {
		return nil, nil
	}
	rows, known := s.rows(r, f)
	if !known {
		return nil, nil
	}
	return rows, nil
}

// rows runs a query; known is false for an unknown table and for a query that
// cannot be answered: the peer says null to both.
func (s *Server) rows(r *http.Request, f findParams) (rows []jsvalue.Value, known bool) {
	table, ok := s.chain.Table(f.contract, f.table)
	if !ok {
		return nil, false
	}
	filter, err := query.Compile(f.query)
	if err != nil {
		s.log.Debug("query refused", "table", table, "err", err)
		return nil, false
	}
	select {
	case s.queries <- struct{}{}:
		defer func() { <-s.queries }()
	case <-r.Context().Done():
		return nil, false
	}
	db := s.chain.DB()
	found, err := filter.FindContext(r.Context(), db, db.Tables(), table, f.limit, f.offset, f.order)
	if err != nil {
		s.log.Debug("query not answered", "table", table, "err", err)
		return nil, false
	}
	rows = make([]jsvalue.Value, len(found))
	for i, row := range found {
		if f.project != nil {
			row = f.project.Apply(row)
		}
		rows[i] = row
	}
	return rows, true
}

func parseFind(params jsvalue.Value) (findParams, error) {
	p, err := needParams(params)
	if err != nil {
		return findParams{}, err
	}
	contract, okContract := p.String("contract")
	table, okTable := p.String("table")
	filter, okQuery := p.Object("query")
	if _, array := p.Get("query").([]jsvalue.Value); array {
		filter, okQuery = jsvalue.NewObject(), true
	}
	if !okContract || !okTable || !okQuery || contract == "" || table == "" {
		return findParams{}, badParameters("missing or wrong parameters: contract, table and query are required")
	}
	f := findParams{contract: contract, table: table, query: filter, limit: maxFind}
	if v := p.Get("limit"); jsvalue.Truthy(v) {
		n, ok := v.(float64)
		switch {
		case !ok:
			return findParams{}, badParameters("missing or wrong parameters: contract, table and query are required")
		case n > maxFind:
			return findParams{}, badParameters(fmt.Sprintf("limit is too high, maximum limit is %d", maxFind))
		case n < 1:
			n = maxFind
		}
		f.limit = int(n)
	}
	if n, ok := p.Number("offset"); ok {
		f.offset = int(max(min(n, 1<<40), -1))
	}
	f.order = parseOrder(p.Get("indexes"))
	if project, ok := p.Object("project"); ok {
		if f.project, err = query.CompileProjection(project); err != nil {
			return findParams{}, badParameters("arbitrary key for project is not allowed, you may only include or exclude existing keys")
		}
	}
	return f, nil
}

// parseOrder reads indexes: [{index, descending}]. Clients also send "" or
// malformed entries, which the peer does not refuse.
func parseOrder(v jsvalue.Value) []state.Order {
	list, _ := v.([]jsvalue.Value)
	var order []state.Order
	for _, item := range list {
		if o, ok := item.(*jsvalue.Object); ok {
			if name, ok := o.String("index"); ok {
				order = append(order, state.Order{Index: name, Descending: jsvalue.Truthy(o.Get("descending"))})
			}
		}
	}
	return order
}

// needParams is for methods that cannot do without: the peer's handler throws
// when params are missing, which answers an internal error.
func needParams(params jsvalue.Value) (*jsvalue.Object, error) {
	switch p := params.(type) {
	case *jsvalue.Object:
		return p, nil
	case []jsvalue.Value:
		return jsvalue.NewObject(), nil
	default:
		return nil, errInternal
	}
}

func orNull(o *jsvalue.Object, ok bool) jsvalue.Value {
	if !ok {
		return nil
	}
	return o
}
