package erc20test

import (
	"encoding/hex"
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/sha3"
)

func keccak(text string) []byte {
	h := sha3.NewLegacyKeccak256()
	h.Write([]byte(text))
	return h.Sum(nil)
}

// TestSelectors computes what the compiler said anew.
func TestSelectors(t *testing.T) {
	names := map[string]bool{}
	for name, c := range contracts() {
		names[name] = true
		for signature, selector := range c.Selectors {
			if want := hex.EncodeToString(keccak(signature)[:4]); selector != want {
				t.Errorf("%s.%s: selector %s, want %s", name, signature, selector, want)
			}
		}
		var abi []map[string]any
		if err := json.Unmarshal([]byte(ABI(name)), &abi); err != nil || len(abi) == 0 {
			t.Errorf("%s: ABI: %d members, %v", name, len(abi), err)
		}
		if len(Bytecode(name)) < 50 {
			t.Errorf("%s: bytecode of %d bytes", name, len(Bytecode(name)))
		}
	}
	if diff := cmp.Diff(map[string]bool{Token: true, Payer: true, Payee: true, Bomb: true}, names); diff != "" {
		t.Errorf("contracts (-want +got):\n%s", diff)
	}
	if topic := TransferTopic(); string(topic[:]) != string(keccak("Transfer(address,address,uint256)")) {
		t.Errorf("TransferTopic is %x", topic)
	}
	if !strings.Contains(Source, "contract Token") {
		t.Error("no source")
	}
}

// TestCalls compares with encodings written out by hand from the ABI
// specification.
func TestCalls(t *testing.T) {
	a, b := [20]byte{0: 0xaa, 19: 1}, [20]byte{0: 0xbb, 19: 2}
	const (
		wordA = "000000000000000000000000aa00000000000000000000000000000000000001"
		wordB = "000000000000000000000000bb00000000000000000000000000000000000002"
		zeros = "000000000000000000000000000000000000000000000000"
	)
	for name, tc := range map[string]struct {
		got  []byte
		want string
	}{
		"transfer":       {Transfer(a, big.NewInt(1000)), "a9059cbb" + wordA + zeros + "00000000000003e8"},
		"transferFrom":   {TransferFrom(a, b, big.NewInt(1)), "23b872dd" + wordA + wordB + zeros + "0000000000000001"},
		"approve":        {Approve(b, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))), "095ea7b3" + wordB + strings.Repeat("f", 64)},
		"balanceOf":      {BalanceOf(b), "70a08231" + wordB},
		"decimals":       {Decimals(), "313ce567"},
		"symbol":         {Symbol(), "95d89b41"},
		"totalSupply":    {TotalSupply(), "18160ddd"},
		"mint":           {Mint(a, big.NewInt(255)), "40c10f19" + wordA + zeros + "00000000000000ff"},
		"setBlacklisted": {SetBlacklisted(a, true), hex.EncodeToString(keccak("setBlacklisted(address,bool)")[:4]) + wordA + zeros + "0000000000000001"},
		"setFee":         {SetFee(100, false), hex.EncodeToString(keccak("setFee(uint16,bool)")[:4]) + zeros + "0000000000000064" + zeros + "0000000000000000"},
		"setMode":        {SetMode(EatsGas), "21175b4a" + zeros + "0000000000000003"},
		"setPaused":      {SetPaused(true), hex.EncodeToString(keccak("setPaused(bool)")[:4]) + zeros + "0000000000000001"},
		"confiscate":     {Confiscate(a, big.NewInt(2)), hex.EncodeToString(keccak("confiscate(address,uint256)")[:4]) + wordA + zeros + "0000000000000002"},
		"pay":            {Pay(a, b), "6d37aeb7" + zeros + "0000000000000020" + zeros + "0000000000000002" + wordA + wordB},
		"payReverted":    {PayReverted(a), "f99df024" + wordA},
		"bomb":           {CreateBomb(a)[len(Bytecode(Bomb)):], wordA},
		"token": {CreateToken("Test USD", "", 6, big.NewInt(7))[len(Bytecode(Token)):], zeros + "0000000000000080" + zeros + "00000000000000c0" +
			zeros + "0000000000000006" + zeros + "0000000000000007" + zeros + "0000000000000008" + hex.EncodeToString([]byte("Test USD")) + zeros + zeros + "0000000000000000"},
	} {
		if got := hex.EncodeToString(tc.got); got != tc.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, tc.want)
		}
	}
}
