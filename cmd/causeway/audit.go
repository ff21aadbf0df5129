package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newAuditCommand() *cobra.Command {
	return &cobra.Command{Use: "audit", RunE: func(*cobra.Command, []string) error { return fmt.Errorf("later") }}
}

func newStatusCommand() *cobra.Command {
	return &cobra.Command{Use: "status", RunE: func(*cobra.Command, []string) error { return fmt.Errorf("later") }}
}
