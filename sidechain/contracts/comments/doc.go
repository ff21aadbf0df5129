// Package comments is the contract that rewards posts with a token ("SCOT",
// proof of brain; peer-spec section 4). The issuer of a token opens a reward
// pool; posts with one of its tags take part, stakers vote, and after the
// cashout window authors, curators and beneficiaries share what was minted.
//
// The node alone calls comment, commentOptions and vote, as "null", from
// operations whose authority it verified. There is no tick: the first post or
// vote of a block does the maintenance (mint, decay, pay) of at most
// params.maintenanceTokensPerBlock pools, each for one interval, at most
// params.maxPostsProcessedPerRound posts and little more than
// params.maxVotesProcessedPerRound votes; what is left waits for the next
// block with the numbers of its interval.
//
// Invariants, on new chains:
//   - what the contract holds of a pool's token is at least the pool's
//     rewardPool, and that is never negative;
//   - a post pays at most what its interval gave it, a vote is paid once;
//   - voting power lies between 0 and 10,000.
//
// On the peer's chain the first two do not hold; the constants Switch… name the
// differences. The operators that the peer's database finds in a payload
// ({"$ne":…} for a symbol) are values here and find nothing.
//
// Curves are powers: exact where the exponent is 1, 2 or 0.5, otherwise
// JavaScript doubles (jsvalue.Pow), cut to ten decimals.
//
// To add a rule that differs from the peer: a constant Switch… (on: as the
// peer) and edition.asPeer where it matters. To add a member of a pool's
// config: its name in configMembers, its check in checkConfig.
package comments
