package contract

import (
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// release records the proof that a payout can never be mined: an input of it
// is spent by another transaction at final depth, or its nonce is used. The id
// is that of a withdrawal, or of a batch that pays none.
func (c *call) release() bool {
	id, isID := c.payload.String("id")
	proof, isProof := c.payload.String("proof")
	if !c.Assert(isID && isProof && proof != "" && jsvalue.Length(proof) <= maxText, "invalid params") {
		return false
	}
	row, isBatch, problem := c.releasable(id)
	if !c.ok(problem) {
		return false
	}
	if !c.agreed(id, "proof", proof) {
		return true
	}
	if isBatch {
		c.releaseBatch(row, proof)
	} else {
		change(c.Table("withdrawals"), row, "state", released, "reason", proof)
		if dead := c.assigned(text(row, "batch")); c.allReleased(dead) {
			c.releaseBatch(dead, proof)
		}
	}
	c.Emit("release", jsvalue.NewObject("id", id, "proof", proof))
	return true
}

// releasable finds what an id stands for and says why it cannot be released.
func (c *call) releasable(id string) (row state.Row, isBatch bool, problem string) {
	if row = c.withdrawal(id); row != nil {
		if text(row, "state") != assigned {
			problem = "withdrawal is not in state assigned"
		}
		return row, false, problem
	}
	row = c.assigned(id)
	switch {
	case row == nil:
		problem = "withdrawal does not exist"
	case text(row, "kind") == kindPayout:
		problem = "a payout is released by its withdrawals"
	case text(row, "state") != open:
		problem = "batch is not open"
	}
	return row, true, problem
}

func (c *call) allReleased(row state.Row) bool {
	ids, _ := texts(row, "ids")
	for _, id := range ids {
		if text(c.withdrawal(id), "state") == assigned {
			return false
		}
	}
	return true
}

func (c *call) releaseBatch(row state.Row, proof string) {
	c.free(row)
	change(c.Table("assigns"), row, "state", released, "closed", c.ref(), "reason", proof)
}

// giveBack returns the tokens of a withdrawal that is not and will never be
// paid: one that was never assigned, or was released. The fee stays.
func (c *call) giveBack() bool {
	id, isID := c.payload.String("id")
	reason, isReason := c.payload.String("reason")
	if !c.Assert(isID && isReason && reason != "" && jsvalue.Length(reason) <= maxText, "invalid params") {
		return false
	}
	row := c.withdrawal(id)
	if !c.Assert(row != nil, "withdrawal does not exist") {
		return false
	}
	state := text(row, "state")
	if !c.Assert(state == requested || state == released, "withdrawal is not in state requested or released") {
		return false
	}
	if !c.agreed(id, "reason", reason) {
		return true
	}
	account, symbol, net := text(row, "account"), text(row, "symbol"), text(row, "net")
	if !c.issue(account, symbol, net) {
		return false
	}
	change(c.Table("withdrawals"), row, "state", returned, "reason", reason)
	c.Emit("giveBack", jsvalue.NewObject("id", id, "symbol", symbol, "account", account, "quantity", net, "reason", reason))
	return true
}
