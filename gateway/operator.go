package gateway

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

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
	until time.Time // it may be on its way: its row is to be expected
	tx    string    // the newest sidechain transaction, if its id is known
	over  func(*pegs.State) bool
}

const (
	// actionsPerSubmit and bytesPerSubmit bound one operation of the base layer.
	actionsPerSubmit = 20
	bytesPerSubmit   = 6000
	// maxOnTheWay bounds the operations of a kind that are on their way, mints above
	// all: no base block takes more of them, and behind a longer queue before the
	// sequencer the assignments of payouts would wait.
	maxOnTheWay = 1000
	// intentsPerCommit bounds the mints that are intended at once.
	intentsPerCommit = 500
	// maxRetry is the longest pause between two submissions of an operation.
	maxRetry = time.Minute
)

// task is an operation to be submitted, and the items whose readers want to know.
type task struct {
	key    string
	items  []string
	action Action
	over   func(*pegs.State) bool // the ledger waits for it no more
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
	tasks, err := o.due()
	if err != nil {
		return err
	}
	due, last := split(tasks)
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
// are dead. Of many it makes some at a time: others append meanwhile.
func (o *operator) intend(ctx context.Context) error {
	for {
		waits := false
		if err := o.ledger.View(func(s *pegs.State) {
			for _, id := range s.ChainIDs() {
				waits = waits || len(s.ToMint(id)) > 0 || len(s.ToSettle(id)) > 0 || len(s.ToRelease(id)) > 0
			}
		}); err != nil || !waits {
			return err
		}
		minted := 0
		err := o.ledger.Do(ctx, func(s *pegs.State) (entries []Entry, err error) {
			entries, minted = o.intents(s)
			return entries, nil
		})
		if minted > 0 {
			o.hook("C4")
		}
		if err != nil || minted < intentsPerCommit {
			return err
		}
	}
}

func (o *operator) intents(s *pegs.State) (entries []Entry, minted int) {
	for _, id := range s.ChainIDs() {
		for _, d := range s.ToMint(id) {
			if minted == intentsPerCommit {
				break
			}
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
			entries = append(entries, Entry{Event: &pegs.Settling{Batch: b.ID, TxID: b.Decided().TxID, Cost: cost}})
		}
		for _, b := range s.ToRelease(id) {
			proof, _ := s.Dead(b)
			o.log.Warn("a batch can never be mined", "batch", b.ID, "proof", proof)
			entries = append(entries, Entry{Event: &pegs.Releasing{Batch: b.ID, Proof: proof}})
		}
	}
	return entries, minted
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
		a := o.attempt(t)
		a.count++
		a.until = o.now().Add(o.retry)
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
	a := o.attempt(t)
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
