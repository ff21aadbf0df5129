package devnet

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

type outJSON struct {
	BestBlock     string
	Confirmations int
	Value         json.Number
	ScriptPubKey  scriptJSON
	Coinbase      bool
}

// A newcomer's round: fund, send, mine, find the payment in the raw block.
func TestFundSendMine(t *testing.T) {
	_, c := start(t, Config{})
	mustEqual(t, "height", c.count(), 120)
	mustEqual(t, "balance", ask[json.Number](c, "getbalance").String(), "1050.00000000")

	to := c.text("getnewaddress")
	txid := c.text("sendtoaddress", to, json.Number("0.12345678"))
	mustEqual(t, "mempool", strings.Join(c.mempool(), " "), txid)
	index, value := c.outputTo(txid, to)
	mustEqual(t, "value", value, "0.12345678")
	waiting := ask[outJSON](c, "gettxout", txid, index)
	mustEqual(t, "confirmations", waiting.Confirmations, 0)
	raw, _ := c.try("gettxout", txid, index, false)
	mustEqual(t, "gettxout without mempool", string(raw), "null")
	mustEqual(t, "signals RBF", c.rawTx(txid).TxIn[0].Sequence, 0xfffffffd)

	hash := c.mine(1)[0]
	mustEqual(t, "mempool", len(c.mempool()), 0)
	block := decodeBlock(t, c.text("getblock", hash, 0))
	mustEqual(t, "block hash", block.Hash().String(), hash)
	mustEqual(t, "merkle root", blockchain.CalcMerkleRoot(block.Transactions(), false), block.MsgBlock().Header.MerkleRoot)
	mustEqual(t, "transactions", len(block.Transactions()), 2)
	mustEqual(t, "txid", block.Transactions()[1].Hash().String(), txid)
	mustEqual(t, "amount", block.MsgBlock().Transactions[1].TxOut[index].Value, 12345678)

	mined := ask[outJSON](c, "gettxout", txid, index)
	mustEqual(t, "confirmations", mined.Confirmations, 1)
	mustEqual(t, "best block", mined.BestBlock, hash)
	mustEqual(t, "address", mined.ScriptPubKey.Address, to)
	full := ask[txJSON](c, "getrawtransaction", txid, true)
	mustEqual(t, "block", full.BlockHash, hash)
	mustEqual(t, "confirmations", *full.Confirmations, 1)
}

func decodeBlock(t testing.TB, text string) *btcutil.Block {
	t.Helper()
	raw, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	block, err := btcutil.NewBlockFromBytes(raw)
	if err != nil {
		t.Fatal(err)
	}
	return block
}

func TestGetBlockForms(t *testing.T) {
	_, c := start(t, Config{})
	to := c.newAddress("legacy")
	txid := c.text("sendtoaddress", to, 1)
	hashes := c.mine(3)

	ids := ask[struct{ Tx []string }](c, "getblock", hashes[0]).Tx
	mustEqual(t, "txids", len(ids), 2)
	mustEqual(t, "txid", ids[1], txid)

	type block struct {
		headerJSON
		Size, StrippedSize, Weight int
		Tx                         []txJSON
	}
	full := ask[block](c, "getblock", hashes[0], 2)
	mustEqual(t, "confirmations", full.Confirmations, 3)
	mustEqual(t, "height", full.Height, 121)
	mustEqual(t, "next", full.NextBlockHash, hashes[1])
	mustEqual(t, "previous", full.PreviousBlockHash, c.text("getblockhash", 120))
	mustEqual(t, "coinbase", *full.Tx[0].Vin[0].Coinbase != "", true)
	mustEqual(t, "input", full.Tx[1].Vin[0].TxID != "" && full.Tx[1].Vin[0].ScriptSig != nil, true)
	mustEqual(t, "weight", full.Weight, 3*full.StrippedSize+full.Size)
	found := false
	for _, out := range full.Tx[1].Vout {
		found = found || out.ScriptPubKey.Address == to && out.Value == "1.00000000" && out.ScriptPubKey.Type == "pubkeyhash"
	}
	mustEqual(t, "payment found", found, true)

	header := ask[headerJSON](c, "getblockheader", hashes[1])
	mustEqual(t, "hash", header.Hash, hashes[1])
	raw, err := hex.DecodeString(c.text("getblockheader", hashes[1], false))
	if err != nil {
		t.Fatal(err)
	}
	var wireHeader wire.BlockHeader
	if err := wireHeader.Deserialize(bytes.NewReader(raw)); err != nil {
		t.Fatal(err)
	}
	mustEqual(t, "raw header", wireHeader.BlockHash().String(), hashes[1])
	mustEqual(t, "best", c.text("getbestblockhash"), hashes[2])

	genesis := ask[block](c, "getblock", c.text("getblockhash", 0), 2)
	mustEqual(t, "genesis", genesis.Hash, "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206")
	mustEqual(t, "difficulty", genesis.Difficulty, "4.656542373906925e-10")
	mustEqual(t, "work", strings.TrimLeft(genesis.ChainWork, "0"), "2")
	c.refuse(codeAddressOrKey, "genesis block coinbase", "getrawtransaction", genesis.Tx[0].TxID)
	c.refuse(codeParameter, "out of range", "getblockhash", 124)
	c.refuse(codeAddressOrKey, "Block not found", "getblock", strings.Repeat("ab", 32))
}

// Every address form can be paid, is seen, and can be spent again.
func TestAddressForms(t *testing.T) {
	chain, c := start(t, Config{})
	forms := map[string]string{"legacy": "pubkeyhash", "p2sh-segwit": "scripthash", "bech32": "witness_v0_keyhash", "bech32m": "witness_v1_taproot"}
	for form, class := range forms {
		to := c.newAddress(form)
		valid := ask[map[string]any](c, "validateaddress", to)
		mustEqual(t, "isvalid", valid["isvalid"], any(true))
		txid := c.text("sendtoaddress", to, 2)
		c.mine(1)
		index, _ := c.outputTo(txid, to)
		out := ask[outJSON](c, "gettxout", txid, index)
		mustEqual(t, "type", out.ScriptPubKey.Type, class)

		spend := c.respend(chain, txid, index)
		c.mine(1)
		mustEqual(t, form+" spent", *ask[txJSON](c, "getrawtransaction", spend, 1).Confirmations, 1)
	}
}

func TestSendOptions(t *testing.T) {
	_, c := start(t, Config{})
	to := c.text("getnewaddress")

	full := c.text("sendtoaddress", to, "1050", "", "", true)
	tx := c.rawTx(full)
	mustEqual(t, "whole balance: inputs", len(tx.TxIn), 21)
	mustEqual(t, "whole balance: outputs", len(tx.TxOut), 1)
	vsize := ask[txJSON](c, "getrawtransaction", full, 1).VSize
	fee := 1050_00000000 - tx.TxOut[0].Value
	if fee < 2*vsize || fee > 2*vsize+2*21 {
		t.Errorf("fee %d for %d vB", fee, vsize)
	}
	// Its own unconfirmed output can be spent on.
	again := c.text("sendtoaddress", to, 3)
	mustEqual(t, "parent", c.rawTx(again).TxIn[0].PreviousOutPoint.Hash.String(), full)

	named := `{"jsonrpc":"2.0","id":1,"method":"sendtoaddress","params":{"address":"` + to + `","amount":0.5,"fee_rate":10,"replaceable":false,"verbose":true}}`
	status, answer, err := c.post(named)
	if err != nil || status != 200 {
		t.Fatal(status, string(answer), err)
	}
	var reply struct{ Result struct{ TxID string } }
	if err := json.Unmarshal(answer, &reply); err != nil {
		t.Fatal(err)
	}
	mustEqual(t, "final", c.rawTx(reply.Result.TxID).TxIn[0].Sequence, 0xfffffffe)
	entry := ask[map[string]struct {
		VSize int64
		Fees  struct{ Base json.Number }
	}](c, "getrawmempool", true)[reply.Result.TxID]
	paid, err := parseAmount(entry.Fees.Base.String())
	if err != nil || paid < 10*entry.VSize || paid > 10*entry.VSize+20 {
		t.Errorf("fee %s for %d vB at 10 sat/vB: %v", entry.Fees.Base, entry.VSize, err)
	}

	c.refuse(codeNoFunds, "Insufficient funds", "sendtoaddress", to, 1050)
	c.refuse(codeNoFunds, "too small", "sendtoaddress", to, json.Number("0.000001"))
	c.refuse(codeType, "Invalid amount", "sendtoaddress", to, json.Number("0.000000001"))
	c.refuse(codeType, "Invalid amount", "sendtoaddress", to, json.Number("1e1000000000"))
	c.refuse(codeType, "out of range", "sendtoaddress", to, -1)
	c.refuse(codeType, "Invalid amount for send", "sendtoaddress", to, 0)
	c.refuse(codeType, "not a number", "sendtoaddress", to, []int{1})
	c.refuse(codeAddressOrKey, "Invalid address", "sendtoaddress", "bc1q6xj6exspt7kzaaang9nnvd239g23raqlcdxfyp", 1)
}

func TestWalletScansPastLostCount(t *testing.T) {
	chain, c := start(t, Config{})
	var far string
	for range 60 {
		far = c.text("getnewaddress")
	}
	c.text("sendtoaddress", far, 1)
	c.mine(1)
	fresh, err := newWallet(chain.params, chain.net)
	if err != nil {
		t.Fatal(err)
	}
	for height := int32(1); height <= 121; height++ {
		block, err := chain.chain.BlockByHeight(height)
		if err != nil {
			t.Fatal(err)
		}
		if err := fresh.connect(block, height); err != nil {
			t.Fatal(err)
		}
	}
	mustEqual(t, "addresses", fresh.next, 62) // key 0, sixty, and the one of mine
	mustEqual(t, "coins", len(fresh.coins), len(chain.wallet.coins))
}

func TestClockAndListen(t *testing.T) {
	now := time.Date(2030, 5, 6, 7, 8, 9, 0, time.UTC)
	_, c := start(t, Config{Clock: func() time.Time { return now }})
	first := ask[headerJSON](c, "getblockheader", c.text("getblockhash", 1))
	mustEqual(t, "time", first.Time, now.Unix())

	for _, addr := range []string{"0.0.0.0:0", ":0", "192.0.2.1:1", "nonsense"} {
		if chain, err := New(Config{Params: Bitcoin(), Listen: addr}); err == nil {
			chain.Close()
			t.Errorf("listens on %s", addr)
		}
	}
	if _, err := New(Config{}); err == nil {
		t.Error("made a chain without Params")
	}
}

// The same clock gives the same chain, block for block.
func TestDeterministic(t *testing.T) {
	clock := func() time.Time { return time.Unix(1_900_000_000, 0) }
	var tips []string
	for range 2 {
		_, c := start(t, Config{Clock: clock})
		to := c.text("getnewaddress")
		c.text("sendtoaddress", to, 1)
		c.mine(2)
		tips = append(tips, fmt.Sprint(c.text("getbestblockhash"), to))
	}
	mustEqual(t, "tip", tips[0], tips[1])
}
