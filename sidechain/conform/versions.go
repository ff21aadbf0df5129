package conform

import (
	"errors"
	"strings"

	"causeway/sidechain"
	"causeway/sidechain/contracts/comments"
	"causeway/sidechain/contracts/hivepegged"
	"causeway/sidechain/contracts/inflation"
	"causeway/sidechain/contracts/market"
	"causeway/sidechain/contracts/marketpools"
	"causeway/sidechain/contracts/mining"
	"causeway/sidechain/contracts/nft"
	"causeway/sidechain/contracts/resourcemanager"
	"causeway/sidechain/contracts/tokenfunds"
	"causeway/sidechain/contracts/tokens"
	"causeway/sidechain/contracts/witnesses"
)

// versions are the peer's contracts that this software has, by the SHA-256 of
// their source.
func versions() []sidechain.Version {
	return append([]sidechain.Version{
		{Source: "084c7bb3a2708000d23fea3be7aad71406b7b1db1a1378d7d2e0e0f9d0799f82", Contract: tokens.Bootstrap(), Trusted: true},
		{Source: "cf2f4d8619b54c0a005ea5ddcb990204e5924f9e473a01e0ceb3ceb8bf458e12", Contract: tokens.Interim(), Trusted: true},
		{Source: "8229934ff2ddc24555e54a04355834c6f082b396c294de11f745ebfd09cfb427", Contract: tokens.Current(), Trusted: true},
		{Source: "795fca1336f9bfcf0cb2e780fc68bf51b6bd51941b0982a659a2af4f77cab418", Contract: resourcemanager.Plain(), Trusted: true},
		{Source: "a02b30401362007e769bf97549f02d520d6c1e69b7efa897421706c52ad17614", Contract: resourcemanager.Minified(), Trusted: true},
		{Source: "358ed7ff7757d2de4a9a4692fea24cfe548d003f29f0464e71a847ab67e8dd1b", Contract: nft.Bootstrap(), Trusted: true},
		{Source: "ef55a171b4e4ab6a2e015394d0288b65c0aa7fe02bfd8731ad1b769d8c1e4197", Contract: nft.Current(), Trusted: true},
		{Source: "7dc2bda7b371e339c860b9887d862d93df6d8f3232d6f7850b4ea5a9c425ae59", Contract: hivepegged.Current(), Trusted: true},
		{Source: "4494ed4cd731c2e85794cf92cc904f95153d91d0dbd4d44bda6fa7c057e169dc", Contract: marketpools.Current(), Trusted: true},
		{Source: "9c1a08da8ae2e887b1270d49ee0c44039814d77c043d3c6842f88cf158c3be8d", Contract: inflation.Bootstrap(), Trusted: true},
		{Source: "3fac0d342c645c6c755a6fadf070d34afbf492dcec1c3220c816d997ce36f77c", Contract: mining.Current(), Trusted: true},
		{Source: "48db18beb0f8f7fe8e1046aff19f3792e36408804d89122b754d877b53192aa6", Contract: tokenfunds.Current(), Trusted: true},
		{Source: "cb9e56356d5f22e925bf8cf7b3a6189d938d2e12391c2d38b5df5470ea1b10f9", Contract: witnesses.Current(), Trusted: true},
		{Source: "594c21948ddb820145a9372b0ac9cacf643dfbf28827dff4b0be0154b9419fa1", Contract: market.July2024(), Trusted: true},
		{Source: "c44c285737bc6013dc8a457a509c4f4ae75fa6694c72bd554b1a9f7dfe17af37", Contract: market.Current(), Trusted: true},
		{Source: "3da3c89bac8295580a844740b19d0d7d15705b629a0fadf199fa5c6adc11e81d", Contract: comments.Current(), Trusted: true},
	}, doubles()...)
}

const codePrefix = "@code:"

// sourceOf reads what vectors have in place of a contract's source.
func sourceOf(code string) (string, error) {
	sum, ok := strings.CutPrefix(code, codePrefix)
	if !ok {
		return "", errors.New("conform: the code of a deployment is not " + codePrefix + "<sha256>")
	}
	return sum, nil
}

// peer describes the recorded chain.
func peer() sidechain.Config {
	return sidechain.Config{
		Rules:        sidechain.Rules{History: true},
		Versions:     versions(),
		Owner:        "hive-engine",
		PegAccount:   "honey-swap",
		UtilityToken: "BEE",
		SourceOf:     sourceOf,
		Recorded:     true,
	}
}
