package hotwallet

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	"causeway/chains"
	"causeway/chains/utxo"
	"causeway/sidechain/graphene"

	"go.etcd.io/bbolt"
)

// maxVariants bounds what one batch can make the journal hold.
const maxVariants = 1000

// SignerConfig is what a LocalSigner is made of.
type SignerConfig struct {
	// Journal is the path of signer.db.
	Journal string
	// Wallet holds the coin keys; nil for a signer of role messages only.
	Wallet *Wallet
	// Roles are the role keys it signs with.
	Roles []RoleKey
	// Coins are the chains it signs for, each with its caps.
	Coins []*utxo.Coin
	Caps  map[chains.ID]SignerCaps
	// Accounts are the chains of accounts that it signs for.
	Accounts map[chains.ID]AccountRules
	// BaseChainID goes into the digest of every role message, ContractID is the
	// id of the network's custom_json ("ssc-<chain_id>").
	BaseChainID [32]byte
	ContractID  string
	// Sequencer is the key whose signed headers say what the final state is: the
	// genesis document's. It is pinned in the journal when that is made.
	Sequencer graphene.PublicKey
	// Final is the signer's own eye on the chains; without it no payout is ever
	// called dead.
	Final FinalTransaction
	// Counter is the greatest journal counter that the gateway has recorded.
	Counter uint64
}

// LocalSigner signs in this process. Safe for concurrent use; one process at a
// time can hold its journal.
type LocalSigner struct {
	redacted
	cfg     SignerConfig
	coins   map[chains.ID]*utxo.Coin
	journal *journal

	mu sync.Mutex // one request at a time: check, sign and record are one act
}

var _ Signer = (*LocalSigner)(nil)

// OpenSigner opens the journal, or makes an empty one. It fails with
// ErrForeignJournal when the journal is of another seed or network, and with
// ErrRollback when it is older than the counter of the configuration.
func OpenSigner(cfg SignerConfig) (*LocalSigner, error) {
	s := &LocalSigner{cfg: cfg, coins: make(map[chains.ID]*utxo.Coin)}
	for _, coin := range cfg.Coins {
		if cfg.Wallet == nil || coin.Network() != cfg.Wallet.Network() {
			return nil, fmt.Errorf("signer: no wallet for %s %s", coin.ID(), coin.Network())
		}
		s.coins[coin.ID()] = coin
	}
	identity, err := cfg.identity()
	if err != nil {
		return nil, err
	}
	if cfg.Sequencer == (graphene.PublicKey{}) {
		return nil, errors.New("signer: no sequencer's key to trust")
	}
	if s.journal, err = openJournal(cfg.Journal, identity, cfg.Sequencer.String()); err != nil {
		return nil, err
	}
	if err := s.checkCounter(cfg.Counter); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// identity names the seed and the network that a journal belongs to.
func (c *SignerConfig) identity() (string, error) {
	network, seed := chains.Network("-"), "-"
	if c.Wallet != nil {
		p, err := c.Wallet.MasterKey(chains.BTC, 0)
		if err != nil {
			return "", err
		}
		sum := sha256.Sum256(p[:])
		network, seed = c.Wallet.Network(), hex.EncodeToString(sum[:8])
	}
	return fmt.Sprintf("network %s, base chain %x, seed %s", network, c.BaseChainID, seed), nil
}

// Close closes the journal.
func (s *LocalSigner) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.journal.close(); err != nil {
		return fmt.Errorf("signer journal: %w", err)
	}
	return nil
}

// Counter is how many durable changes the journal has seen.
func (s *LocalSigner) Counter() (uint64, error) { return s.journal.counter() }

// SignerStatus says how far a signer's journal goes.
type SignerStatus struct {
	Counter uint64 `json:"counter"`      // durable changes
	Header  uint64 `json:"header"`       // newest base block header signed, 0: none
	Seen    uint64 `json:"proven_block"` // newest base block that it knows of, signed or in a proof
}

// Status reads the journal's numbers.
func (s *LocalSigner) Status() (st SignerStatus, err error) {
	if st.Counter, err = s.journal.counter(); err != nil {
		return st, err
	}
	last, err := s.journal.header()
	if err != nil {
		return st, err
	}
	if last != nil {
		st.Header = last.Number
	}
	st.Seen, err = s.journal.seen()
	return st, err
}

// Snapshot writes a copy of signer.db as of one moment: a whole, openable file.
// It holds signed transactions and no key.
func (s *LocalSigner) Snapshot(w io.Writer) error {
	return s.journal.view(func(tx *bbolt.Tx) error {
		_, err := tx.WriteTo(w)
		return err
	})
}

// checkCounter refuses to work on a journal older than what the caller saw.
func (s *LocalSigner) checkCounter(seen uint64) error {
	n, err := s.journal.counter()
	if err != nil {
		return err
	}
	if n < seen {
		return refuse(ErrRollback, "it counts %d, the gateway has seen %d", n, seen)
	}
	return nil
}

// Sign implements Signer.
func (s *LocalSigner) Sign(ctx context.Context, r SignRequest) (Signed, error) {
	final := s.askDeaths(ctx, &r) // nodes are asked before the signer is held
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return Signed{}, err
	}
	if err := s.checkCounter(r.Counter); err != nil {
		return Signed{}, err
	}
	known, err := s.journal.intent(r.Assign.Batch)
	if err != nil {
		return Signed{}, err
	}
	digest := sha256.Sum256(r.Unsigned)
	unsigned := hex.EncodeToString(digest[:])
	if known != nil && known.Chain == r.Assign.Chain {
		for i, v := range known.Variants {
			if v.Unsigned == unsigned {
				return Signed{Raw: v.Raw, TxID: v.TxID, Fee: v.Fee, Variant: i + 1, Counter: v.Counter}, nil
			}
		}
	}
	shown, err := s.prove(&r)
	if err != nil {
		return Signed{}, err
	}
	c, err := s.check(&r)
	if err != nil {
		return Signed{}, err
	}
	held, err := s.checkPromises(&c.want, known)
	if err != nil {
		return Signed{}, err
	}
	if err := s.mayTake(ctx, &r, held, final); err != nil {
		return Signed{}, err
	}
	for _, h := range held {
		c.want.Took = append(c.want.Took, h.spend)
	}
	if err := s.journal.restOn(s.coins[r.Assign.Chain], r.Inputs); err != nil {
		return Signed{}, err
	}
	return s.signAndRecord(c, known, unsigned, shown.block)
}

func (s *LocalSigner) signAndRecord(c *checked, known *intent, unsigned string, block uint64) (Signed, error) {
	signed, err := c.sign()
	if err != nil {
		return Signed{}, fmt.Errorf("sign batch %s: %w", c.want.Batch, err)
	}
	counter, err := s.journal.record(&c.want, variant{
		Unsigned: unsigned, TxID: signed.TxID, Fee: signed.Fee, Raw: signed.Raw,
	}, block)
	if err != nil {
		return Signed{}, err
	}
	n := 1
	if known != nil {
		n += len(known.Variants)
	}
	return Signed{Raw: signed.Raw, TxID: signed.TxID, Fee: signed.Fee, Variant: n, Counter: counter}, nil
}

// Limits are the caps on each chain: nothing beyond them is ever signed.
func (s *LocalSigner) Limits() (map[chains.ID]SignerCaps, error) { return maps.Clone(s.cfg.Caps), nil }

// Variants are all transactions ever signed for a batch, oldest first: what a
// gateway restored from a backup may have forgotten.
func (s *LocalSigner) Variants(batch string) ([]Signed, error) {
	known, err := s.journal.intent(batch)
	if known == nil || err != nil {
		return nil, err
	}
	out := make([]Signed, len(known.Variants))
	for i, v := range known.Variants {
		out[i] = Signed{Raw: v.Raw, TxID: v.TxID, Fee: v.Fee, Variant: i + 1, Counter: v.Counter}
	}
	return out, nil
}

// checkPromises holds a checked intent against everything promised before. held
// are its outpoints that were promised to others: they must be dead.
func (s *LocalSigner) checkPromises(want, known *intent) (held []claim, err error) {
	var earlier []variant
	if known != nil {
		earlier = known.Variants
		switch {
		case known.Chain != want.Chain || known.Kind != want.Kind:
			return nil, refuse(ErrPromised, "batch %s was a %s on %s", want.Batch, known.Kind, known.Chain)
		case !slices.Equal(known.Spends, want.Spends):
			return nil, refuse(ErrWrongInputs, "batch %s was signed with other inputs before", want.Batch)
		case known.Payments != want.Payments || !slices.Equal(known.IDs, want.IDs):
			return nil, refuse(ErrWrongOutputs, "batch %s was signed with other payees before", want.Batch)
		case len(earlier) >= maxVariants:
			return nil, refuse(ErrOverCap, "batch %s has %d variants", want.Batch, len(earlier))
		}
	}
	c, err := s.journal.claimsOn(want, earlier)
	switch {
	case err != nil:
		return nil, err
	case c.payee != nil:
		return nil, refuse(ErrPromised, "withdrawal %s is paid by batch %s", c.payee.spend, c.payee.batch)
	case c.frozen != "":
		return nil, refuse(ErrFrozen, "%s is promised to a child of batch %s", c.frozen, want.Batch)
	}
	return c.held, nil
}

// roleKey finds the key of a role; for attestors the account decides.
func (s *LocalSigner) roleKey(role Role, account string) (graphene.PrivateKey, error) {
	for _, r := range s.cfg.Roles {
		if r.Role == role && (role == RoleSequencer || r.Account == account) {
			return r.private, nil
		}
	}
	return graphene.PrivateKey{}, fmt.Errorf("%w: role %s, account %q", ErrNoKey, role, account)
}
