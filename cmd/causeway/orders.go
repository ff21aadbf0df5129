package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
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
			if !cmd.Flags().Changed(name) {
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

// switchFlag is a flag without a value that is a member of the order.
func switchFlag(cmd *cobra.Command, body map[string]any, name, member, usage string) {
	cmd.Flags().BoolFunc(name, usage, func(string) error { body[member] = true; return nil })
}

// giveOrder hands an order to the process of a home over its admin listener. One
// that makes no sense is wrong use, one that came too late is refused.
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
	err = exchange(ctx, &http.Client{Timeout: orderTimeout}, http.MethodPost, r.Admin+"/operator/"+path, text, &answer)
	if failure, ok := errors.AsType[*httpFailure](err); ok {
		switch failure.status {
		case http.StatusBadRequest:
			return &exitErr{exitUsage, fmt.Errorf("%s: %w", path, err)}
		case http.StatusConflict:
			return &exitErr{exitRefused, fmt.Errorf("%s: %w", path, err)}
		}
		return fmt.Errorf("%s: %w", path, err)
	}
	return err
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
			"taken back, and may be mined all the same.",
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

func newAlertCommand() *cobra.Command {
	return orderCommand{
		use: "alert", short: "Ask more confirmations of a chain's deposits",
		long: "alert puts a chain under suspicion: until alert --over no deposit is credited at\n" +
			"less than the depth for large values.",
		path: "alert", required: []string{"chain"},
		flags: func(cmd *cobra.Command, body map[string]any) {
			textFlag(cmd, body, "chain", "chain", "btc, ltc, bch, doge or eth")
			switchFlag(cmd, body, "over", "over", "end the alert")
		},
	}.command()
}

func newVetoCommand() *cobra.Command {
	return orderCommand{
		use: "veto", short: "Keep a withdrawal from being paid",
		long: "veto parks a withdrawal that no payout was planned for: large ones wait for that\n" +
			"long enough. With --give-back its tokens are returned; without, requeue has it\n" +
			"paid after all, or veto --give-back ends it later.",
		path: "veto", required: []string{"withdrawal"},
		flags: func(cmd *cobra.Command, body map[string]any) {
			textFlag(cmd, body, "withdrawal", "withdrawal", "sidechain transaction that burned the tokens")
			switchFlag(cmd, body, "give-back", "give_back", "return the tokens (the fee stays)")
		},
	}.command()
}

func newRequeueCommand() *cobra.Command {
	return orderCommand{
		use: "requeue", short: "Have a vetoed withdrawal paid after all",
		path: "requeue", required: []string{"withdrawal"},
		flags: func(cmd *cobra.Command, body map[string]any) {
			textFlag(cmd, body, "withdrawal", "withdrawal", "sidechain transaction that burned the tokens")
		},
	}.command()
}

func newClaimCommand() *cobra.Command {
	return orderCommand{
		use: "claim", short: "Credit a deposit that is held, too small or unclaimed",
		long: "claim has a deposit minted to the account that its address belongs to, though it\n" +
			"is not minted by itself. It goes the way of every mint, once.",
		path: "claim", required: []string{"deposit"},
		flags: func(cmd *cobra.Command, body map[string]any) {
			textFlag(cmd, body, "deposit", "deposit", "id of the deposit (chain:txid:output)")
		},
	}.command()
}

func newCancelCommand() *cobra.Command {
	return orderCommand{
		use: "cancel", short: "Replace a payout that is stuck by one to ourselves",
		long: "cancel plans a transaction that takes the inputs of a batch. Either the payout is\n" +
			"mined after all, or the cancel is: then the tokens of its withdrawals are given\n" +
			"back.",
		path: "cancel", required: []string{"batch"},
		flags: func(cmd *cobra.Command, body map[string]any) {
			textFlag(cmd, body, "batch", "batch", "id of the batch")
		},
	}.command()
}

func newAcknowledgeCommand() *cobra.Command {
	return orderCommand{
		use: "acknowledge", short: "Say that an alarm about a transaction was looked at",
		long: "acknowledge takes the alarm about a transaction of an outside chain away, so that\n" +
			"a chain that is resumed stays resumed. Whatever else happens is a new alarm.",
		path: "acknowledge", required: []string{"chain", "txid"},
		flags: func(cmd *cobra.Command, body map[string]any) {
			textFlag(cmd, body, "chain", "chain", "btc, ltc, bch, doge or eth")
			textFlag(cmd, body, "txid", "txid", "the transaction")
		},
	}.command()
}

func newPerishedCommand() *cobra.Command {
	return orderCommand{
		use: "perished", short: "Show that a deposit which a payout spends was double-spent away",
		long: "perished records that a transaction which has left the chain can never be mined:\n" +
			"another one, in a block, spends what it needs. The gateway finds that by itself\n" +
			"where nodes still have the block that left; this is for when they have not. --tx\n" +
			"is the transaction's bytes, and then those of the ones between it and what was\n" +
			"spent otherwise, each making an input of the one before. The signer's own nodes\n" +
			"must say the same before a payout is released.",
		path: "perished", required: []string{"chain", "tx", "by", "block"},
		flags: func(cmd *cobra.Command, body map[string]any) {
			textFlag(cmd, body, "chain", "chain", "btc, ltc, bch or doge")
			var list []string
			cmd.Flags().Func("tx", "bytes of a transaction, hex (repeatable)", func(v string) error {
				list = append(list, v)
				body["transactions"] = list
				return nil
			})
			textFlag(cmd, body, "by", "by", "txid of the transaction that spends it otherwise")
			textFlag(cmd, body, "block", "block", "hash of the block that holds that one")
		},
	}.command()
}
