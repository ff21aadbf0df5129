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
	"reflect"
	"slices"
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
	version  string // of JSON-RPC
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
	n := &ScanNode{user: u.User, name: u.Host, version: "1.0", http: &http.Client{Timeout: time.Minute, Transport: &http.Transport{}}}
	u.User = nil
	n.endpoint = u.String()
	return n, nil
}

// NewAccountScanNode makes a client of a node of Ethereum.
func NewAccountScanNode(address string) (*ScanNode, error) {
	n, err := NewScanNode(address)
	if err == nil {
		n.version = "2.0"
	}
	return n, err
}

// Call implements NodeRPC. Numbers come as json.Number where result leaves
// their type open.
func (n *ScanNode) Call(ctx context.Context, method string, params []any, result any) error {
	body, err := json.Marshal(map[string]any{"jsonrpc": n.version, "id": 1, "method": method, "params": params})
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

// ScanNodes are the nodes of a chain for the scanner. What quorum of them say alike
// is believed: what one node invents would stand in the scanner's store until
// somebody has it read everything again, and halt the chain for as long.
type ScanNodes struct {
	nodes  []NodeRPC
	quorum int

	mu sync.Mutex
	at int // the one that is asked first
}

// NewScanNodes makes clients from URLs, quorum of which must agree.
func NewScanNodes(addresses []string, quorum int) (*ScanNodes, error) {
	return scanNodes(addresses, quorum, NewScanNode)
}

// NewAccountScanNodes is NewScanNodes for nodes of Ethereum.
func NewAccountScanNodes(addresses []string, quorum int) (*ScanNodes, error) {
	return scanNodes(addresses, quorum, NewAccountScanNode)
}

func scanNodes(addresses []string, quorum int, open func(string) (*ScanNode, error)) (*ScanNodes, error) {
	s := &ScanNodes{quorum: quorum}
	for _, address := range addresses {
		node, err := open(address)
		if err != nil {
			return nil, err
		}
		s.nodes = append(s.nodes, node)
	}
	if quorum < 1 || quorum > len(s.nodes) {
		return nil, fmt.Errorf("gateway: the scanner has %d nodes, %d of which should agree", len(s.nodes), quorum)
	}
	return s, nil
}

// Call implements NodeRPC: the answer of one node, of the first as long as it
// answers.
func (s *ScanNodes) Call(ctx context.Context, method string, params []any, result any) error {
	var errs []error
	for _, at := range s.order() {
		err := s.nodes[at].Call(ctx, method, params, result)
		if err == nil || ctx.Err() != nil {
			s.prefer(at)
			return err
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// order lists the nodes, the one that answered last first.
func (s *ScanNodes) order() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	order := make([]int, len(s.nodes))
	for i := range order {
		order[i] = (s.at + i) % len(s.nodes)
	}
	return order
}

func (s *ScanNodes) prefer(at int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = at
}

// agreed asks one node after the other until the quorum of them gives the same
// answer. A node that is not ScanNodes is asked alone.
func agreed[T any](ctx context.Context, node NodeRPC, ask func(context.Context, NodeRPC) (T, error)) (T, error) {
	s, several := node.(*ScanNodes)
	if !several {
		return ask(ctx, node)
	}
	var none T
	var answers []T
	var errs []error
	votes := map[int]int{} // of the answers
	for _, at := range s.order() {
		answer, err := ask(ctx, s.nodes[at])
		if ctx.Err() != nil {
			return none, ctx.Err()
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		same := slices.IndexFunc(answers, func(other T) bool { return reflect.DeepEqual(answer, other) })
		if same < 0 {
			same = len(answers)
			answers = append(answers, answer)
		}
		if votes[same]++; votes[same] >= s.quorum {
			s.prefer(at)
			return answers[same], nil
		}
	}
	return none, errors.Join(append(errs, fmt.Errorf("gateway: scanner: %d different answers and %d errors from %d nodes, %d must agree",
		len(answers), len(errs), len(s.nodes), s.quorum))...)
}
