package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"causeway/chains/chaintest"
)

// The limits of a load run.
const (
	perPayment  = 10 // outputs of one transaction to one address: more are held
	perCall     = 30 // withdrawals in one operation
	baseMemory  = 400 << 20
	eachMemory  = 22 << 10 // bytes for a deposit and a withdrawal, all that is kept of them, with as much garbage
	overtakings = 300      // burns that may be paid before an earlier one
)

// loadRun is one life with o.runs deposits and as many withdrawals.
func loadRun(o options, seed uint64) outcome {
	l, err := newLife(o, seed, 1, 50+o.runs/(perPayment*len(users)))
	if err != nil {
		return outcome{seed: seed, violations: []string{"the world cannot be made: " + err.Error()}}
	}
	defer l.end()
	l.hurry = true
	l.api.http.Timeout = 20 * time.Minute
	if err := l.flood(o.runs); err != nil && !errors.Is(err, errGiveUp) {
		l.fault("%v", err)
	}
	return outcome{seed: seed, violations: l.faults, counts: l.counts}
}

func (l *life) flood(n int) error {
	if err := l.boot(trap{}); err != nil {
		return err
	}
	if err := l.addresses(); err != nil {
		return err
	}
	l.say("profiles are at %s/debug/pprof/", l.api.url)
	began := time.Now()
	if err := l.deposits(n); err != nil {
		return err
	}
	l.counts["seconds of deposits"] = int(time.Since(began).Seconds())
	began = time.Now()
	if err := l.queue(n); err != nil {
		return err
	}
	l.counts["seconds of burns"] = int(time.Since(began).Seconds())
	began = time.Now()
	if err := l.drain(n, 100+n/20); err != nil {
		return err
	}
	l.counts["seconds of payouts"] = int(time.Since(began).Seconds())
	l.fair()
	began = time.Now()
	if err := l.quick(); err != nil {
		return err
	}
	if err := l.crowded(n); err != nil {
		return err
	}
	l.counts["seconds of the crowd"] = int(time.Since(began).Seconds())
	return l.judge()
}

// deposits pays in and waits until all is credited.
func (l *life) deposits(n int) error {
	units := int64(100_000*max(1, eachCrowd/n)) * l.terms().scale // enough for the crowd
	for made := 0; made < n; {
		var outputs []chaintest.Output
		for range perPayment {
			for _, user := range users {
				if made < n {
					outputs = append(outputs, chaintest.Output{Address: l.address[user], Units: units})
					made++
				}
			}
		}
		if _, err := l.sim.Send(outputs...); err != nil {
			return err
		}
		if made%6000 < len(outputs) {
			if err := l.sim.Mine(1); err != nil {
				return err
			}
		}
	}
	if err := l.sim.Mine(int(l.finalDepth())); err != nil {
		return err
	}
	for range 20 + n/500 {
		if err := l.step(5); err != nil {
			return err
		}
		var last []depositRow
		request := map[string]any{"contract": "pegs", "table": "deposits", "query": struct{}{}, "limit": 1, "offset": n - 1}
		if err := l.api.rpc("/contracts", "find", request, &last); err != nil {
			return err
		}
		if len(last) == 1 {
			return l.memory(n)
		}
	}
	l.fault("not all deposits are credited")
	return errGiveUp
}

// queue burns all at once.
func (l *life) queue(n int) error {
	t := l.terms()
	for made := 0; made < n; {
		user := users[(made/perCall)%len(users)]
		var quantities []int64
		for range min(perCall, n-made) {
			quantities = append(quantities, t.minimum+t.fee+10*t.scale*int64(made%1000))
			made++
		}
		if err := l.burn(user, quantities); err != nil {
			return err
		}
		if made%3000 < perCall {
			if err := l.step(1); err != nil {
				return err
			}
		}
	}
	return nil
}

// burn withdraws quantities of a user in one operation.
func (l *life) burn(user string, quantities []int64) error {
	var calls []any
	var some []*burn
	for _, quantity := range quantities {
		address, script, err := l.world.payee(l.rng)
		if err != nil {
			return err
		}
		calls = append(calls, contractCall{"pegs", "withdraw", map[string]string{
			"symbol": l.terms().symbol, "quantity": coins(quantity), "address": address,
		}})
		some = append(some, &burn{account: user, script: script, quantity: quantity, burned: true})
	}
	tx, err := l.api.call(l.baseID, user, calls...)
	if err != nil {
		return err
	}
	if err := l.api.send(tx); err != nil {
		return err
	}
	for i, b := range some {
		b.tx, b.part = tx, strconv.Itoa(i)
		if len(some) == 1 {
			b.part = ""
		}
	}
	l.burns = append(l.burns, some...)
	return nil
}

// drain pays until nothing waits.
func (l *life) drain(n, turns int) error {
	for range turns {
		if err := l.sim.Mine(1); err != nil {
			return err
		}
		if err := l.step(4); err != nil {
			return err
		}
		var newest struct {
			Items []withdrawalItem `json:"items"`
		}
		if err := l.api.get("/v1/withdrawals?limit=1", &newest); err != nil {
			return err
		}
		if len(newest.Items) == 0 || newest.Items[0].State != "settled" {
			continue // not even the youngest is done
		}
		if reason, err := l.unrest(); err != nil || reason == "" {
			return errors.Join(err, l.memory(n))
		}
	}
	reason, err := l.unrest()
	l.fault("never at rest: %s", reason)
	return errors.Join(err, errGiveUp)
}

// fair: burns are paid in their order, but for what shares a transaction and
// what can be paid when larger ones cannot.
func (l *life) fair() {
	place := map[string]int{}
	for i, b := range l.burns {
		place[b.script] = i
	}
	highest, worst := 0, 0
	for _, block := range l.sim.Chain() {
		for _, tx := range block.Txs() {
			for _, out := range tx.Msg.TxOut {
				if i, ok := place[hex.EncodeToString(out.PkScript)]; ok {
					worst = max(worst, highest-i)
					highest = max(highest, i)
				}
			}
		}
	}
	l.counts["burns paid before an earlier one, at most"] = worst
	if worst > overtakings {
		l.fault("a burn was overtaken by %d later ones", worst)
	}
}

// memory: the process needs no more than a bound for each item.
func (l *life) memory(n int) error {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", l.proc.cmd.Process.Pid))
	if err != nil {
		return nil // not Linux: nothing can be said
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		value, ok := strings.CutPrefix(line, "VmHWM:")
		if !ok {
			continue
		}
		kilobytes, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
		if err != nil {
			return err
		}
		l.counts["megabytes at most"] = max(l.counts["megabytes at most"], kilobytes>>10)
		if limit := baseMemory + n*eachMemory; kilobytes<<10 > limit {
			l.fault("%d MB of memory for %d items", kilobytes>>10, n)
		}
	}
	return nil
}
