package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"causeway/sidechain/base"
)

// recentBlock is a block that a restart may have to derive again.
type recentBlock struct {
	block *base.Block
	at    time.Time // when it was applied
}

// recentFor is for how long blocks are kept: longer than two checkpoints take.
const recentFor = 8 * time.Second

func (c *benchChain) remember(blocks []*base.Block) {
	now := time.Now()
	for _, b := range blocks {
		c.recent = append(c.recent, recentBlock{b, now})
	}
	old := 0
	for old < len(c.recent) && now.Sub(c.recent[old].at) > recentFor {
		old++
	}
	clear(c.recent[:old])
	c.recent = c.recent[old:]
}

// size is the number of rows, and what each of them takes: of the heap, with
// everything else that is in it, and in the file.
func (c *benchChain) size() map[string]float64 {
	rows, file := c.db.RowsStored()
	c.db.RLock()
	n := 0
	for _, name := range c.db.Tables().TableNames() {
		n += c.db.Tables().Table(name).Len()
	}
	c.db.RUnlock()
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	facts := map[string]float64{"rows": float64(n), "heap_bytes_per_row": float64(m.HeapAlloc) / float64(n)}
	if !c.o.Memory {
		facts["row_bytes_stored"] = float64(rows) / float64(n)
		facts["row_bytes_in_file"] = float64(file) / float64(n)
	}
	return facts
}

// restart opens a copy of the file as a kill leaves it now, and derives again
// what is not in it. Of nodelike runs only.
func (c *benchChain) restart(facts map[string]float64) error {
	if !c.o.Nodelike || c.o.Memory {
		return nil
	}
	path := filepath.Join(c.o.dir, "killed.db")
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = c.db.WriteTo(file)
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	start := time.Now()
	db, engine, err := openBenchEngine(c.o, path)
	if err != nil {
		return err
	}
	facts["restart_open_seconds"] = time.Since(start).Seconds()
	blocks := 0
	for _, r := range c.recent {
		if r.block.Number <= engine.Head().RefBlock {
			continue
		}
		blocks++
		if err = engine.Apply(r.block); err != nil {
			break
		}
	}
	facts["restart_seconds"], facts["restart_blocks"] = time.Since(start).Seconds(), float64(blocks)
	if err == nil && engine.Head() != c.engine.Head() {
		err = fmt.Errorf("bench: after the restart the head is %+v, it was %+v", engine.Head(), c.engine.Head())
	}
	return errors.Join(err, engine.Close(), db.Close())
}
