package graphene

// Transfer moves base coin.
type Transfer struct {
	From   string `json:"from"`
	To     string `json:"to"`
	Amount Asset  `json:"amount"`
	Memo   string `json:"memo"`
}

func (*Transfer) Name() string                 { return "transfer" }
func (o *Transfer) authorities(a *Authorities) { a.active(o.From) }

func (o *Transfer) encode(e *Encoder) {
	e.Text(o.From)
	e.Text(o.To)
	o.Amount.encode(e)
	e.Text(o.Memo)
}

func (o *Transfer) decode(d *Decoder) {
	o.From, o.To = d.Text(), d.Text()
	o.Amount.decode(d)
	o.Memo = d.Text()
}

// Validate implements [Operation].
func (o *Transfer) Validate() error {
	return firstError(
		validName(o.From),
		validName(o.To),
		validCoin(o.Amount, "HIVE", "this chain has one coin: HIVE with 3 decimals"),
		rule(o.Amount.Amount > 0, "Cannot transfer a negative amount (aka: stealing)"),
		fits(len(o.Memo) < MaxMemo, "Memo is too large"),
		validText("Memo", o.Memo),
	)
}

// AccountCreate makes an account; the creator pays the fee, which is burned.
type AccountCreate struct {
	Fee            Asset     `json:"fee"`
	Creator        string    `json:"creator"`
	NewAccountName string    `json:"new_account_name"`
	Owner          Authority `json:"owner"`
	Active         Authority `json:"active"`
	Posting        Authority `json:"posting"`
	MemoKey        PublicKey `json:"memo_key"`
	JSONMetadata   string    `json:"json_metadata"`
}

func (*AccountCreate) Name() string                 { return "account_create" }
func (o *AccountCreate) authorities(a *Authorities) { a.active(o.Creator) }

func (o *AccountCreate) encode(e *Encoder) {
	o.Fee.encode(e)
	e.Text(o.Creator)
	e.Text(o.NewAccountName)
	o.Owner.encode(e)
	o.Active.encode(e)
	o.Posting.encode(e)
	e.Raw(o.MemoKey[:])
	e.Text(o.JSONMetadata)
}

func (o *AccountCreate) decode(d *Decoder) {
	o.Fee.decode(d)
	o.Creator, o.NewAccountName = d.Text(), d.Text()
	o.Owner.decode(d)
	o.Active.decode(d)
	o.Posting.decode(d)
	copy(o.MemoKey[:], d.Raw(len(o.MemoKey)))
	o.JSONMetadata = d.Text()
}

// Validate implements [Operation]. Whether the authorities make sense is asked
// by the base layer.
func (o *AccountCreate) Validate() error {
	return firstError(
		validName(o.NewAccountName),
		validName(o.Creator),
		validCoin(o.Fee, "HIVE", "Account creation fee must be HIVE"),
		rule(o.Fee.Amount >= 0, "Account creation fee cannot be negative"),
		validText("JSON Metadata", o.JSONMetadata),
	)
}

// AccountUpdate changes an account's authorities. Those that are nil stay.
type AccountUpdate struct {
	Account      string     `json:"account"`
	Owner        *Authority `json:"owner,omitempty"`
	Active       *Authority `json:"active,omitempty"`
	Posting      *Authority `json:"posting,omitempty"`
	MemoKey      PublicKey  `json:"memo_key"`
	JSONMetadata string     `json:"json_metadata"`
}

func (*AccountUpdate) Name() string { return "account_update" }

// A change of the owner authority needs the owner, any other the active one.
func (o *AccountUpdate) authorities(a *Authorities) {
	if o.Owner != nil {
		a.owner(o.Account)
		return
	}
	a.active(o.Account)
}

func (o *AccountUpdate) encode(e *Encoder) {
	e.Text(o.Account)
	for _, auth := range []*Authority{o.Owner, o.Active, o.Posting} {
		e.Bool(auth != nil)
		if auth != nil {
			auth.encode(e)
		}
	}
	e.Raw(o.MemoKey[:])
	e.Text(o.JSONMetadata)
}

func (o *AccountUpdate) decode(d *Decoder) {
	o.Account = d.Text()
	for _, auth := range []**Authority{&o.Owner, &o.Active, &o.Posting} {
		if d.Bool() {
			*auth = new(Authority)
			(*auth).decode(d)
		}
	}
	copy(o.MemoKey[:], d.Raw(len(o.MemoKey)))
	o.JSONMetadata = d.Text()
}

// Validate implements [Operation].
func (o *AccountUpdate) Validate() error {
	return firstError(
		validName(o.Account),
		validText("JSON Metadata", o.JSONMetadata),
	)
}
