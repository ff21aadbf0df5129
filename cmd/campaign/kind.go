package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/http"

	"causeway/chains"
	"causeway/gateway"
	"causeway/hotwallet"
	"causeway/sidechain"
)

// kind is the outside chain that a life is led against, as the parent and the
// child know it: the coins of the Bitcoin family (coin), and Ethereum (ether).
type kind interface {
	terms() terms
	// simulate makes the chain of a life (parent).
	simulate(l *life, nodes, coins int) (world, error)
	// gateway and signer connect a node to it (child): the gateway's part of the
	// configuration, and the signer's.
	gateway(n *node) (gateway.ChainConfig, error)
	signer(n *node, cfg *hotwallet.SignerConfig) error
	// genesis is what the sidechain's genesis says of the chain.
	genesis(w *hotwallet.Wallet) (sidechain.GenesisKey, []sidechain.GenesisAsset, error)
}

// terms are the numbers of a kind. Units are base units.
type terms struct {
	id       chains.ID
	symbol   string // of the peg
	scale    int64  // units that are worth as much as one of Bitcoin
	fee      int64  // of a withdrawal
	minimum  int64  // of a deposit and of a withdrawal
	depth    uint64 // at which deposits are credited
	own      uint64 // the same when nothing is configured
	decimals int
	// final says that the chain itself names the blocks that are final: no depth is
	// configured, and nothing is rewritten below.
	final bool
}

// world is a simulated chain with its nodes, as every life needs it. What more can
// happen to a chain of its kind stands in its actions.
type world interface {
	http.Handler
	height() int // of the newest block that counts
	tip() string // names the newest block
	mine(blocks int) error
	// pay makes one transaction of several payments.
	pay(list ...payment) error
	// actions are what schedules choose from, beside what happens on every chain.
	actions() []action
	// payee is an address of nobody, and the script or account behind it, in hex.
	payee(rng *rand.Rand) (address, script string, err error)
	// calm takes away all that is wrong with the nodes.
	calm()
	// rest says what is still to be done before a life can be judged, beside what it
	// is on every chain; nothing when there is nothing.
	rest() (string, error)
	// judge compares what a gateway says with what happened.
	judge(l *life) error
}

// payment is coins for an address.
type payment struct {
	address string
	units   int64
}

// drawn are the chains that seeds draw, in this order.
func drawn() []kind { return []kind{bitcoinCoin(), litecoinCoin(), cashCoin(), dogecoinCoin()} }

// kinds are all chains.
func kinds() []kind { return append(drawn(), ether{}) }

func kindOf(id chains.ID) (kind, error) {
	for _, k := range kinds() {
		if k.terms().id == id {
			return k, nil
		}
	}
	return nil, fmt.Errorf("no campaign is led on chain %q", id)
}

// kindFor is the chain that was asked for, or the one that a seed draws.
func (o options) kindFor(seed uint64) kind {
	if k, err := kindOf(o.chain); err == nil {
		return k
	}
	return drawn()[rand.New(rand.NewPCG(seed, 77)).IntN(len(drawn()))]
}

// finalDepth is where payouts find what they spend, and death is certain.
func (l *life) finalDepth() uint64 { return l.depth + l.extra }

// depths decides how deep a deposit must be in this life.
func (l *life) depths(configured uint64) {
	l.depth, l.extra = cmp.Or(configured, l.terms().depth), inputExtra
}
