package hotwallet

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"causeway/chains"
	"causeway/chains/utxo"
	"causeway/internal/boltfile"

	"go.etcd.io/bbolt"
)

// mark is what the signer remembers of a batch or a withdrawal beside the
// transactions that it signed. Nothing of it is ever taken back.
type mark struct {
	// Ended is a state of the row after which nothing is paid, as seen in the
	// proof of base block Block.
	Ended string `json:"ended,omitempty"`
	Block uint64 `json:"block,omitempty"`
	// Released: an attestor of ours said, and was allowed to, that its payout
	// is dead.
	Released bool `json:"released,omitempty"`
	// ReturnUntil is when the newest operation expires that gives its tokens
	// back and that an attestor of ours signed; seconds since 1970.
	ReturnUntil uint32 `json:"return_until,omitempty"`
	// Batch of a withdrawal, Chain and Spends (sorted) of a batch: as an assign
	// row said that was shown.
	Batch  string    `json:"batch,omitempty"`
	Chain  chains.ID `json:"chain,omitempty"`
	Spends []string  `json:"spends,omitempty"`
	// Payments of a batch on a chain of accounts: as intent.Payments.
	Payments string `json:"payments,omitempty"`
}

var (
	bucketMarks  = []byte("marks") // batch or withdrawal -> mark
	bucketMade   = []byte("made")  // chain:txid of a transaction signed -> batch
	bucketNeeds  = []byte("needs") // chain:txid of a transaction of others -> the outpoints it spends
	keySequencer = []byte("sequencer")
	keySeen      = []byte("seen") // highest base block of a proof, 8 bytes
)

// ended says whether a state of a row is one after which nothing is paid.
func ended(state string) bool {
	switch state {
	case AssignOpen, WithdrawalAssigned, "requested":
		return false
	}
	return true
}

// seen is the newest base block of which a proof was shown or a header signed.
func (j *journal) seen() (n uint64, err error) {
	err = j.view(func(tx *bbolt.Tx) error {
		n = seenOf(tx)
		return nil
	})
	if err != nil {
		return 0, err
	}
	last, err := j.header()
	if err == nil && last != nil && last.Number > n {
		n = last.Number
	}
	return n, err
}

func seenOf(tx *bbolt.Tx) uint64 {
	if b := tx.Bucket(bucketMeta).Get(keySeen); len(b) == 8 {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// see raises the newest base block that a proof was about.
func see(tx *bbolt.Tx, block uint64) error {
	if block <= seenOf(tx) {
		return nil
	}
	return tx.Bucket(bucketMeta).Put(keySeen, binary.BigEndian.AppendUint64(nil, block))
}

// markOf is what is remembered of a batch or withdrawal.
func (j *journal) markOf(id string) (m mark, err error) {
	err = j.view(func(tx *bbolt.Tx) error {
		m, err = readMark(tx, id)
		return err
	})
	return m, err
}

func readMark(tx *bbolt.Tx, id string) (m mark, err error) {
	raw := tx.Bucket(bucketMarks).Get([]byte(id))
	if raw == nil {
		return m, nil
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return m, fmt.Errorf("signer journal: mark of %s: %w", id, err)
	}
	return m, nil
}

func changeMark(tx *bbolt.Tx, id string, change func(*mark)) error {
	m, err := readMark(tx, id)
	if err != nil {
		return err
	}
	change(&m)
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return tx.Bucket(bucketMarks).Put([]byte(id), raw)
}

// markEnded remembers the rows of a request, proven for a base block, that are
// over. An older state of them is of no use to anybody after that.
func (j *journal) markEnded(r *SignRequest, block uint64) error {
	over := map[string]string{}
	if ended(r.Assign.State) {
		over[r.Assign.Batch] = r.Assign.State
	}
	for _, w := range r.Withdrawals {
		if ended(w.State) {
			over[w.ID] = w.State
		}
	}
	if len(over) == 0 {
		return nil
	}
	return boltfile.Guard(func() error {
		return j.db.Update(func(tx *bbolt.Tx) error {
			for id, state := range over {
				if err := changeMark(tx, id, func(m *mark) { m.Ended, m.Block = state, block }); err != nil {
					return err
				}
			}
			return see(tx, block)
		})
	})
}

// markGivenUp remembers what an operation gives up, before it is signed.
func (j *journal) markGivenUp(list []givingUp, expiration uint32) error {
	if len(list) == 0 {
		return nil
	}
	return j.update(func(tx *bbolt.Tx, _ uint64) error {
		for _, g := range list {
			err := changeMark(tx, g.id, func(m *mark) {
				if g.action == actionRelease {
					m.Released = true
				} else {
					m.ReturnUntil = max(m.ReturnUntil, expiration)
				}
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// markAssigned remembers what rows that were shown say of a batch's inputs. The
// first ones count: they never change. payments is what intent.Payments would be,
// where the rows alone say it.
func (j *journal) markAssigned(r *SignRequest, payments string) error {
	return boltfile.Guard(func() error {
		return j.db.Update(func(tx *bbolt.Tx) error {
			a := &r.Assign
			err := changeMark(tx, a.Batch, func(m *mark) {
				if m.Spends == nil {
					m.Chain, m.Spends, m.Payments = a.Chain, slices.Sorted(slices.Values(a.Spends)), payments
				}
			})
			for _, id := range a.IDs {
				err = errors.Join(err, changeMark(tx, id, func(m *mark) {
					if m.Batch == "" {
						m.Batch = a.Batch
					}
				}))
			}
			return err
		})
	})
}

// promise is what a batch's transactions spend, and pay.
type promise struct {
	Chain    chains.ID
	Spends   []string // sorted
	Payments string   // intent.Payments; empty when it is not known
}

// deadBy says whether a final transaction that spends what a batch spends is not
// its payment. On a chain of accounts a nonce says nothing of what is done with
// it: a transaction that failed has paid nothing, and one that asks for something
// else is another's.
func (p *promise) deadBy(tx FinalTx) bool {
	return tx.Failed || tx.Payment != "" && p.Payments != "" && tx.Payment != p.Payments
}

// promiseOf is what is known of the inputs of a batch, or of the batch that pays
// a withdrawal: by what was signed, or else by what was shown. Nil: nothing.
func (j *journal) promiseOf(id string) (p *promise, err error) {
	signed, err := j.holds(id)
	if err != nil {
		return nil, err
	}
	if signed != nil {
		return &promise{signed.Chain, signed.Spends, signed.Payments}, nil
	}
	m, err := j.markOf(id)
	if err == nil && m.Batch != "" {
		m, err = j.markOf(m.Batch)
	}
	if err != nil || m.Spends == nil {
		return nil, err
	}
	return &promise{m.Chain, m.Spends, m.Payments}, nil
}

// maker is the intent that a transaction of ours was signed for, nil when it is
// none of ours.
func (j *journal) maker(chain chains.ID, txid string) (found *intent, err error) {
	err = j.view(func(tx *bbolt.Tx) error {
		if batch := tx.Bucket(bucketMade).Get(outpointKey(chain, txid)); batch != nil {
			found, err = intentOf(tx, string(batch))
		}
		return err
	})
	return found, err
}

// maxPerished bounds the transactions of others that one request shows.
const maxPerished = 64

// learn remembers what transactions of others spend, from bytes that hash to their
// txids: nobody need be believed.
func (j *journal) learn(coin *utxo.Coin, raws [][]byte) error {
	if len(raws) == 0 {
		return nil
	}
	if coin == nil || len(raws) > maxPerished {
		return refuse(ErrMalformed, "%d transactions of others", len(raws))
	}
	return boltfile.Guard(func() error {
		return j.db.Update(func(tx *bbolt.Tx) error {
			for _, raw := range raws {
				txid, _, spends, err := coin.DecodeTransaction(raw)
				if err != nil {
					return refuse(ErrMalformed, "transaction of others: %v", err)
				}
				text, err := json.Marshal(spendTexts(spends))
				if err != nil {
					return err
				}
				if err := tx.Bucket(bucketNeeds).Put(outpointKey(coin.ID(), txid), text); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// restOn remembers what the transactions spend that made change which is spent now.
// One whose signatures were changed on its way has a txid that was never signed for:
// when it leaves the chain, and a variant of the same batch is mined, what rests on
// it is dead. coin is nil on a chain of accounts, where nothing rests on a txid.
func (j *journal) restOn(coin *utxo.Coin, inputs []SignInput) error {
	if coin == nil {
		return nil
	}
	for _, in := range inputs {
		if in.Watch.Kind != chains.WatchChange {
			continue
		}
		known, err := j.needs(coin.ID(), in.TxID)
		if err == nil && len(known) == 0 {
			err = j.learn(coin, [][]byte{in.Previous})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// needs are the outpoints that a transaction spends: one that we signed, or one of
// others that was shown. None when it is not known.
func (j *journal) needs(chain chains.ID, txid string) (spends []string, err error) {
	made, err := j.maker(chain, txid)
	if err != nil || made != nil {
		if made != nil {
			spends = made.Spends
		}
		return spends, err
	}
	err = j.view(func(tx *bbolt.Tx) error {
		if text := tx.Bucket(bucketNeeds).Get(outpointKey(chain, txid)); text != nil {
			return json.Unmarshal(text, &spends)
		}
		return nil
	})
	return spends, err
}

// indexMade fills the index of transactions of a journal that has none.
func indexMade(tx *bbolt.Tx) error {
	return tx.Bucket(bucketIntents).ForEach(func(batch, _ []byte) error {
		known, err := intentOf(tx, string(batch))
		if err != nil {
			return err
		}
		for _, v := range known.Variants {
			err = errors.Join(err, tx.Bucket(bucketMade).Put(outpointKey(known.Chain, v.TxID), batch))
		}
		return err
	})
}

// holds says whether anything was ever signed for a batch or a withdrawal, and
// for which batch.
func (j *journal) holds(id string) (batch *intent, err error) {
	err = j.view(func(tx *bbolt.Tx) error {
		if b := tx.Bucket(bucketPayees).Get([]byte(id)); b != nil {
			id = string(b)
		}
		batch, err = intentOf(tx, id)
		return err
	})
	return batch, err
}
