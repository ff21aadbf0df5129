package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"causeway/hotwallet"
	"causeway/hotwallet/remote"
	"causeway/internal/boltfile"
	"causeway/sidechain"
)

// signerSocket is the socket of a home's signer.
const signerSocket = "signer.sock"

const (
	// lockWait is how long a signer that run started waits for the one before it
	// to end.
	lockWait = 20 * time.Second
	// lastGrace is how long a bound signer may take to finish what it is doing
	// once its parent is gone.
	lastGrace = 3 * time.Second
)

// signerOptions are the flags of signer.
type signerOptions struct {
	home, socket string
	bound        bool
}

func newSignerCommand() *cobra.Command {
	var o signerOptions
	cmd := &cobra.Command{
		Use: "signer", Short: "Hold the keys of a home in a process of its own", Args: noArgs,
		Long: "signer holds the seed, the role keys and signer.db of a home and signs what it can\n" +
			"check, for whoever may open its socket: nobody but the user that started it. A run\n" +
			"on the same home that finds it needs no passphrase. Without it, run starts one of\n" +
			"its own, which ends with it.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.bound {
				return o.serveBound(cmd)
			}
			secret := func() (hotwallet.Secret, error) { return passphrase(false) }
			return o.serve(cmd.Context(), secret, func() error {
				fmt.Fprintf(cmd.OutOrStdout(), "ready: %s\n", o.socket)
				return nil
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.home, "home", "", "home of the node")
	flags.StringVar(&o.socket, "socket", "", "path of the socket (default: "+signerSocket+" in the home)")
	flags.BoolVar(&o.bound, "bound", false, "started by run: passphrase on the first line of stdin, end with it")
	_ = flags.MarkHidden("bound")
	return cmd
}

// serve opens the keys and answers until ctx ends.
func (o *signerOptions) serve(ctx context.Context, secret func() (hotwallet.Secret, error), ready func() error) (err error) {
	h, err := openHome(o.home)
	if err != nil {
		return err
	}
	if o.socket == "" {
		o.socket = h.path(signerSocket)
	}
	server, err := o.open(ctx, h, secret)
	if err != nil {
		return exitCode(err)
	}
	defer func() { err = errors.Join(err, server.Signer.Close()) }()
	listener, err := remote.Listen(o.socket)
	if err != nil {
		return err
	}
	if err := undumpable(); err != nil {
		return errors.Join(err, listener.Close())
	}
	server.Log.Info("signer ready", "socket", o.socket, "bound", o.bound)
	if err := ready(); err != nil {
		return errors.Join(err, listener.Close())
	}
	return server.Serve(ctx, listener)
}

func (o *signerOptions) open(ctx context.Context, h home, secret func() (hotwallet.Secret, error)) (*remote.Server, error) {
	g, document, err := h.genesis()
	if err != nil {
		return nil, err
	}
	cfg, err := h.config(g)
	if err != nil {
		return nil, err
	}
	word, err := secret()
	if err != nil {
		return nil, err
	}
	keys, err := hotwallet.Open(h.path(keysFile), word)
	if err != nil {
		return nil, err
	}
	baseID := sidechain.BaseChainID(document)
	log := newLogger(os.Stderr, slog.LevelInfo).With("component", "signer")
	config, err := signerConfig(h, g, baseID, cfg, keys, log)
	if err != nil {
		return nil, err
	}
	signer, err := hotwallet.OpenSigner(config)
	for end := time.Now().Add(lockWait); o.bound && errors.Is(err, boltfile.ErrInUse) && ctx.Err() == nil && time.Now().Before(end); {
		signer, err = hotwallet.OpenSigner(config) // it waits a second by itself
	}
	if err != nil {
		return nil, err
	}
	return &remote.Server{
		Signer: signer, Wallet: config.Wallet, BaseChainID: baseID, Attestor: attestorOf(config.Roles), Bound: o.bound,
		Log: log,
	}, nil
}

// birth is the one line that a bound signer writes to stdout.
type birth struct {
	Ready bool   `json:"ready"`
	Exit  int    `json:"exit,omitempty"`
	Text  string `json:"text,omitempty"`
}

// serveBound serves the process at the other end of stdin and ends with it.
// Signals are the parent's to judge: it may still need a signature to end well.
func (o *signerOptions) serveBound(cmd *cobra.Command) error {
	signal.Ignore(os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithCancel(context.WithoutCancel(cmd.Context()))
	defer cancel()
	in := bufio.NewReader(cmd.InOrStdin())
	line, err := in.ReadString('\n')
	if err != nil {
		return fmt.Errorf("no passphrase on stdin: %w", err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, in) // until the parent is gone
		cancel()
		time.Sleep(lastGrace)
		os.Exit(exitError)
	}()
	out := json.NewEncoder(cmd.OutOrStdout())
	secret := func() (hotwallet.Secret, error) { return nonEmpty(strings.TrimSuffix(line, "\n")) }
	born := false
	err = o.serve(ctx, secret, func() error {
		born = true
		return out.Encode(birth{Ready: true})
	})
	if err != nil && !born {
		code := exitError
		if e, ok := errors.AsType[*exitErr](err); ok {
			code = e.code
		}
		return out.Encode(birth{Exit: code, Text: err.Error()}) // the parent says it
	}
	return err
}
