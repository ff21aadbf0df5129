package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"causeway/chains"
	"causeway/chains/devnet"
	"causeway/gateway"
	"causeway/hotwallet"
	"causeway/sidechain/graphene"
)

// yard is a home made for crashes: an embedded chain that lives in the test's
// process, a cable to it that can be cut for single methods, and a causeway
// process that is killed and started again.
type yard struct {
	*process // the newest

	t      *testing.T
	chain  *devnet.Chain
	node   *outputsNode // past the cable
	cable  *cable
	home   string
	env    []string
	key    graphene.PrivateKey // active, of every account
	mining string
	starts int
}

// newYard makes the home of a gateway with accounts alice and bob, and a chain
// of 110 blocks. Nothing runs yet.
func newYard(t *testing.T) *yard {
	t.Helper()
	chain, err := devnet.New(devnet.Config{Params: devnet.Bitcoin(), Dir: t.TempDir()})
	must(t, err)
	t.Cleanup(func() { chain.Close() })
	y := &yard{
		t: t, chain: chain, home: filepath.Join(t.TempDir(), "home"),
		node: &outputsNode{rpcNode: rpcNode{address: chain.URL(), http: &http.Client{Timeout: 30 * time.Second}}},
	}
	y.cable = newCable(t, chain.URL())
	if y.key, err = graphene.LoginKey("alice", "active", testPassword); err != nil {
		t.Fatal(err)
	}
	public := y.key.Public().String()
	// As init does, but with keys that open at once.
	o := initOptions{
		home: y.home, network: "regtest", admin: "causeway", attestor: "gateway", workFactor: 1,
		passphrase: hotwallet.NewSecret(testPassphrase), timestamp: time.Now().UTC(), cfg: defaultConfig("regtest"),
	}
	o.extra, err = parseAccounts([]string{"alice=" + public, "bob=" + public}, o.network)
	must(t, err)
	_, err = o.make()
	must(t, err)
	y.env = []string{
		"CAUSEWAY_HTTP_LISTEN=127.0.0.1:0", "CAUSEWAY_HTTP_ADMIN=127.0.0.1:0", "CAUSEWAY_BASE_BLOCK_INTERVAL=1s",
		"CAUSEWAY_CHAINS_BTC_NODES=" + y.cable.url, "CAUSEWAY_CHAINS_BTC_POLL=100ms",
		fmt.Sprintf("CAUSEWAY_CHAINS_BTC_CONFIRMATIONS=%d", creditDepth),
	}
	y.mining = y.newAddress()
	return y
}

// start runs the home and waits until it answers.
func (y *yard) start() {
	y.t.Helper()
	y.starts++
	y.process = serve(y.t, y.home, y.env, "run", "--home", y.home)
}

// restart kills the process and starts it again.
func (y *yard) restart() {
	y.t.Helper()
	y.kill()
	y.start()
}

// flash starts the home and kills it after a while, ready or not. It fails when
// the process ended by itself.
func (y *yard) flash(life time.Duration) {
	y.t.Helper()
	y.starts++
	y.process = begin(y.t, y.env, "run", "--home", y.home)
	select {
	case <-y.done:
		y.t.Fatalf("causeway run ended with %d:\n%s", y.cmd.ProcessState.ExitCode(), y.stderr)
	case <-time.After(life):
	}
	y.kill()
}

// launch starts the home and returns when it is ready or has ended.
func (y *yard) launch() {
	y.t.Helper()
	y.starts++
	y.process = begin(y.t, y.env, "run", "--home", y.home)
	for !y.ready(y.home) && !y.ended() {
		time.Sleep(20 * time.Millisecond)
	}
}

// refused runs the home, which must end by itself, and returns how.
func (y *yard) refused() (code int, stderr string) {
	y.t.Helper()
	y.launch()
	if !y.ended() {
		y.t.Fatalf("causeway run was not refused:\n%s", y.stderr)
	}
	return y.cmd.ProcessState.ExitCode(), y.stderr.String()
}

// call asks the chain itself.
func (y *yard) call(out any, method string, params ...any) {
	y.t.Helper()
	must(y.t, y.node.rpc(y.t.Context(), method, out, params...))
}

func (y *yard) newAddress() (address string) {
	y.t.Helper()
	y.call(&address, "getnewaddress")
	return address
}

func (y *yard) mine(n int) {
	y.t.Helper()
	y.call(nil, "generatetoaddress", n, y.mining)
}

func (y *yard) height() (n uint64) {
	y.t.Helper()
	y.call(&n, "getblockcount")
	return n
}

// pay pays coins in for an account.
func (y *yard) pay(to, amount string) (txid string) {
	y.t.Helper()
	y.call(&txid, "sendtoaddress", to, json.Number(amount))
	return txid
}

// reorganise throws the newest blocks away and makes one more of others.
func (y *yard) reorganise(depth uint64) {
	y.t.Helper()
	var hash string
	y.call(&hash, "getblockhash", y.height()-depth+1)
	y.call(nil, "invalidateblock", hash)
	y.mine(int(depth) + 1)
}

// treasury gives bob coins that are deep enough to be paid out at once.
func (y *yard) treasury(amounts ...string) {
	y.t.Helper()
	to := y.depositAddress("bob")
	for _, amount := range amounts {
		y.pay(to, amount)
	}
	y.mine(inputDepth + 1)
	y.await("bob's deposits", func() bool {
		list := y.deposits("bob")
		for _, d := range list {
			if d.State != "credited" {
				return false
			}
		}
		return len(list) == len(amounts)
	})
}

func (y *yard) await(what string, ask func() bool) {
	y.t.Helper()
	if err := poll(y.t.Context(), stepWait, func() (bool, error) { return ask(), nil }); err != nil {
		y.t.Fatalf("waiting for %s: %v\n%s", what, err, y.describe())
	}
}

// mineUntil makes a block whenever what is awaited has not come with the last.
func (y *yard) mineUntil(what string, ask func() bool) {
	y.t.Helper()
	next := time.Now()
	y.await(what, func() bool {
		if ask() {
			return true
		}
		if time.Now().After(next) {
			y.mine(1)
			next = time.Now().Add(400 * time.Millisecond)
		}
		return false
	})
}

// describe shows what the process knows, for a failure.
func (y *yard) describe() string {
	return show(y.withdrawals()) + "\n" + show(y.deposits("alice")) + "\n" + show(y.status())
}

// withdrawals lists all.
func (y *yard) withdrawals() []gateway.Withdrawal {
	y.t.Helper()
	var page gateway.Page[gateway.Withdrawal]
	must(y.t, y.get(y.t.Context(), "/v1/withdrawals?limit=500", &page))
	return page.Items
}

// withdrawal finds one; its state is empty when there is none.
func (y *yard) withdrawal(id string) (w gateway.Withdrawal) {
	_ = y.get(y.t.Context(), "/v1/withdrawals/"+id, &w)
	return w
}

// withdraw burns pegs of an account and does not wait for more than the block.
func (y *yard) withdraw(ctx context.Context, account, quantity, to string) (id string, err error) {
	body := fmt.Sprintf(`{"contractName":"pegs","contractAction":"withdraw","contractPayload":{"symbol":"SWAP.BTC","quantity":%q,"address":%q}}`, quantity, to)
	return y.broadcast(ctx, y.key, &graphene.CustomJSON{
		RequiredAuths: []string{account}, RequiredPostingAuths: []string{}, ID: "ssc-" + y.client.chainID, JSON: body,
	})
}

// paidTo lists what each address of the best chain got, read from the node's
// own JSON, and the transactions that paid it.
func (y *yard) paidTo() map[string][]payment {
	y.t.Helper()
	found := map[string][]payment{}
	for height := uint64(1); height <= y.height(); height++ {
		var hash string
		y.call(&hash, "getblockhash", height)
		var block struct {
			Tx []struct {
				TxID string `json:"txid"`
				Vout []struct {
					Value        json.Number `json:"value"`
					N            uint32      `json:"n"`
					ScriptPubKey struct {
						Address string `json:"address"`
					} `json:"scriptPubKey"`
				} `json:"vout"`
			} `json:"tx"`
		}
		y.call(&block, "getblock", hash, 2)
		for _, tx := range block.Tx {
			for _, out := range tx.Vout {
				to := out.ScriptPubKey.Address
				found[to] = append(found[to], payment{tx.TxID, out.N, coins(y.t, out.Value.String()), height})
			}
		}
	}
	return found
}

type payment struct {
	txid   string
	index  uint32
	amount chains.Amount
	height uint64
}

// settled waits until every deposit and withdrawal has come to its end, with
// blocks as they are needed, and then holds all that was promised against the
// chain: each payment in was credited once and in full, each burn was paid once
// to its payee, nobody else was paid, the accounts hold the difference and the
// books balance.
func (y *yard) settled(accounts ...string) (credits, payouts int) {
	y.t.Helper()
	var last int
	var since time.Time
	y.mineUntil("everything to be settled", func() bool {
		list := y.withdrawals()
		if len(list) != last || since.IsZero() {
			last, since = len(list), time.Now()
		}
		if time.Since(since) < 1500*time.Millisecond {
			return false // a base block that was begun may bring others
		}
		if y.status().Height != y.height() {
			return false
		}
		for _, w := range list {
			if w.State != "settled" {
				return false
			}
		}
		for _, account := range accounts {
			for _, d := range y.deposits(account) {
				if d.State != "credited" && d.State != "gone" {
					return false
				}
			}
		}
		return true
	})
	y.mine(1)
	y.await("the tip", func() bool { return y.status().Height == y.height() })
	paid := y.paidTo()
	held := map[string]chains.Amount{}
	for _, account := range accounts {
		credits += y.checkCredits(account, paid[y.depositAddress(account)], held)
	}
	payouts = y.checkPayouts(paid, held)
	for _, account := range accounts {
		got, err := y.balance(y.t.Context(), account, "SWAP.BTC")
		must(y.t, err)
		if coins(y.t, got) != held[account] {
			y.t.Errorf("%s holds %s, deposits less withdrawals are %s", account, got, held[account].Coin(8))
		}
	}
	r := y.awaitAudit(true)
	checkEquality(y.t, r.Assets[0])
	return credits, payouts
}

// checkCredits holds an account's deposits against the outputs that paid it.
func (y *yard) checkCredits(account string, paid []payment, held map[string]chains.Amount) (n int) {
	y.t.Helper()
	want := map[string]chains.Amount{}
	for _, p := range paid {
		want[fmt.Sprintf("btc:%s:%d", p.txid, p.index)] = p.amount
	}
	for _, d := range y.deposits(account) {
		if d.State != "credited" {
			continue
		}
		n++
		amount, ok := want[d.ID]
		if !ok || coins(y.t, d.Quantity) != amount {
			y.t.Errorf("%s was credited %s for %s, the chain has %s (%t)", account, d.Quantity, d.ID, amount.Coin(8), ok)
		}
		delete(want, d.ID)
		sum, err := held[account].Add(amount)
		must(y.t, err)
		held[account] = sum
	}
	for id, amount := range want {
		y.t.Errorf("%s was never credited %s for %s", account, amount.Coin(8), id)
	}
	return n
}

// checkPayouts holds the withdrawals against the outputs to their payees, each
// of which was used for one of them.
func (y *yard) checkPayouts(paid map[string][]payment, held map[string]chains.Amount) (n int) {
	y.t.Helper()
	for _, w := range y.withdrawals() {
		n++
		left, err := held[w.Account].Sub(coins(y.t, w.Quantity))
		must(y.t, err)
		held[w.Account] = left
		got := paid[w.Address]
		if len(got) != 1 || got[0].amount != coins(y.t, w.Amount) || got[0].txid != w.TxID {
			y.t.Errorf("withdrawal %s of %s by %s was paid %d times: %+v", w.ID, w.Amount, w.TxID, len(got), got)
		}
	}
	return n
}

// cable stands between the gateway and the node's RPC. It can hold single
// methods back.
type cable struct {
	url    string
	target string
	client *http.Client

	mu     sync.Mutex
	cut    map[string]string // how, by method
	mended chan struct{}     // closed and made anew by set
	passed map[string]int    // answers of the node since set, or calls that are kept silent
}

// The ways to cut a method: the call fails before the node sees it, the node's
// answer is lost, nothing comes back at all.
const (
	cutBefore = "before"
	cutBehind = "behind"
	cutSilent = "silent"
)

func newCable(t *testing.T, target string) *cable {
	u, err := url.Parse(target)
	must(t, err)
	c := &cable{
		target: target, client: &http.Client{Timeout: 30 * time.Second}, cut: map[string]string{},
		mended: make(chan struct{}), passed: map[string]int{},
	}
	server := httptest.NewServer(c)
	t.Cleanup(func() { c.set("", ""); server.Close() })
	own, err := url.Parse(server.URL)
	must(t, err)
	own.User = u.User
	c.url = own.String()
	return c
}

// set cuts a method, or mends it ("").
func (c *cable) set(method, how string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut[method], c.passed[method] = how, 0
	close(c.mended)
	c.mended = make(chan struct{})
}

// count is how often the node answered a method since set; of a silent one, how
// often it was called.
func (c *cable) count(method string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.passed[method]
}

func (c *cable) answered(method string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.passed[method]++
}

// look finds the method of a call among those that were set.
func (c *cable) look(body []byte) (method, how string, mended chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for method, how := range c.cut {
		if method != "" && bytes.Contains(body, []byte(`"`+method+`"`)) {
			return method, how, c.mended
		}
	}
	return "", "", c.mended
}

// ServeHTTP implements http.Handler.
func (c *cable) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	method, how, mended := c.look(body)
	if how == cutSilent {
		c.answered(method)
		select {
		case <-r.Context().Done():
		case <-mended:
		}
	}
	if how == cutBefore || how == cutSilent {
		http.Error(out, "cut", http.StatusBadGateway)
		return
	}
	status, text, err := c.pass(r, body)
	if err == nil && method != "" {
		c.answered(method)
	}
	if err != nil || how == cutBehind {
		http.Error(out, "cut", http.StatusBadGateway)
		return
	}
	out.Header().Set("Content-Type", "application/json")
	out.WriteHeader(status)
	_, _ = out.Write(text)
}

func (c *cable) pass(r *http.Request, body []byte) (status int, text []byte, err error) {
	req, err := http.NewRequestWithContext(r.Context(), r.Method, c.target, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	answer, err := c.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	text, err = io.ReadAll(answer.Body)
	return answer.StatusCode, text, err
}
