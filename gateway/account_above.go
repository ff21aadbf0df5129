package gateway

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"causeway/chains"
	"causeway/chains/ethereum"
	"causeway/pegs"
)

// unfinal is what blocks hold that are not final yet, for users' eyes: it stands in
// no event and counts for nothing.
type unfinal struct {
	mu       sync.Mutex
	blocks   []aboveBlock // linked, oldest first
	deposits []aboveDeposit
	since    map[string]seenSince // by deposit's id
	order    uint64
}

// aboveBlock is one such block.
type aboveBlock struct {
	header    chains.Header
	balances  map[ethereum.Address]chains.Amount // of deposit addresses that it touches
	causes    map[ethereum.Address]string        // the one transaction that brought them coins
	transfers []pegs.TokenLog                    // to deposit addresses
	sent      []pegs.Result
}

// aboveDeposit is a deposit with the id that it will have once it is final.
type aboveDeposit struct {
	id, token string
	owner     chains.Watch
	amount    chains.Amount
	in        chains.BlockRef
	at        chains.Outpoint
}

type seenSince struct {
	at    time.Time
	order uint64
}

// abovePerStep bounds the blocks that are read at once.
const abovePerStep = 128

// lookAbove follows the blocks above the newest one of the ledger.
func (f *accountFollower) lookAbove(ctx context.Context) error {
	tip, ok := f.tip()
	if !ok || !f.caughtUp() {
		return nil
	}
	head, err := f.Accounts.Nodes.Head(ctx, ethereum.Latest)
	if err != nil {
		return err
	}
	blocks, err := f.standing(ctx, tip)
	if err != nil {
		return err
	}
	last := tip
	if n := len(blocks); n > 0 {
		last = blocks[n-1].header.BlockRef
	}
	for n := 0; last.Height < head.Height && n < abovePerStep; n++ {
		block, err := f.blockAbove(ctx, last)
		if errors.Is(err, chains.ErrNotFound) || errors.Is(err, chains.ErrNotLinked) {
			break // it changes at this very moment
		}
		if err != nil {
			return err
		}
		blocks = append(blocks, *block)
		last = block.header.BlockRef
	}
	return f.showAbove(tip, blocks)
}

// standing are the blocks known above the ledger's that are still in the chain.
func (f *accountFollower) standing(ctx context.Context, tip chains.BlockRef) ([]aboveBlock, error) {
	f.above.mu.Lock()
	blocks := slices.Clone(f.above.blocks)
	f.above.mu.Unlock()
	blocks = slices.DeleteFunc(blocks, func(b aboveBlock) bool { return b.header.Height <= tip.Height })
	if len(blocks) > 0 && (blocks[0].header.Height != tip.Height+1 || blocks[0].header.Parent != tip.Hash) {
		return nil, nil
	}
	for n := len(blocks); n > 0; n-- {
		hash, err := f.Accounts.Nodes.HashAt(ctx, blocks[n-1].header.Height)
		if err != nil && !errors.Is(err, chains.ErrNotFound) {
			return nil, err
		}
		if err == nil && hash == blocks[n-1].header.Hash {
			return blocks[:n], nil
		}
	}
	return nil, nil
}

// blockAbove reads the block above another.
func (f *accountFollower) blockAbove(ctx context.Context, below chains.BlockRef) (*aboveBlock, error) {
	header, err := f.Accounts.Nodes.HeaderAt(ctx, below.Height+1)
	if err != nil {
		return nil, err
	}
	if header.Parent != below.Hash {
		return nil, chains.ErrNotLinked
	}
	hash, err := ethereum.ParseHash(header.Hash)
	if err != nil {
		return nil, err
	}
	block, err := f.Accounts.Nodes.Block(ctx, hash)
	if err != nil {
		return nil, err
	}
	out := &aboveBlock{header: block.Header, balances: map[ethereum.Address]chains.Amount{}, causes: map[ethereum.Address]string{}}
	for _, t := range block.Transfers(f.tokens) {
		if log, _ := f.transfer(t); log.Kind == chains.WatchDeposit {
			out.transfers = append(out.transfers, log)
		}
	}
	for i := range block.Transactions {
		if _, ours := f.owner(block.Transactions[i].From); ours {
			r, _ := f.result(&block.Transactions[i])
			out.sent = append(out.sent, r)
		}
	}
	var touched []ethereum.Address
	for a := range block.Touched(nil) {
		if watch, ours := f.owner(a); ours && watch.Kind == chains.WatchDeposit {
			touched = append(touched, a)
		}
	}
	if len(touched) == 0 {
		return out, nil
	}
	list, err := f.Accounts.Nodes.Balances(ctx, hash, touched)
	if err != nil {
		return nil, err
	}
	for i, a := range touched {
		out.balances[a], out.causes[a] = amountOf(list[i]), causeOf(block, a)
	}
	return out, nil
}

// showAbove works out the deposits in the blocks, as the ledger will book them.
func (f *accountFollower) showAbove(tip chains.BlockRef, blocks []aboveBlock) error {
	var deposits []aboveDeposit
	moved := false
	if err := f.ledger.View(func(s *pegs.State) {
		c, _ := s.Chain(f.id)
		if now, _ := c.Tip(); now != tip {
			moved = true
			return
		}
		deposits = append(f.lingering(s, c), f.depositsAbove(c, blocks)...)
	}); err != nil || moved { // the next look has them all
		return err
	}
	u := &f.above
	u.mu.Lock()
	defer u.mu.Unlock()
	since := map[string]seenSince{}
	for _, d := range deposits {
		known, ok := u.since[d.id]
		if !ok {
			u.order++
			known = seenSince{time.Now().UTC(), u.order}
		}
		since[d.id] = known
	}
	u.blocks, u.deposits, u.since = blocks, deposits, since
	return nil
}

// lingering are the deposits shown whose block the ledger holds by now, and which it
// has not booked because their account is not read yet: nobody sees them vanish.
func (f *accountFollower) lingering(s *pegs.State, c *pegs.Chain) (list []aboveDeposit) {
	f.above.mu.Lock()
	defer f.above.mu.Unlock()
	for _, d := range f.above.deposits {
		_, booked := s.Deposit(d.id)
		_, read, ok := c.Balance(strings.ToLower(d.owner.Address), d.token)
		if !booked && c.Has(d.in) && (!ok || read.Height < d.in.Height) {
			list = append(list, d)
		}
	}
	return list
}

func (f *accountFollower) depositsAbove(c *pegs.Chain, blocks []aboveBlock) (list []aboveDeposit) {
	touched := map[string]bool{}
	for _, b := range blocks {
		for a := range b.balances {
			touched[keyOf(a)] = true
		}
	}
	received, base := map[string]chains.Amount{}, map[string]chains.Amount{} // by the rule; and what of it the ledger's reading holds
	if len(touched) > 0 {
		for _, h := range c.AccountsHeld() {
			if a, err := ethereum.ParseAddress(h.Address); err == nil && h.Token == "" && touched[keyOf(a)] {
				received[keyOf(a)], base[keyOf(a)] = h.Received, h.Amount
			}
		}
	}
	out, in := map[string]chains.Amount{}, map[string]chains.Amount{} // by transactions of these blocks
	for _, b := range blocks {
		for _, r := range b.sent {
			out[r.From] = sumOf(out[r.From], r.Fee)
			if !r.Failed {
				out[r.From] = sumOf(out[r.From], r.Value)
				if a, err := ethereum.ParseAddress(r.From); err == nil && r.Kind != "" {
					if from, _ := f.owner(a); from.Kind == chains.WatchSweeper {
						in[r.To] = sumOf(in[r.To], r.Value)
					}
				}
			}
		}
		for _, a := range slices.SortedFunc(maps.Keys(b.balances), func(a, b ethereum.Address) int { return slices.Compare(a[:], b[:]) }) {
			key := keyOf(a)
			total := restOf(sumOf(sumOf(restOf(received[key], base[key]), b.balances[a]), out[key]), in[key])
			if before := received[key]; before.Less(total) {
				owner, _ := f.owner(a)
				list = append(list, aboveDeposit{
					id: pegs.CoinDepositID(f.id, key, before), owner: owner, amount: restOf(total, before), in: b.header.BlockRef,
					at: chains.Outpoint{TxID: b.causes[a]},
				})
				base[key] = sumOf(base[key], restOf(total, before)) // so that received - base stays
				received[key] = total
			}
		}
		for _, t := range b.transfers {
			o := chains.Outpoint{TxID: t.TxID, Index: t.Index}
			owner := chains.Watch{Kind: t.Kind, Account: t.Account, Epoch: t.Epoch, Address: t.Address}
			list = append(list, aboveDeposit{id: pegs.DepositID(f.id, o), token: t.Token, owner: owner, amount: t.Amount, in: b.header.BlockRef, at: o})
		}
	}
	return list
}

// sumOf and restOf are for display: what does not fit is left out.
func sumOf(a, b chains.Amount) chains.Amount {
	if sum, err := a.Add(b); err == nil {
		return sum
	}
	return a
}

func restOf(a, b chains.Amount) chains.Amount {
	rest, err := a.Sub(b)
	if err != nil {
		return chains.Amount{}
	}
	return rest
}

// seen implements served.
func (f *accountFollower) seen(g *Gateway, s *pegs.State, account string) (list []seenDeposit) {
	f.above.mu.Lock()
	defer f.above.mu.Unlock()
	for _, d := range f.above.deposits {
		asset, ok := s.AssetOf(f.id, d.token)
		if account != "" && d.owner.Account != account || d.token != "" && !ok {
			continue
		}
		since := f.above.since[d.id]
		list = append(list, seenDeposit{id: d.id, at: since.at, order: since.order, view: func(*pegs.State) Deposit { return f.aboveView(d, asset, since.at) }})
	}
	return list
}

func (f *accountFollower) aboveView(d aboveDeposit, asset pegs.Asset, at time.Time) Deposit {
	quantity, remainder, err := asset.Quantity(d.amount)
	if err != nil {
		quantity = ""
	}
	v := Deposit{
		ID: d.id, Chain: string(f.id), Symbol: asset.Symbol, Account: d.owner.Account, Address: d.owner.Address,
		TxID: d.at.TxID, Index: d.at.Index, Block: &d.in.Hash, Height: &d.in.Height, Amount: d.amount.Coin(asset.Decimals),
		Quantity: quantity, Remainder: remainder.Coin(asset.Decimals), State: string(pegs.DepositConfirming),
		History: []Step{{State: string(pegs.DepositConfirming), At: at, Detail: "block " + d.in.Hash}},
	}
	v.Confirmations, v.ConfirmationsNeeded = f.shown(&d.in, 0, 0)
	return v
}

// unsettled implements served.
func (f *accountFollower) unsettled(variants []pegs.Signed) (txid string, in *chains.BlockRef) {
	f.above.mu.Lock()
	defer f.above.mu.Unlock()
	for _, b := range f.above.blocks {
		for _, r := range b.sent {
			if slices.ContainsFunc(variants, func(v pegs.Signed) bool { return v.TxID == r.TxID }) {
				return r.TxID, &b.header.BlockRef
			}
		}
	}
	return "", nil
}
