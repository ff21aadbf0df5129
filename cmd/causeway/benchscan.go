package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"causeway/chains"
	"causeway/chains/dogecoin"
	"causeway/chains/utxo"
)

const (
	scanTransactions = 5000 // of the synthetic block, two inputs and outputs each
	scanOutputs      = 2*scanTransactions + 2
)

// openScan is reading blocks: form, work, merkle roots, outputs. An operation is
// an output.
func openScan(_ context.Context, o benchOptions) (*workload, error) {
	s, err := newSynthetic(o.Chain)
	if err != nil {
		return nil, err
	}
	raw, id, err := s.block()
	if err != nil {
		return nil, err
	}
	return &workload{next: func() (int, func() error, error) {
		return scanOutputs * 10, func() error {
			for range 10 {
				if _, err := s.coin.DecodeBlock(raw, id); err != nil {
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
	s, err := newSynthetic(o.Chain)
	if err != nil {
		return nil, err
	}
	raw, id, err := s.block()
	if err != nil {
		return nil, err
	}
	block, err := s.coin.DecodeBlock(raw, id)
	if err != nil {
		return nil, err
	}
	before := heapInUse()
	set := chains.NewWatchSet()
	for i := range o.Accounts {
		if err := set.Add(s.script(1<<32+uint64(i)), chains.Watch{Kind: chains.WatchDeposit, Account: benchAccount(i)}); err != nil {
			return nil, err
		}
	}
	used := heapInUse() - before
	return &workload{extra: func() (map[string]float64, error) {
		return map[string]float64{"heap_bytes_per_script": float64(used) / float64(o.Accounts)}, nil
	}, next: func() (int, func() error, error) {
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

// heapInUse is what lives on the heap.
func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// synthetic makes blocks of regtest for a coin.
type synthetic struct {
	coin   *utxo.Coin
	segwit bool
}

func newSynthetic(chain string) (s synthetic, err error) {
	if s.coin, err = newCoin(chain, chains.Regtest); err != nil {
		return s, err
	}
	_, err = s.coin.Address(witnessScript(0))
	s.segwit = err == nil
	return s, nil
}

// script is the n-th stranger's, of the form that the coin's own wallets use.
func (s synthetic) script(n uint64) []byte {
	if s.segwit {
		return witnessScript(n)
	}
	return slices.Concat([]byte{0x76, 0xa9, 20}, witnessScript(n)[2:], []byte{0x88, 0xac})
}

func witnessScript(n uint64) []byte {
	script := append([]byte{0, 20}, make([]byte, 20)...)
	binary.LittleEndian.PutUint64(script[2:], n*0x9e3779b97f4a7c15)
	return script
}

// output is one of a transaction.
func output(value uint64, script []byte) []byte {
	return slices.Concat(binary.LittleEndian.AppendUint64(nil, value), []byte{byte(len(script))}, script)
}

// block is a block of 1.6 to 1.9 MB: transactions with two signed inputs and two
// outputs to strangers. It has neither an extension block nor merge-mined work.
func (s synthetic) block() (raw []byte, id string, err error) {
	wtxids, txids := [][32]byte{{}}, [][32]byte{{}}
	var body []byte
	for i := range uint64(scanTransactions) {
		core, witness := s.transaction(i)
		txids = append(txids, doubleHash(core))
		if s.segwit {
			core = slices.Concat(core[:4], []byte{0, 1}, core[4:len(core)-4], witness, core[len(core)-4:])
			wtxids = append(wtxids, doubleHash(core))
		}
		body = append(body, core...)
	}
	coinbase, whole := s.coinbase(wtxids)
	txids[0] = doubleHash(coinbase)
	count := binary.LittleEndian.AppendUint16([]byte{0xfd}, scanTransactions+1)
	return s.solved(merkleOf(txids), slices.Concat(count, whole, body))
}

// coinbase commits to the witnesses, if there are any, and has one then: whole is
// with it.
func (s synthetic) coinbase(wtxids [][32]byte) (coinbase, whole []byte) {
	reserved := make([]byte, 32)
	coinbase = slices.Concat([]byte{2, 0, 0, 0, 1}, make([]byte, 32), []byte{0xff, 0xff, 0xff, 0xff, 2, 1, 1, 0xff, 0xff, 0xff, 0xff, 2}, output(0, s.script(1<<40)))
	if !s.segwit {
		coinbase = slices.Concat(coinbase, output(0, s.script(1<<41)), make([]byte, 4))
		return coinbase, coinbase
	}
	root := merkleOf(wtxids)
	commitment := doubleHash(append(root[:], reserved...))
	coinbase = slices.Concat(coinbase, output(0, append([]byte{0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed}, commitment[:]...)), make([]byte, 4))
	return coinbase, slices.Concat(coinbase[:4], []byte{0, 1}, coinbase[4:len(coinbase)-4], []byte{1, 32}, reserved, make([]byte, 4))
}

// solved puts a header before the transactions, with a nonce that the coin takes: on
// regtest every second one will do.
func (s synthetic) solved(root [32]byte, transactions []byte) (raw []byte, id string, err error) {
	version := uint32(0x20000000)
	if s.coin.ID() == chains.DOGE {
		version = dogecoin.ChainID<<16 | 4
	}
	header := binary.LittleEndian.AppendUint32(nil, version)
	header = slices.Concat(header, make([]byte, 32), root[:], []byte{0, 0, 0, 0x6a, 0xff, 0xff, 0x7f, 0x20}, make([]byte, 4))
	raw = append(header, transactions...)
	for nonce := range uint32(100) {
		binary.LittleEndian.PutUint32(raw[76:], nonce)
		hash := doubleHash(raw[:80])
		slices.Reverse(hash[:])
		id = hex.EncodeToString(hash[:])
		if _, err = s.coin.DecodeBlock(raw, id); err == nil || !errors.Is(err, chains.ErrBadBlock) {
			return raw, id, err
		}
	}
	return nil, "", fmt.Errorf("bench: no block of %s: %w", s.coin.ID(), err)
}

// transaction is the n-th one without and its witnesses, which are none where the
// signatures stand in the inputs.
func (s synthetic) transaction(n uint64) (core, witness []byte) {
	signature := slices.Concat([]byte{71}, make([]byte, 71), []byte{33}, make([]byte, 33))
	core = []byte{2, 0, 0, 0, 2}
	for i := range uint64(2) {
		spent := sha256.Sum256(binary.LittleEndian.AppendUint64(nil, 2*n+i))
		core = append(append(core, spent[:]...), 1, 0, 0, 0)
		if s.segwit {
			core = append(core, 0)
			witness = slices.Concat(witness, []byte{2}, signature)
		} else {
			core = slices.Concat(core, []byte{byte(len(signature))}, signature)
		}
		core = append(core, 0xff, 0xff, 0xff, 0xff)
	}
	core = append(core, 2)
	for i := range uint64(2) {
		core = append(core, output(100_000+n, s.script(2*n+i))...)
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
