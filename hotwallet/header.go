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
// block yet), before the sequencer runs. The journal must end there, or at the
// candidate of the next block that base.db holds (nil: none): a process that
// died after the signature and before it stored the signed block left both, and
// gets the same signature for the same header again. A base.db that is behind,
// or ahead of the journal, is ErrRollback: one of the two came from a backup
// (see AdoptHeader).
func (s *LocalSigner) Sequencer(head *graphene.SignedHeader, candidate *graphene.Header) (*HeaderSigner, error) {
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
	if err := reconcile(head, candidate, last); err != nil {
		return nil, err
	}
	return &HeaderSigner{signer: s, key: key.Public()}, nil
}

func reconcile(head *graphene.SignedHeader, candidate *graphene.Header, last *signedHeader) error {
	number, id := uint64(0), graphene.BlockID{}.String()
	if head != nil {
		number, id = head.Number(), head.ID().String()
	}
	if last == nil {
		last = &signedHeader{ID: graphene.BlockID{}.String()}
	}
	switch {
	case last.Number == number && last.ID == id:
		return nil
	case candidate != nil && candidate.Previous.String() == id && bytes.Equal(candidate.Serialize(), last.Header):
		return nil
	}
	why := "they are of different histories"
	switch {
	case last.Number < number:
		why = "signer.db is older than base.db"
	case last.Number > number:
		why = "base.db is older than signer.db"
	}
	return refuse(ErrRollback, "%s: base.db ends at block %d, %s, the journal at block %d, %s", why, number, id, last.Number, last.ID)
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

// AdoptCounter makes a journal count at least n, what a gateway has seen of the
// journal before it. As AdoptHeader it is an operator's decision: the transactions
// that were counted are not in this journal.
func (s *LocalSigner) AdoptCounter(n uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	count, err := s.journal.counter()
	if err != nil || count >= n {
		return err
	}
	return s.journal.update(func(tx *bbolt.Tx, count uint64) error {
		return tx.Bucket(bucketMeta).Put(keyCounter, binary.BigEndian.AppendUint64(nil, max(n, count)))
	})
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
	err = j.view(func(tx *bbolt.Tx) error {
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
	raw, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return j.update(func(tx *bbolt.Tx, _ uint64) error { return tx.Bucket(bucketMeta).Put(keyHeader, raw) })
}
