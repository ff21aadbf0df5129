package evm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/holiman/uint256"
)

// maxMine bounds one request for blocks.
const maxMine = 10_000

// Mine makes n blocks with what waits in the pool.
func (c *Chain) Mine(n int) error {
	for range n {
		if _, err := c.mineOne(); err != nil {
			return err
		}
	}
	return nil
}

// mineOne takes the lock for one block, so that readers get their turn.
func (c *Chain) mineOne() (*block, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mine()
}

// mine makes the next block. The lock is held for writing.
func (c *Chain) mine() (*block, error) {
	w, err := c.fill(c.head())
	if err != nil {
		return nil, err
	}
	defer w.release()
	b, err := w.seal()
	if err != nil {
		return nil, err
	}
	return b, c.adopt(b)
}

// fill begins a block on parent and puts waiting transactions into it. The lock is
// held.
func (c *Chain) fill(parent *block) (*work, error) {
	w, err := c.begin(parent, c.nextTime(parent), c.extra())
	if err != nil {
		return nil, err
	}
	skip := map[common.Address]bool{}
	for {
		next := c.pool.best(w.state, w.header.BaseFee, skip)
		if next == nil {
			return w, nil
		}
		if err := w.add(next.tx); err != nil {
			// It does not fit any more, or cannot be paid by now. What follows it
			// from the same sender waits with it.
			if !errors.Is(err, core.ErrGasLimitReached) {
				c.log.Debug("devnet eth: transaction left out", "hash", next.tx.Hash(), "err", err)
			}
			skip[next.from] = true
		}
	}
}

// nextTime dates a block: by the clock, but always after its parent.
func (c *Chain) nextTime(parent *block) uint64 {
	return max(parent.Time()+1, uint64(max(0, c.clock().Unix())))
}

// extra is the extra data of the next block: no two blocks are ever the same.
func (c *Chain) extra() []byte { return binary.BigEndian.AppendUint64(nil, c.made+1) }

// adopt makes blocks, each on top of the one before, durable and canonical. The
// lock is held for writing.
func (c *Chain) adopt(blocks ...*block) error {
	for _, b := range blocks {
		if err := c.note(blockRecord(b)); err != nil {
			return err
		}
		c.insert(b)
	}
	if err := c.setHead(blocks[len(blocks)-1]); err != nil {
		return err
	}
	return c.refreshPool()
}

// insert makes a block known.
func (c *Chain) insert(b *block) {
	c.byHash[b.Hash()] = b
	c.made++
}

// setHead makes a known block the latest, whatever branch it is on.
func (c *Chain) setHead(head *block) error {
	var branch []*block
	for b := head; ; {
		n := b.NumberU64()
		if n < uint64(len(c.chain)) && c.chain[n] == b {
			break
		}
		branch = append(branch, b)
		if b = c.byHash[b.ParentHash()]; b == nil {
			return fmt.Errorf("block %s: an ancestor is unknown", head.Hash())
		}
	}
	keep := head.NumberU64() + 1 - uint64(len(branch))
	for _, b := range c.chain[keep:] {
		for _, tx := range b.Transactions() {
			delete(c.mined, tx.Hash())
		}
	}
	slices.Reverse(branch)
	c.chain = append(c.chain[:keep:keep], branch...)
	for _, b := range branch {
		for i, tx := range b.Transactions() {
			c.mined[tx.Hash()] = place{b, i}
		}
	}
	return nil
}

func (c *Chain) refreshPool() error {
	db, err := c.stateAt(c.head().Root())
	if err != nil {
		return err
	}
	c.pool.refresh(db)
	return nil
}

// submit takes a transaction into the pool, and mines it where Automine is set.
// The lock is held for writing.
func (c *Chain) submit(tx *types.Transaction) error {
	if err := checkFee(tx); err != nil {
		return err
	}
	if !tx.Protected() {
		return errUnprotected
	}
	db, err := c.stateAt(c.head().Root())
	if err != nil {
		return err
	}
	if err := c.pool.check(tx, c.config, c.head().Header(), db); err != nil {
		return err
	}
	record, err := txRecord(tx)
	if err != nil {
		return err
	}
	if err := c.note(record); err != nil {
		return err
	}
	if err := c.pool.put(tx); err != nil {
		return err
	}
	if c.auto && c.pool.best(db, c.nextBaseFee(), nil) != nil {
		_, err = c.mine()
	}
	return err
}

// SetBalance gives an address a balance by no transaction: no receipt, no log and
// no trace shows where it came from, as with ether that validators withdraw. A
// block of its own, without transactions, is made for it at once.
func (c *Chain) SetBalance(who common.Address, wei *uint256.Int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	w, err := c.begin(c.head(), c.nextTime(c.head()), c.extra())
	if err != nil {
		return err
	}
	defer w.release()
	w.force(forced{who, wei})
	b, err := w.seal()
	if err != nil {
		return err
	}
	return c.adopt(b)
}

// SetAutomine switches whether each accepted transaction makes a block.
func (c *Chain) SetAutomine(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.auto = on
}

// SetInterval makes a block each time d has passed; 0 makes none.
func (c *Chain) SetInterval(d time.Duration) { c.ticker.set(d) }

// interval makes blocks as time passes.
type interval struct {
	c    *Chain
	mu   sync.Mutex
	stop chan struct{} // nil: none are made
	done chan struct{}
}

func newInterval(c *Chain, d time.Duration) *interval {
	i := &interval{c: c}
	i.set(d)
	return i
}

func (i *interval) set(d time.Duration) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.stop != nil {
		close(i.stop)
		<-i.done
		i.stop = nil
	}
	if d <= 0 {
		return
	}
	i.stop, i.done = make(chan struct{}), make(chan struct{})
	go i.run(d, i.stop, i.done)
}

func (i *interval) run(d time.Duration, stop, done chan struct{}) {
	defer close(done)
	ticker := time.NewTicker(d)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
			if _, err := i.c.mineOne(); err != nil {
				i.c.log.Error("devnet eth: no block", "err", err)
			}
		}
	}
}
