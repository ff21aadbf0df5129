package remote

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"causeway/chains"
	"causeway/hotwallet"
	"causeway/sidechain/graphene"

	"github.com/google/go-cmp/cmp"
)

// TestSame: through the socket every question has the answer that the signer
// itself gives.
func TestSame(t *testing.T) {
	r := newRig(t, t.TempDir())
	ctx := context.Background()
	q := r.request("batch-1", 5)
	must(t, r.client.Observe(ctx, q))
	signed, err := r.client.Sign(ctx, q)
	must(t, err)
	again, err := r.local.Sign(ctx, q)
	must(t, err)
	if diff := cmp.Diff(again, signed); diff != "" {
		t.Error(diff)
	}
	list, err := r.client.Variants("batch-1")
	if err != nil || len(list) != 1 || !bytes.Equal(list[0].Raw, signed.Raw) {
		t.Errorf("variants %v (%v)", list, err)
	}
	none, err := r.client.Variants("batch-9")
	if err != nil || len(none) != 0 {
		t.Errorf("variants of nothing: %v (%v)", none, err)
	}
	h := graphene.Header{Timestamp: "2026-01-01T00:00:03", Witness: "sequencer"}
	headers, err := r.client.Sequencer(ctx, nil, nil)
	must(t, err)
	signature, err := headers.SignHeader(ctx, h.Serialize())
	must(t, err)
	block := graphene.SignedHeader{Header: h, Signature: signature}
	if by, err := block.SigningKey(baseChainID); err != nil || by != headers.PublicKey() {
		t.Errorf("signed by %s (%v)", by, err)
	}
	if _, err := r.client.Sequencer(ctx, &block, nil); err != nil {
		t.Error(err)
	}
	tx := vote()
	ops, err := r.client.SignOperations(ctx, "gateway", tx)
	must(t, err)
	if keys, err := ops.SigningKeys(baseChainID); err != nil || keys[0] != key(t, "gateway").Public() {
		t.Errorf("operations signed by %v (%v)", keys, err)
	}
	var copied bytes.Buffer
	must(t, r.client.Snapshot(ctx, &copied))
	path := filepath.Join(t.TempDir(), "signer.db")
	must(t, os.WriteFile(path, copied.Bytes(), 0o600))
	here, err := r.client.Status(ctx)
	if err != nil || here.Counter != 2 || here.Header != 1 || here.Seen != 5 {
		t.Errorf("status %+v (%v)", here, err)
	}
	limits, err := r.client.Limits()
	if c := limits[chains.BTC]; err != nil || len(limits) != 1 || c.MaxTotal.IsZero() || c.MaxRate == 0 {
		t.Errorf("limits %v (%v)", limits, err)
	}
	for _, epoch := range []uint32{0, 3, 0} {
		want, err := r.wallet.ChangeAddress(chains.BTC, epoch)
		must(t, err)
		if got, err := r.client.ChangeAddress(chains.BTC, epoch); got != want || err != nil {
			t.Errorf("epoch %d: %s (%v)", epoch, got, err)
		}
		master, err := r.wallet.MasterKey(chains.BTC, epoch)
		must(t, err)
		if got, err := r.client.MasterKey(chains.BTC, epoch); got != master || err != nil {
			t.Errorf("epoch %d: %x (%v)", epoch, got, err)
		}
	}
	if c := r.client.Hello(); c.Attestor != "gateway" || c.Bound || c.PID != os.Getpid() {
		t.Errorf("hello %+v", c)
	}
}

func vote() *graphene.Transaction {
	return &graphene.Transaction{Expiration: "2026-01-01T00:01:00", Operations: []graphene.Operation{&graphene.CustomJSON{
		RequiredAuths: []string{"gateway"}, RequiredPostingAuths: []string{}, ID: hotwallet.StateVoteID, JSON: `{"block":20,"stateHash":"00"}`,
	}}}
}

// TestRefusals: what callers branch on passes the socket.
func TestRefusals(t *testing.T) {
	r := newRig(t, t.TempDir())
	ctx := context.Background()
	q := r.request("batch-1", 5)
	q.Withdrawals[0].Net = "0.0006"
	if _, err := r.client.Sign(ctx, q); !errors.Is(err, hotwallet.ErrRefused) || !errors.Is(err, hotwallet.ErrUnproven) {
		t.Errorf("refusal: %v", err)
	}
	q = r.request("batch-1", 500)
	_, err := r.client.Sign(ctx, q)
	must(t, err)
	old := r.request("batch-2", 3)
	if _, err := r.client.Sign(ctx, old); !errors.Is(err, hotwallet.ErrStale) || errors.Is(err, hotwallet.ErrRefused) {
		t.Errorf("stale: %v", err)
	}
	q = r.request("batch-2", 501)
	q.Counter = 99
	if _, err := r.client.Sign(ctx, q); !errors.Is(err, hotwallet.ErrRollback) {
		t.Errorf("rollback: %v", err)
	}
	if _, err := r.client.SignOperations(ctx, "nobody", vote()); !errors.Is(err, hotwallet.ErrNoKey) {
		t.Errorf("no key: %v", err)
	}
	if _, err := r.client.MasterKey("xyz", 0); !errors.Is(err, hotwallet.ErrUnknownChain) {
		t.Errorf("unknown chain: %v", err)
	}
	if err := r.client.call(ctx, "export_seed", struct{}{}, new(any)); err == nil || errors.Is(err, ErrUnavailable) {
		t.Errorf("unknown method: %v", err)
	}
	if err := r.client.call(ctx, methodStatus, map[string]int{"more": 1}, new(any)); err == nil {
		t.Error("an unknown parameter is taken")
	}
	if _, err := Connect(ctx, r.socket(), [32]byte{1}, slog.New(slog.DiscardHandler)); !errors.Is(err, ErrForeign) {
		t.Errorf("another network: %v", err)
	}
}

// TestSocket: nobody else may connect, also where the path is longer than a
// socket's address may be; what a killed signer left is replaced, and the end
// takes the file away.
func TestSocket(t *testing.T) {
	long := filepath.Join(t.TempDir(), strings.Repeat("long", 30), strings.Repeat("er", 30))
	must(t, os.MkdirAll(long, 0o700))
	for _, dir := range []string{t.TempDir(), long} {
		l, err := net.Listen("unix", filepath.Join(t.TempDir(), "x"))
		must(t, err)
		l.(*net.UnixListener).SetUnlinkOnClose(false)
		must(t, l.Close())
		must(t, os.Rename(l.Addr().String(), filepath.Join(dir, "signer.sock")))
		r := newRig(t, dir)
		if m := mode(t, r.socket()); m.Perm() != 0o600 || m.Type() != fs.ModeSocket {
			t.Errorf("mode %s", m)
		}
		must(t, Private(r.socket()))
		if _, err := r.client.Status(context.Background()); err != nil {
			t.Error(err)
		}
		must(t, os.Chmod(r.socket(), 0o660))
		if Private(r.socket()) == nil {
			t.Error("a socket that a group may use is called private")
		}
		must(t, r.stop())
		if _, err := os.Lstat(r.socket()); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the socket stays: %v", err)
		}
		entries, err := os.ReadDir(dir)
		must(t, err)
		if len(entries) != 1 { // signer.db
			t.Errorf("left over: %v", entries)
		}
	}
	if err := os.WriteFile(filepath.Join(long, "file"), nil, 0o600); err != nil || Private(filepath.Join(long, "file")) == nil {
		t.Errorf("a file is called a private socket: %v", err)
	}
}

// TestAway: a signer that is gone says nothing of what it did; a header is asked
// for until there is an answer, and the answer is the one that it would have been.
func TestAway(t *testing.T) {
	r := newRig(t, t.TempDir())
	ctx := context.Background()
	headers, err := r.client.Sequencer(ctx, nil, nil)
	must(t, err)
	q := r.request("batch-1", 5)
	first, err := r.client.Sign(ctx, q)
	must(t, err)
	must(t, r.stop())
	if _, err := r.client.Sign(ctx, q); !errors.Is(err, ErrUnavailable) || errors.Is(err, hotwallet.ErrRefused) {
		t.Errorf("gone: %v", err)
	}
	h := graphene.Header{Timestamp: "2026-01-01T00:00:03", Witness: "sequencer"}
	cancelled, cancel := context.WithCancel(ctx)
	answer := make(chan error, 1)
	go func() { _, err := headers.SignHeader(cancelled, h.Serialize()); answer <- err }()
	cancel()
	if err := <-answer; !errors.Is(err, context.Canceled) {
		t.Errorf("a header without a signer: %v", err)
	}
	go func() { _, err := headers.SignHeader(ctx, h.Serialize()); answer <- err }()
	r.start()
	if err := <-answer; err != nil {
		t.Errorf("a header once it is back: %v", err)
	}
	if again, err := r.client.Sign(ctx, q); err != nil || !bytes.Equal(again.Raw, first.Raw) {
		t.Errorf("another answer after it came back: %v", err)
	}
}

// TestHung: a signer that takes the question and says nothing is given up when
// the caller's time is over.
func TestHung(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := Listen(path)
	must(t, err)
	defer l.Close()
	hello := make(chan Hello, 2)
	go func() {
		for h := range hello {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			_ = writeFrame(conn, h, maxHello)
		}
	}()
	mine := Hello{Protocol: Protocol, BaseChainID: strings.Repeat("07", 3) + strings.Repeat("0", 58)}
	hello <- mine
	c, err := Connect(context.Background(), path, baseChainID, slog.New(slog.DiscardHandler))
	must(t, err)
	hello <- mine
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Status(ctx); !errors.Is(err, ErrUnavailable) {
		t.Errorf("hung: %v", err)
	}
	other := mine
	other.Protocol = "causeway-signer/1"
	hello <- other
	if _, err := c.Status(context.Background()); !errors.Is(err, ErrForeign) {
		t.Errorf("another protocol: %v", err)
	}
	close(hello)
}
