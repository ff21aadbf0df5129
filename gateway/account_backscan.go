package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"causeway/chains"
	"causeway/chains/ethereum"
	"causeway/pegs"
)

// accountBackscan searches the blocks of the past for transfers of tokens to accounts
// that came later. What they received of the coin their balance says; and who holds
// nothing of any token received nothing, for nothing left an account that nobody knew.
type accountBackscan struct {
	accounts []string
	set      *chains.WatchSet
	next     uint64
	last     chains.BlockRef
	found    []pegs.Match
	kept     uint64
}

// backscan goes on with the search, or begins one when accounts wait for it.
func (f *accountFollower) backscan(ctx context.Context) error {
	var waiting []string
	var after *chains.BlockRef
	var start uint64
	if err := f.ledger.View(func(s *pegs.State) {
		c, _ := s.Chain(f.id)
		waiting, after = c.Unsearched()
		start = c.Config.Start
	}); err != nil {
		return err
	}
	tip, ok := f.tip()
	if len(waiting) == 0 || !ok {
		f.scan = nil
		return nil
	}
	if f.scan == nil {
		holders, err := f.holders(ctx, tip, waiting)
		if err != nil {
			return err
		}
		if rest := slices.DeleteFunc(slices.Clone(waiting), func(a string) bool { return slices.Contains(holders, a) }); len(rest) > 0 {
			if err := f.ledger.Append(ctx, &pegs.Backscanned{Chain: f.id, Accounts: rest}); err != nil || len(holders) == 0 {
				return err
			}
		}
		set, err := f.book.watchSet(holders)
		if err != nil {
			return err
		}
		f.scan = &accountBackscan{accounts: holders, set: set, next: start}
		if after != nil {
			f.scan.last, f.scan.next = *after, after.Height+1
		}
		f.scan.kept = f.scan.next
	}
	return f.search(ctx, tip)
}

// holders lists those of some accounts that hold tokens.
func (f *accountFollower) holders(ctx context.Context, tip chains.BlockRef, names []string) (holders []string, err error) {
	block, err := ethereum.ParseHash(tip.Hash)
	if err != nil {
		return nil, err
	}
	var accounts []ethereum.Address
	var owners []string
	for _, name := range names {
		list, err := f.book.deposits(name)
		if err != nil {
			return nil, err
		}
		for _, s := range list {
			accounts, owners = append(accounts, ethereum.Address(s.script)), append(owners, name)
		}
	}
	for _, token := range f.Accounts.Tokens {
		if f.soundToken(token.key()) != "" {
			continue
		}
		units, err := f.Accounts.Nodes.TokenBalances(ctx, block, token.Address, accounts)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil { // it may be anybody's; and nothing else waits for it
			f.log.Warn("a token was not read: the past is searched for all new accounts", "token", token.Symbol, "error", err)
			return names, nil
		}
		for i := range units {
			if !units[i].IsZero() && !slices.Contains(holders, owners[i]) {
				holders = append(holders, owners[i])
			}
		}
	}
	return holders, nil
}

// search reads some blocks, and books what was found when all were read or many.
func (f *accountFollower) search(ctx context.Context, tip chains.BlockRef) error {
	s := f.scan
	for range scanPerStep {
		if s.next > tip.Height {
			break
		}
		if err := f.searchBlock(ctx); err != nil {
			if errors.Is(err, chains.ErrNotLinked) {
				f.scan = nil
			}
			return err
		}
	}
	event := &pegs.Backscanned{Chain: f.id, Accounts: s.accounts, Matched: s.found}
	switch {
	case s.next > tip.Height:
		f.scan = nil
		f.log.Info("searched the past for new accounts", "accounts", len(s.accounts), "blocks_with_transfers", len(s.found))
	case s.next >= s.kept+keepEvery:
		upto := s.last
		event.Upto, s.found, s.kept = &upto, nil, s.next
	default:
		return nil
	}
	return f.ledger.Append(ctx, event)
}

func (f *accountFollower) searchBlock(ctx context.Context) error {
	s := f.scan
	header, err := f.Accounts.Nodes.HeaderAt(ctx, s.next)
	if err != nil {
		return err
	}
	if s.last.Hash != "" && header.Parent != s.last.Hash {
		return fmt.Errorf("%w: block %d", chains.ErrNotLinked, s.next)
	}
	hash, err := ethereum.ParseHash(header.Hash)
	if err != nil {
		return err
	}
	block, err := f.Accounts.Nodes.Block(ctx, hash)
	if err != nil {
		return err
	}
	match := pegs.Match{Header: block.Header}
	for _, t := range block.Transfers(f.tokens) {
		if _, ours := s.set.Lookup(t.To[:]); ours {
			log, _ := f.transfer(t)
			match.Tokens = append(match.Tokens, log)
		}
	}
	if len(match.Tokens) > 0 {
		s.found = append(s.found, match)
	}
	s.last, s.next = block.BlockRef, s.next+1
	return nil
}
