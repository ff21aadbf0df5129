package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"causeway/chains/devnet/kit"
	"causeway/gateway"
	"causeway/hotwallet"
	"causeway/sidechain"
	"causeway/sidechain/graphene"
)

const (
	// devPassword is the password from which Hive's login rule makes every key
	// of a dev network. It is public: such a network holds nothing of worth.
	devPassword = "causeway"
	devFormat   = "causeway-dev/1"
	// demoInterval is as fast as base blocks can go: their times are whole
	// seconds.
	demoInterval = time.Second
	// devConfirmations is the credit depth on embedded chains.
	devConfirmations = 2
	// devWorkFactor spends no time on guarding keys that everybody knows.
	devWorkFactor = 1
)

// devAccounts are the accounts of a dev network.
var devAccounts = []string{"alice", "bob", "carol", "dave", "founder"}

func newDevCommand() *cobra.Command {
	o := devOptions{interval: demoInterval}
	cmd := &cobra.Command{
		Use: "dev", Short: "Keep the demo's network running, to play with", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.log = cmd.ErrOrStderr()
			if o.home == "" {
				dir, err := os.MkdirTemp("", "causeway-dev-")
				if err != nil {
					return err
				}
				o.home = dir
			}
			stop, err := startDev(cmd.Context(), o)
			if err != nil {
				return err
			}
			r, _, err := readRunning(o.home)
			if err != nil {
				return errors.Join(err, stop())
			}
			fmt.Fprintf(cmd.OutOrStdout(), "ready: %s (admin %s), home %s\n", r.URL, r.Admin, o.home)
			<-cmd.Context().Done()
			return stop()
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.home, "home", "", "home of the network: absent, empty or its own (default: a new temporary one)")
	flags.StringVar(&o.listen, "listen", "127.0.0.1:0", "public API")
	flags.StringVar(&o.admin, "admin", "127.0.0.1:0", "admin listener")
	return cmd
}

// devOptions are what dev and demo choose.
type devOptions struct {
	home, listen, admin string
	interval            time.Duration
	log                 io.Writer
}

// devMark is dev.json: it makes a directory the home of a dev network.
type devMark struct {
	Format string `json:"format"`
	// OffsetSeconds is how far the base clock was moved by /dev/advance.
	OffsetSeconds int64 `json:"offset_seconds"`
}

// devNet is a running dev network.
type devNet struct {
	home   home
	ids    []string // of chains, in the order of builtChains
	chains map[string]embedded

	mu   sync.Mutex
	mark devMark
	node *node
}

// startDev starts the network and returns when it answers. stop ends it.
func startDev(ctx context.Context, o devOptions) (stop func() error, err error) {
	d := &devNet{home: home{o.home}, chains: map[string]embedded{}}
	if err := d.adopt(); err != nil {
		return nil, err
	}
	lock, err := gateway.LockHome(o.home)
	if err != nil {
		return nil, exitCode(err)
	}
	log := slog.New(slog.NewTextHandler(o.log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	fail := func(err error) (func() error, error) { return nil, errors.Join(err, d.close(), lock.Unlock()) }
	if err := d.openChains(log); err != nil {
		return fail(err)
	}
	cfg := d.config(o)
	keys, err := d.openKeys(cfg)
	if err != nil {
		return fail(err)
	}
	g, document, err := d.home.genesis()
	if err != nil {
		return fail(err)
	}
	shown, err := d.running()
	if err != nil {
		return fail(err)
	}
	d.node, err = openNode(ctx, nodeOptions{
		home: d.home, lock: lock, genesis: g, document: document, config: cfg, keys: keys, log: log,
		noGapRule: true, offset: time.Duration(d.mark.OffsetSeconds) * time.Second, extra: d.surface(), running: shown,
	})
	if err != nil {
		return fail(err)
	}
	if err := d.node.listen(); err != nil {
		return fail(errors.Join(err, d.node.close()))
	}
	ctx, cancel := context.WithCancel(ctx)
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() {
		err := d.node.serve(ctx, func() { close(ready) })
		done <- errors.Join(err, d.node.close(), d.close(), lock.Unlock())
	}()
	select {
	case err := <-done:
		cancel()
		return nil, err
	case <-ready:
		return func() error { cancel(); return <-done }, nil
	}
}

// adopt takes an absent, empty or own directory and refuses every other.
func (d *devNet) adopt() error {
	empty, err := d.home.empty()
	if err != nil {
		return err
	}
	if empty {
		if err := os.MkdirAll(d.home.dir, 0o700); err != nil {
			return err
		}
		d.mark = devMark{Format: devFormat}
		return d.save()
	}
	text, err := os.ReadFile(d.home.path(devFile))
	if errors.Is(err, fs.ErrNotExist) {
		return refusedErr("%s is neither empty nor the home of a dev network", d.home.dir)
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &d.mark); err != nil || d.mark.Format != devFormat {
		return refusedErr("%s: not of format %s", d.home.path(devFile), devFormat)
	}
	return nil
}

// save writes dev.json.
func (d *devNet) save() error {
	text, err := json.Marshal(d.mark)
	if err != nil {
		return err
	}
	return renameio.WriteFile(d.home.path(devFile), append(text, '\n'), 0o600)
}

// openChains starts the embedded outside chains: those of the genesis document,
// or all before there is one.
func (d *devNet) openChains(log *slog.Logger) error {
	d.ids = builtChains
	if d.home.has(genesisFile) {
		g, _, err := d.home.genesis()
		if err != nil {
			return err
		}
		d.ids = slices.DeleteFunc(slices.Clone(builtChains), func(id string) bool {
			return !slices.ContainsFunc(g.Assets, func(a sidechain.GenesisAsset) bool { return a.Chain == id })
		})
	}
	group := new(errgroup.Group)
	opened := make([]embedded, len(d.ids))
	for i, id := range d.ids {
		group.Go(func() error {
			c, err := coinOf(id)
			if err != nil {
				return err
			}
			dir := filepath.Join(d.home.path(embeddedPath), id)
			if err := os.MkdirAll(dir, 0o700); err != nil {
				return err
			}
			opened[i], err = c.embedded(dir, log)
			return err
		})
	}
	err := group.Wait()
	for i, id := range d.ids {
		if opened[i] != nil {
			d.chains[id] = opened[i]
		}
	}
	return err
}

// close stops the embedded chains.
func (d *devNet) close() error {
	var errs []error
	for _, id := range d.ids {
		if chain := d.chains[id]; chain != nil {
			errs = append(errs, chain.Close())
		}
	}
	d.chains = map[string]embedded{}
	return errors.Join(errs...)
}

// config is the configuration of a dev network; nothing of it is read from a
// file or the environment.
func (d *devNet) config(o devOptions) Config {
	cfg := defaultConfig("regtest")
	cfg.HTTP.Listen, cfg.HTTP.Admin = o.listen, o.admin
	if o.listen == "" {
		cfg.HTTP.Listen = "127.0.0.1:0"
	}
	if o.admin == "" {
		cfg.HTTP.Admin = "127.0.0.1:0"
	}
	cfg.Base.BlockInterval = Duration{o.interval}
	cfg.Accounts.Open = true
	for id, section := range cfg.Chains.sections() {
		chain := d.chains[id]
		if section.Enabled = chain != nil; section.Enabled {
			section.Nodes, section.Confirmations, section.Poll = []string{chain.URL()}, devConfirmations, Duration{200 * time.Millisecond}
		}
	}
	cfg.Chains.ETH.Tokens = map[string]TokenConfig{devToken.symbol: devToken.TokenConfig}
	return cfg
}

// openKeys opens the keystore, and makes the home's files the first time.
func (d *devNet) openKeys(cfg Config) (*hotwallet.Keystore, error) {
	secret := hotwallet.NewSecret(devPassword)
	if d.home.has(genesisFile) {
		return hotwallet.Open(d.home.path(keysFile), secret)
	}
	// A start that was cut short left files without a genesis: make them anew.
	for _, name := range []string{keysFile, adminFile, configFile} {
		if err := os.Remove(d.home.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	o := initOptions{
		home: d.home.dir, network: "regtest", chainID: "causeway-dev", admin: "causeway", attestor: "gateway",
		passphrase: secret, workFactor: devWorkFactor, timestamp: time.Now().UTC(), cfg: cfg,
	}
	for _, r := range []struct {
		role          hotwallet.Role
		name, account string
	}{
		{hotwallet.RoleSequencer, "sequencer", ""}, {hotwallet.RoleAttestor, o.attestor, o.attestor}, {hotwallet.RoleAdmin, o.admin, o.admin},
	} {
		key, err := graphene.LoginKey(r.name, "active", devPassword)
		if err != nil {
			return nil, err
		}
		role, err := hotwallet.NewRoleKey(r.role, r.account, hotwallet.NewSecret(key.WIF()))
		if err != nil {
			return nil, err
		}
		o.roles = append(o.roles, role)
	}
	for _, name := range devAccounts {
		account, err := loginAccount(name)
		if err != nil {
			return nil, err
		}
		o.extra = append(o.extra, account)
	}
	if _, err := o.make(); err != nil {
		return nil, err
	}
	return hotwallet.Open(d.home.path(keysFile), secret)
}

// loginAccount is an account whose keys come from Hive's login rule.
func loginAccount(name string) (sidechain.GenesisAccount, error) {
	a := sidechain.GenesisAccount{Name: name, Base: "1000.000 HIVE", Tokens: map[string]string{"BEE": "10000"}}
	for _, role := range []struct {
		name string
		into *string
	}{{"owner", &a.Owner}, {"active", &a.Active}, {"posting", &a.Posting}, {"memo", &a.Memo}} {
		key, err := graphene.LoginKey(name, role.name, devPassword)
		if err != nil {
			return a, err
		}
		*role.into = key.Public().String()
	}
	return a, nil
}

// running lists accounts and chains for running.json.
func (d *devNet) running() (running, error) {
	var r running
	for _, name := range devAccounts {
		active, errActive := graphene.LoginKey(name, "active", devPassword)
		posting, errPosting := graphene.LoginKey(name, "posting", devPassword)
		if err := errors.Join(errActive, errPosting); err != nil {
			return r, err
		}
		r.Accounts = append(r.Accounts, runningAccount{name, active.WIF(), posting.WIF()})
	}
	for _, id := range d.ids {
		shown := runningChain{Chain: id, RPC: d.chains[id].URL(), Tokens: map[string]string{}}
		if id == ethereumID {
			shown.describe(defaultConfig("regtest").Chains.ETH)
			shown.Tokens[devToken.symbol] = devToken.Address
		}
		r.Chains = append(r.Chains, shown)
	}
	return r, nil
}

// surface is what the admin listener of a dev network can do more.
func (d *devNet) surface() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"POST /dev/advance":              d.advance,
		"POST /dev/chains/{chain}/fault": d.fault,
	}
}

// advance moves the base clock: {"seconds":N}.
func (d *devNet) advance(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Seconds int64 `json:"seconds"`
	}
	// Block times are 32-bit seconds; what a story needs is far less.
	const most = 10 * 365 * 24 * 3600
	if err := json.NewDecoder(io.LimitReader(r.Body, 1024)).Decode(&request); err != nil || request.Seconds < 1 || request.Seconds > most {
		answer(w, http.StatusBadRequest, map[string]string{"error": `{"seconds":N} with N from 1 to ten years is expected`})
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	// The offset is durable before it has an effect: a restart must not go back.
	before := d.mark.OffsetSeconds
	if before+request.Seconds > 4*most {
		answer(w, http.StatusBadRequest, map[string]string{"error": "the base clock is moved by more than forty years in all"})
		return
	}
	d.mark.OffsetSeconds += request.Seconds
	if err := d.save(); err != nil {
		d.mark.OffsetSeconds = before
		answer(w, http.StatusInternalServerError, map[string]string{"error": "the offset could not be stored"})
		return
	}
	total := d.node.sequencer.Advance(time.Duration(request.Seconds) * time.Second)
	answer(w, http.StatusOK, map[string]any{"ok": true, "offset_seconds": int64(total / time.Second)})
}

// fault makes an embedded chain's node misbehave: {"mode":"lag"}.
func (d *devNet) fault(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("chain")
	chain := d.chains[id]
	if chain == nil {
		answer(w, http.StatusNotFound, map[string]string{"error": "no such chain"})
		return
	}
	var request struct {
		Mode string `json:"mode"`
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, 1024)).Decode(&request); err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"error": `{"mode":"…"} is expected`})
		return
	}
	if err := chain.SetFault(kit.Fault(request.Mode)); err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	answer(w, http.StatusOK, map[string]any{"ok": true, "mode": request.Mode})
}

// answer writes a JSON answer of the admin listener.
func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
