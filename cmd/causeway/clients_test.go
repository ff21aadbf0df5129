package main

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"causeway/sidechain/base"
	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
)

// clientDir holds sign.js and, after npm ci, the client libraries.
const clientDir = "../../api/clienttest"

// nodeJS is the path of node, once the client libraries are installed. When
// they are missing the test is skipped, or fails under CAUSEWAY_REQUIRE_NODES=1.
func nodeJS(t *testing.T, libraries ...string) string {
	t.Helper()
	missing := ""
	path, err := exec.LookPath("node")
	if err != nil {
		missing = "no node in PATH"
	}
	for _, library := range libraries {
		if _, err := os.Stat(filepath.Join(clientDir, "node_modules", library)); err != nil {
			missing = library + " is not installed: run npm ci --ignore-scripts in api/clienttest"
		}
	}
	switch {
	case missing == "":
	case os.Getenv("CAUSEWAY_REQUIRE_NODES") == "1":
		t.Fatal(missing)
	default:
		t.Skip(missing)
	}
	return path
}

// TestClientLibraries signs and broadcasts with libraries that are not ours.
func TestClientLibraries(t *testing.T) {
	t.Parallel()
	node := nodeJS(t, "dsteem", "@hiveio/dhive")
	home := t.TempDir()
	p := serveDev(t, home)
	held := jsvalue.BigInt(10000)
	for _, library := range []string{"dsteem", "dhive"} {
		out := signWith(t, node, library, filepath.Join(home, runningFile))
		var result struct {
			Library, ID, Logs string
			Block             uint64
		}
		must(t, json.Unmarshal(out, &result))
		var logs struct {
			Errors []string
			Events []struct{ Event string }
		}
		must(t, json.Unmarshal([]byte(result.Logs), &logs))
		if result.Library != library || result.Block == 0 || len(logs.Errors) != 0 || len(logs.Events) != 1 {
			t.Errorf("%s: %s", library, out)
		}
		held = held.Plus(jsvalue.Big("1.5"))
		p.wantBalance("bob", "BEE", held.ToFixedN(8))

		// The memo came through both codecs unharmed.
		var tx struct {
			Payload string `json:"payload"`
		}
		must(t, p.call(t.Context(), "/blockchain", "getTransactionInfo", map[string]any{"txid": result.ID}, &tx))
		var payload struct{ Memo string }
		must(t, json.Unmarshal([]byte(tx.Payload), &payload))
		if payload.Memo != "h\u00e9llo \U0001F600 <&>" {
			t.Errorf("%s: memo %q", library, payload.Memo)
		}
	}
}

// signWith has a library send 1.5 BEE from alice to bob on the network of a
// running.json, and returns what sign.js printed.
func signWith(t *testing.T, node, library, running string) []byte {
	t.Helper()
	return script(t, node, "sign.js", library, running, "alice", "bob", "BEE", "1.5")
}

// script runs a script of clientDir and returns what it printed.
func script(t *testing.T, node string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), node, args...)
	cmd.Dir = clientDir
	out, err := cmd.Output()
	if err != nil {
		said := ""
		if e, ok := errors.AsType[*exec.ExitError](err); ok {
			said = string(e.Stderr)
		}
		t.Fatalf("%v: %v: %s", args, err, said)
	}
	return out
}

// TestClientOperations has the libraries broadcast every kind of operation.
func TestClientOperations(t *testing.T) {
	t.Parallel()
	node := nodeJS(t, "dsteem", "@hiveio/dhive")
	home := t.TempDir()
	serveDev(t, home)
	balance := map[string]string{"dsteem": "1001.250 HIVE", "dhive": "1002.500 HIVE"}
	for _, library := range []string{"dsteem", "dhive"} {
		var got struct {
			Library, Account, Balance, Body string
			Votes                           int
			IDs                             map[string]string
		}
		out := script(t, node, "ops.js", library, filepath.Join(home, runningFile))
		must(t, json.Unmarshal(out, &got))
		if len(got.IDs) != 6 || got.Account != "new-"+library || got.Balance != balance[library] || got.Body != "k\u00f6rper \U0001F600" || got.Votes != 1 {
			t.Errorf("%s: %s", library, out)
		}
	}
}

// TestClientLibrariesOnRun signs for accounts that init made, on a network with
// the configuration that init wrote.
func TestClientLibrariesOnRun(t *testing.T) {
	t.Parallel()
	node := nodeJS(t, "dsteem", "@hiveio/dhive")
	home := filepath.Join(t.TempDir(), "home")
	key, err := graphene.LoginKey("alice", "active", testPassword)
	must(t, err)
	public := key.Public().String()
	if code, _, stderr := exitOf(t, nil, "init", "--home", home, "--account", "alice="+public, "--account", "bob="+public); code != exitOK {
		t.Fatalf("init: exit %d: %s", code, stderr)
	}
	env := []string{"CAUSEWAY_HTTP_LISTEN=127.0.0.1:0", "CAUSEWAY_HTTP_ADMIN=127.0.0.1:0", "CAUSEWAY_CHAINS_BTC_NODES=http://user:pass@127.0.0.1:1"}
	p := serve(t, home, env, "run", "--home", home)
	if len(p.running.Accounts) != 0 {
		t.Errorf("running.json of a network that is none of development has accounts: %s", show(p.running))
	}
	r := p.running
	r.Accounts = []runningAccount{{Name: "alice", Active: key.WIF()}}
	dir := t.TempDir()
	must(t, r.write(dir))
	signWith(t, node, "dsteem", filepath.Join(dir, runningFile))
	signWith(t, node, "dhive", filepath.Join(dir, runningFile))
	p.wantBalance("bob", "BEE", "10003.00000000")
	// Only the admin makes accounts here.
	one := graphene.Authority{WeightThreshold: 1, KeyAuths: []graphene.KeyAuth{{Key: key.Public(), Weight: 1}}}
	_, err = p.broadcast(t.Context(), key, &graphene.AccountCreate{
		Fee: graphene.Asset{Amount: 3000, Precision: 3, Symbol: "HIVE"}, Creator: "alice", NewAccountName: "mallory",
		Owner: one, Active: one, Posting: one, MemoKey: key.Public(),
	})
	if err == nil || !strings.Contains(err.Error(), "accounts are created by causeway only") {
		t.Errorf("an account made by alice: %v", err)
	}
}

// signTransfer signs a transfer of BEE that expires so long after the head.
func (p *process) signTransfer(from, quantity string, key graphene.PrivateKey, chainID [32]byte, expire time.Duration) *graphene.SignedTransaction {
	p.t.Helper()
	var props struct {
		Number uint32 `json:"head_block_number"`
		ID     string `json:"head_block_id"`
	}
	must(p.t, p.call(p.t.Context(), "/hive", "condenser_api.get_dynamic_global_properties", []any{}, &props))
	id, err := hex.DecodeString(props.ID)
	must(p.t, err)
	body, err := json.Marshal(map[string]any{
		"contractName": "tokens", "contractAction": "transfer",
		"contractPayload": map[string]any{"symbol": "BEE", "to": "bob", "quantity": quantity},
	})
	must(p.t, err)
	tx := graphene.Transaction{
		RefBlockNum: uint16(props.Number), RefBlockPrefix: binary.LittleEndian.Uint32(id[4:8]),
		Expiration: p.baseTime().Add(expire).Format(base.TimeLayout),
		Operations: []graphene.Operation{&graphene.CustomJSON{
			RequiredAuths: []string{from}, RequiredPostingAuths: []string{}, ID: "ssc-" + p.chainID, JSON: string(body),
		}},
	}
	signed, err := tx.Sign(chainID, key)
	must(p.t, err)
	return signed
}

// TestEnvelopes broadcasts in every form in which clients call hived.
func TestEnvelopes(t *testing.T) {
	t.Parallel()
	p := serveDev(t, t.TempDir())
	forms := []struct {
		method string
		params func(tx any) any
	}{
		{"condenser_api.broadcast_transaction", func(tx any) any { return []any{tx} }},
		{"condenser_api.broadcast_transaction_synchronous", func(tx any) any { return []any{tx} }},
		{"condenser_api.broadcast_transaction", func(tx any) any { return map[string]any{"trx": tx} }},
		{"network_broadcast_api.broadcast_transaction", func(tx any) any { return map[string]any{"trx": tx, "max_block_age": -1} }},
		{"call", func(tx any) any { return []any{"condenser_api", "broadcast_transaction_synchronous", []any{tx}} }},
		{"call", func(tx any) any { return []any{"network_broadcast_api", "broadcast_transaction", []any{tx}} }},
	}
	for i, form := range forms {
		tx := p.signTransfer("alice", "0.00000"+fmt.Sprint(100+i), p.key("alice"), p.baseID, time.Minute)
		spelling := []graphene.Form{graphene.Legacy, graphene.Appbase}[i%2]
		text, err := tx.Marshal(spelling)
		must(t, err)
		if err := p.call(t.Context(), "/hive", form.method, form.params(json.RawMessage(text)), nil); err != nil {
			t.Errorf("form %d: %v", i, err)
			continue
		}
		id := tx.ID()
		err = poll(t.Context(), stepWait, func() (bool, error) {
			var info json.RawMessage
			err := p.call(t.Context(), "/blockchain", "getTransactionInfo", map[string]any{"txid": id}, &info)
			return string(info) != "null", err
		})
		if err != nil {
			t.Errorf("form %d: %v", i, err)
		}
		for _, method := range []string{"condenser_api.get_transaction", "transaction_status_api.find_transaction"} {
			var found json.RawMessage
			params := any([]any{id})
			if strings.HasPrefix(method, "transaction") {
				params = map[string]any{"transaction_id": id}
			}
			if err := p.call(t.Context(), "/hive", method, params, &found); err != nil || !strings.Contains(string(found), "block") {
				t.Errorf("%s: %v %s", method, err, found)
			}
		}
	}
	p.wantBalance("bob", "BEE", "10000.00000615")
}
