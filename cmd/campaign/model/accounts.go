package model

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// Holder is an account and what it holds: the coin, or a token by its contract.
type Holder struct{ Address, Token string }

// Transfer is a transaction of a chain of accounts. Addresses are in small letters,
// amounts in the smallest units.
type Transfer struct {
	ID, From, To string
	Nonce        uint64
	Value        *big.Int
	Fee          *big.Int // that it cost, once mined
	Failed       bool     // it is in the chain and did nothing
	// Token, Payee and Units are what a call of a token's transfer says, and Logged
	// whether its event was emitted.
	Token, Payee string
	Units        *big.Int
	Logged       bool
}

// pays is who gets how much of what, whatever became of it.
func (t Transfer) pays() (Holder, *big.Int) {
	if t.Token != "" {
		return Holder{t.Payee, t.Token}, t.Units
	}
	return Holder{t.To, ""}, t.Value
}

// AccountBurn is a withdrawal that the sidechain took: Quantity of Symbol and Fee of
// the coin's symbol left the account, Net smallest units are to be paid to Payee.
type AccountBurn struct {
	ID, Account, Symbol, Token, Payee string
	Quantity, Fee, Back               int64 // in units of the pegs; Back: when it is given back
	Net                               *big.Int
}

// Asset is a peg: one unit of it is Unit smallest units.
type Asset struct {
	Symbol, Token string
	Unit          *big.Int
	Minimum       int64 // of a deposit, in units
}

// AccountWorld is what happened on a chain of accounts, as seen from outside.
type AccountWorld struct {
	Chain    []Transfer          // final ones, oldest first
	Sent     []Transfer          // all that the gateway ever gave to any node
	Balances map[Holder]*big.Int // in the newest final block
	Deposits map[string]string   // address -> account
	Burns    []AccountBurn
	Assets   []Asset // the coin's first
}

// AccountDeposit is one that the gateway says it saw.
type AccountDeposit struct {
	ID, Address, Token, Account, State string
	Amount                             *big.Int // smallest units
}

// AccountClaim is what the gateway says at its public surfaces.
type AccountClaim struct {
	FeeAccount string
	Balances   map[string]map[string]int64 // by symbol and account
	Supply     map[string]int64
	Deposits   []AccountDeposit
	Rows       map[string]Credit // of the contract, by id of the deposit
	Settled    map[string]string
	Returned   map[string]bool
	Items      map[Holder]*big.Int // what it says that it holds, but nothing
}

// accounts is what the chain says.
type accounts struct {
	AccountWorld
	ours    map[string]bool // deposit addresses, and whoever signed what was sent
	used    map[string]Transfer
	paid    map[Holder][]Transfer // by accounts of ours
	costs   *big.Int
	charges int64 // transactions of ours
	faults  []string
}

func (b *accounts) fault(format string, args ...any) {
	b.faults = append(b.faults, fmt.Sprintf(format, args...))
}

func slot(from string, nonce uint64) string { return fmt.Sprintf("%s:%d", from, nonce) }

// JudgeAccounts is Judge for a chain of accounts.
func JudgeAccounts(w AccountWorld, c AccountClaim) []string {
	b := &accounts{
		AccountWorld: w, ours: map[string]bool{}, used: map[string]Transfer{}, paid: map[Holder][]Transfer{}, costs: new(big.Int),
	}
	b.read()
	b.nonces()
	for _, asset := range w.Assets {
		b.credits(asset, c)
		b.balances(asset, c)
		b.reserves(asset, c)
	}
	b.payments(c)
	b.fees(c)
	return b.faults
}

func (b *accounts) read() {
	for address := range b.Deposits {
		b.ours[address] = true
	}
	for _, tx := range b.Sent {
		b.ours[tx.From] = true
	}
	payee := map[string]bool{}
	for _, burn := range b.Burns {
		payee[burn.Payee] = true
	}
	for _, tx := range b.Chain {
		if !b.ours[tx.From] {
			continue
		}
		if to, _ := tx.pays(); !tx.Failed && !payee[to.Address] { // sweeps and top-ups
			b.ours[to.Address] = true
		}
		b.used[slot(tx.From, tx.Nonce)] = tx
		b.costs.Add(b.costs, tx.Fee)
		b.charges++
		if !tx.Failed {
			to, _ := tx.pays()
			b.paid[to] = append(b.paid[to], tx)
		}
	}
}

// nonces: every account of ours has used all of its numbers up to the last, nothing
// was mined that was not sent, and nothing that was sent can be mined later.
func (b *accounts) nonces() {
	next, sent := map[string]uint64{}, map[string]bool{}
	for _, tx := range b.Sent {
		sent[tx.ID] = true
	}
	for _, tx := range b.Chain {
		if !b.ours[tx.From] {
			continue
		}
		if tx.Nonce != next[tx.From] {
			b.fault("%s used nonce %d after %d transactions", tx.From, tx.Nonce, next[tx.From])
		}
		next[tx.From]++
		if !sent[tx.ID] {
			b.fault("transaction %s of %s was mined and never sent", tx.ID, tx.From)
		}
	}
	for _, tx := range b.Sent {
		if tx.Nonce >= next[tx.From] {
			b.fault("transaction %s with nonce %d of %s, which used %d, can still be mined", tx.ID, tx.Nonce, tx.From, next[tx.From])
		}
	}
}

// received is what an address ever received from outside: what it has, and what its
// own transactions took out, less what other accounts of ours brought that was no
// payout.
func (b *accounts) received(h Holder) *big.Int {
	sum := new(big.Int)
	if has := b.Balances[h]; has != nil {
		sum.Set(has)
	}
	payout := map[string]bool{}
	for _, burn := range b.Burns {
		payout[burn.Payee] = true
	}
	for _, tx := range b.Chain {
		to, amount := tx.pays()
		if tx.From == h.Address {
			if h.Token == "" {
				sum.Add(sum, tx.Fee)
			}
			if !tx.Failed && to.Token == h.Token {
				sum.Add(sum, amount)
			}
		}
		if to == h && b.ours[tx.From] && !tx.Failed && !payout[to.Address] {
			sum.Sub(sum, amount)
		}
	}
	return sum
}

// silent is what came without an event that says so, which is nobody's.
func (b *accounts) silent(h Holder) *big.Int {
	sum := new(big.Int)
	for _, tx := range b.Chain {
		if to, amount := tx.pays(); to == h && h.Token != "" && !b.ours[tx.From] && !tx.Failed && !tx.Logged {
			sum.Add(sum, amount)
		}
	}
	return sum
}

// credits: the deposits of an address come to what it received, and the rows of the
// contract to the deposits, each rounded down, but for those that are too small.
func (b *accounts) credits(asset Asset, c AccountClaim) {
	sums := map[string]*big.Int{}
	for address := range b.Deposits {
		sums[address] = new(big.Int)
	}
	for _, d := range c.Deposits {
		if d.Token != asset.Token {
			continue
		}
		if sums[d.Address] == nil || b.Deposits[d.Address] != d.Account {
			b.fault("deposit %s is for %s at %s", d.ID, d.Account, d.Address)
			continue
		}
		sums[d.Address].Add(sums[d.Address], d.Amount)
		units := new(big.Int).Quo(d.Amount, asset.Unit).Int64()
		row, credited := c.Rows[d.ID]
		switch {
		case credited != (d.State == "credited"):
			b.fault("deposit %s is %s, credited by the contract: %v", d.ID, d.State, credited)
		case credited && (row.Units != units || row.Account != d.Account):
			b.fault("deposit %s of %s for %s is credited as %d to %s", d.ID, d.Amount, d.Account, row.Units, row.Account)
		case !credited && units >= asset.Minimum:
			b.fault("deposit %s of %s for %s is not credited", d.ID, d.Amount, d.Account)
		}
	}
	for address, sum := range sums {
		h := Holder{address, asset.Token}
		received := b.received(h)
		least := new(big.Int).Sub(received, b.silent(h))
		if sum.Cmp(received) > 0 || sum.Cmp(least) < 0 {
			b.fault("%s received %s of %s, at least %s of it with an event, and its deposits come to %s", address, received, asset.Symbol, least, sum)
		}
	}
}

// Overcredited lists what was credited to users beyond what their addresses received,
// whatever is still under way.
func Overcredited(w AccountWorld, c AccountClaim) []string {
	b := &accounts{AccountWorld: w, ours: map[string]bool{}, used: map[string]Transfer{}, paid: map[Holder][]Transfer{}, costs: new(big.Int)}
	b.read()
	tokens := map[string]string{}
	for _, d := range c.Deposits {
		tokens[d.ID] = d.Token
	}
	for address, account := range w.Deposits {
		for _, asset := range w.Assets {
			sum := new(big.Int)
			for id, row := range c.Rows {
				if token, known := tokens[id]; known && token == asset.Token && row.Account == account {
					sum.Add(sum, new(big.Int).Mul(big.NewInt(row.Units), asset.Unit))
				}
			}
			if received := b.received(Holder{address, asset.Token}); sum.Cmp(received) > 0 {
				b.fault("%s are credited to %s in %s, who received %s", sum, account, asset.Symbol, received)
			}
		}
	}
	return b.faults
}

// balances: what a user holds follows from rows and burns.
func (b *accounts) balances(asset Asset, c AccountClaim) {
	want, known := map[string]int64{}, map[string]bool{}
	for _, d := range c.Deposits {
		known[d.ID] = true
		if row, ok := c.Rows[d.ID]; ok && d.Token == asset.Token {
			want[row.Account] += row.Units
		}
	}
	for id, row := range c.Rows {
		if !known[id] {
			b.fault("%d are credited to %s for %s, which is no deposit", row.Units, row.Account, id)
		}
	}
	for _, burn := range b.Burns {
		if burn.Symbol == asset.Symbol {
			want[burn.Account] -= burn.Quantity
			if c.Returned[burn.ID] {
				want[burn.Account] += burn.Back
			}
		}
		if asset.Token == "" {
			want[burn.Account] -= burn.Fee
		}
	}
	var supply int64
	for account, units := range c.Balances[asset.Symbol] {
		supply += units
		if _, due := want[account]; !due && account != c.FeeAccount && units != 0 {
			b.fault("%s holds %d %s out of nothing", account, units, asset.Symbol)
		}
	}
	for account, units := range want {
		if has := c.Balances[asset.Symbol][account]; has != units {
			b.fault("%s holds %d %s, and should hold %d", account, has, asset.Symbol, units)
		}
	}
	if supply != c.Supply[asset.Symbol] {
		b.fault("balances of %s come to %d, the supply is said to be %d", asset.Symbol, supply, c.Supply[asset.Symbol])
	}
}

// reserves: what accounts of ours hold is what the gateway says, and covers what
// circulates and what is credited to nobody.
func (b *accounts) reserves(asset Asset, c AccountClaim) {
	has := new(big.Int)
	for address := range b.ours {
		h := Holder{address, asset.Token}
		balance, said := b.Balances[h], c.Items[h]
		if balance == nil {
			balance = new(big.Int)
		}
		if said == nil {
			said = new(big.Int)
		}
		if balance.Cmp(said) != 0 {
			b.fault("%s holds %s of %s, said to be %s", address, balance, asset.Symbol, said)
		}
		has.Add(has, balance)
	}
	for h := range c.Items {
		if !b.ours[h.Address] && h.Token == asset.Token {
			b.fault("%s is said to be ours and never was", h.Address)
		}
	}
	owes := new(big.Int).Mul(big.NewInt(c.Supply[asset.Symbol]), asset.Unit)
	for _, d := range c.Deposits {
		if _, credited := c.Rows[d.ID]; d.Token == asset.Token && !credited {
			owes.Add(owes, d.Amount)
		}
	}
	if has.Cmp(owes) < 0 {
		b.fault("reserves of %s for %s %s", has, owes, asset.Symbol)
	}
}

// payments: every burn is paid once, exactly, by the transaction that settles it, or
// given back when all that could pay it is dead. All that was ever sent for it has
// the same sender and nonce.
func (b *accounts) payments(c AccountClaim) {
	burns := map[string]bool{}
	for _, burn := range b.Burns {
		burns[burn.ID] = true
		to := Holder{burn.Payee, burn.Token}
		paid := b.paid[to]
		slots := map[string]bool{}
		for _, tx := range b.Sent {
			if payee, _ := tx.pays(); payee == to {
				slots[slot(tx.From, tx.Nonce)] = true
			}
		}
		if len(slots) > 1 {
			b.fault("burn %s is paid at %s, which can all be mined", burn.ID, names(slots))
		}
		switch {
		case c.Returned[burn.ID] && len(paid) > 0:
			b.fault("burn %s was given back, and is paid by %s", burn.ID, paid[0].ID)
		case c.Returned[burn.ID]:
			for at := range slots {
				if _, used := b.used[at]; !used {
					b.fault("burn %s was given back, and what pays it at %s can still be mined", burn.ID, at)
				}
			}
		case len(paid) != 1:
			b.fault("burn %s of %s %s was paid by %d transactions", burn.ID, burn.Net, burn.Symbol, len(paid))
		default:
			if _, amount := paid[0].pays(); amount.Cmp(burn.Net) != 0 {
				b.fault("burn %s of %s was paid %s", burn.ID, burn.Net, amount)
			}
			if c.Settled[burn.ID] != paid[0].ID {
				b.fault("burn %s was paid by %s, settled is %q", burn.ID, paid[0].ID, c.Settled[burn.ID])
			}
		}
	}
	for id := range c.Settled {
		if !burns[id] {
			b.fault("%s is settled and was never burned", id)
		}
	}
}

func names(set map[string]bool) string {
	var list []string
	for name := range set {
		list = append(list, name)
	}
	slices.Sort(list)
	return strings.Join(list, " and ")
}

// fees: the fee account holds what burns left less what gas cost, which is rounded up
// for each transaction.
func (b *accounts) fees(c AccountClaim) {
	coin := b.Assets[0]
	left := -c.Balances[coin.Symbol][c.FeeAccount]
	for _, burn := range b.Burns {
		left += burn.Fee
		if burn.Symbol == coin.Symbol {
			left += burn.Quantity - burn.Back
		}
	}
	charged := new(big.Int).Mul(big.NewInt(left), coin.Unit)
	over := new(big.Int).Sub(charged, b.costs)
	if over.Sign() < 0 || over.Cmp(new(big.Int).Mul(big.NewInt(b.charges), coin.Unit)) >= 0 && over.Sign() > 0 {
		b.fault("gas cost %s in %d transactions, and %s was charged", b.costs, b.charges, charged)
	}
}
