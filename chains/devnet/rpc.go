package devnet

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	maxBody  = 16 << 20 // a block of 4 MB in hex, with room
	maxBatch = 1000
)

// server is the HTTP side of the chain.
type server struct {
	chain   *Chain
	methods map[string]method
	user    [sha256.Size]byte
	pass    [sha256.Size]byte
	url     string
	http    *http.Server
	done    chan struct{}
}

func (c *Chain) serve(listener net.Listener, user, pass string) (*server, error) {
	if user == "" && pass == "" {
		user, pass = "causeway", rand.Text()
	}
	s := &server{
		chain:   c,
		methods: methodTable(),
		user:    sha256.Sum256([]byte(user)),
		pass:    sha256.Sum256([]byte(pass)),
		done:    make(chan struct{}),
	}
	s.url = (&url.URL{Scheme: "http", User: url.UserPassword(user, pass), Host: listener.Addr().String()}).String()
	s.http = &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(c.log.Handler(), slog.LevelDebug),
	}
	go func() {
		defer close(s.done)
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			c.log.Error("devnet RPC stopped", "chain", c.params.Name, "err", err)
		}
	}()
	return s, nil
}

func (s *server) stop(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.http.Close()
	}
	<-s.done
	return err
}

// ServeHTTP implements http.Handler.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.chain.Fault() == FaultDown {
		s.chain.BreakDown(w)
		return
	}
	if !s.authorized(r) {
		w.Header().Set("WWW-Authenticate", `Basic realm="jsonrpc"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if r.URL.Path != "/" && !strings.HasPrefix(r.URL.Path, "/wallet/") {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if r.Method != http.MethodPost {
		http.Error(w, "JSONRPC server handles only POST requests", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "request body cannot be read or is too large", http.StatusRequestEntityTooLarge)
		return
	}
	status, answer := s.answer(r.Context(), body)
	if answer != nil {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(status)
	_, _ = w.Write(answer) // the client is gone
}

func (s *server) authorized(r *http.Request) bool {
	user, pass, ok := r.BasicAuth()
	u, p := sha256.Sum256([]byte(user)), sha256.Sum256([]byte(pass))
	same := subtle.ConstantTimeCompare(u[:], s.user[:]) & subtle.ConstantTimeCompare(p[:], s.pass[:])
	return ok && same == 1
}

// request is one call as it came in.
type request struct {
	version json.RawMessage
	id      json.RawMessage // nil when absent
	method  string
	params  json.RawMessage
}

// modern reports a JSON-RPC 2.0 request; anything else is answered in the
// form of 1.0, as Bitcoin Core does.
func (r request) modern() bool { return string(r.version) == `"2.0"` }

// answer handles a body: a request or a batch.
func (s *server) answer(ctx context.Context, body []byte) (status int, answer []byte) {
	body = bytes.TrimSpace(body)
	if !json.Valid(body) {
		return respond(request{}, nil, fail(codeParse, "Parse error"))
	}
	switch body[0] {
	case '{':
		return s.one(ctx, body)
	case '[':
		return s.batch(ctx, body)
	}
	return respond(request{}, nil, fail(codeParse, "Top-level object parse error"))
}

func (s *server) batch(ctx context.Context, body []byte) (int, []byte) {
	var items []json.RawMessage
	if err := json.Unmarshal(body, &items); err != nil {
		return respond(request{}, nil, fail(codeParse, "Parse error"))
	}
	if len(items) == 0 || len(items) > maxBatch {
		return respond(request{}, nil, fail(codeInvalidRequest, "Batch must have 1 to %d requests", maxBatch))
	}
	answers := make([][]byte, 0, len(items))
	for _, item := range items {
		if _, answer := s.one(ctx, item); answer != nil {
			answers = append(answers, bytes.TrimSuffix(answer, []byte("\n")))
		}
	}
	if len(answers) == 0 { // notifications only
		return http.StatusNoContent, nil
	}
	list := append([]byte("["), bytes.Join(answers, []byte(","))...)
	return http.StatusOK, append(list, "]\n"...)
}

func (s *server) one(ctx context.Context, item []byte) (int, []byte) {
	req, err := parseRequest(item)
	if err != nil {
		return respond(req, nil, err)
	}
	result, err := s.call(ctx, req)
	if req.modern() && req.id == nil {
		return http.StatusNoContent, nil
	}
	return respond(req, result, err)
}

// parseRequest reads the envelope. What could be read of it is returned with
// an error too, so that the answer carries the id.
func parseRequest(item []byte) (req request, err error) {
	var fields map[string]json.RawMessage
	if item = bytes.TrimSpace(item); len(item) == 0 || item[0] != '{' || json.Unmarshal(item, &fields) != nil {
		return req, fail(codeInvalidRequest, "Invalid Request object")
	}
	req.version, req.params = fields["jsonrpc"], fields["params"]
	if id, ok := fields["id"]; ok {
		if id[0] == '{' || id[0] == '[' || id[0] == 't' || id[0] == 'f' {
			return req, fail(codeInvalidRequest, "Id must be a string, a number or null")
		}
		req.id = id
	}
	switch string(req.version) {
	case "", "null", `"1.0"`, `"1.1"`, `"2.0"`:
	default:
		return req, fail(codeInvalidRequest, "JSON-RPC version not supported")
	}
	name, ok := fields["method"]
	if !ok || string(name) == "null" {
		return req, fail(codeInvalidRequest, "Missing method")
	}
	if name[0] != '"' || json.Unmarshal(name, &req.method) != nil {
		return req, fail(codeInvalidRequest, "Method must be a string")
	}
	return req, nil
}

// respond writes the answer and chooses the HTTP status: as in Core an error
// is 500, but 404 for an unknown method and 400 for a bad envelope.
func respond(req request, result any, err error) (int, []byte) {
	status := http.StatusOK
	var failure *rpcError
	if err != nil && !errors.As(err, &failure) {
		failure = fail(codeMisc, "%v", err)
	}
	encoded := []byte("null")
	if failure == nil {
		var jsonErr error
		if encoded, jsonErr = json.Marshal(result); jsonErr != nil {
			failure = fail(codeInternal, "encoding the result: %v", jsonErr)
		}
	}
	if failure != nil {
		encoded = []byte("null")
		switch failure.Code {
		case codeNoMethod:
			status = http.StatusNotFound
		case codeInvalidRequest:
			status = http.StatusBadRequest
		default:
			status = http.StatusInternalServerError
		}
	}
	return status, envelope(req, encoded, failure)
}

func envelope(req request, result []byte, failure *rpcError) []byte {
	id := req.id
	if id == nil {
		id = json.RawMessage("null")
	}
	reason := []byte("null")
	if failure != nil {
		reason, _ = json.Marshal(failure) // a number and a string
	}
	var out bytes.Buffer
	switch {
	case !req.modern():
		out.WriteString(`{"result":`)
		out.Write(result)
		out.WriteString(`,"error":`)
		out.Write(reason)
	case failure == nil:
		out.WriteString(`{"jsonrpc":"2.0","result":`)
		out.Write(result)
	default:
		out.WriteString(`{"jsonrpc":"2.0","error":`)
		out.Write(reason)
	}
	out.WriteString(`,"id":`)
	out.Write(id)
	out.WriteString("}\n")
	return out.Bytes()
}
