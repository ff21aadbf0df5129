package main

import (
	"errors"
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
	for range 4 + 2*int(l.finalDepth())/3 {
		if err := l.world.mine(2); err != nil {
			return err
		}
		if err := l.step(6); err != nil {
			return err
		}
	}
	if err := l.step(6); err != nil {
		return err
	}
	_, err := l.receipts()
	return err
}
