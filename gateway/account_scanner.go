package gateway

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"sync"
	"time"

	"causeway/chains"
	"causeway/pegs"
)

// accountScanner reads a chain of accounts a second time, by other means: the
// node's own JSON, in a store of its own. It knows nothing of the ledger's events.
type accountScanner struct {
	chain  chains.ID
	node   NodeRPC
	store  *scanStore
	tokens []string // contracts, in small letters

	mu      sync.Mutex
	state   *accountScan
	anew    bool            // what the store holds does not count
	derived map[string]bool // accounts whose addresses are in the state
	all     bool            // every account is to be read at the next block
}

// errScanAhead says that the scanner was asked about a block older than its own.
var errScanAhead = errors.New("gateway: the scanner is ahead")

// rereadsPerSync is how many accounts are read again though nothing says that they
// changed: coins that a contract moves leave no trace in transactions.
const rereadsPerSync = 50

func newAccountScanner(chain chains.ID, node NodeRPC, store *scanStore, tokens []string) *accountScanner {
	return &accountScanner{chain: chain, node: node, store: store, tokens: tokens, derived: map[string]bool{}}
}

// sync implements secondReader.
func (s *accountScanner) sync(ctx context.Context, book *addressBook, start uint64, accounts []string, target chains.BlockRef) (pegs.ScannerView, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == nil {
		s.state = newAccountScan(start)
		var stored accountScan
		if !s.anew && s.store.read(s.chain, &stored) && stored.Version == accountScanVersion && stored.Start == start {
			s.state = &stored
		}
		s.state.fill()
	}
	if s.state.Tip.Hash != "" && target.Height < s.state.Tip.Height {
		return pegs.ScannerView{}, fmt.Errorf("%w: at block %d, asked about %d", errScanAhead, s.state.Tip.Height, target.Height)
	}
	if err := s.derive(book, accounts); err != nil {
		return pegs.ScannerView{}, err
	}
	for s.state.Next <= target.Height {
		if err := s.advance(ctx); err != nil {
			return pegs.ScannerView{}, err
		}
	}
	if s.state.Tip != target {
		return pegs.ScannerView{}, fmt.Errorf("%w: %s %s", errScanned, s.chain, target.Hash)
	}
	if err := s.readAll(ctx); err != nil {
		return pegs.ScannerView{}, err
	}
	view, err := s.view()
	return view, errors.Join(err, s.store.save(s.chain, s.state, time.Now(), false))
}

// fill makes the maps that a stored state left out.
func (s *accountScan) fill() {
	if s.Unread == nil {
		s.Unread = map[string]bool{}
	}
	if s.Mute == nil {
		s.Mute = map[string]string{}
	}
}

// derive adds the accounts that the state does not have yet.
func (s *accountScanner) derive(book *addressBook, accounts []string) error {
	list, err := book.own()
	if err != nil {
		return err
	}
	for _, account := range accounts {
		key := fmt.Sprintf("%s %d", account, len(book.branches))
		if s.derived[key] {
			continue
		}
		more, err := book.deposits(account)
		if err != nil {
			return err
		}
		list = append(list, more...)
		s.derived[key] = true
	}
	fresh := map[string]scanScript{}
	for _, o := range list {
		address := "0x" + hex.EncodeToString(o.script)
		if _, known := s.state.Accounts[address]; !known {
			fresh[address] = scanScript{Kind: o.watch.Kind, Account: o.watch.Account, Address: o.watch.Address}
		}
	}
	s.state.know(fresh)
	return nil
}

// advance reads the next block.
func (s *accountScanner) advance(ctx context.Context) error {
	block, err := s.block(ctx, s.state.Next)
	if err != nil {
		return err
	}
	if s.state.Tip.Hash != "" && block.Parent != s.state.Tip.Hash {
		*s.state = *newAccountScan(s.state.Start) // blocks of ours were not final
		clear(s.derived)
		return fmt.Errorf("%w: block %d does not follow, it begins again", errScanned, block.height)
	}
	var mine []*ownCall
	for i := range block.Txs {
		tx := &block.Txs[i]
		s.state.touch(tx.From, tx.To)
		if s.state.Accounts[strings.ToLower(tx.From)].Address == "" {
			continue
		}
		call, err := s.sent(ctx, block, tx)
		if err != nil {
			return err
		}
		mine = append(mine, call)
	}
	logs, err := s.logs(ctx, block)
	if err != nil {
		return err
	}
	if err := s.judge(ctx, block, mine, logs); err != nil {
		return err
	}
	for _, call := range mine {
		if err := s.book(call); err != nil {
			return err
		}
	}
	s.touched(block, logs)
	s.state.Tip, s.state.Next = chains.BlockRef{Height: block.height, Hash: block.Hash}, block.height+1
	return nil
}

// touched has the accounts read that a block names besides its senders.
func (s *accountScanner) touched(block *scanAccountBlock, logs []scanLog) {
	s.state.touch(block.Miner)
	for _, w := range block.Withdrawals {
		s.state.touch(w.Address)
	}
	for i := range logs {
		s.state.touch(logs[i].words()...)
	}
}

// ownCall is a transaction of ours in a block, with its receipt.
type ownCall struct {
	accountTx
	receipt *scanReceipt
	to      string
	value   chains.Amount
	token   bool          // it calls transfer of a token
	units   chains.Amount // of that
}

// sent reads a transaction of ours and its receipt.
func (s *accountScanner) sent(ctx context.Context, block *scanAccountBlock, tx *scanAccountTx) (c *ownCall, err error) {
	c = &ownCall{to: strings.ToLower(tx.To)}
	if c.receipt, err = s.receipt(ctx, block, tx.Hash); err != nil {
		return nil, err
	}
	c.TxID, c.From, c.Failed = tx.Hash, strings.ToLower(tx.From), c.receipt.Status != "0x1"
	if c.Fee, err = c.receipt.fee(); err != nil {
		return nil, err
	}
	if c.Nonce, err = hexUint(tx.Nonce); err != nil {
		return nil, err
	}
	if c.value, err = hexAmount(tx.Value); err != nil {
		return nil, err
	}
	c.Self = c.to == c.From && c.value.IsZero() && strings.TrimPrefix(tx.Input, "0x") == ""
	c.units, c.token = transferUnits(tx.Input)
	c.token = c.token && slices.Contains(s.tokens, c.to)
	return c, nil
}

// judge finds out which calls of tokens moved nothing although they succeeded: by
// what the account held before and after the block and what it got in between. A
// node that has those states no more has the calls believed.
func (s *accountScanner) judge(ctx context.Context, block *scanAccountBlock, mine []*ownCall, logs []scanLog) error {
	groups := map[string][]*ownCall{}
	for _, c := range mine {
		if c.token && !c.Failed {
			groups[scanKeyOf(c.From, c.to)] = append(groups[scanKeyOf(c.From, c.to)], c)
		}
	}
	for key, calls := range groups {
		from, token, _ := strings.Cut(key, " ")
		before, errBefore := s.tokenBalance(ctx, from, token, block.Parent)
		after, errAfter := s.tokenBalance(ctx, from, token, block.Hash)
		if errBefore != nil || errAfter != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			continue
		}
		var asked chains.Amount
		var err error
		for _, c := range calls {
			if asked, err = asked.Add(c.units); err != nil {
				return err
			}
		}
		for i := range logs {
			if in, ok := logs[i].into(token, from); ok {
				if before, err = before.Add(in); err != nil {
					return err
				}
			}
		}
		taken, err := before.Sub(after)
		if err != nil || !taken.Less(asked) { // more came in than the token says: what left is not known
			continue
		}
		for _, c := range calls {
			c.Failed = taken.IsZero() || !c.receipt.tells(token, from)
		}
	}
	return nil
}

// book adds what a transaction of ours took out of its account, and the gas that
// our sweeper sent to one.
func (s *accountScanner) book(c *ownCall) error {
	s.state.Txs[fmt.Sprintf("%s:%d", c.From, c.Nonce)] = c.accountTx
	out := scanKeyOf(c.From, "")
	if err := addTo(s.state.Out, out, c.Fee); err != nil {
		return err
	}
	if c.receipt.Status != "0x1" {
		return nil
	}
	if err := addTo(s.state.Out, out, c.value); err != nil {
		return err
	}
	if c.token && !c.Failed {
		return addTo(s.state.Out, scanKeyOf(c.From, c.to), c.units)
	}
	if s.state.Accounts[c.From].Kind == chains.WatchSweeper && s.state.Accounts[c.to].Kind == chains.WatchDeposit {
		return addTo(s.state.In, scanKeyOf(c.to, ""), c.value)
	}
	return nil
}

// readAll reads the accounts that may have changed, at the newest block.
func (s *accountScanner) readAll(ctx context.Context) error {
	tip := s.state.Tip
	if err := s.hearMute(ctx, tip); err != nil {
		return err
	}
	list := s.state.turns(tip.Height, rereadsPerSync)
	if s.all {
		list = s.state.turns(tip.Height, len(s.state.Accounts))
	}
	for address := range s.state.Unread {
		list = append(list, address)
	}
	slices.Sort(list)
	for _, address := range list {
		amount, err := s.coinBalance(ctx, address, tip.Hash)
		if err != nil {
			return err
		}
		readings := map[string]chains.Amount{"": amount}
		for _, token := range s.tokens {
			if s.state.Mute[token] != "" {
				continue
			}
			units, err := s.tokenBalance(ctx, address, token, tip.Hash)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				s.state.Mute[token] = oneLine(err.Error(), maxReason)
				continue
			}
			readings[token] = units
		}
		for token, amount := range readings {
			s.state.Balances[scanKeyOf(address, token)] = scanBalance{Amount: amount, At: tip.Height}
		}
		delete(s.state.Unread, address)
	}
	s.all = false
	return nil
}

// hearMute asks the tokens again that did not say what accounts hold. Of one that
// does, all accounts are read.
func (s *accountScanner) hearMute(ctx context.Context, tip chains.BlockRef) error {
	for token := range s.state.Mute {
		_, err := s.tokenBalance(ctx, token, token, tip.Hash)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && slices.Contains(s.tokens, token):
			s.state.Mute[token] = oneLine(err.Error(), maxReason)
		default:
			delete(s.state.Mute, token)
			s.all = true
		}
	}
	return nil
}

// look has accounts read again of which the ledger says something else: coins that a
// contract moved are seen by whoever reads the account first.
func (s *accountScanner) look(list []pegs.Unread) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range list {
		if s.state != nil {
			s.state.touch(list[i].Address)
		}
	}
}

// view is what the audit asks of the scanner.
func (s *accountScanner) view() (pegs.ScannerView, error) {
	v := pegs.ScannerView{
		Block: s.state.Tip, Deposits: map[string]chains.Amount{}, Spending: map[chains.Outpoint]string{}, Txs: map[string]pegs.ScannedTx{},
		Received: map[string]chains.Amount{}, Mute: maps.Clone(s.state.Mute),
	}
	for _, key := range slices.Sorted(maps.Keys(s.state.Balances)) {
		address, token, _ := strings.Cut(key, " ")
		owner, amount := s.state.Accounts[address], s.state.Balances[key].Amount
		if !amount.IsZero() {
			v.Items = append(v.Items, pegs.Item{Chain: s.chain, Address: owner.Address, Kind: owner.Kind, Token: token, Amount: amount})
		}
		if owner.Kind != chains.WatchDeposit {
			continue
		}
		received, err := s.state.received(key)
		if err != nil {
			return v, err
		}
		if !received.IsZero() {
			v.Received[key] = received
		}
	}
	for _, tx := range s.state.Txs {
		o := chains.Outpoint{TxID: tx.From, Index: uint32(tx.Nonce)}
		v.Spending[o] = tx.TxID
		v.Txs[tx.TxID] = pegs.ScannedTx{Inputs: []chains.Outpoint{o}, Fee: tx.Fee, Failed: tx.Failed, Self: tx.Self}
	}
	return v, nil
}

// step implements secondReader: an audit leaves nothing undone here.
func (s *accountScanner) step(context.Context) error { return nil }

// searching implements secondReader: the past is never searched.
func (s *accountScanner) searching() (more bool, read uint64) { return false, 0 }

// flush implements secondReader.
func (s *accountScanner) flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == nil {
		return nil
	}
	return s.store.save(s.chain, s.state, time.Now(), true)
}

// forget implements secondReader.
func (s *accountScanner) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state, s.anew, s.all = nil, true, true
	clear(s.derived)
}

// hexUint reads a quantity of JSON-RPC.
func hexUint(text string) (uint64, error) {
	v, err := hexBig(text)
	if err != nil || !v.IsUint64() {
		return 0, fmt.Errorf("gateway: scanner: %q is no number", clip(text))
	}
	return v.Uint64(), nil
}

// hexAmount reads a quantity that is an amount.
func hexAmount(text string) (chains.Amount, error) {
	v, err := hexBig(text)
	if err != nil {
		return chains.Amount{}, err
	}
	return chains.AmountFromBig(v)
}

func hexBig(text string) (*big.Int, error) {
	digits, ok := strings.CutPrefix(text, "0x")
	v, isHex := new(big.Int).SetString(digits, 16)
	if !ok || !isHex || v.Sign() < 0 || len(digits) > 64 {
		return nil, fmt.Errorf("gateway: scanner: %q is no number", clip(text))
	}
	return v, nil
}
