package api

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"path"
	"runtime"
	"strings"
	"time"

	"causeway/gateway"
	"causeway/sidechain/jsvalue"
)

// Config is what a Server serves.
type Config struct {
	Version string
	ChainID string
	// BaseChainID is printed as 64 hex digits.
	BaseChainID string
	Chain       Sidechain
	Base        BaseLayer
	// Gateway is nil on a node without one: its paths answer 503 no_gateway.
	Gateway Gateway
	Log     *slog.Logger
}

// Server holds the handlers of the public and the admin listener.
type Server struct {
	version, chainID, baseChainID string
	chain                         Sidechain
	base                          BaseLayer
	gateway                       Gateway
	log                           *slog.Logger
	metrics                       *metrics
	// queries bounds the finds at work at once, and so the memory of those that
	// must sort a whole table.
	queries chan struct{}
}

// New returns a Server. It starts nothing.
func New(c Config) *Server {
	s := &Server{
		version: c.Version, chainID: c.ChainID, baseChainID: c.BaseChainID,
		chain: c.Chain, base: c.Base, gateway: c.Gateway, log: c.Log,
		queries: make(chan struct{}, 4+2*runtime.GOMAXPROCS(0)),
	}
	s.metrics = newMetrics(s)
	return s
}

// Handler serves the public listener.
func (s *Server) Handler() http.Handler {
	rpc := func(methods map[string]method) http.Handler {
		return &rpcHandler{methods: methods, maxBody: maxRPCBody, peer: true, log: s.log}
	}
	dotted := map[string]method{}
	for name, m := range s.blockchainMethods() {
		dotted["blockchain."+name] = m
	}
	for name, m := range s.contractsMethods() {
		dotted["contracts."+name] = m
	}
	mux := http.NewServeMux()
	mux.Handle("/blockchain", rpc(s.blockchainMethods()))
	mux.Handle("/contracts", rpc(s.contractsMethods()))
	mux.Handle("/hive", s.hiveHandler())
	mux.Handle("GET /{$}", http.HandlerFunc(s.root))
	mux.Handle("/{$}", rpc(dotted))
	mux.HandleFunc("/", notFound)
	s.routeV1(mux)
	return normalise(s.metrics.count(cors(mux)))
}

// notFound answers every path that is nobody's.
func notFound(w http.ResponseWriter, r *http.Request) {
	writeError(w, &v1Error{http.StatusNotFound, gateway.CodeNotFound, "no such path: " + clip(r.Method+" "+r.URL.Path)})
}

// root answers GET /: the node's status, whatever is preferred, as long as there
// is no page to show.
func (s *Server) root(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(jsvalue.AppendJSON(nil, s.status()))
}

// normalise maps the spellings under which public gateways publish a node
// (/rpc/contracts, /rpc2//blockchain/, …) to the plain paths.
func normalise(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		clean := path.Clean("/" + r.URL.Path)
		for _, prefix := range []string{"/rpc2", "/rpc"} {
			if rest, ok := strings.CutPrefix(clean, prefix); ok && (rest == "" || rest[0] == '/') {
				clean = "/" + strings.TrimPrefix(rest, "/")
				break
			}
		}
		if clean != r.URL.Path {
			again := r.Clone(r.Context())
			again.URL.Path, again.URL.RawPath = clean, ""
			r = again
		}
		next.ServeHTTP(w, r)
	})
}

// cors lets browsers of any origin in: everything here is public and nothing
// reads cookies.
func cors(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		if r.Method == http.MethodOptions {
			h.Set("Access-Control-Allow-Methods", "GET, POST")
			if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
				h.Set("Access-Control-Allow-Headers", asked)
			}
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// maxConnections bounds what one listener holds open: an attacker's connections
// must not take the file descriptors that the stores and the outside chains
// need.
const maxConnections = 2048

// Serve serves a handler on a listener until ctx ends, then lets requests
// under way finish.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler:           prompt(h),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if server.Shutdown(grace) != nil { // a client that waits for a block, say
			_ = server.Close()
		}
	}()
	if err := server.Serve(limitConnections(l, maxConnections)); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	<-stopped
	return nil
}
