package devnet

import (
	"slices"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"
)

func (c client) tips() map[string]string {
	c.Helper()
	tips := map[string]string{}
	for _, tip := range ask[[]tipJSON](c, "getchaintips") {
		tips[tip.Hash] = tip.Status
	}
	return tips
}

// A payment is mined, its block taken off, and mined again elsewhere.
func TestReorgBringsTransactionsBack(t *testing.T) {
	chain, c := start(t, Config{})
	to := c.text("getnewaddress")
	parent := c.text("sendtoaddress", to, 1)
	index, _ := c.outputTo(parent, to)
	old := c.mine(1)[0]
	oldCoinbase := c.firstTx(old)
	child := c.respend(chain, parent, index)
	oldNext := c.mine(1)[0]
	waiting := c.respend(chain, child, 0) // stays in the mempool

	mustEqual(t, "answer", c.null("invalidateblock", old), true)
	mustEqual(t, "height", c.count(), 120)
	for _, txid := range []string{parent, child, waiting} {
		if !slices.Contains(c.mempool(), txid) {
			t.Errorf("%s is not back in the mempool", txid)
		}
	}
	stale := ask[blockJSON](c, "getblock", old)
	mustEqual(t, "stale confirmations", stale.Confirmations, -1)
	mustEqual(t, "stale height", stale.Height, 121)
	mustEqual(t, "stale next", stale.NextBlockHash, "")
	mustEqual(t, "stale raw", decodeBlock(t, c.text("getblock", old, 0)).Hash().String(), old)
	mustEqual(t, "stale above", ask[headerJSON](c, "getblockheader", oldNext).Confirmations, -1)
	mustEqual(t, "tip", c.tips()[oldNext], "invalid")
	c.refuse(codeAddressOrKey, "No such mempool or blockchain", "getrawtransaction", oldCoinbase)
	inStale := ask[txJSON](c, "getrawtransaction", oldCoinbase, true, old)
	mustEqual(t, "in active chain", *inStale.InActiveChain, false)
	mustEqual(t, "confirmations", *inStale.Confirmations, 0)

	// Mining to the same address in the same second makes another block.
	fresh := ask[[]string](c, "generatetoaddress", 1, c.coinbaseAddress(old))[0]
	if fresh == old || c.firstTx(fresh) == oldCoinbase {
		t.Fatal("the invalidated block was made again")
	}
	mustEqual(t, "block", ask[txJSON](c, "getrawtransaction", parent, 1).BlockHash, fresh)
	mustEqual(t, "mempool", len(c.mempool()), 0)

	// The old branch is longer by one: reconsider returns to it.
	c.null("reconsiderblock", old)
	mustEqual(t, "tip", c.text("getbestblockhash"), oldNext)
	mustEqual(t, "block", ask[txJSON](c, "getrawtransaction", parent, 1).BlockHash, old)
	mustEqual(t, "mempool", strings.Join(c.mempool(), " "), waiting)
	mustEqual(t, "fork", c.tips()[fresh], "valid-fork")
	mustEqual(t, "answer", c.null("reconsiderblock", old), true)
}

// respend spends one confirmed output of the wallet, back to the wallet.
func (c client) respend(chain *Chain, txid string, index int) string {
	c.Helper()
	chain.mu.Lock()
	var coin walletCoin
	for op, have := range chain.wallet.coins {
		if op.Hash.String() == txid && int(op.Index) == index {
			coin = have
		}
	}
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(wire.NewTxIn(&coin.OutPoint, nil, nil))
	tx.AddTxOut(wire.NewTxOut(coin.value-1000, chain.wallet.change))
	err := chain.sign(tx, []walletCoin{coin})
	chain.mu.Unlock()
	if err != nil {
		c.Fatal(err)
	}
	return c.text("sendrawtransaction", encodeTx(c, tx))
}

func (c client) firstTx(hash string) string {
	c.Helper()
	return ask[struct{ Tx []string }](c, "getblock", hash).Tx[0]
}

func (c client) coinbaseAddress(hash string) string {
	c.Helper()
	return ask[struct{ Tx []txJSON }](c, "getblock", hash, 2).Tx[0].Vout[0].ScriptPubKey.Address
}

func (c client) null(method string, params ...any) bool {
	c.Helper()
	raw, failure := c.try(method, params...)
	if failure != nil {
		c.Fatalf("%s: %v", method, failure)
	}
	return string(raw) == "null"
}

// reconsiderblock clears ancestors and descendants too, as Core's does.
func TestReconsiderWholeBranch(t *testing.T) {
	for _, which := range []int{0, 2, 4} {
		_, c := start(t, Config{})
		branch := c.mine(5)
		c.null("invalidateblock", branch[3])
		c.null("invalidateblock", branch[1])
		c.null("invalidateblock", branch[1])
		mustEqual(t, "height", c.count(), 121)
		c.mine(1)
		c.null("invalidateblock", branch[4])
		c.null("reconsiderblock", branch[which])
		if which == 0 { // on the best chain: nothing below it failed
			mustEqual(t, "height", c.count(), 122)
			continue
		}
		mustEqual(t, "tip", c.text("getbestblockhash"), branch[4])
		c.mine(1)
		mustEqual(t, "height", c.count(), 126)
	}
}

// Among several branches the longest valid one wins.
func TestThreeBranches(t *testing.T) {
	_, c := start(t, Config{})
	base := c.text("getbestblockhash")
	var branches [][]string
	for n := 1; n <= 3; n++ {
		branch := c.mine(n)
		branches = append(branches, branch)
		c.null("invalidateblock", branch[0])
		mustEqual(t, "tip", c.text("getbestblockhash"), base)
	}
	c.null("reconsiderblock", branches[1][1])
	mustEqual(t, "tip", c.text("getbestblockhash"), branches[1][1])
	c.null("reconsiderblock", branches[0][0])
	mustEqual(t, "tip", c.text("getbestblockhash"), branches[1][1])
	c.null("reconsiderblock", branches[2][0])
	mustEqual(t, "tip", c.text("getbestblockhash"), branches[2][2])
	c.null("invalidateblock", branches[2][1])
	mustEqual(t, "tip", c.text("getbestblockhash"), branches[1][1])
	mustEqual(t, "tips", len(c.tips()), 3)
}

// What spent a coinbase of a block that is gone, or not mature any more, leaves
// the mempool with all that hangs on it.
func TestReorgDropsCoinbaseSpends(t *testing.T) {
	chain, c := start(t, Config{})
	// The coinbase of block 21 is spendable in block 121 at the earliest.
	chain.mu.Lock()
	var coin walletCoin
	for _, have := range chain.wallet.coins {
		if have.height == 21 {
			coin = have
		}
	}
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(wire.NewTxIn(&coin.OutPoint, nil, nil))
	tx.AddTxOut(wire.NewTxOut(coin.value-1000, chain.wallet.change))
	err := chain.sign(tx, []walletCoin{coin})
	chain.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	parent := c.text("sendrawtransaction", encodeTx(t, tx))
	c.text("sendtoaddress", c.text("getnewaddress"), 1049) // takes parent's output along
	other := c.mempool()
	mustEqual(t, "mempool", len(other), 2)

	tip := c.text("getbestblockhash")
	c.null("invalidateblock", tip) // height 119: block 21 is immature again
	mustEqual(t, "mempool", len(c.mempool()), 0)
	c.refuse(codeRejected, "bad-txns-premature-spend-of-coinbase", "sendrawtransaction", encodeTx(t, tx))
	c.null("reconsiderblock", tip)
	mustEqual(t, "again", c.text("sendrawtransaction", encodeTx(t, tx)), parent)
}

func TestReorgErrors(t *testing.T) {
	_, c := start(t, Config{})
	unknown := strings.Repeat("12", 32)
	c.refuse(codeAddressOrKey, "Block not found", "invalidateblock", unknown)
	c.refuse(codeAddressOrKey, "Block not found", "reconsiderblock", unknown)
	c.refuse(codeInternal, "genesis", "invalidateblock", c.text("getblockhash", 0))
	c.refuse(codeParameter, "must be of length 64", "invalidateblock", "12")
	c.refuse(codeParameter, "must be hexadecimal", "invalidateblock", strings.Repeat("zz", 32))
	c.refuse(codeType, "not of expected type string", "invalidateblock", 12)

	// Down to the genesis block and up again.
	first := c.text("getblockhash", 1)
	c.null("invalidateblock", first)
	mustEqual(t, "height", c.count(), 0)
	c.refuse(codeNoFunds, "Insufficient", "sendtoaddress", c.text("getnewaddress"), 1)
	c.mine(1)
	c.null("reconsiderblock", first)
	mustEqual(t, "height", c.count(), 120)
	c.text("sendtoaddress", c.text("getnewaddress"), 1)
}
