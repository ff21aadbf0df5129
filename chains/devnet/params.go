package devnet

import (
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
)

// Params is one coin's flavour of the embedded chain. A flavour is data only:
// to add a coin, write a function that returns its Params.
type Params struct {
	// Name is the coin: btc, ltc, bch, doge. It also salts the wallet's seed.
	Name string
	// Net holds genesis block, magic, proof-of-work limit and retarget rules.
	// It is copied before use and never changed.
	Net *chaincfg.Params
	// Maturity is the depth at which a coinbase output can be spent; 0 keeps
	// that of Net.
	Maturity uint16
	// SegWit switches BIP 141 and BIP 341 on from block 1, or off for ever.
	SegWit bool
	// ForkID asks for Bitcoin Cash's signatures and order of transactions
	// (cash.go). It excludes SegWit.
	ForkID bool
	// FirstSeen refuses replacements, as nodes of some coins do that are run as
	// they are shipped.
	FirstSeen bool
	// Spare is how many coinbases beyond the first 20 a new chain mines for its
	// wallet.
	Spare int32
	// BlockVersion is written into every block; 0 lets BIP 9 decide.
	BlockVersion int32
	// PoW is the hash of the 80-byte header that is held against the target;
	// nil is the block hash itself. Block identity is always SHA-256d.
	PoW func(header []byte) chainhash.Hash
	// Addresses are the address forms of the coin.
	Addresses AddressCodec
	// Fees are the coin's fee policy.
	Fees Fees
	// AddressList prints the old `addresses` array (and reqSigs) in scripts
	// instead of `address`, as Litecoin 0.21, BCH and Dogecoin nodes do.
	AddressList bool
}

// Fees are fee rates in satoshi per 1000 virtual bytes.
type Fees struct {
	Wallet int64 // what sendtoaddress pays and estimatesmartfee answers
	Relay  int64 // the least that the mempool takes
	Max    int64 // default maxfeerate of sendrawtransaction
}

// Bitcoin is Bitcoin's regtest: real genesis, maturity 100, segwit and taproot
// active, halving every 150 blocks, 2 sat/vB.
func Bitcoin() Params {
	return Params{
		Name:     "btc",
		Net:      &chaincfg.RegressionNetParams,
		Maturity: 100,
		SegWit:   true,
		Addresses: ClassicAddresses{
			PubKeyHash: []byte{0x6f},
			ScriptHash: []byte{0xc4},
			HRP:        "bcrt",
		},
		Fees: Fees{Wallet: 2_000, Relay: 1_000, Max: 10_000_000},
	}
}

// network makes the private copy of the chain parameters. The deployments are
// made anew because blockchain.New ties their clocks to the chain it creates,
// which would be shared by every chain of the process.
func (p Params) network() *chaincfg.Params {
	net := *p.Net
	if p.Maturity != 0 {
		net.CoinbaseMaturity = p.Maturity
	}
	net.RelayNonStdTxs = false
	always := func(bit uint8) chaincfg.ConsensusDeployment {
		return chaincfg.ConsensusDeployment{
			BitNumber:          bit,
			AlwaysActiveHeight: 1,
			DeploymentStarter:  chaincfg.NewMedianTimeDeploymentStarter(time.Time{}),
			DeploymentEnder:    chaincfg.NewMedianTimeDeploymentEnder(time.Time{}),
		}
	}
	never := func(bit uint8) chaincfg.ConsensusDeployment {
		farOff := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
		return chaincfg.ConsensusDeployment{
			BitNumber:         bit,
			DeploymentStarter: chaincfg.NewMedianTimeDeploymentStarter(farOff),
			DeploymentEnder:   chaincfg.NewMedianTimeDeploymentEnder(farOff.Add(time.Hour)),
		}
	}
	for i := range net.Deployments {
		net.Deployments[i] = never(p.Net.Deployments[i].BitNumber)
	}
	net.Deployments[chaincfg.DeploymentCSV] = always(0)
	if p.SegWit {
		net.Deployments[chaincfg.DeploymentSegwit] = always(1)
		net.Deployments[chaincfg.DeploymentTaproot] = always(2)
	}
	return &net
}

// fundBlocks is how many blocks a new chain mines for its own wallet: enough
// for some twenty coinbases to be spendable.
func (p Params) fundBlocks(net *chaincfg.Params) int32 {
	return int32(net.CoinbaseMaturity) + 20 + p.Spare
}
