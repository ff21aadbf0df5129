package market_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"causeway/sidechain"
	"causeway/sidechain/contracts/contracttest"
	"causeway/sidechain/jsvalue"
)

var update = flag.Bool("update", false, "write what the stories answer into their files")

// TestStories runs the files of testdata/stories. A file is a list of
// paragraphs: commands, a line "----", and what they answer. Lines that begin
// with "#" are remarks. The commands:
//
//	chain [native] [fills=N] [expired=N]   a new chain
//	ACCOUNT ACTION [key=text | key:=JSON]… a call of the market in a block of its own
//	wait DURATION
//	book SYMBOL | trades SYMBOL | metrics SYMBOL
//	has ACCOUNT SYMBOL…                    balances; "market" for the contract's
//
// After every command the books must be in order.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/stories/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no stories", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runStory(t, file) })
	}
}

func runStory(t *testing.T, file string) {
	old, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := &story{t: t}
	var out []string
	for paragraph := range strings.SplitSeq(strings.TrimSpace(string(old)), "\n\n") {
		commands, _, asked := strings.Cut(paragraph, "\n----")
		if !asked {
			out = append(out, paragraph)
			continue
		}
		answer := ""
		for line := range strings.SplitSeq(commands, "\n") {
			if !strings.HasPrefix(line, "#") {
				answer += s.run(strings.Fields(line))
			}
			if p := s.problems(); len(p) > 0 {
				t.Errorf("after %q: %q", line, p)
			}
		}
		out = append(out, strings.TrimSuffix(commands+"\n----\n"+answer, "\n"))
	}
	got := strings.Join(out, "\n\n") + "\n"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(strings.Split(string(old), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-file +answers):\n%s", file, diff)
	}
}

// story is a running file.
type story struct {
	t     *testing.T
	chain *contracttest.Chain
}

func (s *story) problems() []string {
	if s.chain == nil {
		return nil
	}
	return problems(s.chain)
}

func (s *story) run(words []string) string {
	switch words[0] {
	case "chain":
		s.chain = open(s.t, s.genesis(words[1:]))
		return ""
	case "wait":
		d, err := time.ParseDuration(words[1])
		if err != nil {
			s.t.Fatal(err)
		}
		s.chain.Wait(d, 1)
		return ""
	case "book":
		return s.list("market_sellBook", words[1], "account", "quantity", "price", "txId") +
			s.list("market_buyBook", words[1], "account", "quantity", "price", "tokensLocked", "txId")
	case "trades":
		return s.list("market_tradesHistory", words[1], "type", "buyer", "seller", "quantity", "price", "volume")
	case "metrics":
		return s.list("market_metrics", words[1], "volume", "lastPrice", "lowestAsk", "highestBid", "priceChangeHive", "priceChangePercent")
	case "has":
		return s.has(words[1], words[2:])
	}
	return s.call(words)
}

func (s *story) genesis(words []string) (g *sidechain.Genesis) {
	g = genesis(false)
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		n, _ := strconv.Atoi(value)
		switch name {
		case "native":
			fills, expired := g.Params.MaxFillsPerOrder, g.Params.MaxExpiredPerOrder
			g = genesis(true)
			g.Params.MaxFillsPerOrder, g.Params.MaxExpiredPerOrder = fills, expired
		case "fills":
			g.Params.MaxFillsPerOrder = n
		case "expired":
			g.Params.MaxExpiredPerOrder = n
		default:
			s.t.Fatalf("chain %s", word)
		}
	}
	return g
}

func (s *story) list(table, symbol string, keys ...string) string {
	var b strings.Builder
	for _, row := range s.chain.Rows(table) {
		if text(row, "symbol") != symbol {
			continue
		}
		b.WriteString(strings.TrimPrefix(table, "market_") + " " + text(row, "_id") + ":")
		for _, key := range keys {
			b.WriteString(" " + short(text(row, key)))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// short is a transaction's id without its zeros.
func short(s string) string {
	if len(s) != 40 {
		return s
	}
	return "tx" + strings.TrimLeft(s, "0")
}

func (s *story) has(account string, symbols []string) string {
	of := s.chain.Balance
	if account == "market" {
		of = s.chain.ContractBalance
	}
	out := account
	for _, symbol := range symbols {
		out += " " + zero(of(account, symbol)) + " " + symbol
	}
	return out + "\n"
}

func (s *story) call(words []string) string {
	payload := jsvalue.NewObject()
	for _, word := range words[2:] {
		key, value, raw := strings.Cut(word, ":=")
		if raw {
			v, err := jsvalue.Parse(value)
			if err != nil {
				s.t.Fatal(err)
			}
			payload.Set(key, v)
			continue
		}
		key, value, _ = strings.Cut(word, "=")
		payload.Set(key, strings.ReplaceAll(value, "_", " "))
	}
	r := s.chain.Call(words[0], "market", words[1], jsvalue.Stringify(payload))
	return short(r.ID) + ":" + readLogs(s.t, r.Logs) + "\n"
}

// readLogs shows the logs of a call in short.
func readLogs(t *testing.T, logs string) string {
	v, err := jsvalue.Parse(logs)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	events, _ := v.(*jsvalue.Object).Array("events")
	for _, e := range events {
		event := e.(*jsvalue.Object)
		data, _ := event.Object("data")
		b.WriteString("\n  " + text(event, "event"))
		for _, value := range data.All() {
			b.WriteString(" " + short(fmt.Sprint(value)))
		}
	}
	errors, _ := v.(*jsvalue.Object).Array("errors")
	for _, e := range errors {
		b.WriteString("\n  ! " + e.(string))
	}
	if b.Len() == 0 {
		return " nothing"
	}
	return b.String()
}
