package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcec/v2"

	"causeway/chains"
	"causeway/chains/litecoin"
	"causeway/chains/utxo"
	"causeway/chains/utxo/rpcnode"
	"causeway/gateway"
	"causeway/internal/nodetest"
	"causeway/sidechain/graphene"
)

// coinSite is init's home of a gateway beside a real node of one coin, and the
// process on it.
type coinSite struct {
	*process

	t        *testing.T
	chain    string
	symbol   string
	node     *nodetest.Node
	generate func(blocks int)
	key      graphene.PrivateKey // alice's
}

// newCoinSite makes a home by the command init and runs it with one chain.
func newCoinSite(t *testing.T, node *nodetest.Node) *coinSite {
	t.Helper()
	chain := string(node.Coin.ID())
	s := &coinSite{t: t, chain: chain, symbol: "SWAP." + upper(chain), node: node, generate: func(n int) { node.Generate(n) }}
	home := filepath.Join(t.TempDir(), "home")
	var err error
	s.key, err = graphene.LoginKey("alice", "active", testPassword)
	must(t, err)
	code, _, stderr := exitOf(t, nil, "init", "--home", home, "--network", "regtest", "--account", "alice="+s.key.Public().String())
	if code != exitOK {
		t.Fatalf("init: exit %d: %s", code, stderr)
	}
	section := "CAUSEWAY_CHAINS_" + upper(chain) + "_"
	env := []string{
		"CAUSEWAY_HTTP_LISTEN=127.0.0.1:0", "CAUSEWAY_HTTP_ADMIN=127.0.0.1:0", "CAUSEWAY_BASE_BLOCK_INTERVAL=1s",
		"CAUSEWAY_CHAINS_BTC_ENABLED=false", section + "ENABLED=true", section + "NODES=" + node.URL, section + "POLL=100ms",
		fmt.Sprintf("%sCONFIRMATIONS=%d", section, creditDepth),
	}
	s.process = serve(t, home, env, "run", "--home", home)
	return s
}

// mineUntil makes a block whenever what is awaited has not come with the last.
func (s *coinSite) mineUntil(what string, ask func() bool) {
	s.t.Helper()
	next := time.Now()
	err := poll(s.t.Context(), stepWait, func() (bool, error) {
		if ask() {
			return true, nil
		}
		if time.Now().After(next) {
			s.generate(1)
			next = time.Now().Add(300 * time.Millisecond)
		}
		return false, nil
	})
	if err != nil {
		s.t.Fatalf("waiting for %s: %v", what, err)
	}
}

// address is alice's deposit address.
func (s *coinSite) address() string {
	s.t.Helper()
	var a gateway.DepositAddress
	must(s.t, s.post(s.t.Context(), "/v1/deposit-addresses", map[string]string{"chain": s.chain, "account": "alice"}, &a))
	return a.Address
}

// credited mines until a payment is credited.
func (s *coinSite) credited(id string) (d gateway.Deposit) {
	s.t.Helper()
	s.mineUntil("the deposit "+id, func() bool {
		d = gateway.Deposit{}
		if err := s.get(s.t.Context(), "/v1/deposits/"+id, &d); err != nil && !notFound(err) {
			s.t.Fatal(err)
		}
		return d.State == "credited"
	})
	return d
}

// round pays in, and out to every kind of address that the coin has, and holds the
// books against the node's own view.
func (s *coinSite) round(deposit string, kinds []string, quantity string) {
	s.t.Helper()
	to := s.address()
	txid := s.node.Pay(to, coins(s.t, deposit))
	id := ""
	s.mineUntil("the payment", func() bool {
		for _, d := range s.deposits("alice") {
			if d.TxID == txid {
				id = d.ID
			}
		}
		return id != ""
	})
	d := s.credited(id)
	if d.Amount != coins(s.t, deposit).Coin(8) || d.Chain != s.chain {
		s.t.Errorf("deposit %+v", d)
	}
	s.wantBalance("alice", s.symbol, coins(s.t, deposit).Coin(8))
	s.generate(inputDepth)

	withdrawals := map[string]string{}
	for _, kind := range kinds {
		address, err := s.node.Coin.Address(payees()[kind])
		must(s.t, err)
		withdrawals[kind], err = s.contract(s.t.Context(), "alice", s.key, "pegs", "withdraw", map[string]any{"symbol": s.symbol, "quantity": quantity, "address": address})
		must(s.t, err)
	}
	for kind, id := range withdrawals {
		var w gateway.Withdrawal
		s.mineUntil("the payout to "+kind, func() bool {
			must(s.t, s.get(s.t.Context(), "/v1/withdrawals/"+id, &w))
			return w.State == "settled"
		})
		if got := s.paid(payees()[kind]); got != coins(s.t, w.Amount) {
			s.t.Errorf("%s received %s, want %s", kind, got.Coin(8), w.Amount)
		}
	}
	s.audit()
}

// paid is what the node's own JSON shows a script to have received lately.
func (s *coinSite) paid(script []byte) (total chains.Amount) {
	s.t.Helper()
	from := uint64(1)
	if h := s.node.Height(); h > 60 {
		from = h - 60
	}
	for height := from; height <= s.node.Height(); height++ {
		sample := s.node.Sample(height)
		for _, tx := range sample.Node.RawTx {
			for _, out := range tx.Vout {
				if out.Script.Hex != hex.EncodeToString(script) {
					continue
				}
				amount, err := chains.FromCoin(out.Value.String(), 8)
				must(s.t, err)
				total, err = total.Add(amount)
				must(s.t, err)
			}
		}
	}
	return total
}

// audit waits until the books balance and holds every item against the node.
func (s *coinSite) audit() {
	s.t.Helper()
	r := s.awaitAudit(true)
	checkEquality(s.t, bookOf(s.t, r.Audit, s.chain))
	for _, item := range r.Items {
		var out *nodetest.NodeOutput
		s.node.Call(&out, "gettxout", *item.TxID, *item.Index, false)
		script, err := s.node.Coin.Script(item.Address)
		must(s.t, err)
		if out == nil || out.Script.Hex != hex.EncodeToString(script) || coins(s.t, out.Value.String()) != coins(s.t, item.Amount) {
			s.t.Errorf("item %s: the node says %s", show(item), show(out))
		}
	}
}

// TestRoundOnLitecoind: without extension blocks.
func TestRoundOnLitecoind(t *testing.T) {
	t.Parallel()
	node := nodetest.Litecoind(t, false)
	node.Generate(110)
	s := newCoinSite(t, node)
	s.round("3", []string{"P2PKH", "P2SH", "P2WPKH", "P2WSH", "P2TR"}, "0.25")
}

// TestRoundOnLitecoindMWEB: with extension blocks, of which one pays a deposit.
func TestRoundOnLitecoindMWEB(t *testing.T) {
	t.Parallel()
	node := nodetest.Litecoind(t, true)
	outer, inner, mining := node.ActivateMWEB()
	s := newCoinSite(t, node)
	s.generate = func(n int) { node.Call(nil, "generatetoaddress", n, mining) }
	s.generate(6)
	send := func(wallet *rpcnode.Client, amount float64) {
		t.Helper()
		must(t, wallet.Call(t.Context(), nil, "sendtoaddress", s.address(), amount))
	}
	send(outer, 2)
	send(inner, 3)
	s.generate(1)
	var plain, pegOut gateway.Deposit
	s.mineUntil("both payments", func() bool {
		for _, d := range s.deposits("alice") {
			switch d.Amount {
			case "2.00000000":
				plain = d
			case "3.00000000":
				pegOut = d
			}
		}
		return plain.ID != "" && pegOut.ID != ""
	})
	if plain.ConfirmationsNeeded != creditDepth || pegOut.ConfirmationsNeeded != litecoin.PegOutDepth {
		t.Errorf("needed %d and %d", plain.ConfirmationsNeeded, pegOut.ConfirmationsNeeded)
	}
	s.credited(plain.ID)
	s.wantBalance("alice", "SWAP.LTC", "2.00000000")
	s.generate(litecoin.PegOutDepth / 2)
	must(t, s.get(t.Context(), "/v1/deposits/"+pegOut.ID, &pegOut))
	if pegOut.State != "confirming" {
		t.Errorf("half way: %s", pegOut.State)
	}
	if got := s.credited(pegOut.ID); got.Confirmations < litecoin.PegOutDepth {
		t.Errorf("credited with %d confirmations", got.Confirmations)
	}
	s.wantBalance("alice", "SWAP.LTC", "5.00000000")
	// While the mempool holds what nobody outside can read, payouts go on.
	var within string
	must(t, inner.Call(t.Context(), &within, "getnewaddress", "", "mweb"))
	must(t, inner.Call(t.Context(), nil, "sendtoaddress", within, 1))
	_, err := s.contract(t.Context(), "alice", s.key, "pegs", "withdraw", map[string]any{"symbol": "SWAP.LTC", "quantity": "1", "address": within})
	if err == nil || !strings.Contains(err.Error(), "type is not supported") {
		t.Errorf("a withdrawal to an address within: %v", err)
	}
	address, err := node.Coin.Address(payees()["P2WPKH"])
	must(t, err)
	id, err := s.contract(t.Context(), "alice", s.key, "pegs", "withdraw", map[string]any{"symbol": "SWAP.LTC", "quantity": "1", "address": address})
	must(t, err)
	var w gateway.Withdrawal
	s.mineUntil("the payout", func() bool {
		must(t, s.get(t.Context(), "/v1/withdrawals/"+id, &w))
		return w.State == "settled"
	})
	s.wantBalance("alice", "SWAP.LTC", "4.00000000")
	s.audit()
}

// TestRoundOnBchd: and what is not Bitcoin Cash is refused.
func TestRoundOnBchd(t *testing.T) {
	t.Parallel()
	node := nodetest.Bchd(t)
	node.Generate(110)
	s := newCoinSite(t, node)
	if a := s.address(); !strings.HasPrefix(a, "bchreg:q") {
		t.Errorf("address %s", a)
	}
	s.round("3", []string{"P2PKH", "P2SH"}, "0.25")
}

// TestTokensOnBchd: coins that come with tokens are held, stay in the reserves and
// are not spent.
func TestTokensOnBchd(t *testing.T) {
	t.Parallel()
	node := nodetest.Bchd(t)
	node.Generate(110)
	s := newCoinSite(t, node)
	own, err := node.Coin.Script(s.address())
	must(t, err)
	key, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{0x17}, 32))
	script := nodetest.P2PKH(key)
	to, err := node.Coin.Address(script)
	must(t, err)
	// The category is the id of a transaction whose output 0 is spent.
	first := node.Send(nodetest.Payout{Address: to, Amount: coins(t, "4")}, nodetest.Payout{Address: to, Amount: coins(t, "4")})
	node.Generate(1)
	category, err := hex.DecodeString(first)
	must(t, err)
	slices.Reverse(category)
	withTokens := slices.Concat([]byte{0xef}, category, []byte{0x10, 100}, own)
	draft, err := node.Coin.Draft(
		[]utxo.Input{{Outpoint: chains.Outpoint{TxID: first}, Amount: coins(t, "4"), Script: script, Sequence: utxo.Replaceable}},
		[]utxo.Payee{{Script: withTokens, Amount: coins(t, "2.5")}, {Script: own, Amount: coins(t, "1.4")}}, 0)
	must(t, err)
	signed, err := draft.Sign(func([]byte) (*btcec.PrivateKey, error) { return key, nil })
	must(t, err)
	node.Call(nil, "sendrawtransaction", hex.EncodeToString(signed.Raw))
	states := func() (list []string) {
		for _, d := range s.deposits("alice") {
			if d.TxID == signed.TxID {
				list = append(list, d.State)
			}
		}
		slices.Sort(list)
		return list
	}
	s.mineUntil("the plain credit", func() bool { return slices.Equal(states(), []string{"credited", "held"}) })
	s.wantBalance("alice", s.symbol, "1.40000000")
	s.generate(inputDepth)
	payee, err := node.Coin.Address(payees()["P2PKH"])
	must(t, err)
	small, err := s.contract(t.Context(), "alice", s.key, "pegs", "withdraw", map[string]any{"symbol": s.symbol, "quantity": "1", "address": payee})
	must(t, err)
	s.mineUntil("a payout from the plain output", func() bool {
		var w gateway.Withdrawal
		must(t, s.get(t.Context(), "/v1/withdrawals/"+small, &w))
		return w.State == "settled"
	})
	// The larger output is the second (BIP69). The books hold it and balance.
	var out nodetest.NodeOutput
	if node.Call(&out, "gettxout", signed.TxID, 1, false); coins(t, out.Value.String()) != coins(t, "2.5") {
		t.Errorf("the output with the tokens: %+v", out)
	}
	s.audit()
}

// TestRoundOnDogenet: the embedded chain in a process of its own.
func TestRoundOnDogenet(t *testing.T) {
	t.Parallel()
	node := nodetest.Dogenet(t)
	node.Generate(75)
	s := newCoinSite(t, node)
	s.round("300", []string{"P2PKH", "P2SH"}, "25")
}

// TestNodeOfAnotherCoin: a gateway that is given the node of another coin, even
// one with the same block 0, follows nothing and says why.
func TestNodeOfAnotherCoin(t *testing.T) {
	t.Parallel()
	other := nodetest.Dogenet(t)
	cash := nodetest.Bchd(t)
	for _, test := range []struct {
		coin func(chains.Network) (coinCodec, error)
		node *nodetest.Node
	}{
		{codec("btc"), cash}, {codec("btc"), other}, {codec("ltc"), other}, {codec("bch"), other}, {codec("doge"), cash},
	} {
		coin, err := test.coin(chains.Regtest)
		must(t, err)
		source, err := rpcnode.New(test.node.URL, coin, rpcnode.Options{})
		must(t, err)
		if _, err := source.Tip(t.Context()); err == nil || !strings.Contains(err.Error(), string(chains.ErrWrongNetwork)) {
			t.Errorf("%s on the node of %s: %v", coin.ID(), test.node.Coin.ID(), err)
		}
		source.Close()
	}
}

// coinCodec is what the driver of nodes needs.
type coinCodec = rpcnode.Coin

func codec(id string) func(chains.Network) (coinCodec, error) {
	if !slices.Contains(builtChains, id) {
		panic(id)
	}
	return func(network chains.Network) (coinCodec, error) { return newCoin(id, network) }
}
