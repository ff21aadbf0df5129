package solo

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"sync"

	"causeway/sidechain/base"
	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
)

// prepared is a transaction that holds by itself, with what was computed on
// the way: a pure function of its bytes and the chain id.
type prepared struct {
	tx         *graphene.SignedTransaction
	id         string
	leaf       [32]byte // SHA-256 of the signed form
	size       int      // bytes of the signed form
	expiration uint32
	digest     [32]byte
	required   graphene.Authorities
	known      bool     // keys is set
	keys       []string // public keys that signed, in text; nil when skipped
}

// prepare checks everything that a transaction shows without the chain's
// state, as parse, and recovers the keys that signed it.
func (m *Machine) prepare(tx *graphene.SignedTransaction) (*prepared, error) {
	p, err := m.parse(tx)
	if err == nil {
		err = m.recoverKeys(p)
	}
	return p, err
}

// parse checks sizes and operations.
func (m *Machine) parse(tx *graphene.SignedTransaction) (*prepared, error) {
	if len(tx.Signatures) > MaxSignatures {
		return nil, base.Reject(base.RejectSignature, "%d signatures, at most %d", len(tx.Signatures), MaxSignatures)
	}
	unsigned := tx.Serialize()
	var e graphene.Encoder
	e.Raw(unsigned)
	if err := appendSignatures(&e, tx.Signatures); err != nil {
		return nil, err
	}
	if len(e.Bytes()) > MaxTransaction {
		return nil, base.Reject(base.RejectTooLarge, "transaction too large: %d bytes, at most %d", len(e.Bytes()), MaxTransaction)
	}
	sum := sha256.Sum256(unsigned)
	p := &prepared{
		tx: tx, id: hex.EncodeToString(sum[:20]), leaf: leafOf(e.Bytes()), size: len(e.Bytes()),
		required: tx.RequiredAuthorities(),
	}
	p.digest = sha256.Sum256(append(m.chainID[:], unsigned...))
	p.expiration, _ = graphene.ParseTime(tx.Expiration) // 0 when malformed: validate says so
	if p.keys, p.known = m.known.get(p.leaf); p.known {
		return p, nil
	}
	return p, validate(tx)
}

func appendSignatures(e *graphene.Encoder, signatures []string) error {
	e.Varint(uint32(len(signatures)))
	for _, text := range signatures {
		sig, err := graphene.ParseSignature(text)
		if err != nil {
			return badSignature(err)
		}
		e.Raw(sig[:])
	}
	return nil
}

// validate is the part of hived's validate() that needs no state.
func validate(tx *graphene.SignedTransaction) error {
	if err := tx.Validate(); err != nil {
		kind := base.RejectInvalid
		if errors.Is(err, graphene.ErrTooLong) {
			kind = base.RejectTooLarge
		}
		return &base.RejectError{Kind: kind, Message: err.Error(), Err: err}
	}
	for _, op := range tx.Operations {
		var message, document string
		switch o := op.(type) {
		case *graphene.CustomJSON:
			message, document = "JSON data not valid JSON", o.JSON
		case *graphene.Comment:
			message, document = "JSON Metadata not valid JSON", o.JSONMetadata
		case *graphene.AccountCreate:
			message, document = "JSON Metadata not valid JSON", o.JSONMetadata
		case *graphene.AccountUpdate:
			message, document = "JSON Metadata not valid JSON", o.JSONMetadata
		}
		if document == "" {
			continue
		}
		if _, err := jsvalue.Parse(document); err != nil {
			return &base.RejectError{Kind: base.RejectInvalid, Message: message + ": " + err.Error(), Err: err}
		}
	}
	return nil
}

// recoverKeys fills keys. Two signatures of one key are refused.
func (m *Machine) recoverKeys(p *prepared) error {
	if p.known || m.skipKeys {
		return nil
	}
	p.keys = make([]string, 0, len(p.tx.Signatures))
	for _, text := range p.tx.Signatures {
		sig, err := graphene.ParseSignature(text)
		if err != nil {
			return badSignature(err)
		}
		key, err := graphene.Recover(p.digest, sig)
		if err != nil {
			return badSignature(err)
		}
		name := key.String()
		if slices.Contains(p.keys, name) {
			return base.Reject(base.RejectSignature, "duplicate signature included")
		}
		p.keys = append(p.keys, name)
	}
	p.known = true
	m.known.put(p.leaf, p.keys)
	return nil
}

func badSignature(err error) error {
	return &base.RejectError{Kind: base.RejectSignature, Message: err.Error(), Err: err}
}

// knownCache remembers, by the hash of its signed form, that a transaction
// holds by itself and which keys signed it, so that a block's transactions are
// not checked again after admission. Two generations bound it.
type knownCache struct {
	mu       sync.Mutex
	new, old map[[32]byte][]string
}

const knownGeneration = 1 << 14

func (c *knownCache) get(leaf [32]byte) ([]string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if keys, ok := c.new[leaf]; ok {
		return keys, true
	}
	keys, ok := c.old[leaf]
	return keys, ok
}

func (c *knownCache) put(leaf [32]byte, keys []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.new) >= knownGeneration || c.new == nil {
		c.new, c.old = make(map[[32]byte][]string), c.new
	}
	c.new[leaf] = keys
}
