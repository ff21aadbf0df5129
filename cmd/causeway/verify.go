package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"causeway/sidechain"
	"causeway/sidechain/base/solo"
	"causeway/sidechain/state"
	"causeway/sidechain/verify"
)

func newVerifyCommand() *cobra.Command {
	var (
		o      verifyOptions
		asJSON bool
	)
	cmd := &cobra.Command{
		Use: "verify", Short: "Derive every block again from genesis and compare", Args: noArgs,
		Long: "verify executes the stored base blocks in an empty store and compares every block,\n" +
			"hash, state root and signature with what the node stored, or with another node\n" +
			"(--against). With --proof it checks a proof of /v1/proof against the state that it\n" +
			"derived. It exits 4 when something differs. A running node is asked for copies of\n" +
			"its stores.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			report, err := o.run(cmd.Context())
			if err != nil {
				if errors.Is(err, verify.ErrDiffers) || errors.Is(err, solo.ErrDiverged) || errors.Is(err, state.ErrProof) || errors.Is(err, solo.ErrInvalidBlock) {
					return &exitErr{exitInvariant, err}
				}
				return exitCode(err)
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(report)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "ok: %d base blocks, %d sidechain blocks, %d transactions; state root %s\n", report.BaseBlocks, report.Blocks, report.Transactions, report.StateRoot)
			if err != nil || o.proof == "" {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "the proof in %s holds\n", o.proof)
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.home, "home", "", "home of the node")
	flags.StringVar(&o.against, "against", "", "another node's public URL to compare with")
	flags.BoolVar(&o.noSignatures, "no-signatures", false, "do not check signatures again")
	flags.StringVar(&o.proof, "proof", "", "file with an answer of /v1/proof to check")
	flags.BoolVar(&asJSON, "json", false, "one JSON object")
	return cmd
}

type verifyOptions struct {
	home, against, proof string
	noSignatures         bool
}

func (o verifyOptions) run(ctx context.Context) (report verify.Report, err error) {
	h, err := findHome(o.home)
	if err != nil {
		return report, err
	}
	g, document, err := h.genesis()
	if err != nil {
		return report, err
	}
	cfg := verify.Config{
		Genesis: g, Document: document, Contracts: chainContracts(g),
		SkipSignatures: o.noSignatures, Log: newLogger(os.Stderr, slog.LevelWarn),
	}
	if cfg.Proof, err = readProof(o.proof); err != nil {
		return report, err
	}
	dir, err := os.MkdirTemp("", "causeway-verify-")
	if err != nil {
		return report, err
	}
	defer os.RemoveAll(dir)
	cfg.Path = home{dir}.path("derived.db")
	stores, err := o.stores(ctx, h, home{dir})
	if err != nil {
		return report, err
	}
	if cfg.Store, err = solo.OpenStore(stores.path(baseFile), sidechain.BaseChainID(document), solo.StoreOptions{ReadOnly: true}); err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, cfg.Store.Close()) }()
	source, closeSource, err := o.source(stores, g.ChainID)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, closeSource()) }()
	cfg.Source = source
	return verify.Run(ctx, cfg)
}

// stores is where the stores can be read: the home itself, or copies in temporary,
// the state's first so that base.db has every block of it.
func (o verifyOptions) stores(ctx context.Context, h, temporary home) (home, error) {
	r, live, err := readRunning(h.dir)
	if err != nil || !live {
		return h, err
	}
	for _, name := range []string{stateFile, baseFile} {
		if err := fetchCopy(ctx, r, name, temporary); err != nil {
			return h, err
		}
	}
	return temporary, nil
}

func readProof(path string) (*verify.Proof, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var p verify.Proof
	if err := json.Unmarshal(text, &p); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", state.ErrProof, path, err)
	}
	return &p, nil
}

// source is what is compared with: the node's own store, or another node.
func (o verifyOptions) source(stores home, chainID string) (verify.Source, func() error, error) {
	if o.against != "" {
		return remoteBlocks{&client{url: strings.TrimRight(o.against, "/"), chainID: chainID, http: &http.Client{Timeout: 30 * time.Second}}}, func() error { return nil }, nil
	}
	if !stores.has(stateFile) { // a restored home, before its first run
		return notStored{}, func() error { return nil }, nil
	}
	db, err := state.OpenReadOnly(stores.path(stateFile))
	if err != nil {
		return nil, nil, err
	}
	return storedBlocks{db}, db.Close, nil
}

// storedBlocks are the blocks of a sidechain.db. After a kill it may end before
// base.db does: what comes later was never stored.
type storedBlocks struct{ db *state.DB }

// Block implements verify.Source.
func (s storedBlocks) Block(_ context.Context, number uint64) ([]byte, bool, error) {
	text, ok := s.db.Block(number)
	if !ok {
		if _, later := s.db.Block(number + 1); !later {
			return nil, false, verify.ErrNotYet
		}
	}
	return text, ok, nil
}

// notStored is the source of a home that derived nothing yet: commitments and
// signatures of the base blocks are checked all the same.
type notStored struct{}

// Block implements verify.Source.
func (notStored) Block(context.Context, uint64) ([]byte, bool, error) {
	return nil, false, verify.ErrNotYet
}

// remoteBlocks are the blocks that another node answers.
type remoteBlocks struct{ *client }

// Block implements verify.Source.
func (r remoteBlocks) Block(ctx context.Context, number uint64) ([]byte, bool, error) {
	var raw json.RawMessage
	if err := r.call(ctx, "/blockchain", "getBlockInfo", map[string]any{"blockNumber": number}, &raw); err != nil {
		return nil, false, err
	}
	return raw, len(raw) > 0 && string(raw) != "null", nil
}
