package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"causeway/hotwallet"
	"causeway/internal/failpoint"
	"causeway/sidechain/base"
)

// prover makes the proofs that the signer wants to see. The rows are proven at
// the newest executed base block; the header that commits to that state is the
// next one's. So a proof is made, kept, and complete one base block later.
//
// On a base layer where nothing happens that block would be a minute away.
// Then the prover submits something that an attestor may always say, his word
// on the state, and thereby has it made. Whoever attests nothing waits.
type prover struct {
	sidechain Sidechain
	submitter Submitter
	log       *slog.Logger
	now       func() time.Time
	retry     time.Duration

	mu    sync.Mutex
	kept  map[string]*keptProof // by batch
	asked uint64                // base block whose successor was asked for
	again time.Time             // when to ask once more
}

// keptProof is a proof without its header.
type keptProof struct {
	base  uint64 // base block whose state it is of
	proof hotwallet.StateProof
}

// proofAge is how many base blocks old a proof may become before it is made
// anew: the signer takes none that is much older than what it knows.
const proofAge = 20

func newProver(g *Gateway) *prover {
	return &prover{
		sidechain: g.cfg.Sidechain, submitter: g.cfg.Submitter, log: g.log, now: time.Now, retry: g.cfg.RetryAfter,
		kept: map[string]*keptProof{},
	}
}

// show completes a request with the proof of its rows, or says what it waits
// for.
func (p *prover) show(ctx context.Context, r *hotwallet.SignRequest) (waits string, err error) {
	if failpoint.Off(failpoint.AssignBeforeSign) {
		return "", nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	k, err := p.newest(r)
	if err != nil {
		return "", err
	}
	header, ok, err := p.sidechain.Header(k.base + 1)
	if err != nil {
		return "", err
	}
	if !ok {
		waits = fmt.Sprintf("waits: the next base block commits to the state of block %d", k.base)
		return waits, p.cause(ctx, k.base)
	}
	r.Proof = k.proof
	r.Proof.Header = header
	return "", nil
}

// newest is the proof that was kept for a batch, as long as its rows are what
// they are now, or else one of the state as it is now.
func (p *prover) newest(r *hotwallet.SignRequest) (k *keptProof, err error) {
	ids := make([]string, len(r.Withdrawals))
	for i, w := range r.Withdrawals {
		ids[i] = w.ID
	}
	err = p.sidechain.View(func(v SideState) error {
		fresh := &keptProof{base: v.Head().Base.Number}
		if k = p.kept[r.Assign.Batch]; k != nil && k.base == fresh.base {
			return nil
		}
		if fresh.proof, err = v.Prove(r.Assign.Batch, ids); err != nil {
			return err
		}
		if k == nil || k.base+proofAge < fresh.base || !sameRows(&k.proof, &fresh.proof) {
			k = fresh
		}
		return nil
	})
	if err == nil {
		p.kept[r.Assign.Batch] = k
	}
	return k, err
}

func sameRows(a, b *hotwallet.StateProof) bool {
	if len(a.Withdrawals) != len(b.Withdrawals) || !bytes.Equal(a.Assign.Row, b.Assign.Row) {
		return false
	}
	for i := range a.Withdrawals {
		if !bytes.Equal(a.Withdrawals[i].Row, b.Withdrawals[i].Row) {
			return false
		}
	}
	return true
}

// cause has the base block after a block made, once for all who wait for it.
func (p *prover) cause(ctx context.Context, block uint64) error {
	if p.asked == block && p.now().Before(p.again) {
		return nil
	}
	p.asked, p.again = block, p.now().Add(p.retry)
	var head SideHead
	if err := p.sidechain.View(func(v SideState) error { head = v.Head(); return nil }); err != nil || head.Base.Number != block {
		return err // it is on its way
	}
	hash, ok := p.sidechain.StateHash(head.Block)
	if !ok {
		return nil
	}
	var reject *base.RejectError
	err := p.submitter.SignState(ctx, head.Block, hash)
	if err != nil && !(errors.As(err, &reject) && reject.Kind == base.RejectDuplicate) { // a vote is on its way
		return fmt.Errorf("ask for the base block after %d: %w", block, err)
	}
	p.log.Debug("asked for a base block", "after", block)
	return nil
}

// forget drops the proof of a batch: it is of no more use.
func (p *prover) forget(batch string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.kept, batch)
}
