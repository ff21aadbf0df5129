package devnet

import (
	"testing"

	"github.com/btcsuite/btcd/btcutil/v2"
)

func TestFlavour(t *testing.T) {
	params := Dogecoin()
	dir := t.TempDir()
	chain, c := start(t, Config{Params: params, Dir: dir})
	mustEqual(t, "height", c.count(), 200)
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
	params := Dogecoin()
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
