package pegs

import (
	"slices"

	"causeway/chains"
)

// Perished records that a transaction of others, which made outputs of ours and
// has left the chain, can never be mined: a transaction of the chain spends what it
// needs. It is nothing unless that one's block is final (State.Dead).
type Perished struct {
	Chain chains.ID `json:"chain"`
	TxID  string    `json:"txid"` // of the one that perished
	// Needs is what it, or the last of Raw, was to spend; By spends it in Block.
	Needs chains.Outpoint `json:"needs"`
	By    string          `json:"by"`
	Block chains.BlockRef `json:"block"`
	// Raw are the one that perished and those between it and Needs: each of them
	// was to make an input of the one before. The signer reads them.
	Raw [][]byte `json:"raw"`
	// Author and Reason are whose order it is; empty when nobody had to say it.
	Author string `json:"author,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// Kind implements Event.
func (*Perished) Kind() string { return "perished" }

func (s *State) perish(e *Perished) error {
	c, err := s.chain(e.Chain)
	switch {
	case err != nil:
		return err
	case e.TxID == "" || e.By == "" || e.By == e.TxID || len(e.Raw) == 0:
		return refuse("nothing is shown of transaction %s", e.TxID)
	case c.makers[e.TxID] != "":
		return refuse("transaction %s is one of ours", e.TxID)
	case !c.Has(e.Block):
		return refuse("block %s is not in the chain", e.Block.Hash)
	}
	c.perished[e.TxID] = *e
	return nil
}

// Missing is a transaction of others that was to make inputs of batches of ours
// and is in no block.
type Missing struct {
	TxID string
	Left *chains.BlockRef // the block that held it; nil when none was seen to
}

// Missing lists those that batches of a chain wait for and of which no block of
// the chain says that they perished.
func (s *State) Missing(id chains.ID) (list []Missing) {
	c := s.chains[id]
	for _, b := range s.openBatchesOf(id) {
		if b.Assigned == nil || b.Mined != nil || b.Conflict != "" || b.Settled != nil || b.Released != nil {
			continue
		}
		for _, in := range b.Inputs {
			out := c.outputs[in]
			if out != nil && out.In != nil || c.makers[in.TxID] != "" || c.perishedBy(in.TxID) != nil {
				continue
			}
			m := Missing{TxID: in.TxID}
			if out != nil {
				m.Left = out.Left
			}
			if !slices.ContainsFunc(list, func(known Missing) bool { return known.TxID == m.TxID }) {
				list = append(list, m)
			}
		}
	}
	return list
}

// perishedBy is what is known of the end of a transaction of others, while the
// chain says so.
func (c *Chain) perishedBy(txid string) *Perished {
	if p, ok := c.perished[txid]; ok && c.Has(p.Block) {
		return &p
	}
	return nil
}

// PerishedBefore lists the transactions of others which perished that a batch
// needs, through batches of ours however many, each with those between it and what
// was taken from it.
func (s *State) PerishedBefore(b *Batch) (raws [][]byte) {
	c := s.chains[b.Chain]
	seen := map[string]bool{b.ID: true}
	for queue := []*Batch{b}; len(queue) > 0; queue = queue[1:] {
		for _, in := range queue[0].Inputs {
			if maker := s.batches[c.makers[in.TxID]]; maker != nil && !seen[maker.ID] {
				seen[maker.ID] = true
				queue = append(queue, maker)
			}
			if p, ok := c.perished[in.TxID]; ok && !seen[in.TxID] {
				seen[in.TxID] = true
				raws = append(raws, p.Raw...)
			}
		}
	}
	return raws
}
