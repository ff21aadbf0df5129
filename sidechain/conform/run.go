package conform

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"causeway/sidechain"
	"causeway/sidechain/contract"
	"causeway/sidechain/state"
)

// Result is the outcome of one vector.
type Result struct {
	Vector   string   `json:"vector"` // path of the file
	OK       bool     `json:"ok"`
	Compared Compared `json:"compared"`
	// Diff says what differed, the first differences only; empty when OK.
	Diff []string `json:"diff"`
}

// Compared counts what was compared.
type Compared struct {
	Logs   int `json:"logs"`
	Rows   int `json:"rows"`
	Hashes int `json:"hashes"`
}

// Summary counts vectors.
type Summary struct{ Passed, Failed int }

// String is the last line of a report.
func (s Summary) String() string { return fmt.Sprintf("%d passed, %d failed", s.Passed, s.Failed) }

// Errors of Run.
var (
	ErrFailed    = errors.New("conform: vectors failed")
	ErrNoVectors = errors.New("conform: no vector found")
)

// Run replays the vectors in files and folders, in the order of paths and, in
// a folder, of names, and hands each result to report. Files whose names begin
// with "_" are not vectors. The error is ErrFailed when a vector failed,
// ErrNoVectors when there was none.
func Run(paths []string, report func(Result)) (Summary, error) {
	var sum Summary
	one := func(r Result) {
		if r.OK {
			sum.Passed++
		} else {
			sum.Failed++
		}
		report(r)
	}
	for _, path := range paths {
		files, err := vectorFiles(path)
		if err != nil {
			one(failure(path, err))
		}
		for _, file := range files {
			one(RunFile(file))
		}
	}
	switch {
	case sum.Failed > 0:
		return sum, fmt.Errorf("%w: %s", ErrFailed, sum)
	case sum.Passed == 0:
		return sum, ErrNoVectors
	}
	return sum, nil
}

// vectorFiles lists the vectors of a path, sorted.
func vectorFiles(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		if strings.HasPrefix(filepath.Base(path), "_") {
			return nil, nil
		}
		return []string{path}, nil
	}
	var files []string
	err = filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if !entry.IsDir() && strings.HasSuffix(name, ".json") && !strings.HasPrefix(name, "_") {
			files = append(files, file)
		}
		return nil
	})
	return files, err
}

func failure(path string, err error) Result {
	return Result{Vector: path, Diff: []string{err.Error()}}
}

// RunFile replays one vector.
func RunFile(path string) (r Result) {
	defer func() {
		if p := recover(); p != nil {
			r = failure(path, fmt.Errorf("panic: %v", p))
		}
	}()
	v, err := readVector(path)
	if err != nil {
		return failure(path, err)
	}
	genesisPath, err := findGenesis(path, v.genesis)
	if err != nil {
		return failure(path, err)
	}
	root, err := readFile(genesisPath)
	if err != nil {
		return failure(path, fmt.Errorf("genesis: %w", err))
	}
	cfg := peer()
	cfg.Versions = append(cfg.Versions, v.doubles()...)
	db, rt, err := load(root, cfg)
	if err != nil {
		return failure(path, fmt.Errorf("genesis: %w", err))
	}
	c := &comparer{db: db, rt: rt}
	c.codeHashes(v, cfg.Versions)
	c.run(v)
	diff := c.diff
	if diff == nil {
		diff = []string{}
	}
	return Result{Vector: path, OK: len(diff) == 0, Compared: c.compared, Diff: diff}
}

// doubles are the stand-ins that are known by what they do; their hashes are
// those that the vector names.
func (v *vector) doubles() []sidechain.Version {
	var out []sidechain.Version
	for source, codeHash := range v.codeHash {
		for prefix, actions := range byPrefix {
			if strings.HasPrefix(source, prefix) {
				out = append(out, sidechain.Version{Source: source, Contract: contract.Contract(double{codeHash, actions})})
			}
		}
	}
	return out
}

// codeHashes compares what the vector says of the contracts that are built.
func (c *comparer) codeHashes(v *vector, versions []sidechain.Version) {
	c.at = "contracts"
	for _, known := range versions {
		if hash, ok := v.codeHash[known.Source]; ok {
			c.compared.Hashes++
			c.same("codeHash of "+known.Source, known.Contract.CodeHash(), hash)
		}
	}
}

// run replays the steps until something differs: what follows a difference
// says nothing.
func (c *comparer) run(v *vector) {
	for _, s := range v.steps {
		c.at = s.at.path
		if s.write {
			apply(c.db, s)
		} else {
			c.block(s)
		}
		forget(c.db)
		if err := s.at.doc.err; err != nil {
			c.differ("%v", err)
		}
		if len(c.diff) > 0 {
			return
		}
	}
	c.at = "final"
	c.final(v.final)
	if err := v.final.doc.err; err != nil && len(c.diff) == 0 {
		c.differ("%v", err)
	}
}

// block executes a block step and compares its result.
func (c *comparer) block(s step) {
	before := snapshot(c.db)
	if s.input.Ref <= c.rt.Last().Ref {
		c.noBlock(s, before)
		return
	}
	block, trace, err := c.rt.Produce(s.input)
	switch {
	case errors.Is(err, sidechain.ErrBlock):
		if !s.failed {
			c.differ("%v", err)
			return
		}
		c.noBlock(s, before)
		return
	case err != nil:
		c.differ("%v", err)
		return
	case s.failed:
		c.differ("the peer failed on this block, we did not")
		return
	}
	if block == nil {
		c.noBlock(s, before)
		return
	}
	if s.result.null() {
		c.differ("a block was stored, none expected")
		return
	}
	c.result(s, block, trace)
	c.changes(s.tables, before)
}

// noBlock checks a step that stored nothing.
func (c *comparer) noBlock(s step, before map[string]map[string]state.Row) {
	if !s.result.null() {
		c.differ("no block was stored, block %d expected", s.result.get("blockNumber").number())
		return
	}
	c.changes(s.tables, before)
}
