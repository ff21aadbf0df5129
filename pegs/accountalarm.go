package pegs

import "causeway/chains"

// about names what an alarm about a deposit is about: its transaction, where one
// alone made it.
func (d *Deposit) about() string {
	if d.Outpoint.TxID != "" {
		return d.Outpoint.TxID
	}
	return d.ID
}

// judge keeps the set of accounts whose readings nothing explains.
func (c *Chain) judge(key string, a *Account) {
	delete(c.trouble, key)
	for _, h := range a.holdings {
		if !h.Short.IsZero() || a.Odd {
			c.trouble[key] = a
		}
	}
}

// searched says whether everything that an account may have sent was looked for.
func (c *Chain) searched(a *Account) bool {
	if a.Kind != chains.WatchDeposit || a.Account == "" {
		return true
	}
	_, complete := c.Watched(a.Account)
	return complete
}

// accountAlarms says what of the accounts' readings nothing explains. An alarm is
// about the account and the figure: a further loss is a new one.
func (c *Chain) accountAlarms(add addAlarm) {
	for _, key := range sortedKeys(c.trouble) {
		a := c.trouble[key]
		if !c.searched(a) {
			continue
		}
		if a.Odd {
			about := spendAt(key, a.Nonce)
			add("odd", outpointText(about), "account %s has sent %d transactions, %d are known", a.Address, a.Nonce, a.Sent)
		}
		for _, token := range sortedKeys(a.holdings) {
			h := a.holdings[token]
			if h.Short.IsZero() {
				continue
			}
			what := "wei"
			if token != "" {
				what = "units of token " + token
			}
			add("short", key+":"+token+":"+h.Short.String(), "account %s lacks %s %s of what it has received", a.Address, h.Short, what)
		}
	}
}
