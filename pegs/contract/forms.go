package contract

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"causeway/sidechain/jsvalue"
)

// The accepted forms of identities.
var (
	utxoDeposit  = regexp.MustCompile(`^(btc|ltc|bch|doge):[0-9a-f]{64}:(0|[1-9][0-9]{0,5})$`)
	tokenDeposit = regexp.MustCompile(`^eth:0x[0-9a-f]{64}:(0|[1-9][0-9]{0,5})$`)
	etherDeposit = regexp.MustCompile(`^eth:0x[0-9a-f]{40}:(0|[1-9][0-9]{0,77})$`)
	outpointForm = regexp.MustCompile(`^[0-9a-f]{64}:(0|[1-9][0-9]{0,9})$`)
	nonceForm    = regexp.MustCompile(`^0x[0-9a-f]{40}:(0|[1-9][0-9]{0,9})$`)
	utxoTxID     = regexp.MustCompile(`^[0-9a-f]{64}$`)
	etherTxID    = regexp.MustCompile(`^0x[0-9a-f]{64}$`)
	batchForm    = regexp.MustCompile(`^[0-9a-z][0-9a-z:._-]{0,79}$`)
	refForm      = regexp.MustCompile(`^[\x21-\x7e]{1,64}$`)
	symbolForm   = regexp.MustCompile(`^[A-Z]+(\.[A-Z]+)?$`)
	keyForm      = regexp.MustCompile(`^0[23][0-9a-f]{64}$`)
	decimalForm  = regexp.MustCompile(`^[0-9]{1,60}(\.[0-9]{1,30})?$`)
)

const (
	eth        = "eth"
	maxList    = 500  // ids or spends of one batch
	maxText    = 1000 // proofs and reasons
	maxSymbol  = 10
	maxDecimal = 18 // of amounts in coin units
)

func isChain(name string) bool {
	switch name {
	case "btc", "ltc", "bch", "doge", eth:
		return true
	}
	return false
}

// depositProblem checks that an id names a deposit of the asset's chain, in
// the form of its kind: an output, an ERC-20 log, or an address with what it
// had received before.
func depositProblem(id string, a *asset) string {
	form := utxoDeposit
	switch {
	case a.chain == eth && a.token != "":
		form = tokenDeposit
	case a.chain == eth:
		form = etherDeposit
	}
	switch {
	case !utxoDeposit.MatchString(id) && !tokenDeposit.MatchString(id) && !etherDeposit.MatchString(id):
		return "invalid id"
	case !form.MatchString(id) || !strings.HasPrefix(id, a.chain+":"):
		return "the id is not of a deposit of this asset"
	}
	return ""
}

// isTxID says whether a text is a transaction id of a chain.
func isTxID(chain, txid string) bool {
	if chain == eth {
		return etherTxID.MatchString(txid)
	}
	return utxoTxID.MatchString(txid)
}

// isSpend says whether a text names an input of a chain: an outpoint, on
// Ethereum a sender and nonce.
func isSpend(chain, spend string) bool {
	form := outpointForm
	if chain == eth {
		form = nonceForm
	}
	if !form.MatchString(spend) {
		return false
	}
	_, err := strconv.ParseUint(spend[strings.IndexByte(spend, ':')+1:], 10, 32)
	return err == nil
}

// distinct says whether a list has no element twice.
func distinct(list []string) bool {
	seen := make(map[string]bool, len(list))
	for _, s := range list {
		if seen[s] {
			return false
		}
		seen[s] = true
	}
	return true
}

// amountOf reads an amount in plain decimal digits with at most so many
// decimals. What BigNumber takes besides (0x10, 1e3, +1, blanks) is refused:
// nobody means it.
func amountOf(v jsvalue.Value, decimals int) (jsvalue.BigNumber, bool) {
	s, ok := v.(string)
	if !ok || !decimalForm.MatchString(s) {
		return jsvalue.BigNumber{}, false
	}
	n := jsvalue.Big(s)
	dp, finite := n.DP()
	return n, finite && dp <= decimals
}

// positive says whether an amount is more than zero.
func positive(n jsvalue.BigNumber) bool { return n.Gt(jsvalue.BigInt(0)) }

// whole reads a number that is an integer between 0 and most.
func whole(v jsvalue.Value, most float64) (float64, bool) {
	f, ok := v.(float64)
	return f, ok && jsvalue.IsInteger(f) && f >= 0 && f <= most
}

// onCurve says whether 33 bytes in hex are a point of secp256k1: an address
// made from anything else could never be spent from.
func onCurve(key string) bool {
	if !keyForm.MatchString(key) {
		return false
	}
	p, _ := new(big.Int).SetString("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f", 16)
	x, _ := new(big.Int).SetString(key[2:], 16)
	if x.Cmp(p) >= 0 {
		return false
	}
	y2 := new(big.Int).Exp(x, big.NewInt(3), p)
	y2.Add(y2, big.NewInt(7)).Mod(y2, p)
	return big.Jacobi(y2, p) == 1
}
