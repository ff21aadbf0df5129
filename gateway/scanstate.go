package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"causeway/chains"
	"causeway/internal/boltfile"

	"go.etcd.io/bbolt"
)

// scanState is what the scanner knows of a chain. Heights say when an output was
// made and spent, so that blocks can be taken back.
type scanState struct {
	Version int                     `json:"version"`
	Start   uint64                  `json:"start"`
	Next    uint64                  `json:"next"`
	Tail    []chains.BlockRef       `json:"tail"`
	Scripts map[string]scanScript   `json:"scripts"` // by hex
	Outputs map[string]*scanOutput  `json:"outputs"` // by txid:vout
	Txs     map[string]*scanSpender `json:"txs"`

	// Scripts that came after the first blocks were read are matched at once; the
	// blocks of the past are read for many of them together. Past are those that
	// are searched for now, up to block PastNext - 1; Waiting have their turn next.
	Past     []string `json:"past,omitempty"`
	PastNext uint64   `json:"past_next,omitempty"`
	Waiting  []string `json:"waiting,omitempty"`
}

const scanVersion = 1

type scanScript struct {
	Kind    chains.WatchKind `json:"kind"`
	Account string           `json:"account,omitempty"`
	Address string           `json:"address"`
}

type scanOutput struct {
	TxID   string        `json:"txid"`
	Index  uint32        `json:"index"`
	Amount chains.Amount `json:"amount"`
	Script string        `json:"script"`
	Height uint64        `json:"height"`
	Spent  uint64        `json:"spent,omitempty"` // height of SpentBy
	By     string        `json:"by,omitempty"`
}

type scanSpender struct {
	Inputs  []chains.Outpoint `json:"inputs"`
	Fee     chains.Amount     `json:"fee"`
	Foreign bool              `json:"foreign,omitempty"`
	Height  uint64            `json:"height"`
}

func newScanState(start uint64) *scanState {
	return &scanState{
		Version: scanVersion, Start: start, Next: start,
		Scripts: map[string]scanScript{}, Outputs: map[string]*scanOutput{}, Txs: map[string]*scanSpender{},
	}
}

// rewind forgets the blocks from a height on.
func (s *scanState) rewind(height uint64) {
	for len(s.Tail) > 0 && s.Tail[len(s.Tail)-1].Height >= height {
		s.Tail = s.Tail[:len(s.Tail)-1]
	}
	for key, out := range s.Outputs {
		if out.Height >= height {
			delete(s.Outputs, key)
		} else if out.By != "" && out.Spent >= height {
			out.By, out.Spent = "", 0
		}
	}
	for txid, tx := range s.Txs {
		if tx.Height >= height {
			delete(s.Txs, txid)
		}
	}
	s.Next, s.PastNext = min(s.Next, height), min(s.PastNext, height)
}

// know matches scripts from the next block on, and has the past searched for
// them if there is one.
func (s *scanState) know(fresh map[string]scanScript) {
	for script, owner := range fresh {
		s.Scripts[script] = owner
		if s.Next > s.Start {
			s.Waiting = append(s.Waiting, script)
		}
	}
}

// searching says whether blocks of the past are still to be read for scripts.
// One pass is for all that wait when it begins.
func (s *scanState) searching() bool {
	if len(s.Past) > 0 && s.PastNext >= s.Next {
		s.Past = nil
	}
	if len(s.Past) == 0 && len(s.Waiting) > 0 {
		s.Past, s.PastNext, s.Waiting = s.Waiting, s.Start, nil
	}
	return len(s.Past) > 0
}

// scanStore is scanner.db: a state for each chain, rebuilt from the keys'
// birthday when it is missing.
type scanStore struct {
	db    *bbolt.DB
	saved map[chains.ID]time.Time
}

var (
	bucketScans = []byte("scans")
	keyNetwork  = []byte("network")
)

// saveEvery bounds how often a state is written while the gateway runs.
const saveEvery = 30 * time.Second

// openScanStore opens the store of a network. That of another one, or one that
// is damaged, is emptied: it can be rebuilt. With an empty path nothing is kept.
func openScanStore(path, network string) (*scanStore, error) {
	s := &scanStore{saved: map[chains.ID]time.Time{}}
	if path == "" {
		return s, nil
	}
	var err error
	for range 2 {
		if s.db, err = openBolt(path, false); err == nil {
			err = boltfile.Guard(func() error { return prepareScans(s.db, network) })
		}
		if !errors.Is(err, boltfile.ErrDamaged) {
			break
		}
		if s.db != nil {
			err = errors.Join(err, s.db.Close())
		}
		if removed := os.Remove(path); removed != nil {
			return nil, fmt.Errorf("gateway: %s: %w", path, errors.Join(err, removed))
		}
	}
	if err != nil {
		if s.db != nil {
			err = errors.Join(err, s.db.Close())
		}
		return nil, fmt.Errorf("gateway: %s: %w", path, err)
	}
	return s, nil
}

func prepareScans(db *bbolt.DB, network string) error {
	return db.Update(func(tx *bbolt.Tx) error {
		bucket, err := tx.CreateBucketIfNotExists(bucketScans)
		if err != nil || string(bucket.Get(keyNetwork)) == network {
			return err
		}
		if err := tx.DeleteBucket(bucketScans); err != nil {
			return err
		}
		if bucket, err = tx.CreateBucket(bucketScans); err != nil {
			return err
		}
		return bucket.Put(keyNetwork, []byte(network))
	})
}

// load is the stored state of a chain, or an empty one.
func (s *scanStore) load(chain chains.ID, start uint64) *scanState {
	var stored scanState
	if !s.read(chain, &stored) || stored.Version != scanVersion || stored.Start != start {
		return newScanState(start)
	}
	return &stored
}

// read takes the stored state of a chain into state, if there is one.
func (s *scanStore) read(chain chains.ID, state any) (ok bool) {
	if s.db == nil {
		return false
	}
	err := s.db.View(func(tx *bbolt.Tx) error {
		text := tx.Bucket(bucketScans).Get([]byte("chain " + chain))
		if text == nil {
			return errors.New("none")
		}
		return json.Unmarshal(text, state)
	})
	return err == nil
}

// save writes a state, not too often unless it must be.
func (s *scanStore) save(chain chains.ID, state any, now time.Time, must bool) error {
	if s.db == nil || !must && now.Sub(s.saved[chain]) < saveEvery {
		return nil
	}
	text, err := json.Marshal(state)
	if err != nil {
		return err
	}
	s.saved[chain] = now
	return s.db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketScans).Put([]byte("chain "+chain), text)
	})
}

func (s *scanStore) close() error {
	if s.db == nil {
		return nil
	}
	return s.db.Close()
}
