package comments

import (
	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

const (
	// currentHash is the peer's executedCodeHash.
	currentHash = "c11f25289e000a255acf5b0cd51f9248df97a572a45edcd1d1fb770bc32d3f61"
	// newChainHash is SHA-256("causeway/comments/1").
	newChainHash = "5e856d207b882abfcdd1a3f9e2899d41b3e7316fb0d888bf316aaf1ff7f128c1"
)

// Genesis switches. Each turns one rule of a new chain back into the peer's.
const (
	// SwitchTaxTwice: the app tax of a post without beneficiaries is paid on
	// top of the author's full share instead of out of it.
	SwitchTaxTwice = "comments-tax-paid-twice"
	// SwitchUnbacked: a pool counts rewards that could not be minted because
	// the token's maximum is reached, and a post may pay more than it takes from
	// the pool, or than the pool has left: when a pool's config changes, or a
	// post is muted, while it is being paid.
	SwitchUnbacked = "comments-unbacked-rewards"
	// SwitchOrphans: the votes for a post that declined its payout or was muted
	// stay for ever. Otherwise they are removed with it, unpaid.
	SwitchOrphans = "comments-orphaned-votes"
	// SwitchLateVotes: a vote at the very second of the cashout counts. It can
	// follow the maintenance that summed up the interval's claims, so that a
	// post is paid with claims that nobody counted.
	SwitchLateVotes = "comments-votes-at-cashout"
	// SwitchWideLimits: updateParams takes limits beyond 1,000, with which the
	// database refuses to answer and the maintenance stops.
	SwitchWideLimits = "comments-limits-unbounded"
)

const (
	shareDecimals = 10    // of rshares, claims and curation weights
	fullPower     = 10000 // voting power, and weight of a whole vote
	hundred       = 100
	pageSize      = 1000 // rows that the peer's find returns at most
	day           = 24 * 3600 * 1000
	nobody        = "null"
)

// edition is one version of the contract.
type edition struct {
	hash    string
	peer    bool // every switch is on
	actions map[string]contract.Action
}

// Switches implements contract.Switched.
func (e *edition) Switches() []string {
	return []string{SwitchTaxTwice, SwitchUnbacked, SwitchOrphans, SwitchLateVotes, SwitchWideLimits}
}

// New returns the contract as new chains start with it.
func New() contract.Contract { return build(&edition{hash: newChainHash}) }

// Current is the peer's newest contract.
func Current() contract.Contract { return build(&edition{hash: currentHash, peer: true}) }

func build(e *edition) contract.Contract {
	e.actions = map[string]contract.Action{
		"updateParams":     e.updateParams,
		"createRewardPool": e.createRewardPool,
		"updateRewardPool": e.updateRewardPool,
		"setActive":        setActive,
		"setMute":          setMute,
		"setPostMute":      setPostMute,
		"resetPool":        resetPool,
		"comment":          e.comment,
		"commentOptions":   commentOptions,
		"vote":             e.vote,
	}
	return e
}

// Name implements contract.Contract.
func (e *edition) Name() string { return "comments" }

// CodeHash implements contract.Contract.
func (e *edition) CodeHash() string { return e.hash }

// Actions implements contract.Contract.
func (e *edition) Actions() map[string]contract.Action { return e.actions }

// Tables implements contract.Tabler.
func (e *edition) Tables() []state.TableDef { return tables }

// asPeer says whether a rule is the peer's.
func (e *edition) asPeer(ctx contract.Context, name string) bool {
	return e.peer || ctx.Switch(name)
}

// Tables and indexes.
const (
	paramsTable   = "params"
	poolTable     = "rewardPools"
	postTable     = "posts"
	metadataTable = "postMetadata"
	voteTable     = "votes"
	powerTable    = "votingPower"

	bySymbol     = "symbol" // rewardPools, hidden
	byAuthorperm = "authorperm"
	byCashout    = "byCashoutTime"
	byTime       = "byTimestamp"
)

var tables = []state.TableDef{
	{Name: paramsTable},
	{
		Name: poolTable,
		Indexes: []state.Index{
			{Name: "config.tags", Fields: []string{"config.tags"}},
			{Name: "lastClaimDecayTimestamp", Fields: []string{"lastClaimDecayTimestamp"}},
		},
		Lookups: []state.Index{{Name: bySymbol, Fields: []string{"symbol"}}},
	},
	{
		Name: postTable, PrimaryKey: []string{"authorperm", "rewardPoolId"},
		Indexes: []state.Index{
			{Name: byAuthorperm, Fields: []string{"authorperm"}},
			{Name: byCashout, Fields: []string{"rewardPoolId", "cashoutTime"}},
		},
	},
	{Name: metadataTable, PrimaryKey: []string{"authorperm"}},
	{
		Name: voteTable, PrimaryKey: []string{"rewardPoolId", "authorperm", "voter"},
		Indexes: []state.Index{{Name: byTime, Fields: []string{"rewardPoolId", "authorperm", "timestamp"}}},
	},
	{Name: powerTable, PrimaryKey: []string{"rewardPoolId", "account"}},
}

// Setup implements contract.Contract.
func (e *edition) Setup(ctx contract.Context) {
	if ctx.Table(poolTable) != nil {
		return
	}
	for _, def := range tables {
		ctx.CreateTable(def)
	}
	ctx.Table(paramsTable).Insert(jsvalue.NewObject(
		"setupFee", "1000",
		"updateFee", "20",
		"maxPoolsPerPost", 20,
		"maxTagsPerPool", 5,
		"maintenanceTokensPerBlock", 2,
		"lastMaintenanceBlock", float64(ctx.BlockNumber()),
		"maxPostsProcessedPerRound", 20,
		"voteQueryLimit", 100,
		"maxVotesProcessedPerRound", 100,
		"lastProcessedPoolId", 0,
	))
}
