package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"causeway/chains"
	"causeway/pegs"
)

// auditTries and Config.AuditPause bound how long an audit waits for the ledger,
// the sidechain and the scanner to stand at the same point before it says that
// they disagree.
const (
	auditTries = 20
	// auditPatience is how long a node that does not answer is asked again: the
	// books of other chains wait meanwhile.
	auditPatience = 5 * time.Second
)

// Audit balances the books of all configured chains (design, section 7). An
// error means that nothing is known, an Audit that is not OK that something is
// wrong; its Problems say what.
func (g *Gateway) Audit(ctx context.Context) (Audit, error) {
	audit, _, err := g.audit(ctx, g.chains, true)
	return audit, err
}

// FullAudit is Audit by scanners that forget what they knew and read every block
// again from the keys' birthday. The ledger's whole log is read again first.
func (g *Gateway) FullAudit(ctx context.Context) (Audit, error) {
	v, err := g.ledger.Verify(ctx)
	if err != nil {
		return Audit{}, err
	}
	g.log.Info("the event log was read again", "records", v.Records, "state_hashes", v.Seals, "state", v.Hash)
	for _, s := range g.scanners {
		s.forget()
	}
	return g.Audit(ctx)
}

// reservesTime bounds one reading of the reserves.
const reservesTime = 5 * time.Minute

// Reserves is the audit with every output that it counts. Strangers may ask for
// it: who asks while it is being made gets the same one.
func (g *Gateway) Reserves(ctx context.Context) (Reserves, error) {
	answer := g.reading.DoChan("reserves", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reservesTime)
		defer cancel()
		return g.reserves(ctx)
	})
	select {
	case <-ctx.Done():
		return Reserves{}, ctx.Err()
	case a := <-answer:
		r, _ := a.Val.(Reserves)
		return r, a.Err
	}
}

func (g *Gateway) reserves(ctx context.Context) (Reserves, error) {
	audit, snap, err := g.audit(ctx, g.chains, true)
	if err != nil {
		return Reserves{}, err
	}
	r := Reserves{Audit: audit, Items: []ReserveItem{}}
	for _, books := range snap.chains {
		for _, item := range books.ledger.Items {
			r.Items = append(r.Items, books.reserve(item))
		}
	}
	return r, nil
}

// reserve is an item for users. What an account holds is no output.
func (b *chainBooks) reserve(item pegs.Item) ReserveItem {
	r := ReserveItem{Chain: string(item.Chain), Address: item.Address, Kind: string(item.Kind), Token: item.Token}
	if item.Outpoint.TxID != "" {
		txid, index := item.Outpoint.TxID, item.Outpoint.Index
		r.TxID, r.Index = &txid, &index
	}
	decimals := pegs.CoinDecimals(item.Chain)
	for _, a := range b.assets {
		if item.Token != "" && strings.EqualFold(a.Asset.Token, item.Token) {
			decimals = a.Asset.Decimals
		}
	}
	r.Amount = item.Amount.Coin(decimals)
	return r
}

// snapshot is what ledger and sidechain say at one moment.
type snapshot struct {
	head     SideHead
	accounts []string
	chains   []chainBooks
	others   []string // supply on chains that are not configured
}

// chainBooks is the part of one chain.
type chainBooks struct {
	id     chains.ID
	start  uint64
	book   *addressBook
	ledger pegs.LedgerView
	assets []pegs.AssetView
}

// audit tries until the parts stand at the same point and agree, or enough times.
// A scanner that is still searching the past for new accounts has not said all:
// it is waited for when patient; else what may be due to it is unknown.
func (g *Gateway) audit(ctx context.Context, which []served, patient bool) (audit Audit, snap snapshot, err error) {
	var read uint64
	began := time.Now()
	for try := 0; try < auditTries; {
		if snap, err = g.snapshot(which); err != nil {
			return Audit{}, snap, err
		}
		if audit = g.balance(ctx, snap); audit.OK {
			return audit, snap, nil
		}
		if ctx.Err() != nil {
			return Audit{}, snap, ctx.Err()
		}
		before := read
		searching, now := g.searching(which)
		read = now
		switch {
		case searching && patient && read > before:
			continue // each try reads on
		case audit.Unknown && time.Since(began) > auditPatience:
			return audit, snap, nil
		case searching:
			audit.Unknown = !slices.ContainsFunc(audit.Assets, func(a AssetAudit) bool { return a.Missing })
		}
		if try++; try < auditTries && !sleep(ctx, g.cfg.AuditPause) {
			return Audit{}, snap, ctx.Err()
		}
	}
	return audit, snap, nil
}

// searching says whether a scanner of these chains is still searching the past,
// and how many blocks of it all of them have read.
func (g *Gateway) searching(which []served) (more bool, read uint64) {
	for _, f := range which {
		if s := g.scanners[f.conf().ID()]; s != nil {
			busy, n := s.searching()
			more, read = more || busy, read+n
		}
	}
	return more, read
}

// snapshot reads the sidechain and, while it stands still, the ledger.
func (g *Gateway) snapshot(which []served) (snap snapshot, err error) {
	err = g.cfg.Sidechain.View(func(v SideState) error {
		snap.head, snap.accounts = v.Head(), v.AccountsSince(0)
		assets, err := v.Assets()
		if err != nil {
			return err
		}
		viewErr := g.ledger.View(func(s *pegs.State) { err = g.readLedger(s, which, &snap) })
		if err := errors.Join(viewErr, err); err != nil {
			return err
		}
		return g.readAssets(v, assets, &snap)
	})
	return snap, err
}

func (g *Gateway) readLedger(s *pegs.State, which []served, snap *snapshot) error {
	for _, f := range which {
		id := f.conf().ID()
		c, _ := s.Chain(id)
		view, _ := s.AuditView(id)
		book, err := newAddressBook(c)
		if err != nil {
			return err
		}
		snap.chains = append(snap.chains, chainBooks{id: id, start: c.Config.Start, book: book, ledger: view})
	}
	return nil
}

func (g *Gateway) readAssets(v SideState, assets []pegs.Asset, snap *snapshot) error {
	for _, asset := range assets {
		if g.served(asset.Chain) != nil && !slices.ContainsFunc(snap.chains, func(b chainBooks) bool { return b.id == asset.Chain }) {
			continue // not asked for
		}
		view, err := v.AuditView(asset)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(snap.chains, func(b chainBooks) bool { return b.id == asset.Chain })
		switch {
		case i >= 0:
			snap.chains[i].assets = append(snap.chains[i].assets, view)
		case strings.Trim(view.Supply, "0.") != "":
			snap.others = append(snap.others, fmt.Sprintf("%s: %s circulate and chain %s is not configured", asset.Symbol, view.Supply, asset.Chain))
		}
	}
	return nil
}

// balance holds the scanner against a snapshot.
func (g *Gateway) balance(ctx context.Context, snap snapshot) Audit {
	audit := Audit{OK: true, SidechainBlock: snap.head.Block, Assets: []AssetAudit{}, Problems: snap.others}
	var unread []string
	for _, books := range snap.chains {
		scanned, err := g.scan(ctx, books, snap.accounts)
		if err != nil {
			// The numbers are then the ledger's alone.
			said := fmt.Sprintf("%s: scanner: %v", books.id, err)
			if errors.Is(err, errScanned) {
				audit.Problems = append(audit.Problems, said)
			} else {
				unread = append(unread, said)
			}
			scanned = books.ledger.Scan()
		}
		for _, asset := range books.assets {
			one, problems := pegs.AuditAsset(books.ledger, asset, scanned)
			one.OK = one.OK && err == nil
			if why := g.muteToken(books.id, asset.Asset.Token, scanned); why != "" && !one.Missing {
				one.OK, problems = false, nil
				unread = append(unread, asset.Asset.Symbol+": "+why)
			}
			audit.Assets = append(audit.Assets, one)
			audit.Problems = append(audit.Problems, problems...)
		}
	}
	audit.Unknown = len(audit.Problems) == 0 && len(unread) > 0
	audit.Problems = append(audit.Problems, unread...)
	audit.OK = len(audit.Problems) == 0
	return audit
}

func (g *Gateway) scan(ctx context.Context, books chainBooks, accounts []string) (pegs.ScannerView, error) {
	s := g.scanners[books.id]
	if s == nil {
		return pegs.ScannerView{}, errors.New("no node is configured for it")
	}
	if books.ledger.Block.Hash == "" {
		return pegs.ScannerView{}, errors.New("the ledger has no block yet")
	}
	scanned, err := s.sync(ctx, books.book, books.start, accounts, books.ledger.Block)
	if f, ok := g.served(books.id).(*accountFollower); ok && err == nil {
		err = errors.Join(f.firstLook(ctx, books.ledger.Block), f.reread(ctx, books.ledger, scanned))
		if reader, ok := s.(*accountScanner); ok {
			reader.look(books.ledger.Reread(scanned))
		}
	}
	return scanned, err
}

// muteToken says why nothing is known of what our accounts hold of a token, or
// nothing. The books of others are balanced all the same.
func (g *Gateway) muteToken(chain chains.ID, contract string, scanned pegs.ScannerView) (why string) {
	if f, ok := g.served(chain).(*accountFollower); ok && contract != "" {
		why = f.soundToken(contract)
	}
	if why == "" && contract != "" {
		why = scanned.Mute[strings.ToLower(contract)]
	}
	return why
}

// watchBooks audits from time to time, each chain by itself: what keeps one from
// being looked at keeps no other. Missing coins halt the chain; alarms of the
// ledger do at once, without waiting for an audit. Parts that only disagree are
// an alert.
func (g *Gateway) watchBooks(ctx context.Context) error {
	if time.Since(g.audited) < g.cfg.AuditEvery {
		return nil
	}
	var ready []served
	for _, f := range g.chains {
		if f.caughtUp() { // else nothing can be said: blocks are missing
			ready = append(ready, f)
		}
	}
	if len(ready) == 0 && len(g.chains) > 0 {
		return nil
	}
	g.audited = time.Now()
	whole := Audit{OK: true, Assets: []AssetAudit{}}
	var errs []error
	for _, f := range ready {
		audit, _, err := g.audit(ctx, []served{f}, false)
		if err == nil {
			err = g.judge(ctx, f.conf().ID(), audit)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		whole.Assets = append(whole.Assets, audit.Assets...)
		whole.Problems = append(whole.Problems, audit.Problems...)
		whole.OK, whole.Unknown = whole.OK && audit.OK, whole.Unknown || audit.Unknown
		whole.SidechainBlock = audit.SidechainBlock
	}
	if len(errs) == 0 {
		g.last.set(whole, g.cfg.Now())
	}
	return errors.Join(errs...)
}

// judge acts on the audit of one chain.
func (g *Gateway) judge(ctx context.Context, id chains.ID, audit Audit) error {
	missing := ""
	for _, asset := range audit.Assets {
		if asset.Missing {
			missing = fmt.Sprintf("the books of %s do not balance: surplus %s", asset.Symbol, asset.Surplus)
		}
	}
	problems := strings.Join(audit.Problems, "; ")
	switch {
	case missing != "":
		g.log.Error("audit", "chain", string(id), "problems", problems)
	case !audit.OK:
		g.log.Warn("the audit is not ok", "chain", string(id), "problems", problems)
	}
	if err := setHalt(ctx, g.ledger, id, causeAudit, missing, pegs.ScopeMinting, pegs.ScopePayouts); err != nil || audit.Unknown {
		return err
	}
	return setAlert(ctx, g.ledger, id, causeAudit, oneLine(problems, maxReason))
}

// watchAlarms halts a chain while the ledger is alarmed about it.
func (g *Gateway) watchAlarms(ctx context.Context) error {
	for _, f := range g.chains {
		id := f.conf().ID()
		var alarms []string
		if err := g.ledger.View(func(s *pegs.State) { alarms = s.Alarms(id) }); err != nil {
			return err
		}
		reason := ""
		if len(alarms) > 0 {
			reason = alarms[0]
			if len(alarms) > 1 {
				reason += fmt.Sprintf(" (and %d more)", len(alarms)-1)
			}
		}
		if err := setHalt(ctx, g.ledger, id, causeAlarm, reason); err != nil {
			return err
		}
	}
	return nil
}
