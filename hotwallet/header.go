package hotwallet

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"causeway/sidechain/graphene"

	"go.etcd.io/bbolt"
)

// signedHeader is a base block header that was signed.
type signedHeader struct {
	Number    uint64 `json:"number"`
	ID        string `json:"id"`
	Header    []byte `json:"header"`
	Signature string `json:"signature"`
}

// HeaderSigner is the sequencer's side of a LocalSigner: what
// sidechain/base/solo asks for.
type HeaderSigner struct {
	signer *LocalSigner
	key    graphene.PublicKey
}

// PublicKey is the key that signs.
func (h *HeaderSigner) PublicKey() graphene.PublicKey { return h.key }

// SignHeader is LocalSigner.SignHeader.
func (h *HeaderSigner) SignHeader(ctx context.Context, header []byte) (graphene.Signature, error) {
	return h.signer.SignHeader(ctx, header)
}

// Sequencer opens the header signer at the head of base.db (nil: there is no
// block yet), before the sequencer runs. The journal must end there, with one
// exception: a process that died between the signature of a header and the
// fsync of its block has signed one block more than it stored. Nobody else saw
// that signature, since a block is published from base.db only; the header is
// kept as abandoned, and its height may be signed anew. A base.db that is
// further behind, or ahead of the journal, is ErrRollback: one of the two came
// from a backup (see AdoptHeader).
func (s *LocalSigner) Sequencer(head *graphene.SignedHeader) (*HeaderSigner, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, err := s.roleKey(RoleSequencer, "")
	if err != nil {
		return nil, err
	}
	last, err := s.journal.header()
	if err != nil {
		return nil, err
	}
	if err := s.reconcile(head, last); err != nil {
		return nil, err
	}
	return &HeaderSigner{signer: s, key: key.Public()}, nil
}

func (s *LocalSigner) reconcile(head *graphene.SignedHeader, last *signedHeader) error {
	number, id := uint64(0), graphene.BlockID{}.String()
	if head != nil {
		number, id = head.Number(), head.ID().String()
	}
	if last == nil {
		if head == nil {
			return nil
		}
		return refuse(ErrRollback, "base.db ends at block %d, the journal has signed none", number)
	}
	if last.Number == number && last.ID == id {
		return nil
	}
	header, err := graphene.DecodeHeader(last.Header)
	if err != nil {
		return fmt.Errorf("signer journal: last header: %w", err)
	}
	if last.Number != number+1 || header.Previous.String() != id {
		return refuse(ErrRollback, "base.db ends at block %d, %s, the journal at block %d, %s", number, id, last.Number, last.ID)
	}
	if head == nil {
		return s.journal.abandonHeader(*last, nil)
	}
	if err := s.checkOurs(head); err != nil {
		return err
	}
	parent := journalled(head)
	return s.journal.abandonHeader(*last, &parent)
}

// SignHeader implements Signer. The header must extend the last one signed by
// number and id, or be that one again, which gives the same signature.
func (s *LocalSigner) SignHeader(ctx context.Context, raw []byte) (graphene.Signature, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return graphene.Signature{}, err
	}
	key, err := s.roleKey(RoleSequencer, "")
	if err != nil {
		return graphene.Signature{}, err
	}
	header, err := graphene.DecodeHeader(raw)
	if err != nil || !bytes.Equal(header.Serialize(), raw) {
		return graphene.Signature{}, refuse(ErrMalformed, "%d bytes are no block header", len(raw))
	}
	last, err := s.journal.header()
	if err != nil {
		return graphene.Signature{}, err
	}
	if last != nil && bytes.Equal(last.Header, raw) {
		return graphene.ParseSignature(last.Signature)
	}
	if err := extends(last, header); err != nil {
		return graphene.Signature{}, err
	}
	signed := graphene.SignedHeader{Header: *header, Signature: key.Sign(header.Digest(s.cfg.BaseChainID))}
	if err := s.journal.recordHeader(journalled(&signed)); err != nil {
		return graphene.Signature{}, err
	}
	return signed.Signature, nil
}

// extends says whether a header follows the last one signed. A signer that
// never signed any begins with block 1.
func extends(last *signedHeader, header *graphene.Header) error {
	number, parent := uint64(0), graphene.BlockID{}.String()
	if last != nil {
		number, parent = last.Number, last.ID
	}
	if header.Number() != number+1 || header.Previous.String() != parent {
		return refuse(ErrRollback, "block %d on %s does not extend block %d, %s",
			header.Number(), header.Previous, number, parent)
	}
	return nil
}

// AdoptHeader moves the journal forward to a header that our own key signed:
// the head of base.db, after signer.db was lost or came from a backup. Only an
// operator may decide on it, since a journal that is behind cannot know what
// else was signed. It never goes back.
func (s *LocalSigner) AdoptHeader(h *graphene.SignedHeader) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.checkOurs(h); err != nil {
		return err
	}
	last, err := s.journal.header()
	if err != nil {
		return err
	}
	if last != nil && h.Number() <= last.Number {
		return refuse(ErrRollback, "block %d is not above block %d", h.Number(), last.Number)
	}
	return s.journal.recordHeader(journalled(h))
}

// checkOurs refuses a header that our sequencer key did not sign.
func (s *LocalSigner) checkOurs(h *graphene.SignedHeader) error {
	key, err := s.roleKey(RoleSequencer, "")
	if err != nil {
		return err
	}
	signer, err := h.SigningKey(s.cfg.BaseChainID)
	if err != nil || signer != key.Public() {
		return refuse(ErrNotOurs, "block %d was not signed by our key", h.Number())
	}
	return nil
}

func journalled(h *graphene.SignedHeader) signedHeader {
	return signedHeader{
		Number: h.Number(), ID: h.ID().String(), Header: h.Header.Serialize(), Signature: h.Signature.String(),
	}
}

// header is the last header signed, nil when there is none.
func (j *journal) header() (last *signedHeader, err error) {
	err = j.db.View(func(tx *bbolt.Tx) error {
		raw := tx.Bucket(bucketMeta).Get(keyHeader)
		if raw == nil {
			return nil
		}
		last = new(signedHeader)
		return json.Unmarshal(raw, last)
	})
	if err != nil {
		return nil, fmt.Errorf("signer journal: last header: %w", err)
	}
	return last, nil
}

// recordHeader makes a signed header the last one, durably.
func (j *journal) recordHeader(h signedHeader) error {
	return j.update(func(tx *bbolt.Tx, _ uint64) error { return putHeader(tx, &h) })
}

// abandonHeader sets the last header aside and goes back to its parent (nil:
// before block 1), durably.
func (j *journal) abandonHeader(last signedHeader, parent *signedHeader) error {
	return j.update(func(tx *bbolt.Tx, counter uint64) error {
		raw, err := json.Marshal(last)
		if err != nil {
			return err
		}
		key := binary.BigEndian.AppendUint64(nil, counter)
		if err := tx.Bucket(bucketAbandoned).Put(key, raw); err != nil {
			return err
		}
		if parent == nil {
			return tx.Bucket(bucketMeta).Delete(keyHeader)
		}
		return putHeader(tx, parent)
	})
}

func putHeader(tx *bbolt.Tx, h *signedHeader) error {
	raw, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return tx.Bucket(bucketMeta).Put(keyHeader, raw)
}
