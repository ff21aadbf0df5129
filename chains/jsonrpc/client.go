package jsonrpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"causeway/chains"
)

// DefaultTimeout bounds one call, from dialling to the last byte.
const DefaultTimeout = 20 * time.Second

// SmallAnswer bounds, in bytes, an answer that has no reason to be large.
const SmallAnswer = 1 << 20

// Versions of the protocol, as requests name them.
const (
	Version1 = "1.0" // bitcoind and its kin; btcd wants to read it
	Version2 = "2.0" // Ethereum's nodes, which refuse any other
)

// Options are what may be left out when making a Client.
type Options struct {
	Version string        // of the protocol; "": Version2
	Timeout time.Duration // of one call; 0: DefaultTimeout
	// Transport carries the requests; nil: the network, by no proxy.
	Transport http.RoundTripper
}

// Client speaks JSON-RPC over HTTP to one node. It may be used by many
// goroutines at once. Printing it never shows credentials.
type Client struct {
	name string
	// request makes a request. It holds the URL, whose path may be a secret,
	// and the credentials, all out of sight of fmt.
	request func(ctx context.Context, body []byte) (*http.Request, error)
	version string
	timeout time.Duration
	http    *http.Client
	nextID  atomic.Uint64
}

// New makes a client of a node from a URL such as
// http://user:password@127.0.0.1:8332. Nothing is dialled before the first call.
func New(nodeURL string, o Options) (*Client, error) {
	u, err := url.Parse(nodeURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		// The cause would repeat the text, credentials and all.
		return nil, errors.New("jsonrpc: a node's URL must be http://user:password@host:port")
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Version == "" {
		o.Version = Version2
	}
	if o.Transport == nil {
		// No proxy: a node is reached directly or not at all.
		o.Transport = &http.Transport{
			DisableCompression: true, MaxIdleConns: 16, MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Minute,
		}
	}
	user := u.User
	u.User = nil
	endpoint := u.String()
	request := func(ctx context.Context, body []byte) (*http.Request, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewReader(body))
		if err != nil {
			return nil, errors.New("malformed request")
		}
		r.Header.Set("Content-Type", "application/json")
		if user != nil {
			password, _ := user.Password()
			r.SetBasicAuth(user.Username(), password)
		}
		return r, nil
	}
	return &Client{
		name: u.Host, request: request, version: o.Version, timeout: o.Timeout,
		http: &http.Client{
			Transport:     o.Transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Name is host and port.
func (c *Client) Name() string { return c.name }

// String is the name.
func (c *Client) String() string { return c.name }

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Call calls a method with positional parameters and decodes its result into
// result (nil: it is dropped), with numbers as json.Number wherever their type
// is left open. What the node refuses is an *Error; everything else that
// goes wrong is chains.ErrUnavailable, as is an answer of more than a megabyte; if
// the node said null, it is ErrNull too.
func (c *Client) Call(ctx context.Context, result any, method string, params ...any) error {
	return c.CallLimit(ctx, SmallAnswer, result, method, params...)
}

// CallLimit is Call with a bound of its own on the size of the answer, in bytes,
// for methods whose answers may be larger than a megabyte.
func (c *Client) CallLimit(ctx context.Context, limit int64, result any, method string, params ...any) error {
	id := c.nextID.Add(1)
	request, err := json.Marshal(c.frame(id, method, params))
	if err != nil {
		return fmt.Errorf("jsonrpc: %s: %w", method, err)
	}
	status, body, err := c.post(ctx, request, limit)
	if err == nil {
		err = decodeReply(status, body, id, result)
	}
	return c.failed(method, err)
}

// frame is a request as it is sent.
type frame struct {
	Version string `json:"jsonrpc"`
	ID      uint64 `json:"id"`
	Method  string `json:"method"`
	Params  []any  `json:"params"`
}

func (c *Client) frame(id uint64, method string, params []any) frame {
	if params == nil {
		params = []any{}
	}
	return frame{c.version, id, method, params}
}

// failed names the node and the method, and tells a refusal from a failure.
func (c *Client) failed(method string, err error) error {
	var refused *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		return fmt.Errorf("%s: %s: %w", c.name, method, refused)
	}
	return fmt.Errorf("%s: %s: %w: %w", c.name, method, chains.ErrUnavailable, err)
}

// post sends a request and reads at most limit bytes of the answer.
func (c *Client) post(ctx context.Context, request []byte, limit int64) (status int, body []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	r, err := c.request(ctx, request)
	if err != nil {
		return 0, nil, err
	}
	response, err := c.http.Do(r)
	if err != nil {
		// Without the URL, which may hold a secret in its path.
		var inner *url.Error
		if errors.As(err, &inner) {
			err = inner.Err
		}
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err != nil {
		return 0, nil, err
	}
	if int64(len(body)) > limit {
		return 0, nil, fmt.Errorf("answer of more than %d bytes", limit)
	}
	return response.StatusCode, body, nil
}
