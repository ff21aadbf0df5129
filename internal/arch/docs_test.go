package arch

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var testFunction = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w*)\(`)

// testFunctions lists the test functions of each package, those behind build tags
// too.
func testFunctions(t *testing.T) map[string][]string {
	t.Helper()
	root := filepath.Join("..", "..")
	found := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		for _, m := range testFunction.FindAllStringSubmatch(string(text), -1) {
			found[filepath.ToSlash(dir)] = append(found[filepath.ToSlash(dir)], m[1])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 20 {
		t.Fatalf("tests in only %d packages: the walk is broken", len(found))
	}
	return found
}

func readDoc(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{"..", ".."}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var (
	namedTest = regexp.MustCompile("`(?:([a-z][a-z0-9/]*)\\.)?((?:Test|Fuzz|Benchmark)[A-Za-z0-9_]*)`")
	campaign  = regexp.MustCompile(`campaigns? ([a-z]+)(?: and ([a-z]+))?`)
	rowStart  = regexp.MustCompile(`(?m)^\| (C?\d+(?:, C\d+)*) \|`)
)

// missingTests lists what a document names and the tree does not have.
func missingTests(text string, have map[string][]string) (missing []string) {
	for _, m := range namedTest.FindAllStringSubmatch(text, -1) {
		known := slices.Contains(have[m[1]], m[2])
		for _, list := range have {
			known = known || m[1] == "" && slices.Contains(list, m[2])
		}
		if !known {
			missing = append(missing, m[0])
		}
	}
	return missing
}

// TestDocumentsNameTestsThatExist: a document that says what is tested is believed.
func TestDocumentsNameTestsThatExist(t *testing.T) {
	have := testFunctions(t)
	root := filepath.Join("..", "..")
	var names []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/adr/*.md"} {
		list, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, list...)
	}
	if len(names) < 10 {
		t.Fatalf("only %d documents found", len(names))
	}
	for _, path := range names {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range missingTests(string(text), have) {
			t.Errorf("%s names %s, which does not exist", path, name)
		}
	}
	if got := missingTests("`gateway.TestNothingLikeThis`, `TestNeither`, `chains.TestMatch`, `internal/arch.TestMatch`", have); len(got) != 3 {
		t.Errorf("of three tests that do not exist %v were found", got)
	}
}

// TestScenariosAreAllThere: the table has each scenario and crash point once, each
// row says what covers it, and campaigns are those that there are.
func TestScenariosAreAllThere(t *testing.T) {
	text := readDoc(t, "docs", "scenarios.md")
	rows := map[string]int{}
	for _, m := range rowStart.FindAllStringSubmatch(text, -1) {
		for _, name := range strings.Split(m[1], ", ") {
			rows[name]++
		}
	}
	var want []string
	for n := 1; n <= 100; n++ {
		want = append(want, strconv.Itoa(n))
	}
	for n := 1; n <= 24; n++ {
		want = append(want, fmt.Sprint("C", n))
	}
	for _, name := range want {
		if rows[name] != 1 {
			t.Errorf("%s has %d rows", name, rows[name])
		}
	}
	if len(rows) != len(want) {
		t.Errorf("%d rows, want %d", len(rows), len(want))
	}
	for line := range strings.Lines(text) {
		said := strings.Contains(line, "Ethereum, later") || strings.Contains(line, "**Not covered**") || strings.Contains(line, "Not defended against") ||
			namedTest.MatchString(line) || campaign.MatchString(line)
		if rowStart.MatchString(line) && !said {
			t.Errorf("says nothing: %s", line)
		}
	}
	doc := readDoc(t, "cmd", "campaign", "doc.go")
	for _, m := range campaign.FindAllStringSubmatch(text, -1) {
		for _, name := range m[1:] {
			if name != "" && !strings.Contains(doc, "//\t"+name+" ") {
				t.Errorf("there is no campaign %s", name)
			}
		}
	}
}
