package sidechain

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
)

// maxPegSupply is the largest supply that a token may have; what a peg may
// have is up to the contract pegs.
const maxPegSupply = "9007199254740991"

// genesis executes block 0 in an empty store: the base layer's rows, then the
// contracts, tokens and balances of the genesis document as ordinary
// transactions of the block.
func (e *Engine) genesis(rules Rules, chainID string) (err error) {
	g := e.cfg.Genesis
	parsed, err := jsvalue.Parse(string(e.cfg.GenesisBytes))
	if err != nil {
		return err
	}
	if e.rt, err = NewRuntime(e.db, e.config(rules), nil); err != nil {
		return err
	}
	mark := e.db.Base().Savepoint()
	defer func() {
		if err != nil {
			e.db.Base().Rollback(mark)
		}
		e.forget()
	}()
	if e.cfg.Machine != nil {
		if err := e.cfg.Machine.Genesis(e.db.Base()); err != nil {
			return err
		}
	}
	txs, err := e.genesisTransactions()
	if err != nil {
		return err
	}
	e.rt.genesis, _ = parsed.(*jsvalue.Object)
	e.addTicks()
	block, _, err := e.rt.Produce(Input{Timestamp: g.Timestamp, Transactions: txs})
	e.rt.genesis = nil
	if err != nil {
		return err
	}
	if err := genesisErrors(block); err != nil {
		return err
	}
	e.db.SetMeta(metaChain, []byte(chainID))
	return e.commit(Head{RefID: noID, Timestamp: g.Timestamp, StateHash: zeroHash}, block)
}

// addTicks registers the contracts' ticks from block 1 on.
func (e *Engine) addTicks() {
	for _, c := range e.cfg.Contracts {
		if t, ok := c.(contract.Ticker); ok {
			for _, action := range t.Ticks() {
				e.rt.reg.addTick(tick{c.Name(), action, 1})
			}
		}
	}
}

// genesisErrors finds a transaction of block 0 that failed. The first one
// fails always: it only carries the chain's id.
func genesisErrors(b *Block) error {
	for i, tx := range b.Transactions[1:] {
		if strings.HasPrefix(tx.Logs, `{"errors"`) {
			return fmt.Errorf("transaction %d, %s.%s %s: %s", i+1, tx.Contract.Value, tx.Action.Value, tx.Payload.Value, tx.Logs)
		}
	}
	return nil
}

// genesisTransactions builds block 0: the contract tokens first, its tokens,
// then the other contracts, which may rely on them, then balances, and the
// parameters last, because creating costs nothing before they are set.
func (e *Engine) genesisTransactions() ([]*Transaction, error) {
	g := e.cfg.Genesis
	b := &genesisBuilder{}
	b.add("null", "null", "null", jsvalue.NewObject("chainId", g.ChainID))
	tokens := slices.IndexFunc(e.cfg.Contracts, func(c contract.Contract) bool { return c.Name() == "tokens" })
	if tokens < 0 {
		return nil, errors.New("the contract tokens is not among the chain's contracts")
	}
	b.deploy(g.Admin, e.cfg.Contracts[tokens])
	b.createTokens(g)
	for i, c := range e.cfg.Contracts {
		if i == tokens {
			continue
		}
		owner := g.Admin
		if owned, ok := c.(contract.Owned); ok {
			owner = owned.GenesisOwner()
		}
		b.deploy(owner, c)
	}
	if err := b.issueTokens(g); err != nil {
		return nil, err
	}
	b.add(g.Admin, "tokens", "updateParams", jsvalue.NewObject(
		"tokenCreationFee", g.Params.TokenCreationFee,
		"enableDelegationFee", g.Params.EnableDelegationFee,
		"enableStakingFee", g.Params.EnableStakingFee,
		"heAccounts", jsvalue.NewObject(g.Admin, 1)))
	return b.txs, nil
}

// genesisBuilder collects the transactions of block 0. Their ids are those of
// operations of a transaction of 40 zeros.
type genesisBuilder struct{ txs []*Transaction }

func (b *genesisBuilder) add(sender, name, action string, payload *jsvalue.Object) {
	b.txs = append(b.txs, &Transaction{
		HasRef: true, ID: noID + "-" + strconv.Itoa(len(b.txs)),
		Sender: T(sender), Contract: T(name), Action: T(action), Payload: T(jsvalue.Stringify(payload)),
		nodeBuilt: true,
	})
}

func (b *genesisBuilder) deploy(owner string, c contract.Contract) {
	code := base64.StdEncoding.EncodeToString([]byte(c.CodeHash()))
	b.add(owner, "contract", "deploy", jsvalue.NewObject("name", c.Name(), "params", "", "code", code))
}

func (b *genesisBuilder) createToken(issuer, name, symbol string, precision int) {
	b.add(issuer, "tokens", "create", jsvalue.NewObject(
		"name", name, "symbol", symbol, "precision", precision, "maxSupply", maxPegSupply,
		"isSignedWithActiveKey", true))
}

func (b *genesisBuilder) issue(issuer, to, symbol, quantity string) {
	b.add(issuer, "tokens", "issue", jsvalue.NewObject(
		"symbol", symbol, "to", to, "quantity", quantity, "isSignedWithActiveKey", true))
}

// enableStaking lets the utility token be staked and delegated on the peer's
// terms (peer-spec 1.9). Nobody could do it later.
func (b *genesisBuilder) enableStaking(issuer, symbol string) {
	b.add(issuer, "tokens", "enableStaking", jsvalue.NewObject(
		"symbol", symbol, "unstakingCooldown", 40, "numberTransactions", 4, "isSignedWithActiveKey", true))
	b.add(issuer, "tokens", "enableDelegation", jsvalue.NewObject(
		"symbol", symbol, "undelegationCooldown", 7, "isSignedWithActiveKey", true))
}

const tokenPrecision = 8

// createTokens makes the utility token and the pegs, which belong to "null",
// and the native peg, which belongs to the account that backs it.
func (b *genesisBuilder) createTokens(g *Genesis) {
	b.createToken("null", g.Profile.UtilityToken+" Token", g.Profile.UtilityToken, tokenPrecision)
	b.enableStaking("null", g.Profile.UtilityToken)
	if g.BasePeg != nil {
		peg, symbol := *g.BasePeg, g.Profile.NativePeg
		b.createToken(peg, pegName(symbol), symbol, tokenPrecision)
		b.issue(peg, peg, symbol, maxPegSupply)
	}
	for _, a := range g.Assets {
		b.createToken("null", pegName(a.Symbol), a.Symbol, a.Precision)
	}
}

func pegName(symbol string) string {
	return strings.ReplaceAll(strings.TrimPrefix(symbol, "SWAP."), ".", " ") + " Pegged"
}

// issueTokens gives the accounts their tokens. A peg cannot be given: it only
// comes into being against a deposit.
func (b *genesisBuilder) issueTokens(g *Genesis) error {
	for _, account := range g.Accounts {
		symbols := make([]string, 0, len(account.Tokens))
		for symbol := range account.Tokens {
			symbols = append(symbols, symbol)
		}
		slices.Sort(symbols)
		for _, symbol := range symbols {
			if symbol != g.Profile.UtilityToken {
				return fmt.Errorf("account %s: %s cannot be given at genesis, only %s", account.Name, symbol, g.Profile.UtilityToken)
			}
			b.issue("null", account.Name, symbol, account.Tokens[symbol])
		}
	}
	return nil
}
