package jsonrpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// Call is one call of a batch.
type Call struct {
	Method string
	Params []any
	Result any // as in Client.Call
	// Err is what became of this call, as Client.Call returns it.
	Err error
}

// Batch makes several calls in one request whose answer has at most limit bytes,
// and sets Err of each. It fails as a whole, leaving nothing that could be taken
// for an answer, unless every call was answered exactly once.
func (c *Client) Batch(ctx context.Context, limit int64, calls []Call) error {
	if len(calls) == 0 {
		return nil
	}
	frames := make([]frame, len(calls))
	byID := make(map[string]int, len(calls))
	for i := range calls {
		id := c.nextID.Add(1)
		frames[i] = c.frame(id, calls[i].Method, calls[i].Params)
		byID[strconv.FormatUint(id, 10)] = i
	}
	name := fmt.Sprintf("batch of %d %s", len(calls), calls[0].Method)
	request, err := json.Marshal(frames)
	if err != nil {
		return fmt.Errorf("jsonrpc: %s: %w", name, err)
	}
	status, body, err := c.post(ctx, request, limit)
	if err != nil {
		return c.failed(name, err)
	}
	replies, err := decodeBatch(status, body, byID)
	if err != nil {
		return c.failed(name, err)
	}
	for i := range calls {
		r := &replies[i]
		if r.failed() {
			err = decodeError(status, r.Error)
		} else {
			err = r.decode(calls[i].Result)
		}
		calls[i].Err = c.failed(calls[i].Method, err)
	}
	return nil
}

// decodeBatch finds the reply to each request. A batch that is refused as a whole
// is answered by one object.
func decodeBatch(status int, body []byte, byID map[string]int) ([]reply, error) {
	if status != http.StatusOK {
		return nil, fmt.Errorf("HTTP %d", status)
	}
	var list []reply
	if json.Unmarshal(body, &list) != nil {
		var whole reply
		if err := json.Unmarshal(body, &whole); err == nil && whole.failed() {
			return nil, decodeError(status, whole.Error)
		}
		return nil, fmt.Errorf("not an answer to a batch, of %d bytes", len(body))
	}
	if len(list) != len(byID) {
		return nil, fmt.Errorf("%d answers to %d calls", len(list), len(byID))
	}
	replies, seen := make([]reply, len(byID)), make([]bool, len(byID))
	for _, r := range list {
		i, ok := byID[string(r.ID)]
		if !ok || seen[i] {
			return nil, errors.New("answer to another request")
		}
		replies[i], seen[i] = r, true
	}
	return replies, nil
}
