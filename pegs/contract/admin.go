package contract

import (
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// pause stops or resumes deposits, withdrawals or mints of an asset, or of all
// without a symbol, at once. Stopping is cheap; resuming needs a reason.
func (c *call) pause() bool {
	reason := text(c.payload, "reason")
	var flags []any
	resumes := false
	for _, what := range []string{"deposits", "withdrawals", "mints"} {
		if !c.payload.Has(what) {
			continue
		}
		flag, ok := c.payload.Bool(what)
		if !c.Assert(ok, "invalid params") {
			return false
		}
		flags = append(flags, what+"_paused", flag)
		resumes = resumes || !flag
	}
	if !c.Assert(len(flags) > 0 && jsvalue.Length(reason) <= maxText, "invalid params") ||
		!c.Assert(!resumes || reason != "", "resuming needs a reason") {
		return false
	}
	if !c.payload.Has("symbol") {
		for row := range c.Table("assets").All() {
			c.setPaused(readAsset(row), flags, reason)
		}
		return true
	}
	a, ok := c.assetOf(text(c.payload, "symbol"))
	if ok {
		c.setPaused(a, flags, reason)
	}
	return ok
}

func (c *call) setPaused(a *asset, flags []any, reason string) {
	a.row = change(c.Table("assets"), a.row, flags...)
	c.Emit("pause", jsvalue.NewObject(
		"symbol", a.symbol, "deposits", a.paused("deposits"), "withdrawals", a.paused("withdrawals"),
		"mints", a.paused("mints"), "reason", reason))
}

// collectFees pays fees out of the fee account: the only way out of it beside
// burning costs. It leaves what is owed and the largest possible cost of every
// open batch.
func (c *call) collectFees() bool {
	symbol, isSymbol := c.payload.String("symbol")
	quantityText, isQuantity := c.payload.String("quantity")
	to, isTo := c.payload.String("to")
	if !c.Assert(isSymbol && isQuantity && isTo, "invalid params") {
		return false
	}
	a, ok := c.assetOf(symbol)
	if !ok || !c.ok(c.receiverProblem(to)) {
		return false
	}
	quantity, ok := amountOf(quantityText, a.precision)
	fees := text(c.params, "fee_account")
	left := c.balance(fees, symbol).Minus(quantity)
	if !c.Assert(ok && positive(quantity), "invalid quantity") ||
		!c.Assert(!left.Lt(jsvalue.BigInt(0)), "overdrawn balance") ||
		!c.Assert(left.Gte(c.reserved(a)), "the fees must cover owed and open costs") ||
		!c.transfer(fees, to, symbol, a.fixed(quantity)) {
		return false
	}
	c.Emit("collectFees", jsvalue.NewObject("symbol", symbol, "quantity", a.fixed(quantity), "to", to))
	return true
}

// reserved is what the fee account must keep of a peg: costs are burned from
// the peg of a chain's own coin alone.
func (c *call) reserved(a *asset) jsvalue.BigNumber {
	if a.token != "" {
		return jsvalue.BigInt(0)
	}
	n := int64(0)
	for range c.Table("assigns").FindAll("chain+state", a.chain, open) {
		n++
	}
	return a.amount("owed").Plus(a.amount("fee_max").Times(jsvalue.BigInt(n)))
}

// setAsset changes an asset, or adds one with its token.
func (c *call) setAsset() bool {
	given := jsvalue.NewObject()
	for _, m := range assetMembers {
		if c.payload.Has(m.name) {
			given.Set(m.name, c.payload.Get(m.name))
		}
	}
	problem := c.assetProblem(given)
	return c.ok(problem) && c.schedule(text(given, "symbol"), given)
}

// assetProblem says why an asset cannot be changed so, or added.
func (c *call) assetProblem(given *jsvalue.Object) string {
	old := findAsset(c, text(given, "symbol"))
	_, problem := mergedAsset(c, text(c.params, "network"), old, given)
	switch {
	case problem != "":
		return problem
	case old == nil && c.TableOf("tokens", "tokens").Find1("symbol", text(given, "symbol")) != nil:
		return "symbol already exists"
	case old == nil && given.Get("token") != nil && nativeAsset(c, text(given, "chain")) == nil:
		return "the chain's own coin must be an asset first"
	}
	return ""
}

// setAttestors replaces the attestors and their threshold.
func (c *call) setAttestors() bool {
	given := jsvalue.NewObject("attestors", c.payload.Get("attestors"), "threshold", c.payload.Get("threshold"))
	return c.ok(c.attestorsProblem(given)) && c.schedule("", given)
}

const maxAttestors = 50

func (c *call) attestorsProblem(given *jsvalue.Object) string {
	names, ok := texts(given, "attestors")
	if !ok || len(names) == 0 || len(names) > maxAttestors || !distinct(names) {
		return "invalid attestors"
	}
	for _, name := range names {
		if problem := c.receiverProblem(name); problem != "" {
			return "invalid attestors"
		}
	}
	if n, ok := whole(given.Get("threshold"), float64(len(names))); !ok || n < 1 {
		return "invalid threshold"
	}
	return ""
}

// setKey adds the derivation key of a chain's next epoch.
func (c *call) setKey() bool {
	given := jsvalue.NewObject()
	for _, name := range []string{"chain", "epoch", "key", "birthday"} {
		given.Set(name, c.payload.Get(name))
	}
	return c.ok(keyProblem(c.Table("keys"), given)) && c.schedule(text(given, "chain"), given)
}

// keyProblem says why a key cannot be the next of its chain.
func keyProblem(keys *state.Table, key *jsvalue.Object) string {
	if !isChain(text(key, "chain")) {
		return "invalid chain"
	}
	next := 0.0
	for range keys.FindAll("chain+epoch", text(key, "chain")) {
		next++
	}
	if epoch, ok := whole(key.Get("epoch"), 1<<31-1); !ok || epoch != next {
		return "the epoch must be the chain's next"
	}
	if !onCurve(text(key, "key")) {
		return "invalid key"
	}
	if _, ok := whole(key.Get("birthday"), 1<<52); !ok {
		return "invalid birthday"
	}
	return ""
}

// schedule stores an admin's change until its block has come. A newer change
// of the same thing takes the place of an older one and waits anew, so that
// setting the present values again takes a change back.
func (c *call) schedule(subject string, given *jsvalue.Object) bool {
	subject = c.ActionName() + " " + subject
	votes := c.Table("votes")
	for row := range votes.FindAll("kind+subject+attestor", kindChange, subject) {
		votes.Remove(row)
	}
	due := c.ref() + number(c.params, "admin_delay")
	votes.Insert(jsvalue.NewObject("kind", kindChange, "subject", subject, "action", c.ActionName(),
		"value", jsvalue.Stringify(given), "block", c.ref(), "due", due))
	c.Emit(c.ActionName(), jsvalue.NewObject("due", due, "values", given))
	return true
}

// applyChange puts an admin's change in force. One that has become impossible
// is dropped with an event.
func (c *call) applyChange(row state.Row) bool {
	c.Table("votes").Remove(row)
	value, _ := jsvalue.Parse(text(row, "value"))
	given, _ := value.(*jsvalue.Object)
	mark := c.Savepoint()
	var problem string
	switch text(row, "action") {
	case "setAsset":
		problem = c.applyAsset(given)
	case "setAttestors":
		problem = c.applyAttestors(given)
	case "setKey":
		if problem = keyProblem(c.Table("keys"), given); problem == "" {
			c.Table("keys").Insert(given)
		}
	}
	if problem != "" {
		c.Rollback(mark)
		c.Emit("dropped", jsvalue.NewObject("change", text(row, "subject"), "reason", problem))
		return true
	}
	c.Emit("applied", jsvalue.NewObject("change", text(row, "subject"), "values", given))
	return true
}

func (c *call) applyAsset(given *jsvalue.Object) string {
	problem := c.assetProblem(given)
	if problem != "" {
		return problem
	}
	symbol := text(given, "symbol")
	old := findAsset(c, symbol)
	next, _ := mergedAsset(c, text(c.params, "network"), old, given)
	if old != nil {
		next.Set("_id", old.row.Get("_id"))
		c.Table("assets").Update(next)
		return ""
	}
	c.Table("assets").Insert(next)
	made := c.CallAs(null, "tokens", "create", jsvalue.NewObject(
		"name", tokenName(symbol), "symbol", symbol, "precision", next.Get("precision"),
		"maxSupply", maxSupply, "isSignedWithActiveKey", true))
	if !made.OK() {
		return "the token could not be created"
	}
	return ""
}

func (c *call) applyAttestors(given *jsvalue.Object) string {
	if problem := c.attestorsProblem(given); problem != "" {
		return problem
	}
	names, _ := texts(given, "attestors")
	rows := c.Table("attestors")
	stays := map[string]bool{}
	for _, name := range names {
		stays[name] = true
		switch row := rows.Find1("account", name); {
		case row == nil:
			rows.Insert(jsvalue.NewObject("account", name, "since", c.ref(), "until", nil))
		case row.Get("until") != nil:
			change(rows, row, "since", c.ref(), "until", nil)
		}
	}
	for row := range rows.All() {
		if who := text(row, "account"); !stays[who] && row.Get("until") == nil {
			change(rows, row, "until", c.ref())
			c.forgetVotes(who)
		}
	}
	change(c.Table("params"), c.params, "threshold", given.Get("threshold"))
	return ""
}
