package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"causeway/gateway"
	"causeway/hotwallet"
	"causeway/internal/boltfile"
	"causeway/sidechain"
	"causeway/sidechain/base/solo"
)

// restoreOptions are the flags of restore.
type restoreOptions struct {
	home, reason string
	fromChains   bool
	adoptSigner  bool
	json         bool
	wait         time.Duration
	progress     io.Writer
}

func newRestoreCommand() *cobra.Command {
	var o restoreOptions
	cmd := &cobra.Command{
		Use: "restore [FILE]", Short: "Make a home from a backup, or its lost stores from what is left",
		Long: "restore FILE --home DIR makes a home from a backup. What was paid after the backup\n" +
			"is known to the network alone: payouts of every chain stand still until about a day\n" +
			"of blocks after the chain was read to its end, and then until resume.\n\n" +
			"restore --from-chains --home DIR makes gateway.db and sidechain.db anew from seed,\n" +
			"base.db and the outside chains, and says what was found. The old files are kept in\n" +
			"a directory beside them. Nothing is paid meanwhile; run goes on from there. It says\n" +
			"how far it is and which nodes it waits for, and ends with exit 1 when nothing moves\n" +
			"for as long as --wait; what was read is kept, and run reads on.\n\n" +
			"--adopt-signer lets a signer.db that is lost, or older than base.db, sign on from\n" +
			"the head of base.db. Only do it when no other process signs with these keys.",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 || (len(args) == 1) == (o.fromChains || o.adoptSigner) {
				return usageErr("restore: a FILE, or --from-chains, or --adopt-signer")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.progress = cmd.ErrOrStderr()
			made, err := o.run(cmd.Context(), args)
			if err != nil {
				return exitCode(err)
			}
			if o.json {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(made)
			}
			made.print(cmd.OutOrStdout())
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.home, "home", "", "directory of the home")
	flags.StringVar(&o.reason, "reason", "", "why, in one line, for the record (--adopt-signer)")
	flags.BoolVar(&o.fromChains, "from-chains", false, "make gateway.db and sidechain.db anew")
	flags.BoolVar(&o.adoptSigner, "adopt-signer", false, "let signer.db sign on from the head of base.db")
	flags.DurationVar(&o.wait, "wait", 10*time.Minute, "how long to wait for nodes while nothing moves; 0: for ever (--from-chains)")
	flags.BoolVar(&o.json, "json", false, "one JSON object")
	return cmd
}

// restored is what restore --json prints.
type restored struct {
	Home    string            `json:"home"`
	Stores  *storeSummary     `json:"stores,omitempty"`
	Created string            `json:"created,omitempty"` // when the backup was made
	Halted  int               `json:"halted"`            // chains whose payouts stand still
	Adopted uint64            `json:"adopted,omitempty"` // base block from which the signer signs on
	Aside   string            `json:"aside,omitempty"`   // where the old files are
	Chains  []gateway.Rebuilt `json:"chains,omitempty"`
	Audit   *gateway.Audit    `json:"audit,omitempty"`
}

func (r restored) print(out io.Writer) {
	fmt.Fprintf(out, "home %s\n", r.Home)
	if r.Stores != nil {
		fmt.Fprintf(out, "backup of %s: %s\npayouts of %d chains stand still until causeway resume\n", r.Created, *r.Stores, r.Halted)
	}
	if r.Adopted != 0 {
		fmt.Fprintf(out, "the signer signs on from base block %d\n", r.Adopted)
	}
	if r.Aside != "" {
		fmt.Fprintf(out, "old stores are in %s\n", r.Aside)
	}
	for _, c := range r.Chains {
		fmt.Fprintf(out, "%-5s height %d  %d outputs, %s  deposits %d credited, %d waiting  burns %d paid, %d assigned, %d unpaid\n",
			c.Chain, c.Height, c.Outputs, c.Amount, c.Credited, c.Waiting, c.Paid, c.Assigned, c.Unpaid)
	}
	if r.Audit != nil {
		fmt.Fprintf(out, "audit %s\n", okText(r.Audit.OK))
	}
}

func (o *restoreOptions) run(ctx context.Context, args []string) (restored, error) {
	if o.home == "" {
		return restored{}, usageErr("restore: --home is required")
	}
	if o.adoptSigner && o.reason == "" {
		return restored{}, usageErr("restore --adopt-signer: --reason is required")
	}
	secret, err := passphrase(false)
	if err != nil {
		return restored{}, err
	}
	if len(args) == 1 {
		return restoreBackup(ctx, args[0], o.home, secret)
	}
	return o.repair(ctx, secret)
}

// restoreBackup makes a home from a backup. The home appears as a whole, marked
// as restored, or not at all.
func restoreBackup(ctx context.Context, path, dir string, secret hotwallet.Secret) (made restored, err error) {
	empty, err := home{dir}.empty()
	if err != nil {
		return made, err
	}
	if !empty {
		return made, refusedErr("%s is not empty", dir)
	}
	file, err := os.Open(path)
	if err != nil {
		return made, err
	}
	defer file.Close()
	parent := filepath.Dir(filepath.Clean(dir))
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return made, err
	}
	temporary, err := os.MkdirTemp(parent, ".causeway-restore-")
	if err != nil {
		return made, err
	}
	defer os.RemoveAll(temporary)
	h := home{temporary}
	m, err := readBackup(file, h, secret)
	if err != nil {
		return made, fmt.Errorf("%s: %w", path, err)
	}
	made = restored{Home: dir, Created: m.Created, Stores: &m.Stores}
	if made.Halted, made.Adopted, err = h.markRestored(ctx, m, secret); err != nil {
		return made, err
	}
	if err := boltfile.SyncDirectory(temporary); err != nil {
		return made, err
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return made, err
	}
	return made, errors.Join(os.Rename(temporary, dir), boltfile.SyncDirectory(parent))
}

// markRestored checks the stores of a home that comes from a backup, halts its
// payouts and brings its signer to the head of base.db.
func (h home) markRestored(ctx context.Context, m backupManifest, secret hotwallet.Secret) (halted int, adopted uint64, err error) {
	o, err := h.repairOptions(secret)
	if err != nil {
		return 0, 0, err
	}
	baseID := sidechain.BaseChainID(o.document)
	found, err := checkStores(h, baseID)
	if err != nil {
		return 0, 0, err
	}
	if found != m.Stores {
		return 0, 0, fmt.Errorf("%w: its stores are %s, not %s", errBackup, found, m.Stores)
	}
	reason := fmt.Sprintf("restored from a backup of %s, base block %d", m.Created, m.Stores.BaseBlock)
	if halted, err = gateway.MarkRestored(ctx, h.path(gatewayFile), hex.EncodeToString(baseID[:]), reason, "restore"); err != nil {
		return 0, 0, err
	}
	if found.SignedHeader < found.BaseBlock {
		adopted, err = o.adopt(0)
	}
	return halted, adopted, err
}

// repairOptions opens what a command needs that works on the stores themselves.
func (h home) repairOptions(secret hotwallet.Secret) (o nodeOptions, err error) {
	o = nodeOptions{home: h, log: newLogger(os.Stderr, slog.LevelWarn)}
	if o.genesis, o.document, err = h.genesis(); err != nil {
		return o, err
	}
	if o.config, err = h.config(o.genesis); err != nil {
		return o, err
	}
	o.keys, err = hotwallet.Open(h.path(keysFile), secret)
	return o, err
}

// adopt lets the signer of a home sign on from the head of base.db, counting from
// what the gateway has seen. It does nothing for a home that only follows.
func (o nodeOptions) adopt(counter uint64) (block uint64, err error) {
	if o.config.Base.Role != "sequencer" {
		return 0, nil
	}
	baseID := sidechain.BaseChainID(o.document)
	store, err := solo.OpenStore(o.home.path(baseFile), baseID, solo.StoreOptions{ReadOnly: true})
	if err != nil {
		return 0, err
	}
	head, err := store.HeadHeader()
	if err := errors.Join(err, store.Close()); err != nil {
		return 0, err
	}
	config, err := signerConfig(o.home, o.genesis, baseID, o.config, o.keys, o.log)
	if err != nil {
		return 0, err
	}
	signer, err := hotwallet.OpenSigner(config)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, signer.Close()) }()
	if err := signer.AdoptCounter(counter); err != nil {
		return 0, err
	}
	status, err := signer.Status()
	if err != nil || head == nil || status.Header == head.Number() {
		return 0, err
	}
	return head.Number(), signer.AdoptHeader(head)
}
