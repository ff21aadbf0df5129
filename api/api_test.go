package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"causeway/sidechain"
	"causeway/sidechain/base"
	"causeway/sidechain/base/solo"
	"causeway/sidechain/contract"
	"causeway/sidechain/contracts/resourcemanager"
	"causeway/sidechain/contracts/tokens"
	"causeway/sidechain/graphene"
	"causeway/sidechain/state"
)

// testNode is a real engine and sequencer behind the handlers, without a
// gateway.
type testNode struct {
	t         *testing.T
	url       string
	chainID   [32]byte
	sequencer *solo.Sequencer
	engine    *sidechain.Engine
	server    *Server
}

func key(t *testing.T, account, role string) graphene.PrivateKey {
	t.Helper()
	k, err := graphene.LoginKey(account, role, "test")
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func startNode(t *testing.T, options ...func(*Config)) *testNode {
	t.Helper()
	account := func(name string) sidechain.GenesisAccount {
		public := func(role string) string { return key(t, name, role).Public().String() }
		return sidechain.GenesisAccount{Name: name, Owner: public("owner"), Active: public("active"), Posting: public("posting"), Memo: public("memo"), Base: "10.000 HIVE", Tokens: map[string]string{"BEE": "1000"}}
	}
	g := &sidechain.Genesis{
		Format: sidechain.GenesisFormat, ChainID: "api-test", Timestamp: "2026-01-01T00:00:00", Network: "regtest",
		Profile:   sidechain.Profile{UtilityToken: "BEE", NativePeg: "SWAP.HIVE", BaseCoin: "HIVE", AddressPrefix: "STM"},
		Sequencer: key(t, "sequencer", "active").Public().String(), Admin: "admin", Reserved: []string{"null"},
		Accounts: []sidechain.GenesisAccount{account("admin"), account("alice"), account("bob")},
		Pegs:     sidechain.GenesisPegs{Attestors: []string{"admin"}, Threshold: 1, FeeAccount: "pegfees", Gate: "peg"},
		Keys:     []sidechain.GenesisKey{}, Assets: []sidechain.GenesisAsset{}, Switches: map[string]bool{},
		Params: sidechain.GenesisParams{AccountFee: "1.000 HIVE", MaxBlockTransactions: 50, TokenCreationFee: "100", EnableStakingFee: "100", EnableDelegationFee: "100"},
	}
	document, err := g.Encode()
	if err != nil {
		t.Fatal(err)
	}
	n := &testNode{t: t, chainID: sidechain.BaseChainID(document)}
	contracts := []contract.Contract{tokens.New(), resourcemanager.New()}
	machine, err := solo.NewMachine(solo.MachineConfig{Genesis: g, ChainID: n.chainID, ContractNames: []string{"tokens", "resourcemanager"}})
	if err != nil {
		t.Fatal(err)
	}
	db, err := state.Open("")
	if err != nil {
		t.Fatal(err)
	}
	engine, err := sidechain.OpenEngine(sidechain.EngineConfig{Genesis: g, GenesisBytes: document, DB: db, Contracts: contracts, Machine: machine})
	if err != nil {
		t.Fatal(err)
	}
	store, err := solo.OpenStore(filepath.Join(t.TempDir(), "base.db"), n.chainID, solo.StoreOptions{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	n.sequencer, err = solo.New(t.Context(), solo.Config{
		Machine: machine, Store: store, State: db, Executor: engine, NoGapRule: true, Interval: 20 * time.Millisecond, AccountsOpen: true,
		Signer: solo.KeySigner{Key: key(t, "sequencer", "active"), ChainID: n.chainID},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- n.sequencer.Run(ctx) }()
	config := Config{Version: "test", ChainID: "api-test", BaseChainID: strings.Repeat("ab", 32), Chain: engine, Base: n.sequencer, Log: slog.New(slog.DiscardHandler)}
	for _, option := range options {
		option(&config)
	}
	n.engine, n.server = engine, New(config)
	web := httptest.NewServer(prompt(n.server.Handler()))
	n.url = web.URL
	t.Cleanup(func() {
		web.Close()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		engine.Close()
		store.Close()
	})
	return n
}

// do sends a body and returns status and answer.
func (n *testNode) do(method, path, body string, header ...string) (int, string, http.Header) {
	n.t.Helper()
	req, err := http.NewRequest(method, n.url+path, strings.NewReader(body))
	if err != nil {
		n.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		n.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		n.t.Fatal(err)
	}
	return res.StatusCode, string(bytes.TrimSpace(text)), res.Header
}

// sign makes a transaction on the newest block.
func (n *testNode) sign(k graphene.PrivateKey, ops ...graphene.Operation) *graphene.SignedTransaction {
	n.t.Helper()
	p := n.sequencer.Properties()
	id, err := graphene.ParseBlockID(p.HeadBlockID)
	if err != nil {
		n.t.Fatal(err)
	}
	now, err := time.Parse(base.TimeLayout, p.Time)
	if err != nil {
		n.t.Fatal(err)
	}
	prefix := id[4:8]
	tx := graphene.Transaction{
		RefBlockNum: uint16(p.HeadBlockNumber), RefBlockPrefix: uint32(prefix[0]) | uint32(prefix[1])<<8 | uint32(prefix[2])<<16 | uint32(prefix[3])<<24,
		Expiration: now.Add(time.Minute).Format(base.TimeLayout), Operations: ops,
	}
	signed, err := tx.Sign(n.chainID, k)
	if err != nil {
		n.t.Fatal(err)
	}
	return signed
}

func (n *testNode) hive(method string, params ...any) (result json.RawMessage, code int, message string) {
	n.t.Helper()
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": "0", "method": method, "params": params})
	if err != nil {
		n.t.Fatal(err)
	}
	status, text, _ := n.do("POST", "/hive", string(body), "Content-Type", "text/plain;charset=UTF-8")
	var answer struct {
		ID     string
		Result json.RawMessage
		Error  *struct {
			Code    int
			Message string
		}
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil || status != 200 || answer.ID != "0" {
		n.t.Fatalf("%s: HTTP %d %s (%v)", method, status, text, err)
	}
	if answer.Error != nil {
		return nil, answer.Error.Code, answer.Error.Message
	}
	return answer.Result, 0, ""
}

func transferJSON(quantity string) string {
	return `{"contractName":"tokens","contractAction":"transfer","contractPayload":{"symbol":"BEE","to":"bob","quantity":"` + quantity + `"}}`
}

func (n *testNode) transfer(quantity string) string {
	n.t.Helper()
	tx := n.sign(key(n.t, "alice", "active"), &graphene.CustomJSON{RequiredAuths: []string{"alice"}, RequiredPostingAuths: []string{}, ID: "ssc-api-test", JSON: transferJSON(quantity)})
	result, _, message := n.hive("condenser_api.broadcast_transaction_synchronous", tx)
	if message != "" {
		n.t.Fatal(message)
	}
	var receipt struct{ ID string }
	if err := json.Unmarshal(result, &receipt); err != nil || receipt.ID != tx.ID() {
		n.t.Fatalf("%s %v", result, err)
	}
	return receipt.ID
}
