package gateway

import (
	"context"
	"fmt"
	"time"

	"causeway/chains"
	"causeway/hotwallet"
	"causeway/pegs"
)

// Rebuilt is what a ledger made anew from the sidechain and the outside chains
// holds of one chain. Amounts are in coin units.
type Rebuilt struct {
	Chain    string `json:"chain"`
	Height   uint64 `json:"height"`
	Accounts int    `json:"accounts"` // whose addresses were searched
	Outputs  int    `json:"outputs"`  // unspent ones of ours; on Ethereum accounts that hold ether
	Amount   string `json:"amount"`   // of them
	Credited int    `json:"credited"` // deposits
	Waiting  int    `json:"waiting"`  // deposits that the sidechain has not credited
	Paid     int    `json:"paid"`     // burns whose payout is in the chain, or that were given back
	Assigned int    `json:"assigned"` // burns that are bound to inputs, and not paid yet
	Unpaid   int    `json:"unpaid"`   // burns that are bound to nothing
}

// Rebuilding says how long a rebuild waits, and whom it tells.
type Rebuilding struct {
	// Patience is how long nothing may move, because nodes do not answer, before it
	// is given up; 0: it waits for ever.
	Patience time.Duration
	// Report is told how far it is, and whom it waits for and why; a line each.
	Report func(line string)

	// now and pause are the clock; nil: the real one.
	now   func() time.Time
	pause func(ctx context.Context, d time.Duration)
}

// reportEvery is how often a rebuild tells how far it is.
const reportEvery = 10 * time.Second

// Rebuild reads the sidechain's rows and the outside chains to their ends, for an
// account that came later from the keys' birthday on, and does nothing else: no
// mint, no payout. Run goes on from there. What was read is kept when it is given
// up, with the error of whom it waited for.
func (g *Gateway) Rebuild(ctx context.Context, r Rebuilding) ([]Rebuilt, error) {
	if r.now == nil {
		r.now, r.pause = time.Now, func(ctx context.Context, d time.Duration) { sleep(ctx, d) }
	}
	if r.Report == nil {
		r.Report = func(string) {}
	}
	said, told, moved, seq := "", r.now(), r.now(), uint64(0)
	for {
		done, err := g.readOn(ctx)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case fatal(err):
			return nil, err
		case err == nil && done:
			return g.rebuilt()
		}
		now, at := r.now(), g.recorded()
		if err == nil || at != seq {
			moved, seq = now, at
		}
		text := ""
		if err != nil {
			text = "waits: " + oneLine(err.Error(), maxReason)
		}
		if text != said || now.Sub(told) >= reportEvery {
			said, told = text, now
			g.tell(r.Report, text)
		}
		if r.Patience > 0 && now.Sub(moved) >= r.Patience {
			return nil, fmt.Errorf("gateway: nothing was read for %s: %w", r.Patience, err)
		}
		if err != nil {
			r.pause(ctx, time.Second)
		}
	}
}

// tell reports how far every chain is, what is waited for, and the nodes that are
// not well.
func (g *Gateway) tell(report func(string), waits string) {
	for _, f := range g.chains {
		id := f.conf().ID()
		line := ""
		_ = g.ledger.View(func(s *pegs.State) {
			c, _ := s.Chain(id)
			line = fmt.Sprintf("%s: block %d of %d", id, c.Next(), max(f.height(), c.Next()))
		})
		report(line)
		for _, n := range f.health() {
			if !n.OK && n.Err != "" {
				report(fmt.Sprintf("%s: node %s: %s", id, n.Name, oneLine(n.Err, maxReason)))
			}
		}
	}
	if waits != "" {
		report(waits)
	}
}

// recorded is the number of the newest record.
func (g *Gateway) recorded() (seq uint64) {
	_ = g.ledger.View(func(s *pegs.State) { seq = s.Seq })
	return seq
}

// readOn takes in what is new and says whether that was all.
func (g *Gateway) readOn(ctx context.Context) (done bool, err error) {
	done = true
	for _, f := range g.chains {
		id := f.conf().ID()
		if err := f.step(ctx); err != nil {
			return false, fmt.Errorf("%s: %w", id, err)
		}
		err := g.ledger.View(func(s *pegs.State) {
			c, _ := s.Chain(id)
			done = done && f.caughtUp() && len(c.Incomplete()) == 0
		})
		if err != nil {
			return false, err
		}
	}
	return done, g.rows.step(ctx)
}

func (g *Gateway) rebuilt() (list []Rebuilt, err error) {
	viewErr := g.ledger.View(func(s *pegs.State) {
		for _, f := range g.chains {
			var one Rebuilt
			if one, err = rebuiltChain(s, f.conf().ID()); err != nil {
				return
			}
			list = append(list, one)
		}
	})
	if viewErr != nil {
		return nil, viewErr
	}
	return list, err
}

func rebuiltChain(s *pegs.State, id chains.ID) (Rebuilt, error) {
	c, _ := s.Chain(id)
	tip, _ := c.Tip()
	r := Rebuilt{Chain: string(id), Height: tip.Height, Accounts: len(c.WatchedAccounts())}
	var sum chains.Amount
	var err error
	for _, out := range c.Unspent() {
		r.Outputs++
		if sum, err = sum.Add(out.Amount); err != nil {
			return r, err
		}
	}
	for _, h := range c.AccountsHeld() {
		if h.Amount.IsZero() || h.Token != "" {
			continue
		}
		r.Outputs++
		if sum, err = sum.Add(h.Amount); err != nil {
			return r, err
		}
	}
	r.Amount = sum.Coin(pegs.CoinDecimals(id))
	for _, d := range s.Deposits("") {
		switch {
		case d.Chain != id:
		case d.Credit != nil:
			r.Credited++
		default:
			r.Waiting++
		}
	}
	for _, w := range s.Withdrawals("") {
		if w.Chain != id {
			continue
		}
		batch, bound := s.Batch(w.Batch)
		switch {
		case w.Returned != nil || bound && (batch.Mined != nil || batch.Settled != nil):
			r.Paid++
		case bound:
			r.Assigned++
		default:
			r.Unpaid++
		}
	}
	return r, nil
}

// checkSigner refuses a signer whose journal is older than what the ledger has
// seen of it. What it has signed beyond that is adopted with its assign rows.
func (g *Gateway) checkSigner(ctx context.Context) error {
	var count uint64
	var err error
	switch journal := g.cfg.Signer.(type) {
	case interface{ Counter() (uint64, error) }:
		count, err = journal.Counter()
	case interface {
		Status(context.Context) (hotwallet.SignerStatus, error)
	}:
		var st hotwallet.SignerStatus
		st, err = journal.Status(ctx)
		count = st.Counter
	default:
		return nil // it is told with every request what was seen
	}
	if err != nil {
		return err
	}
	if seen := g.SignerCounter(); count < seen {
		return fmt.Errorf("%w: signer.db counts %d, the ledger has seen %d: signer.db is older than gateway.db", hotwallet.ErrRollback, count, seen)
	}
	return nil
}
