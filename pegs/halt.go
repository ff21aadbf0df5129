package pegs

import (
	"fmt"
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
	halt, ok := c.HaltOf(e.Cause)
	if !ok {
		return refuse("%s is not halted by %s", e.Chain, e.Cause)
	}
	if err := c.Resumable(halt); err != nil {
		return refuse("%v", err)
	}
	c.halts = slices.DeleteFunc(c.halts, func(h Halt) bool { return h.Cause == e.Cause })
	return nil
}

// Alerted says that a chain is under suspicion for a cause, or (Over) no longer:
// meanwhile no deposit is credited at less than the large depth.
type Alerted struct {
	Chain  chains.ID `json:"chain"`
	Cause  string    `json:"cause"`
	Over   bool      `json:"over,omitempty"`
	Reason string    `json:"reason"`
	Author string    `json:"author"`
}

// Kind implements Event.
func (*Alerted) Kind() string { return "alert" }

func (s *State) alerted(e *Alerted, at time.Time) error {
	c, err := s.chain(e.Chain)
	if err != nil {
		return err
	}
	if e.Reason == "" || e.Author == "" || e.Cause == "" {
		return refuse("an alert needs a cause, a reason and an author")
	}
	if _, stands := c.AlertOf(e.Cause); stands != e.Over {
		return refuse("%s: the alert for %s stands: %t", e.Chain, e.Cause, stands)
	}
	c.alerts = slices.DeleteFunc(c.alerts, func(a Alerted) bool { return a.Cause == e.Cause })
	if !e.Over {
		c.alerts = append(c.alerts, *e)
	}
	return nil
}

// Alerts lists the alerts in force, oldest first.
func (c *Chain) Alerts() []Alerted { return slices.Clone(c.alerts) }

// AlertOf finds the alert for a cause.
func (c *Chain) AlertOf(cause string) (Alerted, bool) {
	i := slices.IndexFunc(c.alerts, func(a Alerted) bool { return a.Cause == cause })
	if i < 0 {
		return Alerted{}, false
	}
	return c.alerts[i], true
}

// Resumable says why a halt may not be taken away yet.
func (c *Chain) Resumable(h Halt) error {
	switch {
	case h.Cause != CauseRestored || h.Until != 0 && c.next > h.Until:
		return nil
	case h.Until == 0:
		return fmt.Errorf("the home was restored, and %s was not read to its end since", c.ID)
	}
	return fmt.Errorf("the home was restored: payouts of %s stand until block %d, the newest is %d", c.ID, h.Until, c.height())
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

// HaltReason joins the halts in force, each as "cause: reason".
func (c *Chain) HaltReason() string {
	var reasons []string
	for _, h := range c.halts {
		reasons = append(reasons, h.Cause+": "+h.Reason)
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
