package gateway

import (
	"fmt"
	"sync"
	"time"

	"causeway/chains"
	"causeway/hotwallet"
)

// signerLimits are the signer's own caps, as it says them itself: it may be another
// process with another configuration. A batch that is assigned and that the signer
// would never sign would be stuck for ever.
type signerLimits struct {
	signer Signer
	now    func() time.Time

	mu    sync.Mutex
	caps  map[chains.ID]hotwallet.SignerCaps // nil: it has said nothing yet
	asked time.Time                          // when it said so
}

// limitsAge is how old the signer's word on its caps may become: it may be started
// anew with others.
const limitsAge = time.Minute

// learn asks the signer when it was not asked for long. One that does not answer
// is taken to be the one that has: the error says that it has said nothing yet.
func (l *signerLimits) learn() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.caps != nil && l.now().Sub(l.asked) < limitsAge {
		return nil
	}
	caps, err := l.signer.Limits()
	switch {
	case err == nil:
		l.caps, l.asked = caps, l.now()
		if l.caps == nil {
			l.caps = map[chains.ID]hotwallet.SignerCaps{}
		}
	case l.caps == nil:
		return fmt.Errorf("what the signer signs: %w", err)
	}
	return nil
}

// forget has the signer asked again: it has refused for its caps.
func (l *signerLimits) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = time.Time{}
}

// within are configured caps, no higher than the signer's. refused says that it
// signs nothing on the chain.
func (l *signerLimits) within(id chains.ID, caps hotwallet.SignerCaps) (bounded hotwallet.SignerCaps, refused bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.caps == nil {
		return caps, false
	}
	own := l.caps[id]
	caps.MaxFee, caps.MaxTotal = lower(caps.MaxFee, own.MaxFee), lower(caps.MaxTotal, own.MaxTotal)
	if caps.MaxRate == 0 || own.MaxRate < caps.MaxRate {
		caps.MaxRate = own.MaxRate
	}
	if own.MaxVSize != 0 && (caps.MaxVSize == 0 || own.MaxVSize < caps.MaxVSize) {
		caps.MaxVSize = own.MaxVSize
	}
	return caps, own.MaxFee.IsZero() || own.MaxRate == 0 || own.MaxTotal.IsZero()
}

// lower is the lower of a cap, zero for none, and the signer's.
func lower(configured, own chains.Amount) chains.Amount {
	if configured.IsZero() || own.Less(configured) {
		return own
	}
	return configured
}
