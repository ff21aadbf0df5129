package chaintest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"causeway/chains"
)

// patience is how long a case waits for a node that answers with errors, or has not
// come to where it should be.
const patience = 2 * time.Minute

// tailKept is how many blocks' hashes a walk remembers.
const tailKept = 300

// caseOf is one case of the suite. able says that the subject has what it needs.
type caseOf struct {
	name string
	able func(*Subject) bool
	run  func(*testing.T, *trial)
}

func always(*Subject) bool { return true }

// cases in the order in which they run, on one chain that grows.
var cases = []caseOf{
	{"deposits of each kind", always, depositKinds},
	{"several outputs in one transaction", func(s *Subject) bool { return s.Send != nil }, depositMany},
	{"a reward", func(s *Subject) bool { return s.Reward != nil }, reward},
	{"reorganisation, paid again", canReorg, func(t *testing.T, r *trial) { reorg(t, r, Again) }},
	{"reorganisation, payment gone", canReorg, func(t *testing.T, r *trial) { reorg(t, r, Gone) }},
	{"reorganisation, payment replaced", canReorg, func(t *testing.T, r *trial) { reorg(t, r, Replaced) }},
	{"mempool", always, mempoolSight},
	{"mempool, a dearer transaction", func(s *Subject) bool { return s.Conflict != nil }, mempoolConflict},
	{"mempool, a block takes its coins", canReorg, mempoolOutmined},
	{"mempool, evicted", func(s *Subject) bool { return s.Evict != nil }, mempoolEvicted},
	{"payouts to each kind", hasWallet, payoutKinds},
	{"fees", hasCoins, payoutFees},
	{"dust", hasCoins, payoutDust},
	{"restart of the client", always, restartClient},
	{"restart of the node", func(s *Subject) bool { return s.Restart != nil }, restartNode},
	{"node of another network", func(s *Subject) bool { return s.Strangers != nil }, strangers},
	{"node that is too old", func(s *Subject) bool { return s.Old != nil }, tooOld},
	{"troubles", func(s *Subject) bool { return len(s.Faults) > 0 }, troubles},
	{"catch-up of 1,000 blocks", always, catchUp},
	{"blocks as the node shows them", func(s *Subject) bool { return s.Show != nil }, shownBlocks},
}

func canReorg(s *Subject) bool { return s.Reorg != nil }

func hasWallet(s *Subject) bool { return s.Wallet != nil }

// hasCoins says that payouts are made of coins, and not from an account.
func hasCoins(s *Subject) bool { return hasWallet(s) && s.Wallet.Cost == nil }

// Run holds a chain against the conformance suite. A case that does not apply is
// said, with its reason; to have neither a reason nor what the case needs is a
// failure, and so is a reason for what is there.
func Run(t *testing.T, s *Subject) {
	t.Helper()
	r := &trial{Subject: s}
	for _, c := range cases {
		reason, able := s.Lacks[c.name], c.able(s)
		switch {
		case able && reason != "":
			t.Errorf("%s: %q applies, though it is said to lack %q", s.Name, c.name, reason)
		case !able && reason == "":
			t.Errorf("%s: %q does not apply, and nobody says why", s.Name, c.name)
		case !able:
			t.Logf("%s: DOES NOT APPLY: %s: %s", s.Name, c.name, reason)
		case !t.Run(c.name, func(t *testing.T) { c.run(t, r) }):
			return // what follows rests on it
		}
	}
	for name := range maps.Keys(s.Lacks) {
		if !slices.ContainsFunc(cases, func(c caseOf) bool { return c.name == name }) {
			t.Errorf("%s lacks %q, which is no case", s.Name, name)
		}
	}
}

// trial is a subject in the suite's hands.
type trial struct {
	*Subject
	seen []*chains.Block // that were ever connected
}

// units is a payment that no other case makes.
func (r *trial) units(n int) int64 { return r.Units + int64(n) }

func (r *trial) pay(t *testing.T, address string, units int64) (txid string) {
	t.Helper()
	txid, err := r.Payer.Pay(address, units)
	if err != nil {
		t.Fatal(err)
	}
	return txid
}

func (r *trial) mine(t *testing.T, blocks int) {
	t.Helper()
	if err := r.Payer.Mine(blocks); err != nil {
		t.Fatal(err)
	}
}

// kind is a fresh address of the first kind.
func (r *trial) kind(t *testing.T) Kind { return r.Kinds(t.Name())[0] }

// walk follows the chain from where it was when it began, and keeps what the
// watched scripts hold.
type walk struct {
	t      *testing.T
	trial  *trial
	client Client
	set    *chains.WatchSet
	tail   []chains.BlockRef
	paid   map[chains.Outpoint]placed
	spent  map[chains.Outpoint]string // by which transaction

	connected, undone int
}

// placed is a payment and where it stands.
type placed struct {
	chains.Payment
	block chains.BlockRef
}

// walk watches kinds from the newest block on.
func (r *trial) walk(t *testing.T, kinds ...Kind) *walk {
	t.Helper()
	w := &walk{t: t, trial: r, client: r.Open(t), set: chains.NewWatchSet()}
	w.paid, w.spent = map[chains.Outpoint]placed{}, map[chains.Outpoint]string{}
	for _, k := range kinds {
		if err := w.set.Add(k.Script, watchOf(k)); err != nil {
			t.Fatal(err)
		}
	}
	w.persist("the tip", func() (bool, error) {
		tip, err := w.client.Tip(t.Context())
		w.tail = []chains.BlockRef{tip}
		return err == nil, err
	})
	return w
}

// watchOf says whom a kind's script belongs to in the tests: its own name.
func watchOf(k Kind) chains.Watch {
	return chains.Watch{Kind: chains.WatchDeposit, Account: k.Name, Address: k.Address}
}

// persist asks until the answer is yes.
func (w *walk) persist(what string, ask func() (bool, error)) {
	w.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		done, err := ask()
		if done {
			return
		}
		if time.Now().After(end) {
			w.t.Fatalf("waited in vain for %s: %v", what, err)
		}
	}
}

// step takes one step, if there is one.
func (w *walk) step() (moved bool, err error) {
	w.t.Helper()
	e, err := w.client.Next(w.t.Context(), w.tail)
	if err != nil || e == nil {
		if err != nil && !unknown(err) {
			w.t.Fatalf("an error that is no \"unknown\": %v", err)
		}
		return false, err
	}
	last := w.tail[len(w.tail)-1]
	switch e := e.(type) {
	case chains.Connected:
		if e.Block.Parent != last.Hash || e.Block.Height != last.Height+1 {
			w.t.Fatalf("block %v with parent %s was connected to %v", e.Block.BlockRef, e.Block.Parent, last)
		}
		w.connect(e.Block)
	case chains.Disconnected:
		if e.BlockRef != last {
			w.t.Fatalf("block %v was disconnected, the newest is %v", e.BlockRef, last)
		}
		w.disconnect(last)
	}
	w.tail = chains.Extend(w.tail, e, tailKept)
	return true, nil
}

// unknown says whether an error is one of those that mean it.
func unknown(err error) bool {
	for _, kind := range []error{chains.ErrUnavailable, chains.ErrNotFound, chains.ErrNoQuorum, chains.ErrNotLinked, chains.ErrBadBlock} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

func (w *walk) connect(b *chains.Block) {
	w.t.Helper()
	w.connected++
	w.trial.seen = append(w.trial.seen, b)
	m := w.set.Match(b, func(o chains.Outpoint) bool { _, ours := w.paid[o]; return ours })
	for _, p := range m.Payments {
		if old, twice := w.paid[p.Outpoint]; twice {
			w.t.Fatalf("payment %v stands in %v and in %v", p.Outpoint, old.block, b.BlockRef)
		}
		w.paid[p.Outpoint] = placed{p, b.BlockRef}
	}
	for _, sp := range m.Spends {
		w.spent[sp.Outpoint] = sp.By
	}
}

func (w *walk) disconnect(ref chains.BlockRef) {
	w.undone++
	maps.DeleteFunc(w.paid, func(_ chains.Outpoint, p placed) bool { return p.block == ref })
}

// follow steps until it stands where the source's tip is.
func (w *walk) follow() {
	w.t.Helper()
	w.persist("the follower to come to the tip", func() (bool, error) {
		for {
			moved, err := w.step()
			if err != nil {
				return false, err
			}
			if !moved {
				break
			}
		}
		tip, err := w.client.Tip(w.t.Context())
		at := w.tail[len(w.tail)-1]
		if err == nil && tip != at {
			err = fmt.Errorf("it stands at %v, the tip is %v", at, tip)
		}
		return err == nil, err
	})
}

// payments are those to a kind, in the order of their outpoints.
func (w *walk) payments(k Kind) (list []placed) {
	for _, p := range w.paid {
		if bytes.Equal(p.Script, k.Script) {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b placed) int {
		return bytes.Compare(fmt.Appendf(nil, "%s %9d", a.TxID, a.Index), fmt.Appendf(nil, "%s %9d", b.TxID, b.Index))
	})
	return list
}

// one is the only payment to a kind, of that amount; txid "" is any.
func (w *walk) one(k Kind, txid string, units int64) placed {
	w.t.Helper()
	list := w.payments(k)
	if len(list) != 1 {
		w.t.Fatalf("%s: %d payments, want one: %+v", k, len(list), list)
	}
	p := list[0]
	if txid != "" && p.TxID != txid || p.Amount != chains.NewAmount(uint64(units)) || p.Watch != watchOf(k) ||
		p.MinDepth != k.MinDepth || p.Tokens != k.Tokens || p.Coinbase {
		w.t.Fatalf("%s: %+v, want %d in %q", k, p, units, txid)
	}
	return p
}

// none says that nothing pays a kind.
func (w *walk) none(k Kind) {
	w.t.Helper()
	if list := w.payments(k); len(list) != 0 {
		w.t.Fatalf("%s: %+v, want nothing", k, list)
	}
}

// restarted is the walk of a process that reads its cursor from where it was stored,
// with a client of its own.
func (w *walk) restarted() *walk {
	w.t.Helper()
	text, err := json.Marshal(w.tail)
	if err != nil {
		w.t.Fatal(err)
	}
	again := *w
	again.tail, again.client = nil, w.trial.Open(w.t)
	if err := json.Unmarshal(text, &again.tail); err != nil {
		w.t.Fatal(err)
	}
	return &again
}
