package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	btcwire "github.com/btcsuite/btcd/wire/v2"

	"causeway/chains"
	"causeway/gateway"
	"causeway/hotwallet"
	"causeway/internal/nodetest"
	"causeway/sidechain/graphene"
)

// depositsOf lists the states of a transaction's deposits by amount.
func (s *site) depositsOf(account, txid string) map[string][]string {
	s.t.Helper()
	found := map[string][]string{}
	for _, d := range s.deposits(account) {
		if d.TxID == txid {
			found[d.Amount] = append(found[d.Amount], d.State)
		}
	}
	return found
}

// published is the address of an account that anybody can work out from the
// published key, whether the account exists or not.
func (s *site) published(account string) string {
	s.t.Helper()
	var page gateway.Page[gateway.Asset]
	must(s.t, s.get(s.t.Context(), "/v1/assets", &page))
	key, err := hex.DecodeString(page.Items[0].DerivationKey)
	must(s.t, err)
	to, err := hotwallet.DepositAddress([33]byte(key), chains.Regtest, chains.BTC, 0, account)
	must(s.t, err)
	return to
}

// mineTo makes a block by hand whose coinbase pays to an address.
func (s *site) mineTo(to string) (txid string) {
	s.t.Helper()
	script, err := s.node.Coin.Script(to)
	must(s.t, err)
	var tip string
	s.node.Call(&tip, "getbestblockhash")
	parent, err := chainhash.NewHashFromStr(tip)
	must(s.t, err)
	var header struct {
		Time int64 `json:"time"`
	}
	s.node.Call(&header, "getblockheader", tip, true)

	height := s.node.Height() + 1
	push := binary.LittleEndian.AppendUint32(nil, uint32(height))[:2] // heights from 128 to 32767
	coinbase := btcwire.NewMsgTx(1)
	coinbase.AddTxIn(btcwire.NewTxIn(btcwire.NewOutPoint(&chainhash.Hash{}, 0xffffffff), append([]byte{2}, append(push, "by hand"...)...), nil))
	coinbase.AddTxOut(btcwire.NewTxOut(5_000_000_000>>(height/150), script))

	block := btcwire.NewMsgBlock(btcwire.NewBlockHeader(0x20000000, parent, &chainhash.Hash{}, 0x207fffff, 0))
	must(s.t, block.AddTransaction(coinbase))
	block.Header.MerkleRoot = coinbase.TxHash()
	block.Header.Timestamp = time.Unix(max(header.Time+1, time.Now().Unix()), 0)
	for hash := block.Header.BlockHash(); hash[31] > 0x7f; hash = block.Header.BlockHash() {
		block.Header.Nonce++
	}
	var raw bytes.Buffer
	must(s.t, block.Serialize(&raw))
	s.node.Call(nil, "submitblock", hex.EncodeToString(raw.Bytes()))
	if s.node.Height() != height {
		s.t.Fatalf("the block made by hand is not in the chain")
	}
	return coinbase.TxHash().String()
}

func TestOddDepositsOnBtcd(t *testing.T) {
	t.Parallel()
	s := newSite(t, "alice", "bob", "carol")
	s.checkAddresses("alice", "bob", "carol")
	alice, bob, carol := s.depositAddress("alice"), s.depositAddress("bob"), s.depositAddress("carol")

	// Paid before the account exists: the block is behind the gateway by then.
	late := s.node.Pay(s.published("late-comer"), coins(t, "0.3"))
	// A coinbase to a deposit address.
	s.node.Generate(1)
	mined := s.mineTo(carol)
	mature := s.node.Height() + 99

	// Several outputs of one transaction to one address, equal ones too, and to
	// others.
	several := s.node.Send(nodetest.Payout{Address: alice, Amount: coins(t, "0.1")}, nodetest.Payout{Address: alice, Amount: coins(t, "0.1")},
		nodetest.Payout{Address: alice, Amount: coins(t, "0.2")}, nodetest.Payout{Address: bob, Amount: coins(t, "0.4")})
	// Twelve to one address: the two smallest are held.
	var twelve []nodetest.Payout
	for i := range 12 {
		twelve = append(twelve, nodetest.Payout{Address: bob, Amount: chains.NewAmount(uint64(1_000_000 * (i + 1)))})
	}
	crowd := s.node.Send(twelve...)
	// Below the minimum, and exactly it.
	small := s.node.Send(nodetest.Payout{Address: alice, Amount: coins(t, "0.00009999")}, nodetest.Payout{Address: alice, Amount: coins(t, "0.00001")})
	exact := s.node.Pay(alice, coins(t, "0.0001"))
	s.mineUntil("the ordinary deposits", func() bool {
		return slices.Equal(s.depositsOf("alice", exact)["0.00010000"], []string{"credited"}) &&
			slices.Equal(s.depositsOf("bob", several)["0.40000000"], []string{"credited"}) &&
			slices.Equal(s.depositsOf("bob", crowd)["0.12000000"], []string{"credited"})
	})
	s.await("the last mint", func() bool {
		balance, err := s.balance(t.Context(), "bob", "SWAP.BTC")
		return err == nil && balance == "1.15000000" // 0.4, and 3 to 12 hundredths
	})
	s.wantBalance("alice", "SWAP.BTC", "0.40010000")
	for amount, states := range s.depositsOf("bob", crowd) {
		want := "credited"
		if amount == "0.01000000" || amount == "0.02000000" {
			want = "held"
		}
		if !slices.Equal(states, []string{want}) {
			t.Errorf("output of %s: %v, want %s", amount, states, want)
		}
	}
	for amount, states := range s.depositsOf("alice", small) {
		if !slices.Equal(states, []string{"below_minimum"}) {
			t.Errorf("output of %s: %v", amount, states)
		}
	}
	for _, d := range s.deposits("") {
		if (d.State == "held" || d.State == "below_minimum") && d.Reason == "" {
			t.Errorf("no reason: %s", show(d))
		}
	}

	// The account that came later is found in the past.
	if err := s.get(t.Context(), "/v1/deposits/btc:"+late+":0", &gateway.Deposit{}); err == nil {
		t.Error("a payment to an address without an account is a deposit")
	}
	s.createAccount("alice", "late-comer")
	s.await("the search of the past", func() bool {
		balance, err := s.balance(t.Context(), "late-comer", "SWAP.BTC")
		return err == nil && balance == "0.30000000"
	})
	if got := s.depositAddress("late-comer"); got != s.published("late-comer") {
		t.Errorf("address %s, worked out %s", got, s.published("late-comer"))
	}

	// The coinbase is credited when it can be spent, not before.
	s.node.Generate(int(mature-s.node.Height()) - 1)
	s.caughtUp()
	time.Sleep(2 * time.Second) // two base blocks
	id := "btc:" + mined + ":0"
	if d := s.deposit(id); d.State != "confirming" || d.ConfirmationsNeeded != 100 || d.Confirmations != 99 {
		t.Errorf("the coinbase before it is mature: %s", show(d))
	}
	s.mineUntil("the coinbase", func() bool { return s.deposit(id).State == "credited" })
	s.wantBalance("carol", "SWAP.BTC", s.deposit(id).Amount)
	// And it pays: nothing else is large enough.
	payee, err := s.node.Coin.Address(payees()["P2WSH"])
	must(t, err)
	paid := s.withdraw("carol", "20", payee)
	s.mineUntil("the payout of the coinbase", func() bool { return s.withdrawal(paid).State == "settled" })
	s.wantReceived(payees()["P2WSH"], "19.99980000")

	// Held and small ones count as uncredited; reserves are whole all the same.
	r := s.checkReserves()
	if a := r.Assets[0]; a.Uncredited != "0.03010999" || a.Surplus != "0.00000000" {
		t.Errorf("books: %s", show(a))
	}
	var page gateway.Page[gateway.Deposit]
	must(t, s.get(t.Context(), "/v1/deposits?account=bob&limit=5", &page))
	seen := map[string]bool{}
	for n := 0; ; n++ {
		for _, d := range page.Items {
			if seen[d.ID] {
				t.Errorf("%s is listed twice", d.ID)
			}
			seen[d.ID] = true
		}
		if page.NextCursor == nil || n > 10 {
			break
		}
		cursor := *page.NextCursor
		page = gateway.Page[gateway.Deposit]{}
		must(t, s.get(t.Context(), "/v1/deposits?account=bob&limit=5&cursor="+cursor, &page))
	}
	if len(seen) != 13 {
		t.Errorf("bob has %d deposits in pages of five, want 13", len(seen))
	}
}

// createAccount makes accounts with one key each, in one transaction.
func (s *site) createAccount(creator string, names ...string) {
	s.t.Helper()
	var ops []graphene.Operation
	for _, name := range names {
		key := s.newKey(name).Public()
		one := graphene.Authority{WeightThreshold: 1, KeyAuths: []graphene.KeyAuth{{Key: key, Weight: 1}}}
		ops = append(ops, &graphene.AccountCreate{
			Fee: graphene.Asset{Amount: 3000, Precision: 3, Symbol: "HIVE"}, Creator: creator, NewAccountName: name,
			Owner: one, Active: one, Posting: one, MemoKey: key,
		})
	}
	if _, err := s.broadcast(s.t.Context(), s.keys[creator], ops...); err != nil {
		s.t.Fatalf("create %v: %v", names, err)
	}
}

// checkAddresses holds what the API answers against the published key; no two
// accounts share an address.
func (s *site) checkAddresses(accounts ...string) {
	s.t.Helper()
	seen := map[string]bool{}
	for _, name := range accounts {
		to := s.depositAddress(name)
		if to != s.published(name) || seen[to] || !strings.HasPrefix(to, "bcrt1q") {
			s.t.Errorf("%s: address %s, worked out %s", name, to, s.published(name))
		}
		seen[to] = true
	}
}
