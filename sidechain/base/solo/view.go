package solo

import (
	"time"

	"causeway/sidechain/base"
	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// View answers questions about the base layer: from the newest executed state
// and the stored blocks. It is safe for concurrent use.
type View struct {
	machine *Machine
	state   *state.DB
	store   *Store
	clock   func() time.Time
}

// NewView reads the given stores. The clock tells what time the next block
// would carry.
func NewView(m *Machine, db *state.DB, store *Store, clock func() time.Time) *View {
	return &View{machine: m, state: db, store: store, clock: clock}
}

// Properties describe the head.
type Properties struct {
	HeadBlockNumber  uint64 // 0 before block 1
	HeadBlockID      string // 40 zeros before block 1
	Time             string // that the next block would carry
	LastIrreversible uint64 // every block is final
	Witness          string
	Supply           graphene.Asset // of the base coin
	AccountFee       graphene.Asset // what a new account costs

	parent string // the head's own time
}

// Properties reads the head.
func (v *View) Properties() Properties {
	v.state.RLock()
	head := readHead(v.state.Base())
	v.state.RUnlock()
	parent := time.Unix(int64(head.seconds()), 0).UTC()
	return Properties{
		HeadBlockNumber: head.Number, HeadBlockID: head.ID, LastIrreversible: head.Number,
		Time:    nextTime(v.clock(), parent),
		Witness: v.machine.Witness(), Supply: coin(head.Supply), AccountFee: coin(v.machine.fee),
		parent: head.Time,
	}
}

// Head implements [base.Layer]: the newest executed block, and genesis' time
// before block 1.
func (v *View) Head() (number uint64, id, timestamp string) {
	p := v.Properties()
	return p.HeadBlockNumber, p.HeadBlockID, p.parent
}

// Machine is the rules, for chain id and keys.
func (v *View) Machine() *Machine { return v.machine }

// Block implements [base.Layer].
func (v *View) Block(number uint64) (*base.Block, bool, error) { return v.store.Block(number) }

// Transaction finds a transaction by its id of 40 hex digits: its block and
// its place therein.
func (v *View) Transaction(id string) (b *base.Block, index int, ok bool, err error) {
	number, index, ok := v.store.Transaction(id)
	if !ok {
		return nil, 0, false, nil
	}
	b, ok, err = v.store.Block(number)
	if err == nil && ok && index >= len(b.Transactions) {
		return nil, 0, false, ErrCorrupt
	}
	return b, index, ok, err
}

// AccountExists says whether the account was created.
func (v *View) AccountExists(name string) bool {
	v.state.RLock()
	defer v.state.RUnlock()
	return v.machine.AccountExists(v.state.Base(), name)
}

// Account gives an account with hived's members (get_accounts): name, owner,
// active, posting, memo_key, json_metadata, created, balance, …
func (v *View) Account(name string) (*jsvalue.Object, bool) {
	v.state.RLock()
	defer v.state.RUnlock()
	row := findAccount(v.state.Base(), name)
	if row == nil {
		return nil, false
	}
	return accountView(v.state.Base(), row), true
}

// AccountNames lists up to limit names from the given one on, in order.
func (v *View) AccountNames(from string, limit int) []string {
	v.state.RLock()
	defer v.state.RUnlock()
	var names []string
	for row := range v.state.Base().Table(tableAccounts).Ascend("name", []jsvalue.Value{from}, nil) {
		if len(names) >= limit {
			break
		}
		names = append(names, text(row, "name"))
	}
	return names
}

// CreatedAccount is an account and the base block that created it; 0 is
// genesis.
type CreatedAccount struct {
	Name  string
	Block uint64
}

// AccountsSince lists the accounts created in that base block or later, by
// block and name.
func (v *View) AccountsSince(block uint64) []CreatedAccount {
	v.state.RLock()
	defer v.state.RUnlock()
	var list []CreatedAccount
	for row := range v.state.Base().Table(tableAccounts).Ascend("block", []jsvalue.Value{float64(block)}, nil) {
		list = append(list, CreatedAccount{text(row, "name"), number(row, "block")})
	}
	return list
}

// AccountsByKey lists the accounts that name the key (STM…) in an authority.
func (v *View) AccountsByKey(key string) []string {
	v.state.RLock()
	defer v.state.RUnlock()
	names := []string{}
	for row := range v.state.Base().Table(tableKeys).FindAll("key", key) {
		names = append(names, text(row, "account"))
	}
	return names
}

// Balance is an account's base coin; nothing for an unknown one.
func (v *View) Balance(account string) graphene.Asset {
	v.state.RLock()
	defer v.state.RUnlock()
	return coin(balanceOf(v.state.Base(), account))
}

// Content gives a post with hived's members (get_content), its text from the
// block where the newest version stands; false when there is none.
func (v *View) Content(author, permlink string) (*jsvalue.Object, bool, error) {
	v.state.RLock()
	row := findContent(v.state.Base(), author, permlink)
	votes := v.votes(author, permlink)
	v.state.RUnlock()
	if row == nil {
		return nil, false, nil
	}
	op, err := v.commentAt(row)
	if err != nil {
		return nil, false, err
	}
	out := jsvalue.NewObject()
	for name, value := range row.All() {
		switch name {
		case "_id", "block", "transaction", "operation":
		default:
			out.Set(name, value)
		}
	}
	net := 0
	for _, vote := range votes {
		percent, _ := vote.Number("percent")
		switch {
		case percent > 0:
			net++
		case percent < 0:
			net--
		}
	}
	list := make([]jsvalue.Value, len(votes))
	for i, vote := range votes {
		list[i] = vote
	}
	for _, member := range []struct {
		name  string
		value any
	}{
		{"title", op.Title}, {"body", op.Body}, {"json_metadata", op.JSONMetadata},
		{"net_votes", net}, {"active_votes", list},
		{"url", "/" + text(row, "category") + "/@" + author + "/" + permlink},
	} {
		out.Set(member.name, member.value)
	}
	return out, true, nil
}

// commentAt reads the operation that a content row points to.
func (v *View) commentAt(row state.Row) (*graphene.Comment, error) {
	b, ok, err := v.store.Block(number(row, "block"))
	if err != nil {
		return nil, err
	}
	tx, at := int(number(row, "transaction")), int(number(row, "operation"))
	if ok && tx < len(b.Transactions) && at < len(b.Transactions[tx].Operations) {
		if op, is := b.Transactions[tx].Operations[at].(*graphene.Comment); is {
			return op, nil
		}
	}
	return nil, ErrCorrupt
}

// Votes lists the votes on a post, by voter, with hived's members
// (get_active_votes): voter, weight, rshares, percent, reputation, time.
func (v *View) Votes(author, permlink string) []*jsvalue.Object {
	v.state.RLock()
	defer v.state.RUnlock()
	return v.votes(author, permlink)
}

func (v *View) votes(author, permlink string) []*jsvalue.Object {
	list := []*jsvalue.Object{}
	for row := range v.state.Base().Table(tableVotes).FindAll("vote", author, permlink) {
		list = append(list, jsvalue.NewObject(
			"voter", row.Get("voter"), "weight", 0, "rshares", 0,
			"percent", row.Get("weight"), "reputation", 0, "time", row.Get("time")))
	}
	return list
}
