package graphene

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Vote gives weight (-10000 to 10000, hundredths of a percent) to a post.
type Vote struct {
	Voter    string `json:"voter"`
	Author   string `json:"author"`
	Permlink string `json:"permlink"`
	Weight   int16  `json:"weight"`
}

func (*Vote) Name() string                 { return "vote" }
func (o *Vote) authorities(a *Authorities) { a.posting(o.Voter) }
func (o *Vote) encode(e *Encoder) {
	e.Text(o.Voter)
	e.Text(o.Author)
	e.Text(o.Permlink)
	e.I16(o.Weight)
}

func (o *Vote) decode(d *Decoder) {
	o.Voter, o.Author, o.Permlink, o.Weight = d.Text(), d.Text(), d.Text(), d.I16()
}

// Validate implements [Operation].
func (o *Vote) Validate() error {
	return firstError(
		validName(o.Voter),
		validName(o.Author),
		rule(o.Weight >= -FullWeight && o.Weight <= FullWeight, "Weight is not a HIVE percentage"),
		validPermlink(o.Permlink),
	)
}

// Comment writes or edits a post (ParentAuthor empty, ParentPermlink the
// category) or a reply.
type Comment struct {
	ParentAuthor   string `json:"parent_author"`
	ParentPermlink string `json:"parent_permlink"`
	Author         string `json:"author"`
	Permlink       string `json:"permlink"`
	Title          string `json:"title"`
	Body           string `json:"body"`
	JSONMetadata   string `json:"json_metadata"`
}

func (*Comment) Name() string                 { return "comment" }
func (o *Comment) authorities(a *Authorities) { a.posting(o.Author) }

func (o *Comment) encode(e *Encoder) {
	e.Text(o.ParentAuthor)
	e.Text(o.ParentPermlink)
	e.Text(o.Author)
	e.Text(o.Permlink)
	e.Text(o.Title)
	e.Text(o.Body)
	e.Text(o.JSONMetadata)
}

func (o *Comment) decode(d *Decoder) {
	o.ParentAuthor, o.ParentPermlink = d.Text(), d.Text()
	o.Author, o.Permlink = d.Text(), d.Text()
	o.Title, o.Body, o.JSONMetadata = d.Text(), d.Text(), d.Text()
}

// Validate implements [Operation].
func (o *Comment) Validate() error {
	var parent error
	if o.ParentAuthor != "" {
		parent = validName(o.ParentAuthor)
	}
	return firstError(
		fits(len(o.Title) < MaxTitle, "Title larger than size limit"),
		validText("Title", o.Title),
		rule(o.Body != "", "Body is empty"),
		validText("Body", o.Body),
		parent,
		validName(o.Author),
		validPermlink(o.ParentPermlink),
		validPermlink(o.Permlink),
		validText("JSON Metadata", o.JSONMetadata),
	)
}

// CommentOptions sets how a post is paid.
type CommentOptions struct {
	Author               string
	Permlink             string
	MaxAcceptedPayout    Asset  // HBD
	PercentHBD           uint16 // of 10000; in JSON percent_hbd, or the older percent_steem_dollars
	AllowVotes           bool
	AllowCurationRewards bool
	// Beneficiaries share the author's reward; the only extension there is.
	// None: no extension.
	Beneficiaries []Beneficiary
}

// Beneficiary gets Weight (of 10000) of a reward.
type Beneficiary struct {
	Account string `json:"account"`
	Weight  uint16 `json:"weight"`
}

func (*CommentOptions) Name() string                 { return "comment_options" }
func (o *CommentOptions) authorities(a *Authorities) { a.posting(o.Author) }

const beneficiariesTag, beneficiariesName = 0, "comment_payout_beneficiaries"

func (o *CommentOptions) encode(e *Encoder) {
	e.Text(o.Author)
	e.Text(o.Permlink)
	o.MaxAcceptedPayout.encode(e)
	e.U16(o.PercentHBD)
	e.Bool(o.AllowVotes)
	e.Bool(o.AllowCurationRewards)
	if len(o.Beneficiaries) == 0 {
		e.Varint(0)
		return
	}
	e.Varint(1)
	e.Varint(beneficiariesTag)
	e.Varint(uint32(len(o.Beneficiaries)))
	for _, b := range o.Beneficiaries {
		e.Text(b.Account)
		e.U16(b.Weight)
	}
}

func (o *CommentOptions) decode(d *Decoder) {
	o.Author, o.Permlink = d.Text(), d.Text()
	o.MaxAcceptedPayout.decode(d)
	o.PercentHBD = d.U16()
	o.AllowVotes, o.AllowCurationRewards = d.Bool(), d.Bool()
	switch d.Count(1) {
	case 0:
		return
	case 1:
	default:
		d.Fail("comment_options with more than one extension")
		return
	}
	if tag := d.Varint(); tag != beneficiariesTag {
		d.Fail("unknown extension %d of comment_options", tag)
	}
	for n := d.Count(3); n > 0 && d.Err() == nil; n-- {
		o.Beneficiaries = append(o.Beneficiaries, Beneficiary{d.Text(), d.U16()})
	}
	if len(o.Beneficiaries) == 0 {
		d.Fail("no beneficiary in the extension")
	}
}

// Validate implements [Operation].
func (o *CommentOptions) Validate() error {
	return firstError(
		validName(o.Author),
		rule(o.PercentHBD <= FullWeight, "Percent cannot exceed 100%%"),
		validCoin(o.MaxAcceptedPayout, "HBD", "Max accepted payout must be in HBD"),
		rule(o.MaxAcceptedPayout.Amount >= 0, "Cannot accept less than 0 payout"),
		validPermlink(o.Permlink),
		o.validBeneficiaries(),
	)
}

func (o *CommentOptions) validBeneficiaries() error {
	sum := 0
	for i, b := range o.Beneficiaries {
		sum += int(b.Weight)
		err := firstError(
			validName(b.Account),
			rule(b.Weight <= FullWeight, "Cannot allocate more than 100%% of rewards to one account"),
			rule(sum <= FullWeight, "Cannot allocate more than 100%% of rewards to a comment"),
			rule(i == 0 || o.Beneficiaries[i-1].Account < b.Account,
				"Benficiaries must be specified in sorted order (account ascending)"),
		)
		if err != nil {
			return err
		}
	}
	return rule(len(o.Beneficiaries) <= MaxBeneficiaries, "Cannot specify more than 127 beneficiaries.")
}

type commentOptionsJSON struct {
	Author               string            `json:"author"`
	Permlink             string            `json:"permlink"`
	MaxAcceptedPayout    Asset             `json:"max_accepted_payout"`
	PercentHBD           *uint16           `json:"percent_hbd,omitempty"`
	PercentSteemDollars  *uint16           `json:"percent_steem_dollars,omitempty"`
	AllowVotes           bool              `json:"allow_votes"`
	AllowCurationRewards bool              `json:"allow_curation_rewards"`
	Extensions           []json.RawMessage `json:"extensions"`
}

type beneficiariesJSON struct {
	Beneficiaries []Beneficiary `json:"beneficiaries"`
}

// MarshalJSON writes hived's members; the extension is
// [0,{"beneficiaries":[…]}].
func (o *CommentOptions) MarshalJSON() ([]byte, error) {
	j := commentOptionsJSON{
		Author: o.Author, Permlink: o.Permlink, MaxAcceptedPayout: o.MaxAcceptedPayout,
		PercentHBD: &o.PercentHBD, AllowVotes: o.AllowVotes, AllowCurationRewards: o.AllowCurationRewards,
		Extensions: []json.RawMessage{},
	}
	if len(o.Beneficiaries) > 0 {
		b, err := json.Marshal([]any{beneficiariesTag, beneficiariesJSON{o.Beneficiaries}})
		if err != nil {
			return nil, err
		}
		j.Extensions = append(j.Extensions, b)
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads the members of MarshalJSON, Steem's older name of the
// percentage and the extension in any of its spellings.
func (o *CommentOptions) UnmarshalJSON(b []byte) error {
	var j commentOptionsJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	*o = CommentOptions{
		Author: j.Author, Permlink: j.Permlink, MaxAcceptedPayout: j.MaxAcceptedPayout,
		PercentHBD: FullWeight, AllowVotes: j.AllowVotes, AllowCurationRewards: j.AllowCurationRewards,
	}
	switch {
	case j.PercentHBD != nil:
		o.PercentHBD = *j.PercentHBD
	case j.PercentSteemDollars != nil:
		o.PercentHBD = *j.PercentSteemDollars
	}
	if len(j.Extensions) > 1 {
		return fmt.Errorf("%d extensions", len(j.Extensions))
	}
	for _, raw := range j.Extensions {
		name, value, err := unmarshalVariant(raw)
		if err != nil {
			return err
		}
		if name != beneficiariesName && name != "0" {
			return fmt.Errorf("unknown extension %q", clip(name))
		}
		var list beneficiariesJSON
		if err := json.Unmarshal(value, &list); err != nil {
			return err
		}
		if len(list.Beneficiaries) == 0 {
			//lint:ignore ST1005 these are hived's words
			return errors.New("Must specify at least one beneficiary")
		}
		o.Beneficiaries = list.Beneficiaries
	}
	return nil
}
