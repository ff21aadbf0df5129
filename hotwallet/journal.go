package hotwallet

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"causeway/chains"
	"causeway/internal/boltfile"
	"causeway/internal/failpoint"

	"go.etcd.io/bbolt"
)

// journalFormat is the version of signer.db. Version 1 knew no sequencer and no
// marks; it is brought up to date when it is opened.
const (
	journalFormat    = "causeway-signer/2"
	journalFormatOne = "causeway-signer/1"
)

// The buckets of signer.db. Only log is written first-hand; intents, outpoints
// and payees are indexes of it, written in the same transaction.
var (
	bucketMeta      = []byte("meta")
	bucketLog       = []byte("log")       // counter (8 bytes, big-endian) -> journalEntry
	bucketIntents   = []byte("intents")   // batch -> intent
	bucketOutpoints = []byte("outpoints") // chain:txid:vout -> batch
	bucketPayees    = []byte("payees")    // withdrawal id -> batch

	keyFormat   = []byte("format")
	keyIdentity = []byte("identity")
	keyCounter  = []byte("counter")
	keyChain    = []byte("chain") // hash of the newest log entry
	keyHeader   = []byte("header")
)

// journal is the signer's own memory. Every change is one durable transaction
// that raises the counter by one; nothing is ever removed.
type journal struct{ db *bbolt.DB }

// intent is what a batch was promised: one set of outpoints, one list of
// payments, and every variant that was ever signed.
type intent struct {
	Batch  string    `json:"batch"`
	Chain  chains.ID `json:"chain"`
	Kind   Kind      `json:"kind"`
	IDs    []string  `json:"ids,omitempty"` // withdrawals, sorted
	Spends []string  `json:"spends"`        // "txid:vout", sorted
	// Took are those that were promised to another batch before, which was dead.
	Took     []string  `json:"took,omitempty"`
	Payments string    `json:"payments"` // hash of the payees' scripts and amounts
	Variants []variant `json:"variants"`
}

// variant is one signed transaction of an intent.
type variant struct {
	Unsigned string        `json:"unsigned"` // SHA-256 of the unsigned bytes
	TxID     string        `json:"txid"`
	Fee      chains.Amount `json:"fee"`
	Raw      []byte        `json:"raw"`
	Counter  uint64        `json:"counter"`
}

// journalEntry is one line of the log: an intent with one new variant.
type journalEntry struct {
	Previous string  `json:"previous"` // hash of the entry before, hex
	Intent   intent  `json:"intent"`   // without variants
	Variant  variant `json:"variant"`
}

// openJournal opens or makes signer.db. identity ties it to one seed, network
// and base chain, sequencer to the key whose word on the state is taken: another
// one is ErrForeignJournal.
func openJournal(path, identity, sequencer string) (*journal, error) {
	db, err := boltfile.Open(path, boltfile.Options{})
	if err != nil {
		return nil, fmt.Errorf("signer journal: %w", err)
	}
	err = boltfile.Guard(func() error {
		return db.Update(func(tx *bbolt.Tx) error { return prepareJournal(tx, identity, sequencer) })
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("signer journal %s: %w", path, err), db.Close())
	}
	return &journal{db: db}, nil
}

// view reads; a damaged page is an error.
func (j *journal) view(read func(tx *bbolt.Tx) error) error {
	return boltfile.Guard(func() error { return j.db.View(read) })
}

func prepareJournal(tx *bbolt.Tx, identity, sequencer string) error {
	for _, name := range [][]byte{bucketMeta, bucketLog, bucketIntents, bucketOutpoints, bucketPayees, bucketMarks, bucketMade, bucketNeeds} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	meta := tx.Bucket(bucketMeta)
	if meta.Get(keyFormat) == nil {
		return errors.Join(pin(meta, sequencer), meta.Put(keyIdentity, []byte(identity)))
	}
	format := string(meta.Get(keyFormat))
	if format != journalFormat && format != journalFormatOne {
		return fmt.Errorf("format %q is not %s", format, journalFormat)
	}
	if got := string(meta.Get(keyIdentity)); got != identity {
		return refuse(ErrForeignJournal, "it belongs to %s, this is %s", got, identity)
	}
	if format == journalFormatOne {
		return errors.Join(indexMade(tx), pin(meta, sequencer))
	}
	if got := string(meta.Get(keySequencer)); got != sequencer {
		return refuse(ErrForeignJournal, "it takes the word of the sequencer %s, this is %s", got, sequencer)
	}
	return nil
}

// pin makes a journal one of the current format, tied to a sequencer.
func pin(meta *bbolt.Bucket, sequencer string) error {
	return errors.Join(meta.Put(keyFormat, []byte(journalFormat)), meta.Put(keySequencer, []byte(sequencer)))
}

func (j *journal) close() error { return j.db.Close() }

// counter is the number of durable changes ever made.
func (j *journal) counter() (n uint64, err error) {
	err = j.view(func(tx *bbolt.Tx) error {
		n = counterOf(tx)
		return nil
	})
	return n, err
}

func counterOf(tx *bbolt.Tx) uint64 {
	if b := tx.Bucket(bucketMeta).Get(keyCounter); len(b) == 8 {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// intent is what was promised for a batch, nil when nothing was.
func (j *journal) intent(batch string) (found *intent, err error) {
	err = j.view(func(tx *bbolt.Tx) error {
		found, err = intentOf(tx, batch)
		return err
	})
	return found, err
}

func intentOf(tx *bbolt.Tx, batch string) (*intent, error) {
	raw := tx.Bucket(bucketIntents).Get([]byte(batch))
	if raw == nil {
		return nil, nil
	}
	found := new(intent)
	if err := json.Unmarshal(raw, found); err != nil {
		return nil, fmt.Errorf("intent %s: %w", batch, err)
	}
	return found, nil
}

// claims is what the journal holds against an intent that wants to be recorded.
type claims struct {
	held   []claim // its outpoints that were promised to others
	payee  *claim  // first withdrawal promised to another batch
	frozen string  // outpoint of an earlier variant that a child spends
}

// claim is an outpoint, or a withdrawal, that a batch was promised.
type claim struct{ spend, batch string }

// claimsOn looks up who else was promised the outpoints and payees of want,
// and whether anything spends an output of its earlier variants.
func (j *journal) claimsOn(want *intent, earlier []variant) (c claims, err error) {
	err = j.view(func(tx *bbolt.Tx) error {
		outpoints, payees := tx.Bucket(bucketOutpoints), tx.Bucket(bucketPayees)
		for _, spend := range want.Spends {
			if b := outpoints.Get(outpointKey(want.Chain, spend)); b != nil && string(b) != want.Batch && want.Kind != KindCancel {
				c.held = append(c.held, claim{spend, string(b)})
			}
		}
		for _, id := range want.IDs {
			if b := payees.Get([]byte(id)); b != nil && string(b) != want.Batch {
				c.payee = &claim{id, string(b)}
				return nil
			}
		}
		cursor := outpoints.Cursor()
		for _, v := range earlier {
			prefix := outpointKey(want.Chain, v.TxID+":")
			if key, _ := cursor.Seek(prefix); bytes.HasPrefix(key, prefix) {
				c.frozen = string(key)
			}
		}
		return nil
	})
	return c, err
}

func outpointKey(chain chains.ID, spend string) []byte {
	return []byte(string(chain) + ":" + spend)
}

// update is one durable change: it raises the counter and returns only when
// the disk has it. Until then no signature may leave the signer.
func (j *journal) update(change func(tx *bbolt.Tx, counter uint64) error) error {
	err := boltfile.Guard(func() error {
		return j.db.Update(func(tx *bbolt.Tx) error {
			counter := counterOf(tx) + 1
			err := tx.Bucket(bucketMeta).Put(keyCounter, binary.BigEndian.AppendUint64(nil, counter))
			if err != nil {
				return err
			}
			failpoint.Hit(failpoint.JournalCommit)
			return change(tx, counter)
		})
	})
	if err != nil {
		return fmt.Errorf("signer journal: %w", err)
	}
	return nil
}

// record makes a new variant of an intent durable, which the state after a base
// block allowed.
func (j *journal) record(want *intent, v variant, block uint64) (counter uint64, err error) {
	err = j.update(func(tx *bbolt.Tx, n uint64) error {
		counter, v.Counter = n, n
		if err := appendLog(tx, n, journalEntry{Intent: *want, Variant: v}); err != nil {
			return err
		}
		return errors.Join(see(tx, block), index(tx, want, v))
	})
	return counter, err
}

func appendLog(tx *bbolt.Tx, counter uint64, entry journalEntry) error {
	meta := tx.Bucket(bucketMeta)
	entry.Previous = hex.EncodeToString(meta.Get(keyChain))
	entry.Intent.Variants = nil
	raw, err := json.Marshal(entry)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(raw)
	if err := meta.Put(keyChain, sum[:]); err != nil {
		return err
	}
	return tx.Bucket(bucketLog).Put(binary.BigEndian.AppendUint64(nil, counter), raw)
}

// index brings the buckets that are derived from the log up to date.
func index(tx *bbolt.Tx, want *intent, v variant) error {
	stored, err := intentOf(tx, want.Batch)
	if err != nil {
		return err
	}
	if stored == nil {
		fresh := *want
		fresh.Variants = nil
		stored = &fresh
	}
	stored.Variants = append(stored.Variants, v)
	for _, spend := range want.Took {
		if !slices.Contains(stored.Took, spend) {
			stored.Took = append(stored.Took, spend)
		}
	}
	raw, err := json.Marshal(stored)
	if err != nil {
		return err
	}
	if err := tx.Bucket(bucketIntents).Put([]byte(want.Batch), raw); err != nil {
		return err
	}
	outpoints := tx.Bucket(bucketOutpoints)
	for _, spend := range want.Spends {
		key := outpointKey(want.Chain, spend)
		if want.Kind == KindCancel && outpoints.Get(key) != nil {
			continue // what it cancels keeps its promise
		}
		if err := outpoints.Put(key, []byte(want.Batch)); err != nil {
			return err
		}
	}
	for _, id := range want.IDs {
		if err := tx.Bucket(bucketPayees).Put([]byte(id), []byte(want.Batch)); err != nil {
			return err
		}
	}
	return tx.Bucket(bucketMade).Put(outpointKey(want.Chain, v.TxID), []byte(want.Batch))
}

// verify walks the log: entries linked by hash, none above the counter, and
// the indexes say what the log says.
func (j *journal) verify() error {
	return j.view(func(tx *bbolt.Tx) error {
		meta, previous := tx.Bucket(bucketMeta), []byte(nil)
		err := tx.Bucket(bucketLog).ForEach(func(key, raw []byte) error {
			var entry journalEntry
			if err := json.Unmarshal(raw, &entry); err != nil {
				return fmt.Errorf("entry %x: %w", key, err)
			}
			if entry.Previous != hex.EncodeToString(previous) || binary.BigEndian.Uint64(key) != entry.Variant.Counter {
				return fmt.Errorf("entry %x does not follow the one before", key)
			}
			sum := sha256.Sum256(raw)
			previous = sum[:]
			return verifyIndexes(tx, &entry)
		})
		switch {
		case err != nil:
			return fmt.Errorf("signer journal: %w", err)
		case !bytes.Equal(previous, meta.Get(keyChain)):
			return errors.New("signer journal: the newest entry is missing or altered")
		}
		return nil
	})
}

func verifyIndexes(tx *bbolt.Tx, entry *journalEntry) error {
	want := &entry.Intent
	stored, err := intentOf(tx, want.Batch)
	if err != nil {
		return err
	}
	found := false
	for i := 0; stored != nil && i < len(stored.Variants); i++ {
		found = found || stored.Variants[i].TxID == entry.Variant.TxID
	}
	for _, spend := range want.Spends {
		holder := string(tx.Bucket(bucketOutpoints).Get(outpointKey(want.Chain, spend)))
		if holder != want.Batch && (want.Kind != KindCancel || holder == "") {
			later, err := intentOf(tx, holder)
			if err != nil {
				return err
			}
			found = found && later != nil && slices.Contains(later.Took, spend)
		}
	}
	for _, id := range want.IDs {
		found = found && string(tx.Bucket(bucketPayees).Get([]byte(id))) == want.Batch
	}
	if !found {
		return fmt.Errorf("indexes of batch %s do not say what the log says", want.Batch)
	}
	return nil
}

// InspectJournal walks the journal of a stopped signer from its first entry to its
// last, without its keys and changing nothing, and says how far it goes.
func InspectJournal(path string) (st SignerStatus, err error) {
	db, err := boltfile.Open(path, boltfile.Options{ReadOnly: true})
	if err != nil {
		return st, fmt.Errorf("signer journal: %w", err)
	}
	s := &LocalSigner{journal: &journal{db: db}}
	defer func() { err = errors.Join(err, s.Close()) }()
	err = s.journal.view(func(tx *bbolt.Tx) error {
		if meta := tx.Bucket(bucketMeta); meta == nil || string(meta.Get(keyFormat)) != journalFormat {
			return errors.New("signer journal: it is none")
		}
		return nil
	})
	if err != nil {
		return st, err
	}
	if err := s.journal.verify(); err != nil {
		return st, err
	}
	return s.Status()
}
