package chains

import (
	"bytes"
	"strings"
)

// Match finds what a block holds for us: the outputs that pay a watched script,
// and the inputs of every transaction that spends an output of ours. An output
// is ours when ours says so (nil: none is) or when it pays a watched script in
// this very block, wherever in the block it stands. The result shares no memory
// with the block. Outputs and inputs that are not ours cost no memory. The set is
// locked for reading meanwhile: ours must not add to it.
func (s *WatchSet) Match(b *Block, ours func(Outpoint) bool) *Matched {
	m := &Matched{Header: cloneHeader(b.Header)}
	var fresh map[Outpoint]bool // outputs of this block that are ours
	s.mu.RLock()
	defer s.mu.RUnlock()
	for i := range b.Outputs {
		out := &b.Outputs[i]
		w, ok := s.find(out.Script)
		if !ok {
			continue
		}
		p := Payment{Output: *out, Watch: w}
		p.TxID = strings.Clone(out.TxID)
		p.Script = bytes.Clone(out.Script)
		m.Payments = append(m.Payments, p)
		if fresh == nil {
			fresh = make(map[Outpoint]bool)
		}
		fresh[p.Outpoint] = true
	}
	m.Spends = spends(b.Spends, func(o Outpoint) bool { return fresh[o] || ours != nil && ours(o) })
	return m
}

// spends picks the transactions, which are runs of the same By, that have an
// input of ours.
func spends(all []Spend, ours func(Outpoint) bool) (picked []Spend) {
	for i := 0; i < len(all); {
		end, hit := i, false
		for ; end < len(all) && all[end].By == all[i].By; end++ {
			hit = hit || ours(all[end].Outpoint)
		}
		if hit {
			for _, sp := range all[i:end] {
				sp.TxID, sp.By = strings.Clone(sp.TxID), strings.Clone(sp.By)
				picked = append(picked, sp)
			}
		}
		i = end
	}
	return picked
}

func cloneHeader(h Header) Header {
	h.Hash, h.Parent = strings.Clone(h.Hash), strings.Clone(h.Parent)
	return h
}
