package chaintest

import (
	"errors"
	"fmt"
)

// Conflict makes, and tells nobody of, a dearer transaction that spends the payer's
// coins of a payment to the payer itself.
func (s *Sim) Conflict(txid string) ([]byte, error) {
	tx, ok := s.Tx(txid)
	if !ok {
		return nil, fmt.Errorf("chaintest: no transaction %s", txid)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	msg := s.wallet.respend(tx)
	if msg == nil {
		return nil, fmt.Errorf("chaintest: %s is not the payer's", txid)
	}
	msg.TxOut[0].Value -= 30 * s.params.Fees.Relay
	if err := s.wallet.sign(msg); err != nil {
		return nil, err
	}
	var raw headerBytes
	err := msg.Serialize(&raw)
	return raw, err
}

// Rewind is Reorg as a Subject has it: depth + 1 blocks in place of depth, with one
// payment's fate. Other transactions stay.
func (s *Sim) Rewind(txid string, depth int, fate Fate) error {
	target, ok := s.Tx(txid)
	if !ok {
		return fmt.Errorf("chaintest: no transaction %s", txid)
	}
	if depth == 0 {
		return s.outmine(target, fate)
	}
	r := Rewrite{Depth: depth}
	if fate != Again {
		r.Drop = func(tx *Tx) bool { return tx == target }
		r.Forget, r.Replace = fate == Gone, fate == Replaced
	}
	_, err := s.Reorg(r)
	return err
}

// outmine makes a block in which another transaction has the coins of one that
// waits.
func (s *Sim) outmine(tx *Tx, fate Fate) error {
	if fate != Replaced {
		return errors.New("chaintest: nothing is rewound")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	msg := s.wallet.respend(tx)
	if msg == nil {
		return fmt.Errorf("chaintest: %s is not the payer's", tx.ID)
	}
	_, err := s.extend(s.best, []*Tx{s.enter(msg)}, nil)
	return err
}
