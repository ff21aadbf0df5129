package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/term"

	"causeway/hotwallet"
	"causeway/sidechain"
)

// The files of a home. One process at a time holds its lock.
const (
	configFile   = "config.toml"
	genesisFile  = "genesis.json"
	keysFile     = "keys.age"  // seed, sequencer and attestor keys
	adminFile    = "admin.age" // the admin's key: move it off this machine
	baseFile     = "base.db"
	stateFile    = "sidechain.db"
	gatewayFile  = "gateway.db"
	signerFile   = "signer.db"
	scannerFile  = "scanner.db"
	devFile      = "dev.json" // marks the home of a dev or demo network
	embeddedPath = "chains"   // state of embedded chains
)

// home is a directory that holds one network's node.
type home struct{ dir string }

func (h home) path(name string) string { return filepath.Join(h.dir, name) }

func (h home) has(name string) bool {
	_, err := os.Stat(h.path(name))
	return err == nil
}

// empty says whether the directory is absent or holds nothing.
func (h home) empty() (bool, error) {
	entries, err := os.ReadDir(h.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	return len(entries) == 0, err
}

// openHome is for commands that use the keys of a home made by init.
func openHome(dir string) (home, error) {
	h, err := findHome(dir)
	if err == nil && h.has(devFile) {
		err = refusedErr("%s belongs to a dev network: its keys are known to everybody", dir)
	}
	return h, err
}

// findHome is for commands that only look.
func findHome(dir string) (home, error) {
	h := home{dir}
	if dir == "" {
		return h, usageErr("--home is required")
	}
	if !h.has(genesisFile) || !h.has(configFile) {
		return h, fmt.Errorf("%s is not a home: run causeway init first", dir)
	}
	return h, nil
}

// genesis reads the home's genesis document and its bytes.
func (h home) genesis() (*sidechain.Genesis, []byte, error) {
	text, err := os.ReadFile(h.path(genesisFile))
	if err != nil {
		return nil, nil, err
	}
	g, err := sidechain.LoadGenesis(text)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", h.path(genesisFile), err)
	}
	return g, text, nil
}

// config reads the home's configuration and holds it against the genesis.
func (h home) config(g *sidechain.Genesis) (Config, error) {
	cfg, err := loadConfig(h.path(configFile), os.Environ())
	if err != nil {
		return Config{}, err
	}
	if cfg.Network != g.Network {
		return Config{}, refusedErr("config.toml says network %q, the genesis document %q", cfg.Network, g.Network)
	}
	return cfg, nil
}

// passphrase is CAUSEWAY_PASSPHRASE, the content of CAUSEWAY_PASSPHRASE_FILE,
// or what is typed at the terminal.
func passphrase(confirm bool) (hotwallet.Secret, error) {
	if text, ok := os.LookupEnv("CAUSEWAY_PASSPHRASE"); ok {
		return nonEmpty(text)
	}
	if path := os.Getenv("CAUSEWAY_PASSPHRASE_FILE"); path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return hotwallet.Secret{}, err
		}
		return nonEmpty(string(bytes.TrimRight(text, "\r\n")))
	}
	fd := int(os.Stdin.Fd())
	if !term.IsTerminal(fd) {
		return hotwallet.Secret{}, usageErr("a passphrase is needed: set CAUSEWAY_PASSPHRASE or CAUSEWAY_PASSPHRASE_FILE, or use a terminal")
	}
	first, err := prompt(fd, "Passphrase: ")
	if err != nil || !confirm {
		return first, err
	}
	second, err := prompt(fd, "Again: ")
	if err != nil {
		return second, err
	}
	if first.Reveal() != second.Reveal() {
		return hotwallet.Secret{}, errors.New("the passphrases differ")
	}
	return first, nil
}

func prompt(fd int, question string) (hotwallet.Secret, error) {
	fmt.Fprint(os.Stderr, question)
	text, err := term.ReadPassword(fd)
	fmt.Fprintln(os.Stderr)
	if err != nil {
		return hotwallet.Secret{}, err
	}
	return nonEmpty(string(text))
}

func nonEmpty(text string) (hotwallet.Secret, error) {
	if text == "" {
		return hotwallet.Secret{}, usageErr("the passphrase is empty")
	}
	return hotwallet.NewSecret(text), nil
}
