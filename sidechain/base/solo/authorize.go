package solo

import (
	"slices"

	"causeway/sidechain/base"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// Limits of authorities. They are Hive's.
const (
	maxAuthorityDepth   = 2   // accounts behind accounts
	maxAuthorityEntries = 40  // keys and accounts of one authority
	maxAuthorityVisits  = 125 // accounts looked at for one decision
)

// Roles of an account.
const (
	roleOwner   = "owner"
	roleActive  = "active"
	rolePosting = "posting"
)

// signers decides whether keys that signed fulfil authorities.
type signers struct {
	sec    *state.Section
	keys   []string
	used   []bool
	visits int
}

// knowsAccounts refuses a transaction in the name of an account that is not
// there.
func (r *run) knowsAccounts(p *prepared) error {
	for _, ask := range []struct {
		role     string
		accounts []string
	}{{roleOwner, p.required.Owner}, {roleActive, p.required.Active}, {rolePosting, p.required.Posting}} {
		for _, name := range ask.accounts {
			if r.account(name) == nil {
				return base.Reject(base.RejectAuthority, "missing required %s authority: unknown account %s", ask.role, clip(name))
			}
		}
	}
	return nil
}

// authorize asks for the consent of every account that the operations need. A
// stronger role stands in for a weaker one, as on Hive: owner for active,
// either for posting. Keys that no account needed are refused.
func (r *run) authorize(p *prepared) error {
	need := p.required
	if len(need.Posting) > 0 && len(need.Active)+len(need.Owner) > 0 {
		return base.Reject(base.RejectAuthority, "operations that need posting authority cannot be combined with those that need active or owner authority")
	}
	if r.m.skipKeys {
		return nil
	}
	s := &signers{sec: r.sec, keys: p.keys, used: make([]bool, len(p.keys))}
	for _, ask := range []struct {
		accounts []string
		role     string
		roles    []string
	}{
		{need.Owner, roleOwner, []string{roleOwner}},
		{need.Active, roleActive, []string{roleActive, roleOwner}},
		{need.Posting, rolePosting, []string{rolePosting, roleActive, roleOwner}},
	} {
		for _, name := range ask.accounts {
			if !s.consents(name, ask.roles) {
				return base.Reject(base.RejectAuthority, "missing required %s authority: Missing %s authority of %s", ask.role, ask.role, name)
			}
		}
	}
	if slices.Contains(s.used, false) {
		return base.Reject(base.RejectSignature, "irrelevant signature included: Unnecessary signature(s) detected")
	}
	return nil
}

func (s *signers) consents(name string, roles []string) bool {
	account := findAccount(s.sec, name)
	return account != nil && slices.ContainsFunc(roles, func(role string) bool {
		s.visits = 0
		return s.fulfil(account, role, 0)
	})
}

// fulfil adds up the weights of an authority until its threshold is reached.
// Behind an account stands its posting authority where posting is asked for,
// and its active one otherwise.
func (s *signers) fulfil(account state.Row, role string, depth int) bool {
	authority, _ := account.Object(role)
	threshold, total := number(authority, "weight_threshold"), uint64(0)
	for name, weight := range weights(authority, "key_auths") {
		if s.signed(name) {
			if total += weight; total >= threshold {
				return true
			}
		}
	}
	if depth == maxAuthorityDepth {
		return false
	}
	for name, weight := range weights(authority, "account_auths") {
		if s.visits++; s.visits > maxAuthorityVisits {
			return false
		}
		behind := findAccount(s.sec, name)
		if behind == nil || !s.fulfil(behind, behindRole(role), depth+1) {
			continue
		}
		if total += weight; total >= threshold {
			return true
		}
	}
	return false
}

func (s *signers) signed(key string) bool {
	for i, have := range s.keys {
		if have == key {
			s.used[i] = true
			return true
		}
	}
	return false
}

func behindRole(role string) string {
	if role == rolePosting {
		return rolePosting
	}
	return roleActive
}

// weights iterates over a list of [name, weight] pairs of a stored authority.
func weights(authority *jsvalue.Object, list string) func(yield func(string, uint64) bool) {
	return func(yield func(string, uint64) bool) {
		pairs, _ := authority.Array(list)
		for _, v := range pairs {
			pair, _ := v.([]jsvalue.Value)
			if len(pair) != 2 {
				continue
			}
			name, _ := pair[0].(string)
			weight, _ := pair[1].(float64)
			if !yield(name, uint64(weight)) {
				return
			}
		}
	}
}
