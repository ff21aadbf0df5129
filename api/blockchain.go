package api

import (
	"net/http"

	"causeway/sidechain/jsvalue"
)

// maxBlockRange is the most blocks that one getBlockRangeInfo answers.
const maxBlockRange = 1000

// blockchainMethods are the methods of POST /blockchain (peer specification
// 6.2).
func (s *Server) blockchainMethods() map[string]method {
	return map[string]method{
		"getLatestBlockInfo":      s.getLatestBlockInfo,
		"getBlockInfo":            s.getBlockInfo,
		"getBlockInfoByHiveBlock": s.getBlockInfoByHiveBlock,
		"getBlockRangeInfo":       s.getBlockRangeInfo,
		"getTransactionInfo":      s.getTransactionInfo,
		"getStatus":               s.getStatus,
	}
}

func (s *Server) getLatestBlockInfo(*http.Request, jsvalue.Value) (jsvalue.Value, error) {
	return s.blockDocument(s.chain.Head().Block), nil
}

// blockDocument is a block as it is stored, or null.
func (s *Server) blockDocument(number uint64) jsvalue.Value {
	text, ok := s.chain.DB().Block(number)
	if !ok {
		return nil
	}
	return rawJSON(text)
}

func (s *Server) getBlockInfo(_ *http.Request, params jsvalue.Value) (jsvalue.Value, error) {
	p, err := needParams(params)
	if err != nil {
		return nil, err
	}
	n, ok := wholeNumber(p.Get("blockNumber"))
	if !ok {
		return nil, badParameters("missing or wrong parameters: blockNumber is required")
	}
	return s.blockDocument(n), nil
}

func (s *Server) getBlockInfoByHiveBlock(_ *http.Request, params jsvalue.Value) (jsvalue.Value, error) {
	p, err := needParams(params)
	if err != nil {
		return nil, err
	}
	n, ok := wholeNumber(p.Get("hiveBlockNumber"))
	if !ok {
		return nil, badParameters("missing or wrong parameters: hiveBlockNumber is required")
	}
	return orNull(s.chain.BlockByRef(n)), nil
}

func (s *Server) getBlockRangeInfo(_ *http.Request, params jsvalue.Value) (jsvalue.Value, error) {
	p, err := needParams(params)
	if err != nil {
		return nil, err
	}
	start, ok := wholeNumber(p.Get("startBlockNumber"))
	if !ok {
		return nil, badParameters("missing or wrong parameters: startBlockNumber is required")
	}
	count, ok := wholeNumber(p.Get("count"))
	if !ok {
		return nil, badParameters("missing or wrong parameters: count is required")
	}
	if count > maxBlockRange {
		return nil, badParameters("count can not be over 1000")
	}
	return blockList(start, count, func(n uint64) (rawJSON, error) {
		text, _ := s.chain.DB().Block(n)
		return text, nil
	})
}

// blockList is the JSON array of the blocks from start on: count of them, or as
// many as there are and as maxRangeBytes allow, but one at least.
func blockList(start, count uint64, block func(uint64) (rawJSON, error)) (rawJSON, error) {
	list := rawJSON("[")
	for n := start; n < start+count && len(list) < maxRangeBytes; n++ {
		text, err := block(n)
		if err != nil {
			return nil, err
		}
		if text == nil {
			break
		}
		if n > start {
			list = append(list, ',')
		}
		list = append(list, text...)
	}
	return append(list, ']'), nil
}

func (s *Server) getTransactionInfo(_ *http.Request, params jsvalue.Value) (jsvalue.Value, error) {
	p, err := needParams(params)
	if err != nil {
		return nil, err
	}
	id, ok := p.String("txid")
	if !ok || id == "" {
		return nil, badParameters("missing or wrong parameters: txid is required")
	}
	return s.chain.Transaction(id), nil
}

func (s *Server) getStatus(*http.Request, jsvalue.Value) (jsvalue.Value, error) {
	return s.status(), nil
}

// status is the peer's status document, also the answer to GET /.
func (s *Server) status() *jsvalue.Object {
	head := s.chain.Head()
	return jsvalue.NewObject(
		"lastBlockNumber", float64(head.Block),
		"lastBlockRefHiveBlockNumber", float64(head.BlockRef),
		"lastHash", head.Hash,
		"lastParsedHiveBlockNumber", float64(head.RefBlock),
		"SSCnodeVersion", s.version,
		"domain", nil,
		"chainId", s.chainID,
		"disabledMethods", jsvalue.NewObject("blockchain", []jsvalue.Value{}, "contracts", []jsvalue.Value{}),
		"lightNode", false,
	)
}
