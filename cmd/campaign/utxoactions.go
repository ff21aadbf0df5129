package main

import (
	"math/rand/v2"
	"time"

	"causeway/chains/chaintest"

	"github.com/btcsuite/btcd/wire/v2"
)

func (w *utxoWorld) actions() []action {
	list := []action{
		{12, "reorgs", (*life).reorg},
		{5, "evictions", (*life).evict},
		{4, "malleations", (*life).malleate},
		{12, "node faults", (*life).breakNode},
		{4, "ambushes", (*life).ambush},
		{6, "fee rates", w.fees},
		{6, "blocks without us", func(l *life) error { _, err := l.sim.MineOnly(); return err }},
		{8, "blocks of a miner's choice", (*life).choose},
		{6, "duels", (*life).duel},
	}
	switch {
	case w.coin.sim.Extension:
		list = append(list, action{6, "peg-outs", w.pegOut})
	case w.coin.params.ForkID:
		list = append(list, action{6, "tokens", w.tokens})
	}
	if w.deep {
		list = append(list, action{12, "deep rewrites", w.rewrite})
	}
	return list
}

// reorg rewrites fewer blocks than a credit needs.
func (l *life) reorg() error {
	r := chaintest.Rewrite{Depth: 1 + l.rng.IntN(int(l.depth)-1)}
	drop := l.rng.IntN(3)
	r.Drop = func(*chaintest.Tx) bool { return drop > 0 && l.rng.IntN(2) == 0 }
	r.Forget, r.Replace = l.rng.IntN(3) == 0, l.rng.IntN(3) == 0
	_, err := l.sim.Reorg(r)
	return err
}

func (l *life) evict() error {
	node := l.sim.Node(l.rng.IntN(l.sim.Nodes()))
	if pool := node.Pool(); len(pool) > 0 {
		tx := pool[l.rng.IntN(len(pool))]
		if l.rng.IntN(2) == 0 {
			l.sim.Evict(tx)
		} else {
			node.Evict(tx)
		}
	}
	return nil
}

func (l *life) malleate() error {
	if pool := l.sim.Node(0).Pool(); len(pool) > 0 {
		l.sim.Malleate(pool[l.rng.IntN(len(pool))])
	}
	return nil
}

// breakNode makes one node wrong for some requests: always the same one, so that of
// three nodes two are right. The only node of a chain does not lie: nobody could
// tell.
func (l *life) breakNode() error {
	node := l.sim.Node(int(l.seed) % l.sim.Nodes())
	kinds := chaintest.FaultKinds()
	kind := kinds[l.rng.IntN(len(kinds))]
	if kind == chaintest.Lie && l.sim.Nodes() == 1 {
		kind = chaintest.Lose
	}
	f := chaintest.Fault{Kind: kind, Times: 1 + l.rng.IntN(6), Delay: time.Millisecond}
	if methods := chaintest.Methods(); l.rng.IntN(2) == 0 {
		f.Method = methods[l.rng.IntN(len(methods))]
	}
	node.Inject(f)
	switch l.rng.IntN(4) {
	case 0:
		node.Delay(l.rng.IntN(5))
	case 1:
		node.Cut(l.rng.IntN(2) == 0)
	}
	return nil
}

// ambush pays in, lets others be paid, and takes the payment back: the attack that
// depths are for.
func (l *life) ambush() error {
	if err := l.deposit(); err != nil {
		return err
	}
	if err := l.sim.Mine(1); err != nil {
		return err
	}
	for range 2 {
		if err := l.spend(); err != nil {
			return err
		}
	}
	if err := l.step(6); err != nil {
		return err
	}
	_, err := l.sim.Reorg(chaintest.Rewrite{
		Depth: 1 + l.rng.IntN(int(l.depth)-1), Replace: true, Drop: func(*chaintest.Tx) bool { return true },
	})
	return err
}

// fees changes what nodes ask for: up to four times as much, so that payouts are
// made dearer, or get children.
func (w *utxoWorld) fees(l *life) error {
	l.sim.SetFeeRate(w.coin.params.Fees.Wallet * []int64{1, 1, 2, 4}[l.rng.IntN(4)])
	return nil
}

// choose makes a block of what the gateway ever sent, as a miner may: older
// variants and cancels too, whichever come first.
func (l *life) choose() error {
	var list []*wire.MsgTx
	l.mu.Lock()
	for _, tx := range l.sent {
		if l.rng.IntN(4) > 0 {
			list = append(list, tx)
		}
	}
	l.mu.Unlock()
	l.rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	_, err := l.sim.MineOnly(list...)
	return err
}

// duel has a payout made and cancelled, lets a miner decide, and sometimes another
// miner decide again.
func (l *life) duel() error {
	for _, do := range []func() error{l.deposit, l.spend, func() error { return l.step(4 + l.rng.IntN(3)) }, l.cancel} {
		if err := do(); err != nil {
			return err
		}
	}
	if err := l.step(2 + l.rng.IntN(3)); err != nil {
		return err
	}
	if err := l.choose(); err != nil {
		return err
	}
	if err := l.step(l.rng.IntN(5)); err != nil {
		return err
	}
	if l.rng.IntN(2) == 0 {
		return nil
	}
	_, err := l.sim.Reorg(chaintest.Rewrite{Depth: 1 + l.rng.IntN(int(l.depth)-1), Drop: func(*chaintest.Tx) bool { return true }})
	if err != nil {
		return err
	}
	return l.choose()
}

// pegOut pays in out of Litecoin's extension block.
func (w *utxoWorld) pegOut(l *life) error {
	return l.sim.PegOut(chaintest.Output{Address: l.address[l.user()], Units: 20_000 + l.rng.Int64N(3_000_000)})
}

// tokens pays in coins that lie under tokens: they are kept and not credited.
func (w *utxoWorld) tokens(l *life) error {
	_, err := l.sim.Send(chaintest.Output{
		Address: l.address[l.user()], Units: 20_000 + l.rng.Int64N(3_000_000), Tokens: chaintest.Tokens(category(l.rng), 7),
	})
	return err
}

func category(rng *rand.Rand) (c [32]byte) {
	for i := range c {
		c[i] = byte(rng.UintN(256))
	}
	return c
}

// rewrite takes away more of the chain than credits ask for. What was in it comes
// back, or never.
func (w *utxoWorld) rewrite(l *life) error {
	r := chaintest.Rewrite{Depth: int(l.depth) + l.rng.IntN(int(l.extra)+3)}
	drop := l.rng.IntN(3)
	r.Drop = func(*chaintest.Tx) bool { return l.rng.IntN(3) < drop }
	r.Replace = l.rng.IntN(2) == 0
	if r.Depth >= l.sim.Best().Height-int(w.coin.start()) {
		return nil // the gateway has seen less
	}
	_, err := l.sim.Reorg(r)
	return err
}
