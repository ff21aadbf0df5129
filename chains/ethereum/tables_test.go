package ethereum

import (
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"causeway/chains"
	"causeway/chains/jsonrpc"
)

// TestVerdict: what nodes say when they are handed a transaction. What was not
// heard of is unknown: nobody is paid again for it.
func TestVerdict(t *testing.T) {
	for message, want := range map[string]chains.Verdict{
		"already known": chains.Known, // geth, reth, Erigon
		"AlreadyKnown":  chains.Known, // Nethermind
		"AlreadyKnown, transaction hash 0x12 was already added": chains.Known,
		"Known transaction":                          chains.Known, // Besu
		"transaction already imported":               chains.Known, // anvil
		"INTERNAL_ERROR: existing tx with same hash": chains.Known, // Erigon

		"nonce too low": chains.Conflict,
		"nonce too low: next nonce 5, tx nonce 3":                     chains.Conflict, // geth
		"nonce too low: address 0x12, tx: 3 state: 5":                 chains.Conflict,
		"transaction nonce is too low":                                chains.Conflict,
		"OldNonce, Current nonce: 5, nonce of rejected tx: 3":         chains.Conflict, // Nethermind
		"OwnNonceAlreadyUsed":                                         chains.Conflict,
		"ReplacementNotAllowed":                                       chains.Conflict,
		"replacement transaction underpriced":                         chains.Conflict,
		"Transaction replacement underpriced":                         chains.Conflict, // Besu
		"INTERNAL_ERROR: could not replace existing tx":               chains.Conflict, // Erigon
		"future transaction tries to replace pending":                 chains.Conflict,
		"insufficient funds for gas * price + value: balance 0":       chains.Rejected,
		"Insufficient funds for gas * price + value":                  chains.Rejected, // anvil
		"InsufficientFunds, Account balance: 0, cumulative cost: 1":   chains.Rejected,
		"Upfront cost exceeds account balance":                        chains.Rejected,
		"intrinsic gas too low: gas 20000, minimum needed 21000":      chains.Rejected,
		"exceeds block gas limit":                                     chains.Rejected,
		"max fee per gas less than block base fee: address 0x12":      chains.Rejected,
		"transaction underpriced: tip needed 1, tip permitted 0":      chains.Rejected,
		"max priority fee per gas higher than max fee per gas":        chains.Rejected,
		"tx fee (2.00 ether) exceeds the configured cap (1.00 ether)": chains.Rejected,
		"invalid chain id for signer: have 1 want 31337":              chains.Rejected,
		"invalid sender": chains.Rejected,

		"txpool is full": chains.Unknown, "account limit exceeded": chains.Unknown, "internal error": chains.Unknown,
		"the method eth_sendRawTransaction does not exist/is not available": chains.Unknown, "daily request count exceeded": chains.Unknown,
		"request timed out": chains.Unknown, "header not found": chains.Unknown, "": chains.Unknown, "nonce": chains.Unknown,
	} {
		if got := verdict(&jsonrpc.Error{Code: -32000, Message: message}); got != want {
			t.Errorf("%q: %s, want %s", message, got, want)
		}
	}
}

func TestCheckVersion(t *testing.T) {
	for version, ok := range map[string]bool{
		"Geth/v1.17.10-stable-02b73d4f/linux-amd64/go1.26.1": true,
		"Geth/v1.15.9-stable/linux-amd64/go1.24":             true,
		"Geth/mynode/v1.15.9-stable/linux-amd64/go1.24":      false, // its version cannot be told
		"Geth/v1.15.8-stable/linux-amd64/go1.24":             false,
		"Geth/v1.9.25-stable/linux-amd64/go1.15":             false,
		"Geth":                                               false, "Geth/": false, "Geth/v1.16": false, "Geth/vX.Y.Z": false,
		"Nethermind/v1.31.9+2f3a1b/linux-x64/dotnet9.0.4": true,
		"Nethermind/v1.25.4+20b10b35/linux-x64":           false,
		"besu/v25.4.1/linux-x86_64/openjdk-java-21":       true,
		"besu/v24.12.2/linux-x86_64":                      false,
		"erigon/3.0.2/linux-amd64/go1.24":                 true,
		"erigon/2.61.0/linux-amd64/go1.22":                false,
		"reth/v1.3.12-6f8e7258/x86_64-unknown-linux-gnu":  true,
		"reth/v1.1.0-1ba631b/x86_64-unknown-linux-gnu":    false,
		"somethingnew/v0.1/linux":                         true,
		"":                                                true,
		"anvil/v1.7.1":                                    false,
		"HardhatNetwork/2.22.3/@nomicfoundation":          false,
		"Ganache/v7.9.2/EthereumJS TestRPC/v7.9.2":        false,
	} {
		if err := checkVersion(version); (err == nil) != ok {
			t.Errorf("%q: %v", version, err)
		}
	}
}

// TestPublicChains: on mainnet a node must have its block 0, and be no node for
// development that forked it.
func TestPublicChains(t *testing.T) {
	w := newDevnet(t)
	mainnet := about("eth_chainId", instead("0x1"))
	q, err := Open([]string{liar(t, w.url, mainnet)}, 1, Options{ChainID: 1, Network: chains.Mainnet})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.Head(t.Context(), Latest); !errors.Is(err, chains.ErrWrongNetwork) {
		t.Errorf("a chain with mainnet's id: %v", err)
	}
	var block0 object // by go-ethereum's own definition of mainnet
	if err := json.Unmarshal(must[[]byte](t)(json.Marshal(mainnetGenesis())), &block0); err != nil {
		t.Fatal(err)
	}
	forked := func(m string, r any) any {
		if m == "eth_getBlockByNumber" && r != nil && r.(object)["number"] == "0x0" {
			return block0
		}
		return mainnet(m, r)
	}
	for version, want := range map[string]error{
		"anvil/v1.7.1": chains.ErrNodeVersion, "Geth/v1.9.0-stable/x": chains.ErrNodeVersion, "Geth/v1.17.10-stable/x": nil,
	} {
		url := liar(t, w.url, func(m string, r any) any { return about("web3_clientVersion", instead(version))(m, forked(m, r)) })
		q, err := Open([]string{url}, 1, Options{ChainID: 1, Network: chains.Mainnet})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := q.Head(t.Context(), Latest); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%s: %v, want %v", version, err, want)
		}
		if h := q.Health()[0]; h.Version != version || h.Network != chains.Mainnet || h.OK != (want == nil) {
			t.Errorf("%+v", h)
		}
		q.Close()
	}
}

func TestPrice(t *testing.T) {
	gwei := func(text string) Wei { return must[Wei](t)(ParseGwei(text)) }
	limits := FeeLimits{Min: gwei("1"), Max: gwei("100")}
	for _, test := range []struct{ base, tip, wantMax, wantTip string }{
		{"10", "2", "22", "2"},
		{"10", "0", "20.01", "0.01"}, // an empty chain reports no tips
		{"0.1", "0.05", "1", "0.05"}, // not below the least
		{"80", "2", "100", "2"},      // not above the most, though it then waits
		{"10", "500", "100", "100"},
		{"1000000000000", "3", "100", "3"},
	} {
		got := limits.Price(Market{BaseFee: gwei(test.base), Tip: gwei(test.tip)})
		if want := (Price{Max: gwei(test.wantMax), Tip: gwei(test.wantTip)}); got != want {
			t.Errorf("base %s, tip %s: %+v, want %+v", test.base, test.tip, got, want)
		}
	}
	over := Market{BaseFee: WeiOfMax(), Tip: WeiOfMax()}
	if got := limits.Price(over); got.Max != limits.Max || got.Tip != limits.Max {
		t.Errorf("%+v", got)
	}
}

// TestReplace: a replacement is an eighth dearer in both, so that every node takes
// it, at least what the market asks for, and never above the limit.
func TestReplace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wei := func(name string) Wei { return NewWei(rapid.Uint64Range(0, 1<<40).Draw(t, name)) }
		limits := FeeLimits{Min: wei("min"), Max: wei("max")}
		if limits.Max.Less(limits.Min) {
			limits.Min, limits.Max = limits.Max, limits.Min
		}
		m := Market{BaseFee: wei("base"), Tip: wei("tip")}
		old := limits.Price(Market{BaseFee: wei("old base"), Tip: wei("old tip")})
		if old.Max.Less(old.Tip) || limits.Max.Less(old.Max) || old.Max.Less(limits.Min) {
			t.Fatalf("price %+v", old)
		}
		p, err := limits.Replace(old, m)
		if err != nil {
			if !errors.Is(err, ErrFeeCap) {
				t.Fatal(err)
			}
			return
		}
		enough := func(now, was Wei) bool {
			return new(big.Int).Mul(now.Big(), big.NewInt(8)).Cmp(new(big.Int).Mul(was.Big(), big.NewInt(9))) >= 0
		}
		fresh := limits.Price(m)
		if !enough(p.Max, old.Max) || !enough(p.Tip, old.Tip) || p.Max.Less(p.Tip) || limits.Max.Less(p.Max) || p.Max.Less(fresh.Max) || p.Tip.Less(fresh.Tip) {
			t.Fatalf("%+v after %+v, fresh %+v", p, old, fresh)
		}
	})
}

func TestGasLimit(t *testing.T) {
	for _, test := range []struct{ estimate, least, most, want uint64 }{
		{40_000, TokenGas, TokenGasCap, TokenGas}, {60_000, TokenGas, TokenGasCap, 75_000}, {90_000, TokenGas, TokenGasCap, TokenGasCap},
		{TokenGasCap, TokenGas, TokenGasCap, TokenGasCap}, {24_000, PlainGas, PayeeGasCap, 30_000},
	} {
		if got, err := gasLimit(test.estimate, test.least, test.most); err != nil || got != test.want {
			t.Errorf("%+v: %d, %v", test, got, err)
		}
	}
}

// TestWei: the arithmetic is that of integers, or an error.
func TestWei(t *testing.T) {
	limit := new(big.Int).Lsh(big.NewInt(1), 256)
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) Wei { return weiOfWord(rapid.SliceOfN(rapid.Byte(), 0, 32).Draw(t, name)) }
		a, b, n := draw("a"), draw("b"), rapid.Uint64().Draw(t, "n")
		check := func(name string, got Wei, err error, want *big.Int) {
			in := want.Sign() >= 0 && want.Cmp(limit) < 0
			if (err == nil) != in || in && got.Big().Cmp(want) != 0 || err != nil && !errors.Is(err, chains.ErrAmountRange) {
				t.Fatalf("%s of %s, %s, %d: %s, %v; want %s", name, a, b, n, got, err, want)
			}
		}
		sum, err := a.Add(b)
		check("sum", sum, err, new(big.Int).Add(a.Big(), b.Big()))
		difference, err := a.Sub(b)
		check("difference", difference, err, new(big.Int).Sub(a.Big(), b.Big()))
		product, err := a.Times(n)
		check("product", product, err, new(big.Int).Mul(a.Big(), new(big.Int).SetUint64(n)))
		if a.Cmp(b) != a.Big().Cmp(b.Big()) || a.Less(b) != (a.Cmp(b) < 0) || a.Equal(b) != (a.Cmp(b) == 0) {
			t.Fatalf("%s and %s", a, b)
		}
		word := a.Bytes()
		back, err := ParseWei(a.String())
		if err != nil || back != a || weiOfWord(word[:]) != a || a.String() != a.Big().String() {
			t.Fatalf("%s: %s, %v", a, back, err)
		}
		amount, err := a.Amount()
		if (err == nil) != (a.Big().BitLen() <= 128) || err == nil && (WeiOf(amount) != a || amount.String() != a.String()) {
			t.Fatalf("%s as an amount: %s, %v", a, amount, err)
		}
	})
	for _, bad := range []string{"", "01", "-1", "+1", "1.0", "1e3", "0x1", " 1", "1_0", WeiOfMax().String() + "0", limit.String()} {
		if w, err := ParseWei(bad); err == nil {
			t.Errorf("%q is %s", bad, w)
		}
	}
	if _, err := WeiFromBig(big.NewInt(-1)); err == nil {
		t.Error("-1")
	}
	var w Wei
	for _, bad := range []string{`5`, `"5.0"`, `1.5`, `null1`} {
		if err := json.Unmarshal([]byte(bad), &w); err == nil {
			t.Errorf("%s is %s", bad, w)
		}
	}
}

func TestTransferCall(t *testing.T) {
	data := TransferCall(account(1), NewWei(258))
	want := "0xa9059cbb000000000000000000000000ca000000000000000000000000000000000000010000000000000000000000000000000000000000000000000000000000000102"
	if hexData(data) != want {
		t.Errorf("%x", data)
	}
	if to, value, ok := ParseTransferCall(data); !ok || to != account(1) || value != NewWei(258) {
		t.Errorf("%s, %s, %v", to, value, ok)
	}
	for name, bad := range map[string][]byte{
		"cut": data[:67], "longer": append(data[:68:68], 0), "another method": append([]byte{1}, data[1:]...),
		"no account": append(append(data[:4:4], 1), data[5:]...), "empty": nil,
	} {
		if _, _, ok := ParseTransferCall(bad); ok {
			t.Errorf("%s is a transfer", name)
		}
	}
}

func TestSymbol(t *testing.T) {
	word := func(n uint64) string { b := NewWei(n).Bytes(); return string(b[:]) }
	pad := func(text string) string { return text + strings.Repeat("\x00", 32-len(text)) }
	for answer, want := range map[string]string{
		word(32) + word(4) + pad("USDT"):              "USDT",
		pad("MKR"):                                    "MKR", // a word of text
		word(32) + word(0):                            "",
		word(32) + word(5) + "USD":                    "",
		word(32) + word(1<<63) + pad("USDT"):          "",
		word(64) + word(4) + pad("USDT"):              "",
		word(32) + word(4) + pad("US\nT"):             "",
		word(32) + word(6) + pad("<b>\xff\xfe!"):      "",
		word(32) + word(40) + strings.Repeat("A", 64): "",
		"": "", "x": "", strings.Repeat("\xff", 32): "", word(32): "",
	} {
		if got := symbolOf([]byte(answer)); got != want {
			t.Errorf("%q: %q, want %q", answer, got, want)
		}
	}
}

func TestParseTag(t *testing.T) {
	for _, tag := range []Tag{Finalized, Safe, Latest} {
		if got, err := ParseTag(string(tag)); err != nil || got != tag {
			t.Error(got, err)
		}
	}
	for _, bad := range []string{"", "pending", "earliest", "Finalized"} {
		if _, err := ParseTag(bad); err == nil {
			t.Errorf("%q is a tag", bad)
		}
	}
}

func TestOptions(t *testing.T) {
	if _, err := Open([]string{"http://127.0.0.1:1"}, 1, Options{}); err == nil {
		t.Error("no chain id")
	}
	for _, bad := range []string{"", "127.0.0.1:8545", "ws://127.0.0.1:8546", "http://user:s3cret@%zz"} {
		if _, err := Open([]string{bad}, 1, Options{ChainID: 1}); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// FuzzTexts: the small readers of strangers' texts.
func FuzzTexts(f *testing.F) {
	for _, text := range []string{"0x1f", "115", "Geth/v1.15.9-stable/x", "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3", "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "0.5"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if w, err := ParseWei(text); err == nil && w.String() != text {
			t.Fatalf("%q is written %s", text, w)
		}
		if h, err := ParseHash(text); err == nil && h.String() != text {
			t.Fatalf("%q is written %s", text, h)
		}
		if a, err := ParseAddress(text); err == nil && !strings.EqualFold(a.String(), text) {
			t.Fatalf("%q is written %s", text, a)
		}
		if s := symbolOf([]byte(text)); len(s) > maxSymbol {
			t.Fatalf("symbol %q", s)
		}
		_ = checkVersion(text)
		_, _ = ParseGwei(text)
		if to, value, ok := ParseTransferCall([]byte(text)); ok && cmp.Diff(TransferCall(to, value), []byte(text)) != "" {
			t.Fatalf("%q is another transfer", text)
		}
	})
}
