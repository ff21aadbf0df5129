package gateway

import (
	"errors"
	"path/filepath"

	"causeway/chains"
	"causeway/pegs"
)

// OpenReadOnly opens the ledger of a stopped home for questions: audits, status,
// the read model. It needs neither keys nor a signer, writes no file, and cannot
// Run. A chain that the ledger does not know yet has no books and is left out.
func OpenReadOnly(cfg Config) (*Gateway, error) {
	if cfg.Sidechain == nil || cfg.Log == nil || cfg.NetworkID == "" {
		return nil, errors.New("gateway: the configuration is not complete")
	}
	if err := cfg.defaults(); err != nil {
		return nil, err
	}
	g := &Gateway{cfg: cfg, log: cfg.Log, notes: newNotes(), mempools: map[chains.ID]*mempool{}, recalled: map[chains.ID]*recalled{}, scanners: map[chains.ID]secondReader{}}
	if err := g.openReadOnly(); err != nil {
		return nil, errors.Join(err, g.Close())
	}
	return g, nil
}

func (g *Gateway) openReadOnly() (err error) {
	if g.ledger, err = readLedger(filepath.Join(g.cfg.Home, LogFile), g.cfg.NetworkID); err != nil {
		return err
	}
	if err := g.checkBase(); err != nil {
		return err
	}
	if g.scans, err = openScanStore("", g.cfg.NetworkID); err != nil {
		return err
	}
	for _, chain := range g.cfg.Chains {
		known := false
		if err := g.ledger.View(func(s *pegs.State) { _, known = s.Chain(chain.ID()) }); err != nil {
			return err
		}
		if !known {
			continue
		}
		if err := g.watch(chain); err != nil {
			return err
		}
	}
	return nil
}

// CheckBase says ErrOlderBase when the base layer lacks a block that the ledger
// of a stopped home has acted on, and nothing else: for the words of a process
// that cannot start.
func CheckBase(cfg Config) error {
	g := &Gateway{cfg: cfg}
	var err error
	if g.ledger, err = readLedger(filepath.Join(cfg.Home, LogFile), cfg.NetworkID); err != nil {
		return nil // what is wrong with it is said when it is opened
	}
	return errors.Join(g.checkBase(), g.ledger.close())
}
