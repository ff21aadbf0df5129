package gateway

import (
	"context"

	"causeway/chains"
	"causeway/pegs"
)

// causeOperator is the cause of halts that a person ordered.
const causeOperator = "operator"

// Halt stops scopes of a chain by order of a person (none named: all of them).
// It holds until Resume.
func (g *Gateway) Halt(ctx context.Context, chain chains.ID, reason, author string, scopes ...pegs.Scope) error {
	if g.follower(chain) == nil {
		return refuse(CodeUnknownChain, "chain %q is not served here", clip(string(chain)))
	}
	if reason == "" || author == "" || author == gatewayAuthor {
		return refuse(CodeBadRequest, "a halt needs a reason and an author")
	}
	if len(scopes) == 0 {
		scopes = pegs.Scopes()
	}
	return g.ledger.Append(ctx, &pegs.Halted{Chain: chain, Scopes: scopes, Cause: causeOperator, Reason: reason, Author: author})
}

// Resume takes every halt of a chain away, also those that the gateway made: a
// person has looked. What still gives cause halts again.
func (g *Gateway) Resume(ctx context.Context, chain chains.ID, reason, author string) error {
	if g.follower(chain) == nil {
		return refuse(CodeUnknownChain, "chain %q is not served here", clip(string(chain)))
	}
	if reason == "" || author == "" || author == gatewayAuthor {
		return refuse(CodeBadRequest, "to resume needs a reason and an author")
	}
	return g.ledger.Do(ctx, func(s *pegs.State) (entries []Entry, err error) {
		c, _ := s.Chain(chain)
		for _, h := range c.Halts() {
			entries = append(entries, Entry{Event: &pegs.Resumed{Chain: chain, Cause: h.Cause, Reason: reason, Author: author}})
		}
		return entries, nil
	})
}
