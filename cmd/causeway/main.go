package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// The exit codes of every command.
const (
	exitOK        = 0
	exitError     = 1
	exitUsage     = 2
	exitRefused   = 3
	exitInvariant = 4
)

// exitErr is an error that chooses the exit code. Every other error is 1.
type exitErr struct {
	code int
	err  error
}

func (e *exitErr) Error() string { return e.err.Error() }
func (e *exitErr) Unwrap() error { return e.err }

func usageErr(format string, args ...any) error {
	return &exitErr{exitUsage, fmt.Errorf(format, args...)}
}

func refusedErr(format string, args ...any) error {
	return &exitErr{exitRefused, fmt.Errorf(format, args...)}
}

func main() {
	fileLimitIsAnError()
	tuneCollector()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop() // a second signal ends the process at once
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// fileLimitIsAnError makes a write beyond the limit of file sizes (ulimit -f)
// fail like one to a full disk. Otherwise the signal would end the process with
// a dump of its goroutines.
func fileLimitIsAnError() { signal.Ignore(syscall.SIGXFSZ) }

// run is the whole program but for signals and the exit.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(stderr, "causeway:", err)
	if e, ok := errors.AsType[*exitErr](err); ok {
		return e.code
	}
	return exitError
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "causeway",
		Short:         "A gateway between outside coins and pegged tokens on a sidechain",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &exitErr{exitUsage, err} })
	root.AddCommand(
		newDemoCommand(),
		newDevCommand(),
		newInitCommand(),
		newRunCommand(),
		newNodeCommand(),
		newAuditCommand(),
		newBenchCommand(),
		newVerifyCommand(),
		newConformCommand(),
		newKeysCommand(),
		newSignerCommand(),
		newStatusCommand(),
		newHaltCommand(),
		newResumeCommand(),
		newAlertCommand(),
		newVetoCommand(),
		newRequeueCommand(),
		newClaimCommand(),
		newCancelCommand(),
		newAcknowledgeCommand(),
		newPerishedCommand(),
		newBackupCommand(),
		newRestoreCommand(),
		newVersionCommand(),
	)
	strictCompletion(root)
	return root
}

// strictCompletion has cobra's completion command refuse a shell that it does not
// know as every other wrong use.
func strictCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	completion, _, err := root.Find([]string{"completion"})
	if err != nil {
		return
	}
	completion.Args = noArgs
	completion.RunE = func(cmd *cobra.Command, _ []string) error {
		return usageErr("%s: name a shell: bash, zsh, fish or powershell", cmd.CommandPath())
	}
	for _, shell := range completion.Commands() {
		shell.Args = noArgs
	}
}

// noArgs is cobra.NoArgs with our exit code.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageErr("%s: unknown command or argument %q", cmd.CommandPath(), args[0])
	}
	return nil
}
