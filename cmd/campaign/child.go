package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"causeway/chains"
	"causeway/gateway"
	"causeway/internal/failpoint"
	"causeway/pegs"
)

// childArgument makes the program the child of a campaign.
const childArgument = "child"

// How a child ends.
const (
	exitRefused = 3  // the home is in use
	exitDied    = 77 // at a crash point
	exitFailed  = 78 // a service ended with an error
	exitNoStart = 79 // it could not be opened
)

// childConfig is the first line of a child's standard input.
type childConfig struct {
	Chain   chains.ID   `json:"chain"`
	Genesis []byte      `json:"genesis"`
	Home    string      `json:"home"`
	Nodes   []string    `json:"nodes"`
	Off     []string    `json:"off"`
	Trap    trap        `json:"trap"`
	Depth   uint64      `json:"depth"` // of a credit; 0: the coin's own
	Extra   uint64      `json:"extra"` // how much deeper what payouts spend is
	Large   bool        `json:"large"` // memory counts
	Free    bool        `json:"free"`  // it runs by itself, not step by step
	Limits  pegs.Limits `json:"limits"`
	Log     bool        `json:"log"`
}

// trap says where the process ends: at the (After+1)-th time that it passes the
// point, or any point when none is named. A point of C23 lets the act fail there
// instead; Delay ends the process so much later, while it goes on.
type trap struct {
	Point string        `json:"point"`
	After int           `json:"after"`
	Delay time.Duration `json:"delay"`
	Set   bool          `json:"set"`
}

// lastWords is what a child says before it dies at a crash point.
type lastWords struct {
	Died string `json:"died"`
}

// child is the process under test.
type child struct {
	node *node
	out  io.Writer

	turn sync.Mutex // steps, one at a time
	mu   sync.Mutex
	trap trap
}

func childMain(in io.Reader, out, log io.Writer) int {
	lines := bufio.NewReader(in)
	text, err := lines.ReadBytes('\n')
	var cfg childConfig
	if err == nil {
		err = json.Unmarshal(text, &cfg)
	}
	if err != nil {
		fmt.Fprintln(log, "campaign child:", err)
		return exitUsage
	}
	go func() { // an orphan has nothing to do
		_, _ = io.Copy(io.Discard, lines)
		os.Exit(exitOK)
	}()
	logger := slog.New(slog.DiscardHandler)
	if cfg.Log {
		logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	c := &child{out: out, trap: cfg.Trap}
	if err := failpoint.Set(c.hit, cfg.Off); err != nil {
		fmt.Fprintln(log, "campaign child:", err)
		return exitUsage
	}
	o := nodeOptions{home: cfg.Home, nodes: cfg.Nodes, depth: cfg.Depth, extra: cfg.Extra, free: cfg.Free, large: cfg.Large, limits: cfg.Limits, log: logger}
	if len(cfg.Nodes) > 1 {
		o.wrap = newRelay().wrap
	}
	var net *network
	if net, err = readNetwork(cfg.Chain, cfg.Genesis); err == nil {
		c.node, err = openNode(net, o)
	}
	if err != nil {
		fmt.Fprintln(log, "campaign child: open:", err)
		switch {
		case errors.Is(err, gateway.ErrHomeInUse):
			return exitRefused
		case errors.Is(err, errDiskFull):
			return exitFailed
		}
		return exitNoStart
	}
	if err := c.serve(); err != nil {
		fmt.Fprintln(log, "campaign child:", err)
		return exitFailed
	}
	return exitOK
}

var errDiskFull = errors.New("no space left on device (simulated)")

// hit is called at every crash point.
func (c *child) hit(point string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.trap.Set || c.trap.Point != "" && c.trap.Point != point {
		return nil
	}
	if c.trap.After > 0 {
		c.trap.After--
		return nil
	}
	c.trap.Set = false
	text, _ := json.Marshal(lastWords{point})
	_, _ = c.out.Write(append(text, '\n'))
	switch {
	case point == failpoint.C23:
		return errDiskFull
	case c.trap.Delay > 0:
		time.AfterFunc(c.trap.Delay, func() { os.Exit(exitDied) })
		return nil
	}
	os.Exit(exitDied)
	return nil
}

// serve answers on a free port, which it says first, until it is stopped.
func (c *child) serve() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	failed := make(chan error, 2)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /campaign/step", func(w http.ResponseWriter, r *http.Request) { c.step(w, r, failed) })
	mux.HandleFunc("POST /campaign/trap", func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if err := json.NewDecoder(r.Body).Decode(&c.trap); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var running sync.WaitGroup
	mux.HandleFunc("POST /campaign/run", func(http.ResponseWriter, *http.Request) {
		running.Go(func() {
			if err := c.node.run(ctx); err != nil {
				failed <- err
			}
		})
	})
	mux.HandleFunc("POST /campaign/stop", func(http.ResponseWriter, *http.Request) { failed <- nil })
	mux.HandleFunc("GET /campaign/books", c.books)
	mux.Handle("/", c.node.handler)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	fmt.Fprintf(c.out, "{\"url\":\"http://%s\"}\n", listener.Addr())
	if err := <-failed; err != nil {
		return err
	}
	cancel()
	running.Wait()
	c.turn.Lock()
	defer c.turn.Unlock()
	return c.node.close()
}

// step gives the node turns: ?n=3.
func (c *child) step(w http.ResponseWriter, r *http.Request, failed chan<- error) {
	c.turn.Lock()
	defer c.turn.Unlock()
	n, err := strconv.Atoi(r.URL.Query().Get("n"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	for range n {
		if err := c.node.step(context.Background()); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			failed <- err
			return
		}
	}
}

// booksAnswer is one audit with all that it says, the parts too that the public
// API keeps for logs.
type booksAnswer struct {
	Reserves json.RawMessage `json:"reserves"` // as /v1/reserves
	Problems []string        `json:"problems"`
	Unknown  bool            `json:"unknown"`
	Chains   json.RawMessage `json:"chains"` // halts and nodes, as in /v1/status
	Took     string          `json:"took"`
}

// books makes an audit and tells everything about it.
func (c *child) books(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	reserves, err := c.node.gateway.Reserves(r.Context())
	answer := booksAnswer{Problems: reserves.Problems, Unknown: reserves.Unknown, Took: time.Since(began).String()}
	if err == nil {
		answer.Reserves, err = json.Marshal(reserves)
	}
	if err == nil {
		answer.Chains, err = json.Marshal(c.node.gateway.ChainStatus())
	}
	if err == nil {
		err = json.NewEncoder(w).Encode(answer)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// relay brings the broadcasts to several nodes in order, so that there is a
// point at which only the first has the transaction (C18).
type relay struct {
	mu   sync.Mutex
	done map[string]int // transaction -> how often the first node has answered
}

// patience bounds how long the others wait for the first node.
const patience = 300 * time.Millisecond

func newRelay() *relay { return &relay{done: map[string]int{}} }

// relayed is one node behind a relay.
type relayed struct {
	chains.Source
	relay *relay
	index int
	seen  map[string]int // how often it was given the transaction, under the relay's lock
}

func (r *relay) wrap(s chains.Source, index int) chains.Source {
	return &relayed{s, r, index, map[string]int{}}
}

// turn says whether the first node has answered once more than the node was
// asked.
func (s *relayed) turn(raw []byte) bool {
	s.relay.mu.Lock()
	defer s.relay.mu.Unlock()
	return s.relay.done[string(raw)] > s.seen[string(raw)]
}

// Broadcast implements chains.Source.
func (s *relayed) Broadcast(ctx context.Context, raw []byte) (chains.Verdict, error) {
	if s.index > 0 {
		for began := time.Now(); !s.turn(raw) && ctx.Err() == nil && time.Since(began) < patience; {
			time.Sleep(100 * time.Microsecond)
		}
		failpoint.Hit("C18")
		s.relay.mu.Lock()
		s.seen[string(raw)] = s.relay.done[string(raw)]
		s.relay.mu.Unlock()
		return s.Source.Broadcast(ctx, raw)
	}
	verdict, err := s.Source.Broadcast(ctx, raw)
	s.relay.mu.Lock()
	defer s.relay.mu.Unlock()
	s.relay.done[string(raw)]++
	return verdict, err
}
