package ethereum

import (
	"bytes"
)

// The parts of ERC-20 (EIP-20) that are used: the first four bytes of a method's
// hash, and the hash of the event.
var (
	selectorTransfer  = [4]byte{0xa9, 0x05, 0x9c, 0xbb} // transfer(address,uint256)
	selectorBalanceOf = [4]byte{0x70, 0xa0, 0x82, 0x31} // balanceOf(address)
	selectorDecimals  = [4]byte{0x31, 0x3c, 0xe5, 0x67} // decimals()
	selectorSymbol    = [4]byte{0x95, 0xd8, 0x9b, 0x41} // symbol()

	// topicTransfer is keccak256("Transfer(address,address,uint256)").
	topicTransfer = Hash{
		0xdd, 0xf2, 0x52, 0xad, 0x1b, 0xe2, 0xc8, 0x9b, 0x69, 0xc2, 0xb0, 0x68, 0xfc, 0x37, 0x8d, 0xaa,
		0x95, 0x2b, 0xa7, 0xf1, 0x63, 0xc4, 0xa1, 0x16, 0x28, 0xf5, 0x5a, 0x4d, 0xf5, 0x23, 0xb3, 0xef,
	}
)

// TransferCall is the data of a transaction to a token's contract that moves value
// from its sender to another account.
func TransferCall(to Address, value Wei) []byte {
	data := append(selectorTransfer[:4:4], word(to)...)
	amount := value.Bytes()
	return append(data, amount[:]...)
}

// ParseTransferCall reads what TransferCall writes, and nothing else.
func ParseTransferCall(data []byte) (to Address, value Wei, ok bool) {
	if len(data) != 68 || !bytes.Equal(data[:4], selectorTransfer[:]) {
		return Address{}, Wei{}, false
	}
	to, ok = accountOf(data[4:36])
	return to, weiOfWord(data[36:]), ok
}

// word is an account as a word of the EVM.
func word(a Address) []byte { return append(make([]byte, 12, 32), a[:]...) }

// accountOf reads a word that must be an account: its first twelve bytes are zero.
func accountOf(word []byte) (Address, bool) {
	if len(word) != 32 || !bytes.Equal(word[:12], make([]byte, 12)) {
		return Address{}, false
	}
	return Address(word[12:]), true
}

// Transfers lists the transfers of tokens that the block's logs tell, in block
// order. Strictly what ERC-20 says counts: the transaction succeeded, the log is of
// one of the contracts and has the event's hash and two accounts as its three
// topics and one word as its data, and the value is not zero. The fourth topic of
// an ERC-721 transfer, 31 bytes or 64 are none.
func (b *Block) Transfers(tokens map[Address]bool) []Transfer {
	var list []Transfer
	for i := range b.Transactions {
		tx := &b.Transactions[i]
		if !tx.Succeeded {
			continue
		}
		for j := range tx.Logs {
			if t, ok := tx.Logs[j].transfer(); ok && tokens[t.Token] {
				t.TxID = tx.Hash
				list = append(list, t)
			}
		}
	}
	return list
}

func (l *Log) transfer() (Transfer, bool) {
	if len(l.Topics) != 3 || l.Topics[0] != topicTransfer || len(l.Data) != 32 {
		return Transfer{}, false
	}
	from, okFrom := accountOf(l.Topics[1][:])
	to, okTo := accountOf(l.Topics[2][:])
	value := weiOfWord(l.Data)
	if !okFrom || !okTo || value.IsZero() {
		return Transfer{}, false
	}
	return Transfer{Token: l.Address, From: from, To: to, Value: value, Index: l.Index}, true
}

// Touched is every account whose balance of coins or tokens the block may have
// changed, as far as transactions, withdrawals and logs tell: senders and
// recipients, created contracts' payers, whom the consensus layer paid, the
// coinbase, and every account that a log of the tokens names in a topic or a word
// of its data. It wakes a check of the balance and proves nothing; coins that a
// contract moved leave no trace here, so balances are re-read without it too.
func (b *Block) Touched(tokens map[Address]bool) map[Address]bool {
	touched := map[Address]bool{b.Coinbase: true}
	for i := range b.Transactions {
		tx := &b.Transactions[i]
		touched[tx.From] = true
		if tx.To != nil {
			touched[*tx.To] = true
		}
		for j := range tx.Logs {
			if l := &tx.Logs[j]; tokens[l.Address] {
				l.accounts(touched)
			}
		}
	}
	for _, w := range b.Withdrawals {
		touched[w.To] = true
	}
	return touched
}

// accounts adds every account that the log may name.
func (l *Log) accounts(touched map[Address]bool) {
	for i := range l.Topics {
		if a, ok := accountOf(l.Topics[i][:]); ok && i > 0 {
			touched[a] = true
		}
	}
	for data := l.Data; len(data) >= 32; data = data[32:] {
		if a, ok := accountOf(data[:32]); ok {
			touched[a] = true
		}
	}
}
