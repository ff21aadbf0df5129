package graphene

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// golden is testdata/graphene.json: transactions serialised and signed by
// dsteem 0.11.3 and hive-tx 7.2.1.
type golden struct {
	ChainIDs []string `json:"chainIds"`
	Keys     []struct{ Account, Role, LoginSeed, WIF, Public string }
	// all signed by the first key
	Transactions []struct {
		Name, ChainID, Digest, TxID, HiveTxSignature, Serialized, DsteemSignature string
		Tx                                                                        json.RawMessage
	}
}

func loadGolden(t testing.TB) golden {
	t.Helper()
	b, err := os.ReadFile("testdata/graphene.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

func chainID(t testing.TB, text string) (id [32]byte) {
	t.Helper()
	if n, err := hex.Decode(id[:], []byte(text)); err != nil || n != 32 {
		t.Fatalf("chain id %q: %v", text, err)
	}
	return id
}

func TestGoldenKeys(t *testing.T) {
	for _, row := range loadGolden(t).Keys {
		key, err := LoginKey(row.Account, row.Role, "causeway")
		if err != nil {
			t.Fatal(err)
		}
		if got := key.WIF(); got != row.WIF {
			t.Errorf("%s %s: WIF %s, want %s", row.Account, row.Role, got, row.WIF)
		}
		if got := key.Public().String(); got != row.Public {
			t.Errorf("%s %s: public key %s, want %s", row.Account, row.Role, got, row.Public)
		}
		back, err := ParseWIF(row.WIF)
		if err != nil || back.Public() != key.Public() {
			t.Errorf("ParseWIF(%s): %v", row.WIF, err)
		}
		public, err := ParsePublicKey("STM", row.Public)
		if err != nil || public != key.Public() || !public.Valid() {
			t.Errorf("ParsePublicKey(%s): %v", row.Public, err)
		}
	}
}

func TestGoldenTransactions(t *testing.T) {
	g := loadGolden(t)
	signer, err := ParsePublicKey("STM", g.Keys[0].Public)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range g.Transactions {
		t.Run(row.Name, func(t *testing.T) {
			var tx Transaction
			if err := json.Unmarshal(row.Tx, &tx); err != nil {
				t.Fatal(err)
			}
			if err := tx.Validate(); err != nil {
				t.Error(err)
			}
			if got := hex.EncodeToString(tx.Serialize()); got != row.Serialized {
				t.Errorf("serialised\n got %s\nwant %s", got, row.Serialized)
			}
			if got := tx.ID(); got != row.TxID {
				t.Errorf("id %s, want %s", got, row.TxID)
			}
			digest := tx.Digest(chainID(t, row.ChainID))
			if got := hex.EncodeToString(digest[:]); got != row.Digest {
				t.Errorf("digest %s, want %s", got, row.Digest)
			}
			for _, text := range []string{row.HiveTxSignature, row.DsteemSignature} {
				if text == "" {
					continue
				}
				sig, err := ParseSignature(text)
				if err != nil {
					t.Fatal(err)
				}
				if key, err := Recover(digest, sig); err != nil || key != signer {
					t.Errorf("Recover(%s) = %s, %v; want %s", text, key, err, signer)
				}
			}
		})
	}
}

func TestGoldenRoundTrips(t *testing.T) {
	for _, row := range loadGolden(t).Transactions {
		t.Run(row.Name, func(t *testing.T) {
			var tx Transaction
			if err := json.Unmarshal(row.Tx, &tx); err != nil {
				t.Fatal(err)
			}
			back, err := Decode(tx.Serialize())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tx, back); diff != "" {
				t.Errorf("binary (-json +decoded):\n%s", diff)
			}
			for _, form := range []Form{Legacy, Appbase} {
				text, err := (&SignedTransaction{Transaction: tx}).Marshal(form)
				if err != nil {
					t.Fatal(err)
				}
				var again SignedTransaction
				if err := json.Unmarshal(text, &again); err != nil {
					t.Fatalf("form %d: %v\n%s", form, err, text)
				}
				if diff := cmp.Diff(tx, again.Transaction); diff != "" {
					t.Errorf("form %d (-want +got):\n%s", form, diff)
				}
			}
			var want, got any
			text, err := tx.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(row.Tx, &want); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(text, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("JSON (-golden +ours):\n%s", diff)
			}
		})
	}
}
