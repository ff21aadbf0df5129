package ethereum

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"causeway/chains/jsonrpc"
)

// batchSize is how many questions go to a node in one request: what public nodes
// allow.
const batchSize = 100

// at names a block by its hash, which must be in the node's best chain (EIP-1898):
// whoever answers, answers about the same state.
func at(block Hash) map[string]any {
	return map[string]any{"blockHash": block, "requireCanonical": true}
}

// quantities asks one question about each account, whose answers are numbers.
func (n *Node) quantities(ctx context.Context, method string, block Hash, accounts []Address) ([]Wei, error) {
	answers := make([]hexutil.Big, len(accounts))
	calls := make([]jsonrpc.Call, len(accounts))
	for i, a := range accounts {
		calls[i] = jsonrpc.Call{Method: method, Params: []any{a, at(block)}, Result: &answers[i]}
	}
	if err := n.batch(ctx, jsonrpc.SmallAnswer, calls); err != nil {
		return nil, err
	}
	values := make([]Wei, len(accounts))
	for i := range answers {
		v, err := WeiFromBig(answers[i].ToInt())
		if err != nil {
			return nil, n.malformed("%s of %s: %v", method, accounts[i], err)
		}
		values[i] = v
	}
	return values, nil
}

// balances are the accounts' wei at a block.
func (n *Node) balances(ctx context.Context, block Hash, accounts []Address) ([]Wei, error) {
	return n.quantities(ctx, "eth_getBalance", block, accounts)
}

// nonces are the numbers of transactions that the accounts have sent up to a
// block: the next nonce of each.
func (n *Node) nonces(ctx context.Context, block Hash, accounts []Address) ([]uint64, error) {
	values, err := n.quantities(ctx, "eth_getTransactionCount", block, accounts)
	if err != nil {
		return nil, err
	}
	nonces := make([]uint64, len(values))
	for i, v := range values {
		if !v.n.IsUint64() {
			return nil, n.malformed("nonce %s of %s", v, accounts[i])
		}
		nonces[i] = v.n.Uint64()
	}
	return nonces, nil
}

// code is the contract at an account; empty for an account that has none.
func (n *Node) code(ctx context.Context, block Hash, account Address) ([]byte, error) {
	var code hexutil.Bytes
	err := n.call(ctx, jsonrpc.SmallAnswer, &code, "eth_getCode", account, at(block))
	return code, err
}

// callMessage is a call of a contract as the protocol writes it.
func callMessage(to Address, data []byte) map[string]any {
	return map[string]any{"to": to, "data": hexutil.Bytes(data)}
}

// tokenBalances are the accounts' units of a token at a block. A contract that
// answers anything but one word is an error.
func (n *Node) tokenBalances(ctx context.Context, block Hash, token Address, accounts []Address) ([]Wei, error) {
	answers := make([]hexutil.Bytes, len(accounts))
	calls := make([]jsonrpc.Call, len(accounts))
	for i, a := range accounts {
		message := callMessage(token, append(selectorBalanceOf[:4:4], word(a)...))
		calls[i] = jsonrpc.Call{Method: "eth_call", Params: []any{message, at(block)}, Result: &answers[i]}
	}
	if err := n.batch(ctx, jsonrpc.SmallAnswer, calls); err != nil {
		return nil, err
	}
	values := make([]Wei, len(accounts))
	for i, answer := range answers {
		if len(answer) != 32 {
			return nil, n.malformed("balance of token %s: %d bytes instead of 32", token, len(answer))
		}
		values[i] = weiOfWord(answer)
	}
	return values, nil
}

// Token is what a contract says of itself.
type Token struct {
	Decimals uint8
	Symbol   string // for display alone; empty when it tells none
}

// token asks a contract for its decimals, which it must tell, and its symbol.
func (n *Node) token(ctx context.Context, block Hash, token Address) (Token, error) {
	var decimals, symbol hexutil.Bytes
	if err := n.call(ctx, jsonrpc.SmallAnswer, &decimals, "eth_call", callMessage(token, selectorDecimals[:]), at(block)); err != nil {
		return Token{}, err
	}
	v := weiOfWord(decimals)
	if len(decimals) != 32 || !v.n.IsUint64() || v.n.Uint64() > 77 {
		return Token{}, n.malformed("decimals of token %s: %s", token, clip(decimals.String()))
	}
	t := Token{Decimals: uint8(v.n.Uint64())}
	err := n.call(ctx, jsonrpc.SmallAnswer, &symbol, "eth_call", callMessage(token, selectorSymbol[:]), at(block))
	if refusal(err) { // it is optional
		return t, nil
	}
	t.Symbol = symbolOf(symbol)
	return t, err
}

// maxSymbol bounds what is shown of a symbol.
const maxSymbol = 32

// symbolOf reads an ABI string, or a word of text as old contracts answer it.
// What is not printable ASCII is no symbol.
func symbolOf(answer []byte) string {
	text := answer
	switch {
	case len(answer) == 32:
		text = bytes.TrimRight(answer, "\x00")
	case len(answer) >= 64 && weiOfWord(answer[:32]) == NewWei(32):
		length := weiOfWord(answer[32:64])
		if !length.n.IsUint64() || length.n.Uint64() > uint64(len(answer)-64) {
			return ""
		}
		text = answer[64 : 64+length.n.Uint64()]
	default:
		return ""
	}
	if len(text) > maxSymbol || strings.ContainsFunc(string(text), func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ""
	}
	return string(text)
}

// hexData is data as the protocol writes it.
func hexData(data []byte) string { return "0x" + hex.EncodeToString(data) }

func (t Token) String() string { return fmt.Sprintf("%q with %d decimals", t.Symbol, t.Decimals) }
