package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"causeway/chains/chaintest"
	"causeway/pegs"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// life is a gateway's, from its first start to its rest: the world around it, the
// process it runs in at the moment, and what its users did.
type life struct {
	options
	*network
	seed    uint64
	rng     *rand.Rand
	world   world
	sim     *chaintest.Sim // of a coin
	urls    []string       // of the chain's nodes
	free    bool           // the process runs by itself, not step by step
	behind  bool           // the chain was longer than what the process had followed
	hurry   bool           // too much is sent to look at each of it
	depth   uint64         // at which deposits are credited
	extra   uint64         // how much deeper payouts find what they spend
	limits  pegs.Limits    // of payouts
	own     bool           // depth is the coin's own, not a configured one
	deep    bool           // the chain is rewritten deeper than credits are
	resumed bool           // an operator has let a halted chain go on
	home    string
	proc    *process
	api     *client
	old     []byte // an older gateway.db
	close   []func()

	trap    trap // that the process has
	address map[string]string
	burns   []*burn
	batches []assignRow // at rest
	counts  map[string]int
	steps   int

	mu     sync.Mutex
	sent   []*wire.MsgTx
	known  map[chainhash.Hash]bool // of sent
	spent  map[wire.OutPoint]bool  // by what was sent
	faults []string
}

// errGiveUp ends a life: what it is about was said already.
var errGiveUp = errors.New("the life cannot go on")

// newLife makes the world of a seed.
func newLife(o options, seed uint64, nodes, coins int) (*life, error) {
	l := &life{
		options: o, seed: seed, rng: rand.New(rand.NewPCG(seed, 4)), address: map[string]string{}, counts: map[string]int{},
		known: map[chainhash.Hash]bool{}, spent: map[wire.OutPoint]bool{},
		api: &client{http: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{}}},
	}
	var err error
	if l.network, err = o.networks.of(o.kindFor(seed)); err != nil {
		return nil, err
	}
	l.depths(0)
	if l.world, err = l.simulate(l, nodes, coins); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: l.world, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	l.close = append(l.close, func() { _ = server.Close() })
	for i := range nodes {
		l.urls = append(l.urls, fmt.Sprintf("http://%s/%d", listener.Addr(), i))
	}
	if l.home, err = os.MkdirTemp(memory(), "causeway-campaign-"); err != nil {
		return nil, err
	}
	return l, nil
}

// memory is a directory that is held in memory, where there is one.
func memory() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return ""
}

// end ends the process and removes what is left, but for the home of a life that
// failed when there is a log of it.
func (l *life) end() {
	if l.proc != nil && l.proc.alive() {
		l.proc.kill()
	}
	for _, c := range l.close {
		c()
	}
	if len(l.faults) == 0 || !logged() {
		_ = os.RemoveAll(l.home)
	}
	l.api.http.CloseIdleConnections()
}

func logged() bool { return os.Getenv("CAUSEWAY_CAMPAIGN_LOG") != "" }

func (l *life) fault(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = append(l.faults, fmt.Sprintf(format, args...))
}

func (l *life) say(format string, args ...any) {
	if logged() {
		fmt.Fprintf(l.log, "seed %d (%s), %s: %s\n", l.seed, l.terms().id, l.world.tip(), fmt.Sprintf(format, args...))
	}
}

// childConfig is what a process of this life is told.
func (l *life) childConfig(t trap) childConfig {
	cfg := childConfig{
		Chain: l.terms().id, Genesis: l.document, Home: l.home, Nodes: l.urls, Off: l.off, Trap: t, Depth: l.depth, Extra: l.extra,
		Large: l.hurry, Free: l.free, Limits: l.limits, Log: logged(),
	}
	if l.own {
		cfg.Depth = 0
	}
	return cfg
}

// boot starts the process on the home, with a trap. One that springs while it
// starts is followed by a start without.
func (l *life) boot(t trap) error {
	for range 3 {
		l.trap = t
		p, err := startProcess(l.childConfig(t))
		l.proc = p
		if err == nil {
			l.mu.Lock()
			l.api.url = p.url
			l.mu.Unlock()
			l.counts["starts"]++
			if !l.free {
				return nil
			}
			if err = l.api.post("/campaign/run", nil, nil); err == nil {
				return nil
			}
			if l.proc.waitEnd(10 * time.Second) { // before it was asked
				err = errEnded
			}
		}
		if !errors.Is(err, errEnded) {
			return err
		}
		if !l.expected() {
			return errGiveUp
		}
		t = trap{}
	}
	l.fault("the process does not start")
	return errGiveUp
}

// expected says whether the end of the process was meant; if not it is a fault.
func (l *life) expected() bool {
	p := l.proc
	<-p.ended
	code := p.exit()
	switch {
	case p.died != "":
		l.counts["died at "+p.died]++
		l.say("died at %s", p.died)
		if code == exitDied || code == exitFailed && p.died == "C23" || code == -1 {
			return true
		}
	case code == -1:
		l.counts["killed"]++
		return true
	}
	l.fault("the process ended with %d: %s", code, lastLine(p.stderr.String()))
	return false
}

func lastLine(text string) string {
	lines := strings.Split(text, "\n")
	for _, line := range lines {
		if strings.HasPrefix(line, "panic:") || strings.HasPrefix(line, "campaign child:") {
			return line
		}
	}
	return lines[len(lines)-1]
}

// alive starts the process again when it has ended.
func (l *life) alive() error {
	if l.proc != nil && l.proc.alive() {
		return nil
	}
	if l.proc != nil && !l.expected() {
		return errGiveUp
	}
	t := trap{}
	if l.rng.IntN(3) == 0 {
		t = l.newTrap()
	}
	if err := l.boot(t); err != nil {
		return err
	}
	return l.resend()
}

// step gives a process that does not run by itself its turns.
func (l *life) step(n int) error {
	if err := l.alive(); err != nil {
		return err
	}
	if l.free {
		time.Sleep(time.Duration(n) * 3 * time.Millisecond)
		return nil
	}
	err := l.api.post(fmt.Sprintf("/campaign/step?n=%d", n), nil, nil)
	l.steps += n
	if err == nil {
		return nil
	}
	if !l.proc.waitEnd(10 * time.Second) {
		l.fault("a step failed and the process goes on: %v", err)
		return errGiveUp
	}
	return l.alive()
}

// ask makes a request of the process, again if it ended meanwhile.
func (l *life) ask(request func() error) error {
	for range 5 {
		if err := l.alive(); err != nil {
			return err
		}
		err := request()
		if err == nil || errors.Is(err, errRefused) {
			return err
		}
		if !l.proc.waitEnd(time.Second) {
			return err
		}
	}
	return errors.New("the process ends again and again")
}
