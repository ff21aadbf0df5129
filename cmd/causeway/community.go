package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
)

// The founder's story: a community token of its own, traded against a peg and
// earned by posts.
const (
	communityIssue  = "1000"
	communityStake  = "500"
	communityLend   = "100"
	communityTrade  = "10"
	communityPrice  = "0.001" // of the peg
	communityReward = "50"    // per interval
	communityDay    = 86_400  // seconds: reward interval, and the cashout window
	// A post is paid in the interval in which its window ends, when that
	// interval is over.
	communityPassing = 2*communityDay + 3_600
)

// community tells the founder's story on the running network.
func (s *story) community(ctx context.Context, n *network, peg string) error {
	symbol, err := n.freeSymbol(ctx, "COOL")
	if err != nil {
		return err
	}
	if err := s.foundToken(ctx, n, symbol); err != nil {
		return err
	}
	if err := s.tradeToken(ctx, n, symbol, peg); err != nil {
		return err
	}
	return s.earnToken(ctx, n, symbol)
}

// calls runs contract calls in order and keeps the last one's transaction.
func (n *network) calls(ctx context.Context, ids map[string]string, list ...contractCall) error {
	for _, c := range list {
		id, err := n.contract(ctx, c.from, n.keys[c.from], c.contract, c.action, c.payload)
		if err != nil {
			return err
		}
		ids["transaction"] = id
	}
	return nil
}

// contractCall is one action by an account's active key.
type contractCall struct {
	from, contract, action string
	payload                map[string]any
}

func (s *story) foundToken(ctx context.Context, n *network, symbol string) error {
	err := s.step("token.create", func(ids map[string]string) (string, error) {
		ids["symbol"] = symbol
		return "founder creates " + symbol + " and lets it be staked and lent", n.calls(ctx, ids,
			contractCall{"founder", "tokens", "create", map[string]any{"name": "Cool Community", "symbol": symbol, "precision": 3, "maxSupply": "1000000"}},
			contractCall{"founder", "tokens", "enableStaking", map[string]any{"symbol": symbol, "unstakingCooldown": 7, "numberTransactions": 1}},
			contractCall{"founder", "tokens", "enableDelegation", map[string]any{"symbol": symbol, "undelegationCooldown": 7}})
	})
	if err != nil {
		return err
	}
	err = s.step("token.issue", func(ids map[string]string) (string, error) {
		if err := n.calls(ctx, ids, contractCall{"founder", "tokens", "issue", map[string]any{"symbol": symbol, "to": "alice", "quantity": communityIssue}}); err != nil {
			return "", err
		}
		return "founder issues " + communityIssue + " " + symbol + " to alice", n.holds(ctx, "alice", symbol, communityIssue, "0")
	})
	if err != nil {
		return err
	}
	return s.step("token.stake", func(ids map[string]string) (string, error) {
		err := n.calls(ctx, ids,
			contractCall{"alice", "tokens", "stake", map[string]any{"symbol": symbol, "to": "alice", "quantity": communityStake}},
			contractCall{"alice", "tokens", "delegate", map[string]any{"symbol": symbol, "to": "bob", "quantity": communityLend}})
		if err != nil {
			return "", err
		}
		return "alice stakes " + communityStake + " and lends " + communityLend + " of them to bob", n.holds(ctx, "alice", symbol, "500", "400")
	})
}

// holds checks a balance and a stake.
func (n *network) holds(ctx context.Context, account, symbol, balance, stake string) error {
	row, err := n.holding(ctx, account, symbol)
	if err != nil {
		return err
	}
	if !jsvalue.Big(row.Balance).Eq(jsvalue.Big(balance)) || !jsvalue.Big(row.Stake).Eq(jsvalue.Big(stake)) {
		return fmt.Errorf("%s holds %s %s and %s staked, not %s and %s", account, row.Balance, symbol, row.Stake, balance, stake)
	}
	return nil
}

// holding is a row of balances.
type holding struct {
	Balance string `json:"balance"`
	Stake   string `json:"stake"`
}

func (n *network) holding(ctx context.Context, account, symbol string) (holding, error) {
	row := holding{"0", "0"}
	_, err := n.findOne(ctx, "tokens", "balances", map[string]any{"account": account, "symbol": symbol}, &row)
	return row, err
}

// tradeToken sells tokens for a peg between two accounts.
func (s *story) tradeToken(ctx context.Context, n *network, symbol, peg string) error {
	order := map[string]any{"symbol": symbol, "quantity": communityTrade, "price": communityPrice, "quote": peg}
	err := s.step("market.sell", func(ids map[string]string) (string, error) {
		return "alice asks " + communityPrice + " " + peg + " for each of " + communityTrade + " " + symbol,
			n.calls(ctx, ids, contractCall{"alice", "market", "sell", order})
	})
	if err != nil {
		return err
	}
	return s.step("market.buy", func(ids map[string]string) (string, error) {
		before, err := n.balance(ctx, "alice", peg)
		if err != nil {
			return "", err
		}
		if err := n.calls(ctx, ids, contractCall{"bob", "market", "buy", order}); err != nil {
			return "", err
		}
		after, err := n.balance(ctx, "alice", peg)
		if err != nil {
			return "", err
		}
		price := jsvalue.Big(communityPrice).Times(jsvalue.Big(communityTrade))
		if got := jsvalue.Big(after).Minus(jsvalue.Big(before)); !got.Eq(price) {
			return "", fmt.Errorf("alice got %s %s for her tokens, not %s", got, peg, price)
		}
		return "bob buys them: alice has " + price.String() + " " + peg + " more", n.holds(ctx, "bob", symbol, communityTrade, "0")
	})
}

// earnToken makes a reward pool, posts, votes, lets the cashout window pass and
// sees the author paid.
func (s *story) earnToken(ctx context.Context, n *network, symbol string) error {
	tag := strings.ToLower(symbol)
	err := s.step("scot.pool", func(ids map[string]string) (string, error) {
		return "founder opens a reward pool for posts tagged " + tag, n.calls(ctx, ids,
			contractCall{"founder", "comments", "createRewardPool", map[string]any{"symbol": symbol, "config": map[string]any{
				"postRewardCurve": "power", "postRewardCurveParameter": "1", "curationRewardCurve": "power", "curationRewardCurveParameter": "0.5",
				"curationRewardPercentage": 50, "cashoutWindowDays": 1, "rewardPerInterval": communityReward, "rewardIntervalSeconds": communityDay,
				"voteRegenerationDays": 5, "downvoteRegenerationDays": 5, "stakedRewardPercentage": 50, "votePowerConsumption": 200,
				"downvotePowerConsumption": 2000, "tags": []string{tag}, "disableDownvote": false, "ignoreDeclinePayout": false,
			}}})
	})
	if err != nil {
		return err
	}
	err = s.step("scot.post", func(ids map[string]string) (string, error) {
		err := errors.Join(n.publish(ctx, ids, "alice", "hello-"+tag, tag), n.vote(ctx, ids, "bob", "alice", "hello-"+tag))
		return "alice posts, bob votes with what alice lent him", err
	})
	if err != nil {
		return err
	}
	err = s.step("scot.wait", func(map[string]string) (string, error) {
		var moved struct {
			OK bool `json:"ok"`
		}
		body := fmt.Appendf(nil, `{"seconds":%d}`, communityPassing)
		err := exchange(ctx, n.http, http.MethodPost, n.admin+"/dev/advance", body, &moved)
		if err == nil && !moved.OK {
			err = errors.New("the base clock was not moved")
		}
		return "two days pass", err
	})
	if err != nil {
		return err
	}
	return s.step("scot.payout", func(ids map[string]string) (string, error) { return payout(ctx, n, ids, symbol, tag) })
}

// payout votes once more, which makes the contract pay what is due, and checks
// that the author got exactly what the contract says it paid her.
func payout(ctx context.Context, n *network, ids map[string]string, symbol, tag string) (string, error) {
	before, err := n.holding(ctx, "alice", symbol)
	if err != nil {
		return "", err
	}
	// The contract looks after one interval with each of these.
	if err := errors.Join(n.publish(ctx, ids, "alice", "again-"+tag, tag), n.vote(ctx, ids, "bob", "alice", "again-"+tag)); err != nil {
		return "", err
	}
	paid, err := n.rewards(ctx, ids["vote"], "alice", symbol)
	if err != nil {
		return "", err
	}
	after, err := n.holding(ctx, "alice", symbol)
	if err != nil {
		return "", err
	}
	liquid := jsvalue.Big(after.Balance).Minus(jsvalue.Big(before.Balance))
	staked := jsvalue.Big(after.Stake).Minus(jsvalue.Big(before.Stake))
	if got := liquid.Plus(staked); !got.Eq(paid) || !got.Gt(jsvalue.BigInt(0)) {
		return "", fmt.Errorf("alice earned %s %s, the contract says %s", got, symbol, paid)
	}
	return fmt.Sprintf("alice earned %s %s and %s staked", liquid, symbol, staked), nil
}

// rewards sums the author's rewards that a transaction paid to an account.
func (n *network) rewards(ctx context.Context, txid, account, symbol string) (jsvalue.BigNumber, error) {
	sum := jsvalue.BigInt(0)
	var info *struct {
		Logs string `json:"logs"`
	}
	err := poll(ctx, storyWait, func() (bool, error) {
		err := n.call(ctx, "/blockchain", "getTransactionInfo", map[string]any{"txid": txid}, &info)
		return info != nil, err
	})
	if err != nil {
		return sum, err
	}
	var logs struct {
		Events []struct {
			Event string `json:"event"`
			Data  struct {
				Account  string `json:"account"`
				Symbol   string `json:"symbol"`
				Quantity string `json:"quantity"`
			} `json:"data"`
		} `json:"events"`
	}
	if err := json.Unmarshal([]byte(info.Logs), &logs); err != nil {
		return sum, err
	}
	for _, e := range logs.Events {
		if e.Event == "authorReward" && e.Data.Account == account && e.Data.Symbol == symbol {
			sum = sum.Plus(jsvalue.Big(e.Data.Quantity))
		}
	}
	return sum, nil
}

// publish publishes a post under a tag, with the posting key.
func (n *network) publish(ctx context.Context, ids map[string]string, author, permlink, tag string) error {
	metadata, err := json.Marshal(map[string]any{"tags": []string{tag}, "app": "causeway/" + version})
	if err != nil {
		return err
	}
	id, err := n.broadcast(ctx, n.posting[author], &graphene.Comment{
		ParentAuthor: "", ParentPermlink: tag, Author: author, Permlink: permlink, Title: "Hello", Body: "A post for " + tag + ".", JSONMetadata: string(metadata),
	})
	ids["post"] = id
	return err
}

// vote votes with full weight, with the posting key.
func (n *network) vote(ctx context.Context, ids map[string]string, voter, author, permlink string) error {
	id, err := n.broadcast(ctx, n.posting[voter], &graphene.Vote{Voter: voter, Author: author, Permlink: permlink, Weight: 10_000})
	ids["vote"] = id
	return err
}
