package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"causeway/chains"
	"causeway/pegs"
)

// The second part of a load run: limits, and a stream of withdrawals that is twice
// what they let through, of which one account has more than half and a few are very
// large.
const (
	fairWindow    = 6 // base blocks
	fairBlocks    = 10 * fairWindow
	fairRate      = 14   // small withdrawals in a base block
	fairCap       = 44   // of them within the window: just so many that all of them are small
	fairLarge     = 5    // a large one is that part of the cap
	ownOvertakers = 200  // burns of one account and size that may be paid before an earlier one: two transactions
	eachCrowd     = 2000 // deposits: with as many the stream is once as wide
	widestCrowd   = 10
)

// crowded restarts the process with limits, has everybody withdraw again and again,
// and looks at the order in which they are paid.
func (l *life) crowded(n int) error {
	if err := l.stop(); err != nil {
		return err
	}
	many := min(max(n/eachCrowd, 1), widestCrowd)
	t := l.terms()
	limit := int64(many*fairCap) * (t.minimum + 5000*t.scale)
	l.limits = pegs.Limits{Cap: chains.NewAmount(uint64(limit)), AccountCap: chains.NewAmount(uint64(limit / 2)), Window: fairWindow}
	began := time.Now()
	if err := l.boot(trap{}); err != nil {
		return err
	}
	l.counts["milliseconds of the start with all of it"] = int(time.Since(began).Milliseconds())
	before := len(l.burns)
	if err := l.crowd(many, limit/fairLarge); err != nil {
		return err
	}
	if err := l.drain(n, 100*fairWindow); err != nil {
		return err
	}
	return l.order(l.burns[before:], limit)
}

// crowd lets the users ask for small withdrawals in every base block, the first of
// them for the most, and the others in turn for a large one in every window.
func (l *life) crowd(many int, large int64) error {
	t := l.terms()
	for block := range fairBlocks {
		for i, user := range users {
			var list []int64
			share := many * 3
			if i == 0 {
				share = many * (fairRate - 3*(len(users)-1))
			}
			for range share {
				list = append(list, t.minimum+t.fee+10*t.scale*int64((len(l.burns)+len(list))%1000))
			}
			if block%fairWindow == 2 && i == 1+block/fairWindow%2 {
				list = append(list, large+t.fee)
			}
			for some := range slices.Chunk(list, perCall) {
				if err := l.burn(user, some); err != nil {
					return err
				}
			}
		}
		if block%2 == 0 {
			if err := l.sim.Mine(1); err != nil {
				return err
			}
		}
		if err := l.step(1); err != nil {
			return err
		}
	}
	return nil
}

// order asks whether nobody was kept waiting by those who came after him: the
// account with many keeps none of the others, what is small is not kept by what is
// large, and what is large waits for its part of the cap and no longer.
func (l *life) order(burns []*burn, limit int64) error {
	paid, err := l.placesOf(burns)
	if err != nil {
		return err
	}
	isLarge := func(b *burn) bool { return b.quantity > limit/(fairLarge+1) }
	newest := map[string]int{} // of an account and size: the last in the queue that was paid
	count := map[string]int{}
	worst := 0
	rank := make([]int, len(burns))
	for i, b := range burns {
		key := fmt.Sprint(b.account, isLarge(b))
		rank[i] = count[key]
		count[key]++
	}
	for _, i := range paid.order {
		key := fmt.Sprint(burns[i].account, isLarge(burns[i]))
		worst = max(worst, newest[key]-rank[i])
		newest[key] = max(newest[key], rank[i])
	}
	l.counts["own burns paid before an earlier one, at most"] = worst
	if worst > ownOvertakers {
		l.fault("a burn was overtaken by %d later ones of its account", worst)
	}
	worstSmall, worstLarge := 0.0, 0.0
	for i, b := range burns {
		var older, younger, youngerLarge int64
		for j, other := range burns {
			switch {
			case paid.place[j] >= paid.place[i]:
			case j < i:
				older += other.quantity
			default:
				if younger += other.quantity; isLarge(other) {
					youngerLarge += other.quantity
				}
			}
		}
		switch {
		case b.account == users[0]: // its own cap holds it back, not the others
		case isLarge(b):
			if worstLarge = max(worstLarge, float64(younger)/float64(limit)); younger > 2*limit+older/2 {
				l.fault("a large burn waited while later ones were paid %d, before it %d, with a cap of %d", younger, older, limit)
			}
		default:
			if worstSmall = max(worstSmall, float64(youngerLarge)/float64(limit)); youngerLarge > limit {
				l.fault("a small burn waited while later large ones were paid %d, with a cap of %d", youngerLarge, limit)
			}
		}
	}
	l.counts["hundredths of the cap paid before an earlier large burn, at most"] = int(100 * worstLarge)
	l.counts["hundredths of the cap paid to large before an earlier small burn, at most"] = int(100 * worstSmall)
	return nil
}

// places say where in the chain burns were paid.
type places struct {
	place []int // the number of the transaction
	order []int // burns as they were paid
}

func (l *life) placesOf(burns []*burn) (p places, err error) {
	byScript := map[string]int{}
	for i, b := range burns {
		byScript[b.script] = i
	}
	p.place = make([]int, len(burns))
	n := 0
	for _, block := range l.sim.Chain() {
		for _, tx := range block.Txs() {
			n++
			for _, out := range tx.Msg.TxOut {
				if i, ok := byScript[hex.EncodeToString(out.PkScript)]; ok {
					p.place[i] = n
					p.order = append(p.order, i)
				}
			}
		}
	}
	if len(p.order) != len(burns) {
		return p, fmt.Errorf("%d of %d burns were paid", len(p.order), len(burns))
	}
	return p, nil
}

// quick measures what users and monitors ask for, with everything there: the
// slowest of some answers.
func (l *life) quick() error {
	middle := l.burns[len(l.burns)/2]
	for what, path := range map[string]string{
		"deposits of an account":    "/v1/deposits?account=" + users[1],
		"deposits, in the middle":   "/v1/deposits?cursor=" + fmt.Sprint(len(l.burns)/2),
		"withdrawals of an account": "/v1/withdrawals?account=" + users[1],
		"one withdrawal":            "/v1/withdrawals/" + middle.id(),
		"status":                    "/v1/status",
		"metrics":                   "/metrics",
	} {
		slowest := time.Duration(0)
		for range 5 {
			began := time.Now()
			response, err := l.api.http.Get(l.api.url + path)
			if err != nil {
				return err
			}
			_, err = io.Copy(io.Discard, response.Body)
			if err = errors.Join(err, response.Body.Close()); err != nil {
				return err
			}
			if response.StatusCode != http.StatusOK {
				return fmt.Errorf("%s: HTTP %d", path, response.StatusCode)
			}
			slowest = max(slowest, time.Since(began))
		}
		l.counts["microseconds of "+what] = int(slowest.Microseconds())
	}
	began := time.Now()
	var books booksAnswer
	err := l.api.get("/campaign/books", &books)
	l.counts["milliseconds of an audit"] = int(time.Since(began).Milliseconds())
	return err
}
