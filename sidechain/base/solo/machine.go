package solo

import (
	"errors"
	"fmt"
	"slices"

	"causeway/sidechain"
	"causeway/sidechain/base"
	"causeway/sidechain/graphene"
	"causeway/sidechain/state"
)

// Limits that every node checks. They are Hive's.
const (
	MaxTransaction = 64 << 10 // bytes, signatures included
	MaxBlock       = 2 << 20  // bytes
	MaxSignatures  = 64       // of one transaction
	MaxExpiration  = 3600     // seconds between a block and the expiration of a transaction in it
	TaposWindow    = 4096     // blocks back that a transaction may refer to

	defaultAccountTransactions = 50 // per account and block, when genesis says nothing
	operationsPerTransaction   = 8  // of one account, on average over its transactions of a block
)

// ErrInvalidBlock is wrapped by every error about a block that breaks a rule.
var ErrInvalidBlock = errors.New("solo: invalid block")

// MachineConfig is what the rules depend on. All of it is the same for every
// node of a network.
type MachineConfig struct {
	Genesis *sidechain.Genesis
	ChainID [32]byte // sidechain.BaseChainID of the genesis file
	// ContractNames may not become names of accounts, nor may the family's.
	ContractNames []string
	// SkipSignatures trusts the blocks' signatures (verify --no-signatures).
	SkipSignatures bool
}

// Machine is the base layer's deterministic state: accounts, balances of the
// base coin, posts, votes and the ids of recent transactions, as rows of the
// base section. It implements [base.Machine] and [base.Directory]. It holds
// nothing between calls but a cache of recovered keys and is safe for
// concurrent use as far as its section is.
type Machine struct {
	genesis   *sidechain.Genesis
	chainID   [32]byte
	sequencer graphene.PublicKey
	prefix    string
	fee       int64 // of account_create, burned
	perBlock  int   // transactions of one account
	forbidden map[string]string
	accounts  []genesisAccount
	skipKeys  bool
	known     knownCache
}

type genesisAccount struct {
	name                   string
	owner, active, posting graphene.Authority
	memo                   graphene.PublicKey
	balance                int64
}

// NewMachine checks the parts of genesis that concern the base layer.
func NewMachine(cfg MachineConfig) (*Machine, error) {
	g := cfg.Genesis
	m := &Machine{
		genesis: g, chainID: cfg.ChainID, prefix: g.Profile.AddressPrefix,
		perBlock: g.Params.MaxBlockTransactions, skipKeys: cfg.SkipSignatures,
	}
	if m.perBlock == 0 {
		m.perBlock = defaultAccountTransactions
	}
	if g.Profile.BaseCoin != baseCoin {
		return nil, genesisError("base_coin %q: the base layer's coin is %s", g.Profile.BaseCoin, baseCoin)
	}
	if m.prefix != graphene.DefaultPrefix {
		return nil, genesisError("address_prefix %q: public keys begin with %s", m.prefix, graphene.DefaultPrefix)
	}
	var err error
	if m.sequencer, err = validKey(g.Sequencer); err != nil {
		return nil, genesisError("sequencer: %w", err)
	}
	if m.fee, err = parseCoin(g.Params.AccountFee, true); err != nil {
		return nil, genesisError("account_fee: %w", err)
	}
	m.forbidNames(cfg.ContractNames)
	return m, m.readAccounts()
}

// familyContracts are the names of contracts on chains of this family, built
// here or not: they are kept, so that one may be deployed later without
// finding its name taken, and without another rule for old blocks.
var familyContracts = []string{
	"airdrops", "beedollar", "botcontroller", "burndollar", "claimdrops", "comments", "contract", "crittermanager",
	"dice", "distribution", "hivepegged", "inflation", "market", "marketmaker", "marketpools", "mining", "nft",
	"nftairdrops", "nftauction", "nftmarket", "packmanager", "pegs", "resourcemanager", "roulette", "sscstore",
	"steempegged", "tokenfunds", "tokens", "witnesses",
}

// forbidNames collects the names that no account may have, and why.
func (m *Machine) forbidNames(contracts []string) {
	m.forbidden = map[string]string{nullAccount: "is where tokens are burned"}
	for _, name := range slices.Concat(contracts, familyContracts) {
		m.forbidden[name] = "is the name of a contract"
	}
	for _, name := range m.genesis.Reserved {
		m.forbidden[name] = "is reserved"
	}
	m.forbidden[m.genesis.Pegs.FeeAccount] = "is kept for the pegs"
	m.forbidden[m.genesis.Pegs.Gate] = "is kept for the pegs"
}

func (m *Machine) readAccounts() error {
	supply := int64(0)
	for _, a := range m.genesis.Accounts {
		if err := m.validNewName(a.Name); err != nil {
			return genesisError("account %q: %w", a.Name, err)
		}
		account := genesisAccount{name: a.Name}
		for _, role := range []struct {
			text string
			into *graphene.Authority
		}{{a.Owner, &account.owner}, {a.Active, &account.active}, {a.Posting, &account.posting}} {
			key, err := validKey(role.text)
			if err != nil {
				return genesisError("account %q: %w", a.Name, err)
			}
			*role.into = graphene.KeyAuthority(key)
		}
		var err error
		if account.memo, err = graphene.ParsePublicKey(m.prefix, a.Memo); err != nil {
			return genesisError("account %q: %w", a.Name, err)
		}
		if account.balance, err = parseCoin(a.Base, true); err != nil {
			return genesisError("account %q: %w", a.Name, err)
		}
		if supply += account.balance; supply < 0 {
			return genesisError("the balances exceed what can be counted")
		}
		m.accounts = append(m.accounts, account)
	}
	return nil
}

func genesisError(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{sidechain.ErrGenesis}, args...)...)
}

func validKey(text string) (graphene.PublicKey, error) {
	key, err := graphene.ParsePublicKey(graphene.DefaultPrefix, text)
	if err == nil && !key.Valid() {
		err = fmt.Errorf("%w: %s is not a point of the curve", graphene.ErrKey, text)
	}
	return key, err
}

// ChainID is what signatures of the network commit to.
func (m *Machine) ChainID() [32]byte { return m.chainID }

// SequencerKey is the key that signs the blocks.
func (m *Machine) SequencerKey() graphene.PublicKey { return m.sequencer }

// Witness is the account that stands as producer in the headers.
func (m *Machine) Witness() string { return m.genesis.Admin }

// Genesis implements [base.Machine].
func (m *Machine) Genesis(sec *state.Section) error {
	createTables(sec)
	supply := int64(0)
	for _, a := range m.accounts {
		supply += a.balance
	}
	sec.Table(tableProperties).Insert(newRow(
		"number", 0,
		"id", graphene.BlockID{}.String(),
		"time", m.genesis.Timestamp,
		"supply", units(supply),
	))
	r := &run{m: m, sec: sec, timestamp: m.genesis.Timestamp}
	for _, a := range m.accounts {
		r.insertAccount(a.name, "", a.memo, "", &a.owner, &a.active, &a.posting)
		r.setBalance(a.name, a.balance)
	}
	return nil
}

// Apply implements [base.Machine]: it checks the block wholly, its header and
// every transaction, and writes what they change. After an error the section
// is good for nothing but a rollback.
func (m *Machine) Apply(sec *state.Section, b *base.Block) error {
	if err := m.apply(sec, b); err != nil {
		return fmt.Errorf("%w %d: %w", ErrInvalidBlock, b.Number, err)
	}
	return nil
}

func (m *Machine) apply(sec *state.Section, b *base.Block) error {
	head := readHead(sec)
	if err := m.checkFrame(head, b); err != nil {
		return err
	}
	r, err := m.begin(sec, b.Timestamp)
	if err != nil {
		return err
	}
	r.forget()
	leaves := make([][32]byte, len(b.Transactions))
	for i := range b.Transactions {
		tx := &b.Transactions[i]
		p, err := m.prepare(&tx.SignedTransaction)
		if err != nil {
			return fmt.Errorf("transaction %d: %w", i, err)
		}
		if p.id != tx.ID {
			return fmt.Errorf("transaction %d: its id is %s, not %s", i, p.id, tx.ID)
		}
		leaves[i] = p.leaf
		if err := r.apply(p, i); err != nil {
			return fmt.Errorf("transaction %d (%s): %w", i, p.id, err)
		}
	}
	if err := m.checkHeader(b, graphene.MerkleRoot(leaves)); err != nil {
		return err
	}
	r.finish(b.ID)
	return nil
}

// checkFrame compares the block with the one before it.
func (m *Machine) checkFrame(head Head, b *base.Block) error {
	seconds, err := graphene.ParseTime(b.Timestamp)
	switch {
	case err != nil:
		return err
	case b.Number != head.Number+1 || b.Previous != head.ID:
		return fmt.Errorf("it follows %s, the head is block %d, %s", b.Previous, head.Number, head.ID)
	case seconds <= head.seconds():
		return fmt.Errorf("its time %s is not after %s", b.Timestamp, head.Time)
	case b.Witness != m.Witness():
		return fmt.Errorf("producer %q, not %q", b.Witness, m.Witness())
	case b.Commitment == nil:
		return errors.New("no state commitment")
	case len(b.Raw) > MaxBlock:
		return fmt.Errorf("%d bytes, at most %d", len(b.Raw), MaxBlock)
	}
	return nil
}

// AccountExists implements [base.Directory].
func (m *Machine) AccountExists(sec *state.Section, name string) bool {
	t := sec.Table(tableAccounts)
	return t != nil && t.Find1("name", name) != nil
}
