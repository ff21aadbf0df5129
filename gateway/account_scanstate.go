package gateway

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"causeway/chains"
)

// accountScan is what the scanner of a chain of accounts knows. Its blocks are
// final: none is ever taken back. Addresses and contracts are in small letters.
type accountScan struct {
	Version  int                   `json:"version"`
	Start    uint64                `json:"start"`
	Next     uint64                `json:"next"`
	Tip      chains.BlockRef       `json:"tip"`
	Accounts map[string]scanScript `json:"accounts"` // by address
	// Balances, Out and In are by address and token (scanKeyOf): what an account
	// held when it was read last, what its own transactions took out of it, and
	// which gas our sweeper sent to it.
	Balances map[string]scanBalance   `json:"balances"`
	Out      map[string]chains.Amount `json:"out"`
	In       map[string]chains.Amount `json:"in"`
	Txs      map[string]accountTx     `json:"txs"` // sent by accounts of ours, by sender:nonce
	Unread   map[string]bool          `json:"unread,omitempty"`
	// Mute are the tokens that did not say what an account holds, and why: when one
	// answers again, all accounts are read.
	Mute map[string]string `json:"mute,omitempty"`
}

// scanBalance is one reading.
type scanBalance struct {
	Amount chains.Amount `json:"amount"`
	At     uint64        `json:"at"` // height
}

// accountTx is a transaction of ours.
type accountTx struct {
	TxID   string        `json:"txid"`
	From   string        `json:"from"`
	Nonce  uint64        `json:"nonce"`
	Fee    chains.Amount `json:"fee"`
	Failed bool          `json:"failed,omitempty"`
	Self   bool          `json:"self,omitempty"` // pays 0 to its own sender
}

const accountScanVersion = 1

func newAccountScan(start uint64) *accountScan {
	return &accountScan{
		Version: accountScanVersion, Start: start, Next: start, Accounts: map[string]scanScript{}, Balances: map[string]scanBalance{},
		Out: map[string]chains.Amount{}, In: map[string]chains.Amount{}, Txs: map[string]accountTx{}, Unread: map[string]bool{}, Mute: map[string]string{},
	}
}

// scanKeyOf is the key of an account and a token (empty: the coin).
func scanKeyOf(address, token string) string { return address + " " + token }

// know adds accounts. Their past needs no search: what an account received is what
// it holds and what it sent, and one that nobody knew has sent nothing.
func (s *accountScan) know(fresh map[string]scanScript) {
	for address, owner := range fresh {
		s.Accounts[address] = owner
		s.Unread[address] = true
	}
}

// touch marks accounts of ours to be read again.
func (s *accountScan) touch(addresses ...string) {
	for _, a := range addresses {
		if a = strings.ToLower(a); s.Accounts[a].Address != "" {
			s.Unread[a] = true
		}
	}
}

// add books an amount in Out or In.
func addTo(sums map[string]chains.Amount, key string, amount chains.Amount) error {
	sum, err := sums[key].Add(amount)
	if err != nil {
		return fmt.Errorf("gateway: scanner: %s: %w", key, err)
	}
	sums[key] = sum
	return nil
}

// turns lists at most n accounts whose last reading is the oldest, below a height.
func (s *accountScan) turns(height uint64, n int) (list []string) {
	for address := range s.Accounts {
		if !s.Unread[address] && s.Balances[scanKeyOf(address, "")].At < height {
			list = append(list, address)
		}
	}
	slices.SortFunc(list, func(a, b string) int {
		return cmp.Or(cmp.Compare(s.Balances[scanKeyOf(a, "")].At, s.Balances[scanKeyOf(b, "")].At), strings.Compare(a, b))
	})
	return list[:min(n, len(list))]
}

// received is what an account got from outside in all, by the cumulative rule: what
// it holds and what it sent, without the gas that we sent it.
func (s *accountScan) received(key string) (chains.Amount, error) {
	sum, err := s.Balances[key].Amount.Add(s.Out[key])
	if err != nil {
		return sum, err
	}
	rest, err := sum.Sub(s.In[key])
	if err != nil {
		return rest, fmt.Errorf("gateway: scanner: account %s holds less than it was sent", key)
	}
	return rest, nil
}
