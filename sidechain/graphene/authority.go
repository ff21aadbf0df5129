package graphene

import (
	"encoding/json"
	"fmt"
)

// Authority says who may act for an account in one role: signatures of keys
// and of other accounts whose weights together reach the threshold.
type Authority struct {
	WeightThreshold uint32        `json:"weight_threshold"`
	AccountAuths    []AccountAuth `json:"account_auths"`
	KeyAuths        []KeyAuth     `json:"key_auths"`
}

// AccountAuth is the weight of another account; in JSON ["bob",1].
type AccountAuth struct {
	Account string
	Weight  uint16
}

// KeyAuth is the weight of a key; in JSON ["STM…",1].
type KeyAuth struct {
	Key    PublicKey
	Weight uint16
}

// KeyAuthority is the authority of one key alone.
func KeyAuthority(key PublicKey) Authority {
	return Authority{WeightThreshold: 1, KeyAuths: []KeyAuth{{key, 1}}}
}

func (a Authority) encode(e *Encoder) {
	e.U32(a.WeightThreshold)
	e.Varint(uint32(len(a.AccountAuths)))
	for _, auth := range a.AccountAuths {
		e.Text(auth.Account)
		e.U16(auth.Weight)
	}
	e.Varint(uint32(len(a.KeyAuths)))
	for _, auth := range a.KeyAuths {
		e.Raw(auth.Key[:])
		e.U16(auth.Weight)
	}
}

func (a *Authority) decode(d *Decoder) {
	*a = Authority{WeightThreshold: d.U32()}
	for n := d.Count(3); n > 0 && d.Err() == nil; n-- {
		a.AccountAuths = append(a.AccountAuths, AccountAuth{d.Text(), d.U16()})
	}
	for n := d.Count(35); n > 0 && d.Err() == nil; n-- {
		var auth KeyAuth
		copy(auth.Key[:], d.Raw(len(auth.Key)))
		auth.Weight = d.U16()
		a.KeyAuths = append(a.KeyAuths, auth)
	}
}

// MarshalJSON writes empty lists as [].
func (a Authority) MarshalJSON() ([]byte, error) {
	type plain Authority
	p := plain(a)
	if p.AccountAuths == nil {
		p.AccountAuths = []AccountAuth{}
	}
	if p.KeyAuths == nil {
		p.KeyAuths = []KeyAuth{}
	}
	return json.Marshal(p)
}

// UnmarshalJSON reads the form of MarshalJSON; empty lists become nil.
func (a *Authority) UnmarshalJSON(b []byte) error {
	type plain Authority
	var p plain
	if err := json.Unmarshal(b, &p); err != nil {
		return err
	}
	if len(p.AccountAuths) == 0 {
		p.AccountAuths = nil
	}
	if len(p.KeyAuths) == 0 {
		p.KeyAuths = nil
	}
	*a = Authority(p)
	return nil
}

// MarshalJSON writes ["bob",1].
func (a AccountAuth) MarshalJSON() ([]byte, error) { return json.Marshal([]any{a.Account, a.Weight}) }

// UnmarshalJSON reads ["bob",1].
func (a *AccountAuth) UnmarshalJSON(b []byte) error {
	return unmarshalPair(b, &a.Account, &a.Weight)
}

// MarshalJSON writes ["STM…",1].
func (a KeyAuth) MarshalJSON() ([]byte, error) { return json.Marshal([]any{a.Key, a.Weight}) }

// UnmarshalJSON reads ["STM…",1].
func (a *KeyAuth) UnmarshalJSON(b []byte) error { return unmarshalPair(b, &a.Key, &a.Weight) }

func unmarshalPair(b []byte, first, second any) error {
	var pair []json.RawMessage
	if err := json.Unmarshal(b, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return fmt.Errorf("graphene: a pair with %d elements", len(pair))
	}
	if err := json.Unmarshal(pair[0], first); err != nil {
		return err
	}
	return json.Unmarshal(pair[1], second)
}

// ValidAccountName is Hive's rule: 3 to 16 characters; segments between dots
// of at least 3 characters a-z, 0-9 and -, beginning with a letter and not
// ending with -.
func ValidAccountName(name string) bool {
	if len(name) < 3 || len(name) > 16 {
		return false
	}
	start := 0
	for i := 0; i <= len(name); i++ {
		if i < len(name) && name[i] != '.' {
			continue
		}
		if !validSegment(name[start:i]) {
			return false
		}
		start = i + 1
	}
	return true
}

func validSegment(s string) bool {
	if len(s) < 3 || s[0] < 'a' || s[0] > 'z' || s[len(s)-1] == '-' {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}
