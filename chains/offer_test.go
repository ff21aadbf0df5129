package chains

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

// pool is a node that takes the variants that it likes.
type pool struct {
	Source
	says    map[string]Verdict
	offered []string
	hangs   chan struct{}
}

func (p *pool) Broadcast(ctx context.Context, raw []byte) (Verdict, error) {
	if p.hangs != nil {
		<-p.hangs
	}
	p.offered = append(p.offered, string(raw))
	if v := p.says[string(raw)]; v != "" && v != Unknown {
		return v, nil
	}
	return Unknown, errFake
}

var variants = [][]byte{[]byte("new"), []byte("mid"), []byte("old")}

// Every node that answers is offered every variant until it has one, whatever the
// others say.
func TestOffer(t *testing.T) {
	type says = map[string]Verdict
	refuses := says{"new": Rejected, "mid": Conflict, "old": Rejected}
	for name, test := range map[string]struct {
		nodes   []says
		want    []Verdict
		offered [][]string
		unknown bool
	}{
		"all take the best": {[]says{{"new": Accepted}, {"new": Accepted}, {"new": Known}}, []Verdict{Accepted, "", ""}, [][]string{{"new"}, {"new"}, {"new"}}, false},
		"one is down":       {[]says{{"new": Accepted}, {"new": Accepted}, {}}, []Verdict{Accepted, Unknown, Unknown}, [][]string{{"new"}, {"new"}, {"new"}}, false},
		"different ones": {
			[]says{{"new": Rejected, "mid": Known}, {"new": Accepted}, {"new": Rejected, "mid": Rejected, "old": Accepted}},
			[]Verdict{Accepted, Known, Accepted}, [][]string{{"new", "mid"}, {"new"}, {"new", "mid", "old"}}, false,
		},
		"down, and the others have an old one": {
			[]says{{}, {"new": Rejected, "mid": Rejected, "old": Accepted}, refuses},
			[]Verdict{Unknown, Unknown, Accepted}, [][]string{{"new"}, {"new", "mid", "old"}, {"new", "mid", "old"}}, false,
		},
		"all refuse":               {[]says{refuses, refuses, refuses}, []Verdict{Rejected, Conflict, Rejected}, nil, false},
		"refused, and one is down": {[]says{refuses, {}, refuses}, []Verdict{Unknown, Unknown, Unknown}, nil, true},
		"it fails on the way":      {[]says{{"new": Rejected}, refuses, refuses}, []Verdict{Unknown, Unknown, Unknown}, [][]string{{"new", "mid"}}, true},
		"all are down":             {[]says{{}, {}, {}}, []Verdict{Unknown, Unknown, Unknown}, nil, true},
	} {
		var nodes []Source
		for _, n := range test.nodes {
			nodes = append(nodes, &pool{says: n})
		}
		q, err := NewQuorum(nodes, 2)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Offer(t.Context(), q, variants)
		if !slices.Equal(got, test.want) || (err != nil) != test.unknown {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		for i, want := range test.offered {
			if p, _ := nodes[i].(*pool); !slices.Equal(p.offered, want) {
				t.Errorf("%s: node %d was offered %q", name, i, p.offered)
			}
		}
	}
}

// One node by itself, and one that hangs: when the others have answered it is given
// nothing more.
func TestOfferEnds(t *testing.T) {
	one := &pool{says: map[string]Verdict{"new": Rejected, "mid": Accepted}}
	if got, err := Offer(t.Context(), one, variants); err != nil || !slices.Equal(got, []Verdict{Rejected, Accepted, ""}) {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := Offer(t.Context(), &pool{}, variants); !errors.Is(err, errFake) || got[0] != Unknown {
		t.Errorf("%q, %v", got, err)
	}
	hung := &pool{says: map[string]Verdict{"new": Rejected, "mid": Rejected, "old": Accepted}, hangs: make(chan struct{})}
	yes := map[string]Verdict{"new": Accepted}
	q, err := NewQuorum([]Source{hung, &pool{says: yes}, &pool{says: yes}}, 2)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := q.Offer(t.Context(), variants); err != nil || got[0] != Accepted {
		t.Errorf("%q, %v", got, err)
	}
	close(hung.hangs)
	for q.busy[0].Load() > 0 {
		time.Sleep(time.Millisecond)
	}
	if !slices.Equal(hung.offered, []string{"new"}) {
		t.Errorf("it was offered %q after the others were through", hung.offered)
	}
}
