package gateway

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"time"

	"causeway/hotwallet"
	"causeway/pegs"
)

// loop calls step when woken and at least every interval, until ctx ends. The
// world's errors are retried, with a growing pause, and logged when they change;
// the ledger's and the signer's own faults end the service.
type loop struct {
	name     string
	log      *slog.Logger
	interval time.Duration
	most     time.Duration // longest pause after errors; 0: maxPause
	wake     []<-chan struct{}
	step     func(ctx context.Context) error
}

const maxPause = 30 * time.Second

func (l loop) run(ctx context.Context) error {
	said, pause := "", time.Duration(0)
	timer := time.NewTimer(0)
	defer timer.Stop()
	wake := merge(ctx, l.wake)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-wake:
		}
		err := l.step(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			if said != "" {
				l.log.Info("works again", "service", l.name)
			}
			said, pause = "", 0
		case fatal(err):
			return err
		default:
			if err.Error() != said {
				said = err.Error()
				l.log.Warn("will try again", "service", l.name, "error", said)
			}
			pause = min(max(2*pause, l.interval), cmp.Or(l.most, maxPause))
		}
		timer.Reset(max(l.interval, pause))
		if pause > 0 && !sleep(ctx, min(pause, l.interval)) {
			return nil
		}
	}
}

// fatal says whether an error is a fault of ours, after which nothing may go on.
func fatal(err error) bool {
	return errors.Is(err, ErrLedgerStopped) || errors.Is(err, pegs.ErrTransition) || errors.Is(err, hotwallet.ErrRollback)
}

// merge passes signals of many channels on to one; signals coalesce.
func merge(ctx context.Context, list []<-chan struct{}) <-chan struct{} {
	if len(list) == 1 {
		return list[0]
	}
	out := make(chan struct{}, 1)
	for _, c := range list {
		go func() {
			for {
				select {
				case <-ctx.Done():
					return
				case <-c:
				}
				select {
				case out <- struct{}{}:
				default:
				}
			}
		}()
	}
	return out
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
