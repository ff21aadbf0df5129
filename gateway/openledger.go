package gateway

import "time"

// OpenLedger opens the event log of a network by itself, for measurements: a
// running gateway has its own.
func OpenLedger(path, network string) (*Ledger, error) {
	return openLedger(path, network, time.Now, func(string) {})
}

// Close stops the writer and closes the log.
func (l *Ledger) Close() error { return l.close() }
