// Command campaign runs the test campaigns: thousands of short lives of a whole
// gateway against a simulated chain, each judged by a model that knows nothing of
// the gateway's code.
//
//	go run -tags failpoints ./cmd/campaign NAME [--runs N] [--seed S] [--chain C] [--json]
//
//	crash   processes killed at every crash point, and at any instant
//	model   exhaustive search of an abstract machine of the payout protocol
//	reorg   what is left after reorganisations depends on the final chain only
//	lies    one of three nodes lies, at every RPC method, in every way
//	load    very many deposits and withdrawals at once
//
// Run i of a campaign has the seed S + i, which alone decides it; `--runs 1
// --seed S` replays a failure, and CAUSEWAY_CAMPAIGN_LOG=1 shows every step.
// --off DEFENCE switches a defence off (package internal/failpoint), after which
// the campaign must fail. The exit code is 1 when there was any violation, 2 for
// wrong usage or a build without the tag.
//
// # Shape
//
// The parent holds the simulator (package chains/chaintest), the users and the
// judge; the child is this program again, started with the argument "child", with
// base layer, engine, signer, gateway and API wired as in cmd/causeway. They meet
// over HTTP only: the nodes' JSON-RPC in one direction, the public API in the
// other, and a few paths under /campaign/ that give the child its turns.
//
// To add a campaign: a function in the table of main.go. To add a chain: a kind
// (kind.go), whose world has the actions that can happen on it; the coins of the
// Bitcoin family share coin.go, utxoworld.go and utxoactions.go, Ethereum is ether.go
// and the files after it.
package main
