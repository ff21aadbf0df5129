package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"causeway/gateway"
	"causeway/hotwallet"
	"causeway/internal/boltfile"
	"causeway/sidechain"
)

// repair makes the stores of a home anew that can be made from the others.
func (o *restoreOptions) repair(ctx context.Context, secret hotwallet.Secret) (made restored, err error) {
	h, err := openHome(o.home)
	if err != nil {
		return made, err
	}
	if !h.has(baseFile) {
		return made, refusedErr("%s has no %s: it is the one store that nothing else can make; take it from a backup or a follower", o.home, baseFile)
	}
	lock, err := gateway.LockHome(h.dir)
	if err != nil {
		return made, err
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()
	options, err := h.repairOptions(secret)
	if err != nil {
		return made, err
	}
	options.lock, options.acceptGap = lock, true // no block is made
	made.Home = o.home
	adopted := false
	if made.Adopted, adopted, err = o.signer(options); err != nil {
		return made, err
	}
	if o.fromChains {
		if made.Aside, err = h.setAside(gatewayFile, stateFile, scannerFile); err != nil {
			return made, err
		}
		err = o.rebuild(ctx, options, &made)
	}
	if adopted && h.has(gatewayFile) {
		baseID := sidechain.BaseChainID(options.document)
		err = errors.Join(err, gateway.MarkAdopted(ctx, h.path(gatewayFile), hex.EncodeToString(baseID[:]), made.Adopted, o.reason, "restore"))
	}
	return made, err
}

// signer lets a signer sign on that was lost, or that is to by order. It says from
// which base block on (0: from where it stands), and whether it did.
func (o *restoreOptions) signer(options nodeOptions) (block uint64, adopted bool, err error) {
	h := options.home
	if h.has(signerFile) && !o.adoptSigner {
		return 0, false, nil
	}
	if !o.adoptSigner {
		return 0, false, refusedErr("%s has no %s: what it signed is lost; --adopt-signer --reason TEXT lets it sign on", h.dir, signerFile)
	}
	var counter uint64
	if h.has(gatewayFile) {
		baseID := sidechain.BaseChainID(options.document)
		log, err := gateway.InspectLog(h.path(gatewayFile), hex.EncodeToString(baseID[:]))
		if err != nil && !o.fromChains {
			return 0, false, err
		}
		counter = log.SignerCounter
	}
	if block, err = options.adopt(counter); err == nil {
		options.log.Warn("the signer was let sign on", "base_block", block, "reason", o.reason)
	}
	return block, err == nil, err
}

// setAside moves stores, and what lies beside them under their names, into a
// directory of the home.
func (h home) setAside(stores ...string) (dir string, err error) {
	entries, err := os.ReadDir(h.dir)
	if err != nil {
		return "", err
	}
	var names []string
	for _, entry := range entries {
		for _, store := range stores {
			if entry.Name() == store || strings.HasPrefix(entry.Name(), store+".") {
				names = append(names, entry.Name())
			}
		}
	}
	if len(names) == 0 {
		return "", nil
	}
	dir = h.path("aside-" + time.Now().UTC().Format("20060102-150405"))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	for _, name := range names {
		if err := os.Rename(h.path(name), filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return dir, errors.Join(boltfile.SyncDirectory(dir), boltfile.SyncDirectory(h.dir))
}

// rebuild opens the home, reads everything, and says what there is.
func (o *restoreOptions) rebuild(ctx context.Context, options nodeOptions, made *restored) (err error) {
	n, err := openNode(ctx, options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	if made.Chains, err = n.gateway.Rebuild(ctx, gateway.Rebuilding{
		Patience: o.wait, Report: func(line string) { fmt.Fprintln(o.progress, line) },
	}); err != nil {
		return err
	}
	audit, err := n.gateway.Audit(ctx)
	if err != nil {
		return err
	}
	made.Audit = &audit
	if !audit.OK && !audit.Unknown {
		return &exitErr{exitInvariant, fmt.Errorf("the books do not balance: %s", strings.Join(audit.Problems, "; "))}
	}
	return nil
}
