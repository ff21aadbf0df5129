// Package machine is the payout protocol (ADRs 4 and 5) as a small abstract
// machine, and an exhaustive search of everything that can happen to it: two
// burns, two coins, three blocks that are not final, fee variants, cancels,
// reorganisations, evictions, lost messages, lost ledgers, and a crash between
// any two steps, since every step stands by itself.
//
// Search visits every reachable state. In each it checks what must always hold,
// and in the end that no state is a dead end: from each of them a state in which
// every burn is settled or given back can be reached by the gateway's own steps,
// blocks and included operations alone. A Protocol with a defence left out must
// give a counterexample, which is told as the steps that lead to it.
//
// It imports nothing of the project: it is what the code should do.
package machine
