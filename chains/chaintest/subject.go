package chaintest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"testing"

	"causeway/chains"
)

// Subject is a chain under the conformance suite (Run): how to reach it, how to
// move coins on it, and what it can be made to do. What may be nil is a fact about
// the chain or its node: Lacks then says why, under the name of the case.
type Subject struct {
	Name  string
	Chain chains.Chain
	// Payer moves coins and makes blocks; Units is a usual payment, in base units.
	Payer Payer
	Units int64
	// Blocks is how many are caught up with; 0: 1,000.
	Blocks int
	// Open makes a new client, as a process that starts does.
	Open func(testing.TB) Client
	// Kinds are fresh addresses, one of each form of output that the chain knows;
	// another salt gives others.
	Kinds func(salt string) []Kind

	// Send makes one transaction of several payments.
	Send func(outputs ...Output) (txid string, err error)
	// Conflict makes, and does not send, a dearer transaction that takes the coins
	// of a payment elsewhere.
	Conflict func(txid string) (raw []byte, err error)
	// Reorg puts depth + 1 other blocks in place of the newest depth; what becomes of
	// a payment in them, or of one that waits, is said.
	Reorg func(txid string, depth int, fate Fate) error
	// Evict takes a payment out of the mempool of every node.
	Evict func(txid string) error
	// Reward makes, and does not send, a transaction that spends what the block at a
	// height pays its miner.
	Reward func(height uint64) (raw []byte, out chains.Outpoint, err error)
	// Restart stops the node, calls down, and starts it again.
	Restart func(down func()) error
	// Show is what the node's JSON says of a block of its best chain. Whether an
	// output holds tokens is not compared.
	Show func(t testing.TB, hash string) *chains.Block
	// Strangers are clients of other chains and networks, each beside this node.
	Strangers func(testing.TB) map[string]chains.Source
	// Old is a client that asks for a newer node than this one.
	Old func(testing.TB) chains.Source
	// Wallet plans and signs payouts.
	Wallet *Wallet
	// Faults are ways in which the node misbehaves for a while.
	Faults []Trouble

	// Lacks says by the name of a case why it does not apply.
	Lacks map[string]string
}

// Client is one process's view of a chain: its nodes, and the walk along it. A
// follower of the Bitcoin family is made by NewClient.
type Client interface {
	chains.Source
	// Next is the next step from the tail, as chains.Follower's.
	Next(ctx context.Context, tail []chains.BlockRef) (chains.Event, error)
}

// follows is a source with its follower.
type follows struct {
	chains.Source
	follower *chains.Follower
}

// Next implements Client.
func (f follows) Next(ctx context.Context, tail []chains.BlockRef) (chains.Event, error) {
	return f.follower.Next(ctx, tail)
}

// NewClient is the client of a chain whose blocks its Chain decodes.
func NewClient(source chains.Source, chain chains.Chain) Client {
	return follows{source, chains.NewFollower(source, chain, chains.FollowerOptions{})}
}

// Kind is an address of one form.
type Kind struct {
	Name    string
	Address string
	Script  []byte
	// MinDepth and Tokens are what is expected of an output to it.
	MinDepth uint64
	Tokens   bool
	// Pay makes the payment where the Payer cannot; the transaction that holds the
	// output may then be another's.
	Pay func(units int64) error
	// In says that the kind can only come in.
	In bool
}

// ScriptKinds are the standard forms of output that a chain of the Bitcoin family
// knows, with hashes that nobody has the key of.
func ScriptKinds(chain chains.Chain, salt string) (kinds []Kind) {
	hash := sha256.Sum256([]byte("causeway chaintest " + salt))
	for _, k := range []struct {
		name           string
		before, after  []byte
		length, offset int
	}{
		{"P2PKH", []byte{0x76, 0xa9, 20}, []byte{0x88, 0xac}, 20, 0},
		{"P2SH", []byte{0xa9, 20}, []byte{0x87}, 20, 1},
		{"P2WPKH", []byte{0, 20}, nil, 20, 2},
		{"P2WSH", []byte{0, 32}, nil, 32, 0},
		{"P2TR", []byte{0x51, 32}, nil, 32, 0},
	} {
		script := append(append(append([]byte{}, k.before...), hash[k.offset:k.offset+k.length]...), k.after...)
		address, err := chain.Address(script)
		if err != nil {
			continue
		}
		kinds = append(kinds, Kind{Name: k.name, Address: address, Script: script})
	}
	return kinds
}

// Fate is what becomes of a payment in a reorganisation.
type Fate string

// The fates.
const (
	Again    Fate = "again"    // it stands in another block
	Gone     Fate = "gone"     // in none, though it may still wait
	Replaced Fate = "replaced" // a transaction that takes its coins stands in its place
)

// Trouble is a node's misbehaviour. Whoever follows meanwhile may learn nothing,
// but nothing false.
type Trouble struct {
	Name       string
	Begin, End func()
}

// Wallet is the project's planning and signing, for one depositor's address.
type Wallet struct {
	Account string
	Address string
	// Change is the script that what is left over goes to; nil: to none.
	Change []byte
	// MaxRate is the highest fee rate that it pays.
	MaxRate chains.FeeRate
	// Cost is what a payout of an account has cost, by the chain. nil: the wallet has
	// coins and not an account. That of an account pays one payee in a transaction, from
	// all that came in, and the fee beside it.
	Cost func(txid string) (chains.Amount, error)
	// Pay plans and signs one payout from funds; height is that of the tip.
	Pay func(funds []Fund, payees []Output, rate chains.FeeRate, height uint64) (*Payout, error)
}

// Fund is a payment to a Wallet's address, with its transaction.
type Fund struct {
	chains.Payment
	Raw   []byte
	Depth uint64
}

// Payout is a signed transaction. Size is its own, in what fee rates are of; Planned
// is the size that its fee was reckoned on.
type Payout struct {
	TxID    string
	Raw     []byte
	Fee     chains.Amount
	Size    uint64
	Planned uint64
}

func (k Kind) String() string { return fmt.Sprintf("%s %s", k.Name, k.Address) }
