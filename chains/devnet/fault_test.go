package devnet

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/blockchain"

	"causeway/chains/devnet/kit"
)

func (c client) fault(chain *Chain, fault Fault) {
	c.Helper()
	if err := chain.SetFault(fault); err != nil {
		c.Fatal(err)
	}
}

// funded starts a chain with a payment of 0.3 in block 121 and one on top.
func funded(t *testing.T) (chain *Chain, c client, to, txid, hash string) {
	chain, c = start(t, Config{})
	to = c.text("getnewaddress")
	txid = c.text("sendtoaddress", to, "0.3")
	return chain, c, to, txid, c.mine(1)[0]
}

func TestSetFault(t *testing.T) {
	chain, _ := start(t, Config{})
	if err := chain.SetFault("hungry"); err == nil {
		t.Error("took an unknown fault")
	}
	mustEqual(t, "fault", chain.Fault(), FaultNone)
	for _, fault := range kit.Faults() {
		if err := chain.SetFault(fault); err != nil {
			t.Error(err)
		}
		mustEqual(t, "fault", chain.Fault(), fault)
	}
}

func TestFaultDown(t *testing.T) {
	chain, c, _, _, _ := funded(t)
	c.fault(chain, FaultDown)
	refused, dropped := 0, 0
	for range 6 {
		switch status, _, err := c.post(`{"method":"getblockcount"}`); {
		case err != nil:
			dropped++
		case status == http.StatusServiceUnavailable:
			refused++
		default:
			t.Errorf("HTTP %d", status)
		}
	}
	// The client may repeat a request whose connection was dropped.
	if refused == 0 || refused+dropped != 6 {
		t.Errorf("%d refused, %d dropped", refused, dropped)
	}
	c.fault(chain, FaultNone)
	mustEqual(t, "height", c.count(), 121)
}

func TestFaultLag(t *testing.T) {
	chain, c, to, txid, hash := funded(t)
	index, _ := c.outputTo(txid, to)
	spent := c.rawTx(txid).TxIn[0].PreviousOutPoint
	later := c.mine(4)
	c.fault(chain, FaultLag)

	mustEqual(t, "height", c.count(), 119)
	mustEqual(t, "tip", c.text("getbestblockhash"), c.text("getblockhash", 119))
	c.refuse(codeParameter, "out of range", "getblockhash", 120)
	c.refuse(codeAddressOrKey, "Block not found", "getblock", hash)
	c.refuse(codeAddressOrKey, "No such mempool", "getrawtransaction", txid)
	mustEqual(t, "unseen output", c.null("gettxout", txid, index), true)
	then := ask[outJSON](c, "gettxout", spent.Hash.String(), spent.Index)
	mustEqual(t, "output spent since", then.Value, "50.00000000")
	mustEqual(t, "is a coinbase", then.Coinbase, true)
	mustEqual(t, "next", ask[headerJSON](c, "getblockheader", c.text("getbestblockhash")).NextBlockHash, "")
	mustEqual(t, "blocks", ask[struct{ Blocks int }](c, "getblockchaininfo").Blocks, 119)
	waiting := c.text("sendtoaddress", to, 1)
	mustEqual(t, "mempool", len(c.mempool()), 0)

	c.mine(2) // the world goes on, and the view with it
	mustEqual(t, "height", c.count(), 121)
	seen := ask[outJSON](c, "gettxout", txid, index)
	mustEqual(t, "confirmations", seen.Confirmations, 1)
	c.fault(chain, FaultNone)
	mustEqual(t, "height", c.count(), 127)
	mustEqual(t, "confirmations", *ask[txJSON](c, "getrawtransaction", waiting, 1).Confirmations, 2)
	mustEqual(t, "height", ask[headerJSON](c, "getblockheader", later[3]).Height, 125)
}

func TestFaultEmpty(t *testing.T) {
	chain, c, to, txid, hash := funded(t)
	c.text("sendtoaddress", to, 1)
	c.fault(chain, FaultEmpty)
	mustEqual(t, "mempool", len(c.mempool()), 0)
	for _, request := range [][]any{
		{"getblockcount"}, {"getbestblockhash"}, {"getblockhash", 1}, {"getblock", hash, 0}, {"getblock", hash, 2},
		{"getrawtransaction", txid}, {"gettxout", txid, 0}, {"getblockchaininfo"}, {"getnetworkinfo"}, {"getblockheader", hash},
	} {
		mustEqual(t, request[0].(string), c.null(request[0].(string), request[1:]...), true)
	}
	mustEqual(t, "tips", len(c.tips()), 0)
	if _, ok := ask[map[string]any](c, "estimatesmartfee", 2)["feerate"]; ok {
		t.Error("an empty node estimates a fee")
	}
}

func TestFaultLie(t *testing.T) {
	chain, c, to, txid, hash := funded(t)
	index, _ := c.outputTo(txid, to)
	parent := c.text("getblockhash", 120)
	c.fault(chain, FaultLie)

	lie := c.text("getbestblockhash")
	if lie == hash || lie != c.text("getblockhash", 121) || c.text("getbestblockhash") != lie {
		t.Fatalf("tip %s, true tip %s", lie, hash)
	}
	c.refuse(codeAddressOrKey, "Block not found", "getblock", hash)
	block := decodeBlock(t, c.text("getblock", lie, 0))
	mustEqual(t, "hash", block.Hash().String(), lie)
	mustEqual(t, "parent", block.MsgBlock().Header.PrevBlock.String(), parent)
	mustEqual(t, "merkle root", blockchain.CalcMerkleRoot(block.Transactions(), false), block.MsgBlock().Header.MerkleRoot)
	mustEqual(t, "amount", block.MsgBlock().Transactions[1].TxOut[index].Value, 60_000_000)
	mustEqual(t, "amount", ask[struct{ Tx []txJSON }](c, "getblock", lie, 2).Tx[1].Vout[index].Value, "0.60000000")
	mustEqual(t, "gettxout", ask[outJSON](c, "gettxout", txid, index).Value, "0.60000000")

	deep := decodeBlock(t, c.text("getblock", parent, 0))
	mustEqual(t, "hash of a deeper block", deep.Hash().String(), parent)
	if blockchain.CalcMerkleRoot(deep.Transactions(), false) == deep.MsgBlock().Header.MerkleRoot {
		t.Error("the lie about a deeper block does not show in its merkle root")
	}
	// Under the lie the world moves on, and the lie moves with the tip.
	c.mine(1)
	if next := c.text("getbestblockhash"); next == lie || c.count() != 122 {
		t.Errorf("tip %s at %d", next, c.count())
	}
	mustEqual(t, "true block again", decodeBlock(t, c.text("getblock", hash, 0)).Hash().String(), hash)
	c.fault(chain, FaultNone)
	mustEqual(t, "gettxout", ask[outJSON](c, "gettxout", txid, index).Value, "0.30000000")
	c.refuse(codeAddressOrKey, "Block not found", "getblock", lie)
}

func TestFaultFloat(t *testing.T) {
	chain, c, to, txid, hash := funded(t)
	index, _ := c.outputTo(txid, to)
	c.fault(chain, FaultFloat)
	mustEqual(t, "gettxout", ask[outJSON](c, "gettxout", txid, index).Value, "0.30000000000000004")
	_, answer, err := c.post(`{"method":"getblock","params":["` + hash + `",2],"id":1}`)
	if err != nil || !strings.Contains(string(answer), `"value":0.30000000000000004`) || !json.Valid(answer) {
		t.Fatal(string(answer), err)
	}
	mustEqual(t, "fee", ask[struct{ FeeRate json.Number }](c, "estimatesmartfee", 2).FeeRate, "2e-05")
	mustEqual(t, "raw", decodeBlock(t, c.text("getblock", hash, 0)).Hash().String(), hash)
}
