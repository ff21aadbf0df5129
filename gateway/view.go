package gateway

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"causeway/chains"
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

// readyLag is how many blocks the ledger may be behind for a chain to be followed.
const readyLag = 6

// Ready is an error while a chain is not followed: it was not read to its end since
// the start, or the ledger is behind again.
func (g *Gateway) Ready() error {
	var errs []error
	err := g.ledger.View(func(s *pegs.State) {
		for _, f := range g.chains {
			id := f.conf().ID()
			c, _ := s.Chain(id)
			if tip, _ := c.Tip(); !f.caughtUp() || tip.Height+readyLag < f.aim() {
				errs = append(errs, fmt.Errorf("%s: at height %d of %d", id, tip.Height, f.aim()))
			}
		}
	})
	return errors.Join(append(errs, err)...)
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
