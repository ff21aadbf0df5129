package gateway

import (
	"context"
	"errors"
	"testing"

	"causeway/chains"
	"causeway/sidechain/graphene"
)

// flakyNode is a node that is gone from time to time.
type flakyNode struct {
	NodeRPC
	gone bool
}

func (n *flakyNode) Call(ctx context.Context, method string, params []any, result any) error {
	if n.gone {
		return errors.New("connection refused")
	}
	return n.NodeRPC.Call(ctx, method, params, result)
}

func (d *driver) create(name string) {
	d.t.Helper()
	auth := graphene.KeyAuthority(testKey(name).Public())
	d.broadcast("alice", &graphene.AccountCreate{
		Fee: graphene.Asset{Amount: 3000, Precision: 3, Symbol: "HIVE"}, Creator: "alice", NewAccountName: name,
		Owner: auth, Active: auth, Posting: auth, MemoKey: testKey(name).Public(),
	})
}

// The scanner's node is away when an account is new: its addresses must be
// scanned for all the same once the node is back.
func TestScannerForgetsNoAccount(t *testing.T) {
	d := booted(t)
	d.balanced()
	node := &flakyNode{NodeRPC: d.rpc}
	d.node.gateway.scanners[chains.BTC].(*scanner).node = node
	d.create("newcomer")
	d.pump()
	d.pump()
	node.gone = true
	snap, err := d.node.gateway.snapshot(d.node.gateway.chains)
	if err != nil {
		t.Fatal(err)
	}
	if audit := d.node.gateway.balance(context.Background(), snap); audit.OK {
		t.Error("an audit without a scanner is ok")
	}
	node.gone = false
	d.pay(d.depositAddress("newcomer"), "0.03")
	d.mine(2)
	d.until("credited", func() bool { return len(d.deposits("newcomer")["credited"]) == 1 })
	d.balanced()
}
