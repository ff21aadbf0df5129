package gateway

import (
	"testing"

	"causeway/chains"
	"causeway/chains/ethereum"
	"causeway/chains/ethereum/erc20test"
	"causeway/internal/nodetest"
)

// TestRoundOnAnvil is the main job on a node that is not ours: ether by an account and
// by a contract, a token, payouts of both, and books that balance.
func TestRoundOnAnvil(t *testing.T) {
	node := nodetest.Anvil(t)
	d := newEthDriverOf(t, node.URL, ethereum.Address{})
	d.boot()
	d.pump()
	d.round("", 0)
	d.create(erc20test.CreateBomb(d.address("carol")), ether("0.3"))
	d.finalEth()
	d.credited("carol", "SWAP.ETH", "0.30000000")
	d.pays(d.address("bob"), 500_000_000)
	d.finalEth()
	d.credited("bob", "SWAP.USDC", "500.000000")
	d.act("carol", "tokens", "transfer", `{"to":"bob","symbol":"SWAP.ETH","quantity":"0.1"}`)
	d.state(d.withdraw("bob", "SWAP.USDC", "50", d.rich[receiver]), "settled")
	if got := d.units(d.rich[receiver]); got != "50.000000" {
		t.Errorf("the payee holds %s", got)
	}
	payee := d.create(erc20test.CreatePayee(), chains.Amount{})
	d.send(outsider, payee, chains.Amount{}, erc20test.SetMode(erc20test.Reverts))
	d.finalEth()
	if w := d.state(d.withdraw("carol", "SWAP.ETH", "0.05", payee), "returned"); len(w.Variants) != 0 {
		t.Errorf("%+v", w)
	}
	d.balanced()
	d.node.close()
}
