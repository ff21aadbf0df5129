package devnet

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

func chainMethods() map[string]method {
	return map[string]method{
		"getblockcount":     {run: getBlockCount},
		"getbestblockhash":  {run: getBestBlockHash},
		"getblockhash":      {params: []string{"height"}, required: 1, run: getBlockHash},
		"getblock":          {params: []string{"blockhash", "verbosity|verbose"}, required: 1, run: getBlock},
		"getblockheader":    {params: []string{"blockhash", "verbose"}, required: 1, run: getBlockHeader},
		"getblockchaininfo": {run: getBlockchainInfo},
		"getnetworkinfo":    {run: getNetworkInfo},
		"getchaintips":      {run: getChainTips, empty: "[]"},
	}
}

func getBlockCount(k *call) (any, error) { return k.v.best, nil }

func getBestBlockHash(k *call) (any, error) { return k.v.tip.String(), nil }

func getBlockHash(k *call) (any, error) {
	height, err := k.integer(0, 0)
	if err != nil {
		return nil, err
	}
	hash, err := k.v.hashAt(height)
	if err != nil {
		return nil, fail(codeParameter, "Block height out of range")
	}
	return hash.String(), nil
}

// located finds the block of parameter 0.
func (k *call) located() (located, error) {
	hash, err := k.hash(0)
	if err != nil {
		return located{}, err
	}
	at, err := k.v.locate(hash)
	if err != nil {
		return located{}, fail(codeAddressOrKey, "Block not found")
	}
	return at, nil
}

// headerJSON is a block header in the order of Bitcoin Core's fields.
type headerJSON struct {
	Hash              string      `json:"hash"`
	Confirmations     int64       `json:"confirmations"`
	Height            int32       `json:"height"`
	Version           int32       `json:"version"`
	VersionHex        string      `json:"versionHex"`
	MerkleRoot        string      `json:"merkleroot"`
	Time              int64       `json:"time"`
	MedianTime        int64       `json:"mediantime"`
	Nonce             uint32      `json:"nonce"`
	Bits              string      `json:"bits"`
	Difficulty        json.Number `json:"difficulty"`
	ChainWork         string      `json:"chainwork"`
	NTx               int         `json:"nTx"`
	PreviousBlockHash string      `json:"previousblockhash,omitempty"`
	NextBlockHash     string      `json:"nextblockhash,omitempty"`
}

type blockJSON struct {
	headerJSON
	StrippedSize int   `json:"strippedsize"`
	Size         int   `json:"size"`
	Weight       int64 `json:"weight"`
	Tx           []any `json:"tx"`
}

func getBlock(k *call) (any, error) {
	at, err := k.located()
	if err != nil {
		return nil, err
	}
	verbosity, err := k.level(1, 1)
	if err != nil {
		return nil, err
	}
	if verbosity <= 0 {
		raw, err := k.v.raw(at)
		return hex.EncodeToString(raw), err
	}
	block, err := k.v.block(at)
	if err != nil {
		return nil, err
	}
	head, err := k.v.headerJSON(at, len(block.Transactions()))
	if err != nil {
		return nil, err
	}
	msg := block.MsgBlock()
	result := blockJSON{
		headerJSON:   head,
		StrippedSize: msg.SerializeSizeStripped(),
		Size:         msg.SerializeSize(),
		Weight:       blockchain.GetBlockWeight(block),
		Tx:           make([]any, len(msg.Transactions)),
	}
	for i, tx := range block.Transactions() {
		if verbosity == 1 {
			result.Tx[i] = tx.Hash().String()
			continue
		}
		if result.Tx[i], err = k.v.txJSON(tx.MsgTx()); err != nil {
			return nil, err
		}
	}
	return result, nil
}

func getBlockHeader(k *call) (any, error) {
	at, err := k.located()
	if err != nil {
		return nil, err
	}
	verbose, err := k.boolean(1, true)
	if err != nil {
		return nil, err
	}
	if !verbose {
		var buf bytes.Buffer
		err := at.header.Serialize(&buf)
		return hex.EncodeToString(buf.Bytes()), err
	}
	block, err := k.v.block(at)
	if err != nil {
		return nil, err
	}
	return k.v.headerJSON(at, len(block.MsgBlock().Transactions))
}

func (v *view) headerJSON(at located, count int) (headerJSON, error) {
	h := at.header
	median, err := v.medianTime(h)
	if err != nil {
		return headerJSON{}, err
	}
	result := headerJSON{
		Hash:          at.hash.String(),
		Confirmations: v.confirmations(at),
		Height:        at.height,
		Version:       h.Version,
		VersionHex:    fmt.Sprintf("%08x", uint32(h.Version)),
		MerkleRoot:    h.MerkleRoot.String(),
		Time:          h.Timestamp.Unix(),
		MedianTime:    median,
		Nonce:         h.Nonce,
		Bits:          fmt.Sprintf("%08x", h.Bits),
		Difficulty:    difficulty(h.Bits),
		ChainWork:     chainWork(h.Bits, at.height),
		NTx:           count,
	}
	if at.height > 0 {
		result.PreviousBlockHash = h.PrevBlock.String()
	}
	if at.main && at.height < v.best {
		next, err := v.hashAt(int64(at.height) + 1)
		if err != nil {
			return headerJSON{}, err
		}
		result.NextBlockHash = next.String()
	}
	return result, nil
}

// medianTime is the median of a block's and its ten forebears' times.
func (v *view) medianTime(h wire.BlockHeader) (int64, error) {
	times := []int64{h.Timestamp.Unix()}
	for len(times) < 11 && h.PrevBlock != (chainhash.Hash{}) {
		parent, err := v.c.chain.HeaderByHash(&h.PrevBlock)
		if err != nil {
			return 0, err
		}
		h = parent
		times = append(times, h.Timestamp.Unix())
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}

// difficulty is how much harder than the easiest Bitcoin target a target is,
// with Core's sixteen digits. It is not money: a float will do.
func difficulty(bits uint32) json.Number {
	d := float64(0x0000ffff) / float64(bits&0x00ffffff)
	for shift := bits >> 24; shift < 29; shift++ {
		d *= 256
	}
	for shift := bits >> 24; shift > 29; shift-- {
		d /= 256
	}
	return json.Number(strconv.FormatFloat(d, 'g', 16, 64))
}

// chainWork relies on a regtest never changing its target.
func chainWork(bits uint32, height int32) string {
	work := blockchain.CalcWork(bits)
	work.Mul(work, big.NewInt(int64(height)+1))
	return fmt.Sprintf("%064x", work)
}

func getBlockchainInfo(k *call) (any, error) {
	at, err := k.v.locate(k.v.tip)
	if err != nil {
		return nil, err
	}
	median, err := k.v.medianTime(at.header)
	if err != nil {
		return nil, err
	}
	return struct {
		Chain                string      `json:"chain"`
		Blocks               int32       `json:"blocks"`
		Headers              int32       `json:"headers"`
		BestBlockHash        string      `json:"bestblockhash"`
		Bits                 string      `json:"bits"`
		Difficulty           json.Number `json:"difficulty"`
		Time                 int64       `json:"time"`
		MedianTime           int64       `json:"mediantime"`
		VerificationProgress float64     `json:"verificationprogress"`
		InitialBlockDownload bool        `json:"initialblockdownload"`
		ChainWork            string      `json:"chainwork"`
		Pruned               bool        `json:"pruned"`
		Warnings             string      `json:"warnings"`
	}{
		Chain: "regtest", Blocks: k.v.best, Headers: k.v.best, BestBlockHash: k.v.tip.String(),
		Bits: fmt.Sprintf("%08x", at.header.Bits), Difficulty: difficulty(at.header.Bits),
		Time: at.header.Timestamp.Unix(), MedianTime: median, VerificationProgress: 1,
		ChainWork: chainWork(at.header.Bits, k.v.best),
	}, nil
}

func getNetworkInfo(k *call) (any, error) {
	return struct {
		Version         int    `json:"version"`
		SubVersion      string `json:"subversion"`
		ProtocolVersion uint32 `json:"protocolversion"`
		LocalRelay      bool   `json:"localrelay"`
		TimeOffset      int    `json:"timeoffset"`
		NetworkActive   bool   `json:"networkactive"`
		Connections     int    `json:"connections"`
		Networks        []any  `json:"networks"`
		RelayFee        any    `json:"relayfee"`
		IncrementalFee  any    `json:"incrementalfee"`
		LocalAddresses  []any  `json:"localaddresses"`
		Warnings        string `json:"warnings"`
	}{
		Version: 260200, SubVersion: "/causeway-devnet:btcd-0.26.2/", ProtocolVersion: wire.ProtocolVersion,
		LocalRelay: true, Networks: []any{}, LocalAddresses: []any{},
		RelayFee: k.v.amount(k.c.params.Fees.Relay), IncrementalFee: k.v.amount(k.c.params.Fees.Relay),
	}, nil
}

type tipJSON struct {
	Height    int32  `json:"height"`
	Hash      string `json:"hash"`
	BranchLen int32  `json:"branchlen"`
	Status    string `json:"status"`
}

func getChainTips(k *call) (any, error) {
	tips := []tipJSON{{k.v.best, k.v.tip.String(), 0, "active"}}
	for _, tip := range k.c.chain.ChainTips() {
		if tip.Status != blockchain.StatusActive {
			tips = append(tips, tipJSON{tip.Height, tip.BlockHash.String(), tip.BranchLen, tip.Status.String()})
		}
	}
	slices.SortFunc(tips, func(a, b tipJSON) int {
		return cmp.Or(cmp.Compare(b.Height, a.Height), cmp.Compare(a.BranchLen, b.BranchLen), cmp.Compare(a.Hash, b.Hash))
	})
	return tips, nil
}
