package main

import (
	"errors"
	"regexp"
)

// cancel is an operator's order to take back a payout that is signed and not
// mined. It may be too late, or impossible.
func (l *life) cancel() error {
	var list []withdrawalItem
	err := l.ask(func() (err error) {
		list, err = pages[withdrawalItem](l.api, "/v1/withdrawals")
		return err
	})
	if err != nil {
		return err
	}
	var batches []string
	for _, w := range list {
		if w.Batch != "" && (w.State == "signed" || w.State == "broadcast") {
			batches = append(batches, w.Batch)
		}
	}
	if len(batches) == 0 {
		return nil
	}
	order := map[string]string{"batch": batches[l.rng.IntN(len(batches))], "author": "olga", "reason": "the campaign wants it"}
	err = l.ask(func() error { return l.api.post("/operator/cancel", order, nil) })
	switch {
	case errors.Is(err, errRefused):
		l.counts["orders refused"]++
		l.say("refused: %v", err)
		return nil
	case err == nil:
		l.counts["cancels"]++
	}
	return err
}

// endure ends a life whose chain was rewritten too deep: what stands still is
// right as long as people are told. Only what must never happen is judged.
func (l *life) endure() error {
	l.world.calm()
	if err := l.disarm(); err != nil {
		return err
	}
	if err := l.pass(); err != nil {
		return err
	}
	if l.rng.IntN(2) == 0 {
		if err := l.acknowledge(); err != nil {
			return err
		}
		if err := l.pass(); err != nil {
			return err
		}
	}
	_, err := l.receipts()
	return err
}

// pass lets so many blocks pass that whatever is under way could be at its end.
func (l *life) pass() error {
	for range 4 + 2*int(l.finalDepth())/3 {
		if err := l.world.mine(2); err != nil {
			return err
		}
		if err := l.step(6); err != nil {
			return err
		}
	}
	return l.step(6)
}

var transactionID = regexp.MustCompile(`[0-9a-f]{64}`)

// acknowledge is an operator who looks at every alarm and lets the chain go on.
func (l *life) acknowledge() error {
	for range 20 { // one at a time is told
		var status statusAnswer
		if err := l.ask(func() error { return l.api.get("/v1/status", &status) }); err != nil {
			return err
		}
		if len(status.Chains) != 1 || status.Chains[0].Payouts == "open" {
			return nil
		}
		id := string(l.terms().id)
		order := map[string]string{"chain": id, "author": "olga", "reason": "looked at: " + clip(status.Chains[0].Reason)}
		for _, txid := range transactionID.FindAllString(status.Chains[0].Reason, -1) {
			order["txid"] = txid
			err := l.ask(func() error { return l.api.post("/operator/acknowledge", order, nil) })
			if err != nil && !errors.Is(err, errRefused) {
				return err
			}
			l.counts["alarms acknowledged"]++
		}
		delete(order, "txid")
		if err := l.ask(func() error { return l.api.post("/operator/resume", order, nil) }); err != nil && !errors.Is(err, errRefused) {
			return err
		}
		l.resumed = true
		if err := l.step(3); err != nil {
			return err
		}
	}
	return nil
}

// clip bounds a text that is quoted in a reason.
func clip(text string) string { return text[:min(len(text), 100)] }
