package gateway

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"causeway/chains"
	"causeway/chains/devnet"
)

// soak is a random life: deposits, withdrawals, transfers, reorganisations, dead
// processes and nodes, in any order. In the end everybody has what is his.
type soak struct {
	*driver
	rng     *rand.Rand
	paidIn  map[string]uint64 // satoshi by account, of all deposits
	burned  map[string]uint64 // satoshi by account, fees included
	moved   map[string]int64  // satoshi by account, of transfers
	payees  map[string]uint64 // address -> what it must receive
	pending []string          // withdrawals
	address map[string]string // where accounts pay in
	sent    []string          // payments in
}

func (s *soak) sat(v uint64) string { return chains.NewAmount(v).Coin(8) }

func (s *soak) holds(account string) uint64 {
	amount, err := chains.FromCoin(s.balance(account), 8)
	if err != nil {
		s.t.Fatal(err)
	}
	v, _ := amount.Uint64()
	return v
}

// live does one thing.
func (s *soak) live() {
	accounts := []string{"alice", "bob", "carol"}
	who := accounts[s.rng.IntN(3)]
	switch n := s.rng.IntN(100); {
	case n < 25:
		v := 20_000 + s.rng.Uint64N(3_000_000)
		var raw string
		s.call(&raw, "getrawtransaction", s.pay(s.address[who], s.sat(v)))
		s.sent = append(s.sent, raw)
		s.paidIn[who] += v
	case n < 45:
		if have := s.holds(who); have > 40_000 {
			v := 20_000 + s.rng.Uint64N(have-30_000)
			var payee string
			s.call(&payee, "getnewaddress")
			s.pending = append(s.pending, s.withdraw(who, s.sat(v), payee))
			s.burned[who] += v
			s.payees[payee] = v - 5_000
			s.shake()
		}
	case n < 50:
		to := accounts[s.rng.IntN(3)]
		if have := s.holds(who); have > 0 && to != who {
			v := 1 + s.rng.Uint64N(have)
			s.act(who, "tokens", "transfer", fmt.Sprintf(`{"to":%q,"symbol":"SWAP.BTC","quantity":"%s"}`, to, s.sat(v)))
			s.moved[who] -= int64(v)
			s.moved[to] += int64(v)
			s.shake()
		}
	case n < 75:
		s.mine(1 + s.rng.IntN(2))
	case n < 83:
		s.reorg(1 + s.rng.IntN(7))
		s.resend()
	case n < 88:
		s.node.close()
		s.boot()
	case n < 94:
		s.die()
	case n < 97:
		faults := []devnet.Fault{devnet.FaultDown, devnet.FaultLag, devnet.FaultEmpty, devnet.FaultLie, devnet.FaultFloat}
		if err := s.btc.SetFault(faults[s.rng.IntN(len(faults))]); err != nil {
			s.t.Fatal(err)
		}
		for range 3 {
			s.shake()
		}
		if err := s.btc.SetFault(devnet.FaultNone); err != nil {
			s.t.Fatal(err)
		}
	}
	for range s.rng.IntN(4) {
		s.shake()
	}
}

// die ends the process at one of the next failpoints, and boots it again.
func (s *soak) die() {
	s.t.Helper()
	s.crash = s.calls + 1 + s.rng.IntN(25)
	alive := func() (alive bool) {
		defer func() {
			if r := recover(); r != nil {
				if _, ok := r.(crashed); !ok {
					panic(r)
				}
				alive = false
			}
		}()
		for range 4 {
			s.shake()
		}
		return true
	}()
	s.crash = 0
	if !alive {
		s.node.close()
		s.boot()
	}
}

// resend hands payments in again that the node lost, as their wallets would.
func (s *soak) resend() {
	for _, raw := range s.sent {
		var txid string
		_ = s.rpc.Call(context.Background(), "sendrawtransaction", []any{raw}, &txid)
	}
}

// settle mines until nothing is under way and compares.
func (s *soak) settle() {
	s.t.Helper()
	quiet := func() bool {
		for _, id := range s.pending {
			if w := s.withdrawal(id); w.State != "settled" || w.Confirmations < 2 {
				return false
			}
		}
		for _, who := range []string{"alice", "bob", "carol"} {
			by := s.deposits(who)
			if len(by["seen"])+len(by["confirming"])+len(by["minting"])+len(by["gone"])+len(by["shortfall"]) > 0 {
				return false
			}
		}
		return s.caughtUp()
	}
	for range 60 {
		s.mine(1)
		s.reloop() // so that nothing waits for a clock
		for range 6 {
			s.shake()
		}
		if quiet() {
			break
		}
	}
	if !quiet() {
		s.t.Fatalf("never quiet\n%s", s.describe())
	}
	for _, who := range []string{"alice", "bob", "carol"} {
		in, _ := s.total(s.address[who]).Uint64()
		if in != s.paidIn[who] {
			s.t.Errorf("%s was paid %d, of %d", who, in, s.paidIn[who])
		}
		want := int64(in) - int64(s.burned[who]) + s.moved[who]
		if got := int64(s.holds(who)); got != want {
			s.t.Errorf("%s holds %d, want %d: in %d, out %d, moved %d", who, got, want, in, s.burned[who], s.moved[who])
			if os.Getenv("CAUSEWAY_SOAK_SEED") != "" {
				s.t.Log(s.describe())
			}
		}
	}
	for payee, want := range s.payees {
		if got := s.total(payee); got != chains.NewAmount(want) {
			s.t.Errorf("payee %s received %s, want %d", payee, got, want)
		}
	}
	s.until("no halt is left", func() bool { return s.node.gateway.ChainStatus()[0].Reason == "" })
	s.balanced()
}

// total is everything that an address got in the whole chain.
func (s *soak) total(address string) chains.Amount {
	script, err := s.coin().Script(address)
	if err != nil {
		s.t.Fatal(err)
	}
	var sum chains.Amount
	for _, block := range s.blocks() {
		for _, tx := range block.RawTx {
			for _, out := range tx.Vout {
				if out.ScriptPubKey.Hex == tohex(script) {
					amount, err := chains.FromCoin(string(out.Value), 8)
					if err != nil {
						s.t.Fatal(err)
					}
					if sum, err = sum.Add(amount); err != nil {
						s.t.Fatal(err)
					}
				}
			}
		}
	}
	return sum
}

func (s *soak) blocks() (list []*scanBlock) {
	var height int
	s.call(&height, "getblockcount")
	for h := 111; h <= height; h++ {
		var hash string
		s.call(&hash, "getblockhash", h)
		block := new(scanBlock)
		s.call(block, "getblock", hash, 2)
		if err := decodeTxs(block); err != nil {
			s.t.Fatal(err)
		}
		list = append(list, block)
	}
	return list
}

// TestSoak runs two lives; CAUSEWAY_SOAK runs that many, from CAUSEWAY_SOAK_SEED on.
func TestSoak(t *testing.T) {
	runs, seed := 2, uint64(1)
	if n, err := strconv.Atoi(os.Getenv("CAUSEWAY_SOAK")); err == nil {
		runs = n
	}
	if n, err := strconv.ParseUint(os.Getenv("CAUSEWAY_SOAK_SEED"), 10, 64); err == nil {
		seed = n
	}
	for i := range runs {
		t.Run(strconv.FormatUint(seed+uint64(i), 10), func(t *testing.T) {
			s := &soak{
				driver: booted(t), rng: rand.New(rand.NewPCG(seed+uint64(i), 7)), paidIn: map[string]uint64{},
				burned: map[string]uint64{}, moved: map[string]int64{}, payees: map[string]uint64{},
				address: map[string]string{},
			}
			for _, who := range []string{"alice", "bob", "carol"} {
				s.address[who] = s.depositAddress(who)
			}
			// One large coin, deep down: payments do not die with a coinbase that a
			// reorganisation takes away.
			s.mine(40)
			s.pay(s.miner, "2000")
			s.mine(20)
			for range 60 {
				s.live()
			}
			s.settle()
		})
	}
}
