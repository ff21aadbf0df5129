package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"

	"causeway/chains"
	"causeway/chains/bitcoin"
	"causeway/chains/utxo"
)

const (
	scanTransactions = 5000 // of the synthetic block, two inputs and outputs each
	scanOutputs      = 2*scanTransactions + 2
)

// openScan is reading blocks: form, work, merkle roots, outputs. An operation is
// an output.
func openScan(_ context.Context, o benchOptions) (*workload, error) {
	coin, raw, id, err := syntheticBlock()
	if err != nil {
		return nil, err
	}
	return &workload{next: func() (int, func() error, error) {
		return scanOutputs * 10, func() error {
			for range 10 {
				if _, err := coin.DecodeBlock(raw, id); err != nil {
					return err
				}
			}
			return nil
		}, nil
	}}, nil
}

// openMatch is looking for our scripts among the outputs of a block that was
// read already; --accounts is how many are watched.
func openMatch(_ context.Context, o benchOptions) (*workload, error) {
	coin, raw, id, err := syntheticBlock()
	if err != nil {
		return nil, err
	}
	block, err := coin.DecodeBlock(raw, id)
	if err != nil {
		return nil, err
	}
	set := chains.NewWatchSet()
	for i := range o.Accounts {
		if err := set.Add(witnessScript(1<<32+uint64(i)), chains.Watch{Kind: chains.WatchDeposit, Account: benchAccount(i)}); err != nil {
			return nil, err
		}
	}
	return &workload{next: func() (int, func() error, error) {
		return scanOutputs * 10, func() error {
			for range 10 {
				if m := set.Match(block, nil); len(m.Payments) != 0 {
					return fmt.Errorf("bench: a stranger's output was matched")
				}
			}
			return nil
		}, nil
	}}, nil
}

func witnessScript(n uint64) []byte {
	script := append([]byte{0, 20}, make([]byte, 20)...)
	binary.LittleEndian.PutUint64(script[2:], n*0x9e3779b97f4a7c15)
	return script
}

// syntheticBlock is a block of regtest of about 1.6 MB: transactions with two
// inputs, their witnesses and two outputs to strangers.
func syntheticBlock() (coin *utxo.Coin, raw []byte, id string, err error) {
	if coin, err = bitcoin.New(chains.Regtest); err != nil {
		return nil, nil, "", err
	}
	reserved := make([]byte, 32)
	wtxids, txids := [][32]byte{{}}, [][32]byte{{}}
	var body []byte
	for i := range uint64(scanTransactions) {
		core, witness := syntheticTransaction(i)
		txids = append(txids, doubleHash(slices.Concat(core[:4], core[4:])))
		full := slices.Concat(core[:4], []byte{0, 1}, core[4:len(core)-4], witness, core[len(core)-4:])
		wtxids = append(wtxids, doubleHash(full))
		body = append(body, full...)
	}
	root := merkleOf(wtxids)
	commitment := doubleHash(append(root[:], reserved...))
	coinbase := slices.Concat(
		[]byte{2, 0, 0, 0, 1}, make([]byte, 32), []byte{0xff, 0xff, 0xff, 0xff, 2, 1, 1, 0xff, 0xff, 0xff, 0xff, 2},
		make([]byte, 8), []byte{22}, witnessScript(1<<40),
		make([]byte, 8), []byte{38, 0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed}, commitment[:], make([]byte, 4))
	txids[0] = doubleHash(coinbase)
	root = merkleOf(txids)
	header := slices.Concat([]byte{0, 0, 0, 0x20}, make([]byte, 32), root[:], []byte{0, 0, 0, 0x6a, 0xff, 0xff, 0x7f, 0x20}, make([]byte, 4))
	hash := doubleHash(header)
	for n := uint32(0); hash[31] >= 0x7f; n++ {
		binary.LittleEndian.PutUint32(header[76:], n)
		hash = doubleHash(header)
	}
	slices.Reverse(hash[:])
	first := slices.Concat(coinbase[:4], []byte{0, 1}, coinbase[4:len(coinbase)-4], []byte{1, 32}, reserved, make([]byte, 4))
	count := binary.LittleEndian.AppendUint16([]byte{0xfd}, scanTransactions+1)
	return coin, slices.Concat(header, count, first, body), hex.EncodeToString(hash[:]), nil
}

// syntheticTransaction is the n-th one without and its witnesses.
func syntheticTransaction(n uint64) (core, witness []byte) {
	core = []byte{2, 0, 0, 0, 2}
	for i := range uint64(2) {
		spent := sha256.Sum256(binary.LittleEndian.AppendUint64(nil, 2*n+i))
		core = append(append(core, spent[:]...), 1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff)
		witness = slices.Concat(witness, []byte{2, 71}, make([]byte, 71), []byte{33}, make([]byte, 33))
	}
	core = append(core, 2)
	for i := range uint64(2) {
		core = binary.LittleEndian.AppendUint64(core, 100_000+n)
		core = append(append(core, 22), witnessScript(2*n+i)...)
	}
	return append(core, 0, 0, 0, 0), witness
}

func doubleHash(b []byte) [32]byte {
	h := sha256.Sum256(b)
	return sha256.Sum256(h[:])
}

func merkleOf(level [][32]byte) [32]byte {
	for len(level) > 1 {
		if len(level)%2 == 1 {
			level = append(level, level[len(level)-1])
		}
		next := make([][32]byte, len(level)/2)
		for i := range next {
			next[i] = doubleHash(append(append(make([]byte, 0, 64), level[2*i][:]...), level[2*i+1][:]...))
		}
		level = next
	}
	return level[0]
}
