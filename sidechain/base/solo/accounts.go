package solo

import (
	"causeway/sidechain/base"
	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

func findAccount(sec *state.Section, name string) state.Row {
	return sec.Table(tableAccounts).Find1("name", name)
}

func (r *run) account(name string) state.Row { return findAccount(r.sec, name) }

// validNewName refuses names that no account may take.
func (m *Machine) validNewName(name string) error {
	if !graphene.ValidAccountName(name) {
		return invalid("Account name %s is invalid", clip(name))
	}
	if why, ok := m.forbidden[name]; ok {
		return invalid("account name %s %s", name, why)
	}
	return nil
}

// insertAccount writes an account whose parts were checked.
func (r *run) insertAccount(name, creator string, memo graphene.PublicKey, metadata string, owner, active, posting *graphene.Authority) {
	r.sec.Table(tableAccounts).Insert(newRow(
		"name", name,
		roleOwner, authorityValue(owner),
		roleActive, authorityValue(active),
		rolePosting, authorityValue(posting),
		"memo_key", memo.String(),
		"json_metadata", metadata,
		"created", r.timestamp,
		"block", r.number,
		"creator", creator,
	))
	r.sec.Table(tableBalances).Insert(newRow("account", name, "balance", units(0)))
	r.indexKeys(name)
}

// indexKeys rewrites the account's rows of the keys table.
func (r *run) indexKeys(name string) {
	keys := r.sec.Table(tableKeys)
	for row := range keys.FindAll("account", name) {
		keys.Remove(row)
	}
	account, seen := r.account(name), make(map[string]bool)
	for _, role := range []string{roleOwner, roleActive, rolePosting} {
		authority, _ := account.Object(role)
		for key := range weights(authority, "key_auths") {
			if !seen[key] {
				seen[key] = true
				keys.Insert(newRow("key", key, "account", name))
			}
		}
	}
}

func (r *run) accountCreate(o *graphene.AccountCreate) error {
	if err := r.m.validNewName(o.NewAccountName); err != nil {
		return err
	}
	if r.account(o.NewAccountName) != nil {
		return invalid("Account %s already exists.", o.NewAccountName)
	}
	if o.Fee.Amount < r.m.fee {
		return base.Reject(base.RejectFunds, "Insufficient Fee: %s required, %s provided.", coin(r.m.fee), o.Fee)
	}
	if err := r.spend(o.Creator, o.Fee.Amount); err != nil {
		return err
	}
	r.burn(o.Fee.Amount)
	for _, part := range []struct {
		role      string
		authority *graphene.Authority
	}{{roleOwner, &o.Owner}, {roleActive, &o.Active}, {rolePosting, &o.Posting}} {
		if err := r.checkAuthority(o.NewAccountName, part.role, part.authority); err != nil {
			return err
		}
	}
	r.insertAccount(o.NewAccountName, o.Creator, o.MemoKey, o.JSONMetadata, &o.Owner, &o.Active, &o.Posting)
	return nil
}

func (r *run) accountUpdate(o *graphene.AccountUpdate) error {
	account := r.account(o.Account) // there, or it could not have consented
	patch := changed(account)
	for _, part := range []struct {
		role      string
		authority *graphene.Authority
	}{{roleOwner, o.Owner}, {roleActive, o.Active}, {rolePosting, o.Posting}} {
		if part.authority == nil {
			continue
		}
		if err := r.checkAuthority(o.Account, part.role, part.authority); err != nil {
			return err
		}
		patch.Set(part.role, authorityValue(part.authority))
	}
	if o.MemoKey != (graphene.PublicKey{}) {
		patch.Set("memo_key", o.MemoKey.String())
	}
	if o.JSONMetadata != "" {
		patch.Set("json_metadata", o.JSONMetadata)
	}
	r.sec.Table(tableAccounts).Update(patch)
	if o.Owner != nil || o.Active != nil || o.Posting != nil {
		r.indexKeys(o.Account)
	}
	return nil
}

// transfer moves base coin; what goes to null is burned.
func (r *run) transfer(o *graphene.Transfer) error {
	if o.To != nullAccount && r.account(o.To) == nil {
		return invalid("unknown account %s", o.To)
	}
	if err := r.spend(o.From, o.Amount.Amount); err != nil {
		return err
	}
	if o.To == nullAccount {
		r.burn(o.Amount.Amount)
		return nil
	}
	r.setBalance(o.To, balanceOf(r.sec, o.To)+o.Amount.Amount)
	return nil
}

func balanceOf(sec *state.Section, account string) int64 {
	return parseUnits(text(sec.Table(tableBalances).Find1("account", account), "balance"))
}

func (r *run) setBalance(account string, amount int64) {
	table := r.sec.Table(tableBalances)
	row := table.Find1("account", account)
	if text(row, "balance") == units(amount) {
		return
	}
	table.Update(changed(row, "balance", units(amount)))
}

func (r *run) spend(account string, amount int64) error {
	have := balanceOf(r.sec, account)
	if have < amount {
		return base.Reject(base.RejectFunds, "Account %s does not have sufficient funds for balance adjustment. Required: %s, Balance: %s",
			account, coin(amount), coin(have))
	}
	r.setBalance(account, have-amount)
	return nil
}

// burn takes coin that was spent out of the supply.
func (r *run) burn(amount int64) {
	if amount == 0 {
		return
	}
	head := readHead(r.sec)
	r.sec.Table(tableProperties).Update(changed(headRow(r.sec), "supply", units(head.Supply-amount)))
}

// accountView is an account as hived's get_accounts gives it, as far as this
// chain has such members.
func accountView(sec *state.Section, row state.Row) *jsvalue.Object {
	out := jsvalue.NewObject()
	for _, member := range []string{"name", roleOwner, roleActive, rolePosting, "memo_key", "json_metadata"} {
		out.Set(member, row.Get(member))
	}
	out.Set("posting_json_metadata", "")
	out.Set("created", row.Get("created"))
	out.Set("creator", row.Get("creator"))
	out.Set("balance", coin(balanceOf(sec, text(row, "name"))).String())
	for _, zero := range []struct{ member, value string }{
		{"savings_balance", "0.000 HIVE"}, {"hbd_balance", "0.000 HBD"}, {"savings_hbd_balance", "0.000 HBD"},
		{"vesting_shares", "0.000000 VESTS"}, {"delegated_vesting_shares", "0.000000 VESTS"},
		{"received_vesting_shares", "0.000000 VESTS"},
	} {
		out.Set(zero.member, zero.value)
	}
	return out
}
