package pegs

import (
	"maps"
	"slices"
	"strings"

	"causeway/chains"
)

// AccountView is what the ledger says of a chain of accounts besides, of all its
// assets together.
type AccountView struct {
	Tokens   map[string]string        // the contract, by id of a deposit or withdrawal of a token
	Flying   map[string]chains.Amount // by token: what signed batches take that are not mined, as far as it is there
	Booked   map[string]chains.Amount // the sum of the deposits, by ReceivedKey
	ToReread []Unread                 // readings that are not of the newest block, though something was touched
}

// ReceivedKey names an asset of an address in ScannerView.Received.
func ReceivedKey(address, token string) string { return accountKey(address) + " " + accountKey(token) }

// viewAccounts adds what the accounts of a chain hold.
func (s *State) viewAccounts(c *Chain, v *LedgerView) {
	if !c.Accounts() {
		return
	}
	v.Tokens, v.Flying, v.Booked = map[string]string{}, map[string]chains.Amount{}, map[string]chains.Amount{}
	v.ToReread = c.ToRead()
	flying := s.flying(c)
	for _, h := range c.AccountsHeld() {
		if h.Amount.IsZero() {
			continue
		}
		kind := h.Kind
		if kind != chains.WatchDeposit {
			kind = chains.WatchHot
		}
		v.Items = append(v.Items, Item{Chain: c.ID, Token: h.Token, Address: h.Address, Kind: kind, Amount: h.Amount})
		away := flying[Unread{accountKey(h.Address), h.Token}]
		if h.Amount.Less(away) {
			away = h.Amount
		}
		v.Flying[h.Token] = addAmount(v.Flying[h.Token], away)
	}
	for _, d := range s.depositList {
		if d.Chain == c.ID {
			key := ReceivedKey(d.Address, d.Token)
			v.Booked[key] = addAmount(v.Booked[key], d.Amount)
			v.named(d.ID, d.Token)
		}
	}
	for _, w := range s.withdrawalList {
		if w.Chain == c.ID {
			v.named(w.ID, w.Token)
		}
	}
}

func (v *AccountView) named(id, token string) {
	if token != "" {
		v.Tokens[id] = token
	}
}

// flying adds up what signed batches that are not mined take from each account.
func (s *State) flying(c *Chain) map[Unread]chains.Amount {
	sums := map[Unread]chains.Amount{}
	for _, b := range s.openBatchesOf(c.ID) {
		if len(b.Variants) == 0 || !b.undecided() {
			continue
		}
		from := b.Inputs[0].TxID
		for _, token := range slices.Compact([]string{"", b.Token}) {
			key := Unread{from, token}
			sums[key] = addAmount(sums[key], s.takes(b, token))
		}
	}
	return sums
}

// of is the part of a view that is about one asset.
func (l LedgerView) of(asset Asset) LedgerView {
	token := accountKey(asset.Token)
	other := func(id string) bool { return l.Tokens[id] != token }
	l.Items = itemsOf(l.Items, token)
	l.InFlight = l.Flying[token]
	l.Deposits, l.Pending, l.Credited = without(l.Deposits, other), without(l.Pending, other), without(l.Credited, other)
	l.Booked = receivedOf(l.Booked, token)
	l.ToReread = slices.DeleteFunc(slices.Clone(l.ToReread), func(u Unread) bool { return accountKey(u.Token) != token })
	return l
}

// of is the part of a view that is about one asset. The division of what was
// received into deposits is the ledger's.
func (c ScannerView) of(asset Asset, l LedgerView) ScannerView {
	token := accountKey(asset.Token)
	c.Items, c.Received, c.Deposits = itemsOf(c.Items, token), receivedOf(c.Received, token), l.Deposits
	return c
}

func without[V any](m map[string]V, drop func(string) bool) map[string]V {
	m = maps.Clone(m)
	maps.DeleteFunc(m, func(id string, _ V) bool { return drop(id) })
	return m
}

func itemsOf(items []Item, token string) []Item {
	return slices.DeleteFunc(slices.Clone(items), func(i Item) bool { return accountKey(i.Token) != token || i.Amount.IsZero() })
}

func receivedOf(m map[string]chains.Amount, token string) map[string]chains.Amount {
	return without(m, func(key string) bool {
		_, of, _ := strings.Cut(key, " ")
		return of != token || m[key].IsZero()
	})
}

// compareReceived asks whether the deposits are what came in by the scanner's word:
// of the coin exactly, of a token at most, since what comes without a transfer of
// the token is nobody's.
func (b *balance) compareReceived() {
	if !accounts(b.l.Chain) {
		return
	}
	if n := len(b.l.ToReread); n > 0 {
		b.problem("%d accounts are still to be read in block %d", n, b.l.Block.Height)
	}
	keys := maps.Clone(b.l.Booked)
	maps.Copy(keys, b.c.Received)
	for _, key := range sortedKeys(keys) {
		ours, theirs := b.l.Booked[key], b.c.Received[key]
		if ours != theirs && (b.a.Asset.Token == "" || theirs.Less(ours)) {
			address, _, _ := strings.Cut(key, " ")
			b.problem("deposits of %s: ledger %s, received by the scanner's word %s", address, ours, theirs)
		}
	}
}

// Reread lists the accounts and assets of which a scanner says something else than
// the ledger, at one block: those whose coins moved unnoticed.
func (l LedgerView) Reread(c ScannerView) (list []Unread) {
	type amounts struct{ ours, theirs chains.Amount }
	held := map[Unread]amounts{}
	for _, item := range l.Items {
		key := Unread{accountKey(item.Address), accountKey(item.Token)}
		held[key] = amounts{ours: item.Amount}
	}
	for _, item := range c.Items {
		key := Unread{accountKey(item.Address), accountKey(item.Token)}
		held[key] = amounts{held[key].ours, item.Amount}
	}
	for key, a := range held {
		if a.ours != a.theirs {
			list = append(list, key)
		}
	}
	slices.SortFunc(list, compareUnread)
	return list
}
