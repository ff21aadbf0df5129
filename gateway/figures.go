package gateway

import (
	"sync"
	"time"

	"causeway/chains"
	"causeway/pegs"
)

// Figures are numbers for a monitor: how much waits where, and how the books
// stood when they were last looked at.
type Figures struct {
	Chains []ChainFigures
	// Rounding is what rounding deposits down to the decimals of their tokens has
	// left with us, by symbol, in coins: the account that remainders are booked to.
	Rounding map[string]float64
	// Audit is the newest audit that came to a result; Audited is when, the zero
	// time while there was none.
	Audit   Audit
	Audited time.Time
}

// ChainFigures are those of one chain.
type ChainFigures struct {
	Chain         string
	Deposits      map[string]int // not credited, or credited and not in the chain, by state
	Withdrawals   map[string]int // neither settled nor returned, by state
	Batches       int            // not at their end
	Stuck         uint64         // blocks that the oldest signed batch waits since anything was done about it
	Confirmations uint64         // that a deposit needs now
	Halts         []string       // causes in force
	Alerts        []string       // causes in force
	Outflow       float64        // coins that count against the cap
	Cap           float64        // coins; 0: none
}

// lastAudit is the newest audit that came to a result.
type lastAudit struct {
	mu    sync.Mutex
	at    time.Time
	audit Audit
}

func (l *lastAudit) set(a Audit, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.audit, l.at = a, at
}

func (l *lastAudit) get() (Audit, time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.audit, l.at
}

// Figures reads the numbers of the moment.
func (g *Gateway) Figures() Figures {
	f := Figures{Rounding: map[string]float64{}}
	f.Audit, f.Audited = g.last.get()
	var block uint64
	_ = g.cfg.Sidechain.View(func(v SideState) error { block = v.Head().Base.Number; return nil })
	_ = g.ledger.View(func(s *pegs.State) {
		for _, id := range s.ChainIDs() {
			f.Chains = append(f.Chains, g.figuresOf(s, id, block))
		}
		for _, a := range s.Assets() {
			f.Rounding[a.Symbol] = inUnits(s.Rounding(a.Symbol), a.Decimals)
		}
	})
	return f
}

func (g *Gateway) figuresOf(s *pegs.State, id chains.ID, block uint64) ChainFigures {
	c, _ := s.Chain(id)
	f := ChainFigures{
		Chain: string(id), Deposits: map[string]int{}, Withdrawals: map[string]int{}, Batches: len(s.OpenBatches(id)),
		Confirmations: c.CreditDepth(), Outflow: inCoins(s.OutflowWithin(id, block), id), Cap: inCoins(c.Config.Limits.Cap, id),
	}
	for _, b := range s.OpenBatches(id) {
		if b.Decided() == nil && b.Released == nil && len(b.Variants) > 0 && !g.inBlock(id, b) {
			f.Stuck = max(f.Stuck, s.Waits(b))
		}
	}
	for _, d := range s.OpenDeposits() {
		if d.Chain == id {
			f.Deposits[string(d.State())]++
		}
	}
	for _, w := range s.OpenWithdrawals() {
		if w.Chain == id {
			f.Withdrawals[string(s.WithdrawalState(w))]++
		}
	}
	for _, h := range c.Halts() {
		f.Halts = append(f.Halts, h.Cause)
	}
	for _, a := range c.Alerts() {
		f.Alerts = append(f.Alerts, a.Cause)
	}
	return f
}

// inBlock says whether a batch is in a block that the ledger does not hold yet.
func (g *Gateway) inBlock(id chains.ID, b *pegs.Batch) bool {
	f := g.served(id)
	if f == nil {
		return false
	}
	_, in := f.unsettled(b.Variants)
	return in != nil
}

// inCoins is an amount for a monitor, which has nothing but floats; no decision
// is ever made by it.
func inCoins(a chains.Amount, id chains.ID) float64 { return inUnits(a, pegs.CoinDecimals(id)) }

// inUnits is inCoins of what has so many decimals.
func inUnits(a chains.Amount, decimals int) float64 {
	units, _ := a.Big().Float64()
	for range decimals {
		units /= 10
	}
	return units
}
