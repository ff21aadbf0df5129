package remote

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"causeway/chains"
	"causeway/hotwallet"
	"causeway/sidechain/graphene"
)

// ErrUnavailable: the signer cannot be reached, or did not answer in time. What
// it did is not known.
var ErrUnavailable = errors.New("the signer does not answer")

// ErrForeign: it is the signer of another network, or speaks another protocol.
var ErrForeign = errors.New("not the signer of this network")

// callTime is how long one question may take, the connection included.
const callTime = 30 * time.Second

// Client is a hotwallet.Signer in another process. Every question has a
// connection of its own, so that a signer that comes back is found again. Safe
// for concurrent use.
type Client struct {
	path  string
	hello Hello // of the signer that was found first
	log   *slog.Logger

	mu       sync.Mutex
	branches map[branchParams]branch
}

var _ hotwallet.Signer = (*Client)(nil)

// Connect finds the signer that serves a socket. Errors: ErrUnavailable,
// ErrForeign.
func Connect(ctx context.Context, path string, baseChainID [32]byte, log *slog.Logger) (*Client, error) {
	c := &Client{path: path, log: log, branches: map[branchParams]branch{}}
	c.hello.BaseChainID = hex.EncodeToString(baseChainID[:])
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	conn, hello, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	c.hello = hello
	return c, conn.Close()
}

// Hello is what the signer said of itself.
func (c *Client) Hello() Hello { return c.hello }

// open connects and reads who is there.
func (c *Client) open(ctx context.Context) (net.Conn, Hello, error) {
	conn, err := dial(ctx, c.path)
	if err != nil {
		return nil, Hello{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	var hello Hello
	if deadline, ok := ctx.Deadline(); ok {
		err = conn.SetDeadline(deadline)
	}
	if err == nil {
		err = readFrame(conn, &hello, maxHello)
	}
	switch {
	case err != nil:
		err = fmt.Errorf("%w: %w", ErrUnavailable, err)
	case hello.Protocol != Protocol:
		err = fmt.Errorf("%w: it speaks %.40q, not %q", ErrForeign, hello.Protocol, Protocol)
	case hello.BaseChainID != c.hello.BaseChainID:
		err = fmt.Errorf("%w: its base chain is %.64q", ErrForeign, hello.BaseChainID)
	default:
		return conn, hello, nil
	}
	return nil, Hello{}, errors.Join(err, conn.Close())
}

// call asks one question.
func (c *Client) call(ctx context.Context, method string, params, result any) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	conn, err := c.ask(ctx, method, params, result)
	if err != nil {
		return err
	}
	return conn.Close()
}

// ask asks and reads the answer; the connection is still open when there was no
// error.
func (c *Client) ask(ctx context.Context, method string, params, result any) (net.Conn, error) {
	conn, _, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	cut := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })
	defer cut()
	fail := func(err error) (net.Conn, error) { return nil, errors.Join(err, conn.Close()) }
	text, err := json.Marshal(params)
	if err != nil {
		return fail(err)
	}
	var a answer
	if err = writeFrame(conn, question{method, text}, maxFrame); err == nil {
		err = readFrame(conn, &a, maxFrame)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return fail(fmt.Errorf("%w: %s: %w", ErrUnavailable, method, ctx.Err()))
	case err != nil:
		return fail(fmt.Errorf("%w: %s: %w", ErrUnavailable, method, err))
	case a.Error != nil:
		return fail(a.Error.Err())
	}
	if err := decode(a.Result, result); err != nil {
		return fail(fmt.Errorf("%w: %s: %w", ErrUnavailable, method, err))
	}
	return conn, nil
}

// Sign implements hotwallet.Signer.
func (c *Client) Sign(ctx context.Context, r hotwallet.SignRequest) (signed hotwallet.Signed, err error) {
	err = c.call(ctx, methodSign, r, &signed)
	return signed, err
}

// Observe implements hotwallet.Signer.
func (c *Client) Observe(ctx context.Context, r hotwallet.SignRequest) error {
	return c.call(ctx, methodObserve, r, new(struct{}))
}

// Variants is LocalSigner.Variants.
func (c *Client) Variants(batch string) (list []hotwallet.Signed, err error) {
	err = c.call(context.Background(), methodVariants, variantsParams{batch}, &list)
	return list, err
}

// Limits is LocalSigner.Limits.
func (c *Client) Limits() (caps map[chains.ID]hotwallet.SignerCaps, err error) {
	err = c.call(context.Background(), methodLimits, struct{}{}, &caps)
	return caps, err
}

// SignHeader implements hotwallet.Signer. It asks once; see HeaderSigner.
func (c *Client) SignHeader(ctx context.Context, header []byte) (graphene.Signature, error) {
	var text string
	if err := c.call(ctx, methodHeader, headerParams{header}, &text); err != nil {
		return graphene.Signature{}, err
	}
	return graphene.ParseSignature(text)
}

// SignOperations implements hotwallet.Signer.
func (c *Client) SignOperations(ctx context.Context, account string, tx *graphene.Transaction) (*graphene.SignedTransaction, error) {
	if err := tx.Validate(); err != nil {
		return nil, err
	}
	signed := &graphene.SignedTransaction{Transaction: *tx}
	err := c.call(ctx, methodOperations, operationsParams{account, tx.Serialize()}, &signed.Signatures)
	if err != nil {
		return nil, err
	}
	return signed, nil
}

// Status is LocalSigner.Status.
func (c *Client) Status(ctx context.Context) (st hotwallet.SignerStatus, err error) {
	err = c.call(ctx, methodStatus, struct{}{}, &st)
	return st, err
}

// Snapshot is LocalSigner.Snapshot. When it fails, what was written is no whole
// copy.
func (c *Client) Snapshot(ctx context.Context, w io.Writer) error {
	var st hotwallet.SignerStatus
	conn, err := c.ask(ctx, methodSnapshot, struct{}{}, &st)
	if err != nil {
		return err
	}
	defer conn.Close()
	for {
		if err := conn.SetDeadline(time.Now().Add(callTime)); err != nil {
			return err
		}
		part, err := readBytes(conn, maxChunk)
		if err != nil {
			return fmt.Errorf("%w: copy of the journal: %w", ErrUnavailable, err)
		}
		if len(part) == 0 {
			return nil
		}
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
}

// MasterKey is Wallet.MasterKey.
func (c *Client) MasterKey(chain chains.ID, epoch uint32) (key [33]byte, err error) {
	b, err := c.branch(chain, epoch)
	if err == nil && len(b.Master) != len(key) {
		err = fmt.Errorf("signer: a master key of %d bytes", len(b.Master))
	}
	copy(key[:], b.Master)
	return key, err
}

// ChangeScript is Wallet.ChangeScript.
func (c *Client) ChangeScript(chain chains.ID, epoch uint32) ([]byte, error) {
	b, err := c.branch(chain, epoch)
	return b.Script, err
}

// ChangeAddress is Wallet.ChangeAddress.
func (c *Client) ChangeAddress(chain chains.ID, epoch uint32) (string, error) {
	b, err := c.branch(chain, epoch)
	return b.Address, err
}

// SweeperAddress is Wallet.SweeperAddress.
func (c *Client) SweeperAddress(epoch uint32) (string, error) {
	b, err := c.branch(chains.ETH, epoch)
	return b.Sweeper, err
}

// branch asks once for the public side of a chain and epoch.
func (c *Client) branch(chain chains.ID, epoch uint32) (b branch, err error) {
	p := branchParams{chain, epoch}
	c.mu.Lock()
	b, ok := c.branches[p]
	c.mu.Unlock()
	if ok {
		return b, nil
	}
	if err := c.call(context.Background(), methodBranch, p, &b); err != nil {
		return branch{}, err
	}
	c.mu.Lock()
	c.branches[p] = b
	c.mu.Unlock()
	return b, nil
}

// HeaderSigner is the sequencer's side of a signer in another process. It asks
// for a header until it is answered or ctx ends: a signer that is away stops the
// making of blocks and nothing else.
type HeaderSigner struct {
	client *Client
	key    graphene.PublicKey
}

// Sequencer is LocalSigner.Sequencer.
func (c *Client) Sequencer(ctx context.Context, head *graphene.SignedHeader, candidate *graphene.Header) (*HeaderSigner, error) {
	var p sequencerParams
	if head != nil {
		p.Head = append(head.Serialize(), head.Signature[:]...)
	}
	if candidate != nil {
		p.Candidate = candidate.Serialize()
	}
	var text string
	if err := c.call(ctx, methodSequencer, p, &text); err != nil {
		return nil, err
	}
	key, err := graphene.ParsePublicKey(graphene.DefaultPrefix, text)
	return &HeaderSigner{client: c, key: key}, err
}

// PublicKey is the key that signs.
func (h *HeaderSigner) PublicKey() graphene.PublicKey { return h.key }

// The pauses between two questions for a header.
const (
	firstPause = 50 * time.Millisecond
	lastPause  = 3 * time.Second
)

// SignHeader signs a header, however long it takes.
func (h *HeaderSigner) SignHeader(ctx context.Context, header []byte) (graphene.Signature, error) {
	said := false
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		signature, err := h.client.SignHeader(ctx, header)
		if !errors.Is(err, ErrUnavailable) {
			if said && err == nil {
				h.client.log.Info("the signer answers again")
			}
			return signature, err
		}
		if !said {
			said = true
			h.client.log.Error("no base blocks are made: the signer does not answer", "error", err)
		}
		select {
		case <-ctx.Done():
			return graphene.Signature{}, ctx.Err()
		case <-time.After(pause):
		}
	}
}
