package sidechain

import (
	"math"

	"causeway/sidechain/contract"
)

// Names of the rules that the engine itself asks for.
const (
	// ruleBurnFee: resourcemanager.burnFee runs before every user transaction.
	ruleBurnFee = "burn-fee"
	// ruleCodeHash: a nested call's code hash is hashed into the caller's, not
	// appended to it.
	ruleCodeHash = "chained-code-hash"
	// ruleDeployError: an exception during deployment has one fixed text.
	ruleDeployError = "deploy-error-text"
	// ruleCommentLogs: calls of the contract comments stay in the block
	// whatever their logs say.
	ruleCommentLogs = "comment-logs-kept"
	// ruleCommentPost: a post that does not address the chain is a call of
	// comments.comment.
	ruleCommentPost = "comment-post"
	// ruleCommentMetadata: only app, tags and ssc of a post's metadata count.
	ruleCommentMetadata = "comment-metadata-filter"
	// ruleNFTChange: nested calls of mining.handleNftChange do nothing.
	ruleNFTChange = "nft-change-ignored"
)

// heights is the one table of rules that came into force at a height of the
// peer's chain. New chains start with all of them.
var heights = []struct {
	name string
	from uint64
	// absent is the answer for a transaction without a block number:
	// JavaScript's comparison with undefined is false either way round.
	absent bool
}{
	{ruleCommentPost, 54106800, false},
	{ruleCommentLogs, 54560501, false},
	{ruleNFTChange, 59377007, false},
	{contract.RuleDoubleDash, 74391382, true},
	{ruleCodeHash, 83680409, true},
	{ruleDeployError, 83680409, true},
	{ruleCommentMetadata, 83680409, false},
	{ruleBurnFee, 96287448, false},

	{contract.RuleOptionalHooks, never, false},
	{contract.RuleFixedSlices, never, false},
	{contract.RuleStakeBurns, never, false},
	{contract.RulePendingLimit, never, false},
}

// never is the height of rules that the peer's chain does not have: ours alone,
// each for a reason that ADR 0001 gives.
const never = math.MaxUint64

// Rules say which rules are on.
type Rules struct {
	// History: the chain is the peer's, and rules hold from their heights on.
	History bool
	// Switches of the genesis document.
	Switches map[string]bool
}

// on says whether a named rule holds at a base block.
func (r Rules) on(name string, ref uint64, hasRef bool) bool {
	for i := range heights {
		h := &heights[i]
		switch {
		case h.name != name:
			continue
		case !r.History:
			return true
		case !hasRef:
			return h.absent
		}
		return ref >= h.from
	}
	return r.Switches[name]
}
