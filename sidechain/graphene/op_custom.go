package graphene

import (
	"encoding/json"
)

// CustomJSON carries data for programs above the base layer, the sidechain
// among them.
type CustomJSON struct {
	RequiredAuths        []string `json:"required_auths"`
	RequiredPostingAuths []string `json:"required_posting_auths"`
	ID                   string   `json:"id"`
	JSON                 string   `json:"json"`
}

func (*CustomJSON) Name() string { return "custom_json" }

func (o *CustomJSON) authorities(a *Authorities) {
	for _, name := range o.RequiredAuths {
		a.active(name)
	}
	for _, name := range o.RequiredPostingAuths {
		a.posting(name)
	}
}

func (o *CustomJSON) encode(e *Encoder) {
	e.Texts(o.RequiredAuths)
	e.Texts(o.RequiredPostingAuths)
	e.Text(o.ID)
	e.Text(o.JSON)
}

func (o *CustomJSON) decode(d *Decoder) {
	o.RequiredAuths, o.RequiredPostingAuths = d.Texts(), d.Texts()
	o.ID, o.JSON = d.Text(), d.Text()
}

// Validate implements [Operation]. Whether JSON parses is asked by the base
// layer.
func (o *CustomJSON) Validate() error {
	for _, list := range [][]string{o.RequiredAuths, o.RequiredPostingAuths} {
		for _, name := range list {
			if err := validName(name); err != nil {
				return err
			}
		}
	}
	return firstError(
		rule(len(o.RequiredAuths)+len(o.RequiredPostingAuths) > 0, "at least one account must be specified"),
		fits(len(o.ID) <= MaxCustomID, "Operation ID length exceeded. Max: 32 Current: %d", len(o.ID)),
		fits(len(o.JSON) <= MaxCustomJSON, "Operation JSON length exceeded. Max: 8192 Current: %d", len(o.JSON)),
		validText("id", o.ID),
		rule(o.JSON != "", "JSON data not valid JSON"),
		validText("JSON", o.JSON),
	)
}

// MarshalJSON writes empty lists as [].
func (o *CustomJSON) MarshalJSON() ([]byte, error) {
	type plain CustomJSON
	p := plain(*o)
	if p.RequiredAuths == nil {
		p.RequiredAuths = []string{}
	}
	if p.RequiredPostingAuths == nil {
		p.RequiredPostingAuths = []string{}
	}
	return json.Marshal(p)
}

// UnmarshalJSON reads the form of MarshalJSON; empty lists become nil.
func (o *CustomJSON) UnmarshalJSON(b []byte) error {
	type plain CustomJSON
	var p plain
	if err := json.Unmarshal(b, &p); err != nil {
		return err
	}
	if len(p.RequiredAuths) == 0 {
		p.RequiredAuths = nil
	}
	if len(p.RequiredPostingAuths) == 0 {
		p.RequiredPostingAuths = nil
	}
	*o = CustomJSON(p)
	return nil
}
