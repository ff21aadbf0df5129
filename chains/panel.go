package chains

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"causeway/internal/failpoint"
)

const (
	// patience is how long, once enough nodes have answered, the others are
	// waited for: a node that hangs must not hold up those that do not.
	patience = time.Second
	// maxBusy is how many questions a node may leave unanswered before it is
	// asked no more until it has answered some.
	maxBusy = 8
)

// Panel is several nodes of which need must agree. More than half of the nodes are
// needed, so two answers that were agreed on can not contradict each other. N is
// what a node is to those who ask.
type Panel[N any] struct {
	nodes []N
	need  int
	busy  []atomic.Int32 // questions that a node has not answered yet

	mu      sync.Mutex
	dissent []dissent // by node
}

// dissent is where a node was last outvoted; the zero value means nowhere.
type dissent struct {
	height uint64
	said   string
}

// NewPanel asks nodes and believes need of them.
func NewPanel[N any](nodes []N, need int) (*Panel[N], error) {
	if need < 1 || need > len(nodes) || 2*need <= len(nodes) {
		return nil, fmt.Errorf("chains: quorum of %d among %d nodes: more than half are needed", need, len(nodes))
	}
	if failpoint.Off(failpoint.Quorum) {
		need = 1
	}
	return &Panel[N]{nodes: slices.Clone(nodes), need: need, busy: make([]atomic.Int32, len(nodes)), dissent: make([]dissent, len(nodes))}, nil
}

// Need is how many nodes must agree.
func (p *Panel[N]) Need() int { return p.need }

// Nodes is how many nodes are asked.
func (p *Panel[N]) Nodes() int { return len(p.nodes) }

// Failed says why there is no quorum. Not-found must not shine through: too few
// nodes said it.
func (p *Panel[N]) Failed(what string, answers int, errs []error) error {
	err := fmt.Errorf("%w: %s: %d different answers and %d errors from %d nodes, %d must agree", ErrNoQuorum, what, answers, len(errs), len(p.nodes), p.need)
	for _, e := range errs {
		if errors.Is(e, ErrNotFound) {
			e = errors.New(e.Error())
		}
		err = fmt.Errorf("%w; %w", err, e)
	}
	return err
}

// Compare notes which block a node named at a height at which enough nodes agreed.
func (p *Panel[N]) Compare(node int, height uint64, said, agreed string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case said != agreed:
		p.dissent[node] = dissent{height, fmt.Sprintf("its block at %d is %s, that of the others %s", height, clip(said), clip(agreed))}
	case height >= p.dissent[node].height:
		p.dissent[node] = dissent{}
	}
}

// Judge is a node's health in the light of what the others say.
func (p *Panel[N]) Judge(node int, h NodeHealth) NodeHealth {
	p.mu.Lock()
	defer p.mu.Unlock()
	if said := p.dissent[node].said; said != "" && h.OK {
		h.OK, h.Err, h.Outvoted = false, said, true
	}
	return h
}

// answer is what one node said.
type answer[T any] struct {
	node  int
	value T
	err   error
}

// put asks every node at once. The channel holds all answers, so that nobody has
// to take them. A node that hangs is not asked again and again.
func put[N, T any](ctx context.Context, q *Panel[N], question func(context.Context, N) (T, error)) <-chan answer[T] {
	answers := make(chan answer[T], len(q.nodes))
	for i, n := range q.nodes {
		if q.busy[i].Add(1) > maxBusy {
			q.busy[i].Add(-1)
			answers <- answer[T]{node: i, err: fmt.Errorf("%w: %d questions are unanswered", ErrUnavailable, maxBusy)}
			continue
		}
		go func() {
			defer q.busy[i].Add(-1)
			v, err := question(ctx, n)
			answers <- answer[T]{i, v, err}
		}()
	}
	return answers
}

// Ask puts a question to all nodes and hands the answers to enough as they come,
// until it is content. Nodes that have not answered by then are cut off.
func Ask[N, T any](ctx context.Context, q *Panel[N], question func(context.Context, N) (T, error), enough func(T, error) bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := put(ctx, q, question)
	for range q.nodes {
		if a := <-answers; enough(a.value, a.err) {
			return
		}
	}
}

// Gather waits for every node, but not long once enough of them have answered.
// Who is late is an error like any other; his call goes on, so that the node's
// own health shows what becomes of it.
func Gather[N, T any](ctx context.Context, q *Panel[N], question func(context.Context, N) (T, error)) (values []T, errs []error) {
	answers := put(ctx, q, question)
	var late <-chan time.Time
	for range q.nodes {
		select {
		case a := <-answers:
			if a.err != nil {
				errs = append(errs, a.err)
			} else if values = append(values, a.value); len(values) == q.need {
				late = time.After(patience)
			}
		case <-late:
			missing := len(q.nodes) - len(values) - len(errs)
			return values, append(errs, fmt.Errorf("%w: no answer of %d nodes in time", ErrUnavailable, missing))
		}
	}
	return values, errs
}

// ballot counts the answers to one question.
type ballot[T any] struct {
	votes  []vote[T]
	errs   []error
	winner *vote[T]
}

type vote[T any] struct {
	answer[T]
	nodes []int
}

// cast adds an answer and says whether enough nodes have given it. That a node
// does not have the thing is an answer too; any other error is none.
func (b *ballot[T]) cast(a answer[T], need int, same func(a, b T) bool) bool {
	missing := errors.Is(a.err, ErrNotFound)
	if a.err != nil && !missing {
		b.errs = append(b.errs, a.err)
		return false
	}
	i := slices.IndexFunc(b.votes, func(v vote[T]) bool {
		return missing && v.err != nil || !missing && v.err == nil && same(v.value, a.value)
	})
	if i < 0 {
		b.votes, i = append(b.votes, vote[T]{answer: a}), len(b.votes)
	}
	b.votes[i].nodes = append(b.votes[i].nodes, a.node)
	if len(b.votes[i].nodes) < need {
		return false
	}
	b.winner = &b.votes[i]
	return true
}

// Agree finds an answer that enough nodes gave. compare, when there is one, is
// told afterwards what each node that had the thing said and what was agreed on;
// without it the nodes that are late are cut off.
func Agree[N, T any](ctx context.Context, q *Panel[N], what string, same func(a, b T) bool,
	question func(context.Context, N) (T, error), compare func(node int, said, agreed T)) (T, error) {
	if compare == nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
	}
	var b ballot[T]
	answers, left := put(ctx, q, question), len(q.nodes)
	for left > 0 {
		left--
		if b.cast(<-answers, q.need, same) {
			break
		}
	}
	if b.winner == nil {
		var none T
		return none, q.Failed(what, len(b.votes), b.errs)
	}
	if compare != nil && b.winner.err == nil {
		for _, v := range b.votes {
			for _, node := range v.nodes {
				if v.err == nil {
					compare(node, v.value, b.winner.value)
				}
			}
		}
		go func(agreed T) { // who is late is heard all the same
			for range left {
				if a := <-answers; a.err == nil {
					compare(a.node, a.value, agreed)
				}
			}
		}(b.winner.value)
	}
	return b.winner.value, b.winner.err
}
