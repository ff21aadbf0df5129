package pegs

import (
	"encoding/json"
	"fmt"
	"maps"

	"causeway/chains"

	"pgregory.net/rapid"
)

// etherChapters are what happens on a chain of accounts.
func (s *story) etherChapters() map[string]func(*rapid.T) {
	list := map[string]func(*rapid.T){}
	for name, f := range map[string]func(e *ether){
		"ether block": s.anEtherBlock, "ether reading": s.anEtherReading, "ether payout": s.anEtherPayout, "ether decision": s.anEtherDecision,
	} {
		list[name] = func(*rapid.T) {
			if s.eth == nil {
				s.eth = openEther(s.book)
				s.eth.final(nil)
			}
			f(s.eth)
		}
	}
	return list
}

func (s *story) draw(most uint64, what string) chains.Amount {
	return gwei(rapid.Uint64Range(0, most).Draw(s.t, what))
}

// anEtherBlock mines batches as they are, failed or as another transaction, and
// transfers of tokens.
func (s *story) anEtherBlock(e *ether) {
	var results []Result
	if b, ok := pick(s, s.OpenBatches(chains.ETH)); ok && len(b.Variants) > 0 && b.undecided() {
		results = append(results, e.result(b, func(r *Result) {
			switch rapid.IntRange(0, 5).Draw(s.t, "outcome") {
			case 0:
				r.Failed = true
			case 1:
				r.TxID, r.To, r.Token, r.Value = s.name("0xthief"), bobAddress, "", gwei(3)
			}
		}))
	}
	var logs []TokenLog
	for range rapid.IntRange(0, 2).Draw(s.t, "logs") {
		logs = append(logs, TokenLog{
			TxID: s.name("0xlog"), Index: 3, Token: rapid.SampledFrom([]string{usdc, dai}).Draw(s.t, "token"), From: payeeAddress, To: aliceAddress,
			Amount: s.draw(9_000_000_000, "units"), Kind: chains.WatchDeposit, Account: "alice", Address: aliceAddress,
		})
	}
	e.final(results, logs...)
	if rapid.IntRange(0, 4).Draw(s.t, "search") == 0 {
		logs := []TokenLog{{TxID: s.name("0xold"), Token: dai, From: payeeAddress, To: bobAddress, Amount: gwei(7_000_000_000), Kind: chains.WatchDeposit, Account: "bob", Address: bobAddress}}
		s.do(&Backscanned{Chain: chains.ETH, Accounts: []string{"bob"}, Matched: []Match{{Header: e.chain().tail[0], Tokens: logs}}})
	}
}

func (s *story) anEtherReading(e *ether) {
	address := rapid.SampledFrom([]string{aliceAddress, bobAddress, hotAddress, sweeperAddress}).Draw(s.t, "address")
	token := rapid.SampledFrom([]string{"", "", usdc, dai}).Draw(s.t, "token")
	r := reads(address, addAmount(e.balanceOf(address, token), s.draw(3_000_000, "rise")), 0)
	if r.Token = token; token == "" {
		r.Nonce = e.sent(address)
	}
	if rapid.IntRange(0, 9).Draw(s.t, "odd") == 0 {
		r.Amount = chains.Amount{}
	}
	e.reading(r)
}

// balanceOf is the balance by the newest reading.
func (e *ether) balanceOf(address, token string) chains.Amount {
	amount, _, _ := e.chain().Balance(address, token)
	return amount
}

func (e *ether) sent(address string) uint64 {
	if a := e.chain().account(address); a != nil {
		return a.Sent
	}
	return 0
}

func (s *story) anEtherPayout(e *ether) {
	kind, from := BatchPayout, hotAddress
	var ids []string
	switch rapid.IntRange(0, 4).Draw(s.t, "kind") {
	case 0:
		kind, from = BatchSweep, aliceAddress
	case 1:
		kind, from = BatchTopup, sweeperAddress
	default:
		ids = []string{s.name("w")}
		e.owe(ids[0], rapid.SampledFrom([]string{"SWAP.ETH", "SWAP.USDC"}).Draw(s.t, "symbol"), "0.5")
	}
	p := e.plan(kind, from, ids...)
	p.Value = gwei(5)
	s.attempt(p)
	s.attempt(assignedAs(p))
	txid := s.name("0xp")
	s.attempt(&Signed{Batch: p.Batch, TxID: txid, Raw: []byte{2}, Fee: p.Fee, VSize: 21_000, Counter: uint64(s.n)})
	s.attempt(&Bumped{Batch: p.Batch, Fee: gwei(uint64(30_000 + s.n)), Plan: json.RawMessage(`{"b":2}`)})
	s.attempt(&Broadcast{Batch: p.Batch, TxID: txid, Verdict: chains.Accepted})
}

func (s *story) anEtherDecision(*ether) {
	for _, d := range s.ToMint(chains.ETH) {
		s.do(&Minting{Deposit: d.ID, Symbol: d.Symbol, Quantity: d.Quantity, To: d.Account})
		s.attempt(&Credited{Deposit: d.ID, Symbol: d.Symbol, Quantity: d.Quantity, To: d.Account, Tx: "m"})
	}
	s.attempt(&Credited{Deposit: CoinDepositID(chains.ETH, aliceAddress, gwei(uint64(s.n))), Symbol: "SWAP.ETH", Quantity: "0.00000100", To: "alice"})
	for _, b := range s.ToSettle(chains.ETH) {
		s.do(&Settling{Batch: b.ID, TxID: b.Decided().TxID, Cost: "0.00002"})
	}
	for _, b := range s.OpenBatches(chains.ETH) {
		proof, dead := s.Dead(b)
		if dead {
			s.attempt(&Releasing{Batch: b.ID, Proof: proof})
			s.attempt(&Released{Batch: b.ID, Reason: proof})
		}
		if tx := b.Decided(); tx != nil {
			s.attempt(&Charged{Batch: b.ID, TxID: tx.TxID, Cost: "0.00002"})
			s.attempt(&Settled{Batch: b.ID, TxID: tx.TxID, Cost: "0.00002"})
		}
	}
	for _, a := range s.alarms(chains.ETH) {
		s.attempt(&Acknowledged{Chain: chains.ETH, TxID: a.txid, Author: "x", Reason: fmt.Sprint("y", s.n)})
	}
}

// allChapters are those of all chains.
func (s *story) allChapters() map[string]func(*rapid.T) {
	list := s.chapters()
	maps.Copy(list, s.etherChapters())
	return list
}
