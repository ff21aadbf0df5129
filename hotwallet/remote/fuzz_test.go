package remote

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"testing"

	"causeway/hotwallet"
)

// FuzzServe: whatever comes through the socket, the signer answers or hangs up,
// and signs nothing that it would not sign otherwise.
func FuzzServe(f *testing.F) {
	r := newRig(f, f.TempDir())
	valid := r.request("batch-1", 5)
	for method, params := range map[string]any{
		methodSign: valid, methodObserve: valid, methodVariants: variantsParams{"x"}, methodHeader: headerParams{[]byte("x")},
		methodOperations: operationsParams{"gateway", vote().Serialize()}, methodSequencer: sequencerParams{},
		methodBranch: branchParams{"btc", 0}, methodStatus: struct{}{}, methodSnapshot: struct{}{}, "": nil,
	} {
		text, err := json.Marshal(params)
		must(f, err)
		var frame bytes.Buffer
		must(f, writeFrame(&frame, question{method, text}, maxFrame))
		f.Add(frame.Bytes())
	}
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 1})
	f.Add([]byte{0, 0, 0, 2, '{'})
	f.Fuzz(func(t *testing.T, raw []byte) {
		conn, err := net.Dial("unix", r.socket())
		must(t, err)
		defer conn.Close()
		var hello Hello
		must(t, readFrame(conn, &hello, maxHello))
		_, _ = conn.Write(raw) // it may hang up in the middle
		_ = conn.(*net.UnixConn).CloseWrite()
		if text, err := readBytes(conn, maxFrame); err == nil {
			var a answer
			if err := decode(text, &a); err != nil || (a.Error == nil) == (a.Result == nil) {
				t.Errorf("answer %.200s (%v)", text, err)
			}
		}
		_, _ = io.Copy(io.Discard, conn)
		list, err := r.local.Variants("batch-1")
		if err != nil || len(list) > 1 {
			t.Errorf("variants %v (%v)", list, err)
		}
	})
}

// FuzzAnswer: no answer of a signer makes its client panic, and an error stays
// one.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"result":{"raw":"AAAA","txid":"x","fee":"1","variant":1,"counter":1}}`))
	f.Add([]byte(`{"error":{"refused":true,"rule":"not assigned","text":"x"}}`))
	f.Add([]byte(`{"error":{"rule":"the proof is too old","text":"x"}}`))
	f.Add([]byte(`{"result":null,"error":null}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var a answer
		if decode(raw, &a) != nil {
			return
		}
		if a.Error != nil {
			err := a.Error.Err()
			if err == nil || errors.Is(err, hotwallet.ErrRefused) != a.Error.Refused && a.Error.Rule != string(hotwallet.ErrRefused) {
				t.Errorf("%+v became %v", a.Error, err)
			}
			if again := failureOf(err); a.Error.Refused && (again.Rule != a.Error.Rule || !again.Refused) {
				t.Errorf("%+v became %+v", a.Error, again)
			}
			return
		}
		var s hotwallet.Signed
		_ = decode(a.Result, &s)
	})
}
