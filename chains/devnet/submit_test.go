package devnet

import (
	"testing"
	"time"
)

// earlier is the clock of a chain whose blocks are not those of one that starts now.
func earlier() time.Time { return time.Now().Add(-time.Hour) }

// carry hands every block of one chain to another and gives its last answer.
func (c client) carry(to client) (last string) {
	c.Helper()
	for height := 1; height <= c.count(); height++ {
		raw := c.text("getblock", c.text("getblockhash", height), 0)
		if result, failure := to.try("submitblock", raw); failure != nil {
			c.Fatalf("block %d: %v", height, failure)
		} else {
			last = string(result)
		}
	}
	return last
}

// TestSubmitBlock: a chain takes the longer one of another, gives its own
// transactions back to the mempool, and has it still after a restart.
func TestSubmitBlock(t *testing.T) {
	for _, params := range []func() Params{Bitcoin, Litecoin, BitcoinCash, Dogecoin} {
		p := params()
		t.Run(p.Name, func(t *testing.T) {
			dir := t.TempDir()
			chain, c := start(t, Config{Params: p, Dir: dir})
			_, other := start(t, Config{Params: p, Clock: earlier})
			was := c.text("getbestblockhash")
			mustEqual(t, "a branch that is no longer", other.carry(c), `"inconclusive"`)
			mustEqual(t, "best", c.text("getbestblockhash"), was)

			paid := c.text("sendtoaddress", c.text("getnewaddress"), 1)
			c.mine(1)
			theirs := other.text("sendtoaddress", other.text("getnewaddress"), 2)
			other.mine(2)
			mustEqual(t, "a longer one", other.carry(c), "null")
			tip := other.text("getbestblockhash")
			mustEqual(t, "best", c.text("getbestblockhash"), tip)
			mustEqual(t, "again", other.carry(c), `"duplicate"`)
			mustEqual(t, "transaction", ask[txJSON](c, "getrawtransaction", theirs, 1).TxID, theirs)
			// Both wallets have one seed: theirs took the coin.
			c.refuse(codeAddressOrKey, "No such mempool", "getrawtransaction", paid)

			if err := chain.Close(); err != nil {
				t.Fatal(err)
			}
			_, c = start(t, Config{Params: p, Dir: dir})
			mustEqual(t, "best after a restart", c.text("getbestblockhash"), tip)
		})
	}
}

func TestSubmitBlockRefuses(t *testing.T) {
	_, c := start(t, Config{})
	_, other := start(t, Config{Clock: earlier})
	other.mine(1)
	tip := other.text("getblock", other.text("getbestblockhash"), 0)
	answer := func(raw string) string {
		t.Helper()
		result, failure := c.try("submitblock", raw)
		if failure != nil {
			t.Fatal(failure)
		}
		return string(result)
	}
	mustEqual(t, "without its parent", answer(tip), `"prev-blk-not-found"`)
	c.refuse(codeDeserialization, "Block decode failed", "submitblock", "00")
	c.refuse(codeDeserialization, "Block decode failed", "submitblock", "xyz")
	first := other.text("getblock", other.text("getblockhash", 1), 0)
	changed := []byte(first)
	changed[len(changed)-1] ^= 1 // its merkle root does not hold
	if got := answer(string(changed)); len(got) < 12 || got[:11] != `"rejected: ` {
		t.Errorf("a changed block: %s", got)
	}
	mustEqual(t, "the whole one", answer(first), `"inconclusive"`)
}
