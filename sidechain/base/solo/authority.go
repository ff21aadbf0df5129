package solo

import (
	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// maxAuthorityGraph bounds the search for a cycle.
const maxAuthorityGraph = 256

// authorityValue is the stored form of an authority: hived's JSON.
func authorityValue(a *graphene.Authority) *jsvalue.Object {
	accounts, keys := []jsvalue.Value{}, []jsvalue.Value{}
	for _, auth := range a.AccountAuths {
		accounts = append(accounts, []jsvalue.Value{auth.Account, float64(auth.Weight)})
	}
	for _, auth := range a.KeyAuths {
		keys = append(keys, []jsvalue.Value{auth.Key.String(), float64(auth.Weight)})
	}
	return newRow("weight_threshold", a.WeightThreshold, "account_auths", accounts, "key_auths", keys)
}

// checkAuthority refuses an authority that nobody could ever fulfil, or that
// leads back to its own account.
func (r *run) checkAuthority(account, role string, a *graphene.Authority) error {
	if a.WeightThreshold == 0 {
		return invalid("%s authority of %s has a weight threshold of 0", role, account)
	}
	if n := len(a.AccountAuths) + len(a.KeyAuths); n > maxAuthorityEntries {
		return invalid("Authority membership exceeded. Max: %d Current: %d", maxAuthorityEntries, n)
	}
	names := make(map[string]bool)
	for _, auth := range a.AccountAuths {
		switch {
		case names[auth.Account]:
			return invalid("%s authority of %s names %s twice", role, account, auth.Account)
		case auth.Account == account:
			return invalid("%s authority of %s contains a cycle: %s", role, account, account)
		case r.account(auth.Account) == nil:
			return invalid("%s authority of %s names the unknown account %q", role, account, clip(auth.Account))
		}
		names[auth.Account] = true
	}
	keys := make(map[graphene.PublicKey]bool)
	for _, auth := range a.KeyAuths {
		switch {
		case keys[auth.Key]:
			return invalid("%s authority of %s names %s twice", role, account, auth.Key)
		case !auth.Key.Valid():
			return invalid("%s authority of %s names %s, a key that nobody can have", role, account, auth.Key)
		}
		keys[auth.Key] = true
	}
	if !r.reachable(role, a) {
		return invalid("%s authority of %s is impossible: its keys and accounts do not reach the threshold %d", role, account, a.WeightThreshold)
	}
	return r.checkCycle(account, role, a)
}

// reachable asks whether the threshold would be reached if every key signed.
func (r *run) reachable(role string, a *graphene.Authority) bool {
	total, visits := uint64(0), 0
	for _, auth := range a.KeyAuths {
		total += uint64(auth.Weight)
	}
	for _, auth := range a.AccountAuths {
		if reachable(r.sec, auth.Account, behindRole(role), 1, &visits) {
			total += uint64(auth.Weight)
		}
	}
	return total >= uint64(a.WeightThreshold)
}

// reachable is the same of a stored authority, behind depth accounts.
func reachable(sec *state.Section, account, role string, depth int, visits *int) bool {
	if *visits++; *visits > maxAuthorityVisits {
		return false
	}
	authority, _ := findAccount(sec, account).Object(role)
	total := uint64(0)
	for _, weight := range weights(authority, "key_auths") {
		total += weight
	}
	if depth < maxAuthorityDepth {
		for name, weight := range weights(authority, "account_auths") {
			if reachable(sec, name, role, depth+1, visits) {
				total += weight
			}
		}
	}
	return total >= number(authority, "weight_threshold")
}

// checkCycle walks the accounts behind the authority, however deep.
func (r *run) checkCycle(account, role string, a *graphene.Authority) error {
	seen := make(map[string]bool)
	var queue []string
	visit := func(name string) {
		if !seen[name] {
			seen[name] = true
			queue = append(queue, name)
		}
	}
	for _, auth := range a.AccountAuths {
		visit(auth.Account)
	}
	for i := 0; i < len(queue); i++ {
		if queue[i] == account {
			return invalid("%s authority of %s contains a cycle: %s", role, account, account)
		}
		if len(queue) > maxAuthorityGraph {
			return invalid("%s authority of %s leads to more than %d accounts", role, account, maxAuthorityGraph)
		}
		authority, _ := findAccount(r.sec, queue[i]).Object(behindRole(role))
		for name := range weights(authority, "account_auths") {
			visit(name)
		}
	}
	return nil
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
