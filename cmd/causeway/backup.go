package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"
	"go.etcd.io/bbolt"

	"causeway/gateway"
	"causeway/hotwallet"
	"causeway/internal/boltfile"
	"causeway/sidechain"
	"causeway/sidechain/base/solo"
)

func newBackupCommand() *cobra.Command {
	var dir string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "backup FILE", Short: "Write an encrypted backup of a home", Args: oneArg("FILE"),
		Long: "backup copies configuration, genesis, keys and the stores that cannot be derived\n" +
			"again (gateway.db, signer.db, base.db, in this order, so that the base layer holds\n" +
			"everything that the gateway acted on) into one file, encrypted by the passphrase,\n" +
			"and reads it back before it gives it its name. A running home goes on meanwhile.",
		RunE: func(cmd *cobra.Command, args []string) error {
			h, err := openHome(dir)
			if err != nil {
				return err
			}
			secret, err := passphrase(false)
			if err != nil {
				return err
			}
			m, err := makeBackup(cmd.Context(), h, args[0], secret, hotwallet.DefaultWorkFactor)
			if err != nil {
				return exitCode(err)
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(m)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", args[0], m.Stores)
			return nil
		},
	}
	cmd.Flags().StringVar(&dir, "home", "", "home of the node")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	return cmd
}

// oneArg is cobra.ExactArgs(1) with our exit code.
func oneArg(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usageErr("%s: name one %s", cmd.CommandPath(), name)
		}
		return nil
	}
}

// makeBackup writes a backup of a home, running or stopped, and verifies it.
func makeBackup(ctx context.Context, h home, path string, secret hotwallet.Secret, workFactor int) (m backupManifest, err error) {
	if _, err := os.Lstat(path); err == nil {
		return m, refusedErr("%s is there already", path)
	}
	g, document, err := h.genesis()
	if err != nil {
		return m, err
	}
	dir, err := os.MkdirTemp("", "causeway-backup-")
	if err != nil {
		return m, err
	}
	defer os.RemoveAll(dir)
	copies := home{dir}
	names, err := gather(ctx, h, copies)
	if err != nil {
		return m, err
	}
	baseID := sidechain.BaseChainID(document)
	m = backupManifest{
		Format: backupFormat, Version: version, Created: time.Now().UTC().Format(time.RFC3339), ChainID: g.ChainID,
		BaseChainID: hex.EncodeToString(baseID[:]),
	}
	if m.Stores, err = checkStores(copies, baseID); err != nil {
		return m, err
	}
	if m.Files, err = sumFiles(copies, names); err != nil {
		return m, err
	}
	file, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o600))
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, file.Cleanup()) }()
	if err := errors.Join(writeBackup(file, m, copies, secret, workFactor), file.Sync()); err != nil {
		return m, err
	}
	if err := verifyBackup(file.Name(), baseID, secret); err != nil {
		return m, fmt.Errorf("what was written cannot be read back: %w", err)
	}
	if err := file.CloseAtomicallyReplace(); err != nil {
		return m, err
	}
	return m, boltfile.SyncDirectory(filepath.Dir(path))
}

// gather copies the files of a home: the gateway's store first and the base
// layer's last.
func gather(ctx context.Context, h, into home) (names []string, err error) {
	for _, name := range append([]string{genesisFile, configFile, keysFile}, backupMay...) {
		if name == adminFile && !h.has(name) {
			continue
		}
		text, err := os.ReadFile(h.path(name))
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(into.path(name), text, 0o600); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	r, live, err := readRunning(h.dir)
	if err != nil {
		return nil, err
	}
	fetch := func(name string) error { return fetchCopy(ctx, r, name, into) }
	if !live {
		lock, err := gateway.LockHome(h.dir)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, lock.Unlock()) }()
		fetch = func(name string) error { return copyStopped(h, into, name) }
	}
	for _, name := range []string{gatewayFile, signerFile, baseFile} {
		if err := fetch(name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}

// copyStopped copies a store that nobody writes.
func copyStopped(h, into home, name string) (err error) {
	out, err := os.OpenFile(into.path(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if name == gatewayFile {
		in, err := os.Open(h.path(name))
		if err != nil {
			return err
		}
		defer in.Close()
		_, err = io.Copy(out, in)
		return err
	}
	db, err := boltfile.Open(h.path(name), boltfile.Options{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return boltfile.Guard(func() error {
		return db.View(func(tx *bbolt.Tx) error {
			_, err := tx.WriteTo(out)
			return err
		})
	})
}

// verifyBackup reads a backup from its file and opens its stores.
func verifyBackup(path string, baseID [32]byte, secret hotwallet.Secret) error {
	dir, err := os.MkdirTemp("", "causeway-backup-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	m, err := readBackup(file, home{dir}, secret)
	if err != nil {
		return err
	}
	found, err := checkStores(home{dir}, baseID)
	if err == nil && found != m.Stores {
		err = fmt.Errorf("%w: its stores are %s, not %s", errBackup, found, m.Stores)
	}
	return err
}

// storeSummary is how far the stores of a home go.
type storeSummary struct {
	Records       uint64 `json:"records"`         // of gateway.db
	State         string `json:"state"`           // their hash
	Acted         uint64 `json:"acted_on"`        // newest base block that gateway.db acted on
	SignerCounter uint64 `json:"signer_counter"`  // of signer.db
	SignedHeader  uint64 `json:"signed_header"`   // newest header that signer.db signed
	BaseBlock     uint64 `json:"base_block"`      // newest block of base.db
	BaseID        string `json:"base_block_id"`   // its id
	BaseTime      string `json:"base_block_time"` // its time
}

func (s storeSummary) String() string {
	return fmt.Sprintf("base block %d of %s, %d ledger records up to base block %d", s.BaseBlock, s.BaseTime, s.Records, s.Acted)
}

// checkStores opens the copies of a home's stores and holds them against each
// other: the base layer must contain what the gateway acted on and the signer
// signed, and the signer must have counted what the gateway saw.
func checkStores(h home, baseID [32]byte) (s storeSummary, err error) {
	store, err := solo.OpenStore(h.path(baseFile), baseID, solo.StoreOptions{ReadOnly: true})
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	s.BaseBlock, s.BaseID, s.BaseTime = store.Head()
	log, err := gateway.InspectLog(h.path(gatewayFile), hex.EncodeToString(baseID[:]))
	if err != nil {
		return s, err
	}
	s.Records, s.State, s.Acted = log.Records, log.Hash, log.Base.Number
	if log.Base.Number != 0 {
		block, ok, err := store.Block(log.Base.Number)
		if err != nil {
			return s, err
		}
		if !ok || block.ID != log.Base.ID {
			return s, fmt.Errorf("%w: block %d %s is not in it", gateway.ErrOlderBase, log.Base.Number, log.Base.ID)
		}
	}
	journal, err := hotwallet.InspectJournal(h.path(signerFile))
	if err != nil {
		return s, err
	}
	s.SignerCounter, s.SignedHeader = journal.Counter, journal.Header
	if journal.Counter < log.SignerCounter {
		return s, fmt.Errorf("%w: signer.db counts %d, gateway.db has seen %d", hotwallet.ErrRollback, journal.Counter, log.SignerCounter)
	}
	if journal.Header > s.BaseBlock+1 {
		return s, fmt.Errorf("%w: signer.db signed block %d, base.db ends at %d", gateway.ErrOlderBase, journal.Header, s.BaseBlock)
	}
	return s, nil
}
