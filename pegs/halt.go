package pegs

import (
	"slices"
	"strings"
	"time"

	"causeway/chains"
)

func (s *State) halted(e *Halted, at time.Time) error {
	c, err := s.chain(e.Chain)
	if err != nil {
		return err
	}
	if e.Reason == "" || e.Author == "" || e.Cause == "" || len(e.Scopes) == 0 {
		return refuse("a halt needs scopes, a cause, a reason and an author")
	}
	for _, scope := range e.Scopes {
		if !slices.Contains(Scopes(), scope) {
			return refuse("scope %q", scope)
		}
	}
	c.halts = slices.DeleteFunc(c.halts, func(h Halt) bool { return h.Cause == e.Cause })
	c.halts = append(c.halts, Halt{Halted: *e, At: at})
	return nil
}

func (s *State) resumed(e *Resumed) error {
	c, err := s.chain(e.Chain)
	if err != nil {
		return err
	}
	if e.Reason == "" || e.Author == "" {
		return refuse("to resume needs a reason and an author")
	}
	if !c.HaltedBy(e.Cause) {
		return refuse("%s is not halted by %s", e.Chain, e.Cause)
	}
	c.halts = slices.DeleteFunc(c.halts, func(h Halt) bool { return h.Cause == e.Cause })
	return nil
}

// Halts lists the halts in force, oldest first.
func (c *Chain) Halts() []Halt { return slices.Clone(c.halts) }

// Stands says whether a scope is halted.
func (c *Chain) Stands(scope Scope) bool {
	return slices.ContainsFunc(c.halts, func(h Halt) bool { return slices.Contains(h.Scopes, scope) })
}

// haltedByPerson says whether a scope is halted by an order that is not the
// gateway's own.
func (c *Chain) haltedByPerson(scope Scope) bool {
	return slices.ContainsFunc(c.halts, func(h Halt) bool { return h.Author != GatewayAuthor && slices.Contains(h.Scopes, scope) })
}

// HaltedBy says whether a cause is in force.
func (c *Chain) HaltedBy(cause string) bool {
	return slices.ContainsFunc(c.halts, func(h Halt) bool { return h.Cause == cause })
}

// HaltReason joins the reasons in force.
func (c *Chain) HaltReason() string {
	var reasons []string
	for _, h := range c.halts {
		reasons = append(reasons, h.Reason)
	}
	return strings.Join(reasons, "; ")
}

// HaltOf finds the halt of a cause.
func (c *Chain) HaltOf(cause string) (Halt, bool) {
	for _, h := range c.halts {
		if h.Cause == cause {
			return h, true
		}
	}
	return Halt{}, false
}

// ChainIDs lists the configured chains in order of configuration.
func (s *State) ChainIDs() []chains.ID { return slices.Clone(s.ids) }
