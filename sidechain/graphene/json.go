package graphene

import (
	"bytes"
	"encoding/json"
)

// Form is one of the two spellings of operations in JSON.
type Form int

const (
	// Legacy is the condenser's: ["transfer",{"amount":"1.000 HIVE",…}].
	Legacy Form = iota
	// Appbase is that of the newer interfaces:
	// {"type":"transfer_operation","value":{"amount":{"amount":"1000",…},…}}.
	Appbase
)

// MarshalOperation writes one operation.
func MarshalOperation(op Operation, form Form) ([]byte, error) {
	if form == Legacy {
		return marshalPlain([]any{op.Name(), op})
	}
	return marshalPlain(namedVariant{op.Name() + typeSuffix, appbaseValue(op)})
}

// appbaseValue is the operation with numeric names for its coins and names
// for its extensions.
func appbaseValue(op Operation) any {
	switch o := op.(type) {
	case *Transfer:
		return struct {
			From   string   `json:"from"`
			To     string   `json:"to"`
			Amount naiAsset `json:"amount"`
			Memo   string   `json:"memo"`
		}{o.From, o.To, o.Amount.nai(), o.Memo}
	case *AccountCreate:
		return struct {
			Fee naiAsset `json:"fee"`
			*accountCreateRest
		}{o.Fee.nai(), &accountCreateRest{
			o.Creator, o.NewAccountName, o.Owner, o.Active, o.Posting, o.MemoKey, o.JSONMetadata}}
	case *CommentOptions:
		return o.appbase()
	}
	return op
}

type accountCreateRest struct {
	Creator        string    `json:"creator"`
	NewAccountName string    `json:"new_account_name"`
	Owner          Authority `json:"owner"`
	Active         Authority `json:"active"`
	Posting        Authority `json:"posting"`
	MemoKey        PublicKey `json:"memo_key"`
	JSONMetadata   string    `json:"json_metadata"`
}

type namedVariant struct {
	Type  string `json:"type"`
	Value any    `json:"value"`
}

func (o *CommentOptions) appbase() any {
	extensions := []namedVariant{}
	if len(o.Beneficiaries) > 0 {
		extensions = append(extensions, namedVariant{beneficiariesName, beneficiariesJSON{o.Beneficiaries}})
	}
	return struct {
		Author               string         `json:"author"`
		Permlink             string         `json:"permlink"`
		MaxAcceptedPayout    naiAsset       `json:"max_accepted_payout"`
		PercentHBD           uint16         `json:"percent_hbd"`
		AllowVotes           bool           `json:"allow_votes"`
		AllowCurationRewards bool           `json:"allow_curation_rewards"`
		Extensions           []namedVariant `json:"extensions"`
	}{o.Author, o.Permlink, o.MaxAcceptedPayout.nai(), o.PercentHBD,
		o.AllowVotes, o.AllowCurationRewards, extensions}
}

// marshalPlain is json.Marshal without HTML escapes.
func marshalPlain(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), nil
}
