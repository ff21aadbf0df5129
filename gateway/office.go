package gateway

import (
	"context"
	"log/slog"

	"causeway/chains"
	"causeway/hotwallet"
	"causeway/pegs"
)

// office is the part of paying that is the same whatever a chain is made of: what
// the signer remembers, what it is asked for, what fees may come to.
type office struct {
	id        chains.ID
	chain     served
	ledger    *Ledger
	sidechain Sidechain
	signer    Signer
	prover    *prover
	notes     *notes
	log       *slog.Logger
	hook      func(string)
	recalled  *recalled
	limits    *signerLimits
	papers    papers
}

// papers are what the signer is shown, and what is read from what it gives.
type papers interface {
	// payable is the script that a withdrawal is paid to, or the reason why it
	// cannot be paid.
	payable(s *pegs.State, w *pegs.Withdrawal) (script []byte, reason string)
	// request puts together what the signer wants to see of a batch.
	request(batch string) (hotwallet.SignRequest, error)
	// complete adds what is worth fetching only when the rest is there.
	complete(ctx context.Context, r *hotwallet.SignRequest) error
	// signedEvent reads from the bytes themselves what they do.
	signedEvent(batch string, signed hotwallet.Signed) (*pegs.Signed, error)
}

func newOffice(g *Gateway, chain served, papers papers) office {
	id := chain.conf().ID()
	return office{
		id: id, chain: chain, ledger: g.ledger, sidechain: g.cfg.Sidechain, signer: g.cfg.Signer, prover: g.prover, notes: g.notes,
		log: g.log.With("chain", string(id)), hook: g.cfg.Failpoint, recalled: g.recalled[id], limits: g.limits, papers: papers,
	}
}
