package rpcnode

import "causeway/chains"

// Open makes the Source of a coin from its nodes' URLs, quorum of which must
// agree. Nothing is dialled yet.
func Open(urls []string, quorum int, coin Coin, o Options) (*chains.Quorum, error) {
	nodes := make([]chains.Source, 0, len(urls))
	for _, u := range urls {
		n, err := New(u, coin, o)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	return chains.NewQuorum(nodes, quorum)
}
