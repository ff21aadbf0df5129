package gateway

import (
	"context"
	"time"

	"causeway/chains"
	"causeway/pegs"
)

// served is an outside chain as those parts of the gateway see it that are the same
// for all chains, whether they are made of outputs (follower) or of accounts.
type served interface {
	// conf is how the chain is reached, and which one it is.
	conf() *ChainConfig
	// step follows the chain to its end.
	step(ctx context.Context) error
	// caughtUp says whether it was followed to its end since the start.
	caughtUp() bool
	// height is that of the nodes' newest block, aim that of the newest one which the
	// ledger is to hold.
	height() uint64
	aim() uint64
	health() []chains.NodeHealth
	// payable is the script that a withdrawal is paid to, or the reason why it
	// cannot be paid.
	payable(g *Gateway, s *pegs.State, w *pegs.Withdrawal) (script []byte, reason string)
	// broadcast hands a signed transaction to the nodes.
	broadcast(ctx context.Context, raw []byte) (chains.Verdict, error)
	// watchers are the services that only look, payers those that act.
	watchers(g *Gateway, add addLoop)
	payers(g *Gateway, add addLoop)
	// seen lists the deposits of an account (empty: of all) that no block of the
	// ledger holds.
	seen(g *Gateway, s *pegs.State, account string) []seenDeposit
	// shown is how deep a block is and how deep it has to be, as users are told: by
	// default what the ledger says.
	shown(in *chains.BlockRef, depth, needed uint64) (confirmations, confirmationsNeeded uint64)
	// unsettled is the transaction among variants that is in a block which the
	// ledger does not hold yet, if there is one.
	unsettled(variants []pegs.Signed) (txid string, in *chains.BlockRef)
}

// addLoop adds a service: its name without the chain, how often it looks, what it
// does, what wakes it.
type addLoop func(name string, interval time.Duration, step func(context.Context) error, wake ...<-chan struct{})

// secondReader reads a chain again, by other means than the ledger's.
type secondReader interface {
	// sync brings it to a block, with the scripts of all accounts.
	sync(ctx context.Context, book *addressBook, start uint64, accounts []string, target chains.BlockRef) (pegs.ScannerView, error)
	// step goes on with what sync left undone.
	step(ctx context.Context) error
	// searching says whether the past is not searched to its end, and how many
	// blocks of it were read so far.
	searching() (more bool, read uint64)
	// forget makes it begin again at its first block.
	forget()
	// flush writes down what it knows.
	flush() error
}

// seenDeposit is a deposit that no block of the ledger holds.
type seenDeposit struct {
	id    string
	at    time.Time
	order uint64 // among those of one chain that were seen at the same time
	view  func(s *pegs.State) Deposit
}

func (f *follower) conf() *ChainConfig { return &f.ChainConfig }

func (f *follower) aim() uint64 { return f.height() }

func (f *follower) health() []chains.NodeHealth { return f.Source.Health() }

func (f *follower) payable(g *Gateway, s *pegs.State, w *pegs.Withdrawal) (script []byte, reason string) {
	return newPayer(g, f).payable(s, w)
}

func (f *follower) broadcast(ctx context.Context, raw []byte) (chains.Verdict, error) {
	return f.Source.Broadcast(ctx, raw)
}

// offer hands each node the variants of a transaction until it has one.
func (f *follower) offer(ctx context.Context, variants [][]byte) ([]chains.Verdict, error) {
	return chains.Offer(ctx, f.Source, variants)
}

func (f *follower) watchers(g *Gateway, add addLoop) {
	add("mempool", f.Poll, g.mempools[f.id].step)
	add("missing", max(f.Poll, g.cfg.Pace), newObituary(g, f).step)
}

func (f *follower) payers(g *Gateway, add addLoop) {
	p := newPayer(g, f)
	add("payouts", max(f.Poll, g.cfg.Pace), p.step, g.ledger.Changed(), g.cfg.Sidechain.Subscribe())
}

func (f *follower) seen(g *Gateway, _ *pegs.State, account string) (list []seenDeposit) {
	for _, p := range g.mempools[f.id].payments(account) {
		p.chain = f.id
		list = append(list, seenDeposit{
			id: pegs.DepositID(f.id, p.Outpoint), at: p.at, order: p.order, view: func(s *pegs.State) Deposit { return g.seenView(s, p) },
		})
	}
	return list
}

func (f *follower) shown(_ *chains.BlockRef, depth, needed uint64) (uint64, uint64) {
	return depth, needed
}

func (f *follower) unsettled([]pegs.Signed) (string, *chains.BlockRef) { return "", nil }
