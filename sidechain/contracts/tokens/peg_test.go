package tokens_test

import "causeway/sidechain"

var peg = sidechain.GenesisAsset{Symbol: "SWAP.BTC", Chain: "btc", Precision: 8}
