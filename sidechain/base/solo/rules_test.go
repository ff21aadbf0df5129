package solo

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"causeway/sidechain/base"
	"causeway/sidechain/graphene"
)

// keyOf is an authority of one account's role key.
func keyOf(t testing.TB, account, role string) graphene.Authority {
	return graphene.KeyAuthority(testKey(t, account, role).Public())
}

func create(t testing.TB, name string) *graphene.AccountCreate {
	fee, _ := graphene.ParseAsset("3.000 HIVE")
	return &graphene.AccountCreate{
		Fee: fee, Creator: "causeway", NewAccountName: name,
		Owner: keyOf(t, name, "owner"), Active: keyOf(t, name, "active"), Posting: keyOf(t, name, "posting"),
		MemoKey: testKey(t, name, "memo").Public(),
	}
}

func TestAccountCreate(t *testing.T) {
	n := newNetwork(t, nil)
	n.send(n.tx([]string{"causeway/active"}, create(t, "dave")))
	if got := n.Balance("causeway").String(); got != "997.000 HIVE" {
		t.Errorf("the creator has %s", got)
	}
	if got := n.Properties().Supply.String(); got != "4997.000 HIVE" {
		t.Errorf("supply %s: the fee is burned", got)
	}
	account, ok := n.Account("dave")
	if !ok {
		t.Fatal("no account")
	}
	if got, _ := account.String("memo_key"); got != testKey(t, "dave", "memo").Public().String() {
		t.Errorf("memo key %s", got)
	}
	if got := n.AccountsByKey(testKey(t, "dave", "active").Public().String()); len(got) != 1 || got[0] != "dave" {
		t.Errorf("accounts by key: %v", got)
	}
	if got := n.AccountsSince(1); len(got) != 1 || got[0] != (CreatedAccount{"dave", 1}) {
		t.Errorf("accounts since block 1: %v", got)
	}
	if got := strings.Join(n.AccountNames("b", 3), " "); got != "bob carol causeway" {
		t.Errorf("names from b: %s", got)
	}
	n.send(n.tx([]string{"causeway/active"}, transfer("causeway", "dave", "1.000 HIVE")))
	n.send(n.tx([]string{"dave/active"}, transfer("dave", "causeway", "1.000 HIVE")))
}

func TestRefusedNames(t *testing.T) {
	n := newNetwork(t, nil)
	for _, name := range []string{
		"null", "temp", "miners", "pegfees", "peg", "tokens", "market", "pegs", "comments", "ours", // kept
		"alice",                                                                                                   // taken
		"Null", "ab", "a..b", "abc.d", "1ab", "abc-", "aaaaaaaaaaaaaaaaa", "", "al ice", "nüll", "@null", "null ", // invalid
	} {
		op := create(t, "dave")
		op.NewAccountName = name
		n.refuse(n.tx([]string{"causeway/active"}, op), base.RejectInvalid)
	}
}

func TestAccountCreationIsTheAdmins(t *testing.T) {
	n := newNetwork(t, nil)
	op := create(t, "dave")
	op.Creator = "alice"
	tx := n.tx([]string{"alice/active"}, op)
	n.refuse(tx, base.RejectClosed)
	n.cfg = func(c *Config) { c.AccountsOpen = true }
	n.restart()
	n.send(tx)
}

func TestAccountFee(t *testing.T) {
	n := newNetwork(t, nil)
	op := create(t, "dave")
	op.Fee.Amount = 2999
	reject := n.refuse(n.tx([]string{"causeway/active"}, op), base.RejectFunds)
	if !strings.Contains(reject.Message, "3.000 HIVE required") {
		t.Error(reject)
	}
	op.Fee.Amount = 1000_001
	n.refuse(n.tx([]string{"causeway/active"}, op), base.RejectFunds)
}

// highS is the other spelling of a signature: it recovers to the same key.
func highS(s graphene.Signature) graphene.Signature {
	order, _ := new(big.Int).SetString("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16)
	order.Sub(order, new(big.Int).SetBytes(s[33:])).FillBytes(s[33:])
	s[0] = 31 + ((s[0] - 31) ^ 1)
	return s
}

func TestNotCanonical(t *testing.T) {
	n := newNetwork(t, nil)
	tx := n.tx([]string{"alice/active"}, customJSON("alice"))
	sig, err := graphene.ParseSignature(tx.Signatures[0])
	if err != nil {
		t.Fatal(err)
	}
	tx.Signatures[0] = highS(sig).String()
	if reject := n.refuse(tx, base.RejectSignature); !strings.Contains(reject.Message, "signature is not canonical") {
		t.Error(reject)
	}
	for _, bad := range []string{"", "00", strings.Repeat("0", 130), strings.Repeat("f", 130), strings.Repeat("x", 130)} {
		tx.Signatures[0] = bad
		n.refuse(tx, base.RejectSignature)
	}
	tx.Signatures = make([]string, 65)
	n.refuse(tx, base.RejectSignature)
}

func TestTimes(t *testing.T) {
	n := newNetwork(t, nil)
	n.produce()
	p := n.Properties()
	now := mustTime(t, p.Time)
	for _, row := range []struct {
		name   string
		change func(*graphene.Transaction)
		kind   base.RejectKind
	}{
		{"expired", func(tx *graphene.Transaction) { tx.Expiration = graphene.FormatTime(now) }, base.RejectExpired},
		{"too far", func(tx *graphene.Transaction) { tx.Expiration = graphene.FormatTime(now + 3601) }, base.RejectExpired},
		{"1970", func(tx *graphene.Transaction) { tx.Expiration = "1970-01-01T00:00:00" }, base.RejectExpired},
		{"2106", func(tx *graphene.Transaction) { tx.Expiration = "2106-02-07T06:28:15" }, base.RejectExpired},
		{"no time", func(tx *graphene.Transaction) { tx.Expiration = "soon" }, base.RejectInvalid},
		{"prefix", func(tx *graphene.Transaction) { tx.RefBlockPrefix++ }, base.RejectTapos},
		{"number", func(tx *graphene.Transaction) { tx.RefBlockNum++ }, base.RejectTapos},
		{"block 0", func(tx *graphene.Transaction) { tx.RefBlockNum = 0 }, base.RejectTapos},
	} {
		tx := n.unsigned(customJSON("alice"))
		row.change(tx)
		t.Run(row.name, func(t *testing.T) {
			n.t = t
			n.refuse(n.sign(tx, "alice/active"), row.kind)
		})
	}
	n.t = t
	tx := n.unsigned(customJSON("alice"))
	tx.RefBlockNum, tx.RefBlockPrefix = 0, 0 // genesis
	tx.Expiration = graphene.FormatTime(now + 3600)
	n.send(n.sign(tx, "alice/active"))
}

func TestTaposWindow(t *testing.T) {
	n := newNetwork(t, nil)
	first := n.unsigned(customJSON("alice"))
	for i := 0; i < TaposWindow+2; i++ {
		n.clock = n.clock.Add(time.Minute)
		if ok, err := n.Produce(context.Background()); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	stale := n.unsigned(customJSON("alice"))
	stale.RefBlockNum, stale.RefBlockPrefix = first.RefBlockNum, first.RefBlockPrefix
	n.refuse(n.sign(stale, "alice/active"), base.RejectTapos)
	n.send(n.tx([]string{"alice/active"}, customJSON("alice")))
	if rows := n.executor.db.Base().Table(tableBlocks).Len(); rows != TaposWindow {
		t.Errorf("%d block ids are kept", rows)
	}
}

func TestDuplicates(t *testing.T) {
	n := newNetwork(t, nil)
	tx := n.unsigned(customJSON("alice"))
	tx.Expiration = graphene.FormatTime(mustTime(t, n.Properties().Time) + 3600)
	signed := n.sign(tx, "alice/active")
	if err := n.Broadcast(context.Background(), signed); err != nil {
		t.Fatal(err)
	}
	if reject := n.refuse(signed, base.RejectDuplicate); !strings.Contains(reject.Message, "Duplicate transaction check failed") {
		t.Error(reject)
	}
	n.produce()
	n.refuse(signed, base.RejectDuplicate)
	n.refuse(n.sign(tx, "alice/owner"), base.RejectDuplicate) // another signature, the same id
	for i := 0; i < 57; i++ {
		n.clock = n.clock.Add(time.Minute)
		n.produce()
	}
	n.restart() // the ids come back from base.db
	n.refuse(signed, base.RejectDuplicate)
	n.clock = n.clock.Add(time.Minute)
	n.refuse(signed, base.RejectDuplicate)
	n.produce()
	n.clock = n.clock.Add(time.Minute)
	n.produce()
	n.refuse(signed, base.RejectExpired)
	if rows := n.executor.db.Base().Table(tableSeen).Len(); rows != 0 {
		t.Errorf("%d ids are kept after their time", rows)
	}
}

func TestSizes(t *testing.T) {
	n := newNetwork(t, nil)
	long := strings.Repeat("x", 9000)
	for _, row := range []struct {
		name string
		op   graphene.Operation
		kind base.RejectKind
	}{
		{"json", &graphene.CustomJSON{RequiredAuths: []string{"alice"}, ID: "x", JSON: `"` + long[:8191] + `"`}, base.RejectTooLarge},
		{"id", &graphene.CustomJSON{RequiredAuths: []string{"alice"}, ID: long[:33], JSON: "{}"}, base.RejectTooLarge},
		{"memo", &graphene.Transfer{From: "alice", To: "bob", Amount: coin(1), Memo: long[:2048]}, base.RejectTooLarge},
		{"transaction", &graphene.Comment{ParentPermlink: "a", Author: "alice", Permlink: "b", Body: strings.Repeat("y", 65536)}, base.RejectTooLarge},
		{"not JSON", &graphene.CustomJSON{RequiredAuths: []string{"alice"}, ID: "x", JSON: "{"}, base.RejectInvalid},
		{"deep JSON", &graphene.CustomJSON{RequiredAuths: []string{"alice"}, ID: "x", JSON: strings.Repeat("[", 4000) + strings.Repeat("]", 4000)}, base.RejectInvalid},
		{"not UTF-8", &graphene.CustomJSON{RequiredAuths: []string{"alice"}, ID: "x", JSON: "\"\xff\""}, base.RejectInvalid},
		{"metadata", &graphene.Comment{ParentPermlink: "a", Author: "alice", Permlink: "b", Body: "c", JSONMetadata: "{a}"}, base.RejectInvalid},
	} {
		t.Run(row.name, func(t *testing.T) {
			n.t = t
			n.refuse(n.tx([]string{"alice/active"}, row.op), row.kind)
		})
	}
	n.t = t
	n.refuse(n.tx([]string{"alice/active"}), base.RejectInvalid) // no operation
	n.send(n.tx([]string{"alice/active"}, &graphene.CustomJSON{RequiredAuths: []string{"alice"}, ID: long[:32], JSON: `"` + long[:8190] + `"`}))
}

func TestTransferRules(t *testing.T) {
	n := newNetwork(t, nil)
	for _, row := range []struct {
		to, amount string
		kind       base.RejectKind
	}{
		{"bob", "1000.001 HIVE", base.RejectFunds},
		{"bob", "0.000 HIVE", base.RejectInvalid},
		{"bob", "-1.000 HIVE", base.RejectInvalid},
		{"bob", "1.000 HBD", base.RejectInvalid},
		{"bob", "1.0000 HIVE", base.RejectInvalid},
		{"bob", "1.000000 VESTS", base.RejectInvalid},
		{"nobody", "1.000 HIVE", base.RejectInvalid},
		{"peg", "1.000 HIVE", base.RejectInvalid},
		{"pegfees", "1.000 HIVE", base.RejectInvalid},
	} {
		n.refuse(n.tx([]string{"alice/active"}, transfer("alice", row.to, row.amount)), row.kind)
	}
	n.send(n.tx([]string{"alice/active"}, transfer("alice", "alice", "1000.000 HIVE")))
	n.send(n.tx([]string{"alice/active"}, transfer("alice", "null", "1.000 HIVE")))
	if got := n.Properties().Supply.String(); got != "4999.000 HIVE" {
		t.Errorf("supply %s after burning 1.000", got)
	}
	if got := n.Balance("alice").String(); got != "999.000 HIVE" {
		t.Errorf("alice has %s", got)
	}
}

// What two transactions spend together must be there: the second waits in
// vain, and whoever waits for it is told.
func TestPendingDoubleSpend(t *testing.T) {
	n := newNetwork(t, nil)
	if err := n.Broadcast(context.Background(), n.tx([]string{"alice/active"}, transfer("alice", "bob", "600.000 HIVE"))); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := n.BroadcastSynchronous(context.Background(), n.tx([]string{"alice/active"}, transfer("alice", "carol", "600.000 HIVE")))
		done <- err
	}()
	for n.pending() < 2 {
		time.Sleep(time.Millisecond)
	}
	n.produce()
	var reject *base.RejectError
	if err := <-done; !errors.As(err, &reject) || reject.Kind != base.RejectFunds {
		t.Errorf("the second spend: %v", err)
	}
}

func (n *network) pending() int {
	n.Sequencer.mu.Lock()
	defer n.Sequencer.mu.Unlock()
	return n.pool.len()
}

func TestAccountLimitPerBlock(t *testing.T) {
	n := newNetwork(t, nil)
	for i := 0; i < 7; i++ {
		op := customJSON("alice")
		op.JSON = fmt.Sprint(i)
		if err := n.Broadcast(context.Background(), n.tx([]string{"alice/active"}, op)); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Broadcast(context.Background(), n.tx([]string{"bob/active"}, customJSON("bob"))); err != nil {
		t.Fatal(err)
	}
	if got := len(n.produce().Transactions); got != 6 { // 5 of alice, 1 of bob
		t.Errorf("%d transactions in the block", got)
	}
	if got := len(n.produce().Transactions); got != 2 {
		t.Errorf("%d transactions in the next block", got)
	}
	var many []graphene.Operation
	for i := 0; i < 5*operationsPerTransaction+1; i++ {
		many = append(many, customJSON("alice"))
	}
	n.refuse(n.tx([]string{"alice/active"}, many...), base.RejectLimit)
}

func TestPoolLimits(t *testing.T) {
	n := newNetwork(t, func(c *Config) { c.Pool = PoolLimits{Transactions: 3, PerAccount: 2} })
	send := func(account string, i int) *graphene.SignedTransaction {
		op := customJSON(account)
		op.JSON = fmt.Sprint(i)
		return n.tx([]string{account + "/active"}, op)
	}
	for i, account := range []string{"alice", "alice", "bob"} {
		if err := n.Broadcast(context.Background(), send(account, i)); err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			n.refuse(send("alice", 9), base.RejectFull)
		}
	}
	n.refuse(send("carol", 9), base.RejectFull)
	n.produce()
	if err := n.Broadcast(context.Background(), send("carol", 9)); err != nil {
		t.Error(err)
	}
}

func TestExpiredWhilePending(t *testing.T) {
	n := newNetwork(t, nil)
	n.produce()
	done := make(chan Receipt, 1)
	go func() {
		r, _ := n.BroadcastSynchronous(context.Background(), n.tx([]string{"alice/active"}, customJSON("alice")))
		done <- r
	}()
	for n.pending() < 1 {
		time.Sleep(time.Millisecond)
	}
	n.clock = n.clock.Add(2 * time.Minute)
	n.produce()
	if r := <-done; !r.Expired || r.Block != 0 {
		t.Errorf("receipt %+v", r)
	}
}
