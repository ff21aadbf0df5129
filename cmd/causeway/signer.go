package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"causeway/chains"
	"causeway/gateway"
	"causeway/hotwallet"
	"causeway/hotwallet/remote"
	"causeway/pegs"
	"causeway/sidechain"
	"causeway/sidechain/base/solo"
	"causeway/sidechain/graphene"
)

// signing is what a node asks of a signer, wherever it runs.
type signing interface {
	gateway.Signer
	gateway.OperationSigner
	gateway.Keys
	// sequencer readies the signer of headers; see hotwallet.LocalSigner.Sequencer.
	sequencer(ctx context.Context, head *graphene.SignedHeader, candidate *graphene.Header) (solo.HeaderSigner, error)
	attestor() string
	status(ctx context.Context) signerStatus
	// snapshot copies signer.db while it is in use.
	snapshot(ctx context.Context, w io.Writer) error
	close() error
}

// signerStatus is the signer's part of status --json.
type signerStatus struct {
	Where string `json:"where"` // "in process", "child" or "apart"
	OK    bool   `json:"ok"`
	hotwallet.SignerStatus
	Detail string `json:"detail,omitempty"`
}

// statusTime is how long a signer may take to say how it is.
const statusTime = 3 * time.Second

// signerConfig is what the signer of a home is made of. The key of the sequencer
// is out of reach where the home only follows.
func signerConfig(h home, g *sidechain.Genesis, baseID [32]byte, cfg Config, keys *hotwallet.Keystore, log *slog.Logger) (hotwallet.SignerConfig, error) {
	sequencer, err := graphene.ParsePublicKey(g.Profile.AddressPrefix, g.Sequencer)
	if err != nil {
		return hotwallet.SignerConfig{}, err
	}
	config := hotwallet.SignerConfig{
		Journal: h.path(signerFile), BaseChainID: baseID, ContractID: "ssc-" + g.ChainID, Sequencer: sequencer,
	}
	for _, role := range keys.Roles() {
		if role.Role != hotwallet.RoleSequencer || cfg.Base.Role == "sequencer" {
			config.Roles = append(config.Roles, role)
		}
	}
	if config.Wallet, err = keys.Wallet(chains.Network(g.Network)); err != nil {
		return config, err
	}
	if config.Caps, err = allCaps(g, cfg); err != nil {
		return config, err
	}
	accounts := map[chains.ID]hotwallet.FinalAccounts{}
	if config.Accounts, err = accountRules(g, cfg.Chains.ETH); err != nil {
		return config, err
	}
	for id, rules := range config.Accounts {
		if !cfg.Chains.ETH.Enabled {
			continue
		}
		if accounts[id], err = finalAccounts(g, cfg.Chains.ETH, rules, log); err != nil {
			return config, err
		}
	}
	var final []hotwallet.FinalChain
	for id := range config.Caps {
		coin, err := newCoin(string(id), chains.Network(g.Network))
		if err != nil {
			return config, err
		}
		config.Coins = append(config.Coins, coin)
		section := cfg.Chains.byID()[string(id)]
		if !section.Enabled {
			continue
		}
		quorum, err := openQuorum(string(id), coin, section, log)
		if err != nil {
			return config, err
		}
		depth := pegs.PolicyOf(id, coin.Facts()).Need(chains.Network(g.Network), section.Confirmations, chains.Amount{}, false)
		final = append(final, hotwallet.FinalChain{Coin: coin, Source: quorum, Depth: depth + pegs.DefaultInputExtra})
	}
	config.Final = hotwallet.Finality(final, accounts)
	return config, nil
}

// allCaps are the signer's own limits on every chain of outputs with an asset.
func allCaps(g *sidechain.Genesis, cfg Config) (map[chains.ID]hotwallet.SignerCaps, error) {
	all := map[chains.ID]hotwallet.SignerCaps{}
	for _, asset := range g.Assets {
		if asset.Chain == ethereumID {
			continue
		}
		coin, err := newCoin(asset.Chain, chains.Network(g.Network))
		if err != nil {
			return nil, err
		}
		caps, err := signerCaps(asset, coin.Facts().Decimals, cfg.Chains.byID()[asset.Chain].FeeMax)
		if err != nil {
			return nil, err
		}
		all[coin.ID()] = caps
	}
	return all, nil
}

// attestorOf is the account that a keystore's keys attest for.
func attestorOf(roles []hotwallet.RoleKey) string {
	for _, key := range roles {
		if key.Role == hotwallet.RoleAttestor {
			return key.Account
		}
	}
	return ""
}

// localSigning is a signer in this process.
type localSigning struct {
	*hotwallet.LocalSigner
	*hotwallet.Wallet
	account string
}

func (n *node) openLocalSigner() (signing, error) {
	config, err := signerConfig(n.home, n.genesis, n.baseID, n.config, n.keys, n.log)
	if err != nil {
		return nil, err
	}
	signer, err := hotwallet.OpenSigner(config)
	if err != nil {
		return nil, err
	}
	return &localSigning{signer, config.Wallet, attestorOf(config.Roles)}, nil
}

func (s *localSigning) sequencer(_ context.Context, head *graphene.SignedHeader, candidate *graphene.Header) (solo.HeaderSigner, error) {
	return s.LocalSigner.Sequencer(head, candidate)
}

func (s *localSigning) attestor() string { return s.account }

func (s *localSigning) status(context.Context) signerStatus {
	st, err := s.LocalSigner.Status()
	return statusOf("in process", st, err)
}

func (s *localSigning) snapshot(_ context.Context, w io.Writer) error {
	return s.LocalSigner.Snapshot(w)
}

func (s *localSigning) close() error { return s.LocalSigner.Close() }

// remoteSigning is a signer in another process: one that was there already, or
// a child of ours.
type remoteSigning struct {
	*remote.Client
	child *signerChild // nil: it was there already
}

func (s *remoteSigning) sequencer(ctx context.Context, head *graphene.SignedHeader, candidate *graphene.Header) (solo.HeaderSigner, error) {
	return s.Client.Sequencer(ctx, head, candidate)
}

func (s *remoteSigning) attestor() string { return s.Client.Hello().Attestor }

func (s *remoteSigning) status(ctx context.Context) signerStatus {
	ctx, cancel := context.WithTimeout(ctx, statusTime)
	defer cancel()
	where := "apart"
	if s.child != nil {
		where = "child"
	}
	st, err := s.Client.Status(ctx)
	return statusOf(where, st, err)
}

func (s *remoteSigning) snapshot(ctx context.Context, w io.Writer) error {
	return s.Client.Snapshot(ctx, w)
}

func (s *remoteSigning) close() error {
	if s.child == nil {
		return nil
	}
	return s.child.close()
}

func statusOf(where string, st hotwallet.SignerStatus, err error) signerStatus {
	out := signerStatus{Where: where, OK: err == nil, SignerStatus: st}
	if err != nil {
		out.Detail = err.Error()
	}
	return out
}

// servedSigner finds a signer that somebody started for the home: at the path
// given, or else at the home's own socket. Nil: there is none, or only one that
// ends with another process.
func servedSigner(ctx context.Context, o nodeOptions, path string) (signing, error) {
	socket := path
	if socket == "" {
		socket = o.home.path(signerSocket)
		if !o.home.has(signerSocket) {
			return nil, nil
		}
		if err := remote.Private(socket); err != nil {
			return nil, refusedErr("signer: %v", err)
		}
	}
	client, err := remote.Connect(ctx, socket, sidechain.BaseChainID(o.document), o.log)
	switch {
	case errors.Is(err, remote.ErrForeign):
		return nil, &exitErr{exitRefused, err}
	case path == "" && errors.Is(err, remote.ErrUnavailable):
		return nil, nil // left by one that was killed
	case err != nil:
		return nil, err
	case client.Hello().Bound && path == "":
		return nil, nil
	}
	o.log.Info("using the signer that is served", "socket", socket, "pid", client.Hello().PID)
	return &remoteSigning{Client: client}, nil
}
