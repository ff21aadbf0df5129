package graphene

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzDecode: whatever decodes is written back to the same bytes, and its JSON
// forms lead back to the same transaction.
func FuzzDecode(f *testing.F) {
	for _, row := range loadGolden(f).Transactions {
		b, err := hex.DecodeString(row.Serialized)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, b []byte) {
		tx, err := Decode(b)
		if err != nil {
			return
		}
		if got := tx.Serialize(); !bytes.Equal(got, b) {
			t.Fatalf("decoded %x, serialised %x", b, got)
		}
		tx.RequiredAuthorities()
		valid := tx.Validate() == nil
		for _, form := range []Form{Legacy, Appbase} {
			text, err := (&SignedTransaction{Transaction: *tx}).Marshal(form)
			if err != nil {
				t.Fatal(err)
			}
			var back SignedTransaction
			if err := json.Unmarshal(text, &back); err != nil {
				if valid {
					t.Fatalf("%v\n%s", err, text)
				}
				continue // e.g. a coin without a numeric name
			}
			if got := back.Serialize(); !bytes.Equal(got, b) && valid {
				t.Fatalf("JSON %s\nserialised %x\nwant       %x", text, got, b)
			}
		}
	})
}

// FuzzDecodeBlock: the same of blocks.
func FuzzDecodeBlock(f *testing.F) {
	for _, row := range loadGolden(f).Transactions[:4] {
		tx := new(SignedTransaction)
		if err := json.Unmarshal(row.Tx, &tx.Transaction); err != nil {
			f.Fatal(err)
		}
		tx.Signatures = []string{row.DsteemSignature}
		b := &SignedBlock{Transactions: []*SignedTransaction{tx}}
		b.Header = Header{
			Previous: BlockID{0, 0, 0, 7, 1, 2}, Timestamp: "2026-01-01T00:00:00", Witness: "causeway",
			Commitment: &StateCommitment{RefBlock: 7},
		}
		raw, err := b.Serialize()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := DecodeBlock(raw)
		if err != nil {
			return
		}
		got, err := b.Serialize()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, raw) {
			t.Fatalf("decoded %x, serialised %x", raw, got)
		}
		head, err := DecodeSignedHeader(raw)
		if err != nil || head.ID() != b.ID() {
			t.Fatalf("header alone: %v", err)
		}
		again, err := DecodeHeader(b.Header.Serialize())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&b.Header, again); diff != "" {
			t.Fatal(diff)
		}
	})
}

// FuzzJSON: no JSON makes a transaction that is valid and yet has no binary
// form of its own.
func FuzzJSON(f *testing.F) {
	for _, row := range loadGolden(f).Transactions {
		f.Add([]byte(row.Tx))
	}
	f.Add([]byte(`{"expiration":"2026-01-01T00:00:00","operations":[{"type":"vote_operation","value":{"voter":"abc"}}]}`))
	f.Add([]byte(`{"expiration":"2026-01-01T00:00:00Z","operations":[[2,{"amount":{"amount":"1","precision":3,"nai":"@@000000021"}}]]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var tx SignedTransaction
		if json.Unmarshal(text, &tx) != nil || tx.Validate() != nil {
			return
		}
		back, err := Decode(tx.Serialize())
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if diff := cmp.Diff(&tx.Transaction, back); diff != "" {
			t.Fatalf("%s (-json +decoded):\n%s", text, diff)
		}
	})
}

func FuzzParsePublicKey(f *testing.F) {
	f.Add("STM8ax7PVfL5rFHrzr1ffwMpAbV871TQLzFknu7YWm67Bu7JPVgtw")
	f.Add("STM1111111111111111111111111111111114T1Anm")
	f.Fuzz(func(t *testing.T, text string) {
		if k, err := ParsePublicKey(DefaultPrefix, text); err == nil && k.String() != text {
			t.Fatalf("%q is written %q", text, k)
		}
	})
}

func FuzzParseAsset(f *testing.F) {
	f.Add("1.000 HIVE")
	f.Add("-0.001 HBD")
	f.Fuzz(func(t *testing.T, text string) {
		a, err := ParseAsset(text)
		if err != nil {
			return
		}
		if err := a.Check(); err != nil {
			t.Fatal(err)
		}
		if b, err := ParseAsset(a.String()); err != nil || a != b {
			t.Fatalf("%q is %+v, written %q, read %+v, %v", text, a, a, b, err)
		}
	})
}
