package evm

import (
	"bytes"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"causeway/chains/devnet/kit"
)

// lists are the methods whose empty answer is a list.
var lists = map[string]bool{"eth_getLogs": true, "eth_getBlockReceipts": true, "eth_accounts": true}

// acts says that a method changes the chain: no fault bends it.
func acts(method string) bool {
	namespace, _, _ := strings.Cut(method, "_")
	return namespace == "evm" || namespace == "anvil" || namespace == "hardhat" ||
		method == "eth_sendTransaction" || method == "eth_sendRawTransaction"
}

// bend answers a request honestly and then changes the results in the answer.
func (s *server) bend(w http.ResponseWriter, r *http.Request, fault kit.Fault) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "content length too large", http.StatusRequestEntityTooLarge)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	honest := &recorder{header: http.Header{}, status: http.StatusOK}
	s.rpc.ServeHTTP(honest, r)
	answer := honest.body.Bytes()
	if honest.status == http.StatusOK {
		answer = bendAnswer(answer, methodsByID(body), fault)
	}
	honest.header.Del("Content-Length")
	for name, values := range honest.header {
		w.Header()[name] = values
	}
	w.WriteHeader(honest.status)
	_, _ = w.Write(answer) // the client is gone
}

// recorder keeps an answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header            { return r.header }
func (r *recorder) WriteHeader(status int)         { r.status = status }
func (r *recorder) Write(data []byte) (int, error) { return r.body.Write(data) }

// call is what bend must know of a request.
type call struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
}

// methodsByID reads a request or a batch.
func methodsByID(body []byte) map[string]string {
	var calls []call
	if json.Unmarshal(body, &calls) != nil {
		var one call
		if json.Unmarshal(body, &one) != nil {
			return nil
		}
		calls = []call{one}
	}
	methods := map[string]string{}
	for _, c := range calls {
		methods[string(c.ID)] = c.Method
	}
	return methods
}

// bendAnswer changes an answer or a list of them. What cannot be read stays.
func bendAnswer(answer []byte, methods map[string]string, fault kit.Fault) []byte {
	var batch []map[string]json.RawMessage
	single := json.Unmarshal(answer, &batch) != nil
	if single {
		var one map[string]json.RawMessage
		if json.Unmarshal(answer, &one) != nil {
			return answer
		}
		batch = []map[string]json.RawMessage{one}
	}
	for _, response := range batch {
		method, known := methods[string(response["id"])]
		if !known || acts(method) {
			continue
		}
		bendResult(response, method, fault)
	}
	var out []byte
	var err error
	if single {
		out, err = json.Marshal(batch[0])
	} else {
		out, err = json.Marshal(batch)
	}
	if err != nil {
		return answer
	}
	return out
}

func bendResult(response map[string]json.RawMessage, method string, fault kit.Fault) {
	if fault == kit.FaultEmpty {
		delete(response, "error")
		response["result"] = json.RawMessage("null")
		if lists[method] {
			response["result"] = json.RawMessage("[]")
		}
		return
	}
	var result any
	if response["result"] == nil || json.Unmarshal(response["result"], &result) != nil {
		return
	}
	if text, err := json.Marshal(floats(result, numeric(method))); err == nil {
		response["result"] = text
	}
}

// numeric says whether the result of a method itself is a number.
func numeric(method string) bool {
	switch method {
	case "eth_blockNumber", "eth_chainId", "eth_getBalance", "eth_getTransactionCount", "eth_gasPrice", "eth_maxPriorityFeePerGas", "eth_estimateGas":
		return true
	}
	return false
}

// numbers are the members of answers that hold a quantity.
var numbers = map[string]bool{
	"number": true, "timestamp": true, "gasLimit": true, "gasUsed": true, "baseFeePerGas": true, "size": true, "difficulty": true,
	"blobGasUsed": true, "excessBlobGas": true, "blockNumber": true, "blockTimestamp": true, "transactionIndex": true, "logIndex": true,
	"gas": true, "gasPrice": true, "maxFeePerGas": true, "maxPriorityFeePerGas": true, "value": true, "nonce": true, "type": true, "chainId": true,
	"cumulativeGasUsed": true, "effectiveGasPrice": true, "status": true, "oldestBlock": true, "pending": true, "queued": true,
}

var quantity = regexp.MustCompile(`^0x(0|[1-9a-f][0-9a-f]*)$`)

// floats turns quantities into JSON floats, which do not hold 18 decimals.
func floats(v any, isNumber bool) any {
	switch v := v.(type) {
	case string:
		if n, ok := new(big.Int).SetString(strings.TrimPrefix(v, "0x"), 16); isNumber && ok && quantity.MatchString(v) {
			f, _ := new(big.Float).SetInt(n).Float64()
			return json.RawMessage(strconv.FormatFloat(f, 'e', -1, 64))
		}
	case []any:
		for i := range v {
			v[i] = floats(v[i], isNumber)
		}
	case map[string]any:
		for name := range v {
			v[name] = floats(v[name], numbers[name])
		}
	}
	return v
}
