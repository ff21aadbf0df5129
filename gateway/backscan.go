package gateway

import (
	"context"
	"errors"
	"fmt"

	"causeway/chains"
	"causeway/pegs"
)

// backscan searches the blocks of the past for accounts that came later. It
// walks upwards, linked by hash, and is merged once it has reached the newest
// block. On the way what it found in blocks that are final is kept; the rest may
// be thrown away.
type backscan struct {
	accounts []string
	set      *chains.WatchSet
	next     uint64
	last     chains.BlockRef
	found    []pegs.Match
	ours     map[chains.Outpoint]bool
	kept     uint64 // blocks below it are in the ledger
	resumed  bool   // what was found before is in the ledger alone
}

// scanPerStep bounds how many blocks one step reads.
const scanPerStep = 200

// keepEvery is how many blocks a search reads before what it found is kept, so
// that a restart goes on from there.
const keepEvery = 2000

// backscan goes on with the search, or begins one when accounts wait for it.
// Those that come while one is under way have the next one, together.
func (f *follower) backscan(ctx context.Context) error {
	var waiting []string
	var after *chains.BlockRef
	var next, start, final uint64
	if err := f.ledger.View(func(s *pegs.State) {
		c, _ := s.Chain(f.id)
		waiting, after = c.Unsearched()
		next, start, final = c.Next(), c.Config.Start, c.Final()
	}); err != nil {
		return err
	}
	if len(waiting) == 0 {
		f.scan = nil
		return nil
	}
	if f.scan == nil {
		set, err := f.book.watchSet(waiting)
		if err != nil {
			return err
		}
		f.scan = &backscan{accounts: waiting, set: set, next: start, ours: map[chains.Outpoint]bool{}}
		if after != nil {
			f.scan.last, f.scan.next, f.scan.resumed = *after, after.Height+1, true
		}
		f.scan.kept = f.scan.next
	}
	for range scanPerStep {
		if f.scan.next >= next {
			return f.merge(ctx)
		}
		if err := f.scanBlock(ctx); err != nil {
			if errors.Is(err, chains.ErrNotLinked) {
				f.scan = nil // the chain changed below us: begin again
			}
			return err
		}
		if s := f.scan; s.next >= s.kept+f.keepEvery && s.last.Height < final {
			if err := f.keep(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// keep books what a search found so far, in blocks that cannot leave the chain.
func (f *follower) keep(ctx context.Context) error {
	s := f.scan
	upto := s.last
	if err := f.ledger.Append(ctx, &pegs.Backscanned{Chain: f.id, Accounts: s.accounts, Matched: s.found, Upto: &upto}); err != nil {
		return err
	}
	if len(s.found) > 0 {
		f.moved()
	}
	s.found, s.kept = nil, s.next
	return nil
}

func (f *follower) scanBlock(ctx context.Context) error {
	s := f.scan
	hash, err := f.Source.HashAt(ctx, s.next)
	if err != nil {
		return err
	}
	raw, err := f.Source.RawBlock(ctx, hash)
	if err != nil {
		return err
	}
	block, err := f.Coin.DecodeBlock(raw, hash)
	if err != nil {
		return err
	}
	block.Height = s.next
	if s.last.Hash != "" && block.Parent != s.last.Hash {
		return fmt.Errorf("%w: block %d", chains.ErrNotLinked, s.next)
	}
	match := s.set.Match(block, func(o chains.Outpoint) bool { return s.ours[o] || s.resumed && f.ours(o) })
	for _, p := range match.Payments {
		s.ours[p.Outpoint] = true
	}
	if len(match.Payments) > 0 || len(match.Spends) > 0 {
		s.found = append(s.found, matchOf(match))
	}
	s.last, s.next = chains.BlockRef{Height: s.next, Hash: hash}, s.next+1
	return nil
}

// merge books what was found. The search must have ended at the newest block of
// the ledger, so that every block was looked at by it or is still to come.
func (f *follower) merge(ctx context.Context) error {
	done, s := false, f.scan
	err := f.ledger.Do(ctx, func(state *pegs.State) ([]Entry, error) {
		c, _ := state.Chain(f.id)
		if tip, ok := c.Tip(); ok && tip != s.last {
			return nil, nil
		}
		done = true
		return []Entry{{Event: &pegs.Backscanned{Chain: f.id, Accounts: s.accounts, Matched: s.found}}}, nil
	})
	if err != nil {
		return err
	}
	if !done {
		// Not at the tip any more, or on another branch: the next step goes on
		// when it can be linked and begins again when not.
		if tip, ok := f.tip(); !ok || tip.Height <= s.last.Height {
			f.scan = nil
		}
		return nil
	}
	f.moved()
	f.log.Info("searched the past for new accounts", "accounts", len(s.accounts), "blocks_with_payments", len(s.found))
	f.scan = nil
	return nil
}

func (f *follower) tip() (tip chains.BlockRef, ok bool) {
	err := f.ledger.View(func(s *pegs.State) {
		c, _ := s.Chain(f.id)
		tip, ok = c.Tip()
	})
	return tip, ok && err == nil
}
