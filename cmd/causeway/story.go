package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"causeway/chains"
	"causeway/gateway"
	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
)

// storyWait is how long any one thing may take before the story fails.
const storyWait = 60 * time.Second

// network is what the story knows of the running network: its running.json.
type network struct {
	*client
	admin         string
	keys, posting map[string]graphene.PrivateKey // active and posting, by account
}

// tell runs the steps on every chain asked for, then the community token and
// the audit.
func (s *story) tell(ctx context.Context, r running, chainIDs []string) error {
	c, err := newClient(r.URL, r.ChainID, r.BaseChainID)
	if err != nil {
		return err
	}
	n := &network{client: c, admin: r.Admin, keys: map[string]graphene.PrivateKey{}, posting: map[string]graphene.PrivateKey{}}
	for _, account := range r.Accounts {
		var errActive, errPosting error
		n.keys[account.Name], errActive = graphene.ParseWIF(account.Active)
		n.posting[account.Name], errPosting = graphene.ParseWIF(account.Posting)
		if err := errors.Join(errActive, errPosting); err != nil {
			return fmt.Errorf("keys of %s in %s: %w", account.Name, runningFile, err)
		}
	}
	fmt.Fprintf(s.lines, "network %s at %s\n", r.ChainID, r.URL)
	for _, id := range chainIDs {
		i := indexChain(r.Chains, id)
		if i < 0 {
			return fmt.Errorf("chain %s is not in %s", id, runningFile)
		}
		built, err := coinOf(id)
		if err != nil {
			return err
		}
		for _, c := range coinsOf(built, r.Chains[i]) {
			if err := s.round(ctx, n, c); err != nil {
				return err
			}
		}
	}
	if err := s.community(ctx, n, "SWAP."+upper(chainIDs[0])); err != nil {
		return err
	}
	return s.balance(ctx, n)
}

// upper is the coin's ticker.
func upper(id string) string { return strings.ToUpper(id) }

func indexChain(list []runningChain, id string) int {
	for i, chain := range list {
		if chain.Chain == id {
			return i
		}
	}
	return -1
}

// round moves coins of one chain in and out.
func (s *story) round(ctx context.Context, n *network, c *coin) error {
	symbol := "SWAP." + c.ticker
	var before string
	err := s.step(c.name()+".deposit", func(ids map[string]string) (string, error) {
		var err error
		if before, err = n.balance(ctx, "alice", symbol); err != nil {
			return "", err
		}
		return s.deposit(ctx, n, c, ids)
	})
	if err != nil {
		return err
	}
	err = s.step(c.name()+".credited", func(ids map[string]string) (string, error) {
		ids["deposit"] = s.steps[len(s.steps)-1].IDs["deposit"]
		return credited(ctx, n, c, symbol, before, ids)
	})
	if err != nil {
		return err
	}
	err = s.step(c.name()+".transfer", func(ids map[string]string) (string, error) {
		id, err := n.contract(ctx, "alice", n.keys["alice"], "tokens", "transfer", map[string]any{"symbol": symbol, "to": "bob", "quantity": c.transfer, "memo": "for lunch"})
		ids["transaction"] = id
		return fmt.Sprintf("alice sends %s %s to bob, transaction %.12s…", c.transfer, symbol, id), err
	})
	if err != nil {
		return err
	}
	var payee string
	err = s.step(c.name()+".withdraw", func(ids map[string]string) (string, error) {
		var err error
		if payee, err = c.node.newAddress(ctx); err != nil {
			return "", err
		}
		id, err := n.contract(ctx, "bob", n.keys["bob"], "pegs", "withdraw", map[string]any{"symbol": symbol, "quantity": c.withdraw, "address": payee})
		ids["withdrawal"], ids["address"] = id, payee
		return fmt.Sprintf("bob burns %s %s for %s", c.withdraw, symbol, payee), err
	})
	if err != nil {
		return err
	}
	return s.step(c.name()+".confirmed", func(ids map[string]string) (string, error) {
		ids["withdrawal"] = s.steps[len(s.steps)-1].IDs["withdrawal"]
		return paid(ctx, n, c, payee, ids)
	})
}

// deposit pays coins to alice's deposit address.
func (s *story) deposit(ctx context.Context, n *network, c *coin, ids map[string]string) (string, error) {
	var address gateway.DepositAddress
	if err := n.post(ctx, "/v1/deposit-addresses", map[string]string{"chain": c.id, "account": "alice"}, &address); err != nil {
		return "", err
	}
	known, err := n.deposits(ctx)
	if err != nil {
		return "", err
	}
	txid, err := c.node.pay(ctx, address.Address, c.deposit)
	if err != nil {
		return "", err
	}
	ids["address"], ids["txid"] = address.Address, txid
	err = mineUntil(ctx, c.node, func() (bool, error) {
		now, err := n.deposits(ctx)
		for id, d := range now {
			if _, old := known[id]; !old && d.Address == address.Address && d.Symbol == "SWAP."+c.ticker {
				ids["deposit"] = id
			}
		}
		return ids["deposit"] != "", err
	})
	return fmt.Sprintf("%s %s paid to alice's address %s, txid %.12s…", c.deposit, c.ticker, address.Address, txid), err
}

// deposits are alice's newest ones, by their ids.
func (n *network) deposits(ctx context.Context) (map[string]gateway.Deposit, error) {
	var page gateway.Page[gateway.Deposit]
	err := n.get(ctx, "/v1/deposits?account=alice&limit=500", &page)
	all := map[string]gateway.Deposit{}
	for _, d := range page.Items {
		all[d.ID] = d
	}
	return all, err
}

// credited waits for the mint and checks that it was exactly the amount paid.
func credited(ctx context.Context, n *network, c *coin, symbol, before string, ids map[string]string) (string, error) {
	var d gateway.Deposit
	err := mineUntil(ctx, c.node, func() (bool, error) {
		err := n.get(ctx, "/v1/deposits/"+url.PathEscape(ids["deposit"]), &d)
		return d.State == "credited", err
	})
	if err != nil {
		return "", fmt.Errorf("deposit is %q %s: %w", d.State, d.Reason, err)
	}
	ids["mint"] = d.SidechainTx
	var row struct {
		Quantity string `json:"quantity"`
		To       string `json:"to"`
	}
	found, err := n.findOne(ctx, "pegs", "deposits", map[string]any{"id": d.ID}, &row)
	if err != nil || !found || row.To != "alice" {
		return "", fmt.Errorf("contract pegs has no row for %s (%+v, %w)", d.ID, row, err)
	}
	after, err := n.balance(ctx, "alice", symbol)
	if err != nil {
		return "", err
	}
	if gained := jsvalue.Big(after).Minus(jsvalue.Big(before)); !gained.Eq(jsvalue.Big(c.deposit)) {
		return "", fmt.Errorf("alice's balance rose by %s, not by %s", gained, c.deposit)
	}
	return fmt.Sprintf("%s %s minted for alice after %d confirmations", d.Quantity, symbol, d.Confirmations), nil
}

// paid waits for the payout and checks on the chain itself that the payee got
// the net amount.
func paid(ctx context.Context, n *network, c *coin, payee string, ids map[string]string) (string, error) {
	var w gateway.Withdrawal
	err := mineUntil(ctx, c.node, func() (bool, error) {
		err := n.get(ctx, "/v1/withdrawals/"+url.PathEscape(ids["withdrawal"]), &w)
		return w.State == "settled", err
	})
	if err != nil {
		return "", fmt.Errorf("withdrawal is %q %s: %w", w.State, w.Reason, err)
	}
	ids["txid"], ids["settle"] = w.TxID, w.SettleTx
	got, err := c.node.received(ctx, w.TxID, payee)
	if err != nil {
		return "", err
	}
	want, err := chains.FromCoin(w.Amount, c.decimals)
	if err != nil {
		return "", err
	}
	if got != want {
		return "", fmt.Errorf("the payee received %s, the withdrawal says %s", got.Coin(c.decimals), w.Amount)
	}
	return fmt.Sprintf("%s %s paid out and confirmed (fee %s), txid %.12s…", w.Amount, c.ticker, w.Fee, w.TxID), nil
}

// freeSymbol is a symbol that no token has: the story may be told again on the
// same network.
func (n *network) freeSymbol(ctx context.Context, stem string) (string, error) {
	for i := range 26 * 26 {
		symbol := stem
		if i > 0 {
			symbol += string(rune('A'+i/26)) + string(rune('A'+i%26))
		}
		var row any
		found, err := n.findOne(ctx, "tokens", "tokens", map[string]any{"symbol": symbol}, &row)
		if err != nil || !found {
			return symbol, err
		}
	}
	return "", fmt.Errorf("no free symbol like %s", stem)
}

// balance asks for the audit until every part has caught up, and prints it.
func (s *story) balance(ctx context.Context, n *network) error {
	return s.step("audit", func(map[string]string) (string, error) {
		var audit gateway.Audit
		err := poll(ctx, storyWait, func() (bool, error) {
			audit = gateway.Audit{}
			err := n.get(ctx, "/v1/reserves", &audit)
			s.audit = &audit
			return audit.OK, err
		})
		if err != nil {
			return "", fmt.Errorf("the books do not balance: %w", err)
		}
		said := "the books balance"
		for _, a := range audit.Assets {
			said += fmt.Sprintf("; %s: reserves %s + in flight %s = supply %s + pending %s + uncredited %s + surplus %s", a.Symbol, a.Reserves, a.InFlight, a.Supply, a.PendingWithdrawals, a.Uncredited, a.Surplus)
		}
		return said, nil
	})
}
