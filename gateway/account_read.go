package gateway

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"causeway/chains"
	"causeway/chains/ethereum"
	"causeway/pegs"
)

// readings says whose balance is to be read. What a block touches is read at once;
// coins that a contract moved leave no trace in transactions, so all accounts are
// read again and again beside that, some at each step, until all were read in the
// newest block.
type readings struct {
	mu   sync.Mutex
	all  []ethereum.Address
	next int                         // in all
	left int                         // of all, to be read in block at
	at   chains.BlockRef             // the block of this turn
	due  map[ethereum.Address]toRead // to be read now
	told uint64                      // how often an account was touched
	seen chains.BlockRef             // at which tokens were checked last
}

// toRead is why an account is read.
type toRead struct {
	cause string // the transaction that explains a rise
	touch uint64 // which touch asks for it; 0: its turn
}

const (
	// turnsPerRead is how many accounts are read though nothing says that they changed.
	turnsPerRead = 100
	// duePerRead bounds how many are read at once.
	duePerRead = 1000
)

// join adds an account.
func (r *readings) join(a ethereum.Address) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, a)
	r.left++
}

// touch has an account read in the next block that is read. cause is the transaction
// that explains a rise; one of several explains nothing.
func (r *readings) touch(a ethereum.Address, cause string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.due == nil {
		r.due = map[ethereum.Address]toRead{}
	}
	if _, again := r.due[a]; again {
		cause = ""
	}
	r.told++
	r.due[a] = toRead{cause, r.told}
}

// take lists the accounts to be read in a block: those that are due and, when asked
// for, some whose turn it is.
func (r *readings) take(tip chains.BlockRef, turns bool) map[ethereum.Address]toRead {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := map[ethereum.Address]toRead{}
	for a, why := range r.due {
		if len(list) >= duePerRead {
			break
		}
		list[a] = why
	}
	if r.at != tip {
		r.at, r.left = tip, len(r.all)
	}
	for range min(turnsPerRead, r.left) {
		if !turns {
			break
		}
		a := r.all[r.next%len(r.all)]
		r.next, r.left = (r.next+1)%len(r.all), r.left-1
		if _, due := list[a]; !due {
			list[a] = toRead{}
		}
	}
	return list
}

// done takes accounts off the list of those that are due, but for those that were
// touched again since they were taken.
func (r *readings) done(list map[ethereum.Address]toRead) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for a, why := range list {
		if r.due[a].touch == why.touch {
			delete(r.due, a)
		}
	}
}

// anew says once of each block that it is a new one.
func (r *readings) anew(tip chains.BlockRef) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	fresh := r.seen != tip
	r.seen = tip
	return fresh
}

// read reads accounts in the newest block of the ledger, and books what changed.
func (f *accountFollower) read(ctx context.Context, turns bool) (news bool, err error) {
	tip, ok := f.tip()
	if !ok {
		return false, nil
	}
	list := f.readings.take(tip, turns)
	asked := map[pegs.Unread]bool{}
	if err := f.ledger.View(func(s *pegs.State) {
		c, _ := s.Chain(f.id)
		for _, u := range c.ToRead() {
			if a, err := ethereum.ParseAddress(u.Address); err == nil {
				if _, ours := f.owner(a); ours {
					asked[u] = true
					if _, listed := list[a]; !listed {
						list[a] = toRead{}
					}
				}
			}
		}
	}); err != nil || len(list) == 0 {
		return false, err
	}
	rows, err := f.ask(ctx, tip, list)
	if err != nil {
		return false, err
	}
	late := false
	err = f.ledger.Do(ctx, func(s *pegs.State) ([]Entry, error) {
		c, _ := s.Chain(f.id)
		if now, _ := c.Tip(); now != tip {
			late = true
			return nil, nil
		}
		active := map[string]bool{} // of these the ledger knows the coin too, and so the nonce
		for _, r := range rows {
			active[r.Address] = active[r.Address] || !r.Amount.IsZero() || r.Nonce != 0 || r.Kind != chains.WatchDeposit
		}
		told := slices.DeleteFunc(slices.Clone(rows), func(r pegs.AccountBalance) bool {
			return !asked[pegs.Unread{Address: strings.ToLower(r.Address), Token: r.Token}] && !tellsNews(c, r, active[r.Address])
		})
		if news = len(told) > 0; !news {
			return nil, nil
		}
		return []Entry{{Event: &pegs.Balances{Chain: f.id, Block: tip, Accounts: told}}}, nil
	})
	if err == nil && !late {
		f.readings.done(list)
	}
	return news && err == nil, err
}

// errReread says that the ledger has learned of readings that it is audited without.
var errReread = errors.New("gateway: accounts were read again")

// reread reads what a scanner sees otherwise than the ledger: coins that moved
// unnoticed are no disagreement until the ledger has looked too.
func (f *accountFollower) reread(ctx context.Context, l pegs.LedgerView, scanned pegs.ScannerView) error {
	list := slices.DeleteFunc(append(l.Reread(scanned), l.ToReread...), func(u pegs.Unread) bool {
		return u.Token != "" && (f.soundToken(u.Token) != "" || scanned.Mute[u.Token] != "")
	})
	if len(list) == 0 {
		return nil
	}
	for _, u := range list {
		if a, err := ethereum.ParseAddress(u.Address); err == nil {
			if _, ours := f.owner(a); ours {
				f.readings.touch(a, "")
			}
		}
	}
	news, err := f.read(ctx, false)
	switch {
	case err == nil && news:
		return errReread
	case errors.Is(err, ErrLedgerStopped): // of a home that does not run
		return fmt.Errorf("%d accounts changed and are to be read again, which run does: %w", len(list), err)
	}
	return err
}

// tellsNews says whether a reading says something that the ledger does not know. Of an
// account on which there never was anything it needs to know nothing.
func tellsNews(c *pegs.Chain, r pegs.AccountBalance, active bool) bool {
	amount, _, known := c.Balance(r.Address, r.Token)
	if !known {
		return !r.Amount.IsZero() || r.Token == "" && active
	}
	a, _ := c.Account(r.Address)
	return amount != r.Amount || r.Token == "" && a.Nonce != r.Nonce
}

// ask reads coins, nonces and tokens of accounts in a block.
func (f *accountFollower) ask(ctx context.Context, tip chains.BlockRef, list map[ethereum.Address]toRead) (rows []pegs.AccountBalance, err error) {
	accounts := slices.SortedFunc(maps.Keys(list), func(a, b ethereum.Address) int { return slices.Compare(a[:], b[:]) })
	block, err := ethereum.ParseHash(tip.Hash)
	if err != nil {
		return nil, err
	}
	coins, err := f.Accounts.Nodes.Balances(ctx, block, accounts)
	if err != nil {
		return nil, err
	}
	nonces, err := f.Accounts.Nodes.Nonces(ctx, block, accounts)
	if err != nil {
		return nil, err
	}
	for i, a := range accounts {
		r := f.row(a, "", amountOf(coins[i]))
		r.Nonce, r.Cause = nonces[i], list[a].cause
		rows = append(rows, r)
	}
	for _, token := range f.Accounts.Tokens {
		if f.soundToken(token.key()) != "" {
			continue
		}
		units, err := f.Accounts.Nodes.TokenBalances(ctx, block, token.Address, accounts)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil { // its deposits wait; those of others do not
			f.log.Warn("a token was not read", "token", token.Symbol, "error", err)
			continue
		}
		for i, a := range accounts {
			rows = append(rows, f.row(a, token.key(), amountOf(units[i])))
		}
	}
	return rows, nil
}

func (f *accountFollower) row(a ethereum.Address, token string, amount chains.Amount) pegs.AccountBalance {
	watch, _ := f.owner(a)
	return pegs.AccountBalance{
		Address: watch.Address, Kind: watch.Kind, Account: watch.Account, Epoch: watch.Epoch, Token: token, Amount: amount,
	}
}
