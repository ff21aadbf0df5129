package devnet

import (
	"encoding/hex"
	"encoding/json"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/txscript/v2"
)

func walletMethods() map[string]method {
	return map[string]method{
		"getnewaddress": {params: []string{"label", "address_type"}, acts: true, run: getNewAddress},
		"sendtoaddress": {params: []string{
			"address", "amount", "comment", "comment_to", "subtractfeefromamount", "replaceable",
			"conf_target", "estimate_mode", "avoid_reuse", "fee_rate", "verbose",
		}, required: 2, acts: true, run: sendToAddress},
		"getbalance":      {params: []string{"dummy", "minconf", "include_watchonly", "avoid_reuse"}, acts: true, run: getBalance},
		"validateaddress": {params: []string{"address"}, required: 1, acts: true, run: validateAddress},
	}
}

func getNewAddress(k *call) (any, error) {
	if _, err := k.text(0); err != nil {
		return nil, err
	}
	kind, err := k.text(1)
	if err != nil {
		return nil, err
	}
	w := k.c.wallet
	form := w.defaultForm()
	switch {
	case !k.has(1):
	case kind == "legacy":
		form = formPubKeyHash
	case kind == "p2sh-segwit" && w.params.SegWit:
		form = formNested
	case kind == "bech32" && w.params.SegWit:
		form = formWitness
	case kind == "bech32m" && w.params.SegWit:
		form = formTaproot
	default:
		return nil, fail(codeAddressOrKey, "Unknown address type '%s'", clip(kind))
	}
	k.c.mu.Lock()
	defer k.c.mu.Unlock()
	text, err := w.newAddress(form)
	if err != nil {
		return nil, err
	}
	return text, k.c.noteKeys()
}

func sendToAddress(k *call) (any, error) {
	p, err := k.payment()
	if err != nil {
		return nil, err
	}
	verbose, err := k.boolean(10, false)
	if err != nil {
		return nil, err
	}
	k.c.mu.Lock()
	defer k.c.mu.Unlock()
	msg, err := k.c.pay(p)
	if err != nil {
		return nil, err
	}
	tx := btcutil.NewTx(msg)
	if err := k.c.submit(tx, 0); err != nil {
		return nil, err
	}
	if verbose {
		return map[string]string{"txid": tx.Hash().String(), "fee_reason": "Fallback fee"}, nil
	}
	return tx.Hash().String(), nil
}

// payment reads the parameters of sendtoaddress. conf_target and
// estimate_mode change nothing: there is one rate.
func (k *call) payment() (p payment, err error) {
	to, err := k.text(0)
	if err != nil {
		return p, err
	}
	if p.script, err = k.c.params.Addresses.Decode(to); err != nil {
		return p, fail(codeAddressOrKey, "Invalid address: %s", clip(to))
	}
	if p.value, err = k.amount(1); err != nil {
		return p, err
	}
	if p.value == 0 {
		return p, fail(codeType, "Invalid amount for send")
	}
	if p.subtractFee, err = k.boolean(4, false); err != nil {
		return p, err
	}
	if p.replaceable, err = k.boolean(5, true); err != nil {
		return p, err
	}
	fees := k.c.params.Fees
	if p.feeRate, err = k.satPerByte(9, fees.Wallet); err != nil {
		return p, err
	}
	if p.feeRate < fees.Relay {
		return p, fail(codeParameter, "Fee rate is lower than the minimum relay fee")
	}
	if p.feeRate > 10*fees.Max {
		return p, fail(codeNoFunds, "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)")
	}
	return p, nil
}

// getBalance is what sendtoaddress could spend now, fees aside.
func getBalance(k *call) (any, error) {
	minconf, err := k.integer(1, 0)
	if err != nil {
		return nil, err
	}
	k.c.mu.RLock()
	defer k.c.mu.RUnlock()
	best, sum := int64(k.c.chain.BestSnapshot().Height), int64(0)
	for _, coin := range k.c.spendable() {
		confirmations := int64(0)
		if coin.height >= 0 {
			confirmations = best - int64(coin.height) + 1
		}
		if confirmations >= minconf {
			sum += coin.value
		}
	}
	return formatAmount(sum), nil
}

func validateAddress(k *call) (any, error) {
	text, err := k.text(0)
	if err != nil {
		return nil, err
	}
	script, err := k.c.params.Addresses.Decode(text)
	if err != nil {
		return struct {
			IsValid        bool            `json:"isvalid"`
			ErrorLocations json.RawMessage `json:"error_locations"`
			Error          string          `json:"error"`
		}{false, json.RawMessage("[]"), err.Error()}, nil
	}
	result := struct {
		IsValid        bool   `json:"isvalid"`
		Address        string `json:"address"`
		ScriptPubKey   string `json:"scriptPubKey"`
		IsScript       bool   `json:"isscript"`
		IsWitness      bool   `json:"iswitness"`
		WitnessVersion *int   `json:"witness_version,omitempty"`
		WitnessProgram string `json:"witness_program,omitempty"`
	}{IsValid: true, Address: k.c.params.Addresses.Encode(script), ScriptPubKey: hex.EncodeToString(script)}
	result.IsScript = txscript.IsPayToScriptHash(script) || txscript.IsPayToWitnessScriptHash(script) || txscript.IsPayToTaproot(script)
	if version, program, err := txscript.ExtractWitnessProgramInfo(script); err == nil {
		result.IsWitness, result.WitnessVersion = true, &version
		result.WitnessProgram = hex.EncodeToString(program)
	}
	return result, nil
}
