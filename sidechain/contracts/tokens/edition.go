package tokens

import (
	"causeway/sidechain/contract"
	"causeway/sidechain/state"
)

// Code hashes of the peer's contract texts (its executedCodeHash).
const (
	bootstrapHash = "9f4e5ec54de1c9ca9365646184ee91d80260f795b6dada8a922ddca8ad4b3e10"
	interimHash   = "09a906acd21763be71e496eb95fdf94b4b3eb0684409a31aafb092a84bfbef08"
	currentHash   = "52d472e317c15dd8f776e48c5b22467d31a071c9379f010f72b30b2383858754"
	// newChainHash is SHA-256("causeway/tokens/1").
	newChainHash = "6f745d3f3c36e466e8502547b5397346256a00b9967974edef6b006bf9b6ba8f"
)

// edition is one version of the contract: a value that implements
// contract.Contract.
type edition struct {
	hash string
	// migrate is what createSSC does to the parameters of a chain that has
	// them already.
	migrate func(ctx contract.Context, params *state.Table)
	// listed: heAccounts pay no creation fee, and only they may use the
	// restricted texts in symbols.
	listed        bool
	restricted    []string // forbidden anywhere in a symbol
	restrictedDot bool
	// reserved maps symbols to the one account that may create them.
	reserved map[string]string
	// issuers are contracts that may issue any token as "null"; freeIssuers
	// may as any sender.
	issuers, freeIssuers []string
	// normalised: issue and the transfers to and from contracts book the
	// quantity with exactly the token's decimals. A plain transfer never does.
	normalised bool
	// blacklist: transfers are checked against params.blacklist; otherwise a
	// fixed list holds for the pegged coin.
	blacklist bool
	// ownerEvent: transferOwnership emits an event.
	ownerEvent bool
	// nullTransfers: "null" may move a user's tokens to a contract.
	nullTransfers bool
	// contractKey: transferFromContract wants an active key.
	contractKey bool
	// looseParams: updateParams takes the fees as they come.
	looseParams bool
	// staked: the actions on stakes and delegations are this edition's. Those
	// of older ones, which no recorded chain calls, are not built.
	staked bool
	// pegged: the rules of chains with the contract pegs and its gate.
	pegged bool

	actions map[string]contract.Action
}

// switchGate: a transfer to the pegs' gate is a withdrawal.
const switchGate = "gate"

// Switches implements contract.Switched.
func (e *edition) Switches() []string { return []string{switchGate} }

// New returns the contract as new chains start with it.
func New() contract.Contract {
	e := current()
	e.hash = newChainHash
	e.reserved = nil
	e.issuers = append(e.issuers, "pegs")
	e.pegged = true
	return e.build()
}

// Current is the peer's newest contract.
func Current() contract.Contract { return current().build() }

// Interim is the version that only left two unused parameters behind.
func Interim() contract.Contract {
	return (&edition{
		hash:       interimHash,
		migrate:    markUnused,
		listed:     true,
		restricted: []string{"SWAP"},
		reserved:   reservedSymbols,
		issuers:    []string{"mining"},
	}).build()
}

// Bootstrap is the version in the peer's genesis block. Of its reserved
// symbols only those that later versions kept are known here.
func Bootstrap() contract.Contract {
	return (&edition{
		hash:        bootstrapHash,
		reserved:    reservedSymbols,
		contractKey: true,
		looseParams: true,
	}).build()
}

func current() *edition {
	return &edition{
		hash:          currentHash,
		migrate:       addLists,
		listed:        true,
		restricted:    []string{"SWAP", "ETH", "BSC"},
		restrictedDot: true,
		reserved:      reservedSymbols,
		issuers:       []string{"comments", "mining", "tokenfunds", "beedollar", "burndollar"},
		freeIssuers:   []string{"beedollar", "burndollar"},
		normalised:    true,
		blacklist:     true,
		ownerEvent:    true,
		nullTransfers: true,
		staked:        true,
	}
}

// reservedSymbols belong to the accounts that had them on the older chain.
var reservedSymbols = map[string]string{
	"ENG":    "null",
	"STEEMP": "steem-peg",
	"BTCP":   "btcpeg",
	"LTCP":   "ltcp",
	"DOGEP":  "dogep",
	"BCHP":   "bchp",
	"SMTT":   "steemmonsters",
	"EM":     "steem-eng",
	"EMFOUR": "steem-eng",
	"HIVEP":  "steem-tokens",
	"GLINT":  "steemmonsters",
}

func (e *edition) build() *edition {
	e.actions = map[string]contract.Action{
		"updateParams":              e.updateParams,
		"updateUrl":                 e.updateURL,
		"updateMetadata":            e.updateMetadata,
		"updatePrecision":           e.updatePrecision,
		"transferOwnership":         e.transferOwnership,
		"create":                    e.create,
		"issue":                     e.issue,
		"issueToContract":           e.issueToContract,
		"transfer":                  e.transfer,
		"transferToContract":        e.transferToContract,
		"transferFromContract":      e.transferFromContract,
		"checkPendingUnstakes":      e.checkPendingUnstakes,
		"checkPendingUndelegations": e.checkPendingUndelegations,
	}
	for name, action := range e.stakingActions() {
		if !e.staked {
			action = notBuilt
		}
		e.actions[name] = action
	}
	return e
}

// Name implements contract.Contract.
func (e *edition) Name() string { return "tokens" }

// CodeHash implements contract.Contract.
func (e *edition) CodeHash() string { return e.hash }

// Actions implements contract.Contract.
func (e *edition) Actions() map[string]contract.Action { return e.actions }

// Tables implements contract.Tabler.
func (e *edition) Tables() []state.TableDef { return tables }

// Ticks implements contract.Ticker.
func (e *edition) Ticks() []string {
	return []string{"checkPendingUnstakes", "checkPendingUndelegations"}
}
