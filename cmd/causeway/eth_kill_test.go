package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"causeway/chains"
	"causeway/chains/ethereum"
	"causeway/gateway"
	"causeway/hotwallet/remote"
	"causeway/sidechain"
	"causeway/sidechain/graphene"
)

// ethStorm is a course of random events around a gateway of Ethereum.
type ethStorm struct {
	*anvilSite
	rand   *rand.Rand
	counts map[string]int
	group  sync.WaitGroup              // withdrawals under way
	paid   map[string]ethPayment       // into the gateway, by txid
	payees map[string]ethereum.Address // of every withdrawal that was asked for, by symbol and address
}

// ethPayment is a payment into the gateway.
type ethPayment struct{ of, symbol, amount string }

// TestKillAtRandomOnAnvil kills run, or its signer, again and again while ether and
// tokens come in and go out. anvil's own balances are the judge: what came in was
// credited once, what was burned was paid once. CAUSEWAY_KILLS is the number of
// kills, CAUSEWAY_SEED the course of events.
func TestKillAtRandomOnAnvil(t *testing.T) {
	t.Parallel()
	kills, seed := number(t, "CAUSEWAY_KILLS", 6), number(t, "CAUSEWAY_SEED", uint64(time.Now().UnixNano()))
	t.Logf("CAUSEWAY_KILLS=%d CAUSEWAY_SEED=%d", kills, seed)
	s := &ethStorm{
		anvilSite: newAnvilSite(t, usd), rand: rand.New(rand.NewPCG(seed, 3)), counts: map[string]int{},
		paid: map[string]ethPayment{}, payees: map[string]ethereum.Address{},
	}
	s.payIn("bob", "SWAP.ETH", "5")
	s.payIn("bob", "SWAP.USDC", "1000")
	s.holdsPeg("bob", "SWAP.ETH", "5.00000000")
	s.holdsPeg("bob", "SWAP.USDC", "1000.000000")
	for s.counts["kill"] < int(kills) && !t.Failed() {
		s.round()
	}
	s.settled()
	if code := s.stop(); code != exitOK {
		t.Errorf("exit %d after SIGTERM", code)
	}
	s.command(exitOK, "verify", "--home", s.home)
	t.Logf("%v", s.counts)
}

// payIn pays to an account.
func (s *ethStorm) payIn(of, symbol, amount string) {
	s.t.Helper()
	to := s.ethAddress(of)
	txid := ""
	if token := s.tokenOf(symbol); token != nil {
		txid = s.payToken(*token, to, amount)
	} else {
		txid = s.pay(to, amount)
	}
	s.paid[txid] = ethPayment{of, symbol, amount}
}

// round is one life of the process: some events and a kill of it or of its signer.
func (s *ethStorm) round() {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	for range 1 + s.rand.IntN(4) {
		s.event(ctx)
		time.Sleep(time.Duration(s.rand.IntN(300)) * time.Millisecond)
	}
	time.Sleep(time.Duration(s.rand.IntN(900)) * time.Millisecond)
	if s.ended() {
		s.t.Fatalf("the process ended by itself with %d:\n%s", s.cmd.ProcessState.ExitCode(), s.stderr)
	}
	s.counts["kill"]++
	if s.rand.IntN(3) == 0 {
		s.killSigner()
		cancel()
		s.group.Wait()
		return
	}
	s.kill()
	cancel()
	s.group.Wait()
	if s.rand.IntN(2) == 0 {
		s.node.Mine(1 + s.rand.IntN(3)) // while nobody looks
	}
	if s.rand.IntN(3) == 0 {
		s.counts["flash"]++
		flash := begin(s.t, s.environ(), "run", "--home", s.home)
		time.Sleep(time.Duration(s.rand.IntN(300)) * time.Millisecond)
		flash.kill()
	}
	s.start()
}

// killSigner kills the signer's process, which run starts again.
func (s *ethStorm) killSigner() {
	s.t.Helper()
	_, document, err := home{s.home}.genesis()
	must(s.t, err)
	c, err := remote.Connect(s.t.Context(), filepath.Join(s.home, signerSocket), sidechain.BaseChainID(document), slog.New(slog.DiscardHandler))
	if err != nil {
		return // it was killed a moment ago
	}
	must(s.t, syscall.Kill(c.Hello().PID, syscall.SIGKILL))
	s.counts["signer"]++
}

// event is something that happens outside the process.
func (s *ethStorm) event(ctx context.Context) {
	s.t.Helper()
	symbol := []string{"SWAP.ETH", "SWAP.USDC"}[s.rand.IntN(2)]
	switch n := s.rand.IntN(10); {
	case n < 3:
		amount := fmt.Sprintf("0.%06d", 2_000+s.rand.IntN(900_000))
		if symbol == "SWAP.USDC" {
			amount = fmt.Sprintf("%d.%06d", 1+s.rand.IntN(90), s.rand.IntN(1_000_000))
		}
		s.payIn([]string{"alice", "bob"}[s.rand.IntN(2)], symbol, amount)
		s.counts["payment"]++
	case n < 6:
		s.node.Mine(1 + s.rand.IntN(3))
	case n < 7:
		s.node.Call(nil, "anvil_dropAllTransactions")
		s.counts["drop"]++
	default:
		payee := s.newPayee()
		s.payees[symbol+" "+payee.String()] = payee
		quantity := fmt.Sprintf("0.%06d", 10_000+s.rand.IntN(300_000))
		if symbol == "SWAP.USDC" {
			quantity = fmt.Sprintf("%d.%06d", 1+s.rand.IntN(60), s.rand.IntN(1_000_000))
		}
		s.counts["withdrawal"]++
		body := fmt.Sprintf(`{"contractName":"pegs","contractAction":"withdraw","contractPayload":{"symbol":%q,"quantity":%q,"address":%q}}`, symbol, quantity, payee)
		client := s.client
		// Whether it was taken may stay unknown: the process is killed.
		s.group.Go(func() {
			_, _ = client.broadcast(ctx, s.key, &graphene.CustomJSON{
				RequiredAuths: []string{"bob"}, RequiredPostingAuths: []string{}, ID: "ssc-" + client.chainID, JSON: body,
			})
		})
	}
}

// settled waits until everything has come to its end and holds it against anvil.
func (s *ethStorm) settled() {
	s.t.Helper()
	var last int
	var since time.Time
	s.mineUntil("everything to be settled", func() bool {
		list := s.allWithdrawals()
		if len(list) != last || since.IsZero() {
			last, since = len(list), time.Now()
		}
		if time.Since(since) < 1500*time.Millisecond {
			return false // a base block that was begun may bring others
		}
		for _, w := range list {
			if w.State != "settled" {
				return false
			}
		}
		return !slices.ContainsFunc(s.deposits(""), func(d gateway.Deposit) bool { return d.State != "credited" })
	})
	s.checkPayouts()
	s.checkBalances()
	s.books()
}

// checkPayouts: each burn was paid once and in full, and nobody else was paid.
func (s *ethStorm) checkPayouts() {
	s.t.Helper()
	burned := map[string]int{}
	for _, w := range s.allWithdrawals() {
		key := w.Symbol + " " + w.Address
		payee, asked := s.payees[key]
		if burned[key]++; !asked || burned[key] > 1 {
			s.t.Errorf("burned %d times, asked for %t: %s", burned[key], asked, show(w))
			continue
		}
		if got := s.holds(payee, s.tokenOf(w.Symbol)); got != w.Amount {
			s.t.Errorf("the payee holds %s: %s", got, show(w))
		}
	}
	for key, payee := range s.payees {
		symbol, _, _ := strings.Cut(key, " ")
		if got := s.holds(payee, s.tokenOf(symbol)); burned[key] == 0 && strings.Trim(got, "0.") != "" {
			s.t.Errorf("%s was paid %s without a burn", key, got)
		}
	}
	s.counts["burned"] = len(burned)
}

// checkBalances: accounts hold what came into blocks less what they burned.
func (s *ethStorm) checkBalances() {
	s.t.Helper()
	came, gone := map[string]chains.Amount{}, map[string]chains.Amount{}
	add := func(sums map[string]chains.Amount, of, symbol, amount string) {
		sum, err := sums[of+" "+symbol].Add(coins(s.t, amount))
		must(s.t, err)
		sums[of+" "+symbol] = sum
	}
	for txid, p := range s.paid {
		if s.inBlock(txid) {
			add(came, p.of, p.symbol, p.amount)
		}
	}
	for _, w := range s.allWithdrawals() {
		add(gone, w.Account, w.Symbol, w.Quantity)
		if w.Symbol != "SWAP.ETH" { // the fee of tokens is in ether
			add(gone, w.Account, "SWAP.ETH", w.Fee)
		}
	}
	for _, of := range []string{"alice", "bob"} {
		for _, symbol := range []string{"SWAP.ETH", "SWAP.USDC"} {
			got, err := s.balance(s.t.Context(), of, symbol)
			must(s.t, err)
			want, err := came[of+" "+symbol].Sub(gone[of+" "+symbol])
			if err != nil || coins(s.t, got) != want {
				s.t.Errorf("%s holds %s %s, paid in %s and burned %s", of, got, symbol, came[of+" "+symbol].Coin(8), gone[of+" "+symbol].Coin(8))
			}
		}
	}
}
