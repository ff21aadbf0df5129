package erc20test

import (
	_ "embed"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"sync"
)

// Source is the Solidity source of the contracts.
//
//go:embed contracts.sol
var Source string

//go:embed contracts.json
var compiled []byte

// contract is one compiled contract.
type contract struct {
	Bytecode  string            `json:"bytecode"`
	Selectors map[string]string `json:"selectors"`
	ABI       json.RawMessage   `json:"abi"`
}

var contracts = sync.OnceValue(func() map[string]contract {
	var all map[string]contract
	if err := json.Unmarshal(compiled, &all); err != nil {
		panic(fmt.Sprintf("erc20test: contracts.json: %v", err)) // a file of this package
	}
	return all
})

// Names of the contracts.
const (
	Token = "Token"
	Payer = "Payer"
	Payee = "Payee"
	Bomb  = "Bomb"
)

// Mode is how a Token or a Payee behaves.
type Mode uint8

// The modes of a Token.
const (
	Standard       Mode = iota
	ReturnsNothing      // it moves, and answers no data, as USDT does
	ReturnsFalse        // it moves nothing, emits nothing and answers false
	OnlyEvent           // Transfer is emitted, nothing moves
	NoEvent             // it moves, Transfer is not emitted
)

// The modes of a Payee.
const (
	Accepts Mode = iota
	Emits        // takes more gas than the 21,000 of a plain transfer
	Reverts
	EatsGas // burns all gas that it is given
)

// ABI is a contract's interface as JSON.
func ABI(name string) string { return string(contracts()[name].ABI) }

// Bytecode is a contract's creation code, without arguments.
func Bytecode(name string) []byte {
	code, err := hex.DecodeString(contracts()[name].Bytecode)
	if err != nil || len(code) == 0 {
		panic("erc20test: no bytecode of " + name) // a file of this package
	}
	return code
}

// TransferTopic is the first topic of an ERC-20's Transfer event: the Keccak-256
// hash of Transfer(address,address,uint256).
func TransferTopic() [32]byte {
	const topic = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
	var out [32]byte
	copy(out[:], unhex(topic))
	return out
}

// CreateToken is the data of the transaction that makes a Token. The supply, in
// the token's smallest unit, goes to the creator.
func CreateToken(name, symbol string, decimals uint8, supply *big.Int) []byte {
	data := Bytecode(Token)
	nameData, symbolData := dynamic([]byte(name)), dynamic([]byte(symbol))
	const head = 4 * 32
	data = append(data, number(head)...)
	data = append(data, number(uint64(head+len(nameData)))...)
	data = append(data, number(uint64(decimals))...)
	data = append(data, amount(supply)...)
	return append(append(data, nameData...), symbolData...)
}

// CreatePayer is the data of the transaction that makes a Payer.
func CreatePayer() []byte { return Bytecode(Payer) }

// CreatePayee is the data of the transaction that makes a Payee.
func CreatePayee() []byte { return Bytecode(Payee) }

// CreateBomb is the data of the transaction whose whole value is forced upon
// target, even where target is a contract that refuses ether. It leaves no
// contract.
func CreateBomb(target [20]byte) []byte { return append(Bytecode(Bomb), address(target)...) }

// BalanceOf asks a token for a balance.
func BalanceOf(owner [20]byte) []byte { return call(Token, "balanceOf(address)", address(owner)) }

// Decimals asks a token for its decimals.
func Decimals() []byte { return call(Token, "decimals()") }

// Symbol asks a token for its symbol.
func Symbol() []byte { return call(Token, "symbol()") }

// TotalSupply asks a token for its supply.
func TotalSupply() []byte { return call(Token, "totalSupply()") }

// Transfer moves tokens of the sender.
func Transfer(to [20]byte, value *big.Int) []byte {
	return call(Token, "transfer(address,uint256)", address(to), amount(value))
}

// Approve lets spender move tokens of the sender.
func Approve(spender [20]byte, value *big.Int) []byte {
	return call(Token, "approve(address,uint256)", address(spender), amount(value))
}

// TransferFrom moves tokens of another who approved it.
func TransferFrom(from, to [20]byte, value *big.Int) []byte {
	return call(Token, "transferFrom(address,address,uint256)", address(from), address(to), amount(value))
}

// Mint makes new tokens.
func Mint(to [20]byte, value *big.Int) []byte {
	return call(Token, "mint(address,uint256)", address(to), amount(value))
}

// Confiscate takes tokens away without an event.
func Confiscate(from [20]byte, value *big.Int) []byte {
	return call(Token, "confiscate(address,uint256)", address(from), amount(value))
}

// SetMode switches a Token or a Payee.
func SetMode(mode Mode) []byte { return call(Token, "setMode(uint8)", number(uint64(mode))) }

// SetFee makes a token keep basisPoints (at most 10000) of every transfer. Where
// hidden, the Transfer event tells the whole amount all the same.
func SetFee(basisPoints uint16, hidden bool) []byte {
	return call(Token, "setFee(uint16,bool)", number(uint64(basisPoints)), flag(hidden))
}

// SetPaused makes every transfer of a token revert.
func SetPaused(paused bool) []byte { return call(Token, "setPaused(bool)", flag(paused)) }

// SetBlacklisted makes every transfer from or to an address revert.
func SetBlacklisted(who [20]byte, on bool) []byte {
	return call(Token, "setBlacklisted(address,bool)", address(who), flag(on))
}

// Pay lets a Payer divide the transaction's ether equally by internal calls.
func Pay(payees ...[20]byte) []byte {
	list := append(number(32), number(uint64(len(payees)))...)
	for _, payee := range payees {
		list = append(list, address(payee)...)
	}
	return call(Payer, "pay(address[])", list)
}

// PayReverted lets a Payer pay in a call that reverts: the transaction succeeds
// and shows an internal payment in a trace, yet nobody is paid.
func PayReverted(payee [20]byte) []byte { return call(Payer, "payReverted(address)", address(payee)) }

// call is a selector and its arguments.
func call(name, signature string, args ...[]byte) []byte {
	data := unhex(contracts()[name].Selectors[signature])
	if len(data) != 4 {
		panic("erc20test: no method " + signature + " of " + name) // a file of this package
	}
	for _, arg := range args {
		data = append(data, arg...)
	}
	return data
}

func unhex(text string) []byte {
	data, err := hex.DecodeString(text)
	if err != nil {
		return nil
	}
	return data
}

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(make([]byte, 24, 32), n) }

// amount is a uint256; what does not fit is a mistake of the test.
func amount(n *big.Int) []byte { return n.FillBytes(make([]byte, 32)) }

func address(a [20]byte) []byte { return append(make([]byte, 12, 32), a[:]...) }

func flag(on bool) []byte {
	if on {
		return number(1)
	}
	return number(0)
}

// dynamic is a string: its length, then its bytes padded to whole words.
func dynamic(text []byte) []byte {
	out := append(number(uint64(len(text))), text...)
	return append(out, make([]byte, (32-len(text)%32)%32)...)
}
