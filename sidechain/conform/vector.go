package conform

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"causeway/sidechain"
	"causeway/sidechain/jsvalue"
)

// format is the only form of vectors that is read.
const format = "hsc-vector/1"

// vector is a parsed vector file.
type vector struct {
	genesis  string // name of the genesis file
	codeHash map[string]string
	steps    []step
	final    node
}

// step is one entry of a vector's steps.
type step struct {
	at     node
	write  bool
	failed bool
	input  sidechain.Input
	result node // of a block
	tables node // changes
}

func readVector(path string) (*vector, error) {
	root, err := readFile(path)
	if err != nil {
		return nil, err
	}
	if f := root.get("format"); f.value != format {
		return nil, fmt.Errorf("format is %s, not %q", jsvalue.Stringify(f.value), format)
	}
	v := &vector{genesis: root.get("genesis").text(), codeHash: map[string]string{}, final: root.must("final")}
	for _, c := range root.must("contracts").members() {
		// Null: it never ran.
		if hash := c.must("codeHash"); !hash.null() {
			v.codeHash[tableName(c)] = hash.text()
		}
	}
	for _, item := range root.must("steps").items() {
		v.steps = append(v.steps, readStep(item))
	}
	v.final.object()
	return v, root.doc.err
}

// readFile never fails with more than a message: vectors come from anywhere.
func readFile(path string) (node, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return node{}, err
	}
	return parseDocument(text)
}

func readStep(n node) step {
	s := step{at: n}
	switch kind := n.get("type").text(); kind {
	case "write":
		s.write = true
	case "block":
		s.failed = n.get("failed").value == true
		s.input = readBlock(n.get("block"))
		s.result = n.must("result")
	default:
		n.fail("unknown type %q", kind)
	}
	s.tables = n.must("tables")
	return s
}

func readBlock(n node) sidechain.Input {
	in := sidechain.Input{
		Ref:       n.get("refHiveBlockNumber").number(),
		RefID:     n.get("refHiveBlockId").text(),
		PrevRefID: n.get("prevRefHiveBlockId").text(),
		Timestamp: n.get("timestamp").text(),
	}
	for _, key := range []string{"virtualTransactions", "replay"} {
		if v := n.get(key); jsvalue.Truthy(v.value) && len(v.items()) > 0 {
			v.fail("a block that brings its own %s cannot be replayed", key)
		}
	}
	for _, tx := range n.must("transactions").items() {
		in.Transactions = append(in.Transactions, readTransaction(tx))
	}
	return in
}

func readTransaction(n node) *sidechain.Transaction {
	tx := &sidechain.Transaction{
		ID:     n.get("transactionId").text(),
		Sender: readText(n.get("sender")), Contract: readText(n.get("contract")),
		Action: readText(n.get("action")), Payload: readText(n.get("payload")),
	}
	if ref := n.get("refHiveBlockNumber"); !ref.null() {
		tx.Ref, tx.HasRef = ref.number(), true
	}
	return tx
}

func readText(n node) sidechain.Text {
	if n.null() {
		return sidechain.Text{}
	}
	return sidechain.T(n.text())
}

// findGenesis looks for the genesis file beside the vector, then in the
// folders above.
func findGenesis(vectorPath, name string) (string, error) {
	if name == "" || strings.ContainsAny(name, `/\`) {
		return "", fmt.Errorf("genesis: %q is no file name", name)
	}
	dir, err := filepath.Abs(filepath.Dir(vectorPath))
	if err != nil {
		return "", err
	}
	for {
		path := filepath.Join(dir, "_"+name+".json")
		_, err := os.Stat(path)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", fmt.Errorf("genesis: _%s.json is neither beside the vector nor in a folder above", name)
		}
		dir = up
	}
}
