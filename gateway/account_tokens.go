package gateway

import (
	"context"
	"fmt"
	"strings"

	"causeway/chains"
	"causeway/chains/ethereum"
	"causeway/pegs"
)

// checkTokens asks the contracts whether they are what is configured. One that is
// not is left alone: nothing of it is credited or paid until it is.
func (f *accountFollower) checkTokens(ctx context.Context, tip chains.BlockRef) error {
	if len(f.Accounts.Tokens) == 0 || !f.readings.anew(tip) {
		return nil
	}
	block, err := ethereum.ParseHash(tip.Hash)
	if err != nil {
		return err
	}
	reasons, err := f.judgeTokens(ctx, block)
	if err != nil {
		return err
	}
	text, changed := oneLine(strings.Join(reasons, "; "), maxReason), false
	if err := f.ledger.View(func(s *pegs.State) {
		c, _ := s.Chain(f.id)
		said, stands := c.AlertOf(causeToken)
		changed = stands && text != "" && said.Reason != text
	}); err != nil {
		return err
	}
	if changed { // of another token, or for another reason
		if err := setAlert(ctx, f.ledger, f.id, causeToken, ""); err != nil {
			return err
		}
	}
	return setAlert(ctx, f.ledger, f.id, causeToken, text)
}

// firstLook asks the contracts before the books are balanced for the first time, of
// a home perhaps that does not run.
func (f *accountFollower) firstLook(ctx context.Context, tip chains.BlockRef) error {
	f.mu.Lock()
	judged := f.judged
	f.mu.Unlock()
	if judged || len(f.Accounts.Tokens) == 0 {
		return nil
	}
	block, err := ethereum.ParseHash(tip.Hash)
	if err == nil {
		_, err = f.judgeTokens(ctx, block)
	}
	return err
}

// judgeTokens finds out which tokens are not what is configured.
func (f *accountFollower) judgeTokens(ctx context.Context, block ethereum.Hash) (reasons []string, err error) {
	unsound := map[ethereum.Address]string{}
	for _, t := range f.Accounts.Tokens {
		reason, err := f.unfit(ctx, block, t)
		if err != nil {
			return nil, err
		}
		if reason != "" {
			unsound[t.Address] = reason
			reasons = append(reasons, t.Symbol+": "+reason)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.unsound, f.judged = unsound, true
	return reasons, nil
}

// unfit says why a token is not what is configured.
func (f *accountFollower) unfit(ctx context.Context, block ethereum.Hash, t AccountToken) (reason string, err error) {
	if err := f.ledger.View(func(s *pegs.State) {
		if a, ok := s.Asset(t.Symbol); ok && !strings.EqualFold(a.Token, t.key()) {
			reason = fmt.Sprintf("the sidechain's asset is contract %s, configured is %s", a.Token, t.Address)
		}
	}); err != nil || reason != "" {
		return reason, err
	}
	code, err := f.Accounts.Nodes.Code(ctx, block, t.Address)
	if err != nil {
		return "", err
	}
	if len(code) == 0 {
		return fmt.Sprintf("there is no contract at %s", t.Address), nil
	}
	says, err := f.Accounts.Nodes.Token(ctx, block, t.Address)
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil:
		f.log.Warn("a token does not say what it is", "token", t.Symbol, "error", err)
		return fmt.Sprintf("%s does not say what it is", t.Address), nil
	case int(says.Decimals) != t.Decimals:
		return fmt.Sprintf("%s has %d decimals, configured are %d", t.Address, says.Decimals, t.Decimals), nil
	}
	return "", nil
}
