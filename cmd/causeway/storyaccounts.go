package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"causeway/chains"
	"causeway/chains/address"
	"causeway/chains/ethereum"
)

// accountsNode is an Ethereum node with unlocked accounts: it moves ether, or a token.
type accountsNode struct {
	rpcNode
	token    string // contract; empty: ether
	decimals int    // of the token
}

// newAddress is one whose key nobody has.
func (c *accountsNode) newAddress(context.Context) (string, error) {
	raw := make([]byte, 20)
	if _, err := rand.Read(raw); err != nil {
		return "", err
	}
	return address.Encode(string(chains.ETH), string(chains.Regtest), raw)
}

func (c *accountsNode) pay(ctx context.Context, to, amount string) (txid string, err error) {
	var accounts []string
	if err := c.rpc(ctx, "eth_accounts", &accounts); err != nil || len(accounts) == 0 {
		return "", fmt.Errorf("the node has no accounts (%w)", err)
	}
	payee, err := ethereum.ParseAddress(to)
	if err != nil {
		return "", err
	}
	decimals := c.decimals
	if c.token == "" {
		decimals = 18
	}
	units, err := chains.FromCoin(amount, decimals)
	if err != nil {
		return "", err
	}
	tx := map[string]string{"from": accounts[0], "to": to, "value": "0x" + units.Big().Text(16)}
	if c.token != "" {
		tx["to"], tx["value"] = c.token, "0x0"
		tx["data"] = fmt.Sprintf("0x%x", ethereum.TransferCall(payee, ethereum.WeiOf(units)))
	}
	return txid, c.rpc(ctx, "eth_sendTransaction", &txid, tx)
}

func (c *accountsNode) mine(ctx context.Context) error { return c.rpc(ctx, "evm_mine", nil) }

// received is what a new address holds; who paid it is the transaction's to say.
func (c *accountsNode) received(ctx context.Context, txid, to string) (chains.Amount, error) {
	var receipt *struct {
		Status string `json:"status"`
	}
	if err := c.rpc(ctx, "eth_getTransactionReceipt", &receipt, txid); err != nil {
		return chains.Amount{}, err
	}
	if receipt == nil || receipt.Status != "0x1" {
		return chains.Amount{}, fmt.Errorf("payout %s is not in a block, or failed", txid)
	}
	var held string
	var err error
	if c.token == "" {
		err = c.rpc(ctx, "eth_getBalance", &held, to, "latest")
	} else {
		call := "0x70a08231" + strings.Repeat("0", 24) + strings.TrimPrefix(to, "0x") // balanceOf(address)
		err = c.rpc(ctx, "eth_call", &held, map[string]string{"to": c.token, "data": call}, "latest")
	}
	if err != nil {
		return chains.Amount{}, err
	}
	n, ok := new(big.Int).SetString(strings.TrimPrefix(held, "0x"), 16)
	if !ok {
		return chains.Amount{}, errors.New("the node's balance is no number")
	}
	return chains.AmountFromBig(n)
}
