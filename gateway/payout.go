package gateway

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"causeway/chains"
	"causeway/hotwallet"
	"causeway/pegs"
)

// payer plans and signs the payouts of one chain. Between the plan and the
// signature stands the sidechain's assign row.
type payer struct {
	ChainConfig
	office
	follower *follower
	mempool  *mempool
	rates    rates
	turn     int  // of the queue: where the part begins that is tried next in its turn
	refused  bool // the signer signs nothing on this chain
}

const (
	// maxPayees bounds the withdrawals of one transaction.
	maxPayees = 100
	// checksPerCommit bounds the withdrawals that are checked at once: others append
	// meanwhile.
	checksPerCommit = 500
	// feeTarget is the number of blocks within which a payout should confirm.
	feeTarget = 6
	// fallbackRate is used when no node has an estimate, within the limits.
	fallbackRate chains.FeeRate = 5000
	// planLabel stands for the batch id while the inputs that it is made of are
	// not chosen.
	planLabel = "plan"
)

func newPayer(g *Gateway, f *follower) *payer {
	p := &payer{ChainConfig: f.ChainConfig, follower: f, mempool: g.mempools[f.id]}
	p.office = newOffice(g, f, p)
	p.bounded()
	return p
}

// bounded keeps the caps within those of the signer.
func (p *payer) bounded() { p.Caps, p.refused = p.limits.within(p.id, p.follower.Caps) }

// step does what can be done; what fails does not keep the rest from it. Without
// what the signer remembers nothing rests on what was signed before.
func (p *payer) step(ctx context.Context) error {
	if err := errors.Join(p.remember(ctx), p.limits.learn()); err != nil {
		return errors.Join(err, p.check(ctx))
	}
	p.bounded()
	var errs []error
	for _, do := range []func(context.Context) error{p.check, p.lift, p.plan, p.replan, p.tidy, p.sign} {
		errs = append(errs, do(ctx))
	}
	return errors.Join(errs...)
}

// check queues the withdrawals that can be paid and parks the others, whose
// tokens are then given back.
func (p *office) check(ctx context.Context) error {
	for {
		waits := 0
		if err := p.ledger.View(func(s *pegs.State) { waits = len(s.ToCheck(p.id)) }); err != nil || waits == 0 {
			return err
		}
		if err := p.checkSome(ctx); err != nil || waits <= checksPerCommit {
			return err
		}
	}
}

func (p *office) checkSome(ctx context.Context) error {
	return p.ledger.Do(ctx, func(s *pegs.State) (entries []Entry, err error) {
		waits := s.ToCheck(p.id)
		for _, w := range waits[:min(len(waits), checksPerCommit)] {
			script, reason := p.papers.payable(s, w)
			if reason != "" {
				p.log.Warn("withdrawal cannot be paid", "withdrawal", w.ID, "reason", reason)
				entries = append(entries, Entry{Event: &pegs.Parked{Withdrawal: w.ID, Reason: reason, GiveBack: true}})
				continue
			}
			entries = append(entries, Entry{Event: &pegs.Queued{Withdrawal: w.ID, Script: hex.EncodeToString(script), Amount: w.Amount}})
		}
		return entries, nil
	})
}

// payable is the script that a withdrawal is paid to, or the reason why it
// cannot be.
func (p *payer) payable(s *pegs.State, w *pegs.Withdrawal) (script []byte, reason string) {
	script, err := p.Coin.Script(w.Address)
	if err != nil {
		return nil, "address: " + err.Error()
	}
	if watch, ok := p.follower.set.Lookup(script); ok && watch.Kind != chains.WatchDeposit {
		return nil, "the address is the gateway's own"
	}
	if w.Amount.IsZero() || w.Amount.Less(p.Coin.Dust(script)) {
		return nil, fmt.Sprintf("an output of %s is below the dust limit", w.Amount.Coin(p.Coin.Facts().Decimals))
	}
	if asset, ok := s.Asset(w.Symbol); !ok || asset.Token != "" {
		return nil, "asset " + w.Symbol + " cannot be paid on this chain"
	}
	return script, ""
}

// plan pays what waits, as much as one transaction holds and the coins allow.
// The chain must have been followed to its end before: a ledger from a backup
// does not know what was paid after it.
func (p *payer) plan(ctx context.Context) error {
	waits, reason := false, ""
	if err := p.ledger.View(func(s *pegs.State) {
		waits = len(s.ToPlan(p.id)) > 0
		if c, ok := s.Chain(p.id); ok {
			reason = p.mempool.unknown(s, c)
		}
	}); err != nil || !waits {
		return err
	}
	if p.refused {
		reason = "the signer signs nothing on this chain"
	}
	if !p.follower.caughtUp() {
		reason = "the chain was not read to its end yet"
	}
	if reason != "" {
		p.notes.set(queueNote(p.id), "waits: "+reason)
		return nil
	}
	p.notes.set(queueNote(p.id), "")
	rate := p.feeRate(ctx)
	budget, err := p.feeBudget("")
	if err != nil {
		return err
	}
	planned := false
	p.hook("C10")
	err = p.ledger.Do(ctx, func(s *pegs.State) ([]Entry, error) {
		entries, err := p.planBatch(s, rate, budget)
		planned = len(entries) > 0
		return entries, err
	})
	if planned {
		p.hook("C11")
	}
	return err
}

// queueNote is the name of the note that says why nothing of a chain is planned.
func queueNote(id chains.ID) string { return "queue " + string(id) }

// feeRate is what the nodes ask for, within the configured limits. Nodes that say
// nothing, nonsense or an error change nothing about what they said before.
func (p *payer) feeRate(ctx context.Context) chains.FeeRate {
	rate, ok, err := p.Source.EstimateFee(ctx, feeTarget)
	if err != nil || !ok || rate == 0 {
		rate, ok = p.rates.newest()
	}
	rate = hotwallet.Clamp(rate, ok, p.FeeMin, p.maxRate(), fallbackRate)
	if ok {
		p.rates.add(p.follower.height(), rate)
	}
	return rate
}

// maxRate is the highest rate that is paid, and that the signer signs.
func (p *payer) maxRate() chains.FeeRate {
	if limit := p.Caps.MaxRate; limit != 0 {
		return min(p.FeeMax, limit)
	}
	return p.FeeMax
}

// feeBudget is what the next miner fee may be: the asset's limit, and no more
// than the fee account can burn for it once all that is under way is settled. The
// fee of a batch that is to be bumped is not under way beside the dearer one.
func (p *office) feeBudget(bumped string) (budget chains.Amount, err error) {
	var asset pegs.Asset
	var promised chains.Amount
	var ok bool
	if err := p.ledger.View(func(s *pegs.State) {
		asset, ok = s.NativeAsset(p.id)
		promised = s.UnsettledFees(p.id, bumped)
	}); err != nil {
		return budget, err
	}
	if !ok {
		return budget, nil
	}
	balance, owed := "0", "0"
	err = p.sidechain.View(func(v SideState) error {
		balance, owed = v.FeeAccount(asset.Symbol)
		return nil
	})
	if err != nil {
		return budget, err
	}
	have, err := asset.Amount(balance)
	if err != nil {
		return budget, err
	}
	for _, debt := range []func() (chains.Amount, error){
		func() (chains.Amount, error) { return promised, nil },
		func() (chains.Amount, error) { return asset.Amount(owed) },
	} {
		d, err := debt()
		if err != nil {
			return budget, err
		}
		if have, err = have.Sub(d); err != nil {
			return chains.Amount{}, nil // owes more than it has
		}
	}
	limit, err := asset.Amount(asset.FeeMax)
	if err != nil {
		return budget, err
	}
	if limit.Less(have) {
		return limit, nil
	}
	return have, nil
}

func (p *payer) planInput(s *pegs.State, rate chains.FeeRate, budget chains.Amount) (hotwallet.PlanInput, error) {
	c, _ := s.Chain(p.id)
	tip, _ := c.Tip()
	script, err := c.ChangeScript()
	if limit := p.Caps.MaxFee; !limit.IsZero() && limit.Less(budget) {
		budget = limit
	}
	return hotwallet.PlanInput{
		Chain: p.Coin, Batch: planLabel, FeeRate: rate, LockTime: uint32(tip.Height), ChangeScript: script,
		Caps:     hotwallet.Caps{MaxFee: budget, MaxRate: p.maxRate(), MaxVSize: p.Caps.MaxVSize},
		Eligible: hotwallet.Eligible{ForeignDepth: c.InputDepth(), OwnUnconfirmed: p.id != chains.DOGE},
	}, err
}

// planned is the intent of a plan, which it gives its name.
func (p *payer) planned(kind string, queue []*pegs.Withdrawal, plan *hotwallet.Plan) ([]Entry, error) {
	event, err := p.intent(kind, queue, plan)
	if err != nil {
		return nil, err
	}
	return []Entry{{Event: event}}, nil
}

func (p *payer) intent(kind string, queue []*pegs.Withdrawal, plan *hotwallet.Plan) (*pegs.Planned, error) {
	var ids []string
	for _, w := range queue {
		ids = append(ids, w.ID)
	}
	inputs := outpointsOf(*plan)
	plan.Batch = pegs.BatchID(p.id, kind, ids, inputs)
	text, err := json.Marshal(plan)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		p.notes.set(id, "")
	}
	p.log.Info("batch planned", "batch", plan.Batch, "kind", kind, "withdrawals", len(ids), "inputs", len(inputs), "fee", plan.Fee.String())
	return &pegs.Planned{
		Batch: plan.Batch, Chain: p.id, BatchKind: kind, Withdrawals: ids, Inputs: inputs, Fee: plan.Fee, Plan: text,
	}, nil
}

func parkDust(ids []string) (entries []Entry) {
	for _, id := range ids {
		entries = append(entries, Entry{Event: &pegs.Parked{Withdrawal: id, Reason: "the payment is below the dust limit", GiveBack: true}})
	}
	return entries
}

func payeesOf(queue []*pegs.Withdrawal) ([]hotwallet.Payee, error) {
	payees := make([]hotwallet.Payee, len(queue))
	for i, w := range queue {
		script, err := hex.DecodeString(w.Script)
		if err != nil {
			return nil, fmt.Errorf("gateway: script of withdrawal %s: %w", w.ID, err)
		}
		payees[i] = hotwallet.Payee{ID: w.ID, Script: script, Amount: w.Amount}
	}
	return payees, nil
}

func coinOf(c pegs.Coin) (hotwallet.Coin, error) {
	script, err := hex.DecodeString(c.Script)
	if err != nil {
		return hotwallet.Coin{}, fmt.Errorf("gateway: script of %s: %w", hotwallet.SpendText(c.Outpoint), err)
	}
	return hotwallet.Coin{
		Outpoint: c.Outpoint, Amount: c.Amount, Script: script, Depth: c.Depth, Own: c.Own && c.Kind != chains.WatchDeposit,
		Coinbase: c.Coinbase, Ancestors: c.Ancestors, AncestorSize: c.AncestorSize,
		Watch: chains.Watch{Kind: c.Kind, Account: c.Account, Epoch: c.Epoch, Address: c.Address},
	}, nil
}
