package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"causeway/gateway"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

const (
	maxV1Body    = 16 << 10
	defaultLimit = 50
	maxLimit     = 500
)

// v1Error is an error answer of /v1.
type v1Error struct {
	status        int
	code, message string
}

func (e *v1Error) Error() string { return e.message }

var errNoGateway = &v1Error{http.StatusServiceUnavailable, "no_gateway", "this node runs no gateway"}

func badRequest(message string) *v1Error {
	return &v1Error{http.StatusBadRequest, gateway.CodeBadRequest, message}
}

// routeV1 adds the paths of our own REST (design, section 7).
func (s *Server) routeV1(mux *http.ServeMux) {
	withGateway := func(answer func(Gateway, *http.Request) (any, error)) http.HandlerFunc {
		return s.v1(func(r *http.Request) (any, error) {
			if s.gateway == nil {
				return nil, errNoGateway
			}
			return answer(s.gateway, r)
		})
	}
	mux.HandleFunc("POST /v1/deposit-addresses", withGateway(postDepositAddress))
	mux.HandleFunc("GET /v1/deposits", withGateway(func(g Gateway, r *http.Request) (any, error) {
		account, cursor, limit, err := listQuery(r)
		if err != nil {
			return nil, err
		}
		return g.Deposits(account, cursor, limit)
	}))
	mux.HandleFunc("GET /v1/deposits/{id}", withGateway(func(g Gateway, r *http.Request) (any, error) {
		return g.Deposit(r.PathValue("id"))
	}))
	mux.HandleFunc("GET /v1/withdrawals", withGateway(func(g Gateway, r *http.Request) (any, error) {
		account, cursor, limit, err := listQuery(r)
		if err != nil {
			return nil, err
		}
		return g.Withdrawals(account, cursor, limit)
	}))
	mux.HandleFunc("GET /v1/withdrawals/{id}", withGateway(func(g Gateway, r *http.Request) (any, error) {
		return g.Withdrawal(r.PathValue("id"))
	}))
	mux.HandleFunc("GET /v1/assets", withGateway(getAssets))
	mux.HandleFunc("GET /v1/reserves", withGateway(func(g Gateway, r *http.Request) (any, error) { return g.Reserves(r.Context()) }))
	mux.HandleFunc("GET /v1/status", s.v1(func(*http.Request) (any, error) { return s.statusV1(), nil }))
	mux.HandleFunc("GET /v1/proof", s.v1(s.proof))
}

// v1 wraps a handler: JSON out, errors in our one shape.
func (s *Server) v1(answer func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		result, err := s.guarded(answer, r)
		if err != nil {
			writeError(w, s.v1Error(err))
			return
		}
		writeJSON(w, http.StatusOK, result)
	}
}

// guarded turns a panic into an error that says nothing.
func (s *Server) guarded(answer func(*http.Request) (any, error), r *http.Request) (result any, err error) {
	defer func() {
		if p := recover(); p != nil {
			result, err = nil, fmt.Errorf("panic: %v", p)
		}
	}()
	return answer(r)
}

func writeError(w http.ResponseWriter, e *v1Error) {
	writeJSON(w, e.status, map[string]any{"error": map[string]string{"code": e.code, "message": e.message}})
}

// v1Error finds the status of an error. What is not the client's fault is not
// explained to him.
func (s *Server) v1Error(err error) *v1Error {
	if e, ok := errors.AsType[*v1Error](err); ok {
		return e
	}
	e, ok := errors.AsType[*gateway.Error](err)
	if !ok {
		s.log.Warn("/v1 failed", "err", err)
		return &v1Error{http.StatusInternalServerError, "internal", "the request could not be answered"}
	}
	status := http.StatusBadRequest
	switch e.Code {
	case gateway.CodeNotFound, gateway.CodeUnknownAccount, gateway.CodeUnknownChain:
		status = http.StatusNotFound
	case gateway.CodeConflict:
		status = http.StatusConflict
	case gateway.CodeHalted, gateway.CodeUnavailable:
		status = http.StatusServiceUnavailable
	}
	return &v1Error{status, e.Code, e.Message}
}

func postDepositAddress(g Gateway, r *http.Request) (any, error) {
	var request struct {
		Chain   string `json:"chain"`
		Account string `json:"account"`
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxV1Body+1))
	if err != nil {
		return nil, badRequest("the body could not be read")
	}
	if len(body) > maxV1Body {
		return nil, &v1Error{http.StatusRequestEntityTooLarge, gateway.CodeBadRequest, "the body is too large"}
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, badRequest(`the body must be {"chain":"…","account":"…"}`)
	}
	if request.Chain == "" || request.Account == "" {
		return nil, badRequest("chain and account are required")
	}
	return g.DepositAddress(request.Chain, request.Account)
}

// listQuery reads account, cursor and limit.
func listQuery(r *http.Request) (account, cursor string, limit int, err error) {
	q := r.URL.Query()
	limit = defaultLimit
	if text := q.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > maxLimit {
			return "", "", 0, badRequest("limit must be a whole number from 1 to 500")
		}
	}
	return q.Get("account"), q.Get("cursor"), limit, nil
}

// getAssets pages the list of assets.
func getAssets(g Gateway, r *http.Request) (any, error) {
	_, cursor, limit, err := listQuery(r)
	if err != nil {
		return nil, err
	}
	page, err := g.Assets()
	if err != nil {
		return nil, err
	}
	from := 0
	if cursor != "" {
		if from, err = strconv.Atoi(cursor); err != nil || from < 0 {
			return nil, badRequest("malformed cursor")
		}
	}
	all := page.Items
	from = min(from, len(all))
	page.Items = all[from:min(from+limit, len(all))]
	if to := from + limit; to < len(all) {
		next := strconv.Itoa(to)
		page.NextCursor = &next
	}
	return page, nil
}

// statusV1 is the answer of /v1/status.
func (s *Server) statusV1() any {
	head := s.chain.Head()
	type headJSON struct {
		Block    uint64 `json:"block"`
		RefBlock uint64 `json:"ref_block"`
		Time     string `json:"time"`
	}
	chains := []gateway.ChainStatus{}
	if s.gateway != nil {
		chains = append(chains, s.gateway.ChainStatus()...)
	}
	return struct {
		Version     string                `json:"version"`
		ChainID     string                `json:"chain_id"`
		BaseChainID string                `json:"base_chain_id"`
		Head        headJSON              `json:"head"`
		Chains      []gateway.ChainStatus `json:"chains"`
	}{s.version, s.chainID, s.baseChainID, headJSON{head.Block, head.RefBlock, head.Timestamp + "Z"}, chains}
}

// proof answers GET /v1/proof?table=&id=&block=: a row of the newest state, its
// path and the root that it leads to (state.VerifyProof checks it). id is the
// row's _id as JSON (7, {"id":"…"}); the bare text is enough where a row is
// known by one member. The root stands in the header of the base block after
// ref_block.
func (s *Server) proof(r *http.Request) (any, error) {
	q := r.URL.Query()
	name, text := q.Get("table"), q.Get("id")
	if name == "" || text == "" {
		return nil, badRequest("table and id are required")
	}
	db := s.chain.DB()
	db.RLock()
	defer db.RUnlock()
	head := s.chain.Head()
	if block := q.Get("block"); block != "" && block != strconv.FormatUint(head.Block, 10) {
		return nil, &v1Error{http.StatusNotFound, gateway.CodeNotFound, "proofs are made for the newest block only, which is " + strconv.FormatUint(head.Block, 10)}
	}
	section := db.Tables()
	table := section.Table(name)
	if table == nil {
		section = db.Base()
		table = section.Table(name)
	}
	if table == nil {
		return nil, &v1Error{http.StatusNotFound, gateway.CodeNotFound, "no table " + clip(name)}
	}
	id, err := rowID(table.Def(), text)
	if err != nil {
		return nil, err
	}
	path, err := section.Prove(name, id)
	if err != nil {
		return nil, err
	}
	var row json.RawMessage
	if found := table.Get(id); found != nil {
		row = jsvalue.AppendJSON(nil, found)
	}
	return struct {
		Block    uint64          `json:"block"`
		RefBlock uint64          `json:"ref_block"`
		Table    string          `json:"table"`
		ID       json.RawMessage `json:"id"`
		Row      json.RawMessage `json:"row"`
		Path     state.Proof     `json:"path"`
		Root     string          `json:"root"`
	}{head.Block, head.RefBlock, name, jsvalue.AppendJSON(nil, id), row, path, head.StateRoot}, nil
}

// rowID reads the _id that a client asks for.
func rowID(def state.TableDef, text string) (jsvalue.Value, error) {
	id, err := jsvalue.Parse(text)
	_, object := id.(*jsvalue.Object)
	_, quoted := id.(string)
	switch {
	case err == nil && object:
		return id, nil
	case len(def.PrimaryKey) == 1 && err == nil && quoted:
		return jsvalue.NewObject(def.PrimaryKey[0], id), nil
	case len(def.PrimaryKey) == 1: // hex digits may look like a number
		return jsvalue.NewObject(def.PrimaryKey[0], text), nil
	case err == nil && jsvalue.TypeOf(id) == "number":
		return id, nil
	}
	return nil, badRequest("id must be the row's _id as JSON")
}
