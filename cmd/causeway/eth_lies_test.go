package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"causeway/chains/ethereum"
	"causeway/chains/ethereum/erc20test"
	"causeway/gateway"
	"causeway/internal/nodetest"
)

// bentNode stands before a node and changes what it answers.
type bentNode struct {
	url  string
	node string

	mu   sync.Mutex
	bend func(method string, params []any, result any) (any, error) // nil: honest
	told int                                                        // answers that were changed
}

type rpcMessage struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method,omitempty"`
	Params  []any           `json:"params,omitempty"`
	Result  any             `json:"result,omitempty"`
	Error   any             `json:"error,omitempty"`
}

func newBentNode(t *testing.T, node *nodetest.EVM) *bentNode {
	b := &bentNode{node: node.URL}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

// lie has the node lie from now on; nil makes it honest.
func (b *bentNode) lie(bend func(method string, params []any, result any) (any, error)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bend, b.told = bend, 0
}

// lies is how many answers were changed since lie.
func (b *bentNode) lies() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.told
}

// ServeHTTP implements http.Handler.
func (b *bentNode) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	asked, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	answer, err := http.Post(b.node, "application/json", bytes.NewReader(asked))
	if err != nil {
		http.Error(out, "gone", http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		http.Error(out, "gone", http.StatusBadGateway)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bend != nil {
		if text, err = b.bent(asked, text); err != nil {
			b.told++
			http.Error(out, err.Error(), http.StatusBadGateway)
			return
		}
	}
	out.Header().Set("Content-Type", "application/json")
	_, _ = out.Write(text)
}

// bent changes an answer, alone or each of a batch.
func (b *bentNode) bent(asked, answered []byte) ([]byte, error) {
	if !bytes.HasPrefix(bytes.TrimSpace(asked), []byte("[")) {
		list, err := b.bent(append(append([]byte("["), asked...), ']'), append(append([]byte("["), answered...), ']'))
		return bytes.TrimSuffix(bytes.TrimPrefix(list, []byte("[")), []byte("]")), err
	}
	var calls []rpcMessage
	var replies []map[string]any
	for _, part := range []struct {
		text []byte
		into any
	}{{asked, &calls}, {answered, &replies}} {
		d := json.NewDecoder(bytes.NewReader(part.text))
		d.UseNumber()
		if err := d.Decode(part.into); err != nil {
			return nil, err
		}
	}
	for i := range replies {
		for _, call := range calls {
			var id any
			d := json.NewDecoder(bytes.NewReader(call.ID))
			d.UseNumber()
			if _ = d.Decode(&id); id != replies[i]["id"] || replies[i]["error"] != nil {
				continue
			}
			before, _ := json.Marshal(replies[i]["result"])
			result, err := b.bend(call.Method, call.Params, replies[i]["result"])
			if err != nil {
				return nil, err
			}
			replies[i]["result"] = result
			if after, _ := json.Marshal(result); !bytes.Equal(before, after) {
				b.told++
			}
		}
	}
	return json.Marshal(replies)
}

// moreOf adds to a number of the protocol.
func moreOf(result any, add *big.Int) any {
	text, ok := result.(string)
	if !ok {
		return result
	}
	n, ok := new(big.Int).SetString(strings.TrimPrefix(text, "0x"), 16)
	if !ok {
		return result
	}
	n.Add(n, add)
	if len(text) == 66 { // a word
		return "0x" + strings.Repeat("0", 64-len(n.Text(16))) + n.Text(16)
	}
	return "0x" + n.Text(16)
}

type bend = func(method string, params []any, result any) (any, error)

// lagging shows the chain as it was so many blocks ago.
func lagging(t *testing.T, node *nodetest.EVM, blocks int64) bend {
	var head string
	node.Call(&head, "eth_blockNumber")
	n, ok := new(big.Int).SetString(strings.TrimPrefix(head, "0x"), 16)
	if !ok {
		t.Fatalf("head %q", head)
	}
	old := "0x" + new(big.Int).Sub(n, big.NewInt(blocks)).Text(16)
	var block any
	node.Call(&block, "eth_getBlockByNumber", old, false)
	return func(method string, params []any, result any) (any, error) {
		switch {
		case method == "eth_blockNumber":
			return old, nil
		case method == "eth_getBlockByNumber" && (params[0] == "latest" || params[0] == "finalized"):
			return block, nil
		}
		return result, nil
	}
}

// forgedLog is a transfer of a token that never was.
func forgedLog(token TokenConfig, from, to ethereum.Address, amount *big.Int) map[string]any {
	topic := erc20test.TransferTopic()
	word := func(b []byte) string { return hexData(append(make([]byte, 32-len(b)), b...)) }
	return map[string]any{
		"address": token.Address, "topics": []any{hexData(topic[:]), word(from[:]), word(to[:])}, "data": word(amount.Bytes()), "removed": false,
		"logIndex": "0x0", "transactionIndex": "0x0",
	}
}

// wrongs are the ways in which a node is wrong.
func (s *anvilSite) wrongs(to ethereum.Address) map[string]bend {
	ether := units(s.t, "5", 18)
	token := units(s.t, "5", s.tokens[0].Decimals)
	only := func(change func(method string, result any) any) bend {
		return func(method string, _ []any, result any) (any, error) { return change(method, result), nil }
	}
	return map[string]bend{
		"balances": only(func(method string, result any) any {
			if method == "eth_getBalance" {
				return moreOf(result, ether)
			}
			return result
		}),
		"balances of a token": only(func(method string, result any) any {
			if method == "eth_call" {
				return moreOf(result, token)
			}
			return result
		}),
		"nonces": only(func(method string, result any) any {
			if method == "eth_getTransactionCount" {
				return moreOf(result, big.NewInt(1))
			}
			return result
		}),
		"missing receipts": only(func(method string, result any) any {
			if list, ok := result.([]any); ok && method == "eth_getBlockReceipts" && len(list) > 0 {
				return list[1:]
			}
			return result
		}),
		"extra logs": only(func(method string, result any) any {
			if list, ok := result.([]any); ok && method == "eth_getBlockReceipts" && len(list) > 0 {
				receipt := list[0].(map[string]any)
				log := forgedLog(s.tokens[0], s.purse, to, token)
				log["blockHash"], log["blockNumber"], log["transactionHash"] = receipt["blockHash"], receipt["blockNumber"], receipt["transactionHash"]
				logs, _ := receipt["logs"].([]any)
				receipt["logs"] = append(logs, log)
			}
			return result
		}),
		"lagging": lagging(s.t, s.node, 3),
		"errors":  func(string, []any, any) (any, error) { return nil, io.ErrUnexpectedEOF },
		"empty": only(func(method string, result any) any {
			switch result.(type) {
			case []any:
				return []any{}
			case map[string]any:
				return nil
			}
			return result
		}),
		"wrong chain": only(func(method string, result any) any {
			if method == "eth_chainId" {
				return "0x1"
			}
			return result
		}),
	}
}

// supply is what circulates of a peg.
func (s *anvilSite) supply(symbol string) string {
	s.t.Helper()
	row := struct {
		CirculatingSupply string `json:"circulatingSupply"`
	}{}
	_, err := s.findOne(s.t.Context(), "tokens", "tokens", map[string]any{"symbol": symbol}, &row)
	must(s.t, err)
	return row.CirculatingSupply
}

// TestOneOfThreeNodesLies: two that agree are believed, whatever the third says; all
// goes on.
func TestOneOfThreeNodesLies(t *testing.T) {
	t.Parallel()
	s := prepareAnvil(t, usd)
	a, b, c := newBentNode(t, s.node), newBentNode(t, s.node), newBentNode(t, s.node)
	s.urls = []string{c.url, a.url, b.url} // the liar is asked first
	s.env = append(s.env, "CAUSEWAY_CHAINS_ETH_QUORUM=2")
	s.make()
	s.start()
	alice := s.ethAddress("alice")
	s.pay(alice, "1")
	s.payToken(s.tokens[0], alice, "10")
	s.holdsPeg("alice", "SWAP.ETH", "1.00000000")
	s.holdsPeg("alice", "SWAP.USDC", "10.000000")
	ether, token := 1, 10
	for name, lie := range s.wrongs(alice) {
		if name == "lagging" {
			lie = lagging(t, s.node, 3)
		}
		c.lie(lie)
		s.pay(alice, "1")
		s.payToken(s.tokens[0], alice, "10")
		ether, token = ether+1, token+10
		s.holdsPeg("alice", "SWAP.ETH", big.NewInt(int64(ether)).String()+".00000000")
		s.holdsPeg("alice", "SWAP.USDC", big.NewInt(int64(token)).String()+".000000")
		if c.lies() == 0 && name != "wrong chain" { // that is asked for again after an error only
			t.Errorf("%s: the node never lied", name)
		}
		if got := s.supply("SWAP.ETH"); got != big.NewInt(int64(ether)).String()+".00000000" {
			t.Errorf("%s: supply %s", name, got)
		}
	}
	c.lie(s.wrongs(alice)["balances"])
	payee := s.newPayee()
	s.state(s.burn("alice", "SWAP.ETH", "0.5", payee), "settled")
	if got := s.holds(payee, nil); got != "0.498000000000000000" {
		t.Errorf("the payee holds %s", got)
	}
	c.lie(nil)
	s.books()
}

// TestOnlyNodeLies: what a block holds is proven by its hash, so that a node that
// lies about that is never believed; the truth is credited when it tells it.
func TestOnlyNodeLies(t *testing.T) {
	t.Parallel()
	s := prepareAnvil(t, usd)
	node := newBentNode(t, s.node)
	s.urls = []string{node.url}
	s.node.Mine(6)
	s.make()
	s.start()
	alice := s.ethAddress("alice")
	ether, token := 0, 0
	for _, name := range []string{"missing receipts", "extra logs", "lagging", "errors", "empty"} {
		lie := s.wrongs(alice)[name]
		node.lie(lie)
		s.pay(alice, "1")
		s.payToken(s.tokens[0], alice, "10")
		s.node.Mine(4)
		s.await(name+" to be told", func() bool { return node.lies() > 3 })
		s.wantBalance("alice", "SWAP.ETH", balanceText(ether, 8))
		s.wantBalance("alice", "SWAP.USDC", balanceText(token, 6))
		node.lie(nil)
		ether, token = ether+1, token+10
		s.holdsPeg("alice", "SWAP.ETH", balanceText(ether, 8))
		s.holdsPeg("alice", "SWAP.USDC", balanceText(token, 6))
		s.await("the halt to end", func() bool { c := s.ethStatus(); return c.Minting == "open" && c.Payouts == "open" })
	}
	s.books()
}

// balanceText is a whole number of pegs; nothing has no row.
func balanceText(n, precision int) string {
	if n == 0 {
		return "0"
	}
	return big.NewInt(int64(n)).String() + "." + strings.Repeat("0", precision)
}

// TestWrongNode: a node of another chain is never believed, and the status says why.
func TestWrongNode(t *testing.T) {
	t.Parallel()
	s := prepareAnvil(t)
	s.env = append(s.env, "CAUSEWAY_CHAINS_ETH_CHAIN_ID=1")
	s.make()
	s.start()
	s.await("the node to be refused", func() bool {
		c := s.ethStatus()
		return len(c.Nodes) == 1 && !c.Nodes[0].OK && strings.Contains(c.Nodes[0].Error, "chain id")
	})
	s.await("the halt", func() bool {
		c := s.ethStatus()
		return c.Minting == "halted" && c.Payouts == "halted" && c.Reason != ""
	})
	if code := s.stop(); code != exitOK {
		t.Errorf("exit %d after SIGTERM", code)
	}
}

// TestWrongTokens: of a token that is not what is configured nothing is credited and
// nothing is paid, which the status says; ether goes on.
func TestWrongTokens(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(s *anvilSite)
		want  string
	}{
		"decimals": {func(s *anvilSite) { s.tokens[0].Decimals = 7 }, "has 6 decimals, configured are 7"},
		"no code":  {func(s *anvilSite) { s.tokens[0].Address = s.newPayee().String() }, "there is no contract"},
		"no token": {func(s *anvilSite) { s.tokens[0].Address = s.payer.String() }, "does not say what it is"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := prepareAnvil(t, usd)
			right := s.tokens[0]
			c.spoil(s)
			s.make()
			s.start()
			s.final()
			s.await("the alert", func() bool { return strings.Contains(strings.Join(s.ethStatus().Alerts, "\n"), c.want) })
			alice := s.ethAddress("alice")
			s.payToken(right, alice, "10")
			s.pay(alice, "1")
			s.holdsPeg("alice", "SWAP.ETH", "1.00000000")
			s.wantBalance("alice", "SWAP.USDC", "0")
			payee := s.newPayee()
			s.state(s.burn("alice", "SWAP.ETH", "0.5", payee), "settled")
			s.tokenUnknown(c.want)
			for _, d := range s.deposits("alice") {
				if d.Symbol == "SWAP.USDC" && d.State == "credited" {
					t.Errorf("credited %s", show(d))
				}
			}
			if name != "decimals" {
				return
			}
			// The right configuration is another network's: this one's peg has seven.
			var page gateway.Page[gateway.Asset]
			must(t, s.get(t.Context(), "/v1/assets", &page))
			s.kill()
			s.tokenUnknown(c.want)
			code, _, stderr := exitOf(t, append(s.environ(), "CAUSEWAY_CHAINS_ETH_TOKENS_USDC_DECIMALS=6"), "run", "--home", s.home)
			if code != exitError || !strings.Contains(stderr, "decimals") {
				t.Errorf("exit %d: %s", code, stderr)
			}
		})
	}
}

// tokenUnknown: the books of ether balance, those of the token are not known, and the
// audit says why.
func (s *anvilSite) tokenUnknown(why string) {
	s.t.Helper()
	stdout, stderr := s.command(exitError, "audit", "--home", s.home)
	if !strings.Contains(stdout, "SWAP.ETH   ok") || !strings.Contains(stdout, "SWAP.USDC  not known") || !strings.Contains(stderr, why) {
		s.t.Errorf("audit:\n%s\n%s", stdout, stderr)
	}
}

// TestLostAnswersOnAnvil: a node that does not answer a method, or whose answer is
// lost, has said nothing: everything waits and is done once.
func TestLostAnswersOnAnvil(t *testing.T) {
	t.Parallel()
	s := prepareAnvil(t, usd)
	c := newCable(t, s.node.URL)
	s.urls = []string{c.url}
	s.make()
	s.start()
	alice := s.ethAddress("alice")
	s.pay(alice, "5")
	s.payToken(s.tokens[0], alice, "500")
	s.holdsPeg("alice", "SWAP.ETH", "5.00000000")
	s.holdsPeg("alice", "SWAP.USDC", "500.000000")
	paid := map[string]ethereum.Address{} // by withdrawal
	for _, cut := range []struct{ method, how string }{
		{"eth_sendRawTransaction", cutBehind}, {"eth_sendRawTransaction", cutBefore}, {"eth_feeHistory", cutBefore},
		{"eth_getTransactionCount", cutBefore}, {"eth_getBlockReceipts", cutBehind}, {"eth_call", cutBefore},
	} {
		c.set(cut.method, cut.how)
		ether, token := s.newPayee(), s.newPayee()
		paid[s.submit("alice", s.key, "pegs", "withdraw", fmt.Sprintf(`{"symbol":"SWAP.ETH","quantity":"0.1","address":%q}`, ether))] = ether
		last := s.burn("alice", "SWAP.USDC", "10", token)
		paid[last] = token
		s.pay(alice, "0.1")
		s.payToken(s.tokens[0], alice, "10")
		s.node.Mine(1)
		s.await(cut.method+" to be asked for", func() bool { return cut.how == cutBefore || c.count(cut.method) > 0 })
		s.node.Mine(2)
		c.set(cut.method, "")
	}
	for id, payee := range paid {
		w := s.state(id, "settled")
		if got := s.holds(payee, s.tokenOf(w.Symbol)); got != w.Amount {
			t.Errorf("the payee holds %s: %s", got, show(w))
		}
	}
	s.holdsPeg("alice", "SWAP.ETH", "4.98200000") // the fees of tokens, 0.003 each
	s.holdsPeg("alice", "SWAP.USDC", "500.000000")
	s.books()
}

// TestAbsurdFees: prices that a node makes up are bounded by the configuration and by
// what the fees pay; a payout waits rather than burn more.
func TestAbsurdFees(t *testing.T) {
	t.Parallel()
	s := prepareAnvil(t)
	node := newBentNode(t, s.node)
	s.urls = []string{node.url}
	s.env = append(s.env, "CAUSEWAY_CHAINS_ETH_FEE_MAX=50")
	s.make()
	s.start()
	s.pay(s.ethAddress("alice"), "3")
	s.holdsPeg("alice", "SWAP.ETH", "3.00000000")
	s.state(s.burn("alice", "SWAP.ETH", "0.1", s.newPayee()), "settled")
	paid := map[string]ethereum.Address{} // by withdrawal
	for _, fee := range []string{"0x0", "0xffffffffffffffffffffffff", "-0x1", "0x1" + strings.Repeat("0", 64)} {
		node.lie(func(method string, _ []any, result any) (any, error) {
			if history, ok := result.(map[string]any); ok && method == "eth_feeHistory" {
				list, _ := history["baseFeePerGas"].([]any)
				for i := range list {
					list[i] = fee
				}
			}
			return result, nil
		})
		payee := s.newPayee()
		paid[s.burn("alice", "SWAP.ETH", "0.1", payee)] = payee
		s.await("the price to be asked for", func() bool { return node.lies() > 0 })
		s.node.Mine(1)
		node.lie(nil)
	}
	for id, payee := range paid {
		s.state(id, "settled")
		if got := s.holds(payee, nil); got != "0.098000000000000000" {
			t.Errorf("the payee holds %s", got)
		}
	}
	for _, asset := range s.books().Assets {
		if strings.HasPrefix(asset.Surplus, "-") {
			t.Errorf("the gas was more than the fees: %s", show(asset))
		}
	}
}
