package gateway

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"causeway/chains"
	"causeway/chains/devnet"
	"causeway/hotwallet"
	"causeway/hotwallet/wallettest"
	"causeway/pegs"
	"causeway/sidechain/graphene"
)

// credit brings an amount in for an account.
func (d *driver) credit(account, amount string) Deposit {
	d.t.Helper()
	txid := d.pay(d.depositAddress(account), amount)
	d.mine(2)
	var found Deposit
	d.until("credited "+amount, func() bool {
		for _, deposit := range d.deposits(account)["credited"] {
			if deposit.TxID == txid {
				found = deposit
				return true
			}
		}
		return false
	})
	return found
}

func (d *driver) withdraw(account, quantity, address string) string {
	return d.act(account, "pegs", "withdraw", `{"symbol":"`+symbolOf(d.coin().ID())+`","quantity":"`+quantity+`","address":"`+address+`"}`)
}

func (d *driver) reorg(depth int) {
	d.t.Helper()
	var height int
	var hash string
	d.call(&height, "getblockcount")
	d.call(&hash, "getblockhash", height-depth+1)
	d.call(nil, "invalidateblock", hash)
	d.mine(depth + 1)
}

// caughtUp says whether the ledger stands at the node's newest block.
func (d *driver) caughtUp() bool {
	var hash string
	d.call(&hash, "getbestblockhash")
	same := false
	_ = d.node.gateway.ledger.View(func(s *pegs.State) {
		c, _ := s.Chain(chains.BTC)
		tip, _ := c.Tip()
		same = tip.Hash == hash
	})
	return same
}

func booted(t *testing.T) *driver {
	d := newDriver(t)
	d.boot()
	d.pump()
	t.Cleanup(func() { d.node.close() })
	return d
}

// A reorganisation takes a credited deposit out of the chain and brings it back
// in another block: a shortfall meanwhile, one credit in the end.
func TestReorgOfACreditedDeposit(t *testing.T) {
	d := booted(t)
	before := d.credit("alice", "0.02")
	d.reorg(2)
	d.until("another block", func() bool {
		now := d.find(before.TxID)
		return now.State == "credited" && *now.Block != *before.Block
	})
	states := ""
	for _, step := range d.find(before.TxID).History {
		states += step.State + " "
	}
	if states != "confirming minting credited shortfall credited " {
		t.Errorf("history is %q", states)
	}
	d.until("halt taken back", func() bool { return d.node.gateway.ChainStatus()[0].Reason == "" })
	if got := d.balance("alice"); got != "0.02000000" {
		t.Errorf("alice holds %s", got)
	}
	d.balanced()
}

// A reorganisation takes a payout out of the chain: the same bytes go out again.
func TestReorgOfAPayout(t *testing.T) {
	d := booted(t)
	d.credit("alice", "0.02")
	d.mine(2)
	var payee string
	d.call(&payee, "getnewaddress")
	id := d.withdraw("alice", "0.01", payee)
	d.until("broadcast", func() bool { return d.withdrawal(id).State == "broadcast" })
	d.mine(2)
	d.until("settled", func() bool { return d.withdrawal(id).State == "settled" })
	txid := d.withdrawal(id).TxID
	d.reorg(2)
	d.until("followed", d.caughtUp)
	d.mine(1)
	d.until("mined again", func() bool { return d.caughtUp() && d.withdrawal(id).Confirmations > 0 })
	if w := d.withdrawal(id); w.TxID != txid || len(w.Variants) != 1 || d.received(payee).Coin(8) != "0.00995000" {
		t.Errorf("payout is %+v", w)
	}
	d.balanced()
}

// Withdrawals that nobody could be paid by are given back; to a deposit address
// they are ordinary payouts and ordinary deposits.
func TestWithdrawalsToOurselves(t *testing.T) {
	d := booted(t)
	d.credit("alice", "0.02")
	d.mine(2)
	change, err := d.wallet().ChangeAddress(chains.BTC, 0)
	if err != nil {
		t.Fatal(err)
	}
	own := d.withdraw("alice", "0.005", change)
	d.until("given back", func() bool { return d.withdrawal(own).State == "returned" })
	if got := d.balance("alice"); got != "0.01995000" {
		t.Errorf("alice holds %s", got)
	}
	d.balanced()
	to := d.withdraw("alice", "0.005", d.depositAddress("bob"))
	d.until("broadcast", func() bool { return d.withdrawal(to).State == "broadcast" })
	d.mine(2)
	d.until("settled and credited", func() bool {
		return d.withdrawal(to).State == "settled" && len(d.deposits("bob")["credited"]) == 1
	})
	if got := d.balance("bob"); got != "0.00495000" {
		t.Errorf("bob holds %s", got)
	}
	d.balanced()
}

// What is below the minimum stays visible, uncredited and counted.
func TestBelowMinimum(t *testing.T) {
	d := booted(t)
	d.pay(d.depositAddress("bob"), "0.00009999")
	d.mine(4)
	d.until("below the minimum", func() bool { return len(d.deposits("bob")["below_minimum"]) == 1 })
	for range 5 {
		d.pump()
	}
	if a := d.balanced().Assets[0]; a.Uncredited != "0.00009999" || a.Supply != "0.00000000" || a.Reserves != "0.00009999" {
		t.Errorf("books are %+v", a)
	}
}

// Coins paid to the address of an account before the account exists are found
// once it does.
func TestAccountAfterItsDeposit(t *testing.T) {
	d := booted(t)
	p, err := d.wallet().MasterKey(chains.BTC, 0)
	if err != nil {
		t.Fatal(err)
	}
	address, err := hotwallet.DepositAddress(p, chains.Regtest, chains.BTC, 0, "newcomer")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.node.gateway.DepositAddress("btc", "newcomer"); !isCode(err, CodeUnknownAccount) {
		t.Errorf("an address for nobody: %v", err)
	}
	d.pay(address, "0.03")
	d.mine(5)
	for range 3 {
		d.pump()
	}
	auth := graphene.KeyAuthority(testKey("newcomer").Public())
	d.broadcast("alice", &graphene.AccountCreate{
		Fee: graphene.Asset{Amount: 3000, Precision: 3, Symbol: "HIVE"}, Creator: "alice", NewAccountName: "newcomer",
		Owner: auth, Active: auth, Posting: auth, MemoKey: testKey("newcomer").Public(),
	})
	d.until("credited", func() bool { return len(d.deposits("newcomer")["credited"]) == 1 })
	if got := d.balance("newcomer"); got != "0.03000000" {
		t.Errorf("the newcomer holds %s", got)
	}
	d.balanced()
}

func isCode(err error, code string) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}

// Somebody else has the seed: the books say so, and everything stands still.
func TestStolenCoins(t *testing.T) {
	d := booted(t)
	deposit := d.credit("alice", "0.02")
	var payee, raw string
	d.call(&payee, "getnewaddress")
	d.call(&raw, "getrawtransaction", deposit.TxID)
	d.call(nil, "sendrawtransaction", d.steal(deposit, raw, payee))
	d.mine(1)
	d.until("alarm", func() bool { return d.node.gateway.ChainStatus()[0].Payouts == StateHalted })
	audit, err := d.node.gateway.Audit(context.Background())
	if err != nil || audit.OK || audit.Assets[0].OK || !strings.HasPrefix(audit.Assets[0].Surplus, "-") {
		t.Errorf("the audit is %+v, %v", audit, err)
	}
}

// steal signs with the same seed and another journal.
func (d *driver) steal(deposit Deposit, raw, payee string) string {
	d.t.Helper()
	n := &node{}
	home := d.dir
	d.dir = d.t.TempDir()
	err := d.openSigner(n)
	d.dir = home
	if err != nil {
		d.t.Fatal(err)
	}
	defer n.signer.Close()
	script, err := d.coin().Script(payee)
	if err != nil {
		d.t.Fatal(err)
	}
	address, err := d.coin().Script(deposit.Address)
	if err != nil {
		d.t.Fatal(err)
	}
	change, err := d.wallet().ChangeScript(chains.BTC, 0)
	if err != nil {
		d.t.Fatal(err)
	}
	amount, _ := chains.FromCoin("0.01", 8)
	whole, _ := chains.FromCoin(deposit.Amount, 8)
	watch := chains.Watch{Kind: chains.WatchDeposit, Account: "alice", Address: deposit.Address}
	point := chains.Outpoint{TxID: deposit.TxID, Index: deposit.Index}
	plan, err := hotwallet.PlanExactly(hotwallet.PlanInput{
		Chain: d.coin(), Batch: "theft", Payees: []hotwallet.Payee{{ID: "x", Script: script, Amount: amount}}, FeeRate: 2000,
		Caps: hotwallet.Caps{MaxFee: chains.NewAmount(100_000), MaxRate: 100_000}, ChangeScript: change,
		Coins: []hotwallet.Coin{{Outpoint: point, Amount: whole, Script: address, Watch: watch, Depth: 9}},
	})
	if err != nil {
		d.t.Fatal(err)
	}
	previous := unhex(d.t, raw)
	request := hotwallet.SignRequest{
		Assign: hotwallet.Assign{Batch: "theft", Chain: chains.BTC, Kind: hotwallet.KindPayout, IDs: []string{"x"}, Spends: plan.Spends(), State: hotwallet.AssignOpen},
		Withdrawals: []hotwallet.Withdrawal{{
			ID: "x", Symbol: "SWAP.BTC", Chain: chains.BTC, Address: payee, Net: "0.01", State: hotwallet.WithdrawalAssigned, Batch: "theft",
		}},
		Unsigned: plan.Unsigned, Inputs: []hotwallet.SignInput{{Outpoint: point, Watch: watch, Previous: previous}},
	}
	d.forge(&request)
	signed, err := n.signer.Sign(context.Background(), request)
	if err != nil {
		d.t.Fatal(err)
	}
	return tohex(signed.Raw)
}

// forge proves rows that are nowhere, with the sequencer's key.
func (d *driver) forge(r *hotwallet.SignRequest) {
	d.t.Helper()
	side, err := wallettest.New()
	if err != nil {
		d.t.Fatal(err)
	}
	a := &r.Assign
	side.Insert(wallettest.Assigns, wallettest.Assign(a.Batch, string(a.Chain), string(a.Kind), a.IDs, a.Spends, a.State))
	for _, w := range r.Withdrawals {
		side.Insert(wallettest.Withdrawals, wallettest.Withdrawal(w.ID, w.Symbol, string(w.Chain), w.Address, w.Net, w.State, w.Batch))
	}
	prove := func(table, key string) (p hotwallet.RowProof) {
		var err error
		if p.Row, p.Path, err = side.Prove(table, key); err != nil {
			d.t.Fatal(err)
		}
		return p
	}
	r.Proof.Assign = prove(wallettest.Assigns, a.Batch)
	for _, w := range r.Withdrawals {
		r.Proof.Withdrawals = append(r.Proof.Withdrawals, prove(wallettest.Withdrawals, w.ID))
	}
	r.Proof.Header = wallettest.Header(1, side.Root(), testKey("sequencer"), d.chainID)
}

// A node that lies, lags or is gone makes nothing happen twice, and nothing that
// did not happen.
func TestFaultyNode(t *testing.T) {
	d := booted(t)
	d.credit("alice", "0.02")
	for _, fault := range []devnet.Fault{devnet.FaultDown, devnet.FaultLag, devnet.FaultEmpty, devnet.FaultLie, devnet.FaultFloat} {
		txid := d.pay(d.depositAddress("bob"), "0.001")
		if err := d.btc.SetFault(fault); err != nil {
			t.Fatal(err)
		}
		if fault != devnet.FaultDown {
			d.mine(1)
		}
		for range 4 {
			d.shake()
		}
		if err := d.btc.SetFault(devnet.FaultNone); err != nil {
			t.Fatal(err)
		}
		d.mine(2)
		d.until(string(fault)+": credited", func() bool {
			for _, deposit := range d.deposits("bob")["credited"] {
				if deposit.TxID == txid {
					return true
				}
			}
			return false
		})
	}
	if got := d.balance("bob"); got != "0.00500000" {
		t.Errorf("bob holds %s", got)
	}
	d.until("no halt is left", func() bool { return d.node.gateway.ChainStatus()[0].Reason == "" })
	d.balanced()
}

// shake is pump with a node whose errors are no news.
func (d *driver) shake() {
	d.t.Helper()
	d.clock.tick()
	if _, err := d.node.sequencer.Produce(context.Background()); err != nil {
		d.t.Fatal(err)
	}
	for _, l := range d.loops {
		if err := l.step(context.Background()); fatal(err) {
			d.t.Fatalf("%s: %v", l.name, err)
		}
	}
}

func TestOlderBase(t *testing.T) {
	d := booted(t)
	d.credit("alice", "0.02")
	d.node.close()
	for _, name := range []string{"base.db", "sidechain.db"} {
		if err := os.Remove(filepath.Join(d.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.open(); !errors.Is(err, ErrOlderBase) {
		t.Errorf("a base layer that has lost its blocks: %v", err)
	}
}

func TestSecondProcess(t *testing.T) {
	d := booted(t)
	if _, err := LockHome(d.dir); !errors.Is(err, ErrHomeInUse) {
		t.Errorf("a second lock: %v", err)
	}
}
