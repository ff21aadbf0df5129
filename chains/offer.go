package chains

import (
	"context"
	"errors"
	"sync/atomic"
)

// Offerer is a Source of several nodes.
type Offerer interface {
	// Offer hands each node the variants of one transaction, best first, until it
	// has one: nodes may have different ones, and one that answers is offered all
	// though another does not. The verdicts are those of Broadcast, by variant, and
	// empty for what every node that was asked had something better than.
	Offer(ctx context.Context, variants [][]byte) ([]Verdict, error)
}

// Offer is Offerer.Offer, of a Source of one node too. The error is nil but for
// verdicts Unknown.
func Offer(ctx context.Context, s Source, variants [][]byte) ([]Verdict, error) {
	if o, ok := s.(Offerer); ok {
		return o.Offer(ctx, variants)
	}
	return OfferOne(variants, func(raw []byte) (Verdict, error) { return s.Broadcast(ctx, raw) })
}

// OfferOne is Offer of whatever is handed the variants as if it were one node.
func OfferOne(variants [][]byte, send func(raw []byte) (Verdict, error)) ([]Verdict, error) {
	said, err := offerOne(variants, send)
	return sumOffers(len(variants), [][]Verdict{said}, err)
}

// Offer implements Offerer.
func (q *Quorum) Offer(ctx context.Context, variants [][]byte) ([]Verdict, error) {
	return OfferEach(ctx, q.Panel, variants, func(ctx context.Context, n Source, raw []byte) (Verdict, error) { return n.Broadcast(ctx, raw) })
}

// OfferEach is Offerer.Offer of nodes of any kind. When it returns no node is given
// anything more.
func OfferEach[N any](ctx context.Context, p *Panel[N], variants [][]byte, send func(ctx context.Context, node N, raw []byte) (Verdict, error)) ([]Verdict, error) {
	var over atomic.Bool
	defer over.Store(true)
	type offer struct {
		said []Verdict
		err  error
	}
	// What a node said before it failed counts: its error is none of Gather's.
	offers, errs := Gather(ctx, p, func(ctx context.Context, n N) (o offer, err error) {
		o.said, o.err = offerOne(variants, func(raw []byte) (Verdict, error) {
			if over.Load() {
				return Unknown, ErrUnavailable
			}
			return send(ctx, n, raw)
		})
		if len(o.said) == 0 {
			return o, o.err
		}
		return o, nil
	})
	said := make([][]Verdict, len(offers))
	for i, o := range offers {
		said[i], errs = o.said, append(errs, o.err)
	}
	return sumOffers(len(variants), said, errors.Join(errs...))
}

// offerOne hands one node the variants until it has one, or fails: nothing is known
// of it then.
func offerOne(variants [][]byte, send func(raw []byte) (Verdict, error)) (said []Verdict, err error) {
	for _, raw := range variants {
		v, err := send(raw)
		if err == nil && v == Unknown {
			err = errNoVerdict
		}
		if err != nil {
			return said, err
		}
		if said = append(said, v); v == Accepted || v == Known {
			break
		}
	}
	return said, nil
}

var errNoVerdict = errors.New("broadcast: no verdict")

// sumOffers is what is known of each variant once nodes were offered them. failed
// says that nothing is known of some node.
func sumOffers(n int, said [][]Verdict, failed error) ([]Verdict, error) {
	sum := make([]Verdict, n)
	taken := false
	for i := range sum {
		var verdicts []Verdict
		for _, list := range said {
			if i < len(list) {
				verdicts = append(verdicts, list[i])
			}
		}
		var errs []error
		if failed != nil {
			errs = append(errs, failed)
		}
		if len(verdicts)+len(errs) > 0 {
			sum[i], _ = SumVerdicts(verdicts, errs)
		}
		taken = taken || sum[i] == Accepted || sum[i] == Known
	}
	if taken {
		return sum, nil
	}
	return sum, failed
}
