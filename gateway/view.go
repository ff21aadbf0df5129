package gateway

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"causeway/chains"
	"causeway/chains/address"
	"causeway/pegs"
)

// The limits of lists.
const (
	defaultLimit = 50
	maxLimit     = 500
)

// ChainStatus describes every configured chain.
func (g *Gateway) ChainStatus() []ChainStatus {
	list := []ChainStatus{}
	_ = g.ledger.View(func(s *pegs.State) {
		for _, f := range g.chains {
			id := f.conf().ID()
			c, _ := s.Chain(id)
			tip, _ := c.Tip()
			status := ChainStatus{
				Chain: string(id), Height: tip.Height, Quorum: f.conf().Quorum, Nodes: []NodeStatus{}, Reason: c.HaltReason(),
				Deposits: scopeState(c, pegs.ScopeDeposits), Minting: scopeState(c, pegs.ScopeMinting), Payouts: scopeState(c, pegs.ScopePayouts),
			}
			for _, a := range c.Alerts() {
				status.Alerts = append(status.Alerts, a.Cause+": "+a.Reason)
			}
			list = append(list, status)
		}
	})
	for i, f := range g.chains[:len(list)] {
		describeNodes(&list[i], f.height(), f.health())
	}
	return list
}

// describeNodes says where nodes stand: the height that enough of them have, by
// their own word, and how far each is behind it.
func describeNodes(status *ChainStatus, height uint64, nodes []chains.NodeHealth) {
	var heights []uint64
	for _, n := range nodes {
		heights = append(heights, n.Height)
	}
	slices.SortFunc(heights, func(a, b uint64) int { return cmp.Compare(b, a) })
	if at := max(status.Quorum, 1) - 1; at < len(heights) {
		height = max(height, heights[at])
	}
	status.NodeHeight = height
	for _, n := range nodes {
		status.Nodes = append(status.Nodes, NodeStatus{
			Name: n.Name, OK: n.OK, Height: n.Height, Lag: height - min(n.Height, height),
			Version: n.Version, Network: string(n.Network), Error: oneLine(n.Err, maxNote),
		})
	}
}

func scopeState(c *pegs.Chain, scope pegs.Scope) string {
	if c.Stands(scope) {
		return StateHalted
	}
	return StateOpen
}

// Assets lists the pegged tokens of the configured chains.
func (g *Gateway) Assets() (Page[Asset], error) {
	page := Page[Asset]{Items: []Asset{}}
	err := g.ledger.View(func(s *pegs.State) {
		for _, a := range s.Assets() {
			c, ok := s.Chain(a.Chain)
			if !ok {
				continue
			}
			item := Asset{
				Symbol: a.Symbol, Chain: string(a.Chain), Precision: a.Precision, MinDeposit: a.MinDeposit,
				MinWithdrawal: a.MinWithdrawal, WithdrawalFee: a.WithdrawalFee,
				Deposits: StateOpen, Withdrawals: StateOpen, DerivationKey: c.NewestEpoch().Key,
			}
			_, item.Confirmations = g.shown(c.ID, nil, 0, c.CreditDepth())
			if a.Token != "" {
				item.Token = &a.Token
			}
			if a.DepositsPaused || a.MintsPaused || c.Stands(pegs.ScopeDeposits) || c.Stands(pegs.ScopeMinting) {
				item.Deposits = StateHalted
			}
			if a.WithdrawalsPaused || c.Stands(pegs.ScopePayouts) {
				item.Withdrawals = StateHalted
			}
			page.Items = append(page.Items, item)
		}
	})
	return page, err
}

// uriSchemes begin payment URIs (BIP21).
var uriSchemes = map[chains.ID]string{chains.BTC: "bitcoin", chains.LTC: "litecoin", chains.DOGE: "dogecoin"}

// DepositAddress is where an account of the base layer pays in coins of a chain.
func (g *Gateway) DepositAddress(chain, account string) (DepositAddress, error) {
	id := chains.ID(chain)
	f := g.served(id)
	if f == nil {
		return DepositAddress{}, refuse(CodeUnknownChain, "chain %q is not served here", clip(chain))
	}
	exists := false
	if err := g.cfg.Sidechain.View(func(v SideState) error { exists = v.AccountExists(account); return nil }); err != nil {
		return DepositAddress{}, err
	}
	if !exists {
		return DepositAddress{}, refuse(CodeUnknownAccount, "account %q does not exist", clip(account))
	}
	result := DepositAddress{Chain: chain, Account: account}
	var book *addressBook
	var err error
	halted := ""
	viewErr := g.ledger.View(func(s *pegs.State) {
		c, _ := s.Chain(id)
		asset, ok := s.NativeAsset(id)
		switch {
		case !ok:
			halted = "there is no asset of this chain yet"
		case asset.DepositsPaused:
			halted = "deposits of " + asset.Symbol + " are paused"
		case c.Stands(pegs.ScopeDeposits):
			halted = c.HaltReason()
		}
		result.Epoch, result.MinDeposit = c.NewestEpoch().Epoch, asset.MinDeposit
		_, result.Confirmations = f.shown(nil, 0, c.CreditDepth())
		book, err = newAddressBook(c)
	})
	if viewErr != nil || err != nil {
		return DepositAddress{}, fmt.Errorf("deposit address: %w", firstError(viewErr, err))
	}
	if halted != "" {
		return DepositAddress{}, refuse(CodeHalted, "%s", halted)
	}
	scripts, err := book.deposits(account)
	if err != nil {
		return DepositAddress{}, err
	}
	for _, s := range scripts {
		if s.watch.Epoch == result.Epoch {
			result.Address = s.watch.Address
		}
	}
	result.URI = result.Address
	if scheme := uriSchemes[id]; scheme != "" {
		result.URI = scheme + ":" + result.Address
	}
	return result, nil
}

// served is the chain with that id, nil when it is not configured.
func (g *Gateway) served(id chains.ID) served {
	for _, f := range g.chains {
		if f.conf().ID() == id {
			return f
		}
	}
	return nil
}

// shown is how deep a block is and has to be, as users are told.
func (g *Gateway) shown(id chains.ID, in *chains.BlockRef, depth, needed uint64) (uint64, uint64) {
	if f := g.served(id); f != nil {
		return f.shown(in, depth, needed)
	}
	return depth, needed
}

// window is the part of a list of n, oldest first, that a page shows: items
// newest-1 down to oldest, and the cursor of the next page.
func window(n int, cursor string, limit int) (newest, oldest int, next *string, err error) {
	switch {
	case limit == 0:
		limit = defaultLimit
	case limit < 0 || limit > maxLimit:
		return 0, 0, nil, refuse(CodeBadRequest, "limit must be between 1 and %d", maxLimit)
	}
	newest = n
	if cursor != "" {
		at, err := strconv.Atoi(cursor)
		if err != nil || at < 0 || strconv.Itoa(at) != cursor {
			return 0, 0, nil, refuse(CodeBadRequest, "malformed cursor")
		}
		newest = min(at, n)
	}
	oldest = max(newest-limit, 0)
	if oldest > 0 {
		text := strconv.Itoa(oldest)
		next = &text
	}
	return newest, oldest, next, nil
}

// Deposits lists deposits, newest first, of one account unless it is empty. What
// only the mempool knows is newer than what blocks hold.
func (g *Gateway) Deposits(account, cursor string, limit int) (Page[Deposit], error) {
	page := Page[Deposit]{Items: []Deposit{}}
	var err error
	viewErr := g.ledger.View(func(s *pegs.State) {
		list, seen := s.Deposits(account), g.seen(s, account)
		var newest, oldest int
		if newest, oldest, page.NextCursor, err = window(len(list)+len(seen), cursor, limit); err != nil {
			return
		}
		for i := newest - 1; i >= oldest; i-- {
			if i >= len(list) {
				page.Items = append(page.Items, seen[i-len(list)].view(s))
				continue
			}
			page.Items = append(page.Items, g.currentView(s, list[i]))
		}
	})
	return page, firstError(viewErr, err)
}

// seen lists the deposits that no block of the ledger holds, oldest first. They take
// the same places in the list once one does.
func (g *Gateway) seen(s *pegs.State, account string) []seenDeposit {
	var list []seenDeposit
	for _, f := range g.chains {
		list = append(list, f.seen(g, s, account)...)
	}
	list = slices.DeleteFunc(list, func(d seenDeposit) bool { _, known := s.Deposit(d.id); return known })
	slices.SortStableFunc(list, func(a, b seenDeposit) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.order, b.order))
	})
	return list
}

// currentView is a deposit of the ledger; one that left the chain may be on its
// way into it again.
func (g *Gateway) currentView(s *pegs.State, d *pegs.Deposit) Deposit {
	if m := g.mempools[d.Chain]; m != nil && d.State() == pegs.DepositGone {
		if p, ok := m.find(d.Outpoint); ok {
			p.chain = d.Chain
			return g.seenView(s, p)
		}
	}
	return g.depositView(s, d)
}

// Deposit finds a deposit by its id.
func (g *Gateway) Deposit(id string) (d Deposit, err error) {
	found := false
	viewErr := g.ledger.View(func(s *pegs.State) {
		if known, ok := s.Deposit(id); ok {
			d, found = g.currentView(s, known), true
			return
		}
		for _, p := range g.seen(s, "") {
			if p.id == id {
				d, found = p.view(s), true
				return
			}
		}
	})
	if viewErr != nil {
		return Deposit{}, viewErr
	}
	if !found {
		return Deposit{}, refuse(CodeNotFound, "no deposit %q", clip(id))
	}
	return d, nil
}

// decimalsOf is how many decimals amounts of a chain's coin, or of a token of it,
// have.
func decimalsOf(s *pegs.State, chain chains.ID, token string) int {
	if asset, ok := s.AssetOf(chain, token); ok {
		return asset.Decimals
	}
	return pegs.CoinDecimals(chain)
}

func (g *Gateway) depositView(s *pegs.State, d *pegs.Deposit) Deposit {
	decimals := decimalsOf(s, d.Chain, d.Token)
	v := Deposit{
		ID: d.ID, Chain: string(d.Chain), Symbol: d.Symbol, Account: d.Account, Address: d.Address,
		TxID: d.Outpoint.TxID, Index: d.Outpoint.Index, Amount: d.Amount.Coin(decimals), Quantity: d.Quantity,
		Remainder: d.Remainder.Coin(decimals), State: string(d.State()), Reason: d.Reason,
		History: slices.Clone(d.History),
	}
	v.Confirmations, v.ConfirmationsNeeded = g.shown(d.Chain, d.In, s.Confirmations(d), s.Needed(d))
	if d.In != nil {
		v.Block, v.Height = &d.In.Hash, &d.In.Height
	}
	if d.Credit != nil {
		v.SidechainTx = d.Credit.Tx
	}
	v.Detail = g.detail(d.ID, d.History)
	switch c, _ := s.Chain(d.Chain); d.State() {
	case pegs.DepositCredited:
		v.Detail = lastDetail(d.History)
	case pegs.DepositConfirming, pegs.DepositMinting:
		if c.Stands(pegs.ScopeMinting) || c.Stands(pegs.ScopeDeposits) {
			v.Reason = c.HaltReason()
		}
		if g.notes.isHeld(d.ID) {
			v.State, v.Reason = string(pegs.DepositHeld), g.notes.get(d.ID)
		}
	}
	return v
}

func (g *Gateway) seenView(s *pegs.State, p seenPayment) Deposit {
	id := p.chain
	decimals := pegs.CoinDecimals(id)
	asset, _ := s.NativeAsset(id)
	c, _ := s.Chain(id)
	quantity, remainder, err := asset.Quantity(p.Amount)
	if err != nil {
		quantity = ""
	}
	return Deposit{
		ID: pegs.DepositID(id, p.Outpoint), Chain: string(id), Symbol: asset.Symbol, Account: p.Account, Address: p.Address,
		TxID: p.Outpoint.TxID, Index: p.Outpoint.Index, Amount: p.Amount.Coin(decimals), Quantity: quantity,
		Remainder: remainder.Coin(decimals), State: string(pegs.DepositSeen), ConfirmationsNeeded: c.CreditDepth(),
		History: []Step{{State: string(pegs.DepositSeen), At: p.at}},
	}
}

// Withdrawals lists withdrawals, newest first, of one account unless it is empty.
func (g *Gateway) Withdrawals(account, cursor string, limit int) (Page[Withdrawal], error) {
	page := Page[Withdrawal]{Items: []Withdrawal{}}
	var err error
	viewErr := g.ledger.View(func(s *pegs.State) {
		list := s.Withdrawals(account)
		var newest, oldest int
		if newest, oldest, page.NextCursor, err = window(len(list), cursor, limit); err != nil {
			return
		}
		for i := newest - 1; i >= oldest; i-- {
			page.Items = append(page.Items, g.withdrawalView(s, list[i]))
		}
	})
	return page, firstError(viewErr, err)
}

// Withdrawal finds a withdrawal by the sidechain transaction that burned.
func (g *Gateway) Withdrawal(id string) (w Withdrawal, err error) {
	found := false
	viewErr := g.ledger.View(func(s *pegs.State) {
		if known, ok := s.Withdrawal(id); ok {
			w, found = g.withdrawalView(s, known), true
		}
	})
	if viewErr != nil || found {
		return w, viewErr
	}
	return g.burned(id)
}

// burned is a withdrawal that the ledger has not read yet: the sidechain shows
// it a moment earlier, and whoever saw his transaction there may ask at once.
func (g *Gateway) burned(id string) (Withdrawal, error) {
	var row WithdrawalRow
	found := false
	if err := g.cfg.Sidechain.View(func(v SideState) error { row, found = v.Withdrawal(id); return nil }); err != nil {
		return Withdrawal{}, err
	}
	if !found {
		return Withdrawal{}, refuse(CodeNotFound, "no withdrawal %q", clip(id))
	}
	w := Withdrawal{
		ID: row.ID, Chain: string(row.Chain), Symbol: row.Symbol, Account: row.Account, Address: row.Address, Quantity: row.Quantity,
		Fee: row.Fee, Amount: row.Net, State: string(pegs.WithdrawalRequested), SidechainTx: row.ID, Variants: []string{}, History: []Step{},
	}
	return w, g.ledger.View(func(s *pegs.State) {
		if asset, ok := s.Asset(row.Symbol); ok {
			if amount, err := asset.Amount(row.Net); err == nil {
				w.Amount = amount.Coin(asset.Decimals)
			}
		}
		if c, ok := s.Chain(row.Chain); ok {
			_, w.ConfirmationsNeeded = g.shown(row.Chain, nil, 0, c.CreditDepth())
		}
	})
}

func (g *Gateway) withdrawalView(s *pegs.State, w *pegs.Withdrawal) Withdrawal {
	v := Withdrawal{
		ID: w.ID, Chain: string(w.Chain), Symbol: w.Symbol, Account: w.Account, Address: w.Address, Quantity: w.Quantity,
		Fee: w.Fee, Amount: w.Amount.Coin(decimalsOf(s, w.Chain, w.Token)), State: string(s.WithdrawalState(w)),
		Batch: w.Batch, SidechainTx: w.ID, Variants: []string{}, History: slices.Clone(w.History),
	}
	if w.Parked != nil {
		v.Reason = w.Parked.Reason
	}
	v.Detail = g.detail(w.ID, w.History)
	if w.Returned != nil {
		v.Detail = lastDetail(w.History)
	}
	c, ok := s.Chain(w.Chain)
	if !ok {
		v.Reason = "chain " + string(w.Chain) + " is not served here"
		return v
	}
	_, v.ConfirmationsNeeded = g.shown(w.Chain, nil, 0, c.CreditDepth())
	switch s.WithdrawalState(w) {
	case pegs.WithdrawalQueued:
		if note := g.notes.get(queueNote(w.Chain)); note != "" && g.notes.get(w.ID) == "" {
			v.Detail = note
		}
		fallthrough
	case pegs.WithdrawalRequested, pegs.WithdrawalPlanned:
		v.Detail = warnAmbiguous(v.Detail, w, c.Config.Network)
	}
	if v.Reason == "" && c.Stands(pegs.ScopePayouts) && s.WithdrawalState(w) != pegs.WithdrawalSettled {
		v.Reason = c.HaltReason()
	}
	b, ok := s.Batch(w.Batch)
	if !ok {
		return v
	}
	for _, variant := range b.Variants {
		v.Variants = append(v.Variants, variant.TxID)
		v.TxID = variant.TxID
	}
	if tx := b.Decided(); tx != nil {
		v.TxID = tx.TxID
		v.Confirmations, _ = g.shown(w.Chain, tx.In, c.Depth(tx.In), c.CreditDepth())
	} else if f := g.served(w.Chain); f != nil {
		if txid, in := f.unsettled(b.Variants); in != nil {
			v.TxID = txid
			v.Confirmations, _ = f.shown(in, 0, c.CreditDepth())
		}
	}
	if b.Settled != nil {
		v.SettleTx = b.Settled.Tx
	}
	if b.Released != nil {
		v.Reason = "the payout can never be made: " + b.Released.Reason
	} else if b.Conflict != "" {
		v.Reason = "an input of the payout was spent by transaction " + b.Conflict
	}
	return v
}

// warnAmbiguous adds to the detail of a withdrawal that nobody has signed yet that
// its address is one of other chains too.
func warnAmbiguous(detail string, w *pegs.Withdrawal, network chains.Network) string {
	others := address.AlsoOn(string(w.Chain), string(network), w.Address)
	if len(others) == 0 {
		return detail
	}
	warning := fmt.Sprintf("the address is one of %s too; it is paid on %s", strings.ToUpper(strings.Join(others, ", ")), strings.ToUpper(string(w.Chain)))
	if detail == "" {
		return warning
	}
	return detail + "; " + warning
}

// detail is the newest note about an item, or what its history says.
func (g *Gateway) detail(id string, history []Step) string {
	if note := g.notes.get(id); note != "" {
		return note
	}
	return lastDetail(history)
}

func lastDetail(history []Step) string {
	if len(history) == 0 {
		return ""
	}
	return history[len(history)-1].Detail
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// clip keeps strangers' text short, and on one line, in messages.
func clip(text string) string { return oneLine(text, 64) }

// oneLine is a text on one line, of about at most limit bytes.
func oneLine(text string, limit int) string {
	text = strings.ReplaceAll(text, "\n", "; ") // as errors that are joined have it
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, text)
	if len(text) > limit {
		return text[:limit] + "…"
	}
	return text
}
