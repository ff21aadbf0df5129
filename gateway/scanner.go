package gateway

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"causeway/chains"
	"causeway/pegs"
)

// scanner reads a chain a second time, by other means: the node's own JSON of
// each block, in a store of its own. It knows nothing of the ledger's events.
type scanner struct {
	chain chains.ID
	node  NodeRPC
	store *scanStore

	mu      sync.Mutex
	state   *scanState
	anew    bool            // what the store holds does not count
	derived map[string]bool // accounts whose scripts are in the state

	searched uint64 // blocks of the past that were read for scripts that came later
	again    uint64 // height below which the next block is read again
}

// scanTail is how many blocks the scanner can take back.
const scanTail = 2000

// errScanned says that the scanner cannot stand at the block that is asked for.
var errScanned = errors.New("gateway: the scanner sees another chain")

func newScanner(chain chains.ID, node NodeRPC, store *scanStore) *scanner {
	return &scanner{chain: chain, node: node, store: store, derived: map[string]bool{}}
}

// sync brings the scanner to a block, with the scripts of all accounts.
func (s *scanner) sync(ctx context.Context, book *addressBook, start uint64, accounts []string, target chains.BlockRef) (pegs.ScannerView, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.state == nil && s.anew:
		s.state = newScanState(start)
	case s.state == nil:
		s.state = s.store.load(s.chain, start)
	}
	if err := s.unwind(ctx, target); err != nil {
		return pegs.ScannerView{}, err
	}
	if err := s.reread(ctx); err != nil {
		return pegs.ScannerView{}, err
	}
	fresh, err := s.derive(book, accounts)
	if err != nil {
		return pegs.ScannerView{}, err
	}
	s.state.know(fresh)
	for s.state.Next <= target.Height {
		if err := s.advance(ctx); err != nil {
			return pegs.ScannerView{}, err
		}
	}
	if tip, ok := s.tip(); !ok || tip != target {
		return pegs.ScannerView{}, fmt.Errorf("%w: %s %s", errScanned, s.chain, target.Hash)
	}
	if err := s.search(ctx); err != nil {
		return pegs.ScannerView{}, err
	}
	return s.view(), s.store.save(s.chain, s.state, time.Now(), false)
}

// pastPerStep bounds how many blocks of the past are read before others are
// served.
const pastPerStep = 300

// search reads blocks of the past for scripts that came later.
func (s *scanner) search(ctx context.Context) error {
	var wanted map[string]scanScript
	for range pastPerStep {
		if !s.state.searching() {
			return nil
		}
		if wanted == nil || s.state.PastNext == s.state.Start { // another pass
			wanted = make(map[string]scanScript, len(s.state.Past))
			for _, script := range s.state.Past {
				wanted[script] = s.state.Scripts[script]
			}
		}
		block, err := s.block(ctx, s.state.PastNext)
		if err != nil {
			return err
		}
		if err := s.read(block, s.state.PastNext, wanted); err != nil {
			return err
		}
		s.state.PastNext++
		s.searched++
	}
	return nil
}

// step goes on with a search of the past while no audit waits for it. A search
// that a crash ends goes on from where the store has it.
func (s *scanner) step(ctx context.Context) error {
	for more := true; more && ctx.Err() == nil; {
		s.mu.Lock()
		more = s.state != nil && s.state.searching()
		var err error
		if more {
			if err = s.search(ctx); err == nil {
				err = s.store.save(s.chain, s.state, time.Now(), false)
			}
		}
		s.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// searching says whether the past is not searched to its end, and how many blocks
// of it were read so far.
func (s *scanner) searching() (more bool, read uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state != nil && s.state.searching(), s.searched
}

// flush writes the state down.
func (s *scanner) flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == nil {
		return nil
	}
	return s.store.save(s.chain, s.state, time.Now(), true)
}

// forget makes the scanner begin again at its first block.
func (s *scanner) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state, s.anew = nil, true
	clear(s.derived)
}

func (s *scanner) tip() (chains.BlockRef, bool) {
	if len(s.state.Tail) == 0 {
		return chains.BlockRef{}, false
	}
	return s.state.Tail[len(s.state.Tail)-1], true
}

// derive lists the scripts that the state does not have yet.
func (s *scanner) derive(book *addressBook, accounts []string) (map[string]scanScript, error) {
	var list []ownedScript
	own, err := book.own()
	if err != nil {
		return nil, err
	}
	list = append(list, own...)
	for _, account := range accounts {
		key := fmt.Sprintf("%s %d", account, len(book.branches))
		if s.derived[key] {
			continue
		}
		more, err := book.deposits(account)
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
		s.derived[key] = true
	}
	fresh := map[string]scanScript{}
	for _, o := range list {
		script := hex.EncodeToString(o.script)
		if _, known := s.state.Scripts[script]; !known {
			fresh[script] = scanScript{Kind: o.watch.Kind, Account: o.watch.Account, Address: o.watch.Address}
		}
	}
	return fresh, nil
}

// unwind takes back blocks above the target and those that have left the chain.
func (s *scanner) unwind(ctx context.Context, target chains.BlockRef) error {
	s.state.rewind(target.Height + 1)
	for {
		tip, ok := s.tip()
		if !ok {
			if s.state.Next > s.state.Start {
				*s.state = *newScanState(s.state.Start) // deeper than we remember
				clear(s.derived)
				return fmt.Errorf("%w: it begins again", errScanned)
			}
			return nil
		}
		hash, err := s.hash(ctx, tip.Height)
		if err != nil {
			return err
		}
		if hash == tip.Hash {
			return nil
		}
		s.state.rewind(tip.Height)
	}
}

// advance reads the next block.
func (s *scanner) advance(ctx context.Context) error {
	height := s.state.Next
	block, err := s.block(ctx, height)
	if err != nil {
		return err
	}
	if tip, ok := s.tip(); ok && block.Previous != tip.Hash {
		return fmt.Errorf("%w: block %d does not follow", errScanned, height)
	}
	if err := s.read(block, height, s.state.Scripts); err != nil {
		return err
	}
	s.state.Tail = append(s.state.Tail, chains.BlockRef{Height: height, Hash: block.Hash})
	if len(s.state.Tail) > scanTail {
		s.state.Tail = slices.Delete(s.state.Tail, 0, 1)
	}
	s.state.Next = height + 1
	return nil
}

// scanBlock is a block as nodes print it: transactions are in tx, or in rawtx
// where tx holds only their ids.
type scanBlock struct {
	Hash     string          `json:"hash"`
	Height   uint64          `json:"height"`
	Previous string          `json:"previousblockhash"`
	Tx       json.RawMessage `json:"tx"`
	RawTx    []scanTx        `json:"rawtx"`
}

type scanTx struct {
	TxID string `json:"txid"`
	Vin  []struct {
		Coinbase string `json:"coinbase"`
		TxID     string `json:"txid"`
		Vout     uint32 `json:"vout"`
	} `json:"vin"`
	Vout []struct {
		Value        json.Number `json:"value"`
		N            uint32      `json:"n"`
		ScriptPubKey struct {
			Hex string `json:"hex"`
		} `json:"scriptPubKey"`
	} `json:"vout"`
}

// hash is the hash of the block at a height.
func (s *scanner) hash(ctx context.Context, height uint64) (string, error) {
	return agreed(ctx, s.node, func(ctx context.Context, node NodeRPC) (hash string, err error) {
		err = node.Call(ctx, "getblockhash", []any{height}, &hash)
		return hash, err
	})
}

func (s *scanner) block(ctx context.Context, height uint64) (*scanBlock, error) {
	hash, err := s.hash(ctx, height)
	if err != nil {
		return nil, err
	}
	return agreed(ctx, s.node, func(ctx context.Context, node NodeRPC) (*scanBlock, error) {
		var block scanBlock
		if err := node.Call(ctx, "getblock", []any{hash, 2}, &block); err != nil {
			return nil, err
		}
		if block.Hash != hash || block.Height != height {
			return nil, fmt.Errorf("%w: asked for block %d %s, got %d %s", errScanned, height, hash, block.Height, block.Hash)
		}
		if err := s.plain(&block); err != nil {
			return nil, fmt.Errorf("gateway: scanner: block %d: %w", height, err)
		}
		return &block, nil
	})
}

// decodeTxs takes the transactions from tx where rawtx does not hold them.
func decodeTxs(block *scanBlock) error {
	if len(block.RawTx) > 0 {
		return nil
	}
	return json.Unmarshal(block.Tx, &block.RawTx)
}

// plain brings the spellings of nodes into one: the transactions in rawtx, scripts
// in small letters, values with all decimals. What is no value stays as it is.
func (s *scanner) plain(block *scanBlock) error {
	if err := decodeTxs(block); err != nil {
		return err
	}
	block.Tx = nil
	decimals := pegs.CoinDecimals(s.chain)
	for i := range block.RawTx {
		for j := range block.RawTx[i].Vout {
			out := &block.RawTx[i].Vout[j]
			out.ScriptPubKey.Hex = strings.ToLower(out.ScriptPubKey.Hex)
			if amount, err := chains.FromCoin(string(out.Value), decimals); err == nil {
				out.Value = json.Number(amount.Coin(decimals))
			}
		}
	}
	return nil
}

// read books a block for the given scripts.
func (s *scanner) read(block *scanBlock, height uint64, scripts map[string]scanScript) error {
	for i := range block.RawTx {
		tx := &block.RawTx[i]
		for _, out := range tx.Vout {
			script := out.ScriptPubKey.Hex
			if _, ours := scripts[script]; !ours {
				continue
			}
			amount, err := chains.FromCoin(string(out.Value), pegs.CoinDecimals(s.chain))
			if err != nil {
				return fmt.Errorf("gateway: scanner: %s:%d: %w", tx.TxID, out.N, err)
			}
			key := scanKey(tx.TxID, out.N)
			if s.state.Outputs[key] == nil {
				s.state.Outputs[key] = &scanOutput{TxID: tx.TxID, Index: out.N, Amount: amount, Script: script, Height: height}
			}
		}
	}
	// Spends after all outputs: within a block some coins list children first.
	for i := range block.RawTx {
		if err := s.spends(&block.RawTx[i], height); err != nil {
			return err
		}
	}
	return nil
}

func scanKey(txid string, index uint32) string { return fmt.Sprintf("%s:%d", txid, index) }

func (s *scanner) spends(tx *scanTx, height uint64) error {
	var spender scanSpender
	var in, out chains.Amount
	var err error
	hit := false
	for _, vin := range tx.Vin {
		if vin.Coinbase != "" {
			return nil
		}
		spender.Inputs = append(spender.Inputs, chains.Outpoint{TxID: vin.TxID, Index: vin.Vout})
		prev := s.state.Outputs[scanKey(vin.TxID, vin.Vout)]
		if prev == nil {
			spender.Foreign = true
			continue
		}
		hit = true
		prev.Spent, prev.By = height, tx.TxID
		if in, err = in.Add(prev.Amount); err != nil {
			return err
		}
	}
	if !hit {
		return nil
	}
	for _, vout := range tx.Vout {
		amount, err := chains.FromCoin(string(vout.Value), pegs.CoinDecimals(s.chain))
		if err != nil {
			return fmt.Errorf("gateway: scanner: %s:%d: %w", tx.TxID, vout.N, err)
		}
		if out, err = out.Add(amount); err != nil {
			return err
		}
	}
	if fee, err := in.Sub(out); err == nil {
		spender.Fee = fee
	} else {
		spender.Foreign = true
	}
	spender.Height = height
	s.state.Txs[tx.TxID] = &spender
	return nil
}

// view is what the audit asks of the scanner.
func (s *scanner) view() pegs.ScannerView {
	v := pegs.ScannerView{
		Deposits: map[string]chains.Amount{}, Spending: map[chains.Outpoint]string{}, Txs: map[string]pegs.ScannedTx{},
	}
	v.Block, _ = s.tip()
	for _, out := range s.state.Outputs {
		owner, o := s.state.Scripts[out.Script], chains.Outpoint{TxID: out.TxID, Index: out.Index}
		if owner.Kind == chains.WatchDeposit {
			v.Deposits[pegs.DepositID(s.chain, o)] = out.Amount
		}
		if out.By != "" {
			v.Spending[o] = out.By
			continue
		}
		v.Items = append(v.Items, pegs.Item{Chain: s.chain, Address: owner.Address, Kind: owner.Kind, Outpoint: o, Amount: out.Amount})
	}
	for txid, tx := range s.state.Txs {
		v.Txs[txid] = pegs.ScannedTx{Inputs: tx.Inputs, Fee: tx.Fee, Foreign: tx.Foreign}
	}
	return v
}
