package ethereum

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"causeway/chains"
	"causeway/chains/jsonrpc"
)

// The chains whose block 0 is known: a chain of one's own can have their ids.
var genesis = map[uint64]string{
	1:        "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3", // mainnet
	11155111: "0x25a5cc106eea7138acab33231d7160d69cb777ee0c2c553fcddf5138993e6dd9", // Sepolia
}

// oldest is the first version of each client that knows the rules of Prague (May
// 2025): an older one stands still, or follows a chain that everybody else left.
// They hold on the chains of genesis. Clients for development have no place there
// at all: a fork of mainnet that one of them runs has its id and its block 0.
var (
	oldest = map[string][3]uint64{
		"geth": {1, 15, 9}, "nethermind": {1, 31, 9}, "besu": {25, 4, 1}, "erigon": {3, 0, 2}, "reth": {1, 3, 12},
	}
	developers = []string{"anvil", "hardhat", "ganache", "ethereumjs", "testrpc", "causeway"}
)

// identify asks the node for its chain id, its block 0 where that is known, and
// its version.
func (n *Node) identify(ctx context.Context) error {
	var id string
	if err := n.client.Call(ctx, &id, "eth_chainId"); err != nil {
		return err
	}
	if id != quantity(n.o.ChainID) {
		n.guard.Introduced("", "")
		return fmt.Errorf("%s: %w: its chain id is %q, %s (%d) is configured",
			n.client.Name(), chains.ErrWrongNetwork, clip(id), quantity(n.o.ChainID), n.o.ChainID)
	}
	want, public := genesis[n.o.ChainID]
	if public {
		if err := n.checkGenesis(ctx, want); err != nil {
			return err
		}
	}
	var version string
	if err := n.client.Call(ctx, &version, "web3_clientVersion"); err != nil {
		return err
	}
	n.guard.Introduced(n.o.Network, clip(version))
	if !public {
		return nil
	}
	if err := checkVersion(version); err != nil {
		return fmt.Errorf("%s: %w: %w", n.client.Name(), chains.ErrNodeVersion, err)
	}
	return nil
}

func (n *Node) checkGenesis(ctx context.Context, want string) error {
	var raw json.RawMessage
	err := n.client.CallLimit(ctx, maxHeaderAnswer, &raw, "eth_getBlockByNumber", "0x0", false)
	if err != nil && !errors.Is(err, jsonrpc.ErrNull) {
		return err
	}
	h, err := decodeHeader(raw)
	if err != nil {
		return n.wrong("block 0", err)
	}
	if got := Hash(h.Hash()).String(); got != want {
		n.guard.Introduced("", "")
		return fmt.Errorf("%s: %w: its block 0 is %s, that of chain %d is %s", n.client.Name(), chains.ErrWrongNetwork, got, n.o.ChainID, want)
	}
	return nil
}

// checkVersion refuses what is known to be too old: Geth/v1.15.9-stable/linux-amd64.
// A client that is not known is not refused.
func checkVersion(version string) error {
	name, rest, _ := strings.Cut(strings.ToLower(version), "/")
	for _, d := range developers {
		if strings.HasPrefix(name, d) {
			return fmt.Errorf("%q is for development", clip(version))
		}
	}
	least, known := oldest[name]
	if !known {
		return nil
	}
	rest, _, _ = strings.Cut(rest, "/")
	have, ok := versionNumbers(rest)
	if !ok {
		return fmt.Errorf("%q does not tell its version", clip(version))
	}
	for i := range least {
		switch {
		case have[i] > least[i]:
			return nil
		case have[i] < least[i]:
			return fmt.Errorf("%q, %d.%d.%d is the oldest that may be asked", clip(version), least[0], least[1], least[2])
		}
	}
	return nil
}

// versionNumbers reads v1.15.9-stable-abc.
func versionNumbers(text string) (v [3]uint64, ok bool) {
	text = strings.TrimPrefix(text, "v")
	if i := strings.IndexAny(text, "-+ "); i >= 0 {
		text = text[:i]
	}
	parts := strings.Split(text, ".")
	if len(parts) < 3 {
		return v, false
	}
	for i := range v {
		var err error
		if v[i], err = strconv.ParseUint(parts[i], 10, 32); err != nil {
			return v, false
		}
	}
	return v, true
}
