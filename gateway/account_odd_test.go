package gateway

import (
	"errors"
	"io"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/chains"
	"causeway/chains/ethereum"
	"causeway/chains/ethereum/erc20test"
	"causeway/pegs"
)

// admin switches the token's behaviour.
func (d *ethDriver) admin(data []byte) {
	d.t.Helper()
	d.send(0, d.usdc, chains.Amount{}, data)
}

// pays sends units of the token from its rich owner.
func (d *ethDriver) pays(to ethereum.Address, units int64) string {
	d.t.Helper()
	return d.send(0, d.usdc, chains.Amount{}, erc20test.Transfer(to, big.NewInt(units)))
}

// TestOddTokens: whatever a token says, no more is credited than came in, by its
// balances, and what came in without its word is nobody's.
func TestOddTokens(t *testing.T) {
	d := ethBooted(t)
	d.payIn("alice", "1")
	to := d.address("bob")
	for _, c := range []struct {
		name   string
		set    []byte
		say    int64
		credit string // that bob holds afterwards
		state  string // of the deposit; empty: there is none
	}{
		{"returns nothing", erc20test.SetMode(erc20test.ReturnsNothing), 100_000_000, "100.000000", "credited"},
		{"moves nothing and says so", erc20test.SetMode(erc20test.ReturnsFalse), 100_000_000, "100.000000", ""},
		{"says it moved", erc20test.SetMode(erc20test.OnlyEvent), 100_000_000, "100.000000", "held"},
		{"says nothing", erc20test.SetMode(erc20test.NoEvent), 30_000_000, "100.000000", ""},
		{"is honest", erc20test.SetMode(erc20test.Standard), 10_000_000, "110.000000", "credited"},
		{"keeps a tenth", erc20test.SetFee(1000, false), 100_000_000, "200.000000", "credited"},
		{"keeps a tenth and does not say so", erc20test.SetFee(1000, true), 100_000_000, "300.000000", "credited"},
	} {
		d.admin(c.set)
		d.finalEth()
		txid := d.pays(to, c.say)
		d.finalEth()
		d.finalEth()
		var found *Deposit
		for state, list := range d.deposits("bob") {
			for _, one := range list {
				if one.TxID == txid {
					one.State = state
					found = &one
				}
			}
		}
		switch {
		case c.state == "" && found != nil, c.state != "" && (found == nil || found.State != c.state):
			t.Errorf("%s: %+v", c.name, found)
		case d.peg("bob", "SWAP.USDC") != c.credit:
			// Receipts without a word of the token cover what later logs say too much.
			t.Errorf("%s: bob holds %s, not %s", c.name, d.peg("bob", "SWAP.USDC"), c.credit)
		}
		d.balanced()
	}
	d.node.close()
}

// TestTokenThatPaysNothing: a payout of a token that succeeds and moves nothing is
// dead, and given back; one that would revert (paused, blacklisted) is not signed.
func TestTokenThatPaysNothing(t *testing.T) {
	d := ethBooted(t)
	d.payIn("alice", "1")
	d.pays(d.address("bob"), 500_000_000)
	d.finalEth()
	d.credited("bob", "SWAP.USDC", "500.000000")
	d.act("alice", "tokens", "transfer", `{"to":"bob","symbol":"SWAP.ETH","quantity":"0.5"}`)
	payee := d.rich[receiver]
	d.state(d.withdraw("bob", "SWAP.USDC", "50", payee), "settled")
	for _, c := range []struct {
		name    string
		on, off []byte
		signed  int
	}{
		{"paused", erc20test.SetPaused(true), erc20test.SetPaused(false), 0},
		{"blacklisted", erc20test.SetBlacklisted(payee, true), erc20test.SetBlacklisted(payee, false), 0},
		{"only an event", erc20test.SetMode(erc20test.OnlyEvent), erc20test.SetMode(erc20test.Standard), 1},
		{"false", erc20test.SetMode(erc20test.ReturnsFalse), erc20test.SetMode(erc20test.Standard), 1},
	} {
		d.admin(c.on)
		d.finalEth()
		w := d.state(d.withdraw("bob", "SWAP.USDC", "10", payee), "returned")
		if len(w.Variants) != c.signed || w.Reason == "" {
			t.Errorf("%s: %+v", c.name, w)
		}
		d.admin(c.off)
		d.finalEth()
	}
	if d.units(payee) != "50.000000" || d.peg("bob", "SWAP.USDC") != "450.000000" {
		t.Errorf("the payee holds %s, bob %s", d.units(payee), d.peg("bob", "SWAP.USDC"))
	}
	d.until("the charges", func() bool { d.mineEth(1); return d.fees() == "0.00000000" })
	d.node.close()
}

// TestWrongToken: a token whose decimals are not those configured, or at whose address
// there is nothing, is left alone, loudly; the coin goes on.
func TestWrongToken(t *testing.T) {
	d := newEthDriver(t)
	d.chain = func(c *AccountChain) { c.Tokens[0].Decimals = 18 }
	d.boot()
	d.pays(d.address("bob"), 100_000_000)
	d.payIn("alice", "1")
	status := d.node.gateway.ChainStatus()[0]
	if len(status.Alerts) != 1 || !strings.Contains(status.Alerts[0], "decimals") || len(d.deposits("bob")["credited"]) != 0 {
		t.Errorf("%+v, %+v", status, d.deposits("bob"))
	}
	d.node.close()
}

// TestStuckEthPayout: a payout that no block takes is made dearer at the same nonce,
// and whichever variant is mined pays once.
func TestStuckEthPayout(t *testing.T) {
	d := ethBooted(t)
	d.payIn("alice", "5")
	payee := d.rich[receiver]
	d.state(d.withdraw("alice", "SWAP.ETH", "0.1", payee), "settled")
	before := d.holds(payee)
	id := d.withdraw("alice", "SWAP.ETH", "0.2", payee)
	variants := func() []string { return d.withdrawal(id).Variants }
	d.until("the broadcast", func() bool { return d.withdrawal(id).State == "broadcast" })
	d.until("a dearer variant", func() bool {
		for _, txid := range variants() { // the miners leave it out
			var dropped any
			d.ask(&dropped, "anvil_dropTransaction", txid)
		}
		if len(variants()) > 1 {
			return true
		}
		d.mineEth(1)
		return false
	})
	w := d.state(id, "settled")
	got, err := d.holds(payee).Sub(before)
	if err != nil || got != ether("0.19995") || len(w.Variants) < 2 {
		t.Errorf("the payee received %s, %v: %+v", got.Coin(18), err, w)
	}
	d.balanced()
	d.node.close()
}

// TestEthReorg: what leaves the chain above finality was never more than seen; what
// leaves it below halts the chain.
func TestEthReorg(t *testing.T) {
	d := ethBooted(t)
	d.send(outsider, d.address("alice"), ether("1"), nil)
	d.mineEth(1)
	d.until("the deposit in a block", func() bool { return len(d.deposits("alice")["confirming"]) == 1 })
	if err := d.eth.Reorg(1, true); err != nil {
		t.Fatal(err)
	}
	d.until("the deposit gone", func() bool { return len(d.deposits("alice")) == 0 })
	d.payIn("alice", "2")
	d.balanced()
	if err := d.eth.Reorg(6, true); err != nil {
		t.Fatal(err)
	}
	d.mineEth(2)
	f := d.node.gateway.chains[0]
	if err := f.step(t.Context()); !errors.Is(err, chains.ErrReorgTooDeep) {
		t.Errorf("after a reorganisation of final blocks: %v", err)
	}
	if s := d.node.gateway.ChainStatus()[0]; s.Minting != StateHalted || s.Payouts != StateHalted || !strings.Contains(s.Reason, "reorganisation") {
		t.Errorf("%+v", s)
	}
	d.node.close()
}

// TestStolenWei: one wei that leaves an account of ours by a transaction of nobody we
// know is found at once, and halts the chain.
func TestStolenWei(t *testing.T) {
	d := ethBooted(t)
	d.payIn("alice", "1")
	d.state(d.withdraw("alice", "SWAP.ETH", "0.1", d.rich[receiver]), "settled")
	var hot chains.Amount
	own := d.parse(d.ownAddress(chains.WatchChange))
	hot = d.holds(own)
	less := hot.Big()
	less.Sub(less, big.NewInt(1))
	var done any
	d.ask(&done, "anvil_setBalance", own, "0x"+less.Text(16))
	d.finalEth()
	d.finalEth()
	audit, err := d.node.gateway.Audit(t.Context())
	if err != nil || audit.OK {
		t.Errorf("%+v, %v", audit, err)
	}
	stolen := false
	if err := d.node.gateway.ledger.View(func(s *pegs.State) { stolen = len(s.Alarms(chains.ETH)) == 1 && !s.PaysOut(chains.ETH) }); err != nil || !stolen {
		t.Errorf("no alarm: %v", err)
	}
	d.node.close()
}

// faultyWire fails each request that fails says, and counts the methods.
type faultyWire struct {
	mu    sync.Mutex
	fails func(body string) bool
	seen  map[string]int
}

// RoundTrip implements http.RoundTripper.
func (w *faultyWire) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	w.mu.Lock()
	for _, part := range strings.Split(string(body), `"method":"`)[1:] {
		w.seen[part[:strings.Index(part, `"`)]]++
	}
	fails := w.fails != nil && w.fails(string(body))
	w.mu.Unlock()
	if fails {
		return nil, errors.New("the wire is cut")
	}
	return http.DefaultTransport.RoundTrip(r)
}

// TestEthFaults: every method that is asked of the nodes again and again fails for some time in the middle of the
// main job; nothing is lost or done twice.
func TestEthFaults(t *testing.T) {
	d := newEthDriver(t)
	wire := &faultyWire{seen: map[string]int{}}
	d.wire = wire
	d.boot()
	d.round("", 0)
	wire.mu.Lock()
	var methods []string
	for method := range wire.seen {
		methods = append(methods, method)
	}
	wire.mu.Unlock()
	if len(methods) < 10 {
		t.Errorf("only %v were asked", methods)
	}
	for _, method := range methods {
		left := 7
		wire.mu.Lock()
		wire.fails = func(body string) bool {
			if left > 0 && strings.Contains(body, `"`+method+`"`) {
				left--
				return true
			}
			return false
		}
		wire.mu.Unlock()
		d.round("", 0)
		if left > 0 {
			t.Logf("%s failed %d times only", method, 7-left)
		}
	}
	d.node.close()
}

// TestDustIsNotSwept: what costs more than its share to bring is left where it lies,
// though somebody waits for ether, and never more than what is needed is brought.
func TestDustIsNotSwept(t *testing.T) {
	d := ethBooted(t)
	for _, account := range []string{"alice", "bob", "carol"} {
		d.payIn(account, "0.0003")
	}
	for range 6 {
		d.finalEth()
	}
	if n := d.batches(); n != 0 {
		t.Errorf("%d transactions for dust that nobody waits for", n)
	}
	id := d.withdraw("alice", "SWAP.ETH", "0.0002", d.rich[receiver])
	for range 10 {
		d.finalEth()
	}
	if w := d.withdrawal(id); w.State != "queued" || !strings.Contains(w.Detail, "not enough in the hot account") || d.batches() != 0 {
		t.Errorf("%d transactions, %+v", d.batches(), w)
	}
	d.send(outsider, d.parse(d.ownAddress(chains.WatchChange)), ether("0.01"), nil) // a refill
	d.state(id, "settled")
	d.balanced()
	d.node.close()
}

// batches is how many there ever were.
func (d *ethDriver) batches() (n int) {
	d.t.Helper()
	if err := d.node.gateway.ledger.View(func(s *pegs.State) { n = len(s.OpenBatches(chains.ETH)) }); err != nil {
		d.t.Fatal(err)
	}
	return n
}

// TestFinalityThatLags: final blocks that stay behind are an alert, then a halt of
// minting, and both end when they come.
func TestFinalityThatLags(t *testing.T) {
	d := newEthDriver(t)
	d.chain = func(c *AccountChain) { c.MaxFinalityLag = 30 * time.Minute }
	d.boot()
	f := d.node.gateway.chains[0].(*accountFollower)
	head := chains.Header{BlockRef: chains.BlockRef{Height: 100}, Time: 1_000_000}
	for _, c := range []struct {
		minutes int64
		alert   bool
		halted  string
	}{{13, false, StateOpen}, {31, true, StateOpen}, {46, true, StateHalted}, {20, false, StateOpen}} {
		final := chains.Header{BlockRef: chains.BlockRef{Height: 10}, Time: head.Time - c.minutes*60}
		if err := f.watchNodes(t.Context(), nil, head, final, nil); err != nil {
			t.Fatal(err)
		}
		s := d.node.gateway.ChainStatus()[0]
		if (len(s.Alerts) == 1) != c.alert || s.Minting != c.halted || s.Payouts != StateOpen {
			t.Errorf("%d minutes: %+v", c.minutes, s)
		}
	}
	d.node.close()
}
