package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"causeway/sidechain/graphene"
)

// verified runs verify and returns its exit code and what it said.
func verified(t *testing.T, args ...string) (int, string) {
	t.Helper()
	var out bytes.Buffer
	code := run(t.Context(), append([]string{"verify"}, args...), &out, &out)
	return code, out.String()
}

// TestVerify derives a network's blocks again, then changes one thing of each
// kind and must be told.
func TestVerify(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "home")
	stop, err := startDev(t.Context(), devOptions{home: dir, interval: demoInterval, log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := readRunning(dir)
	if err != nil {
		t.Fatal(err)
	}
	c, err := newClient(r.URL, r.ChainID, r.BaseChainID)
	if err != nil {
		t.Fatal(err)
	}
	key, err := graphene.ParseWIF(r.Accounts[0].Active)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.contract(t.Context(), "alice", key, "tokens", "transfer", map[string]any{"symbol": "BEE", "to": "bob", "quantity": "7"}); err != nil {
		t.Fatal(err)
	}
	var proof json.RawMessage
	if err := c.get(t.Context(), "/v1/proof?table=tokens_tokens&id=1", &proof); err != nil {
		t.Fatal(err)
	}
	good := filepath.Join(t.TempDir(), "proof.json")
	if err := os.WriteFile(good, proof, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--home", dir}, {"--home", dir, "--against", r.URL}, {"--home", dir, "--proof", good}} {
		if code, said := verified(t, args...); code != exitOK || len(args) > 2 && args[2] == "--proof" && !strings.Contains(said, "holds") {
			t.Errorf("%v while the node runs: exit %d: %s", args[2:], code, said)
		}
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if code, said := verified(t, "--home", dir, "--json", "--proof", good); code != exitOK || !strings.Contains(said, `"transactions":`) {
		t.Errorf("exit %d: %s", code, said)
	}
	for _, member := range []string{`"issuer":"`, `"block":`, `"ref_block":`, `"root":"`} {
		bad := filepath.Join(t.TempDir(), "bad.json")
		if err := os.WriteFile(bad, bytes.Replace(proof, []byte(member), []byte(member+"1"), 1), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, said := verified(t, "--home", dir, "--proof", bad); code != exitInvariant {
			t.Errorf("a proof with another %s: exit %d: %s", member, code, said)
		}
	}
	t.Run("nothing derived yet", func(t *testing.T) {
		path := filepath.Join(dir, stateFile)
		if err := os.Rename(path, path+".away"); err != nil {
			t.Fatal(err)
		}
		if code, said := verified(t, "--home", dir, "--json"); code != exitOK || !strings.Contains(said, `"blocks":0,`) {
			t.Errorf("exit %d: %s", code, said)
		}
		if err := os.Rename(path+".away", path); err != nil {
			t.Fatal(err)
		}
	})
	for _, test := range []struct{ name, file, old, new string }{
		{"a stored quantity", stateFile, `\"quantity\":\"7\"`, `\"quantity\":\"8\"`},
		{"a signed operation", baseFile, `"quantity":"7"`, `"quantity":"8"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(dir, test.file)
			kept, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			alter(t, path, test.old, test.new)
			if code, said := verified(t, "--home", dir); code == exitOK {
				t.Errorf("not noticed: %s", said)
			} else {
				t.Logf("exit %d: %s", code, said)
			}
			if err := os.WriteFile(path, kept, 0o600); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// alter replaces text in every value of a bbolt file that holds it.
func alter(t *testing.T, path, old, new string) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	changed := 0
	var walk func(b *bolt.Bucket) error
	walk = func(b *bolt.Bucket) error {
		edits := map[string][]byte{}
		err := b.ForEach(func(k, v []byte) error {
			if v == nil {
				return walk(b.Bucket(k))
			}
			if bytes.Contains(v, []byte(old)) {
				edits[string(k)] = bytes.ReplaceAll(v, []byte(old), []byte(new))
			}
			return nil
		})
		for k, v := range edits {
			changed++
			if err := b.Put([]byte(k), v); err != nil {
				return err
			}
		}
		return err
	}
	err = db.Update(func(tx *bolt.Tx) error {
		return tx.ForEach(func(_ []byte, b *bolt.Bucket) error { return walk(b) })
	})
	if err != nil || changed == 0 {
		t.Fatalf("%d values changed, %v", changed, err)
	}
}
