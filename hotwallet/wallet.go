package hotwallet

import (
	"fmt"
	"strings"
	"sync"

	"causeway/chains"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil/v2/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/tyler-smith/go-bip39"
)

// mnemonicBits is the entropy of a new seed: 24 words.
const mnemonicBits = 256

// NewMnemonic makes a BIP39 phrase of 24 English words from fresh entropy.
func NewMnemonic() (Secret, error) {
	entropy, err := bip39.NewEntropy(mnemonicBits)
	if err != nil {
		return Secret{}, fmt.Errorf("new seed: %w", err)
	}
	phrase, err := bip39.NewMnemonic(entropy)
	if err != nil {
		return Secret{}, fmt.Errorf("new seed: %w", err)
	}
	return NewSecret(phrase), nil
}

// ImportMnemonic takes a BIP39 phrase of 12, 15, 18, 21 or 24 English words
// from outside: white space and case are normalised, and the checksum must
// hold (ErrMnemonic). The error never contains a word of the phrase.
func ImportMnemonic(text string) (Secret, error) {
	phrase := strings.ToLower(strings.Join(strings.Fields(text), " "))
	if !bip39.IsMnemonicValid(phrase) {
		return Secret{}, fmt.Errorf("%w: %d words", ErrMnemonic, len(strings.Fields(phrase)))
	}
	return NewSecret(phrase), nil
}

// Wallet derives the keys of one seed on one network (BIP32 paths in
// coinSpec). Private keys stay inside the package. Safe for concurrent use.
type Wallet struct {
	redacted
	network chains.Network
	master  *hdkeychain.ExtendedKey

	mu       sync.Mutex
	branches map[branchID]*secretBranch
}

type branchID struct {
	chain chains.ID
	epoch uint32
}

// secretBranch is a Branch with its private keys.
type secretBranch struct {
	public  *Branch
	private *btcec.ModNScalar // of P
	change  *btcec.PrivateKey // m/…/1/0: change and hot
	sweeper *btcec.PrivateKey // m/…/1/1: ETH only
}

// NewWallet opens the wallet of a mnemonic, with the empty BIP39 passphrase.
func NewWallet(mnemonic Secret, network chains.Network) (*Wallet, error) {
	if err := checkNetwork(network); err != nil {
		return nil, err
	}
	phrase, err := ImportMnemonic(mnemonic.Reveal())
	if err != nil {
		return nil, err
	}
	// The network of hdkeychain only sets the prefix of xprv texts, which we
	// never make.
	master, err := hdkeychain.NewMaster(bip39.NewSeed(phrase.Reveal(), ""), &chaincfg.MainNetParams)
	if err != nil {
		return nil, fmt.Errorf("master key: %w", err)
	}
	return &Wallet{network: network, master: master, branches: make(map[branchID]*secretBranch)}, nil
}

// Network is the network that the wallet's scripts and addresses belong to.
func (w *Wallet) Network() chains.Network { return w.network }

// MasterKey is P(chain, epoch): the key that is published with the asset.
func (w *Wallet) MasterKey(chain chains.ID, epoch uint32) ([33]byte, error) {
	b, err := w.branch(chain, epoch)
	if err != nil {
		return [33]byte{}, err
	}
	return b.public.p, nil
}

// Branch is the public side of a chain and epoch.
func (w *Wallet) Branch(chain chains.ID, epoch uint32) (*Branch, error) {
	b, err := w.branch(chain, epoch)
	if err != nil {
		return nil, err
	}
	return b.public, nil
}

// ChangeScript is the one script that change goes to and hot coins lie on (ETH:
// the 20 bytes of the hot address).
func (w *Wallet) ChangeScript(chain chains.ID, epoch uint32) ([]byte, error) {
	b, err := w.branch(chain, epoch)
	if err != nil {
		return nil, err
	}
	return b.public.spec.script(publicOf(b.change))
}

// ChangeAddress is the address of ChangeScript.
func (w *Wallet) ChangeAddress(chain chains.ID, epoch uint32) (string, error) {
	script, err := w.ChangeScript(chain, epoch)
	if err != nil {
		return "", err
	}
	return encodeAddress(chain, w.network, script)
}

// SweeperAddress is the ETH address that pays for sweeps, apart from the hot
// address so that a stuck sweep never blocks a withdrawal.
func (w *Wallet) SweeperAddress(epoch uint32) (string, error) {
	b, err := w.branch(chains.ETH, epoch)
	if err != nil {
		return "", err
	}
	script, err := b.public.spec.script(publicOf(b.sweeper))
	if err != nil {
		return "", err
	}
	return encodeAddress(chains.ETH, w.network, script)
}

// keyFor is the private key of a watched script that is ours to spend, and the
// script itself, derived here and taken from nobody.
func (w *Wallet) keyFor(chain chains.ID, watch chains.Watch) (*btcec.PrivateKey, []byte, error) {
	b, err := w.branch(chain, watch.Epoch)
	if err != nil {
		return nil, nil, err
	}
	var key *btcec.PrivateKey
	switch watch.Kind {
	case chains.WatchDeposit:
		key, err = b.depositKey(watch.Account)
	case chains.WatchChange, chains.WatchHot:
		key = b.change
	case chains.WatchSweeper:
		if key = b.sweeper; key == nil {
			err = fmt.Errorf("%w: %s has no sweeper", ErrNotOurs, chain)
		}
	default:
		err = fmt.Errorf("%w: no key for scripts of kind %q", ErrNotOurs, watch.Kind)
	}
	if err != nil {
		return nil, nil, err
	}
	script, err := b.public.spec.script(publicOf(key))
	if err != nil {
		return nil, nil, err
	}
	return key, script, nil
}

// depositKey is p + t, the private key of Branch.Key.
func (b *secretBranch) depositKey(account string) (*btcec.PrivateKey, error) {
	t, err := b.public.tweak(account)
	if err != nil {
		return nil, err
	}
	sum := new(btcec.ModNScalar).Add2(b.private, t)
	if sum.IsZero() {
		return nil, fmt.Errorf("deposit key of %q: %w", account, errTweak)
	}
	return btcec.PrivKeyFromScalar(sum), nil
}

// branch derives, or remembers, the keys of a chain and epoch.
func (w *Wallet) branch(chain chains.ID, epoch uint32) (*secretBranch, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	id := branchID{chain, epoch}
	if b := w.branches[id]; b != nil {
		return b, nil
	}
	b, err := w.deriveBranch(id)
	if err != nil {
		return nil, fmt.Errorf("keys of %s epoch %d: %w", chain, epoch, err)
	}
	w.branches[id] = b
	return b, nil
}

func (w *Wallet) deriveBranch(id branchID) (*secretBranch, error) {
	spec, err := specOf(id.chain)
	if err != nil {
		return nil, err
	}
	const hard = hdkeychain.HardenedKeyStart
	if id.epoch >= hard {
		return nil, fmt.Errorf("epoch %d out of range", id.epoch)
	}
	account, err := descend(w.master, hard+spec.purpose, hard+spec.coin, hard+id.epoch)
	if err != nil {
		return nil, err
	}
	p, err := account.ECPrivKey()
	if err != nil {
		return nil, err
	}
	b := &secretBranch{private: &p.Key}
	if b.public, err = NewBranch(publicOf(p), w.network, id.chain, id.epoch); err != nil {
		return nil, err
	}
	if b.change, err = leafKey(account, 1, 0); err != nil {
		return nil, err
	}
	if id.chain == chains.ETH {
		b.sweeper, err = leafKey(account, 1, 1)
	}
	return b, err
}

func descend(key *hdkeychain.ExtendedKey, path ...uint32) (*hdkeychain.ExtendedKey, error) {
	for _, step := range path {
		next, err := key.Derive(step)
		if err != nil {
			return nil, err
		}
		key = next
	}
	return key, nil
}

func leafKey(key *hdkeychain.ExtendedKey, path ...uint32) (*btcec.PrivateKey, error) {
	leaf, err := descend(key, path...)
	if err != nil {
		return nil, err
	}
	return leaf.ECPrivKey()
}

func publicOf(key *btcec.PrivateKey) [33]byte {
	return [33]byte(key.PubKey().SerializeCompressed())
}
