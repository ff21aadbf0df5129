package gateway

import (
	"context"
	"slices"
	"strings"

	"causeway/chains"
	"causeway/pegs"
)

// causeOperator is the cause of halts that a person ordered.
const causeOperator = "operator"

// Halt stops scopes of a chain by order of a person (none named: all of them),
// beside those that he stopped before. It holds until Resume. When it returns,
// nothing that it forbids is on its way any more.
func (g *Gateway) Halt(ctx context.Context, chain chains.ID, reason, author string, scopes ...pegs.Scope) error {
	if err := g.ordered(chain, reason, author, scopes); err != nil {
		return err
	}
	if len(scopes) == 0 {
		scopes = pegs.Scopes()
	}
	defer g.ledger.exclude(chain)()
	return g.ledger.Do(ctx, func(s *pegs.State) ([]Entry, error) {
		c, _ := s.Chain(chain)
		before, _ := c.HaltOf(causeOperator)
		all := inOrder(append(slices.Clone(scopes), before.Scopes...))
		return []Entry{{Event: &pegs.Halted{Chain: chain, Scopes: all, Cause: causeOperator, Reason: reason, Author: author}}}, nil
	})
}

// Resume takes the halts of scopes of a chain away (none named: of all), also
// those that the gateway made: a person has looked. What still gives cause halts
// again. The other scopes stay halted, for the same causes.
func (g *Gateway) Resume(ctx context.Context, chain chains.ID, reason, author string, scopes ...pegs.Scope) error {
	if err := g.ordered(chain, reason, author, scopes); err != nil {
		return err
	}
	if len(scopes) == 0 {
		scopes = pegs.Scopes()
	}
	return g.ledger.Do(ctx, func(s *pegs.State) (entries []Entry, err error) {
		c, _ := s.Chain(chain)
		for _, h := range c.Halts() {
			rest := slices.DeleteFunc(slices.Clone(h.Scopes), func(x pegs.Scope) bool { return slices.Contains(scopes, x) })
			if len(rest) == len(h.Scopes) {
				continue
			}
			if err := c.Resumable(h); err != nil {
				return nil, refuse(CodeBadRequest, "%v", err)
			}
			entries = append(entries, Entry{Event: &pegs.Resumed{Chain: chain, Cause: h.Cause, Reason: reason, Author: author}})
			if len(rest) > 0 {
				entries = append(entries, Entry{Event: &pegs.Halted{Chain: chain, Scopes: rest, Cause: h.Cause, Reason: h.Reason, Author: h.Author}})
			}
		}
		if len(entries) == 0 {
			return nil, refuse(CodeBadRequest, "nothing of %s is halted", chain)
		}
		return entries, nil
	})
}

// ordered checks an order of a person about a chain.
func (g *Gateway) ordered(chain chains.ID, reason, author string, scopes []pegs.Scope) error {
	if g.served(chain) == nil {
		return refuse(CodeUnknownChain, "chain %q is not served here", clip(string(chain)))
	}
	for _, scope := range scopes {
		if !slices.Contains(pegs.Scopes(), scope) {
			return refuse(CodeBadRequest, "scope %q is not one of deposits, minting, payouts", clip(string(scope)))
		}
	}
	return signedOrder(reason, author)
}

// signedOrder checks that an order says who gives it and why.
func signedOrder(reason, author string) error {
	if strings.TrimSpace(reason) == "" || strings.TrimSpace(author) == "" || author == gatewayAuthor {
		return refuse(CodeBadRequest, "an order needs a reason and an author")
	}
	if len(reason) > maxReason || len(author) > maxReason || strings.ContainsFunc(reason+author, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return refuse(CodeBadRequest, "reason and author are one line of at most %d bytes", maxReason)
	}
	return nil
}

// inOrder gives each scope once, in their fixed order.
func inOrder(scopes []pegs.Scope) []pegs.Scope {
	return slices.DeleteFunc(pegs.Scopes(), func(x pegs.Scope) bool { return !slices.Contains(scopes, x) })
}

// setHalt brings an automatic halt of all scopes into force, or out of it when
// reason is empty.
func setHalt(ctx context.Context, l *Ledger, chain chains.ID, cause, reason string, scopes ...pegs.Scope) error {
	if len(scopes) == 0 {
		scopes = pegs.Scopes()
	}
	same := false
	if err := l.View(func(s *pegs.State) {
		if c, ok := s.Chain(chain); ok {
			halt, halted := c.HaltOf(cause)
			same = halted == (reason != "") && (!halted || covers(halt.Scopes, scopes))
		}
	}); err != nil || same {
		return err
	}
	if reason != "" {
		defer l.exclude(chain)()
	}
	return l.Do(ctx, func(s *pegs.State) ([]Entry, error) {
		c, ok := s.Chain(chain)
		if !ok {
			return nil, nil
		}
		halt, halted := c.HaltOf(cause)
		switch {
		case reason == "" && halted && halt.Author == gatewayAuthor:
			return []Entry{{Event: &pegs.Resumed{Chain: chain, Cause: cause, Reason: "the cause is gone", Author: gatewayAuthor}}}, nil
		case reason != "" && !(halted && covers(halt.Scopes, scopes)):
			return []Entry{{Event: &pegs.Halted{Chain: chain, Scopes: inOrder(append(slices.Clone(scopes), halt.Scopes...)), Cause: cause, Reason: reason, Author: gatewayAuthor}}}, nil
		}
		return nil, nil
	})
}

// covers says whether all scopes asked for are among those halted.
func covers(halted, asked []pegs.Scope) bool {
	return !slices.ContainsFunc(asked, func(x pegs.Scope) bool { return !slices.Contains(halted, x) })
}
