package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/chains"
	"causeway/chains/utxo/rpcnode"
	"causeway/internal/nodetest"
	"causeway/pegs"
)

// proxy stands before a node and answers as it is told to.
type proxy struct {
	*nodetest.Node
	url string

	mu   sync.Mutex
	mode string // empty: as the node; down, null, float or error
}

func newProxy(t *testing.T) *proxy {
	p := &proxy{Node: nodetest.Btcd(t)}
	behind, err := url.Parse(p.Node.URL)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serve(w, r, behind) }))
	t.Cleanup(server.Close)
	p.url = strings.Replace(server.URL, "http://", "http://"+behind.User.String()+"@", 1)
	return p
}

func (p *proxy) set(mode string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode = mode
}

func (p *proxy) serve(w http.ResponseWriter, r *http.Request, behind *url.URL) {
	p.mu.Lock()
	mode := p.mode
	p.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	var request struct {
		ID json.RawMessage `json:"id"`
	}
	_ = json.Unmarshal(body, &request)
	switch mode {
	case "down":
		w.WriteHeader(http.StatusServiceUnavailable)
	case "null":
		fmt.Fprintf(w, `{"result":null,"error":null,"id":%s}`, request.ID)
	case "float":
		fmt.Fprintf(w, `{"result":1.01e2,"error":null,"id":%s}`, request.ID)
	case "error":
		fmt.Fprintf(w, `{"result":null,"error":{"code":-1,"message":"Block number out of memory"},"id":%s}`, request.ID)
	default:
		forward, err := http.NewRequestWithContext(r.Context(), http.MethodPost, "http://"+behind.Host, bytes.NewReader(body))
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		forward.Header = r.Header.Clone()
		answer, err := http.DefaultClient.Do(forward)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer answer.Body.Close()
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body)
	}
}

// relay hands the blocks of a node from a height on to others.
func relay(from *proxy, height uint64, to ...*proxy) {
	for top := from.Height(); height <= top; height++ {
		var hash, raw string
		from.Call(&hash, "getblockhash", height)
		from.Call(&raw, "getblock", hash, 0)
		for _, p := range to {
			p.Call(nil, "submitblock", raw)
		}
	}
}

// threeNodes is a running world on three btcd that know nothing of each other.
func threeNodes(t *testing.T) (w *world, a, b, c *proxy) {
	a, b, c = newProxy(t), newProxy(t), newProxy(t)
	a.Generate(103)
	relay(a, 1, b, c)
	w = newWorld(t)
	w.tune = func(cfg *Config) {
		var sources []chains.Source
		for _, p := range []*proxy{a, b, c} {
			source, err := rpcnode.New(p.url, w.coin(), rpcnode.Options{Logger: w.log, Timeout: 5 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			sources = append(sources, source)
		}
		quorum, err := chains.NewQuorum(sources, 2)
		if err != nil {
			t.Fatal(err)
		}
		scanner, err := NewScanNode(a.Node.URL)
		if err != nil {
			t.Fatal(err)
		}
		chain := &cfg.Chains[0]
		chain.Source, chain.Quorum, chain.Scanner = quorum, 2, scanner
		chain.Poll, chain.Patience = 100*time.Millisecond, time.Second
	}
	w.start()
	w.patient("the first blocks", func() bool { return w.status().Height == 103 })
	return w, a, b, c
}

// patient is wait with the time that three processes need.
func (w *world) patient(what string, ask func() bool) {
	w.t.Helper()
	end := time.Now().Add(time.Minute)
	for !ask() {
		if time.Now().After(end) {
			w.t.Fatalf("waited in vain for: %s\n%s", what, w.describe())
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (w *world) haltedBy(text string) func() bool {
	return func() bool {
		s := w.status()
		return s.Deposits == StateHalted && s.Minting == StateHalted && s.Payouts == StateHalted && strings.Contains(s.Reason, text)
	}
}

func (w *world) unhalted() bool {
	s := w.status()
	return s.Reason == "" && s.Deposits == StateOpen && s.Minting == StateOpen && s.Payouts == StateOpen
}

// disconnected counts the blocks that the ledger ever took back.
func (w *world) disconnected() (n int) {
	var height uint64
	_ = w.node.gateway.ledger.View(func(s *pegs.State) {
		for _, d := range s.Deposits("") {
			for _, step := range d.History {
				if step.State == string(pegs.DepositGone) {
					n++
				}
			}
		}
		c, _ := s.Chain(chains.BTC)
		height = c.Next()
	})
	if height < 104 {
		w.t.Errorf("the ledger went back to height %d", height)
	}
	return n
}

// Scenarios 35 to 40 with real nodes: what one of three says counts for nothing,
// without two that agree the chain stands, and nothing is inferred meanwhile.
func TestThreeNodes(t *testing.T) {
	w, a, b, c := threeNodes(t)
	address := w.depositAddress("alice")
	one := chains.NewAmount(100_000_000)

	// C invents a deposit, in a chain of valid work that is longer than the others'.
	c.Pay(address, one)
	c.Generate(3)
	a.Generate(1)
	relay(a, 104, b)
	w.patient("the block of A and B", func() bool { return w.status().Height == 104 })
	w.patient("the alert about C", func() bool {
		s := w.status()
		return len(s.Alerts) == 1 && strings.HasPrefix(s.Alerts[0], "dissent: ") && !s.Nodes[2].OK && s.Nodes[0].OK && s.Nodes[1].OK
	})
	if all := w.deposits("alice"); len(all["confirming"])+len(all["minting"])+len(all["credited"]) > 0 || !w.unhalted() {
		t.Errorf("C alone was believed: %v, %+v", all, w.status())
	}

	// The honest ones are attacked, one is left, and the liar: failover is no way out.
	a.set("down")
	w.patient("the halt without A", w.haltedBy("no quorum"))
	b.set("down")
	time.Sleep(2 * time.Second)
	if all := w.deposits("alice"); w.unhalted() || len(all["confirming"])+len(all["minting"])+len(all["credited"]) > 0 {
		t.Errorf("the last node that answers was believed: %v", all)
	}
	a.set("")
	b.set("")
	w.patient("the end of the halt", w.unhalted)

	// Whatever two of three answer instead of the truth, nothing follows from it.
	for _, mode := range []string{"null", "float", "error"} {
		b.set(mode)
		c.set(mode)
		w.patient("the halt for "+mode, w.haltedBy("no quorum"))
		b.set("")
		c.set("")
		w.patient("the end of the halt for "+mode, w.unhalted)
	}
	if n := w.disconnected(); n != 0 {
		t.Errorf("%d deposits left the chain", n)
	}

	// C comes round, and one of three may be down without anybody noticing.
	a.Generate(4)
	relay(a, 104, c)
	relay(a, 105, b)
	w.patient("agreement", func() bool { return w.status().Height == 108 && len(w.status().Alerts) == 0 })
	b.set("down")
	a.Pay(address, one)
	a.Generate(2)
	relay(a, 109, c)
	w.patient("the deposit with A and C", func() bool { return len(w.deposits("alice")["credited"]) == 1 })
	b.set("")
	relay(a, 109, b)
	w.patient("everybody back", func() bool { return w.unhalted() && w.status().Nodes[1].OK })
	w.balanced()
}

// A partition: each half has blocks that the other has not. Nobody is believed
// until two agree again, and a deposit that was in the one that lost and is in
// the one that won counts once.
func TestPartition(t *testing.T) {
	w, a, b, c := threeNodes(t)
	address := w.depositAddress("bob")
	c.set("down")
	tx := a.Pay(address, chains.NewAmount(70_000_000))
	var raw string
	a.Call(&raw, "getrawtransaction", tx, 0)
	a.Generate(1)
	b.Generate(1)
	w.patient("the halt of a chain with two tips", w.haltedBy("no quorum"))
	if all := w.deposits("bob"); len(all["confirming"])+len(all["credited"]) > 0 {
		t.Errorf("one half was believed: %v", all)
	}
	b.Call(nil, "sendrawtransaction", raw)
	b.Generate(3)
	relay(b, 104, a, c)
	w.patient("the deposit in the half that won", func() bool { return w.unhalted() && len(w.deposits("bob")["credited"]) == 1 })
	c.set("")
	w.patient("agreement", func() bool { return w.status().Nodes[2].OK && w.status().Height == 107 })
	if all := w.deposits("bob"); len(all["credited"]) != 1 || len(all) != 1 {
		t.Errorf("in the end: %v", all)
	}
	w.balanced()
}
