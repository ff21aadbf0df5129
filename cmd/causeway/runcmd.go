package main

import (
	"context"
	"errors"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"causeway/gateway"
)

func newRunCommand() *cobra.Command {
	var (
		dir       string
		acceptGap bool
		socket    string
	)
	cmd := &cobra.Command{
		Use: "run", Short: "Run the node and the gateway of a home", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			h, err := openHome(dir)
			if err != nil {
				return err
			}
			lock, err := gateway.LockHome(h.dir)
			if err != nil {
				return exitCode(err)
			}
			defer func() { err = errors.Join(err, lock.Unlock()) }()
			o := nodeOptions{home: h, lock: lock, acceptGap: acceptGap, log: newLogger(os.Stderr, slog.LevelInfo)}
			if o.genesis, o.document, err = h.genesis(); err != nil {
				return err
			}
			if o.config, err = h.config(o.genesis); err != nil {
				return err
			}
			if o.findSigner, err = signerFinder(cmd.Context(), o, socket); err != nil {
				return err
			}
			for id, chain := range o.config.Chains.byID() {
				if chain.Enabled {
					shown := runningChain{Chain: id, Tokens: map[string]string{}}
					if id == ethereumID {
						shown.describe(o.config.Chains.ETH)
					}
					o.running.Chains = append(o.running.Chains, shown)
				}
			}
			n, err := openNode(cmd.Context(), o)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, n.close()) }()
			if err := n.listen(); err != nil {
				return err
			}
			return n.serve(cmd.Context(), func() {})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&dir, "home", "", "home of the node")
	flags.StringVar(&socket, "signer", "", "socket of a running causeway signer (default: "+signerSocket+" in the home, else one is started)")
	flags.BoolVar(&acceptGap, "accept-gap", false, "the clock is right although it is more than an hour ahead of the newest block")
	return cmd
}

// signerFinder decides where the signer is: the one that is served, or one that
// is started with the passphrase that is asked for now.
func signerFinder(ctx context.Context, o nodeOptions, socket string) (func(context.Context) (signing, error), error) {
	served, err := servedSigner(ctx, o, socket)
	if err != nil {
		return nil, err
	}
	if served != nil {
		return func(context.Context) (signing, error) { return served, nil }, nil
	}
	secret, err := passphrase(false)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (signing, error) { return startSigner(ctx, o, secret) }, nil
}
