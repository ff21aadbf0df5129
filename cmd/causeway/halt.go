package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// orderTimeout is long enough for what a halt waits for: answers of nodes to
// what is on its way.
const orderTimeout = 2 * time.Minute

// orderCommand is a command that gives the running process of a home an order.
type orderCommand struct {
	use, short, long string
	path             string // under /operator/
	flags            func(cmd *cobra.Command, body map[string]any)
	required         []string
}

// command makes the cobra command: every order has --home, --author and --reason.
func (o orderCommand) command() *cobra.Command {
	var dir, author, reason string
	body := map[string]any{}
	cmd := &cobra.Command{Use: o.use, Short: o.short, Long: o.long, Args: noArgs}
	flags := cmd.Flags()
	flags.StringVar(&dir, "home", "", "home of the running node")
	flags.StringVar(&author, "author", "", "who gives the order")
	flags.StringVar(&reason, "reason", "", "why, in one line")
	if o.flags != nil {
		o.flags(cmd, body)
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		for _, name := range append([]string{"home", "author", "reason"}, o.required...) {
			if f := cmd.Flags().Lookup(name); strings.Trim(f.Value.String(), " []") == "" {
				return usageErr("%s: --%s is required", o.use, name)
			}
		}
		body["author"], body["reason"] = author, reason
		if err := giveOrder(cmd.Context(), dir, o.path, body); err != nil {
			return err
		}
		fmt.Fprintln(cmd.OutOrStdout(), "ok")
		return nil
	}
	return cmd
}

// textFlag is a flag whose value is a member of the order.
func textFlag(cmd *cobra.Command, body map[string]any, name, member, usage string) {
	cmd.Flags().Func(name, usage, func(v string) error { body[member] = v; return nil })
}

// giveOrder hands an order to the process of a home over its admin listener.
func giveOrder(ctx context.Context, dir, path string, body map[string]any) error {
	r, live, err := readRunning(dir)
	if err != nil {
		return err
	}
	if !live {
		return refusedErr("%s: no process is running on this home: orders are given to a running one", dir)
	}
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	var answer struct {
		OK bool `json:"ok"`
	}
	return exchange(ctx, &http.Client{Timeout: orderTimeout}, http.MethodPost, r.Admin+"/operator/"+path, text, &answer)
}

// scopeFlags are --chain and --scope.
func scopeFlags(cmd *cobra.Command, body map[string]any) {
	textFlag(cmd, body, "chain", "chain", "btc, ltc, bch, doge or eth")
	var scopes []string
	cmd.Flags().Func("scope", "deposits, minting or payouts (repeatable; default: all)", func(v string) error {
		scopes = append(scopes, v)
		body["scopes"] = scopes
		return nil
	})
}

func newHaltCommand() *cobra.Command {
	return orderCommand{
		use: "halt", short: "Stop deposits, minting or payouts of a chain",
		long: "halt stops scopes of a chain until resume. When it returns, nothing that it\n" +
			"forbids is on its way any more. A transaction that a node has taken cannot be\n" +
			"taken back, and is broadcast on.",
		path: "halt", flags: scopeFlags, required: []string{"chain"},
	}.command()
}

func newResumeCommand() *cobra.Command {
	return orderCommand{
		use: "resume", short: "Take halts of a chain away",
		long: "resume takes the halts of scopes of a chain away, also automatic ones: somebody\n" +
			"has looked. What still gives cause halts again.",
		path: "resume", flags: scopeFlags, required: []string{"chain"},
	}.command()
}
