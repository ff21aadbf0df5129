package main

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"causeway/chains"
	"causeway/chains/utxo"
	"causeway/chains/utxo/rpcnode"
	"causeway/pegs"
)

// versionGate refuses nodes that are older than the configuration allows; the
// coin has limits of its own.
func versionGate(section ChainConfig) func(rpcnode.Version) error {
	if section.MinVersion == 0 {
		return nil
	}
	return rpcnode.AtLeast(int64(min(section.MinVersion, math.MaxInt64)))
}

// tipAgeBlocks is the age of the newest block, in intervals of the coin, that
// chance does not explain: one in 65 million Bitcoin blocks takes so long.
const tipAgeBlocks = 18

func maxTipAge(coin *utxo.Coin, section ChainConfig) time.Duration {
	if section.MaxTipAge.Duration > 0 || coin.Network() == chains.Regtest {
		return section.MaxTipAge.Duration
	}
	return tipAgeBlocks * coin.Facts().Interval
}

// payoutLimits are the limits of a chain's payouts in base units of its coin.
func payoutLimits(decimals int, section ChainConfig) (pegs.Limits, error) {
	coins := func(key, text string) (chains.Amount, error) {
		amount, err := chains.FromCoin(strings.TrimSpace(text), decimals)
		if err != nil {
			return amount, fmt.Errorf("%s: %q: %w", key, text, err)
		}
		return amount, nil
	}
	l := pegs.Limits{Window: section.CapWindow, Delay: section.PayoutDelay}
	var errCap, errAccount, errLarge error
	l.Cap, errCap = coins("payout_cap", section.PayoutCap)
	l.AccountCap, errAccount = coins("account_cap", section.AccountCap)
	l.Large, errLarge = coins("large_payout", section.LargePayout)
	if err := errors.Join(errCap, errAccount, errLarge); err != nil {
		return pegs.Limits{}, err
	}
	if !l.Any() {
		return pegs.Limits{}, nil // none: windows and delays of nothing are no news
	}
	return l, nil
}
