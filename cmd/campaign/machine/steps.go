package machine

import "fmt"

// step is one thing that can happen next.
type step struct {
	name string
	kind stepKind
	next state
}

type stepKind uint8

const (
	ours    stepKind = iota // of the gateway or the signer
	world                   // what happens by itself: blocks, inclusion
	hostile                 // what nobody can rely on, or what goes wrong
)

// after lists everything that can happen in a state.
func (p Protocol) after(s *state, out []step) []step {
	add := func(kind stepKind, next state, format string, args ...any) {
		if next != *s {
			out = append(out, step{fmt.Sprintf(format, args...), kind, next})
		}
	}
	for b := range burns {
		p.sidechain(s, b, add)
		p.plan(s, b, add)
		p.sign(s, b, add)
		p.finish(s, b, add)
	}
	p.send(s, add)
	p.blocks(s, add)
	p.mishaps(s, add)
	return out
}

type adder func(kind stepKind, next state, format string, args ...any)

// sidechain: an operation in flight is included, and takes effect
// if it may.
func (p Protocol) sidechain(s *state, b int, add adder) {
	for c := range coins {
		if s.pool&(1<<row(b, c)) == 0 {
			continue
		}
		n := *s
		n.pool &^= 1 << row(b, c)
		_, had := s.rowOf(b)
		if s.burn[b] == burned && s.rows[row(b, c)] == none && !(had && p.OneRowPerBurn) && !(s.claimed(c) && p.OneRowPerInput) {
			n.rows[row(b, c)] = open
		}
		add(world, n, "assign of burn %d to coin %d is included", b, c)
	}
}

// plan: inputs are reserved, assigned, and rows adopted that are there already.
func (p Protocol) plan(s *state, b int, add adder) {
	coin, has := s.rowOf(b)
	for c := range coins {
		free := s.chain[c].by == 0 && s.waits[c] == 0 && s.plan[1-b] != uint8(c)+1 && !(s.claimed(c) && p.OneRowPerInput)
		if s.plan[b] == 0 && s.burn[b] == burned && !has && free {
			n := *s
			n.plan[b] = uint8(c) + 1
			add(ours, n, "burn %d is planned with coin %d", b, c)
		}
	}
	if has && s.rows[row(b, coin)] == open && !(s.known[b] && s.plan[b] == uint8(coin)+1) {
		n := *s
		n.plan[b], n.known[b] = uint8(coin)+1, true
		add(ours, n, "the row of burn %d with coin %d is booked", b, coin)
	}
	if s.plan[b] == 0 || s.known[b] {
		return
	}
	c := int(s.plan[b]) - 1
	if s.rows[row(1-b, c)] != none && s.rows[row(b, c)] == none && p.OneRowPerInput {
		n := *s
		n.plan[b] = 0
		add(ours, n, "the plan of burn %d is dropped", b)
	}
	if p.Resubmit || !s.asked[b] {
		n := *s
		n.pool |= 1 << row(b, c)
		n.asked[b] = !p.Resubmit
		add(ours, n, "assign of burn %d to coin %d is submitted", b, c)
	}
}

// sign: the signer records what it signs; the ledger may not hear of it, and
// asks again.
func (p Protocol) sign(s *state, b int, add adder) {
	if s.plan[b] == 0 || p.AssignBeforeSign && !s.known[b] {
		return
	}
	c := int(s.plan[b]) - 1
	for kind := range kinds {
		spends := []int{c}
		if kind == bumped && !p.SameInputs {
			spends = append(spends, 1-c)
		}
		for _, in := range spends {
			t := txOf(kind, b, in)
			if kind != first && s.signed&txOf(first, b, c).bit() == 0 || !p.signs(s, t, in == c) {
				continue
			}
			n := *s
			n.signed |= t.bit()
			n.promise[b] = uint8(c) + 1
			add(ours, n, "the %s is signed", t)
		}
	}
}

// signs says whether the signer agrees.
func (p Protocol) signs(s *state, t tx, planned bool) bool {
	b, c := t.burn(), t.coin()
	if p.AssignBeforeSign && planned && s.rows[row(b, c)] != open {
		return false
	}
	if !p.JournalPromises || !planned {
		return true
	}
	return (s.promise[b] == 0 || s.promise[b] == uint8(c)+1) && s.promise[1-b] != uint8(c)+1
}

// send: what was signed for the ledger is given to a node, in place of what it conflicts with.
func (p Protocol) send(s *state, add adder) {
	for t := range tx(kinds * burns * coins) {
		b := t.burn()
		has := s.signed&t.bit() != 0 && s.plan[b] != 0 && (s.known[b] || !p.AssignBeforeSign)
		if !has || s.chain[t.coin()].by != 0 || !p.Rebroadcast && s.sent[b] {
			continue
		}
		n := *s
		n.waits[t.coin()] = uint8(t) + 1
		n.sent[b] = !p.Rebroadcast
		add(ours, n, "the %s is sent", t)
	}
}

// finish: what is paid is settled, what can never be paid is given back.
func (p Protocol) finish(s *state, b int, add adder) {
	for c := range coins {
		spent := s.chain[c]
		if s.rows[row(b, c)] != open || spent.by == 0 || s.burn[b] != burned {
			continue
		}
		n := *s
		by := tx(spent.by - 1)
		switch pays, final := by.pays() && by.burn() == b, spent.at == 0; {
		case pays && (final || !p.SettleWhenFinal):
			n.rows[row(b, c)], n.burn[b] = closed, settled
			add(ours, n, "burn %d is settled", b)
		case !pays && (final || !p.ReleaseWhenDead):
			n.rows[row(b, c)], n.burn[b] = released, returned
			add(ours, n, "burn %d is released and given back", b)
		}
	}
}

// blocks: a block takes some of what waits; the oldest of a full window becomes
// final.
func (p Protocol) blocks(s *state, add adder) {
	for take := range 1 << coins {
		n := *s
		if n.height == depth {
			for c := range coins {
				if n.chain[c].at > 0 {
					n.chain[c].at--
				}
			}
		} else {
			n.height++
		}
		took := true
		for c := range coins {
			if take&(1<<c) == 0 {
				continue
			}
			took = took && s.waits[c] != 0 && s.chain[c].by == 0
			n.chain[c] = spend{s.waits[c], n.height}
			n.waits[c] = 0
		}
		if took {
			add(world, n, "a block takes %02b", take)
		}
	}
}

// mishaps: reorganisations, evictions, strangers who resend, lost messages, an
// empty ledger, an older base layer.
func (p Protocol) mishaps(s *state, add adder) {
	for drop := uint8(1); drop <= s.height; drop++ {
		for back := range 2 {
			n := *s
			n.height -= drop
			for c := range coins {
				if n.chain[c].at > n.height {
					if back == 1 {
						n.waits[c] = n.chain[c].by
					}
					n.chain[c] = spend{}
				}
			}
			add(hostile, n, "%d blocks leave the chain", drop)
		}
	}
	for c := range coins {
		n := *s
		n.waits[c] = 0
		add(hostile, n, "the spend of coin %d is evicted", c)
	}
	for t := range tx(kinds * burns * coins) {
		if s.signed&t.bit() != 0 && s.chain[t.coin()].by == 0 {
			n := *s
			n.waits[t.coin()] = uint8(t) + 1
			add(hostile, n, "a stranger sends the %s", t)
		}
	}
	n := *s
	n.pool = 0
	add(hostile, n, "a crash: operations in flight are lost")
	n = *s
	n.plan, n.known, n.asked, n.sent = [burns]uint8{}, [burns]bool{}, [burns]bool{}, [burns]bool{}
	add(hostile, n, "the ledger is lost")
	if !p.RefuseOlderBase {
		n = *s
		n.burn, n.rows = [burns]uint8{}, [burns * coins]uint8{}
		n.plan, n.known = [burns]uint8{}, [burns]bool{}
		add(hostile, n, "the base layer and the ledger come from a backup")
	}
}
