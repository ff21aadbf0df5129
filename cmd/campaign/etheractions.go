package main

import (
	"math/big"

	"causeway/chains/ethereum/erc20test"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/holiman/uint256"
)

func (w *etherWorld) actions() []action {
	return []action{
		{12, "reorgs", w.reorg},
		{5, "dropped pools", w.drop},
		{12, "node faults", w.breakNode},
		{8, "internal payments", w.internal},
		{6, "forced coins", w.force},
		{6, "full blocks", w.fill},
		{12, "token deposits", w.payTokens},
		{12, "token withdrawals", w.spendTokens},
		{4, "odd token deposits", w.payOddly},
		{3, "manners of the token", w.manners},
	}
}

// reorg rewrites blocks above the final one. What was in them comes back, or never.
func (w *etherWorld) reorg(*life) error {
	w.bend.Lock()
	defer w.bend.Unlock()
	return w.chain.Reorg(uint64(1+w.rng.IntN(2*etherSlots)), w.rng.IntN(3) == 0)
}

// drop takes transactions out of the pool, ours or theirs.
func (w *etherWorld) drop(*life) error {
	if w.rng.IntN(3) == 0 {
		return w.ask(nil, "anvil_dropAllTransactions")
	}
	w.mu.Lock()
	var hash common.Hash
	if len(w.given) > 0 {
		hash = w.given[w.rng.IntN(len(w.given))].Hash()
	}
	w.mu.Unlock()
	return w.ask(nil, "anvil_dropTransaction", hash)
}

// breakNode makes one node wrong for some requests: always the same one, so that of
// three nodes two are right. The only node of a chain does not lie: nobody could
// tell.
func (w *etherWorld) breakNode(*life) error {
	kinds, methods := etherFaults(), etherMethods()
	f := etherFault{kind: kinds[w.rng.IntN(len(kinds))], times: 1 + w.rng.IntN(6)}
	if f.kind == "lie" && len(w.nodes) == 1 {
		f.kind = etherLose
	}
	if w.rng.IntN(2) == 0 {
		f.method = methods[w.rng.IntN(len(methods))]
	}
	w.nodes[int(w.seed)%len(w.nodes)].inject(f)
	return nil
}

func (w *etherWorld) deposits() common.Address { return common.HexToAddress(w.address[w.user()]) }

// internal pays users by calls of a contract, which no transaction names; sometimes
// in a call that is undone.
func (w *etherWorld) internal(*life) error {
	data := erc20test.Pay(w.deposits(), w.deposits())
	if w.rng.IntN(4) == 0 {
		data = erc20test.PayReverted(w.deposits())
	}
	return w.send(deal{from: w.somePayer(), to: &w.payer, wei: w.weiOf(etherScale * (20_000 + w.rng.Int64N(3_000_000))), data: data, gas: callGas})
}

// force brings coins without any call: by the end of a contract, or out of nothing,
// as a block's reward does.
func (w *etherWorld) force(*life) error {
	to, wei := w.deposits(), w.weiOf(etherScale*(20_000+w.rng.Int64N(3_000_000)))
	if w.rng.IntN(2) == 0 {
		return w.send(deal{from: w.somePayer(), data: erc20test.CreateBomb(to), wei: wei, gas: creationGas})
	}
	w.bend.Lock()
	defer w.bend.Unlock()
	// The block of it has nothing else in it, so that nothing can leave between
	// the question and the answer.
	var has hexutil.Big
	if err := w.node.rpc("", "eth_getBalance", []any{to, "latest"}, &has); err != nil {
		return err
	}
	sum, _ := uint256.FromBig(new(big.Int).Add((*big.Int)(&has), wei))
	return w.chain.SetBalance(to, sum)
}

// fill makes full blocks, each of which makes gas an eighth dearer.
func (w *etherWorld) fill(*life) error {
	for range 1 + w.rng.IntN(6) {
		for range 2 {
			if err := w.send(deal{from: blockFiller, to: &w.eater, wei: big.NewInt(1), gas: fillGas}); err != nil {
				return err
			}
		}
		if err := w.mine(1); err != nil {
			return err
		}
	}
	return nil
}
