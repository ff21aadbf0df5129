package evm

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/ethereum/go-ethereum/rpc"

	"causeway/chains/devnet/kit"
)

const (
	maxBody     = 5 << 20 // as in geth
	maxBatch    = 1000
	maxResponse = 64 << 20
)

// server is the HTTP side of the chain: go-ethereum's own JSON-RPC server behind
// the faults.
type server struct {
	c    *Chain
	rpc  *rpc.Server
	url  string
	http *http.Server
	done chan struct{}
}

func (c *Chain) serve(listener net.Listener) (*server, error) {
	s := &server{c: c, rpc: rpc.NewServer(), url: "http://" + listener.Addr().String(), done: make(chan struct{})}
	s.rpc.SetBatchLimits(maxBatch, maxResponse)
	s.rpc.SetHTTPBodyLimit(maxBody)
	for name, api := range map[string]any{
		"eth": &ethAPI{c}, "net": &netAPI{c}, "web3": web3API{}, "txpool": &txpoolAPI{c},
		"evm": &evmAPI{c}, "anvil": &controlAPI{c}, "hardhat": &controlAPI{c},
	} {
		if err := s.rpc.RegisterName(name, api); err != nil {
			return nil, err
		}
	}
	s.http = &http.Server{
		Handler: s, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(c.log.Handler(), slog.LevelDebug),
	}
	go func() {
		defer close(s.done)
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			c.log.Error("devnet RPC stopped", "chain", "eth", "err", err)
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
	s.rpc.Stop()
	return err
}

// ServeHTTP implements http.Handler.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fault := s.c.Fault()
	switch {
	case fault == kit.FaultDown:
		s.c.BreakDown(w)
	case !local(r.Host):
		// A page in a browser may have made its own name point to this machine.
		http.Error(w, "invalid host specified", http.StatusForbidden)
	case fault == kit.FaultEmpty || fault == kit.FaultFloat:
		s.bend(w, r, fault)
	default:
		s.rpc.ServeHTTP(w, r)
	}
}

// local says whether a request names this machine by its loopback address.
func local(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
