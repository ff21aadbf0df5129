package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"causeway/chains"
	"causeway/pegs"
)

// defaultMaxLag is how many blocks nodes may be behind by default: an hour's worth,
// and no fewer than 12.
func defaultMaxLag(interval time.Duration) uint64 {
	return max(uint64(time.Hour/max(interval, time.Second)), 12)
}

// nodeWatch halts a chain whose nodes cannot be relied upon. What may pass by
// itself (a restart, a block on its way) is given some time.
type nodeWatch struct {
	cfg   ChainConfig
	now   func() time.Time
	since map[string]time.Time // cause -> when it was first seen
}

func newNodeWatch(cfg ChainConfig) nodeWatch {
	return nodeWatch{cfg: cfg, now: time.Now, since: map[string]time.Time{}}
}

// lasting says whether a cause has held long enough.
func (w *nodeWatch) lasting(cause string, holds bool) bool {
	if !holds {
		delete(w.since, cause)
		return false
	}
	now := w.now()
	if _, ok := w.since[cause]; !ok {
		w.since[cause] = now
	}
	return now.Sub(w.since[cause]) >= w.cfg.Patience
}

// nodeFault sorts an error of the source: the cause of a halt, and whether it is
// one of those that do not pass by themselves. An error about the contents of
// blocks, or of our own, is none of these.
func nodeFault(err error) (cause string, lasts bool) {
	switch {
	case errors.Is(err, chains.ErrBadBlock) || errors.Is(err, chains.ErrReorgTooDeep):
		return "", false
	case errors.Is(err, chains.ErrNodeVersion):
		return causeVersion, true
	case errors.Is(err, chains.ErrWrongNetwork):
		return causeNetwork, true
	case errors.Is(err, chains.ErrNoQuorum), errors.Is(err, chains.ErrUnavailable), errors.Is(err, chains.ErrNotLinked), errors.Is(err, chains.ErrNotFound):
		return causeQuorum, false
	}
	return "", false
}

// watchNodes brings the halts for what the nodes do into force, and takes back
// those whose cause is gone. followed is the error of following the chain.
func (f *follower) watchNodes(ctx context.Context, followed error, tip chains.BlockRef, tipErr error) error {
	err := errors.Join(followed, tipErr)
	if known, e := f.watcher.judge(ctx, f.ledger, f.id, err, f.dissent()); e != nil || !known {
		return e
	}
	if err := setAlert(ctx, f.ledger, f.id, causeSlow, f.slow()); err != nil {
		return err
	}
	return f.watcher.judgeLag(ctx, f.ledger, f.id, f.lag(tip))
}

// judge acts on the error of asking the nodes, and on what one of them says
// against the others (dissent). known says that they answered.
func (w *nodeWatch) judge(ctx context.Context, l *Ledger, id chains.ID, err error, dissent string) (known bool, _ error) {
	cause, lasts := nodeFault(err)
	if err != nil && cause == "" {
		return false, nil // nothing is known of the nodes
	}
	for _, c := range []string{causeQuorum, causeVersion, causeNetwork} {
		holds := w.lasting(c, cause == c)
		reason := ""
		switch {
		case holds || cause == c && lasts:
			reason = err.Error()
		case err != nil:
			continue // not halted for it yet, and nothing is taken back
		}
		if e := setHalt(ctx, l, id, c, oneLine(reason, maxReason)); e != nil {
			return false, e
		}
	}
	if err != nil {
		return false, nil
	}
	return true, setAlert(ctx, l, id, causeDissent, dissent)
}

// judgeLag acts on what is said of nodes that are behind, or nothing.
func (w *nodeWatch) judgeLag(ctx context.Context, l *Ledger, id chains.ID, reason string) error {
	if holds := w.lasting(causeLag, reason != ""); reason != "" && !holds {
		return nil
	}
	return setHalt(ctx, l, id, causeLag, reason, pegs.ScopeMinting, pegs.ScopePayouts)
}

// lag says in words that the nodes are behind, or nothing.
func (f *follower) lag(tip chains.BlockRef) string {
	if said := laggards(f.Source.Health(), tip, f.Quorum, f.MaxLag); said != "" {
		return said
	}
	var own chains.Header
	if err := f.ledger.View(func(s *pegs.State) {
		c, _ := s.Chain(f.id)
		if tail := c.Tail(); len(tail) > 0 {
			own = tail[len(tail)-1]
		}
	}); err != nil || own.Hash == "" {
		return ""
	}
	if own.Height > tip.Height+f.MaxLag {
		return fmt.Sprintf("the nodes are at height %d, block %d was there before", tip.Height, own.Height)
	}
	if age := f.watcher.now().Sub(time.Unix(own.Time, 0)); f.MaxTipAge > 0 && age > f.MaxTipAge {
		return fmt.Sprintf("the newest block, %d, is %s old", own.Height, age.Round(time.Minute))
	}
	return ""
}

// laggards says in words that so many nodes are more than maxLag blocks above what
// enough of them agree on that not all of these can be the ones that may fail.
func laggards(nodes []chains.NodeHealth, tip chains.BlockRef, quorum int, maxLag uint64) string {
	ahead := 0
	for _, n := range nodes {
		if n.OK && n.Height > tip.Height+maxLag {
			ahead++
		}
	}
	if ahead <= max(len(nodes)-max(quorum, 1), 0) {
		return ""
	}
	return fmt.Sprintf("enough nodes agree up to height %d only, and %d of %d are more than %d blocks above", tip.Height, ahead, len(nodes), maxLag)
}

const (
	// slowSpan blocks that take slowFactor times as long as they should are slow:
	// by chance so few come in such a time once in some 10,000 blocks, and when
	// they come six times more slowly, nearly always.
	slowSpan   = 6
	slowFactor = 4
)

// slow says in words that blocks come much more slowly than they should: by the
// miners' clocks and, for the one to come, by ours. It only ever asks for more
// confirmations, never for fewer.
func (f *follower) slow() string {
	if !f.SlowBlocks {
		return ""
	}
	var before chains.Header
	if err := f.ledger.View(func(s *pegs.State) {
		c, _ := s.Chain(f.id)
		if tail := c.Tail(); len(tail) > slowSpan {
			before = tail[len(tail)-1-slowSpan]
		}
	}); err != nil || before.Hash == "" {
		return ""
	}
	took := f.watcher.now().Sub(time.Unix(before.Time, 0))
	if took <= slowSpan*slowFactor*f.Coin.Facts().Interval {
		return ""
	}
	return fmt.Sprintf("%d blocks took more than %d times as long as they should", slowSpan, slowFactor)
}

// dissent says which node contradicts those that agree.
func (f *follower) dissent() string { return dissentOf(f.Source.Health()) }

func dissentOf(nodes []chains.NodeHealth) string {
	for _, n := range nodes {
		if n.Outvoted {
			return oneLine(n.Name+": "+n.Err, maxReason)
		}
	}
	return ""
}

// maxReason bounds, in bytes, the text of a halt.
const maxReason = 500
