package gateway

import (
	"encoding/hex"
	"fmt"

	"causeway/chains"
	"causeway/hotwallet"
	"causeway/pegs"
)

// addressBook derives the scripts of ours on one chain from what is published,
// the scripts that belong to no user excepted, which the ledger knows.
type addressBook struct {
	chain    chains.ID
	network  chains.Network
	branches []*hotwallet.Branch // by epoch, in the ledger's order
	epochs   []pegs.EpochAdded
}

// ownedScript is a script of ours and whose it is.
type ownedScript struct {
	script []byte
	watch  chains.Watch
}

func newAddressBook(c *pegs.Chain) (*addressBook, error) {
	b := &addressBook{chain: c.ID, network: c.Config.Network}
	for _, epoch := range c.Epochs {
		if err := b.add(epoch); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (b *addressBook) add(epoch pegs.EpochAdded) error {
	key, err := hex.DecodeString(epoch.Key)
	if err != nil || len(key) != 33 {
		return fmt.Errorf("gateway: derivation key %q of %s", epoch.Key, b.chain)
	}
	branch, err := hotwallet.NewBranch([33]byte(key), b.network, b.chain, epoch.Epoch)
	if err != nil {
		return err
	}
	b.branches, b.epochs = append(b.branches, branch), append(b.epochs, epoch)
	return nil
}

// own lists the scripts that belong to no user.
func (b *addressBook) own() ([]ownedScript, error) {
	var list []ownedScript
	for _, epoch := range b.epochs {
		for _, s := range epoch.Scripts {
			script, err := hex.DecodeString(s.Script)
			if err != nil {
				return nil, fmt.Errorf("gateway: script of %s: %w", s.Address, err)
			}
			list = append(list, ownedScript{script, chains.Watch{Kind: s.Kind, Epoch: epoch.Epoch, Address: s.Address}})
		}
	}
	return list, nil
}

// deposits lists the deposit scripts of an account, of every epoch.
func (b *addressBook) deposits(account string) ([]ownedScript, error) {
	var list []ownedScript
	for i, branch := range b.branches {
		script, err := branch.Script(account)
		if err != nil {
			return nil, err
		}
		address, err := branch.Address(account)
		if err != nil {
			return nil, err
		}
		watch := chains.Watch{Kind: chains.WatchDeposit, Account: account, Epoch: b.epochs[i].Epoch, Address: address}
		list = append(list, ownedScript{script, watch})
	}
	return list, nil
}

// scripts lists those of accounts, after the ones that belong to no user.
func (b *addressBook) scripts(accounts []string) ([]ownedScript, error) {
	list, err := b.own()
	if err != nil {
		return nil, err
	}
	for _, account := range accounts {
		more, err := b.deposits(account)
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	return list, nil
}

// watchSet is a set of these scripts.
func (b *addressBook) watchSet(accounts []string) (*chains.WatchSet, error) {
	set := chains.NewWatchSet()
	return set, b.extend(set, accounts)
}

func (b *addressBook) extend(set *chains.WatchSet, accounts []string) error {
	list, err := b.scripts(accounts)
	if err != nil {
		return err
	}
	for _, s := range list {
		if err := set.Add(s.script, s.watch); err != nil {
			return err
		}
	}
	return nil
}

// matchOf is a block's content in the ledger's form.
func matchOf(m *chains.Matched) pegs.Match {
	out := pegs.Match{Header: m.Header, Spends: m.Spends}
	for _, p := range m.Payments {
		out.Payments = append(out.Payments, paymentOf(p))
	}
	return out
}

func paymentOf(p chains.Payment) pegs.Payment {
	return pegs.Payment{
		Outpoint: p.Outpoint, Amount: p.Amount, Script: hex.EncodeToString(p.Script), Coinbase: p.Coinbase, MinDepth: p.MinDepth, Tokens: p.Tokens,
		Kind: p.Watch.Kind, Account: p.Watch.Account, Epoch: p.Watch.Epoch, Address: p.Watch.Address,
	}
}
