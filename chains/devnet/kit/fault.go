package kit

import (
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
)

// Fault is how an embedded chain's RPC surface misbehaves; what exactly it shows
// is in the chain's own documentation.
type Fault string

// The faults.
const (
	FaultNone  Fault = "none"  // an honest node
	FaultDown  Fault = "down"  // not to be reached
	FaultLag   Fault = "lag"   // answers as of some blocks ago
	FaultEmpty Fault = "empty" // answers reads with null, or with an empty list
	FaultLie   Fault = "lie"   // shows wrong amounts
	FaultFloat Fault = "float" // prints numbers as floats
)

// LagBlocks is how far FaultLag is behind.
const LagBlocks = 6

// Faults are all of them.
func Faults() []Fault {
	return []Fault{FaultNone, FaultDown, FaultLag, FaultEmpty, FaultLie, FaultFloat}
}

// Switch holds the fault that is set; the zero value is FaultNone. It may be used
// from any goroutine.
type Switch struct {
	fault atomic.Value // Fault
	turns atomic.Uint64
}

// SetFault makes the RPC surface misbehave from the next request on.
func (s *Switch) SetFault(fault Fault) error {
	if !slices.Contains(Faults(), fault) {
		return fmt.Errorf("unknown fault %q: one of %v", fault, Faults())
	}
	s.fault.Store(fault)
	return nil
}

// Fault is the fault that is set.
func (s *Switch) Fault() Fault {
	if fault, ok := s.fault.Load().(Fault); ok {
		return fault
	}
	return FaultNone
}

// BreakDown fails as a node does that is starting (HTTP 503) or not there (the
// connection is dropped), by turns.
func (s *Switch) BreakDown(w http.ResponseWriter) {
	if s.turns.Add(1)%2 == 0 {
		if hijacker, ok := w.(http.Hijacker); ok {
			if conn, _, err := hijacker.Hijack(); err == nil {
				_ = conn.Close()
				return
			}
		}
	}
	http.Error(w, "Service Unavailable", http.StatusServiceUnavailable)
}
