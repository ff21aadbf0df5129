package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// ScanNode is a node's JSON-RPC as the scanner speaks it, apart from the driver
// that the gateway follows the chain with.
type ScanNode struct {
	endpoint string
	user     *url.Userinfo
	name     string
	http     *http.Client
}

// maxScanAnswer bounds an answer: the JSON of the largest block is some ten
// times its size.
const maxScanAnswer = 512 << 20

// NewScanNode makes a client from a URL such as http://user:password@host:port.
func NewScanNode(address string) (*ScanNode, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("gateway: a node's URL must be http://user:password@host:port")
	}
	n := &ScanNode{user: u.User, name: u.Host, http: &http.Client{Timeout: time.Minute, Transport: &http.Transport{}}}
	u.User = nil
	n.endpoint = u.String()
	return n, nil
}

// Call implements NodeRPC. Numbers come as json.Number where result leaves
// their type open.
func (n *ScanNode) Call(ctx context.Context, method string, params []any, result any) error {
	body, err := json.Marshal(map[string]any{"jsonrpc": "1.0", "id": 1, "method": method, "params": params})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, n.endpoint, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("gateway: scanner: %s: malformed request", n.name)
	}
	request.Header.Set("Content-Type", "application/json")
	if n.user != nil {
		password, _ := n.user.Password()
		request.SetBasicAuth(n.user.Username(), password)
	}
	response, err := n.http.Do(request)
	if err != nil {
		var inner *url.Error
		if errors.As(err, &inner) { // without the URL
			err = inner.Err
		}
		return fmt.Errorf("gateway: scanner: %s: %s: %w", n.name, method, err)
	}
	defer response.Body.Close()
	var answer struct {
		Result json.RawMessage `json:"result"`
		Error  json.RawMessage `json:"error"`
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxScanAnswer)).Decode(&answer); err != nil {
		return fmt.Errorf("gateway: scanner: %s: %s: HTTP %d: %w", n.name, method, response.StatusCode, err)
	}
	if text := strings.TrimSpace(string(answer.Error)); text != "" && text != "null" {
		return fmt.Errorf("gateway: scanner: %s: %s: %q", n.name, method, text[:min(len(text), maxNote)])
	}
	dec := json.NewDecoder(bytes.NewReader(answer.Result))
	dec.UseNumber()
	if err := dec.Decode(result); err != nil {
		return fmt.Errorf("gateway: scanner: %s: %s: %w", n.name, method, err)
	}
	return nil
}

// ScanNodes are the nodes of a chain for the scanner. It asks one of them as long
// as it answers, then the next: what it reads only ever has to agree with what
// ledger and sidechain say, so whichever answers will do.
type ScanNodes struct {
	nodes []NodeRPC

	mu sync.Mutex
	at int // the one that is asked
}

// NewScanNodes makes clients from URLs.
func NewScanNodes(addresses []string) (*ScanNodes, error) {
	s := &ScanNodes{}
	for _, address := range addresses {
		node, err := NewScanNode(address)
		if err != nil {
			return nil, err
		}
		s.nodes = append(s.nodes, node)
	}
	if len(s.nodes) == 0 {
		return nil, errors.New("gateway: the scanner has no node")
	}
	return s, nil
}

// Call implements NodeRPC.
func (s *ScanNodes) Call(ctx context.Context, method string, params []any, result any) error {
	s.mu.Lock()
	first := s.at
	s.mu.Unlock()
	var errs []error
	for i := range s.nodes {
		at := (first + i) % len(s.nodes)
		err := s.nodes[at].Call(ctx, method, params, result)
		if err == nil || ctx.Err() != nil {
			s.mu.Lock()
			s.at = at
			s.mu.Unlock()
			return err
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
