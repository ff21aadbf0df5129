package api

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"mime"
	"net/http"

	"causeway/chains"
	"causeway/gateway"
	"causeway/pegs"
)

// Operator is what a person can order the gateway to do. Every order has an
// author and a reason, is durable when it returns, and is an event of the log.
// Refusals are *gateway.Error.
type Operator interface {
	Halt(ctx context.Context, chain chains.ID, reason, author string, scopes ...pegs.Scope) error
	Resume(ctx context.Context, chain chains.ID, reason, author string, scopes ...pegs.Scope) error
	Alert(ctx context.Context, chain chains.ID, author, reason string, over bool) error
	Veto(ctx context.Context, withdrawal, author, reason string, giveBack bool) error
	Requeue(ctx context.Context, withdrawal, author, reason string) error
	Claim(ctx context.Context, depositID, author, reason string) error
	Cancel(ctx context.Context, batch, author, reason string) error
	Acknowledge(ctx context.Context, chain chains.ID, txid, author, reason string) error
	Perished(ctx context.Context, chain chains.ID, raws [][]byte, by, block, author, reason string) error
}

// maxOrder bounds the body of an order, in bytes: some hold transactions.
const maxOrder = 1 << 20

// order is the body of every order; each path reads the members that it needs
// and refuses the others.
type order struct {
	Author string       `json:"author"`
	Reason string       `json:"reason"`
	Chain  chains.ID    `json:"chain"`
	Scopes []pegs.Scope `json:"scopes"`
	Over   bool         `json:"over"`
	// Withdrawal is the sidechain transaction that burned.
	Withdrawal string `json:"withdrawal"`
	GiveBack   bool   `json:"give_back"`
	Deposit    string `json:"deposit"`
	Batch      string `json:"batch"`
	TxID       string `json:"txid"` // of the outside chain
	// Transactions are whole ones of the outside chain, hex; By is one in Block.
	Transactions []string `json:"transactions"`
	By           string   `json:"by"`
	Block        string   `json:"block"`
}

// raws are the bytes of the transactions.
func (o *order) raws() (list [][]byte, err error) {
	for _, text := range o.Transactions {
		raw, err := hex.DecodeString(text)
		if err != nil || len(raw) == 0 {
			return nil, badRequest("a transaction is not hex")
		}
		list = append(list, raw)
	}
	if len(list) == 0 {
		return nil, badRequest("no transactions")
	}
	return list, nil
}

// orders are the paths of the admin listener under /operator/, with the members
// of the body beside author and reason that each takes.
var orders = []struct {
	name    string
	members []string
	give    func(context.Context, Operator, order) error
}{
	{"halt", []string{"chain", "scopes"}, func(ctx context.Context, op Operator, o order) error {
		return op.Halt(ctx, o.Chain, o.Reason, o.Author, o.Scopes...)
	}},
	{"resume", []string{"chain", "scopes"}, func(ctx context.Context, op Operator, o order) error {
		return op.Resume(ctx, o.Chain, o.Reason, o.Author, o.Scopes...)
	}},
	{"alert", []string{"chain", "over"}, func(ctx context.Context, op Operator, o order) error {
		return op.Alert(ctx, o.Chain, o.Author, o.Reason, o.Over)
	}},
	{"veto", []string{"withdrawal", "give_back"}, func(ctx context.Context, op Operator, o order) error {
		return op.Veto(ctx, o.Withdrawal, o.Author, o.Reason, o.GiveBack)
	}},
	{"requeue", []string{"withdrawal"}, func(ctx context.Context, op Operator, o order) error {
		return op.Requeue(ctx, o.Withdrawal, o.Author, o.Reason)
	}},
	{"claim", []string{"deposit"}, func(ctx context.Context, op Operator, o order) error {
		return op.Claim(ctx, o.Deposit, o.Author, o.Reason)
	}},
	{"cancel", []string{"batch"}, func(ctx context.Context, op Operator, o order) error {
		return op.Cancel(ctx, o.Batch, o.Author, o.Reason)
	}},
	{"acknowledge", []string{"chain", "txid"}, func(ctx context.Context, op Operator, o order) error {
		return op.Acknowledge(ctx, o.Chain, o.TxID, o.Author, o.Reason)
	}},
	{"perished", []string{"chain", "transactions", "by", "block"}, func(ctx context.Context, op Operator, o order) error {
		raws, err := o.raws()
		if err != nil {
			return err
		}
		return op.Perished(ctx, o.Chain, raws, o.By, o.Block, o.Author, o.Reason)
	}},
}

// routeOrders adds POST /operator/NAME.
func (s *Server) routeOrders(mux *http.ServeMux, op Operator) {
	for _, path := range orders {
		mux.HandleFunc("POST /operator/"+path.name, s.v1(func(r *http.Request) (any, error) {
			o, err := readOrder(r, path.members)
			if err != nil {
				return nil, err
			}
			s.log.Info("order", "order", path.name, "author", o.Author, "reason", o.Reason, "chain", string(o.Chain))
			if err := path.give(r.Context(), op, o); err != nil {
				return nil, err
			}
			return map[string]bool{"ok": true}, nil
		}))
	}
}

// readOrder reads an order strictly. A page in somebody's browser must not be
// able to give one: it cannot send this content type to another origin unasked.
func readOrder(r *http.Request, members []string) (o order, err error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" || r.Header.Get("Origin") != "" {
		return o, &v1Error{http.StatusUnsupportedMediaType, gateway.CodeBadRequest, "an order is application/json and not sent by a browser"}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxOrder+1))
	if err != nil || len(body) > maxOrder {
		return o, badRequest("the body could not be read, or is too large")
	}
	allowed := map[string]bool{"author": true, "reason": true}
	for _, m := range members {
		allowed[m] = true
	}
	var given map[string]json.RawMessage
	if err := json.Unmarshal(body, &given); err != nil {
		return o, badRequest("the body must be a JSON object")
	}
	for name := range given {
		if !allowed[name] {
			return o, badRequest("unknown member " + clip(name))
		}
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&o); err != nil {
		return o, badRequest("malformed order: a member has the wrong type")
	}
	return o, nil
}
