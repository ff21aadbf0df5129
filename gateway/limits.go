package gateway

import (
	"context"
	"encoding/hex"
	"log/slog"

	"causeway/chains"
	"causeway/pegs"
)

// admitPerStep bounds the withdrawals of one admission.
const admitPerStep = 500

// limiter lets withdrawals of one chain through as far as the configured limits
// allow, by the count of base blocks.
type limiter struct {
	id        chains.ID
	ledger    *Ledger
	sidechain Sidechain
	notes     *notes
	log       *slog.Logger
}

func newLimiter(g *Gateway, id chains.ID) limiter {
	return limiter{id: id, ledger: g.ledger, sidechain: g.cfg.Sidechain, notes: g.notes, log: g.log.With("chain", string(id))}
}

// step begins the delay of large withdrawals and admits what is within the
// limits at the newest base block.
func (l limiter) step(ctx context.Context) error {
	waits := false
	if err := l.ledger.View(func(s *pegs.State) {
		c, ok := s.Chain(l.id)
		waits = ok && c.Config.Limits.Any()
	}); err != nil || !waits {
		return err
	}
	var base pegs.BaseRef
	if err := l.sidechain.View(func(v SideState) error { base = v.Head().Base; return nil }); err != nil {
		return err
	}
	more, err := true, error(nil)
	for more && err == nil {
		more, err = l.admit(ctx, base)
	}
	return err
}

func (l limiter) admit(ctx context.Context, base pegs.BaseRef) (more bool, err error) {
	var idle bool
	look := func(s *pegs.State) (delay, admit []*pegs.Withdrawal, wait []pegs.Waiting) {
		if base.Number < s.Base.Number {
			return nil, nil, nil // others have seen a newer block: ask again
		}
		delay = s.ToDelay(l.id)
		admit, wait = s.ToAdmit(l.id, base.Number, admitPerStep)
		idle = len(delay)+len(admit) == 0 && !s.Undated(l.id)
		return delay, admit, wait
	}
	if err := l.ledger.View(func(s *pegs.State) {
		_, _, wait := look(s)
		for _, w := range wait {
			l.notes.set(w.ID, "waits: "+w.Why)
		}
	}); err != nil || idle {
		return false, err
	}
	err = l.ledger.Do(ctx, func(s *pegs.State) (entries []Entry, err error) {
		delay, admit, _ := look(s)
		if idle || base.Number < s.Base.Number {
			return nil, nil
		}
		c, _ := s.Chain(l.id)
		for _, w := range delay {
			l.log.Info("large withdrawal delayed", "withdrawal", w.ID, "until_base_block", base.Number+c.Config.Limits.Delay)
			entries = append(entries, Entry{Event: &pegs.Delayed{Withdrawal: w.ID, Due: base.Number + c.Config.Limits.Delay}, Base: base})
		}
		event := &pegs.Admitted{Chain: l.id, Block: base.Number}
		for _, w := range admit {
			l.notes.set(w.ID, "")
			event.Withdrawals = append(event.Withdrawals, w.ID)
		}
		more = len(admit) == admitPerStep
		return append(entries, Entry{Event: event, Base: base}), nil
	})
	return more, err
}

// Veto parks a withdrawal that no payout was planned for, by order of a person.
// With giveBack its tokens are returned (the fee stays); without it a person
// decides later: by Veto with giveBack, or by Requeue. One that is planned is
// CodeConflict: its payout may be on its way. Nothing is given back in a home
// that was restored, as long as that halts payouts: it may have been paid after the
// backup.
func (g *Gateway) Veto(ctx context.Context, withdrawal, author, reason string, giveBack bool) error {
	restored := false
	if err := g.ledger.View(func(s *pegs.State) {
		if w, ok := s.Withdrawal(withdrawal); ok && giveBack {
			c, served := s.Chain(w.Chain)
			restored = served && c.HaltedBy(pegs.CauseRestored)
		}
	}); err != nil {
		return err
	}
	if restored {
		return refuse(CodeHalted, "the home was restored: withdrawal %s may have been paid after the backup", clip(withdrawal))
	}
	return g.decide(ctx, withdrawal, author, reason, func(s *pegs.State, w *pegs.Withdrawal) (pegs.Event, bool) {
		ok := w.Batch == "" && w.Returned == nil && (w.Parked == nil || !w.Parked.GiveBack && giveBack)
		return &pegs.Parked{Withdrawal: w.ID, Reason: "vetoed by " + author + ": " + reason, Author: author, GiveBack: giveBack}, ok
	})
}

// Requeue has a parked withdrawal paid after all, by order of a person, unless
// its tokens are being given back.
func (g *Gateway) Requeue(ctx context.Context, withdrawal, author, reason string) error {
	return g.decide(ctx, withdrawal, author, reason, func(s *pegs.State, w *pegs.Withdrawal) (pegs.Event, bool) {
		f := g.served(w.Chain)
		if f == nil || w.Batch != "" || w.Returned != nil || w.Parked == nil || w.Parked.GiveBack {
			return nil, false
		}
		script, why := f.payable(g, s, w)
		return &pegs.Queued{Withdrawal: w.ID, Script: hex.EncodeToString(script), Amount: w.Amount, Author: author, Reason: reason}, why == ""
	})
}

// decide appends what a person orders about a withdrawal, if it can be done.
func (g *Gateway) decide(ctx context.Context, id, author, reason string, event func(*pegs.State, *pegs.Withdrawal) (pegs.Event, bool)) error {
	if err := signedOrder(reason, author); err != nil {
		return err
	}
	return g.ledger.Do(ctx, func(s *pegs.State) ([]Entry, error) {
		w, ok := s.Withdrawal(id)
		if !ok {
			return nil, refuse(CodeNotFound, "no withdrawal %q", clip(id))
		}
		e, ok := event(s, w)
		if !ok {
			return nil, refuse(CodeConflict, "withdrawal %s is %s", clip(id), s.WithdrawalState(w))
		}
		g.log.Info("order about a withdrawal", "withdrawal", w.ID, "event", e.Kind(), "author", author, "reason", reason)
		return []Entry{{Event: e}}, nil
	})
}

// Causes of alerts.
const (
	causeSlow    = "slow"    // blocks come much more slowly than the chain aims at
	causeDissent = "dissent" // a node contradicts the others
)

// Alert puts a chain under suspicion by order of a person, or ends that (over):
// meanwhile deposits need the large depth.
func (g *Gateway) Alert(ctx context.Context, chain chains.ID, author, reason string, over bool) error {
	if err := g.ordered(chain, reason, author, nil); err != nil {
		return err
	}
	return g.ledger.Do(ctx, func(s *pegs.State) ([]Entry, error) {
		c, _ := s.Chain(chain)
		if _, stands := c.AlertOf(causeOperator); stands != over {
			return nil, refuse(CodeConflict, "the alert of an operator stands: %t", stands)
		}
		return []Entry{{Event: &pegs.Alerted{Chain: chain, Cause: causeOperator, Over: over, Reason: reason, Author: author}}}, nil
	})
}

// setAlert brings an automatic alert into force, or out of it when reason is
// empty.
func setAlert(ctx context.Context, l *Ledger, chain chains.ID, cause, reason string) error {
	stands := func(s *pegs.State) bool {
		c, ok := s.Chain(chain)
		if !ok {
			return reason != ""
		}
		_, ok = c.AlertOf(cause)
		return ok
	}
	same := false
	if err := l.View(func(s *pegs.State) { same = stands(s) == (reason != "") }); err != nil || same {
		return err
	}
	return l.Do(ctx, func(s *pegs.State) ([]Entry, error) {
		if stands(s) == (reason != "") {
			return nil, nil
		}
		e := &pegs.Alerted{Chain: chain, Cause: cause, Over: reason == "", Reason: reason, Author: gatewayAuthor}
		if e.Over {
			e.Reason = "the cause is gone"
		}
		return []Entry{{Event: e}}, nil
	})
}
