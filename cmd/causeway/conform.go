package main

import (
	"github.com/spf13/cobra"

	"causeway/sidechain/conform"
)

func newConformCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "conform PATH…", Short: "Replay conformance vectors through the real engine",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageErr("conform: name at least one vector or folder")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return conform.Run(cmd.OutOrStdout(), args, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON line for each vector")
	return cmd
}
