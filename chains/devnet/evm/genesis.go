package evm

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/tracing"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/trie"
	"github.com/holiman/uint256"

	"causeway/chains/ethereum/erc20test"
)

const (
	// DefaultChainID is the chain id of development networks.
	DefaultChainID = 31337
	// gasLimit is every block's.
	gasLimit = 30_000_000
	// genesisTime is 2026-01-01T00:00:00Z. It is fixed, so that the same Config
	// always has the same genesis block.
	genesisTime = 1767225600
	// creationGas is enough to make a Token.
	creationGas = 5_000_000
)

// devKeys are the private keys of the funded accounts: m/44'/60'/0'/0/i of the
// mnemonic "test test test test test test test test test test test junk", which
// anvil and Hardhat use too. Everybody knows them.
var devKeys = [...]string{
	"ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
	"59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
	"5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
	"7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
	"47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
	"8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
	"92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e",
	"4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356",
	"dbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97",
	"2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6",
}

// devBalance is what each of them begins with: 10,000 ether.
func devBalance() *uint256.Int {
	return new(uint256.Int).Mul(uint256.NewInt(10_000), uint256.NewInt(params.Ether))
}

// Account is a funded account whose key the chain holds.
type Account struct {
	Address common.Address
	Key     *ecdsa.PrivateKey
}

// devAccounts are the funded accounts in order.
func devAccounts() ([]Account, error) {
	list := make([]Account, 0, len(devKeys))
	for _, text := range devKeys {
		key, err := crypto.HexToECDSA(text)
		if err != nil {
			return nil, err
		}
		list = append(list, Account{Address: crypto.PubkeyToAddress(key.PublicKey), Key: key})
	}
	return list, nil
}

// Token is an ERC-20 that exists from genesis on: erc20test.Token, whose supply
// belongs to the first account. That account made it: its nonce at genesis is the
// number of tokens.
type Token struct {
	Name, Symbol string
	Decimals     uint8
	Supply       *big.Int // in the smallest unit
}

// chainConfig has every fork up to Osaka active from genesis.
func chainConfig(id uint64) *params.ChainConfig {
	zero := func() *uint64 { return new(uint64) }
	return &params.ChainConfig{
		ChainID:        new(big.Int).SetUint64(id),
		HomesteadBlock: new(big.Int), EIP150Block: new(big.Int), EIP155Block: new(big.Int), EIP158Block: new(big.Int),
		ByzantiumBlock: new(big.Int), ConstantinopleBlock: new(big.Int), PetersburgBlock: new(big.Int), IstanbulBlock: new(big.Int),
		MuirGlacierBlock: new(big.Int), BerlinBlock: new(big.Int), LondonBlock: new(big.Int), ArrowGlacierBlock: new(big.Int),
		GrayGlacierBlock: new(big.Int), MergeNetsplitBlock: new(big.Int), TerminalTotalDifficulty: new(big.Int),
		ShanghaiTime: zero(), CancunTime: zero(), PragueTime: zero(), OsakaTime: zero(),
		BlobScheduleConfig: &params.BlobScheduleConfig{
			Cancun: params.DefaultCancunBlobConfig, Prague: params.DefaultPragueBlobConfig,
		},
	}
}

// rules are those of the block with this header.
func (c *Chain) rules(header *types.Header) params.Rules {
	return c.config.Rules(header.Number, true, header.Time)
}

// makeGenesis builds the genesis block and commits its state.
func (c *Chain) makeGenesis(tokens []Token) (*block, error) {
	header := &types.Header{
		Number: new(big.Int), Difficulty: new(big.Int), Time: genesisTime, GasLimit: gasLimit,
		BaseFee: big.NewInt(params.InitialBaseFee), Extra: []byte("causeway"),
		BlobGasUsed: new(uint64), ExcessBlobGas: new(uint64), ParentBeaconRoot: new(common.Hash), RequestsHash: &types.EmptyRequestsHash,
	}
	state, err := c.stateAt(types.EmptyRootHash)
	if err != nil {
		return nil, err
	}
	for _, a := range c.accounts {
		state.SetBalance(a.Address, devBalance(), tracing.BalanceIncreaseGenesisBalance)
	}
	// Their code must be there, or the requests of a block cannot be read. Those of
	// EIP-4788 and EIP-2935 may be absent, and are: they would change the state in
	// every block, and none could be kept for long.
	for address, code := range map[common.Address][]byte{
		params.WithdrawalQueueAddress:    params.WithdrawalQueueCode,
		params.ConsolidationQueueAddress: params.ConsolidationQueueCode,
	} {
		state.SetCode(address, code, tracing.CodeChangeGenesis)
		state.SetNonce(address, 1, tracing.NonceChangeGenesis)
	}
	machine := vm.NewEVM(core.NewEVMBlockContext(header, c.headers(), &header.Coinbase), state, c.config, vm.Config{NoBaseFee: true})
	defer machine.Release()
	for _, t := range tokens {
		address, err := c.makeToken(machine, t)
		if err != nil {
			return nil, fmt.Errorf("token %s: %w", t.Symbol, err)
		}
		c.tokens[t.Symbol] = address
	}
	if header.Root, err = c.commit(state, header); err != nil {
		return nil, err
	}
	b := types.NewBlock(header, &types.Body{Withdrawals: types.Withdrawals{}}, nil, trie.NewListHasher())
	return &block{Block: b}, nil
}

// makeToken runs the creation of a token in the genesis state.
func (c *Chain) makeToken(machine *vm.EVM, t Token) (common.Address, error) {
	if t.Supply == nil || t.Supply.Sign() < 0 || t.Supply.BitLen() > 256 || t.Symbol == "" || c.tokens[t.Symbol] != (common.Address{}) {
		return common.Address{}, errors.New("no symbol, a second of this symbol, or a bad supply")
	}
	owner := c.accounts[0].Address
	message := &core.Message{
		From: owner, Nonce: machine.StateDB.GetNonce(owner), GasLimit: creationGas, Value: new(uint256.Int),
		GasPrice: new(uint256.Int), GasFeeCap: new(uint256.Int), GasTipCap: new(uint256.Int),
		Data: erc20test.CreateToken(t.Name, t.Symbol, t.Decimals, t.Supply),
	}
	machine.StateDB.SetTxContext(common.Hash{}, 0, 0)
	result, err := core.ApplyMessage(machine, message, core.NewGasPool(gasLimit))
	if err == nil {
		err = result.Err
	}
	machine.StateDB.Finalise(machine.GetRules())
	return crypto.CreateAddress(owner, message.Nonce), err
}

// empty is a context for the parts of go-ethereum that trace themselves.
func empty() context.Context { return context.Background() }
