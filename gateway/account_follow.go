package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"causeway/chains"
	"causeway/chains/ethereum"
	"causeway/internal/failpoint"
	"causeway/pegs"
)

// Causes of automatic halts and alerts of chains of accounts.
const (
	causeFinality = "finality" // blocks become final too late, or not at all
	causeToken    = "token"    // a token is not what is configured
)

// step watches new accounts, follows the chain to its newest final block, reads what
// accounts hold there, and searches the past for accounts that came later.
func (f *accountFollower) step(ctx context.Context) error {
	more, err := true, error(nil)
	for more && err == nil {
		if err := f.watchNew(ctx); err != nil {
			return err
		}
		more, err = f.follow(ctx)
	}
	if fatal(err) {
		return err
	}
	head, final, headErr := f.heads(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if halt := errors.Join(haltFor(ctx, f.ledger, f.id, err), f.watchNodes(ctx, err, head, final, headErr)); halt != nil {
		return halt
	}
	if err = errors.Join(err, headErr); err != nil {
		return err
	}
	tip, ok := f.tip()
	if !ok || tip.Height < final.Height {
		return nil // the next step goes on
	}
	if err := errors.Join(f.checkTokens(ctx, tip), f.backscan(ctx), f.readOn(ctx)); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.synced = true
	return nil
}

// readOn reads what is due, and some of what has its turn.
func (f *accountFollower) readOn(ctx context.Context) error {
	_, err := f.read(ctx, true)
	return err
}

// heads asks for the newest block and the newest final one.
func (f *accountFollower) heads(ctx context.Context) (head, final chains.Header, err error) {
	if head, err = f.Accounts.Nodes.Head(ctx, ethereum.Latest); err != nil {
		return head, final, err
	}
	if final, err = f.Accounts.Nodes.Head(ctx, f.Accounts.Finality); err != nil {
		return head, final, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.head, f.final = head, final
	return head, final, nil
}

// watchNew matches the deposit addresses of new accounts from the next block on.
func (f *accountFollower) watchNew(ctx context.Context) (err error) {
	f.accounts, err = watchNewcomers(ctx, f.id, f.ledger, f.sidechain, f.accounts, f.watch)
	return err
}

// follow takes the chain's final blocks one by one; more says that there may be
// others.
func (f *accountFollower) follow(ctx context.Context) (more bool, err error) {
	for range blocksPerStep {
		var tail []chains.BlockRef
		if err := f.ledger.View(func(s *pegs.State) {
			c, _ := s.Chain(f.id)
			tail = c.TailRefs()
		}); err != nil {
			return false, err
		}
		step, err := f.steps.Next(ctx, tail)
		switch {
		case err != nil || step == nil:
			return false, err
		case step.Disconnected != nil:
			return false, fmt.Errorf("%s: %w: block %d %s was %s and is not in the chain", f.id, chains.ErrReorgTooDeep,
				step.Disconnected.Height, step.Disconnected.Hash, f.Accounts.Finality)
		}
		if err := f.connect(ctx, step.Connected); err != nil {
			return false, err
		}
	}
	return true, nil
}

// connect books a final block and, while the chain is followed as it grows, reads
// the accounts that it touches.
func (f *accountFollower) connect(ctx context.Context, block *ethereum.Block) error {
	match, err := f.match(ctx, block)
	if err != nil {
		return err
	}
	if n := len(match.Results) + len(match.Tokens); n > 0 {
		f.log.Info("block with transactions of ours", "height", block.Height, "block", block.Hash, "sent", len(match.Results), "transfers", len(match.Tokens))
	}
	if len(match.Results) > 0 {
		failpoint.Hit(failpoint.C19)
	}
	if err := f.ledger.Append(ctx, &pegs.Connected{Chain: f.id, Match: match}); err != nil {
		return err
	}
	touched := 0
	for account := range block.Touched(f.tokens) {
		if _, ours := f.owner(account); ours {
			f.readings.touch(account, causeOf(block, account))
			touched++
		}
	}
	if touched == 0 || !f.caughtUp() {
		return nil
	}
	_, err = f.read(ctx, false)
	return err
}

// causeOf is the one transaction of a block that brought coins to an account, if it
// is only one.
func causeOf(block *ethereum.Block, account ethereum.Address) (txid string) {
	for i := range block.Transactions {
		tx := &block.Transactions[i]
		if tx.To == nil || *tx.To != account || !tx.Succeeded || tx.Value.IsZero() {
			continue
		}
		if txid != "" {
			return ""
		}
		txid = tx.Hash.String()
	}
	return txid
}

// match is what a block holds for us.
func (f *accountFollower) match(ctx context.Context, block *ethereum.Block) (pegs.Match, error) {
	m := pegs.Match{Header: block.Header}
	var err error
	if m.Results, err = f.results(ctx, block); err != nil {
		return m, err
	}
	for _, t := range block.Transfers(f.tokens) {
		if log, ours := f.transfer(t); ours {
			m.Tokens = append(m.Tokens, log)
		}
	}
	return m, nil
}

// transfer is a transfer of a token in the ledger's form; ours says that it touches
// an account of ours.
func (f *accountFollower) transfer(t ethereum.Transfer) (log pegs.TokenLog, ours bool) {
	_, from := f.owner(t.From)
	to, received := f.owner(t.To)
	log = pegs.TokenLog{
		TxID: t.TxID.String(), Index: t.Index, Token: keyOf(t.Token), From: keyOf(t.From), To: keyOf(t.To), Amount: amountOf(t.Value),
	}
	if received {
		log.Kind, log.Account, log.Epoch, log.Address = to.Kind, to.Account, to.Epoch, to.Address
	}
	return log, from || received
}

// amountOf is a number of units; what is more than anything can be worth is the
// most that there is: a log may say it, and what was received bounds it.
func amountOf(w ethereum.Wei) chains.Amount {
	if a, err := w.Amount(); err == nil {
		return a
	}
	return mostAmount()
}

// mostAmount is 2^128 - 1.
func mostAmount() chains.Amount {
	most, _ := chains.ParseAmount("340282366920938463463374607431768211455")
	return most
}

// results are the transactions of a block that accounts of ours sent. Of those that a
// node says are ours, and of those that we signed, the signature says whose they are:
// a node that says otherwise is not believed, and stops nothing.
func (f *accountFollower) results(ctx context.Context, block *ethereum.Block) (list []pegs.Result, err error) {
	signed, err := f.signedAmong(block)
	if err != nil {
		return nil, err
	}
	var calls []tokenCall
	for i := range block.Transactions {
		tx := &block.Transactions[i]
		if _, ours := f.owner(tx.From); !ours && !signed[tx.Hash.String()] {
			continue
		}
		from, err := tx.Sender()
		if err != nil {
			return nil, fmt.Errorf("%s block %s: %w: %w", f.id, block.Hash, chains.ErrUnavailable, err)
		}
		if from != tx.From {
			f.log.Warn("a node lies about a sender", "block", block.Hash, "transaction", tx.Hash.String(), "said", tx.From.String(), "signed", from.String())
			tx.From = from
		}
		if _, ours := f.owner(from); !ours {
			continue
		}
		r, call := f.result(tx)
		if call {
			calls = append(calls, tokenCall{&r, tx})
			r.Failed = !tx.Succeeded
		}
		list = append(list, r)
	}
	for i := range calls { // the list does not grow any more
		at := slices.IndexFunc(list, func(r pegs.Result) bool { return r.TxID == calls[i].tx.Hash.String() })
		calls[i].result = &list[at]
	}
	return list, f.judgeCalls(ctx, block, calls)
}

// signedAmong are the transactions of a block that the ledger knows as signed.
func (f *accountFollower) signedAmong(block *ethereum.Block) (map[string]bool, error) {
	known := map[string]bool{}
	err := f.ledger.View(func(s *pegs.State) {
		for i := range block.Transactions {
			if txid := block.Transactions[i].Hash.String(); s.Variant(f.id, txid) != nil {
				known[txid] = true
			}
		}
	})
	return known, err
}

// result is a transaction of ours in the ledger's form, and whether it calls
// transfer of a token.
func (f *accountFollower) result(tx *ethereum.Mined) (r pegs.Result, call bool) {
	r = pegs.Result{
		TxID: tx.Hash.String(), From: keyOf(tx.From), Nonce: tx.Nonce, Value: amountOf(tx.Value), Failed: !tx.Succeeded, Fee: amountOf(tx.Fee),
	}
	if tx.To == nil {
		return r, false
	}
	r.To = keyOf(*tx.To)
	receiver := *tx.To
	if payee, units, ok := ethereum.ParseTransferCall(tx.Data); ok && f.tokens[*tx.To] {
		r.Token, r.Payee, r.Units = r.To, keyOf(payee), amountOf(units)
		receiver, call = payee, true
	}
	if watch, ours := f.owner(receiver); ours {
		r.Kind = watch.Kind
	}
	return r, call
}

// tokenCall is a call of transfer that we sent.
type tokenCall struct {
	result *pegs.Result
	tx     *ethereum.Mined
}

// judgeCalls finds out which calls of tokens moved nothing although they succeeded
// (gateway.md 2.6): neither status nor log proves that anybody was paid. What the
// sender held before and after the block does, with what the token says came in.
func (f *accountFollower) judgeCalls(ctx context.Context, block *ethereum.Block, calls []tokenCall) error {
	type account struct{ from, token ethereum.Address }
	groups := map[account][]tokenCall{}
	for _, c := range calls {
		if c.tx.Succeeded {
			groups[account{c.tx.From, *c.tx.To}] = append(groups[account{c.tx.From, *c.tx.To}], c)
		}
	}
	for of, group := range groups {
		taken, known, err := f.taken(ctx, block, of.from, of.token)
		if err != nil {
			return err
		}
		asked := ethereum.Wei{}
		for _, c := range group {
			_, units, _ := ethereum.ParseTransferCall(c.tx.Data)
			if asked, err = asked.Add(units); err != nil {
				return err
			}
		}
		if !known || !taken.Less(asked) {
			continue
		}
		for _, c := range group {
			c.result.Failed = taken.IsZero() || !tells(block, c.tx, of.token)
		}
	}
	return nil
}

// tells says whether a transaction's own logs say that the token moved from its
// sender.
func tells(block *ethereum.Block, tx *ethereum.Mined, token ethereum.Address) bool {
	return slices.ContainsFunc(block.Transfers(map[ethereum.Address]bool{token: true}), func(t ethereum.Transfer) bool {
		return t.TxID == tx.Hash && t.From == tx.From
	})
}

// taken is what left an account of a token in a block, by its balances. known is
// false when the nodes have these states no more: then the token is believed, so
// that nobody is paid twice.
func (f *accountFollower) taken(ctx context.Context, block *ethereum.Block, from, token ethereum.Address) (taken ethereum.Wei, known bool, err error) {
	taken, err = f.Accounts.Nodes.TokensTaken(ctx, block, from, token)
	if err == nil || ctx.Err() != nil {
		return taken, err == nil, ctx.Err()
	}
	id, parsed := ethereum.ParseHash(block.Hash)
	if parsed != nil {
		return taken, false, parsed
	}
	return taken, false, f.excused(ctx, id, from, err)
}

// excused says nil when a token could not be asked although the state is there, or
// when the block is so old that its state need not be: err otherwise.
func (f *accountFollower) excused(ctx context.Context, block ethereum.Hash, account ethereum.Address, err error) error {
	if !f.caughtUp() {
		return nil
	}
	if _, coins := f.Accounts.Nodes.Balances(ctx, block, []ethereum.Address{account}); coins != nil {
		return err
	}
	f.log.Warn("a token does not answer", "error", err)
	return nil
}

func (f *accountFollower) tip() (tip chains.BlockRef, ok bool) {
	err := f.ledger.View(func(s *pegs.State) {
		c, _ := s.Chain(f.id)
		tip, ok = c.Tip()
	})
	return tip, ok && err == nil
}

// watchNodes brings halts and alerts for what the nodes do into force and takes back
// those whose cause is gone.
func (f *accountFollower) watchNodes(ctx context.Context, followed error, head, final chains.Header, headErr error) error {
	if known, err := f.watcher.judge(ctx, f.ledger, f.id, errors.Join(followed, headErr), dissentOf(f.health())); err != nil || !known {
		return err
	}
	lag := laggards(f.health(), head.BlockRef, f.Quorum, f.MaxLag)
	if age := f.watcher.now().Sub(time.Unix(head.Time, 0)); lag == "" && f.MaxTipAge > 0 && age > f.MaxTipAge {
		lag = fmt.Sprintf("the newest block, %d, is %s old", head.Height, age.Round(time.Minute))
	}
	if err := f.watcher.judgeLag(ctx, f.ledger, f.id, lag); err != nil {
		return err
	}
	stall, alert, halt := time.Duration(head.Time-final.Time)*time.Second, "", ""
	if most := f.Accounts.MaxFinalityLag; most > 0 && stall > most {
		alert = fmt.Sprintf("the newest %s block, %d, is %s behind the newest one", f.Accounts.Finality, final.Height, stall.Round(time.Minute))
		if stall > most+most/2 {
			halt = alert
		}
	}
	return errors.Join(setAlert(ctx, f.ledger, f.id, causeFinality, alert), setHalt(ctx, f.ledger, f.id, causeFinality, halt, pegs.ScopeMinting))
}
