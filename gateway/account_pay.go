package gateway

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"causeway/chains"
	"causeway/chains/ethereum"
	"causeway/hotwallet"
	"causeway/pegs"
)

// accountPayer plans and signs the transactions of one chain of accounts: one for
// each withdrawal, and those that bring coins and tokens to where they are paid
// from. Nonces come from the ledger alone.
type accountPayer struct {
	ChainConfig
	office
	follower *accountFollower
	stuck    map[string]stuckSince // by batch: since when it is the next to be mined
	frozen   map[string]bool       // heaps that cannot be swept, by address and token
	waits    map[string]putOff     // withdrawals that nobody could judge
	turn     uint64                // of plan
}

// putOff is a withdrawal of which the nodes did not say whether its payee can be paid:
// it does not keep those behind it from being paid.
type putOff struct{ until, pause uint64 } // turns

// errUnjudged says of one withdrawal that nobody knows whether it can be paid.
var errUnjudged = errors.New("gateway: not known whether it can be paid")

const (
	// unjudgedPerTurn bounds how many withdrawals may fail to be judged in one turn,
	// maxPutOff for how many turns one is put off.
	unjudgedPerTurn = 16
	maxPutOff       = 64
)

func newAccountPayer(g *Gateway, f *accountFollower) *accountPayer {
	p := &accountPayer{
		ChainConfig: f.ChainConfig, follower: f, stuck: map[string]stuckSince{}, frozen: map[string]bool{}, waits: map[string]putOff{},
	}
	p.office = newOffice(g, f, p)
	return p
}

// accountPlan is what a batch is to sign, in the plan's JSON.
type accountPlan struct {
	ethereum.Transaction
	From     ethereum.Address `json:"from"`
	Unsigned []byte           `json:"unsigned"`
	// Payee is the account of ours that a top-up pays.
	Payee *chains.Watch `json:"payee,omitempty"`
}

// step does what can be done; what fails does not keep the rest from it.
func (p *accountPayer) step(ctx context.Context) error {
	if err := p.remember(ctx); err != nil {
		return errors.Join(err, p.check(ctx))
	}
	var errs []error
	for _, do := range []func(context.Context) error{p.check, p.lift, p.replan, p.plan, p.gather, p.sign} {
		errs = append(errs, do(ctx))
	}
	return errors.Join(errs...)
}

// payable implements papers.
func (p *accountPayer) payable(s *pegs.State, w *pegs.Withdrawal) (script []byte, reason string) {
	payee, err := ethereum.ParseAddress(w.Address)
	if err != nil {
		return nil, "address: " + err.Error()
	}
	if watch, ok := p.follower.owner(payee); ok && watch.Kind != chains.WatchDeposit {
		return nil, "the address is the gateway's own"
	}
	switch {
	case payee == ethereum.Address{}:
		return nil, "the address is nobody's"
	case p.follower.tokens[payee]:
		return nil, "the address is a token's contract"
	case w.Amount.IsZero():
		return nil, "the amount is less than the smallest unit"
	}
	if _, ok := p.tokenOf(w); w.Token != "" && !ok {
		return nil, "asset " + w.Symbol + " cannot be paid on this chain"
	}
	return payee[:], ""
}

// tokenOf is the token that a withdrawal is paid in.
func (p *accountPayer) tokenOf(w *pegs.Withdrawal) (AccountToken, bool) {
	for _, t := range p.Accounts.Tokens {
		if t.key() == w.Token {
			return t, true
		}
	}
	return AccountToken{}, false
}

// need is what waits to be paid and cannot be from what the hot account holds, by
// token.
type need map[string]chains.Amount

// plan pays what waits, one transaction a withdrawal, oldest first, as far as the
// hot account and its nonces go. What cannot be paid does not keep the rest from it.
func (p *accountPayer) plan(ctx context.Context) error {
	queue, err := p.queue()
	if err != nil || len(queue) == 0 {
		return err
	}
	if !p.follower.caughtUp() {
		for _, w := range queue {
			p.notes.set(w.ID, "waits: the chain was not read to its end yet")
		}
		return nil
	}
	terms, err := p.terms(ctx, "")
	if err != nil {
		return err
	}
	p.turn++
	waits, unjudged := map[string]putOff{}, 0
	for i := range queue {
		w := &queue[i]
		late := p.waits[w.ID]
		if p.turn < late.until {
			waits[w.ID] = late
			continue
		}
		planned, err := p.planOne(ctx, w, terms)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errUnjudged):
			unjudged++
			late.pause = min(max(2*late.pause, 1), maxPutOff)
			late.until = p.turn + late.pause
			waits[w.ID] = late
			p.notes.set(w.ID, "waits: "+oneLine(err.Error(), maxReason))
			p.log.Warn("a withdrawal cannot be judged now", "withdrawal", w.ID, "turns", late.pause, "error", err)
		case err != nil:
			return err
		}
		if planned || unjudged >= unjudgedPerTurn {
			for _, rest := range queue[i+1:] {
				if late, ok := p.waits[rest.ID]; ok {
					waits[rest.ID] = late
				}
			}
			break
		}
	}
	p.waits = waits
	return nil
}

// queue is a copy of the withdrawals that wait.
func (p *accountPayer) queue() (queue []pegs.Withdrawal, err error) {
	err = p.ledger.View(func(s *pegs.State) {
		for _, w := range s.ToPlan(p.id) {
			queue = append(queue, *w)
		}
	})
	return queue, err
}

// terms are the price of gas and what a transaction may burn.
type terms struct {
	price  ethereum.Price
	market ethereum.Market
	budget chains.Amount
}

// terms asks for the price of gas. bumped is the batch that is to be made dearer.
func (p *accountPayer) terms(ctx context.Context, bumped string) (t terms, err error) {
	if t.market, err = p.Accounts.Nodes.Market(ctx); err != nil {
		return t, err
	}
	t.price = p.Accounts.Fees.Price(t.market)
	if t.budget, err = p.feeBudget(bumped); err != nil {
		return t, err
	}
	if limit := p.Caps.MaxFee; !limit.IsZero() && limit.Less(t.budget) {
		t.budget = limit
	}
	return t, nil
}

// feeOf is the most that gas at a price can cost.
func feeOf(gas uint64, price ethereum.Price) (chains.Amount, error) {
	fee, err := price.Max.Times(gas)
	if err != nil {
		return chains.Amount{}, err
	}
	return fee.Amount()
}

// planOne plans the payout of one withdrawal, or parks it when its payee cannot be
// paid: what would be reverted, or eats gas, is never signed.
func (p *accountPayer) planOne(ctx context.Context, w *pegs.Withdrawal, t terms) (planned bool, err error) {
	from, hot, err := p.own(chains.WatchChange)
	if err != nil {
		return false, err
	}
	coins, units, nonce, ready, err := p.holds(hot, w.Token)
	if err != nil {
		return false, err
	}
	if why := p.holdsBack(w, coins, units, ready); why != "" {
		p.notes.set(w.ID, "waits: "+why)
		return false, nil
	}
	tx, err := p.payment(w)
	if err != nil {
		return false, fmt.Errorf("%w: %w", errUnjudged, err)
	}
	if tx.Gas, err = p.Accounts.Nodes.Gas(ctx, from, tx); errors.Is(err, ethereum.ErrReverts) || errors.Is(err, ethereum.ErrGasCap) {
		return true, p.park(ctx, w.ID, err)
	}
	if err != nil {
		return false, fmt.Errorf("%w: %w", errUnjudged, err)
	}
	tx.Nonce, tx.Price = nonce, t.price
	fee, err := feeOf(tx.Gas, tx.Price)
	if err != nil {
		return false, err
	}
	total := fee
	if w.Token == "" {
		total = sumOf(fee, w.Amount)
	}
	switch {
	case t.budget.Less(fee):
		p.notes.set(w.ID, fmt.Sprintf("waits: the fee of %s is more than the fees pay: %s", p.coin(fee, ""), p.coin(t.budget, "")))
		return false, nil
	case coins.Less(total):
		p.notes.set(w.ID, p.short(total, coins, ""))
		return false, nil
	}
	p.hook("C10")
	done, err := p.intend(ctx, pegs.BatchPayout, []string{w.ID}, accountPlan{Transaction: tx, From: from})
	if done {
		p.hook("C11")
	}
	return done, err
}

// holdsBack says why nothing can be planned for a withdrawal now.
func (p *accountPayer) holdsBack(w *pegs.Withdrawal, coins, units chains.Amount, ready bool) string {
	limit := p.Caps.MaxTotal
	switch why := p.follower.soundToken(w.Token); {
	case why != "":
		return why
	case w.Token == "" && !limit.IsZero() && limit.Less(w.Amount):
		return p.coin(w.Amount, "") + " is more than the signer pays at once"
	case !ready:
		return "a payout before it is not assigned yet, or too many wait for a block"
	case w.Token != "" && units.Less(w.Amount):
		return p.short(w.Amount, units, w.Token)
	case w.Token == "" && coins.Less(w.Amount):
		return p.short(w.Amount, coins, "")
	}
	return ""
}

func (p *accountPayer) short(need, have chains.Amount, token string) string {
	return fmt.Sprintf("not enough in the hot account: need %s, have %s", p.coin(need, token), p.coin(have, token))
}

// coin is an amount in coins or tokens, for people.
func (p *accountPayer) coin(a chains.Amount, token string) string {
	for _, t := range p.Accounts.Tokens {
		if t.key() == token {
			return a.Coin(t.Decimals)
		}
	}
	return a.Coin(pegs.CoinDecimals(p.id))
}

// payment is what pays a withdrawal, without nonce, gas and price.
func (p *accountPayer) payment(w *pegs.Withdrawal) (tx ethereum.Transaction, err error) {
	script, err := hex.DecodeString(w.Script)
	if err != nil || len(script) != len(ethereum.Address{}) {
		return tx, fmt.Errorf("gateway: account %q of withdrawal %s", w.Script, w.ID)
	}
	tx = ethereum.Transaction{ChainID: p.Accounts.ChainID, To: ethereum.Address(script), Value: ethereum.WeiOf(w.Amount)}
	if w.Token == "" {
		return tx, nil
	}
	token, ok := p.tokenOf(w)
	if !ok {
		return tx, fmt.Errorf("gateway: token %s of withdrawal %s is not configured", w.Token, w.ID)
	}
	tx.Data, tx.To, tx.Value = ethereum.TransferCall(tx.To, tx.Value), token.Address, ethereum.Wei{}
	return tx, nil
}

// park gives a withdrawal back whose payee cannot be paid.
func (p *accountPayer) park(ctx context.Context, id string, why error) error {
	reason := "the payee does not take it: " + oneLine(why.Error(), maxReason)
	p.log.Warn("withdrawal cannot be paid", "withdrawal", id, "reason", reason)
	return p.ledger.Do(ctx, func(s *pegs.State) ([]Entry, error) {
		if w, ok := s.Withdrawal(id); !ok || w.Batch != "" || w.Parked != nil || w.Returned != nil {
			return nil, nil
		}
		return []Entry{{Event: &pegs.Parked{Withdrawal: id, Reason: reason, GiveBack: true}}}, nil
	})
}

// own is the account of ours of a kind, of the newest epoch, and its text.
func (p *accountPayer) own(kind chains.WatchKind) (a ethereum.Address, text string, err error) {
	if err := p.ledger.View(func(s *pegs.State) {
		c, _ := s.Chain(p.id)
		text, err = c.OwnAddress(kind)
	}); err != nil {
		return a, "", err
	}
	if err != nil {
		return a, "", err
	}
	a, err = ethereum.ParseAddress(text)
	return a, text, err
}

// holds is what an account has left of coins and of a token, and the nonce that a
// plan may use now, if any.
func (p *accountPayer) holds(account, token string) (coins, units chains.Amount, nonce uint64, ready bool, err error) {
	err = p.ledger.View(func(s *pegs.State) {
		coins, _ = s.Free(p.id, account, "")
		units, _ = s.Free(p.id, account, token)
		nonce, ready = s.NextNonce(p.id, account)
	})
	return coins, units, nonce, ready, err
}

// intend writes down what a batch is to sign, if its nonce is still the next one.
func (p *accountPayer) intend(ctx context.Context, kind string, withdrawals []string, plan accountPlan) (done bool, err error) {
	event, err := p.intent(kind, withdrawals, plan)
	if err != nil {
		return false, err
	}
	err = p.ledger.Do(ctx, func(s *pegs.State) ([]Entry, error) {
		nonce, ok := s.NextNonce(p.id, event.Inputs[0].TxID)
		if !ok || nonce != plan.Nonce || !s.PaysOut(p.id) {
			return nil, nil
		}
		for _, id := range withdrawals {
			if w, ok := s.Withdrawal(id); !ok || s.WithdrawalState(w) != pegs.WithdrawalQueued {
				return nil, nil
			}
		}
		done = true
		return []Entry{{Event: event}}, nil
	})
	if done && err == nil {
		for _, id := range withdrawals {
			p.notes.set(id, "")
		}
		p.log.Info("batch planned", "batch", event.Batch, "kind", kind, "from", event.Inputs[0].TxID, "nonce", plan.Nonce, "fee", event.Fee.String())
	}
	return done && err == nil, err
}

func (p *accountPayer) intent(kind string, withdrawals []string, plan accountPlan) (*pegs.Planned, error) {
	text, fee, err := plan.seal()
	if err != nil {
		return nil, err
	}
	inputs := []chains.Outpoint{{TxID: keyOf(plan.From), Index: uint32(plan.Nonce)}}
	token, value := plan.moves()
	return &pegs.Planned{
		Batch: pegs.BatchID(p.id, kind, withdrawals, inputs), Chain: p.id, BatchKind: kind, Withdrawals: withdrawals, Inputs: inputs,
		Fee: fee, Plan: text, Token: token, Value: value,
	}, nil
}

// seal makes the bytes to be signed, and the plan's JSON.
func (plan *accountPlan) seal() (text json.RawMessage, fee chains.Amount, err error) {
	if fee, err = feeOf(plan.Gas, plan.Price); err != nil {
		return nil, fee, err
	}
	if plan.Unsigned, err = plan.Transaction.Unsigned(); err != nil {
		return nil, fee, err
	}
	text, err = json.Marshal(plan)
	return text, fee, err
}

// moves is what leaves the account, fee apart: of which token, and how much.
func (plan *accountPlan) moves() (token string, value chains.Amount) {
	if _, units, ok := ethereum.ParseTransferCall(plan.Data); ok {
		return keyOf(plan.To), amountOf(units)
	}
	return "", amountOf(plan.Value)
}

// signedEvent implements papers.
func (p *accountPayer) signedEvent(batch string, signed hotwallet.Signed) (*pegs.Signed, error) {
	tx, err := ethereum.Decode(signed.Raw)
	if err != nil {
		return nil, err
	}
	if tx.Hash.String() != signed.TxID {
		return nil, fmt.Errorf("gateway: the signer names %s as %s", tx.Hash, signed.TxID)
	}
	fee, err := feeOf(tx.Gas, tx.Price)
	if err != nil {
		return nil, err
	}
	return &pegs.Signed{Batch: batch, TxID: signed.TxID, Raw: signed.Raw, Fee: fee, VSize: tx.Gas, Counter: signed.Counter}, nil
}

// complete implements papers: nothing was before a nonce.
func (p *accountPayer) complete(context.Context, *hotwallet.SignRequest) error { return nil }

// request implements papers.
func (p *accountPayer) request(batch string) (r hotwallet.SignRequest, err error) {
	var plan accountPlan
	var counter uint64
	if err := p.ledger.View(func(s *pegs.State) {
		counter = s.SignerCounter()
		if b, ok := s.Batch(batch); ok {
			err = json.Unmarshal(b.Plan, &plan)
		}
	}); err != nil {
		return r, err
	}
	if err != nil {
		return r, err
	}
	if err := p.sidechain.View(func(v SideState) error { r, err = rowsOf(v, batch); return err }); err != nil {
		return r, err
	}
	watch, ok := p.follower.owner(plan.From)
	if !ok {
		return r, fmt.Errorf("gateway: batch %s sends from %s, which is none of ours", batch, plan.From)
	}
	r.Unsigned, r.Payee, r.Counter = plan.Unsigned, plan.Payee, counter
	r.Inputs = []hotwallet.SignInput{{Outpoint: chains.Outpoint{TxID: keyOf(plan.From), Index: uint32(plan.Nonce)}, Watch: watch}}
	payee := plan.To
	if to, _, token := ethereum.ParseTransferCall(plan.Data); token {
		payee = to
	}
	if to, ours := p.follower.owner(payee); ours && to.Kind == chains.WatchChange {
		r.ChangeEpoch = to.Epoch
	}
	return r, nil
}
