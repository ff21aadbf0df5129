package gateway

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"causeway/chains"
	"causeway/hotwallet"
	"causeway/pegs"
)

// What the signer would refuse is not assigned: it would be stuck for ever, and
// payouts would stand still.
func TestSignerCapsBoundPlans(t *testing.T) {
	d := newDriver(t)
	d.mine(20)
	d.boot()
	defer func() { d.node.close() }()
	d.credit("alice", "120")
	d.mine(3)
	var first, second string
	d.call(&first, "getnewaddress")
	d.call(&second, "getnewaddress")
	large := d.withdraw("alice", "110", first)
	small := d.withdraw("alice", "1", second)
	d.until("the small one is broadcast", func() bool { return d.withdrawal(small).State == "broadcast" })
	if got := d.withdrawal(large); got.State != "queued" || !strings.Contains(got.Detail, "signer") {
		t.Errorf("the large one is %+v", got)
	}
	if reason := d.node.gateway.ChainStatus()[0].Reason; reason != "" {
		t.Errorf("halted: %s", reason)
	}
	d.balanced()
}

// A signer that takes small transactions only gets small batches: what waits is
// paid by several.
func TestSignerCapOfSizeBoundsPlans(t *testing.T) {
	d := simBooted(t)
	d.caps.MaxVSize = 250
	d.node.close()
	d.boot()
	d.fund(2_000_000, 2_000_000, 2_000_000)
	payee := d.payee()
	var ids []string
	for i, account := range []string{"alice", "bob", "carol", "alice", "bob", "carol"} {
		ids = append(ids, d.withdraw(account, fmt.Sprintf("0.001%d", i), payee))
	}
	d.until("all are paid", func() bool {
		d.mine(1)
		for _, id := range ids {
			if d.withdrawal(id).State != "settled" {
				return false
			}
		}
		return true
	})
	for _, b := range d.batches(pegs.BatchPayout) {
		if b.Newest().VSize > 250 {
			t.Errorf("a batch of %d vbytes", b.Newest().VSize)
		}
	}
	if reason := d.node.gateway.ChainStatus()[0].Reason; reason != "" {
		t.Errorf("halted: %s", reason)
	}
	d.balanced()
}

// sayingSigner is a signer that says what a test wants of its caps.
type sayingSigner struct {
	Signer
	caps  map[chains.ID]hotwallet.SignerCaps
	err   error
	asked int
}

func (s *sayingSigner) Limits() (map[chains.ID]hotwallet.SignerCaps, error) {
	s.asked++
	return s.caps, s.err
}

func TestSignerLimits(t *testing.T) {
	amount := chains.NewAmount
	caps := func(fee uint64, rate chains.FeeRate, vsize, total uint64) hotwallet.SignerCaps {
		return hotwallet.SignerCaps{Caps: hotwallet.Caps{MaxFee: amount(fee), MaxRate: rate, MaxVSize: vsize}, MaxTotal: amount(total)}
	}
	for name, test := range map[string]struct {
		configured, own, want hotwallet.SignerCaps
		refused               bool
	}{
		"the signer's":   {caps(0, 0, 0, 0), caps(1, 2, 3, 4), caps(1, 2, 3, 4), false},
		"the configured": {caps(1, 2, 3, 4), caps(5, 6, 7, 8), caps(1, 2, 3, 4), false},
		"the lower":      {caps(9, 2, 9, 4), caps(5, 6, 7, 8), caps(5, 2, 7, 4), false},
		"no size":        {caps(1, 2, 3, 4), caps(5, 6, 0, 8), caps(1, 2, 3, 4), false},
		"no total":       {caps(1, 2, 3, 4), caps(5, 6, 7, 0), caps(1, 2, 3, 0), true},
		"none":           {caps(1, 2, 3, 4), caps(0, 0, 0, 0), caps(0, 0, 3, 0), true},
	} {
		l := &signerLimits{caps: map[chains.ID]hotwallet.SignerCaps{chains.BTC: test.own}}
		if got, refused := l.within(chains.BTC, test.configured); got != test.want || refused != test.refused {
			t.Errorf("%s: %+v, %v", name, got, refused)
		}
	}
	now := time.Unix(1_000_000, 0)
	s := &sayingSigner{err: errors.New("away")}
	l := &signerLimits{signer: s, now: func() time.Time { return now }}
	if err := l.learn(); err == nil {
		t.Error("nothing is known")
	}
	s.err = nil
	for range 3 {
		if err := l.learn(); err != nil {
			t.Error(err)
		}
	}
	if s.asked != 2 {
		t.Errorf("asked %d times", s.asked)
	}
	if _, refused := l.within(chains.LTC, caps(1, 2, 3, 4)); !refused {
		t.Error("it signs on a chain that it has no caps for")
	}
	now, s.err = now.Add(limitsAge), errors.New("away again")
	if err := l.learn(); err != nil || s.asked != 3 {
		t.Errorf("what it said before is forgotten: %v", err)
	}
	l.forget()
	s.err, s.caps = nil, map[chains.ID]hotwallet.SignerCaps{chains.LTC: caps(1, 1, 1, 1)}
	if err := l.learn(); err != nil {
		t.Error(err)
	}
	if got, refused := l.within(chains.LTC, caps(0, 0, 0, 0)); refused || got != caps(1, 1, 1, 1) {
		t.Errorf("after it was started anew: %+v", got)
	}
}

// A signer that says nothing of its caps keeps new payouts waiting.
func TestPayoutsWaitForTheSignersCaps(t *testing.T) {
	d := simBooted(t)
	d.fund(2_000_000)
	s := &sayingSigner{Signer: d.node.signer, err: fmt.Errorf("%w: away", chains.ErrUnavailable)}
	g := d.node.gateway
	g.limits.signer, g.limits.caps = s, nil
	id := d.withdraw("alice", "0.01", d.payee())
	for range 5 {
		d.pump()
	}
	if w := d.withdrawal(id); w.State != "queued" {
		t.Errorf("it is %s", w.State)
	}
	s.err, s.caps = nil, map[chains.ID]hotwallet.SignerCaps{}
	d.pump()
	if w := d.withdrawal(id); w.State != "queued" || !strings.Contains(w.Detail, "signs nothing on this chain") {
		t.Errorf("%+v", w)
	}
	g.limits.signer = d.node.signer
	g.limits.forget()
	d.until("sent", func() bool { return d.withdrawal(id).State == "broadcast" })
}
