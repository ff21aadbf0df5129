package market_test

import (
	"testing"

	"causeway/sidechain/jsvalue"
)

// FuzzPayload: whatever a payload says, nothing panics and the books stay in
// order.
func FuzzPayload(f *testing.F) {
	for i, payload := range []string{
		`{"symbol":"COOL","quantity":"1","price":"2","expiration":9,"quote":"SWAP.BTC"}`,
		`{"symbol":"COOL","quantity":" 0x1 ","price":"1e-8","quote":"SWAP.HIVE"}`,
		`{"symbol":"FINE","quantity":"9007199254740991","quote":{"$ne":null}}`,
		`{"symbol":["COOL"],"quantity":"Infinity","__proto__":{"quantity":"1"}}`,
		`{"type":"buy","id":1}`,
		`{"type":"sell","id":{"$gt":0},"account":"bob","txId":"","isSignedWithActiveKey":false}`,
	} {
		f.Add(uint8(i), payload)
	}
	actions := []string{"buy", "sell", "marketBuy", "marketSell", "cancel"}
	f.Fuzz(func(t *testing.T, action uint8, payload string) {
		v, err := jsvalue.Parse(payload)
		object, ok := v.(*jsvalue.Object)
		if err != nil || !ok || len(payload) > 500 {
			return
		}
		c := open(t, genesis(true))
		for _, side := range []string{"buy", "sell"} {
			c.Call("alice", "market", side, `{"symbol":"COOL","quantity":"7.5","price":"`+map[string]string{"buy": "1.1", "sell": "1.3"}[side]+`"}`)
		}
		c.Call("bob", "market", actions[int(action)%len(actions)], jsvalue.Stringify(object))
		c.Call("alice", "market", actions[int(action)%len(actions)], jsvalue.Stringify(object))
		if p := problems(c); len(p) > 0 {
			t.Error(p)
		}
	})
}
