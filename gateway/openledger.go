package gateway

import (
	"context"
	"errors"
	"io"
	"time"

	"causeway/pegs"
)

// OpenLedger opens the event log of a network by itself, for measurements: a
// running gateway has its own.
func OpenLedger(path, network string) (*Ledger, error) {
	return openLedger(path, network, time.Now, func(string) {})
}

// Close stops the writer and closes the log.
func (l *Ledger) Close() error { return l.close() }

// WriteTo copies the log as it is durable now. The ledger goes on meanwhile: the
// file only grows.
func (l *Ledger) WriteTo(w io.Writer) (n int64, err error) {
	var end place
	if err := l.View(func(*pegs.State) { end = l.log.place }); err != nil {
		return 0, err
	}
	return io.Copy(w, io.NewSectionReader(l.log.file, 0, end.Offset))
}

// WriteLog copies gateway.db as it is durable now.
func (g *Gateway) WriteLog(w io.Writer) (n int64, err error) { return g.ledger.WriteTo(w) }

// LogSummary is how far a log goes.
type LogSummary struct {
	Verified
	Base          pegs.BaseRef // the newest base block that was acted on
	SignerCounter uint64       // the greatest count that the signer has shown
}

// InspectLog reads the whole log of a stopped home, changing nothing.
func InspectLog(path, network string) (s LogSummary, err error) {
	l, err := readLedger(path, network)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	if s.Verified, err = l.Verify(context.Background()); err != nil {
		return s, err
	}
	return s, l.View(func(state *pegs.State) { s.Base, s.SignerCounter = state.Base, state.SignerCounter() })
}
