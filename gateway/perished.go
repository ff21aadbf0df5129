package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"causeway/chains"
	"causeway/chains/utxo"
	"causeway/hotwallet"
	"causeway/pegs"
)

// obituary finds out what became of transactions of others that were to make
// inputs of our batches and have left the chain: deposits that were double-spent
// away by a deep reorganisation. The blocks that held them say what they needed,
// the blocks that came instead who spent that.
type obituary struct {
	id     chains.ID
	coin   *utxo.Coin
	source chains.Source
	ledger *Ledger
	log    *slog.Logger
	search map[string]*search // by txid of what is missing
}

// blocksPerLook bounds the blocks that one step reads.
const blocksPerLook = 20

// relic is a transaction of a block that has left the chain.
type relic struct {
	txid   string
	raw    []byte
	spends []chains.Spend
	child  *relic // the one that needs an output of it; nil for what is missing itself
}

// search is how far one was looked for.
type search struct {
	relics map[string]*relic
	read   chains.BlockRef // the newest block of the chain that was looked at
	failed string          // why it cannot be looked for, as was said
}

func newObituary(g *Gateway, f *follower) *obituary {
	return &obituary{id: f.id, coin: f.Coin, source: f.Source, ledger: g.ledger, log: f.log, search: map[string]*search{}}
}

func (o *obituary) step(ctx context.Context) error {
	var list []pegs.Missing
	if err := o.ledger.View(func(s *pegs.State) { list = s.Missing(o.id) }); err != nil {
		return err
	}
	next := map[string]*search{}
	var errs []error
	for _, m := range list {
		s := cmp.Or(o.search[m.TxID], &search{})
		next[m.TxID] = s
		errs = append(errs, o.look(ctx, m, s))
	}
	o.search = next
	return errors.Join(errs...)
}

// look goes on with the search for one.
func (o *obituary) look(ctx context.Context, m pegs.Missing, s *search) error {
	if s.relics == nil || !o.has(s.read) {
		err := o.dig(ctx, m, s)
		if err != nil && s.failed != err.Error() {
			s.failed = err.Error()
			o.log.Error("a deposit that a payout spends has left the chain, and what it needed cannot be read", "txid", m.TxID, "error", err)
		}
		if err != nil {
			return nil // the order perished is for people
		}
	}
	needs := map[chains.Outpoint]*relic{}
	for _, r := range s.relics {
		for _, spend := range r.spends {
			needs[spend.Outpoint] = r
		}
	}
	for range blocksPerLook {
		ref, found, err := o.next(ctx, s.read)
		if err != nil || !found {
			return err
		}
		block, _, err := o.block(ctx, ref.Hash)
		if err != nil {
			return err
		}
		if event := s.ended(o.id, m.TxID, ref, block, needs); event != nil {
			o.log.Error("a deposit that a payout spends was double-spent", "txid", m.TxID, "by", event.By, "block", ref.Hash)
			return o.ledger.Do(ctx, func(state *pegs.State) ([]Entry, error) {
				if c, _ := state.Chain(o.id); !c.Has(ref) {
					return nil, nil
				}
				return []Entry{{Event: event}}, nil
			})
		}
		s.read = ref
	}
	return nil
}

// dig reads what is missing, and what of its ancestors has left the chain with it,
// from the blocks that held them.
func (o *obituary) dig(ctx context.Context, m pegs.Missing, s *search) error {
	if m.Left == nil {
		return errors.New("no block was seen to hold it")
	}
	relics, wanted := map[string]*relic{}, map[string]*relic{m.TxID: nil}
	ref := *m.Left
	for first := true; first || !o.has(ref); first = false {
		block, raw, err := o.block(ctx, ref.Hash)
		if err != nil {
			return err
		}
		if err := o.gather(block, raw, relics, wanted); err != nil {
			return err
		}
		if ref.Height == 0 {
			return fmt.Errorf("block %s leads nowhere", ref.Hash)
		}
		ref = chains.BlockRef{Height: ref.Height - 1, Hash: block.Parent}
	}
	if relics[m.TxID] == nil {
		return errors.New("the block that held it does not have it")
	}
	s.relics, s.read, s.failed = relics, ref, ""
	return o.ledger.View(func(state *pegs.State) {
		// Of blocks older than those that are remembered nothing says where the
		// branches part.
		if c, _ := state.Chain(o.id); ref.Height < c.Final() {
			window := uint64(max(c.Config.Policy.Keep, 1))
			s.read = chains.BlockRef{Height: max(ref.Height, window) - window}
		}
	})
}

// gather takes out of a block what is wanted, and what that needs. A block may
// hold a transaction behind what it needs, or before.
func (o *obituary) gather(block *chains.Block, raw []byte, relics, wanted map[string]*relic) error {
	spends := map[string][]chains.Spend{}
	for _, spend := range block.Spends {
		spends[spend.By] = append(spends[spend.By], spend)
	}
	for more := true; more; {
		more = false
		for _, txid := range block.Transactions {
			child, ok := wanted[txid]
			if !ok || relics[txid] != nil {
				continue
			}
			bytes, err := o.coin.CutTransaction(raw, txid)
			if err != nil {
				return err
			}
			r := &relic{txid: txid, raw: slices.Clone(bytes), spends: spends[txid], child: child}
			relics[txid], more = r, true
			for _, spend := range r.spends {
				if _, known := wanted[spend.TxID]; !known {
					wanted[spend.TxID] = r
				}
			}
		}
	}
	return nil
}

// ended is the record that a block spends what a relic needed otherwise; nil when
// it does not.
func (s *search) ended(id chains.ID, txid string, ref chains.BlockRef, block *chains.Block, needs map[chains.Outpoint]*relic) *pegs.Perished {
	var end *pegs.Perished
	for _, spend := range block.Spends {
		r := needs[spend.Outpoint]
		if r == nil || s.relics[spend.By] != nil {
			continue
		}
		// Whoever reads the same blocks says the same.
		if end != nil && hotwallet.SpendText(end.Needs) < hotwallet.SpendText(spend.Outpoint) {
			continue
		}
		end = &pegs.Perished{Chain: id, TxID: txid, Needs: spend.Outpoint, By: spend.By, Block: ref}
		for ; r != nil; r = r.child {
			end.Raw = append(end.Raw, r.raw)
		}
		slices.Reverse(end.Raw)
	}
	return end
}

func (o *obituary) has(ref chains.BlockRef) (ok bool) {
	_ = o.ledger.View(func(s *pegs.State) {
		c, _ := s.Chain(o.id)
		ok = c.Has(ref)
	})
	return ok
}

// next is the block of our chain behind another one; found is false at its end.
func (o *obituary) next(ctx context.Context, after chains.BlockRef) (ref chains.BlockRef, found bool, err error) {
	var tail []chains.BlockRef
	if err := o.ledger.View(func(s *pegs.State) {
		c, _ := s.Chain(o.id)
		tail = c.TailRefs()
	}); err != nil || len(tail) == 0 || tail[len(tail)-1].Height <= after.Height {
		return ref, false, err
	}
	height := after.Height + 1
	if height >= tail[0].Height {
		return tail[height-tail[0].Height], true, nil
	}
	hash, err := o.source.HashAt(ctx, height)
	return chains.BlockRef{Height: height, Hash: hash}, err == nil, err
}

func (o *obituary) block(ctx context.Context, hash string) (*chains.Block, []byte, error) {
	raw, err := o.source.RawBlock(ctx, hash)
	if err != nil {
		return nil, nil, err
	}
	block, err := o.coin.DecodeBlock(raw, hash)
	return block, raw, err
}

// Perished records by order of a person that a transaction of others, which
// batches of ours need, can never be mined: raws are its bytes and those of the
// transactions between it and what was spent otherwise, each making an input of the
// one before; by, in the block of that hash, spends an input of the last. It is for
// what the gateway cannot find by itself; the signer has its own nodes look all the
// same before anything is released.
func (g *Gateway) Perished(ctx context.Context, chain chains.ID, raws [][]byte, by, block, author, reason string) error {
	if err := signedOrder(reason, author); err != nil {
		return err
	}
	f, ok := g.served(chain).(*follower)
	if !ok {
		return refuse(CodeUnknownChain, "chain %q is not served here", clip(string(chain)))
	}
	event, err := newObituary(g, f).proven(ctx, raws, by, block)
	if err != nil {
		return err
	}
	event.Author, event.Reason = author, reason
	return g.ledger.Do(ctx, func(s *pegs.State) ([]Entry, error) {
		if !slices.ContainsFunc(s.Missing(chain), func(m pegs.Missing) bool { return m.TxID == event.TxID }) {
			return nil, refuse(CodeConflict, "no batch waits for transaction %s", event.TxID)
		}
		if c, _ := s.Chain(chain); !c.Has(event.Block) {
			return nil, refuse(CodeConflict, "block %s is not in the chain", clip(block))
		}
		return []Entry{{Event: event}}, nil
	})
}

// proven holds what a person says against the bytes and the block.
func (o *obituary) proven(ctx context.Context, raws [][]byte, by, hash string) (*pegs.Perished, error) {
	event := &pegs.Perished{Chain: o.id, By: by, Raw: raws}
	var before []chains.Spend // of the transaction before
	for i, raw := range raws {
		txid, _, spends, err := o.coin.DecodeTransaction(raw)
		switch {
		case err != nil:
			return nil, refuse(CodeBadRequest, "transaction %d: %v", i+1, err)
		case i == 0:
			event.TxID = txid
		case !slices.ContainsFunc(before, func(s chains.Spend) bool { return s.TxID == txid }):
			return nil, refuse(CodeBadRequest, "transaction %d makes no input of the one before", i+1)
		}
		if txid == by {
			return nil, refuse(CodeBadRequest, "transaction %s cannot take what it needs itself", clip(by))
		}
		before = spends
	}
	block, _, err := o.block(ctx, hash)
	if err != nil {
		return nil, refuse(CodeConflict, "block %s: %v", clip(hash), err)
	}
	for _, spend := range block.Spends {
		if spend.By == by && slices.ContainsFunc(before, func(s chains.Spend) bool { return s.Outpoint == spend.Outpoint }) {
			event.Needs = spend.Outpoint
		}
	}
	if event.Needs.TxID == "" {
		return nil, refuse(CodeConflict, "transaction %s is not in that block, or takes no input of the last one", clip(by))
	}
	event.Block, err = o.placed(hash)
	return event, err
}

// placed is where a block of our chain stands.
func (o *obituary) placed(hash string) (ref chains.BlockRef, err error) {
	viewErr := o.ledger.View(func(s *pegs.State) {
		c, _ := s.Chain(o.id)
		for _, known := range c.TailRefs() {
			if known.Hash == hash {
				ref = known
			}
		}
	})
	if viewErr == nil && ref.Hash == "" {
		err = refuse(CodeConflict, "block %s is not among the newest blocks of the chain", clip(hash))
	}
	return ref, errors.Join(viewErr, err)
}
