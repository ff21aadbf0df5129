package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"causeway/chains"
	"causeway/hotwallet"
	"causeway/pegs"
)

// operator makes the intents of minting and settling, and submits the attestor's
// operations again and again until the sidechain shows their rows. What became
// of a submission is never inferred from its answer.
type operator struct {
	ledger    *Ledger
	sidechain Sidechain
	submitter Submitter
	log       *slog.Logger
	notes     *notes
	hook      func(string)
	now       func() time.Time
	retry     time.Duration
	attempts  map[string]*attempt
	prover    *prover
	signer    Signer
	shown     map[string]bool // what of which batches the signer has seen
}

// attempt is what was done about one operation since the start.
type attempt struct {
	count int
	next  time.Time
	tx    string // the newest sidechain transaction, if its id is known
}

const (
	// actionsPerSubmit and bytesPerSubmit bound one operation of the base layer.
	actionsPerSubmit = 20
	bytesPerSubmit   = 6000
	// maxRetry is the longest pause between two submissions of an operation.
	maxRetry = time.Minute
)

// task is an operation to be submitted, and the items whose readers want to know.
type task struct {
	key    string
	items  []string
	action Action
}

func newOperator(g *Gateway) *operator {
	return &operator{
		ledger: g.ledger, sidechain: g.cfg.Sidechain, submitter: g.cfg.Submitter, log: g.log, notes: g.notes,
		hook: g.cfg.Failpoint, now: time.Now, retry: g.cfg.RetryAfter, attempts: map[string]*attempt{},
		prover: g.prover, signer: g.cfg.Signer, shown: map[string]bool{},
	}
}

func (o *operator) step(ctx context.Context) error {
	if err := o.intend(ctx); err != nil {
		return err
	}
	tasks, err := o.tasks()
	if err != nil {
		return err
	}
	if tasks, err = o.undelayed(tasks); err != nil {
		return err
	}
	due, last := split(o.due(tasks))
	for len(due) > 0 {
		n := o.fit(due)
		if err := o.submit(ctx, due[:n]); err != nil {
			return err
		}
		due = due[n:]
	}
	return o.giveUp(ctx, last)
}

// split parts what gives a payout up from the rest, which goes first.
func split(due []task) (rest, last []task) {
	for _, t := range due {
		if givesUp(t) {
			last = append(last, t)
		} else {
			rest = append(rest, t)
		}
	}
	return rest, last
}

const (
	// giveUpTime bounds how long the signer may look for itself at what is given
	// up: it reads a whole block each time.
	giveUpTime = 10 * time.Second
	// giveUpsPerTurn bounds how many are submitted before others have their turn.
	giveUpsPerTurn = 8
)

// giveUp submits what gives payouts up, each by itself. What the signer refuses,
// perhaps because its nodes do not answer, ends the turn: others have theirs
// before the next is tried.
func (o *operator) giveUp(ctx context.Context, list []task) error {
	for i := range min(len(list), giveUpsPerTurn) {
		ctx, cancel := context.WithTimeout(ctx, giveUpTime)
		err := o.submit(ctx, list[i:i+1])
		cancel()
		if errors.Is(err, hotwallet.ErrRefused) {
			o.log.Warn("the signer refuses", "operation", list[i].key, "error", err)
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// givesUp says whether an operation gives a payout up. The signer may refuse it
// until it sees for itself what we see, which must not keep it from others.
func givesUp(t task) bool { return t.action.Name == "release" || t.action.Name == "giveBack" }

// intend makes durable what is to be submitted from now on: mints of deposits
// that are deep enough, settlements of payouts that are, releases of those that
// are dead.
func (o *operator) intend(ctx context.Context) error {
	minted, waits := 0, false
	if err := o.ledger.View(func(s *pegs.State) {
		for _, id := range s.ChainIDs() {
			waits = waits || len(s.ToMint(id)) > 0 || len(s.ToSettle(id)) > 0 || len(s.ToRelease(id)) > 0
		}
	}); err != nil || !waits {
		return err
	}
	err := o.ledger.Do(ctx, func(s *pegs.State) (entries []Entry, err error) {
		for _, id := range s.ChainIDs() {
			for _, d := range s.ToMint(id) {
				entries = append(entries, Entry{Event: &pegs.Minting{Deposit: d.ID, Symbol: d.Symbol, Quantity: d.Quantity, To: d.Account}})
				minted++
			}
			for _, b := range s.ToSettle(id) {
				fee, err := s.MinedFee(b)
				if err != nil {
					o.log.Error("the fee of a payout is not known", "batch", b.ID, "error", err)
					continue
				}
				cost := fee.Coin(pegs.CoinDecimals(id))
				entries = append(entries, Entry{Event: &pegs.Settling{Batch: b.ID, TxID: b.Mined.TxID, Cost: cost}})
			}
			for _, b := range s.ToRelease(id) {
				proof, _ := s.Dead(b)
				o.log.Warn("a batch can never be mined", "batch", b.ID, "proof", proof)
				entries = append(entries, Entry{Event: &pegs.Releasing{Batch: b.ID, Proof: proof}})
			}
		}
		return entries, nil
	})
	if minted > 0 {
		o.hook("C4")
	}
	return err
}

// tasks lists every operation whose row the ledger waits for.
func (o *operator) tasks() (list []task, err error) {
	viewErr := o.ledger.View(func(s *pegs.State) {
		for _, id := range s.ChainIDs() {
			for _, d := range s.ToSubmitMints(id) {
				list = append(list, task{"mint " + d.ID, []string{d.ID}, action("mint",
					"id", d.ID, "symbol", d.Intent.Symbol, "quantity", d.Intent.Quantity, "to", d.Intent.To)})
			}
			for _, b := range s.ToAssign(id) {
				list = append(list, task{"assign " + b.ID, b.Withdrawals, action("assign",
					"batch", b.ID, "chain", string(b.Chain), "kind", b.Kind, "ids", b.Withdrawals, "spends", spendTexts(b.Inputs))})
			}
			for _, b := range s.ToSubmitSettles(id) {
				list = append(list, closing(b))
			}
			for _, b := range s.ToSubmitReleases(id) {
				list = append(list, releases(b)...)
			}
			for _, w := range s.ToGiveBack(id) {
				list = append(list, task{"giveBack " + w.ID, []string{w.ID}, action("giveBack", "id", w.ID, "reason", clipReason(s.GiveBackReason(w)))})
			}
		}
	})
	return list, viewErr
}

// closing is the operation that closes a batch: what pays withdrawals is settled,
// of the rest only the cost is charged.
func closing(b *pegs.Batch) task {
	if b.Kind == pegs.BatchPayout {
		return task{"settle " + b.ID, b.Withdrawals, action("settle", "batch", b.ID, "txid", b.Settling.TxID, "cost", b.Settling.Cost)}
	}
	return task{"cost " + b.ID, nil, action("cost",
		"chain", string(b.Chain), "txid", b.Settling.TxID, "amount", b.Settling.Cost, "batch", b.ID)}
}

// releases are the operations that release a batch: one for each withdrawal, or
// one for a batch that pays none.
func releases(b *pegs.Batch) (list []task) {
	proof := clipReason(b.Releasing.Proof)
	if b.Kind != pegs.BatchPayout {
		return []task{{"release " + b.ID, nil, action("release", "id", b.ID, "proof", proof)}}
	}
	for _, id := range b.Withdrawals {
		list = append(list, task{"release " + id, []string{id}, action("release", "id", id, "proof", proof)})
	}
	return list
}

// maxContractText bounds reasons and proofs on the sidechain.
const maxContractText = 1000

func clipReason(text string) string {
	if len(text) > maxContractText {
		return text[:maxContractText]
	}
	return text
}

// undelayed leaves out what the contract would only refuse: mints that it has and
// delays, releases that it has made.
func (o *operator) undelayed(tasks []task) (rest []task, err error) {
	held := map[string]bool{}
	err = o.sidechain.View(func(v SideState) error {
		for _, t := range tasks {
			if t.action.Name == "release" && len(t.items) > 0 {
				if w, ok := v.Withdrawal(t.items[0]); ok && w.State != rowAssigned {
					continue
				}
			}
			if t.action.Name != "mint" {
				rest = append(rest, t)
				continue
			}
			mint, ok := v.Delayed(t.items[0])
			if !ok {
				rest = append(rest, t)
				continue
			}
			held[t.items[0]] = mint.Held
			if mint.Held {
				o.notes.set(t.items[0], "the mint is on hold until the admin decides")
			} else {
				o.notes.set(t.items[0], fmt.Sprintf("a large deposit waits: it can be minted from base block %d on", mint.Due))
			}
		}
		return nil
	})
	if err == nil {
		o.notes.setHeld(held)
	}
	return rest, err
}

// action makes an Action from alternating names and values, in that order.
func action(name string, pairs ...any) Action {
	var b strings.Builder
	b.WriteByte('{')
	for i := 0; i < len(pairs); i += 2 {
		if i > 0 {
			b.WriteByte(',')
		}
		key, _ := json.Marshal(pairs[i])
		value, _ := json.Marshal(pairs[i+1]) // texts and lists of texts
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return Action{Name: name, Payload: json.RawMessage(b.String())}
}

func spendTexts(list []chains.Outpoint) []string {
	texts := make([]string, len(list))
	for i, o := range list {
		texts[i] = hotwallet.SpendText(o)
	}
	return texts
}

// due picks the tasks whose time has come and forgets the attempts at tasks that
// are done.
func (o *operator) due(tasks []task) (due []task) {
	now := o.now()
	current := map[string]*attempt{}
	for _, t := range tasks {
		a := o.attempts[t.key]
		if a == nil {
			a = &attempt{}
		}
		current[t.key] = a
		if !now.Before(a.next) {
			due = append(due, t)
		}
	}
	o.attempts = current
	return due
}

// fit says how many of the tasks go into one operation of the base layer.
func (o *operator) fit(tasks []task) int {
	size := 0
	for i, t := range tasks {
		size += len(t.action.Payload) + 100
		if i > 0 && (i >= actionsPerSubmit || size > bytesPerSubmit) {
			return i
		}
	}
	return len(tasks)
}

func (o *operator) submit(ctx context.Context, tasks []task) error {
	actions := make([]Action, len(tasks))
	for i, t := range tasks {
		actions[i] = t.action
		o.explain(t)
		a := o.attempts[t.key]
		a.count++
		a.next = o.now().Add(min(o.retry<<min(a.count-1, 4), maxRetry))
	}
	if tasks[0].action.Name == "release" {
		if waits, err := o.show(ctx, tasks[0]); err != nil || waits {
			return err
		}
	}
	ids, err := o.handOver(ctx, tasks, actions)
	o.hook("C5")
	for i, t := range tasks {
		if err == nil && i < len(ids) {
			o.attempts[t.key].tx = ids[i]
			o.log.Info("submitted", "operation", t.key, "attempt", o.attempts[t.key].count, "transaction", ids[i])
		}
		if err != nil {
			for _, item := range t.items {
				o.notes.set(item, t.action.Name+" was not taken: "+err.Error())
			}
		}
	}
	return err
}

// explain notes what the contract said of the attempt before this one.
func (o *operator) explain(t task) {
	a := o.attempts[t.key]
	if a.tx == "" {
		return
	}
	said := o.sidechain.Errors(a.tx)
	if len(said) == 0 {
		return
	}
	text := t.action.Name + " was refused: " + strings.Join(said, "; ")
	for _, item := range t.items {
		o.notes.set(item, text)
	}
	o.log.Warn("operation refused by the contract", "operation", t.key, "transaction", a.tx, "errors", strings.Join(said, "; "))
}
