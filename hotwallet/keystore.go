package hotwallet

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"causeway/chains"
	"causeway/sidechain/graphene"

	"filippo.io/age"
	"filippo.io/age/armor"
	"github.com/google/renameio/v2"
)

// keystoreFormat is the version of the document inside the encrypted file.
const keystoreFormat = "causeway-keystore/1"

const (
	// DefaultWorkFactor is the scrypt work factor (log2 of N) of a new file: a
	// second or so for every guess of the passphrase.
	DefaultWorkFactor = 18
	maxWorkFactor     = 22
	maxKeystoreSize   = 1 << 20
)

// Role is what a key on the base layer is used for.
type Role string

// The roles. Each has keys of its own.
const (
	RoleSequencer Role = "sequencer" // signs base block headers
	RoleAttestor  Role = "attestor"  // signs pegs actions and state votes
	RoleAdmin     Role = "admin"     // parameters; kept in a file of its own, offline
)

// RoleKey is a key of the base layer: the active key of an account, or the
// sequencer's block key (Account then names the producer, or is empty).
type RoleKey struct {
	Role    Role
	Account string
	Public  graphene.PublicKey
	private graphene.PrivateKey
}

// NewRoleKey is the role key for a private key in Wallet Import Format.
func NewRoleKey(role Role, account string, wif Secret) (RoleKey, error) {
	switch role {
	case RoleSequencer, RoleAttestor, RoleAdmin:
	default:
		return RoleKey{}, fmt.Errorf("unknown role %q", role)
	}
	private, err := graphene.ParseWIF(wif.Reveal())
	if err != nil {
		// Not wrapped: the text of a parse error may hold the key.
		return RoleKey{}, fmt.Errorf("key of role %s: not a private key in WIF", role)
	}
	return RoleKey{Role: role, Account: account, Public: private.Public(), private: private}, nil
}

// GenerateRoleKey makes a random key for a role.
func GenerateRoleKey(role Role, account string) (RoleKey, error) {
	for {
		var secret [32]byte
		if _, err := rand.Read(secret[:]); err != nil {
			return RoleKey{}, fmt.Errorf("key of role %s: %w", role, err)
		}
		private, err := graphene.NewPrivateKey(secret)
		if err != nil {
			continue // one in 2^127 is out of range
		}
		return NewRoleKey(role, account, NewSecret(private.WIF()))
	}
}

// WIF is the private key itself, for an owner who takes it elsewhere (the
// admin's, into cold storage). Coin keys have no such door.
func (r RoleKey) WIF() Secret { return NewSecret(r.private.WIF()) }

// Content is what a keystore file holds. Either part may be absent: the
// admin's file has no seed, a spare of the seed no roles.
type Content struct {
	Mnemonic Secret
	Roles    []RoleKey
}

// keystoreDoc is the JSON inside the encryption.
type keystoreDoc struct {
	Format   string        `json:"format"`
	Mnemonic string        `json:"mnemonic,omitempty"`
	Roles    []keystoreKey `json:"roles"`
}

type keystoreKey struct {
	Role    Role   `json:"role"`
	Account string `json:"account,omitempty"`
	WIF     string `json:"wif"`
}

// Keystore is an opened keystore file. Its secrets are in memory from Open
// until the process ends.
type Keystore struct {
	redacted
	path    string
	content Content
}

// Create writes a new keystore file, readable by its owner only, encrypted by
// the passphrase with scrypt of the given work factor (0: DefaultWorkFactor).
// An existing file is never touched: ErrExists.
func Create(path string, passphrase Secret, content Content, workFactor int) (*Keystore, error) {
	if _, err := os.Lstat(path); err == nil {
		return nil, fmt.Errorf("%w: %s", ErrExists, path)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	k := &Keystore{path: path, content: content}
	if err := k.write(passphrase, workFactor); err != nil {
		return nil, err
	}
	return k, nil
}

// Open decrypts a keystore file. Errors: ErrPassphrase, ErrDamaged, or that of
// the file system (fs.ErrNotExist).
func Open(path string, passphrase Secret) (*Keystore, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, maxKeystoreSize+1))
	if err != nil {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	if len(raw) > maxKeystoreSize {
		return nil, fmt.Errorf("%w: %s is too large", ErrDamaged, path)
	}
	plain, err := decrypt(raw, passphrase)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, path)
	}
	content, err := decodeContent(plain)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &Keystore{path: path, content: content}, nil
}

// Rewrite encrypts the same content with another passphrase, in place and
// atomically.
func (k *Keystore) Rewrite(passphrase Secret, workFactor int) error {
	return k.write(passphrase, workFactor)
}

// Mnemonic is the seed phrase, for the one-time display to its owner.
func (k *Keystore) Mnemonic() Secret { return k.content.Mnemonic }

// Roles lists the role keys; only their public parts can be read.
func (k *Keystore) Roles() []RoleKey { return slices.Clone(k.content.Roles) }

// Wallet derives the coin keys of the keystore's seed.
func (k *Keystore) Wallet(network chains.Network) (*Wallet, error) {
	if k.content.Mnemonic.Empty() {
		return nil, fmt.Errorf("%w: no seed in %s", ErrNoKey, k.path)
	}
	return NewWallet(k.content.Mnemonic, network)
}

func (k *Keystore) write(passphrase Secret, workFactor int) error {
	plain, err := encodeContent(k.content)
	if err != nil {
		return err
	}
	sealed, err := encrypt(plain, passphrase, workFactor)
	if err != nil {
		return fmt.Errorf("keystore: %w", err)
	}
	if err := renameio.WriteFile(k.path, sealed, 0o600, renameio.WithStaticPermissions(0o600)); err != nil {
		return fmt.Errorf("keystore: %w", err)
	}
	return syncDir(filepath.Dir(k.path))
}

// syncDir makes a rename inside dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("keystore: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("keystore: %w", err)
	}
	return nil
}

func encodeContent(content Content) ([]byte, error) {
	doc := keystoreDoc{Format: keystoreFormat, Roles: []keystoreKey{}}
	if !content.Mnemonic.Empty() {
		phrase, err := ImportMnemonic(content.Mnemonic.Reveal())
		if err != nil {
			return nil, err
		}
		doc.Mnemonic = phrase.Reveal()
	}
	for _, r := range content.Roles {
		doc.Roles = append(doc.Roles, keystoreKey{Role: r.Role, Account: r.Account, WIF: r.private.WIF()})
	}
	if doc.Mnemonic == "" && len(doc.Roles) == 0 {
		return nil, errors.New("keystore: nothing to store")
	}
	return json.MarshalIndent(doc, "", "  ")
}

// decodeContent parses the document. Its errors never quote it.
func decodeContent(plain []byte) (Content, error) {
	var doc keystoreDoc
	dec := json.NewDecoder(bytes.NewReader(plain))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&doc); err != nil {
		return Content{}, fmt.Errorf("%w: not a keystore document", ErrDamaged)
	}
	if doc.Format != keystoreFormat {
		return Content{}, fmt.Errorf("%w: format is not %s", ErrDamaged, keystoreFormat)
	}
	var content Content
	if doc.Mnemonic != "" {
		phrase, err := ImportMnemonic(doc.Mnemonic)
		if err != nil {
			return Content{}, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		content.Mnemonic = phrase
	}
	for _, r := range doc.Roles {
		key, err := NewRoleKey(r.Role, r.Account, NewSecret(r.WIF))
		if err != nil {
			return Content{}, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		content.Roles = append(content.Roles, key)
	}
	return content, nil
}

func encrypt(plain []byte, passphrase Secret, workFactor int) ([]byte, error) {
	if workFactor == 0 {
		workFactor = DefaultWorkFactor
	}
	if workFactor < 1 || workFactor > maxWorkFactor {
		return nil, fmt.Errorf("scrypt work factor %d is not between 1 and %d", workFactor, maxWorkFactor)
	}
	recipient, err := age.NewScryptRecipient(passphrase.Reveal())
	if err != nil {
		return nil, err
	}
	recipient.SetWorkFactor(workFactor)
	var out bytes.Buffer
	text := armor.NewWriter(&out)
	sealed, err := age.Encrypt(text, recipient)
	if err != nil {
		return nil, err
	}
	if _, err := sealed.Write(plain); err != nil {
		return nil, err
	}
	if err := errors.Join(sealed.Close(), text.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func decrypt(raw []byte, passphrase Secret) ([]byte, error) {
	identity, err := age.NewScryptIdentity(passphrase.Reveal())
	if err != nil {
		return nil, fmt.Errorf("%w: it is empty", ErrPassphrase)
	}
	identity.SetMaxWorkFactor(maxWorkFactor)
	opened, err := age.Decrypt(armor.NewReader(bytes.NewReader(raw)), identity)
	if errors.Is(err, age.ErrIncorrectIdentity) {
		return nil, ErrPassphrase
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	plain, err := io.ReadAll(opened)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return plain, nil
}
