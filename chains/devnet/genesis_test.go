package devnet

import (
	"bytes"
	"testing"

	"causeway/chains"
	"causeway/chains/dogecoin"
	"causeway/chains/litecoin"
	"causeway/chains/utxo"
)

// TestGenesisBlocks: what is built has the hashes that the coins state, and the work of
// block 0 is real. The mainnets ask for more of it than was done then.
func TestGenesisBlocks(t *testing.T) {
	makers := map[chains.ID]func(chains.Network) (*utxo.Coin, error){chains.LTC: litecoin.New, chains.DOGE: dogecoin.New}
	for id, newCoin := range makers {
		for _, network := range []chains.Network{chains.Mainnet, chains.Testnet, chains.Regtest} {
			coin, err := newCoin(network)
			if err != nil {
				t.Fatal(err)
			}
			block := genesisBlock(string(id), string(network))
			if got := block.BlockHash().String(); got != coin.Genesis() {
				t.Errorf("%s %s: %s, the coin says %s", id, network, got, coin.Genesis())
			}
			var raw bytes.Buffer
			if err := block.Serialize(&raw); err != nil {
				t.Fatal(err)
			}
			decoded, err := coin.DecodeBlock(raw.Bytes(), coin.Genesis())
			if (err == nil) != (network != chains.Mainnet) {
				t.Errorf("%s %s: %v", id, network, err)
			}
			if err == nil && decoded.Outputs[0].Amount != chains.NewAmount(uint64(genesisCoins[string(id)].reward)) {
				t.Errorf("%s %s: %v", id, network, decoded.Outputs)
			}
		}
	}
	if genesisBlock("btc", "mainnet") != nil {
		t.Error("a block 0 that is not known")
	}
}
