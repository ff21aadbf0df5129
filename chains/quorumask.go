package chains

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	// patience is how long, once enough nodes have answered, the others are
	// waited for: a node that hangs must not hold up those that do not.
	patience = time.Second
	// maxBusy is how many questions a node may leave unanswered before it is
	// asked no more until it has answered some.
	maxBusy = 8
)

// answer is what one node said.
type answer[T any] struct {
	node  int
	value T
	err   error
}

// put asks every node at once. The channel holds all answers, so that nobody has
// to take them. A node that hangs is not asked again and again.
func put[T any](ctx context.Context, q *Quorum, question func(context.Context, Source) (T, error)) <-chan answer[T] {
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

// ask puts a question to all nodes and hands the answers to enough as they come,
// until it is content. Nodes that have not answered by then are cut off.
func ask[T any](ctx context.Context, q *Quorum, question func(context.Context, Source) (T, error), enough func(answer[T]) bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := put(ctx, q, question)
	for range q.nodes {
		if enough(<-answers) {
			return
		}
	}
}

// gather waits for every node, but not long once enough of them have answered.
// Who is late is an error like any other; his call goes on, so that the node's
// own health shows what becomes of it.
func gather[T any](ctx context.Context, q *Quorum, question func(context.Context, Source) (T, error)) (values []T, errs []error) {
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

// agree finds an answer that enough nodes gave. compare, when there is one, is
// told afterwards what each node that had the thing said and what was agreed on;
// without it the nodes that are late are cut off.
func agree[T any](ctx context.Context, q *Quorum, what string, same func(a, b T) bool,
	question func(context.Context, Source) (T, error), compare func(node int, said, agreed T)) (T, error) {
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
		return none, q.failed(what, len(b.votes), b.errs)
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
