package evm

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/core/types"
)

// BenchmarkBlock makes blocks of 100 payments.
func BenchmarkBlock(b *testing.B) {
	chain, _ := start(b, Config{})
	to := stranger(1)
	for nonce := uint64(0); b.Loop(); nonce += 10 {
		for i := range uint64(100) {
			tx := sign(b, chain, int(i/10), &types.DynamicFeeTx{
				ChainID: chain.config.ChainID, Nonce: nonce + i%10, GasTipCap: gwei(1), GasFeeCap: gwei(10), Gas: 21000, To: &to, Value: big.NewInt(1),
			})
			chain.mu.Lock()
			err := chain.submit(tx)
			chain.mu.Unlock()
			must(b, err)
		}
		mine(b, chain, 1)
	}
}

// BenchmarkRestart opens a chain of 10,000 blocks, one in ten with a payment.
func BenchmarkRestart(b *testing.B) {
	cfg := Config{Dir: b.TempDir()}
	chain, _ := start(b, cfg)
	for range 1000 {
		if _, err := chain.Fund(stranger(1), big.NewInt(1)); err != nil {
			b.Fatal(err)
		}
		mine(b, chain, 10)
	}
	must(b, chain.Close())
	for b.Loop() {
		chain, _ := start(b, cfg)
		must(b, chain.Close())
	}
}
