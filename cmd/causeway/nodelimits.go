package main

import (
	"math"
	"time"

	"causeway/chains"
	"causeway/chains/utxo"
	"causeway/chains/utxo/rpcnode"
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
