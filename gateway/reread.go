package gateway

import (
	"context"
	"maps"
)

const (
	// rereadWindow is how many of the newest blocks are read again and again: what
	// all nodes told wrongly once, of any of them, does not stay.
	rereadWindow = 100
	// rereadPerSync bounds how many are read again with each look at the books.
	rereadPerSync = 2
)

// reread reads a few of the newest blocks again, going down, and begins anew at the
// first of them that says otherwise than it did.
func (s *scanner) reread(ctx context.Context) error {
	if s.state.searching() {
		return nil // what is not read yet would be taken for a difference
	}
	for range rereadPerSync {
		tip, ok := s.tip()
		if !ok {
			return nil
		}
		if s.again > tip.Height+1 || s.again <= s.state.Start || s.again+rereadWindow <= tip.Height+1 {
			s.again = tip.Height + 1
		}
		height := s.again - 1
		block, err := s.block(ctx, height)
		if err != nil {
			return err
		}
		same, err := s.says(block, height)
		if err != nil {
			return err
		}
		if s.again = height; !same {
			s.state.rewind(height)
			return nil
		}
	}
	return nil
}

// says whether a block holds for us what the state has of it.
func (s *scanner) says(block *scanBlock, height uint64) (same bool, err error) {
	fresh := newScanState(s.state.Start)
	for i := range block.RawTx {
		for _, vin := range block.RawTx[i].Vin {
			key := scanKey(vin.TxID, vin.Vout)
			if known := s.state.Outputs[key]; known != nil && known.Height < height {
				prev := *known
				prev.Spent, prev.By = 0, ""
				fresh.Outputs[key] = &prev
			}
		}
	}
	reader := &scanner{chain: s.chain, state: fresh}
	if err := reader.read(block, height, s.state.Scripts); err != nil {
		return false, err
	}
	return maps.Equal(fresh.at(height), s.state.at(height)), nil
}

// scanned is what a state has of one block: an output that it makes, or that it
// spends, or a transaction that spends.
type scanned struct{ what, of, value string }

// at is what a state has of the block at a height.
func (s *scanState) at(height uint64) map[scanned]bool {
	all := map[scanned]bool{}
	for key, out := range s.Outputs {
		if out.Height == height {
			all[scanned{"made", key, out.Script + " " + out.Amount.String()}] = true
		}
		if out.By != "" && out.Spent == height {
			all[scanned{"spent", key, out.By}] = true
		}
	}
	for txid, tx := range s.Txs {
		if tx.Height == height {
			all[scanned{"fee", txid, tx.Fee.String()}] = true
		}
	}
	return all
}
