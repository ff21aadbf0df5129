package gateway

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"causeway/chains"
	"causeway/chains/ethereum"
	"causeway/chains/ethereum/erc20test"
	"causeway/pegs"
)

// TestOnePayeeHoldsNobodyBack: a payee whose code fails in a way that nodes have words
// of their own for is not paid, and those who wait behind him are.
func TestOnePayeeHoldsNobodyBack(t *testing.T) {
	d := ethBooted(t)
	d.payIn("alice", "5")
	plain := ethereum.Address(d.eth.Accounts()[receiver].Address)
	d.state(d.withdraw("alice", "SWAP.ETH", "0.1", plain), "settled")
	jumper := d.create([]byte{0x62, 0x60, 0x00, 0x56, 0x60, 0x00, 0x52, 0x60, 0x03, 0x60, 0x1d, 0xf3}, chains.Amount{}) // PUSH1 0 JUMP
	d.finalEth()
	bad := d.withdraw("alice", "SWAP.ETH", "0.2", jumper)
	good := d.withdraw("alice", "SWAP.ETH", "0.3", plain)
	d.state(good, "settled")
	if w := d.state(bad, "returned"); len(w.Variants) != 0 || w.Reason == "" {
		t.Errorf("%+v", w)
	}
	d.node.close()
}

// TestFrozenHeapHoldsNoSweepBack: a deposit address that the token has blacklisted
// cannot be swept; the others are.
func TestFrozenHeapHoldsNoSweepBack(t *testing.T) {
	d := ethBooted(t)
	d.payIn("alice", "1")
	d.pays(d.address("bob"), 500_000_000)
	d.pays(d.address("carol"), 100_000_000)
	d.finalEth()
	d.credited("bob", "SWAP.USDC", "500.000000")
	d.credited("carol", "SWAP.USDC", "100.000000")
	d.admin(erc20test.SetBlacklisted(d.address("bob"), true))
	d.finalEth()
	d.act("alice", "tokens", "transfer", `{"to":"carol","symbol":"SWAP.ETH","quantity":"0.5"}`)
	d.state(d.withdraw("carol", "SWAP.USDC", "80", ethereum.Address(d.eth.Accounts()[receiver].Address)), "settled")
	d.balanced()
	d.node.close()
}

// TestTokenThatComesInUnsaid: a payout in the same block as more of the token that came
// in without its word is not taken for one that moved nothing: it would be given back
// though it was paid.
func TestTokenThatComesInUnsaid(t *testing.T) {
	d := ethBooted(t)
	d.payIn("alice", "1")
	d.pays(d.address("bob"), 500_000_000)
	d.finalEth()
	d.credited("bob", "SWAP.USDC", "500.000000")
	d.act("alice", "tokens", "transfer", `{"to":"bob","symbol":"SWAP.ETH","quantity":"0.5"}`)
	payee := ethereum.Address(d.eth.Accounts()[receiver].Address)
	d.state(d.withdraw("bob", "SWAP.USDC", "50", payee), "settled")
	d.admin(erc20test.SetMode(erc20test.NoEvent))
	d.finalEth()
	id := d.withdraw("bob", "SWAP.USDC", "10", payee)
	d.until("the broadcast", func() bool { return d.withdrawal(id).State == "broadcast" })
	d.pays(d.parse(d.ownAddress(chains.WatchChange)), 30_000_000)
	d.state(id, "settled")
	if d.units(payee) != "60.000000" || d.peg("bob", "SWAP.USDC") != "440.000000" {
		t.Errorf("the payee holds %s, bob %s", d.units(payee), d.peg("bob", "SWAP.USDC"))
	}
	d.node.close()
}

// liar is a node that says of every transaction that another account sent it.
type liar struct{ from, says string }

// RoundTrip implements http.RoundTripper.
func (l *liar) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || l.says == "" {
		return answer, err
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	body = bytes.ReplaceAll(body, fmt.Appendf(nil, `"from":%q`, l.from), fmt.Appendf(nil, `"from":%q`, l.says))
	answer.Body, answer.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	answer.Header.Del("Content-Length")
	return answer, nil
}

// TestNodeThatLiesAboutSenders: whom a transaction is from its signature says. One node
// that says otherwise of it neither stops the chain nor has it believe that.
func TestNodeThatLiesAboutSenders(t *testing.T) {
	d := newEthDriver(t)
	lies := &liar{}
	d.wire = lies
	d.boot()
	d.payIn("alice", "2")
	hot := strings.ToLower(d.ownAddress(chains.WatchChange))
	lies.from, lies.says = strings.ToLower(common.Address(d.eth.Accounts()[outsider].Address).Hex()), hot
	d.payIn("alice", "1")
	payee := ethereum.Address(d.eth.Accounts()[receiver].Address)
	lies.from, lies.says = hot, lies.from
	d.state(d.withdraw("alice", "SWAP.ETH", "0.5", payee), "settled")
	lies.says = ""
	d.balanced()
	d.node.close()
}

// deaf is a wire on which balances of tokens are asked for in vain.
type deaf struct{ on bool }

// RoundTrip implements http.RoundTripper.
func (w *deaf) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if w.on {
		body = bytes.ReplaceAll(body, []byte("0x70a08231"), []byte("0xdeadbeef")) // the contract reverts
	}
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	return http.DefaultTransport.RoundTrip(again)
}

// TestTokenThatDoesNotAnswer: a token that does not say what accounts hold is left
// alone; the coin goes on, also after a restart with an account that is new, and its
// books are still audited.
func TestTokenThatDoesNotAnswer(t *testing.T) {
	d := newEthDriver(t)
	wire := &deaf{}
	d.wire = wire
	tune := d.world.tune
	d.world.tune = func(cfg *Config) {
		tune(cfg)
		node, err := url.Parse(d.eth.URL())
		if err != nil {
			t.Fatal(err)
		}
		proxy := httptest.NewServer(&httputil.ReverseProxy{Transport: wire, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(node) }})
		t.Cleanup(proxy.Close)
		if cfg.Chains[0].Scanner, err = NewAccountScanNode(proxy.URL); err != nil {
			t.Fatal(err)
		}
	}
	d.boot()
	d.payIn("alice", "2")
	d.pays(d.address("bob"), 100_000_000)
	d.finalEth()
	d.credited("bob", "SWAP.USDC", "100.000000")
	d.balanced()
	wire.on = true
	d.pays(d.address("bob"), 50_000_000)
	d.finalEth()
	d.driver.create("dora")
	d.pump()
	d.pump()
	d.node.close()
	d.boot()
	d.payIn("alice", "1")
	d.state(d.withdraw("alice", "SWAP.ETH", "0.5", ethereum.Address(d.eth.Accounts()[receiver].Address)), "settled")
	audit, err := d.node.gateway.Audit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range audit.Assets {
		if a.Symbol == "SWAP.ETH" && !a.OK {
			t.Errorf("%+v: %v", a, audit.Problems)
		}
	}
	wire.on = false
	d.finalEth()
	d.credited("bob", "SWAP.USDC", "150.000000")
	d.balanced()
	d.node.close()
}

// TestTouchedWhileRead: an account that a block touches while others read it in the
// block before stays to be read.
func TestTouchedWhileRead(t *testing.T) {
	var r readings
	a, b := ethereum.Address{1}, ethereum.Address{2}
	r.touch(a, "first")
	r.touch(b, "")
	list := r.take(chains.BlockRef{Height: 1, Hash: "1"}, false)
	r.touch(a, "second")
	r.done(list)
	if left := r.take(chains.BlockRef{Height: 2, Hash: "2"}, false); len(left) != 1 || left[a].cause != "" {
		t.Errorf("%+v", left)
	}
}

// TestUnjudgedPayee: a withdrawal of which the nodes do not say whether it can be paid
// waits by itself.
func TestUnjudgedPayee(t *testing.T) {
	d := newEthDriver(t)
	wire := &faultyWire{seen: map[string]int{}}
	d.wire = wire
	d.boot()
	d.payIn("alice", "5")
	plain := ethereum.Address(d.eth.Accounts()[receiver].Address)
	d.state(d.withdraw("alice", "SWAP.ETH", "0.1", plain), "settled")
	payee := d.create(erc20test.CreatePayee(), chains.Amount{})
	d.finalEth()
	wire.mu.Lock()
	wire.fails = func(body string) bool { return strings.Contains(body, "eth_estimateGas") }
	wire.mu.Unlock()
	odd := d.withdraw("alice", "SWAP.ETH", "0.2", payee)
	d.state(d.withdraw("alice", "SWAP.ETH", "0.3", plain), "settled")
	if w := d.withdrawal(odd); w.State != "queued" || !strings.Contains(w.Detail, "waits") {
		t.Errorf("%+v", w)
	}
	wire.mu.Lock()
	wire.fails = nil
	wire.mu.Unlock()
	d.state(odd, "settled")
	d.balanced()
	d.node.close()
}

// TestScannerLooksWhereItDiffers: of accounts that the ledger knows otherwise the
// scanner's next reading does not wait for their turn.
func TestScannerLooksWhereItDiffers(t *testing.T) {
	d := ethBooted(t)
	d.balanced()
	s := d.node.gateway.scanners[chains.ETH].(*accountScanner)
	who := strings.ToLower(d.address("carol").String())
	s.look([]pegs.Unread{{Address: who}, {Address: "0x" + strings.Repeat("9", 40)}})
	if len(s.state.Unread) != 1 || !s.state.Unread[who] {
		t.Errorf("%v", s.state.Unread)
	}
	d.balanced()
	if len(s.state.Unread) != 0 {
		t.Errorf("%v", s.state.Unread)
	}
	d.node.close()
}
