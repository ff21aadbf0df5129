package main

import (
	"errors"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"causeway/gateway"
)

func newNodeCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use: "node", Short: "Run a sidechain node alone: no keys, no gateway", Args: noArgs,
		Long: "node follows the network that the home joined (init --genesis), verifies every\n" +
			"block, signature and state commitment, and serves the API. It stops with exit 4\n" +
			"when the sequencer signed two blocks of one number or commits to another state.",
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
			o := nodeOptions{home: h, lock: lock, log: newLogger(os.Stderr, slog.LevelInfo)}
			if o.genesis, o.document, err = h.genesis(); err != nil {
				return err
			}
			if o.config, err = h.config(o.genesis); err != nil {
				return err
			}
			n, err := openVerifier(cmd.Context(), o)
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
	cmd.Flags().StringVar(&dir, "home", "", "home of the node")
	return cmd
}
