package ethereum

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"causeway/chains"
	"causeway/chains/ethereum/erc20test"
)

// object is what JSON holds, numbers as json.Number.
type object = map[string]any

// bend changes what an honest node answers to a method.
type bend func(method string, result any) any

// liar serves the answers of an honest node, bent.
func liar(t testing.TB, honest string, lie bend) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request, _ := io.ReadAll(r.Body)
		response, err := http.Post(honest, "application/json", bytes.NewReader(request))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer response.Body.Close()
		d := json.NewDecoder(response.Body)
		d.UseNumber()
		var answer, asked any
		if d.Decode(&answer) != nil || json.Unmarshal(request, &asked) != nil {
			http.Error(w, "no JSON", http.StatusBadGateway)
			return
		}
		if list, ok := answer.([]any); ok {
			for i := range list {
				bendOne(asked.([]any)[i].(object), list[i].(object), lie)
			}
			answer = lie("batch", list)
		} else {
			bendOne(asked.(object), answer.(object), lie)
		}
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "http://", "http://hidd3n:s3cret@", 1)
}

func bendOne(request, reply object, lie bend) {
	if result, ok := reply["result"]; ok {
		reply["result"] = lie(request["method"].(string), result)
	}
}

// about bends one method alone.
func about(method string, change func(result any) any) bend {
	return func(m string, result any) any {
		if m != method {
			return result
		}
		return change(result)
	}
}

// field replaces a field of an object.
func field(name string, value any) func(any) any {
	return func(result any) any {
		result.(object)[name] = value
		return result
	}
}

// first changes the first object of a list.
func first(change func(any) any) func(any) any {
	return func(result any) any {
		list := result.([]any)
		list[0] = change(list[0])
		return list
	}
}

// in changes what is in a field.
func in(name string, change func(any) any) func(any) any {
	return func(result any) any {
		o := result.(object)
		o[name] = change(o[name])
		return o
	}
}

// instead gives another answer.
func instead(value any) func(any) any { return func(any) any { return value } }

const (
	hash32 = "0x1111111111111111111111111111111111111111111111111111111111111111"
	word31 = "0x00000000000000000000000000000000000000000000000000000000000005"
	word64 = "0x00000000000000000000000000000000000000000000000000000000000000050000000000000000000000000000000000000000000000000000000000000005"
)

// TestBlockLies: whatever a node changes about a block is found (scenarios 15, 35
// and 38), and said to be a bad block or unknown, never that there is none.
func TestBlockLies(t *testing.T) {
	w := newDevnet(t)
	w.invoke(0, w.token, 0, TransferCall(account(1), NewWei(5)))
	w.pay(1, account(1), 7)
	w.invoke(2, w.token, 0, erc20test.Transfer(account(1), NewWei(5).Big())) // fails
	w.mine(1)
	hash := mustHash(t, w.head(Latest).Hash)
	var other any
	w.call(&other, "eth_getBlockByNumber", "0x1", true)
	const block, receipts = "eth_getBlockByHash", "eth_getBlockReceipts"
	log := func(change func(any) any) func(any) any { return first(in("logs", first(change))) }
	for name, test := range map[string]struct {
		lie  bend
		want error
	}{
		"no receipts":          {about(receipts, instead([]any{})), chains.ErrBadBlock},
		"null receipts":        {about(receipts, instead(nil)), nil},
		"one receipt missing":  {about(receipts, func(r any) any { return r.([]any)[1:] }), chains.ErrBadBlock},
		"one receipt twice":    {about(receipts, func(r any) any { return append(r.([]any)[:1:1], r.([]any)[:2]...) }), chains.ErrBadBlock},
		"receipts swapped":     {about(receipts, func(r any) any { l := r.([]any); l[0], l[1] = l[1], l[0]; return l }), chains.ErrBadBlock},
		"no log":               {about(receipts, first(field("logs", []any{}))), chains.ErrBadBlock},
		"logs null":            {about(receipts, first(field("logs", nil))), chains.ErrBadBlock},
		"log removed":          {about(receipts, log(field("removed", true))), chains.ErrBadBlock},
		"log of another":       {about(receipts, log(field("address", account(9)))), chains.ErrBadBlock},
		"two topics":           {about(receipts, log(in("topics", func(r any) any { return r.([]any)[:2] }))), chains.ErrBadBlock},
		"four topics":          {about(receipts, log(in("topics", func(r any) any { return append(r.([]any), hash32) }))), chains.ErrBadBlock},
		"31 bytes":             {about(receipts, log(field("data", word31))), chains.ErrBadBlock},
		"64 bytes":             {about(receipts, log(field("data", word64))), chains.ErrBadBlock},
		"no data":              {about(receipts, log(field("data", "0x"))), chains.ErrBadBlock},
		"failure succeeds":     {about(receipts, func(r any) any { r.([]any)[2].(object)["status"] = "0x1"; return r }), chains.ErrBadBlock},
		"success fails":        {about(receipts, first(field("status", "0x0"))), chains.ErrBadBlock},
		"status 2":             {about(receipts, first(field("status", "0x2"))), chains.ErrBadBlock},
		"no status":            {about(receipts, first(field("status", nil))), chains.ErrBadBlock},
		"float gas":            {about(receipts, first(field("cumulativeGasUsed", 21000.5))), chains.ErrBadBlock},
		"no gas":               {about(receipts, first(field("cumulativeGasUsed", nil))), chains.ErrBadBlock},
		"receipt of another":   {about(receipts, first(field("transactionHash", hash32))), chains.ErrBadBlock},
		"receipt of a type":    {about(receipts, first(field("type", "0x1"))), chains.ErrBadBlock},
		"receipts as text":     {about(receipts, instead("0x")), chains.ErrBadBlock},
		"receipt null":         {about(receipts, first(instead(nil))), chains.ErrBadBlock},
		"block null":           {about(block, instead(nil)), nil},
		"another block":        {about(block, instead(other)), chains.ErrBadBlock},
		"another hash":         {about(block, field("hash", hash32)), chains.ErrBadBlock},
		"no hash":              {about(block, field("hash", nil)), chains.ErrBadBlock},
		"another state":        {about(block, field("stateRoot", hash32)), chains.ErrBadBlock},
		"another parent":       {about(block, field("parentHash", hash32)), chains.ErrBadBlock},
		"another time":         {about(block, field("timestamp", "0x1")), chains.ErrBadBlock},
		"float time":           {about(block, field("timestamp", 1.5)), chains.ErrBadBlock},
		"new header field":     {about(block, field("slotNumber", "0x7")), chains.ErrBadBlock},
		"no transactions":      {about(block, field("transactions", []any{})), chains.ErrBadBlock},
		"hashes only":          {about(block, field("transactions", []any{hash32})), chains.ErrBadBlock},
		"null transaction":     {about(block, in("transactions", first(instead(nil)))), chains.ErrBadBlock},
		"unknown type":         {about(block, in("transactions", first(field("type", "0x7f")))), chains.ErrBadBlock},
		"another value":        {about(block, in("transactions", first(field("value", "0x99")))), chains.ErrBadBlock},
		"float value":          {about(block, in("transactions", first(field("value", 0.5)))), chains.ErrBadBlock},
		"another payee":        {about(block, in("transactions", first(field("to", account(9))))), chains.ErrBadBlock},
		"invented withdrawal":  {about(block, field("withdrawals", []any{object{"index": "0x0", "validatorIndex": "0x0", "address": account(1), "amount": "0x1"}})), chains.ErrBadBlock},
		"null withdrawal":      {about(block, field("withdrawals", []any{nil})), chains.ErrBadBlock},
		"block as text":        {about(block, instead("0x")), chains.ErrBadBlock},
		"block as a number":    {about(block, instead(5)), chains.ErrBadBlock},
		"block as a list":      {about(block, instead([]any{})), chains.ErrBadBlock},
		"another chain":        {about("eth_chainId", instead("0x1")), chains.ErrWrongNetwork},
		"chain id of a number": {about("eth_chainId", instead(31337)), chains.ErrUnavailable},
		"version of a number":  {about("web3_clientVersion", instead(7)), chains.ErrUnavailable},
	} {
		b, err := w.open(1, liar(t, w.url, test.lie)).Block(t.Context(), hash)
		if err == nil || test.want != nil && !errors.Is(err, test.want) || errors.Is(err, chains.ErrNotFound) {
			t.Errorf("%s: %+v, %v; want %v", name, b, err, test.want)
		}
		if err != nil && (strings.Contains(err.Error(), "s3cret") || len(err.Error()) > 1000) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What nothing proves is what the node likes: the sender is only told.
	from := about(block, in("transactions", first(field("from", account(9)))))
	b := must[*Block](t)(w.open(1, liar(t, w.url, from)).Block(t.Context(), hash))
	if got, err := b.Transactions[0].Sender(); err != nil || got != w.rich[0] || b.Transactions[0].From != account(9) {
		t.Errorf("signed by %s, %v, said to be of %s", got, err, b.Transactions[0].From)
	}
}

// TestStateLies: malformed answers about accounts, heads and fees are unknown.
func TestStateLies(t *testing.T) {
	w := newDevnet(t)
	w.mine(3)
	hash := mustHash(t, w.head(Latest).Hash)
	accounts := []Address{account(1), account(2)}
	balances := func(q *Quorum) error {
		_, err := q.Balances(t.Context(), hash, accounts)
		return err
	}
	nonces := func(q *Quorum) error {
		_, err := q.Nonces(t.Context(), hash, accounts)
		return err
	}
	units := func(q *Quorum) error {
		_, err := q.TokenBalances(t.Context(), hash, w.token, accounts)
		return err
	}
	token := func(q *Quorum) error {
		_, err := q.Token(t.Context(), hash, w.token)
		return err
	}
	head := func(q *Quorum) error {
		_, err := q.Head(t.Context(), Latest)
		return err
	}
	height := func(q *Quorum) error {
		_, err := q.HeaderAt(t.Context(), 2)
		return err
	}
	market := func(q *Quorum) error {
		_, err := q.Market(t.Context())
		return err
	}
	lookup := func(q *Quorum) error {
		_, err := q.Lookup(t.Context(), Hash{1})
		return err
	}
	var other any
	w.call(&other, "eth_getBlockByNumber", "0x1", false)
	over := "0x1" + strings.Repeat("0", 64)
	half := about("batch", func(r any) any { return r.([]any)[:1] })
	for name, test := range map[string]struct {
		ask func(*Quorum) error
		lie bend
	}{
		"balance a number":        {balances, about("eth_getBalance", instead(5))},
		"balance a float":         {balances, about("eth_getBalance", instead(1.5))},
		"balance a float text":    {balances, about("eth_getBalance", instead("0x1.8"))},
		"balance decimal":         {balances, about("eth_getBalance", instead("5"))},
		"balance negative":        {balances, about("eth_getBalance", instead("-0x5"))},
		"balance empty":           {balances, about("eth_getBalance", instead("0x"))},
		"balance null":            {balances, about("eth_getBalance", instead(nil))},
		"balance beyond 256 bits": {balances, about("eth_getBalance", instead(over))},
		"balance huge":            {balances, about("eth_getBalance", instead("0x"+strings.Repeat("f", 2<<20)))},
		"half a batch":            {balances, half},
		"half a batch of calls":   {units, half},
		"no batch":                {balances, about("batch", instead(object{"result": "0x1"}))},
		"nonce beyond 64 bits":    {nonces, about("eth_getTransactionCount", instead("0x1"+strings.Repeat("0", 16)))},
		"units of 31 bytes":       {units, about("eth_call", instead(word31))},
		"units of 64 bytes":       {units, about("eth_call", instead(word64))},
		"units empty":             {units, about("eth_call", instead("0x"))},
		"decimals beyond 77":      {token, about("eth_call", instead("0x"+strings.Repeat("0", 62)+"4e"))},
		"decimals empty":          {token, about("eth_call", instead("0x"))},
		"head null":               {head, about("eth_getBlockByNumber", instead(nil))},
		"head of another hash":    {head, about("eth_getBlockByNumber", field("hash", hash32))},
		"head huge":               {head, about("eth_getBlockByNumber", field("hash", strings.Repeat("f", maxHeaderAnswer)))},
		"catching up":             {head, about("eth_syncing", instead(object{"currentBlock": "0x1"}))},
		"half a head":             {head, half},
		"another height":          {height, about("eth_getBlockByNumber", instead(other))},
		"header of another hash":  {height, about("eth_getBlockByNumber", field("hash", hash32))},
		"no fees":                 {market, about("eth_feeHistory", instead(object{}))},
		"no tips":                 {market, about("eth_feeHistory", field("reward", nil))},
		"tips a float":            {market, about("eth_feeHistory", field("reward", []any{[]any{1.5}}))},
		"base fee missing":        {market, about("eth_feeHistory", field("baseFeePerGas", []any{"0x1"}))},
		"receipt of another":      {lookup, about("eth_getTransactionReceipt", instead(object{"transactionHash": hash32, "blockHash": hash32}))},
		"receipt of no block":     {lookup, about("eth_getTransactionReceipt", instead(object{"transactionHash": Hash{1}, "blockHash": nil}))},
		"receipt of unknown":      {lookup, about("eth_getTransactionReceipt", instead(object{"transactionHash": Hash{1}, "blockHash": hash32}))},
		"receipt of this block":   {lookup, about("eth_getTransactionReceipt", instead(object{"transactionHash": Hash{1}, "blockHash": hash}))},
	} {
		if err := test.ask(w.open(1, w.url)); err != nil {
			t.Errorf("%s: the honest node: %v", name, err)
		}
		if err := test.ask(w.open(1, liar(t, w.url, test.lie))); err == nil || errors.Is(err, chains.ErrNotFound) || len(err.Error()) > 1000 {
			t.Errorf("%s: %.1000v", name, err)
		}
	}
}

// TestQuorum: of three nodes one may say what it likes, or nothing; two may not,
// and the number that must agree never falls (scenarios 39 and 40).
func TestQuorum(t *testing.T) {
	w := newDevnet(t)
	tx := w.pay(0, account(1), 7)
	w.mine(3)
	hash, payer := mustHash(t, w.head(Latest).Hash), w.sign(w.transfer(1000, account(1), NewWei(1), nil))
	var elsewhere object
	w.call(&elsewhere, "eth_getBlockByNumber", "0x1", false)
	ask := map[string]func(*Quorum) error{
		"balance": func(q *Quorum) error {
			list, err := q.Balances(t.Context(), hash, []Address{account(1)})
			if err == nil && list[0] != NewWei(7) {
				t.Errorf("balance %s", list[0])
			}
			return err
		},
		"head": func(q *Quorum) error {
			h, err := q.Head(t.Context(), Latest)
			if err == nil && h.Hash != hash.String() {
				t.Errorf("head %v", h)
			}
			return err
		},
		"height": func(q *Quorum) error {
			h, err := q.HeaderAt(t.Context(), 4)
			if err == nil && h.Hash != hash.String() {
				t.Errorf("block %v", h)
			}
			return err
		},
		"lookup": func(q *Quorum) error {
			s, err := q.Lookup(t.Context(), tx)
			if err == nil && (s.State != InBlock || s.Mined.Value != NewWei(7)) {
				t.Errorf("transaction %+v", s)
			}
			return err
		},
		"market": func(q *Quorum) error { _, err := q.Market(t.Context()); return err },
		"gas": func(q *Quorum) error {
			_, err := q.Gas(t.Context(), w.rich[0], payer.Transaction)
			return err
		},
	}
	lies := map[string]string{
		"balance": liar(t, w.url, about("eth_getBalance", instead("0x99"))),
		"head":    liar(t, w.url, about("eth_getBlockByNumber", field("hash", hash32))),
		"height":  liar(t, w.url, about("eth_getBlockByNumber", instead(elsewhere))),
		"lookup":  liar(t, w.url, about("eth_getTransactionReceipt", instead(nil))),
		"market":  liar(t, w.url, about("eth_feeHistory", instead(nil))),
		"gas":     liar(t, w.url, about("eth_getCode", instead("0x00"))),
		"down":    "http://127.0.0.1:1",
	}
	honest := liar(t, w.url, func(_ string, r any) any { return r })
	for name, question := range ask {
		for _, bad := range []string{lies[name], lies["down"]} {
			q := w.open(2, w.url, bad, honest)
			if err := question(q); err != nil {
				t.Errorf("%s, one of three lies: %v", name, err)
			}
			if err := question(w.open(2, bad, w.url, lies["down"])); !errors.Is(err, chains.ErrNoQuorum) {
				t.Errorf("%s, two of three lie: %v", name, err)
			}
		}
	}
	if _, err := Open([]string{w.url, honest}, 1, Options{ChainID: testChainID}); err == nil {
		t.Error("half of the nodes are enough")
	}

	// A node that lags keeps the others' head from nobody, and two of three have the
	// head of the lower one.
	behind := liar(t, w.url, about("eth_getBlockByNumber", instead(elsewhere)))
	if err := ask["head"](w.open(2, behind, w.url, honest)); err != nil {
		t.Error(err)
	}
	if h, err := w.open(2, behind, w.url, lies["down"]).Head(t.Context(), Latest); err != nil || h.Height != 1 {
		t.Errorf("head %v, %v", h, err)
	}

	// A node on another branch is known by it.
	header := *must[*Block](t)(w.quorum.Block(t.Context(), hash)).header
	header.Extra = []byte("fork")
	text := must[[]byte](t)(json.Marshal(&header))
	var fork object
	if err := json.Unmarshal(text, &fork); err != nil {
		t.Fatal(err)
	}
	q := w.open(2, w.url, liar(t, w.url, about("eth_getBlockByNumber", func(r any) any {
		if r.(object)["number"] == "0x4" {
			return fork
		}
		return r
	})), honest)
	if _, err := q.HeaderAt(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	for !outvoted(q) { // who is late is heard all the same
		if err := ask["height"](q); err != nil {
			t.Fatal(err)
		}
	}
	if list := q.Health(); list[1].OK || !list[1].Outvoted || !list[0].OK || list[0].Height != 0 && list[0].Height != 4 || list[0].Network != chains.Regtest || list[0].Version == "" {
		t.Errorf("%+v", list)
	}
}

func outvoted(q *Quorum) bool {
	for _, h := range q.Health() {
		if h.Outvoted {
			return true
		}
	}
	return false
}

// TestBadBlockOfOne: one node's bad block is not the chain's, even when the others
// are gone.
func TestBadBlockOfOne(t *testing.T) {
	w := newDevnet(t)
	hash := mustHash(t, w.head(Latest).Hash)
	bad := liar(t, w.url, about("eth_getBlockReceipts", instead([]any{})))
	const down = "http://127.0.0.1:1"
	if _, err := w.open(2, bad, down, w.url).Block(t.Context(), hash); err != nil {
		t.Errorf("an honest node is left: %v", err)
	}
	if _, err := w.open(2, bad, down, down).Block(t.Context(), hash); err == nil || errors.Is(err, chains.ErrBadBlock) {
		t.Errorf("one of three: %v", err)
	}
	if _, err := w.open(2, bad, down, bad).Block(t.Context(), hash); !errors.Is(err, chains.ErrBadBlock) {
		t.Errorf("two of three: %v", err)
	}
}
