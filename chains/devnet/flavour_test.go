package devnet

import (
	"math/big"
	"testing"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"golang.org/x/crypto/scrypt"
)

// dogeLike has what Params can vary, all varied: scrypt proof of work, another
// genesis block and block version, no segwit, maturity 60, no halving, higher
// fees, old script JSON.
func dogeLike(t *testing.T) Params {
	coinbase := wire.NewMsgTx(1)
	coinbase.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&chainhash.Hash{}, wire.MaxPrevOutIndex), []byte{4, 0xff, 0xff, 0, 0x1d, 1, 4}, nil))
	coinbase.AddTxOut(wire.NewTxOut(88*coin, []byte{0x6a}))
	genesis := &wire.MsgBlock{
		Header: wire.BlockHeader{
			Version: 1, Timestamp: time.Unix(1296688602, 0), Bits: 0x207fffff, Nonce: 2,
			MerkleRoot: blockchain.CalcMerkleRoot([]*btcutil.Tx{btcutil.NewTx(coinbase)}, false),
		},
		Transactions: []*wire.MsgTx{coinbase},
	}
	hash := genesis.BlockHash()
	net := chaincfg.RegressionNetParams
	net.GenesisBlock, net.GenesisHash = genesis, &hash
	net.SubsidyReductionInterval = 0
	net.PowLimit = new(big.Int).Set(net.PowLimit)
	return Params{
		Name:         "doge",
		Net:          &net,
		Maturity:     60,
		BlockVersion: 98<<16 | 4,
		PoW: func(header []byte) (hash chainhash.Hash) {
			key, err := scrypt.Key(header, header, 1024, 1, 1, len(hash))
			if err != nil {
				t.Error(err)
			}
			copy(hash[:], key)
			return hash
		},
		Addresses:   ClassicAddresses{PubKeyHash: []byte{0x6f}, ScriptHash: []byte{0xc4}},
		Fees:        Fees{Wallet: 1_000_000, Relay: 100_000, Max: 100_000_000},
		AddressList: true,
	}
}

func TestFlavour(t *testing.T) {
	params := dogeLike(t)
	dir := t.TempDir()
	chain, c := start(t, Config{Params: params, Dir: dir})
	mustEqual(t, "height", c.count(), 80)
	to := c.text("getnewaddress")
	mustEqual(t, "form", to[0] == 'm' || to[0] == 'n', true)
	txid := c.text("sendtoaddress", to, 7)
	tx := c.rawTx(txid)
	mustEqual(t, "witness", tx.HasWitness(), false)
	_, value := c.outputTo(txid, to)
	mustEqual(t, "value", value, "7.00000000")
	hash := c.mine(1)[0]
	block := decodeBlock(t, c.text("getblock", hash, 0))
	mustEqual(t, "version", block.MsgBlock().Header.Version, 98<<16|4)
	mustEqual(t, "proof of work", chain.meetsTarget(&block.MsgBlock().Header), true)
	mustEqual(t, "fee", ask[map[string]any](c, "estimatesmartfee", 2)["feerate"] != nil, true)
	c.refuse(codeAddressOrKey, "Unknown address type", "getnewaddress", "", "bech32")
	c.refuse(codeAddressOrKey, "Invalid address", "sendtoaddress", "bcrt1q6xj6exspt7kzaaang9nnvd239g23raqlszyhgm", 1)
	c.refuse(codeRejected, "min relay fee", "sendrawtransaction", encodeTx(t, newSpender(t, chain).tx(2000, final, chain.wallet.change)))

	c.null("invalidateblock", hash)
	c.mine(2)
	before := c.snapshot()
	_, killed := start(t, Config{Params: params, Dir: copyDir(t, dir)})
	mustEqual(t, "after a kill", killed.snapshot(), before)
}

// A block that misses its target is refused although btcd does not look.
func TestFlavourProofOfWork(t *testing.T) {
	params := dogeLike(t)
	chain, _ := start(t, Config{Params: params})
	template, err := chain.template.NewBlockTemplate(nil)
	if err != nil {
		t.Fatal(err)
	}
	for header := &template.Block.Header; chain.meetsTarget(header); {
		header.Nonce++
	}
	if err := chain.process(btcutil.NewBlock(template.Block)); err == nil {
		t.Error("took a block without proof of work")
	}
}
