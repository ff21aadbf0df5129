package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// second starts another process on the same home: it must be refused at once.
func (l *life) second() error {
	if err := l.alive(); err != nil {
		return err
	}
	p, err := startProcess(l.childConfig(trap{}))
	if err == nil {
		p.kill()
		if !l.proc.alive() { // the first had ended: this one was the first again
			return nil
		}
		l.fault("a second process started on the same home")
		return errGiveUp
	}
	if !errors.Is(err, errEnded) {
		return err
	}
	if l.proc.alive() && p.exit() != exitRefused {
		l.fault("a second process on the same home ended with %d: %s", p.exit(), lastLine(p.stderr.String()))
	}
	l.counts["second processes"]++
	return nil
}

// stop ends the process as an operator does.
func (l *life) stop() error {
	if err := l.alive(); err != nil {
		return err
	}
	err := l.api.post("/campaign/stop", nil, nil)
	if !l.proc.waitEnd(20 * time.Second) {
		l.fault("the process does not stop: %v", err)
		return errGiveUp
	}
	if code := l.proc.exit(); code != exitOK && l.proc.died == "" {
		l.fault("the process stopped with %d: %s", code, lastLine(l.proc.stderr.String()))
		return errGiveUp
	}
	l.counts["stops"]++
	l.proc = nil
	return nil
}

// restore puts an older gateway.db into the stopped home, or keeps this one for
// the next time.
func (l *life) restore() error {
	if err := l.stop(); err != nil {
		return err
	}
	path := filepath.Join(l.home, "gateway.db")
	if l.old != nil && l.rng.IntN(2) == 0 {
		l.counts["older ledgers"]++
		l.say("an older ledger")
		if err := os.WriteFile(path, l.old, 0o600); err != nil {
			return err
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	l.old = text
	return nil
}

// quiet says what is still under way, nothing when all is at rest.
func (l *life) quiet() (reason string, err error) {
	open, err := l.receipts()
	if err != nil || open > 0 {
		return fmt.Sprintf("%d burns are in no block", open), errors.Join(err, l.resend())
	}
	err = l.ask(func() (err error) {
		reason, err = l.unrest()
		return err
	})
	return reason, err
}

func (l *life) unrest() (string, error) {
	var status statusAnswer
	if err := l.api.get("/v1/status", &status); err != nil {
		return "", err
	}
	l.behind = len(status.Chains) == 1 && status.Chains[0].Height < l.world.height()
	if len(status.Chains) != 1 || status.Chains[0].Reason != "" || status.Chains[0].Height != l.world.height() {
		return fmt.Sprintf("the chain is %+v, its newest block %d", status.Chains, l.world.height()), nil
	}
	deposits, err := pages[depositItem](l.api, "/v1/deposits")
	if err != nil {
		return "", err
	}
	for _, d := range deposits {
		switch d.State {
		case "credited", "below_minimum", "held", "gone":
		default:
			return fmt.Sprintf("deposit %s is %s: %s %s", d.ID, d.State, d.Reason, d.Detail), nil
		}
	}
	withdrawals, err := pages[withdrawalItem](l.api, "/v1/withdrawals")
	if err != nil {
		return "", err
	}
	burned := 0
	for _, b := range l.burns {
		if b.burned {
			burned++
		}
	}
	if len(withdrawals) != burned {
		return fmt.Sprintf("%d of %d burns are known", len(withdrawals), burned), nil
	}
	for _, w := range withdrawals {
		if w.State != "returned" && (w.State != "settled" || w.Confirms < l.depth) {
			return fmt.Sprintf("withdrawal %s is %s, %d deep: %s %s", w.ID, w.State, w.Confirms, w.Reason, w.Detail), nil
		}
	}
	return l.open()
}

// open says which batch is not decided: paid and booked, or given up.
func (l *life) open() (string, error) {
	if l.hurry {
		return "", nil
	}
	rows, err := rowsOf[assignRow](l.api, "pegs", "assigns", struct{}{})
	if err == nil {
		l.batches = rows
	}
	for _, r := range rows {
		if r.State == "open" {
			return fmt.Sprintf("batch %s (%s) is open", r.Batch, r.Kind), err
		}
	}
	if err != nil {
		return "", err
	}
	return l.world.rest()
}

// settleTime is how long a process that runs by itself may take to come to rest, on a
// machine that has much else to do.
const settleTime = 3 * time.Minute

// settle lets the world be kind until all is at rest.
func (l *life) settle() error {
	l.world.calm()
	if err := l.disarm(); err != nil {
		return err
	}
	deadline := time.Now().Add(settleTime)
	reason := ""
	for i := 0; i < 80+4*int(l.depth) || l.free && time.Now().Before(deadline); i++ {
		if !l.free || !l.behind { // no faster than the process follows
			if err := l.world.mine(1 + int(l.depth)/10); err != nil {
				return err
			}
		}
		if err := l.step(4); err != nil {
			return err
		}
		var err error
		if reason, err = l.quiet(); err != nil {
			return err
		}
		l.say("rest: %s", reason)
		if reason == "" {
			return nil
		}
	}
	l.fault("never at rest: %s", reason)
	return errGiveUp
}

// disarm takes the trap away.
func (l *life) disarm() error {
	l.trap = trap{}
	return l.ask(func() error { return l.api.post("/campaign/trap", trap{}, nil) })
}
