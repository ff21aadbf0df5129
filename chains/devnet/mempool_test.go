package devnet

import (
	"bytes"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// spender builds transactions by hand from one of the wallet's coins.
type spender struct {
	*testing.T
	chain *Chain
	coin  walletCoin
}

func newSpender(t *testing.T, chain *Chain) spender {
	chain.mu.Lock()
	defer chain.mu.Unlock()
	return spender{t, chain, chain.spendable()[0]}
}

// tx spends the coin with a fee, and pays the rest to script.
func (s spender) tx(fee int64, sequence uint32, script []byte) *wire.MsgTx {
	s.Helper()
	tx := wire.NewMsgTx(2)
	in := wire.NewTxIn(&s.coin.OutPoint, nil, nil)
	in.Sequence = sequence
	tx.AddTxIn(in)
	tx.AddTxOut(wire.NewTxOut(s.coin.value-fee, script))
	s.sign(tx)
	return tx
}

func (s spender) sign(tx *wire.MsgTx) {
	s.Helper()
	s.chain.mu.Lock()
	defer s.chain.mu.Unlock()
	if err := s.chain.sign(tx, []walletCoin{s.coin}); err != nil {
		s.Fatal(err)
	}
}

func (s spender) change() []byte { return s.chain.wallet.change }

const (
	rbf   = 0xfffffffd
	final = 0xfffffffe
)

func TestReplaceByFee(t *testing.T) {
	chain, c := start(t, Config{})
	s := newSpender(t, chain)
	first := s.tx(1000, rbf, s.change())
	second := s.tx(3000, rbf, s.change())
	third := s.tx(9000, final, s.change())

	a := c.text("sendrawtransaction", encodeTx(t, first))
	c.refuse(codeRejected, "insufficient fee", "sendrawtransaction", encodeTx(t, s.tx(1001, rbf, s.change())))
	b := c.text("sendrawtransaction", encodeTx(t, second))
	mustEqual(t, "mempool", strings.Join(c.mempool(), " "), b)
	c.refuse(codeAddressOrKey, "No such mempool", "getrawtransaction", a)
	d := c.text("sendrawtransaction", encodeTx(t, third))
	mustEqual(t, "mempool", strings.Join(c.mempool(), " "), d)

	// The last does not signal: nothing replaces it.
	c.refuse(codeRejected, "txn-mempool-conflict", "sendrawtransaction", encodeTx(t, s.tx(90000, rbf, s.change())))
	c.refuse(codeAlreadyInChain, "txn-already-in-mempool", "sendrawtransaction", encodeTx(t, third))
	c.mine(1)
	c.refuse(codeAlreadyInChain, "Transaction already in block chain", "sendrawtransaction", encodeTx(t, third))
	c.refuse(codeVerify, "bad-txns-inputs-missingorspent", "sendrawtransaction", encodeTx(t, second))
}

// A replacement takes the children of what it replaces with it.
func TestReplaceParent(t *testing.T) {
	chain, c := start(t, Config{})
	s := newSpender(t, chain)
	c.text("sendrawtransaction", encodeTx(t, s.tx(1000, rbf, s.change())))
	c.text("sendtoaddress", c.text("getnewaddress"), 1049)
	mustEqual(t, "mempool", len(c.mempool()), 2)
	c.refuse(codeRejected, "insufficient fee", "sendrawtransaction", encodeTx(t, s.tx(1500, rbf, s.change())))
	c.text("sendrawtransaction", encodeTx(t, s.tx(50000, rbf, s.change())))
	mustEqual(t, "mempool", len(c.mempool()), 1)
}

func TestRefusals(t *testing.T) {
	chain, c := start(t, Config{})
	s := newSpender(t, chain)
	good := s.tx(1000, rbf, s.change())
	alter := func(change func(*wire.MsgTx)) string {
		tx := good.Copy()
		change(tx)
		return encodeTx(t, tx)
	}
	resigned := func(change func(*wire.MsgTx)) string {
		tx := good.Copy()
		change(tx)
		s.sign(tx)
		return encodeTx(t, tx)
	}
	for name, test := range map[string]struct {
		code int
		text string
		raw  string
	}{
		"not hex":        {codeDeserialization, "TX decode failed", "zz"},
		"empty":          {codeDeserialization, "TX decode failed", ""},
		"cut":            {codeDeserialization, "TX decode failed", encodeTx(t, good)[:100]},
		"trailing":       {codeDeserialization, "TX decode failed", encodeTx(t, good) + "00"},
		"no inputs":      {codeDeserialization, "TX decode failed", alter(func(tx *wire.MsgTx) { tx.TxIn = nil })},
		"missing inputs": {codeVerify, "bad-txns-inputs-missingorspent", alter(func(tx *wire.MsgTx) { tx.TxIn[0].PreviousOutPoint.Hash[3] ^= 1 })},
		"bad signature":  {codeRejected, "mandatory-script-verify-flag-failed", alter(func(tx *wire.MsgTx) { tx.TxOut[0].Value-- })},
		"no signature":   {codeRejected, "mandatory-script-verify-flag-failed", alter(func(tx *wire.MsgTx) { tx.TxIn[0].Witness = nil })},
		"no fee":         {codeRejected, "min relay fee not met", resigned(func(tx *wire.MsgTx) { tx.TxOut[0].Value = s.coin.value })},
		"too low a fee":  {codeRejected, "min relay fee not met", resigned(func(tx *wire.MsgTx) { tx.TxOut[0].Value = s.coin.value - 100 })},
		"more than in":   {codeRejected, "bad-txns-in-belowout", resigned(func(tx *wire.MsgTx) { tx.TxOut[0].Value = s.coin.value + 1 })},
		"negative":       {codeRejected, "bad-txns-vout-negative", resigned(func(tx *wire.MsgTx) { tx.TxOut[0].Value = -1 })},
		"over all coins": {codeRejected, "bad-txns-vout-toolarge", resigned(func(tx *wire.MsgTx) { tx.TxOut[0].Value = 21_000_001 * coin })},
		"over in sum": {codeRejected, "bad-txns-txouttotal-toolarge", resigned(func(tx *wire.MsgTx) {
			tx.TxOut[0].Value = 20_000_000 * coin
			tx.AddTxOut(tx.TxOut[0])
		})},
		"dust":          {codeRejected, "dust", resigned(func(tx *wire.MsgTx) { tx.AddTxOut(wire.NewTxOut(100, s.change())); tx.TxOut[0].Value -= 1000 })},
		"version":       {codeRejected, "version", resigned(func(tx *wire.MsgTx) { tx.Version = 9 })},
		"not final":     {codeRejected, "non-final", resigned(func(tx *wire.MsgTx) { tx.LockTime = 500 })},
		"relative lock": {codeRejected, "non-BIP68-final", resigned(func(tx *wire.MsgTx) { tx.TxIn[0].Sequence = 500 })},
		"odd script":    {codeRejected, "scriptpubkey", resigned(func(tx *wire.MsgTx) { tx.TxOut[0].PkScript = bytes.Repeat([]byte{txscript.OP_TRUE}, 30) })},
		"two data carriers": {codeRejected, "multi-op-return", resigned(func(tx *wire.MsgTx) {
			for range 2 {
				tx.AddTxOut(wire.NewTxOut(0, []byte{txscript.OP_RETURN, 1, 7}))
			}
			tx.TxOut[0].Value -= 1000
		})},
		"same input twice": {codeRejected, "bad-txns-inputs-duplicate", alter(func(tx *wire.MsgTx) { tx.AddTxIn(tx.TxIn[0]) })},
		"no outputs":       {codeRejected, "", alter(func(tx *wire.MsgTx) { tx.TxOut = nil })},
		"fee too high":     {codeVerify, "Fee exceeds maximum", resigned(func(tx *wire.MsgTx) { tx.TxOut[0].Value = s.coin.value / 2 })},
	} {
		t.Run(name, func(t *testing.T) {
			c := client{t, c.url}
			c.refuse(test.code, test.text, "sendrawtransaction", test.raw)
		})
	}
	mustEqual(t, "mempool", len(c.mempool()), 0)
	high := resigned(func(tx *wire.MsgTx) { tx.TxOut[0].Value = s.coin.value / 2 })
	c.text("sendrawtransaction", high, 0)
	mustEqual(t, "mempool", len(c.mempool()), 1)
	c.mine(1)
}

func TestTestMempoolAccept(t *testing.T) {
	chain, c := start(t, Config{})
	s := newSpender(t, chain)
	good := s.tx(1000, final, s.change())
	bad := s.tx(1, final, s.change())
	results := ask[[]acceptJSON](c, "testmempoolaccept", []string{encodeTx(t, good), encodeTx(t, bad)})
	mustEqual(t, "allowed", results[0].Allowed, true)
	mustEqual(t, "fee", results[0].Fees["base"].(interface{ String() string }).String(), "0.00001000")
	mustEqual(t, "txid", results[0].TxID, good.TxHash().String())
	mustEqual(t, "reason", results[1].Reason, "min relay fee not met")
	mustEqual(t, "mempool", len(c.mempool()), 0)

	c.text("sendrawtransaction", encodeTx(t, good))
	results = ask[[]acceptJSON](c, "testmempoolaccept", []string{encodeTx(t, good), encodeTx(t, bad)})
	mustEqual(t, "reason", results[0].Reason, "txn-already-in-mempool")
	mustEqual(t, "reason", results[1].Reason, "txn-mempool-conflict")
	c.mine(1)
	results = ask[[]acceptJSON](c, "testmempoolaccept", []string{encodeTx(t, good), encodeTx(t, bad)})
	mustEqual(t, "reason", results[0].Reason, "txn-already-known")
	mustEqual(t, "reason", results[1].Reason, "missing-inputs")
	c.refuse(codeType, "expected type array", "testmempoolaccept", "00")
	c.refuse(codeDeserialization, "TX decode failed", "testmempoolaccept", []string{"00"})
	c.refuse(codeParameter, "between 1 and 25", "testmempoolaccept", []string{})
}
