package solo

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"causeway/sidechain/graphene"
)

// A candidate is the next block, whole but for its signature. It is in base.db
// before the signer is asked, so that a process that died before it stored the
// signed block asks for the same signature again: of one number no two headers
// are ever signed. It stands in bucket meta, as a record with a checksum of its
// own kind, with 65 zero bytes for the signature, and leaves it in the
// transaction that stores the block.
var keyCandidate = []byte("candidate")

// Propose makes the candidate durable. It must follow the head; raw is its
// binary form with a zero signature. While a candidate is stored, no other is
// taken.
func (s *Store) Propose(c *graphene.SignedBlock, raw []byte) error {
	if err := s.followsHead(c); err != nil {
		return err
	}
	err := s.db.Update(func(tx *bolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		if stored := meta.Get(keyCandidate); stored != nil {
			if bytes.Equal(stored, candidateRecord(raw)) {
				return nil
			}
			return fmt.Errorf("%w: block %d has a candidate already", ErrInvalidBlock, c.Number())
		}
		return meta.Put(keyCandidate, candidateRecord(raw))
	})
	if err != nil {
		return fmt.Errorf("solo: store candidate of block %d: %w", c.Number(), err)
	}
	return nil
}

// Candidate is the stored candidate, nil when there is none. Its signature is
// zero.
func (s *Store) Candidate() (c *graphene.SignedBlock, err error) {
	err = guarded(func() error {
		return s.db.View(func(tx *bolt.Tx) error {
			c, err = readCandidate(tx)
			return err
		})
	})
	if c == nil || err != nil {
		return nil, err
	}
	if err := s.followsHead(c); err != nil {
		return nil, fmt.Errorf("%w: candidate: %w", ErrCorrupt, err)
	}
	return c, nil
}

// CandidateHeader is the header of the stored candidate, nil when there is
// none: what a careful signer may have signed beyond HeadHeader.
func (s *Store) CandidateHeader() (*graphene.Header, error) {
	c, err := s.Candidate()
	if c == nil || err != nil {
		return nil, err
	}
	return &c.Header, nil
}

func (s *Store) followsHead(c *graphene.SignedBlock) error {
	number, id, _ := s.Head()
	if c.Number() != number+1 || c.Previous.String() != id {
		return fmt.Errorf("%w: block %d after %s cannot follow block %d, %s", ErrInvalidBlock, c.Number(), c.Previous, number, id)
	}
	return nil
}

func candidateRecord(raw []byte) []byte {
	sum := sha256.Sum256(append(append([]byte(nil), keyCandidate...), raw...))
	return append(append([]byte{recordVersion}, sum[:checksumSize]...), raw...)
}

// readCandidate checks and decodes; the result keeps nothing of the page.
func readCandidate(tx *bolt.Tx) (*graphene.SignedBlock, error) {
	record := tx.Bucket(bucketMeta).Get(keyCandidate)
	switch {
	case record == nil:
		return nil, nil
	case len(record) < recordHead:
		return nil, fmt.Errorf("%w: candidate of %d bytes", ErrCorrupt, len(record))
	case record[0] != recordVersion:
		return nil, fmt.Errorf("%w: record version %d of the candidate", ErrStoreFormat, record[0])
	}
	raw := bytes.Clone(record[recordHead:])
	if !bytes.Equal(candidateRecord(raw), record) {
		return nil, fmt.Errorf("%w: checksum of the candidate does not match", ErrCorrupt)
	}
	c, err := graphene.DecodeBlock(raw)
	if err == nil && c.Signature != (graphene.Signature{}) {
		err = errors.New("it is signed")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: candidate: %w", ErrCorrupt, err)
	}
	return c, nil
}
