package main

import (
	"encoding/json"
	"fmt"

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
			out := cmd.OutOrStdout()
			lines := json.NewEncoder(out)
			lines.SetEscapeHTML(false)
			summary, err := conform.Run(args, func(r conform.Result) {
				switch {
				case asJSON:
					_ = lines.Encode(r)
				case r.OK:
					fmt.Fprintf(out, "ok    %s (%d logs, %d rows, %d hashes)\n", r.Vector, r.Compared.Logs, r.Compared.Rows, r.Compared.Hashes)
				default:
					fmt.Fprintf(out, "FAIL  %s\n", r.Vector)
					for _, line := range r.Diff {
						fmt.Fprintf(out, "      %s\n", line)
					}
				}
			})
			fmt.Fprintln(out, summary)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON line for each vector")
	return cmd
}
