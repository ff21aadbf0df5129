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
	"os"
	"sync"
	"time"

	"causeway/chains"
	"causeway/hotwallet"
	"causeway/sidechain/graphene"
)

const (
	// maxConnections bounds how many are served at once; others wait.
	maxConnections = 16
	// askTime is how long a client may take to ask, and to take the answer.
	askTime = 30 * time.Second
)

// Server answers for a signer.
type Server struct {
	Signer *hotwallet.LocalSigner
	Wallet *hotwallet.Wallet // its public side is answered for
	// BaseChainID is the network's, Attestor the account whose operations the
	// signer signs; empty: none.
	BaseChainID [32]byte
	Attestor    string
	// Bound: the process ends with the one that started it.
	Bound bool
	Log   *slog.Logger
}

// Serve answers until ctx ends, and then returns once nothing is being answered
// any more. It closes the listener.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { _ = l.Close(); close(closed) })
	defer stop()
	var wait sync.WaitGroup
	defer wait.Wait()
	free := make(chan struct{}, maxConnections)
	for {
		conn, err := l.Accept()
		if ctx.Err() != nil {
			if err == nil {
				_ = conn.Close()
			}
			<-closed
			return nil
		}
		if err != nil {
			return errors.Join(fmt.Errorf("signer socket: %w", err), l.Close())
		}
		free <- struct{}{}
		wait.Go(func() {
			defer func() { <-free }()
			defer conn.Close()
			cut := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Now()) })
			defer cut()
			if err := s.answer(ctx, conn); err != nil && ctx.Err() == nil {
				s.Log.Debug("signer: a connection broke", "error", err)
			}
		})
	}
}

// answer is one connection: hello, question, answer.
func (s *Server) answer(ctx context.Context, conn net.Conn) error {
	if err := conn.SetDeadline(time.Now().Add(askTime)); err != nil {
		return err
	}
	hello := Hello{
		Protocol: Protocol, BaseChainID: hex.EncodeToString(s.BaseChainID[:]), Attestor: s.Attestor, Bound: s.Bound, PID: os.Getpid(),
	}
	if err := writeFrame(conn, hello, maxHello); err != nil {
		return err
	}
	var q question
	if err := readFrame(conn, &q, maxFrame); err != nil {
		if errors.Is(err, io.EOF) {
			return nil // only wanted to know who is there
		}
		return errors.Join(err, writeFrame(conn, answer{Error: failureOf(err)}, maxFrame))
	}
	result, err := s.do(ctx, q)
	if err != nil {
		s.Log.Warn("signer: refused or failed", "method", q.Method, "error", err)
	}
	if err := conn.SetDeadline(time.Now().Add(askTime)); err != nil {
		return err
	}
	if err := writeFrame(conn, reply(result, err), maxFrame); err != nil {
		return err
	}
	if q.Method != methodSnapshot || err != nil {
		return nil
	}
	c := &chunks{conn}
	if err := s.Signer.Snapshot(c); err != nil {
		return err
	}
	return c.Close()
}

func reply(result any, err error) answer {
	if err == nil {
		var text []byte
		if text, err = json.Marshal(result); err == nil {
			return answer{Result: text}
		}
	}
	return answer{Error: failureOf(err)}
}

// The methods and their parameters.
const (
	methodSign       = "sign"
	methodObserve    = "observe"
	methodVariants   = "variants"
	methodLimits     = "limits"
	methodHeader     = "sign_header"
	methodOperations = "sign_operations"
	methodSequencer  = "sequencer"
	methodBranch     = "branch"
	methodStatus     = "status"
	methodSnapshot   = "snapshot"
)

type variantsParams struct {
	Batch string `json:"batch"`
}

type headerParams struct {
	Header []byte `json:"header"`
}

type operationsParams struct {
	Account     string `json:"account"`
	Transaction []byte `json:"transaction"` // graphene.Transaction.Serialize
}

type sequencerParams struct {
	Head      []byte `json:"head,omitempty"`      // signed header; none: no block yet
	Candidate []byte `json:"candidate,omitempty"` // header
}

type branchParams struct {
	Chain chains.ID `json:"chain"`
	Epoch uint32    `json:"epoch"`
}

// branch is the public side of a chain and epoch.
type branch struct {
	Master  []byte `json:"master"`
	Script  []byte `json:"script"` // change
	Address string `json:"address"`
	Sweeper string `json:"sweeper,omitempty"` // ETH
}

// do answers a question.
func (s *Server) do(ctx context.Context, q question) (any, error) {
	switch q.Method {
	case methodSign:
		return with(q, func(r hotwallet.SignRequest) (any, error) { return s.Signer.Sign(ctx, r) })
	case methodObserve:
		return with(q, func(r hotwallet.SignRequest) (any, error) { return struct{}{}, s.Signer.Observe(ctx, r) })
	case methodVariants:
		return with(q, func(p variantsParams) (any, error) { return s.Signer.Variants(p.Batch) })
	case methodLimits:
		return with(q, func(struct{}) (any, error) { return s.Signer.Limits() })
	case methodHeader:
		return with(q, func(p headerParams) (any, error) {
			signature, err := s.Signer.SignHeader(ctx, p.Header)
			return signature.String(), err
		})
	case methodOperations:
		return with(q, func(p operationsParams) (any, error) { return s.operations(ctx, p) })
	case methodSequencer:
		return with(q, s.sequencer)
	case methodBranch:
		return with(q, s.branch)
	case methodStatus, methodSnapshot:
		return with(q, func(struct{}) (any, error) { return s.Signer.Status() })
	}
	return nil, fmt.Errorf("%w: unknown method %.40q", errFrame, q.Method)
}

// with decodes the parameters of a question.
func with[P any](q question, f func(P) (any, error)) (any, error) {
	var p P
	if err := decode(q.Params, &p); err != nil {
		return nil, err
	}
	return f(p)
}

// operations gives the signatures only: the caller has the rest.
func (s *Server) operations(ctx context.Context, p operationsParams) (any, error) {
	tx, err := graphene.Decode(p.Transaction)
	if err != nil {
		return nil, err
	}
	signed, err := s.Signer.SignOperations(ctx, p.Account, tx)
	if err != nil {
		return nil, err
	}
	return signed.Signatures, nil
}

func (s *Server) sequencer(p sequencerParams) (any, error) {
	var head *graphene.SignedHeader
	var candidate *graphene.Header
	var err error
	if len(p.Head) > 0 {
		if head, err = graphene.DecodeSignedHeader(p.Head); err != nil {
			return nil, err
		}
	}
	if len(p.Candidate) > 0 {
		if candidate, err = graphene.DecodeHeader(p.Candidate); err != nil {
			return nil, err
		}
	}
	h, err := s.Signer.Sequencer(head, candidate)
	if err != nil {
		return nil, err
	}
	return h.PublicKey().String(), nil
}

func (s *Server) branch(p branchParams) (any, error) {
	master, err := s.Wallet.MasterKey(p.Chain, p.Epoch)
	if err != nil {
		return nil, err
	}
	script, err := s.Wallet.ChangeScript(p.Chain, p.Epoch)
	if err != nil {
		return nil, err
	}
	b := branch{Master: master[:], Script: script}
	if b.Address, err = s.Wallet.ChangeAddress(p.Chain, p.Epoch); err != nil || p.Chain != chains.ETH {
		return b, err
	}
	b.Sweeper, err = s.Wallet.SweeperAddress(p.Epoch)
	return b, err
}

// chunks sends a stream in frames; an empty one ends it.
type chunks struct{ conn net.Conn }

// Write implements io.Writer.
func (c *chunks) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		part := p[:min(len(p), maxChunk)]
		if err := errors.Join(c.conn.SetDeadline(time.Now().Add(askTime)), writeBytes(c.conn, part, maxChunk)); err != nil {
			return n, err
		}
		n, p = n+len(part), p[len(part):]
	}
	return n, nil
}

// Close ends the stream.
func (c *chunks) Close() error { return writeBytes(c.conn, nil, maxChunk) }
