package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "causeway"

// allowed says what each part of the tree may import of the project itself. A
// package falls under the longest prefix that fits it.
var allowed = map[string][]string{
	"cmd":                              {"*"},
	"api":                              {"gateway", "pegs", "chains", "sidechain", "hotwallet"},
	"gateway":                          {"gateway", "hotwallet", "pegs", "chains", "sidechain", "internal/boltfile", "internal/failpoint"},
	"hotwallet":                        {"hotwallet", "chains", "sidechain/graphene", "sidechain/jsvalue", "sidechain/state", "internal/boltfile", "internal/failpoint"}, // role messages, state proofs: ADR 0011
	"pegs":                             {"pegs", "chains", "chains/address", "sidechain/contract", "sidechain/jsvalue", "internal/failpoint"},
	"pegs/contract":                    {"chains/address", "sidechain/contract", "sidechain/jsvalue", "sidechain/state", "internal/failpoint"},
	"chains":                           {"chains", "internal/failpoint"},
	"chains/address":                   {},
	"chains/devnet":                    {"chains"},
	"chains/devnet/evm":                {"chains/devnet/kit", "chains/ethereum/erc20test"}, // the other side of chains/ethereum: it must not share its code
	"chains/devnet/kit":                {},
	"chains/chaintest":                 {"chains"},
	"sidechain":                        {"sidechain", "internal/boltfile", "internal/failpoint"},
	"sidechain/jsvalue":                {},
	"sidechain/state":                  {"sidechain/jsvalue"},
	"sidechain/query":                  {"sidechain/jsvalue", "sidechain/state"},
	"sidechain/contract":               {"sidechain/jsvalue", "sidechain/state"},
	"sidechain/contracts":              {"sidechain/contract", "sidechain/contracts", "sidechain/jsvalue", "sidechain/state"},
	"sidechain/contracts/contracttest": {"sidechain"}, // test support: a chain for contracts
	"sidechain/graphene":               {"sidechain/jsvalue"},
	"internal":                         {"chains"},
	"internal/boltfile":                {},
	"internal/failpoint":               {},
	"cmd/campaign/model":               {}, // it judges the others
}

// consensus decides what a block means: an upgrade of a chain library must
// never be able to fork us.
var consensus = []string{"sidechain/contract", "sidechain/contracts", "sidechain/state", "sidechain/jsvalue", "pegs/contract", "chains/address"}

var notInConsensus = []string{"github.com/btcsuite/", "github.com/ethereum/", "github.com/cometbft/", "math/rand", "net", "os/exec"}

// only says which parts alone may import a foreign module.
var only = map[string][]string{
	"github.com/cometbft/": {"sidechain/base/comet"},
	"github.com/ethereum/": {"chains/ethereum", "chains/devnet/evm", "cmd/campaign"},
}

type pkg struct {
	path    string
	imports []string // of non-test files
	hasDoc  bool
	files   int
}

func packages(t *testing.T) []*pkg {
	t.Helper()
	root := filepath.Join("..", "..")
	byPath := map[string]*pkg{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "testdata" || entry.Name() == "node_modules" || strings.HasPrefix(entry.Name(), ".") && entry.Name() != ".." && path != root) {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		p := byPath[dir]
		if p == nil {
			p = &pkg{path: filepath.ToSlash(dir)}
			byPath[dir] = p
		}
		p.files++
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		p.hasDoc = p.hasDoc || filepath.Base(path) == "doc.go" && hasText(file.Doc)
		for _, spec := range file.Imports {
			p.imports = append(p.imports, strings.Trim(spec.Path.Value, `"`))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var list []*pkg
	for _, p := range byPath {
		slices.Sort(p.imports)
		p.imports = slices.Compact(p.imports)
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *pkg) int { return strings.Compare(a.path, b.path) })
	if len(list) < 10 {
		t.Fatalf("only %d packages found: the walk is broken", len(list))
	}
	return list
}

func hasText(doc *ast.CommentGroup) bool { return doc != nil && len(doc.Text()) > 80 }

// rule is the longest prefix of allowed that path falls under.
func rule(path string) (string, bool) {
	best, ok := "", false
	for prefix := range allowed {
		if under(path, prefix) && (len(prefix) > len(best) || !ok) {
			best, ok = prefix, true
		}
	}
	return best, ok
}

func under(path, prefix string) bool {
	return path == prefix || strings.HasPrefix(path, prefix+"/")
}

func forbidden(p *pkg) []string {
	prefix, ok := rule(p.path)
	if !ok {
		return []string{"no rule for this package"}
	}
	var bad []string
	for _, imported := range p.imports {
		local, ours := strings.CutPrefix(imported, module+"/")
		if ours && !slices.Contains(allowed[prefix], "*") && !slices.ContainsFunc(allowed[prefix], func(a string) bool { return under(local, a) }) && !under(local, p.path) {
			bad = append(bad, imported)
		}
		for foreign, homes := range only {
			if strings.HasPrefix(imported, foreign) && !slices.ContainsFunc(homes, func(home string) bool { return under(p.path, home) }) {
				bad = append(bad, imported)
			}
		}
		if slices.ContainsFunc(consensus, func(c string) bool { return under(p.path, c) }) && slices.ContainsFunc(notInConsensus, func(n string) bool {
			return imported == n || strings.HasSuffix(n, "/") && strings.HasPrefix(imported, n)
		}) {
			bad = append(bad, imported)
		}
	}
	return bad
}

func TestImportsPointOneWay(t *testing.T) {
	for _, p := range packages(t) {
		for _, bad := range forbidden(p) {
			t.Errorf("%s may not import %s", p.path, bad)
		}
	}
}

func TestAForbiddenImportIsFound(t *testing.T) {
	for _, p := range []*pkg{
		{path: "chains/utxo", imports: []string{"causeway/sidechain/state"}},
		{path: "sidechain/contracts/tokens", imports: []string{"causeway/chains"}},
		{path: "sidechain/state", imports: []string{"github.com/btcsuite/btcd/wire/v2"}},
		{path: "pegs", imports: []string{"causeway/gateway"}},
		{path: "hotwallet", imports: []string{"causeway/pegs"}},
		{path: "api", imports: []string{"causeway/cmd/causeway"}},
		{path: "gateway", imports: []string{"github.com/cometbft/cometbft/types"}},
		{path: "gateway", imports: []string{"github.com/ethereum/go-ethereum/core/types"}},
		{path: "hotwallet", imports: []string{"github.com/ethereum/go-ethereum/crypto"}},
		{path: "somewhere/new"},
	} {
		if len(forbidden(p)) == 0 {
			t.Errorf("%s with %v was allowed", p.path, p.imports)
		}
	}
}

func TestEveryPackageExplainsItself(t *testing.T) {
	for _, p := range packages(t) {
		if !p.hasDoc {
			t.Errorf("%s has no doc.go that says what it is", p.path)
		}
	}
}

func TestNothingUnfinishedIsLeft(t *testing.T) {
	root := filepath.Join("..", "..")
	marks := []string{"TO" + "DO", "FIX" + "ME", "X" + "XX", "not implemented" + " yet"}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, mark := range marks {
			if strings.Contains(string(text), mark) {
				t.Errorf("%s holds %q", path, mark)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
