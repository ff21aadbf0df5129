package hotwallet

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"

	"causeway/chains"
	"causeway/chains/utxo"

	"github.com/btcsuite/btcd/btcec/v2"
)

// checked is a request that passed every rule that needs no memory: what it
// promises, and its transaction, rebuilt from what was checked.
type checked struct {
	want intent
	sign func() (*utxo.Signed, error)
}

// check holds a request against the rows it carries, the keys and the caps.
// What is signed in the end is not the request's transaction but one rebuilt
// from what was checked; the two must be the same bytes.
func (s *LocalSigner) check(r *SignRequest) (*checked, error) {
	if rules, ok := s.cfg.Accounts[r.Assign.Chain]; ok {
		return s.checkAccount(rules, r)
	}
	return s.checkOutputs(r)
}

// checker walks one request to spend outputs.
type checker struct {
	signer  *LocalSigner
	r       *SignRequest
	coin    *utxo.Coin
	want    intent
	draft   *utxo.Draft                  // rebuilt here, equal to the request byte for byte
	keys    map[string]*btcec.PrivateKey // by the script that each spends
	outputs []chains.Output
	spends  []chains.Spend
	change  []byte // our own change script, derived here
}

func (s *LocalSigner) checkOutputs(r *SignRequest) (*checked, error) {
	coin := s.coins[r.Assign.Chain]
	if coin == nil {
		return nil, refuse(ErrMalformed, "chain %q is not configured", r.Assign.Chain)
	}
	_, outputs, spends, err := coin.DecodeTransaction(r.Unsigned)
	if err != nil {
		return nil, refuse(ErrMalformed, "transaction: %v", err)
	}
	change, err := s.cfg.Wallet.ChangeScript(coin.ID(), r.ChangeEpoch)
	if err != nil {
		return nil, refuse(ErrNotOurs, "change script: %v", err)
	}
	c := &checker{
		signer: s, r: r, coin: coin, keys: make(map[string]*btcec.PrivateKey), outputs: outputs, spends: spends, change: change,
	}
	if c.want, err = r.intent(KindPayout, KindChild, KindConsolidate, KindCancel); err != nil {
		return nil, err
	}
	payees := make([]Payee, len(r.Withdrawals))
	for i := range r.Withdrawals {
		if payees[i], err = c.withdrawal(&r.Withdrawals[i]); err != nil {
			return nil, err
		}
	}
	inputs, err := c.inputs()
	if err != nil {
		return nil, err
	}
	changed, err := c.payments(payees)
	if err != nil {
		return nil, err
	}
	if err := c.rebuild(inputs); err != nil {
		return nil, err
	}
	if err := c.caps(payees, changed); err != nil {
		return nil, err
	}
	return &checked{want: c.want, sign: func() (*utxo.Signed, error) { return c.draft.Sign(c.key) }}, nil
}

// intent checks the rows of a request against each other and gives what they
// promise, but for the payments.
func (r *SignRequest) intent(kinds ...Kind) (want intent, err error) {
	a := &r.Assign
	switch {
	case a.Batch == "":
		return want, refuse(ErrNotAssigned, "no batch id")
	case a.State != AssignOpen:
		return want, refuse(ErrNotAssigned, "batch %s is %s", a.Batch, a.State)
	case !slices.Contains(kinds, a.Kind):
		return want, refuse(ErrNotAssigned, "kind %q on %s", a.Kind, a.Chain)
	case (a.Kind == KindPayout) == (len(a.IDs) == 0):
		return want, refuse(ErrNotAssigned, "a %s of %d withdrawals", a.Kind, len(a.IDs))
	}
	want = intent{
		Batch: a.Batch, Chain: a.Chain, Kind: a.Kind,
		IDs: slices.Sorted(slices.Values(a.IDs)), Spends: slices.Sorted(slices.Values(a.Spends)),
	}
	if len(slices.Compact(slices.Clone(want.IDs))) != len(a.IDs) {
		return want, refuse(ErrNotAssigned, "batch %s lists a withdrawal twice", a.Batch)
	}
	var ids []string
	for _, w := range r.Withdrawals {
		switch {
		case w.ID == "":
			return want, refuse(ErrNotAssigned, "withdrawal without an id")
		case w.State != WithdrawalAssigned || w.Batch != a.Batch:
			return want, refuse(ErrNotAssigned, "withdrawal %s is %s, batch %q", w.ID, w.State, w.Batch)
		case w.Chain != a.Chain:
			return want, refuse(ErrNotAssigned, "withdrawal %s is on %s", w.ID, w.Chain)
		}
		ids = append(ids, w.ID)
	}
	slices.Sort(ids)
	if !slices.Equal(ids, want.IDs) {
		return want, refuse(ErrNotAssigned, "the withdrawals are not those of batch %s", a.Batch)
	}
	return want, nil
}

// key is the key that spends a script, if the inputs were checked to be of it.
func (c *checker) key(script []byte) (*btcec.PrivateKey, error) {
	if key := c.keys[string(script)]; key != nil {
		return key, nil
	}
	return nil, refuse(ErrNotOurs, "script %x", script)
}

// withdrawal is the payment that a row's own address and amount ask for.
func (c *checker) withdrawal(w *Withdrawal) (Payee, error) {
	script, err := c.coin.Script(w.Address)
	if err != nil {
		return Payee{}, refuse(ErrWrongOutputs, "withdrawal %s: %v", w.ID, err)
	}
	if bytes.Equal(script, c.change) {
		return Payee{}, refuse(ErrWrongOutputs, "withdrawal %s to our own change", w.ID)
	}
	amount, err := chains.FromCoin(w.Net, c.coin.Facts().Decimals)
	if err != nil || amount.IsZero() {
		return Payee{}, refuse(ErrWrongOutputs, "withdrawal %s: amount %q", w.ID, w.Net)
	}
	return Payee{ID: w.ID, Script: script, Amount: amount}, nil
}

// inputs checks that the transaction spends exactly the assigned outpoints, all
// of them ours, and takes the amounts from the transactions that made them.
func (c *checker) inputs() ([]utxo.Input, error) {
	var spends []string
	for _, s := range c.spends {
		spends = append(spends, SpendText(s.Outpoint))
	}
	slices.Sort(spends)
	if !slices.Equal(spends, c.want.Spends) || len(slices.Compact(spends)) != len(c.spends) {
		return nil, refuse(ErrWrongInputs, "not the spends of batch %s", c.want.Batch)
	}
	byOutpoint := make(map[chains.Outpoint]*SignInput, len(c.r.Inputs))
	for i := range c.r.Inputs {
		byOutpoint[c.r.Inputs[i].Outpoint] = &c.r.Inputs[i]
	}
	inputs := make([]utxo.Input, len(c.spends))
	for i, s := range c.spends {
		in := byOutpoint[s.Outpoint]
		if in == nil {
			return nil, refuse(ErrMalformed, "no previous transaction for %s", SpendText(s.Outpoint))
		}
		previous, err := c.previous(in)
		if err != nil {
			return nil, err
		}
		inputs[i] = utxo.Input{
			Outpoint: s.Outpoint, Amount: previous.Amount, Script: previous.Script, Sequence: utxo.Replaceable,
		}
	}
	return inputs, nil
}

// previous is the output that an input spends, from bytes that hash to its
// txid, and keeps the key for it.
func (c *checker) previous(in *SignInput) (*chains.Output, error) {
	txid, outputs, _, err := c.coin.DecodeTransaction(in.Previous)
	if err != nil {
		return nil, refuse(ErrMalformed, "previous transaction of %s: %v", SpendText(in.Outpoint), err)
	}
	if txid != in.TxID || int(in.Index) >= len(outputs) {
		return nil, refuse(ErrMalformed, "previous transaction %s has no output %s", txid, SpendText(in.Outpoint))
	}
	out := &outputs[in.Index]
	key, script, err := c.signer.cfg.Wallet.keyFor(c.coin.ID(), in.Watch)
	if err != nil {
		return nil, refuse(ErrNotOurs, "%s: %v", SpendText(in.Outpoint), err)
	}
	if !bytes.Equal(script, out.Script) {
		return nil, refuse(ErrNotOurs, "%s is not the %s script of %q, epoch %d",
			SpendText(in.Outpoint), in.Watch.Kind, in.Watch.Account, in.Watch.Epoch)
	}
	if out.Tokens {
		return nil, refuse(ErrWrongInputs, "%s carries tokens, which a payment of coins would destroy", SpendText(in.Outpoint))
	}
	c.keys[string(script)] = key
	return out, nil
}

// payments checks that the outputs are the payees, each once and in full, and
// beyond them nothing but change: one for a payout, at least one for the kinds
// that pay only ourselves.
func (c *checker) payments(payees []Payee) (changed int, err error) {
	missing := make(map[string]int, len(payees))
	texts := make([]string, 0, len(payees))
	for _, p := range payees {
		text := paymentText(p.Script, p.Amount)
		missing[text]++
		texts = append(texts, text)
	}
	for _, out := range c.outputs {
		text := paymentText(out.Script, out.Amount)
		switch {
		case missing[text] > 0:
			missing[text]--
		case bytes.Equal(out.Script, c.change):
			changed++
		default:
			return 0, refuse(ErrWrongOutputs, "output %d pays %s to %x, which no withdrawal asks for", out.Index, out.Amount, out.Script)
		}
	}
	for _, p := range payees {
		if missing[paymentText(p.Script, p.Amount)] > 0 {
			return 0, refuse(ErrWrongOutputs, "withdrawal %s is not paid in full", p.ID)
		}
	}
	if changed > 1 || changed == 0 && len(payees) == 0 {
		return 0, refuse(ErrWrongOutputs, "%d change outputs", changed)
	}
	slices.Sort(texts)
	sum := sha256.New()
	for _, text := range texts {
		fmt.Fprintln(sum, text)
	}
	c.want.Payments = hex.EncodeToString(sum.Sum(nil))
	return changed, nil
}

func paymentText(script []byte, amount chains.Amount) string {
	return hex.EncodeToString(script) + " " + amount.String()
}

// rebuild drafts the transaction from what was checked. That it comes out the
// same proves that version, order, sequences and scripts are as they must be.
func (c *checker) rebuild(inputs []utxo.Input) (err error) {
	payees := make([]utxo.Payee, len(c.outputs))
	for i, out := range c.outputs {
		payees[i] = utxo.Payee{Script: out.Script, Amount: out.Amount}
	}
	lockTime := binary.LittleEndian.Uint32(c.r.Unsigned[len(c.r.Unsigned)-4:])
	if lockTime >= maxLockHeight {
		return refuse(ErrMalformed, "lock time %d is no height", lockTime)
	}
	if c.draft, err = c.coin.Draft(inputs, payees, lockTime); err != nil {
		return refuse(ErrMalformed, "%v", err)
	}
	if !bytes.Equal(c.draft.Unsigned(), c.r.Unsigned) {
		return refuse(ErrMalformed, "transaction of batch %s is not in the one form that is signed", c.want.Batch)
	}
	return nil
}

// caps holds fee and total against the signer's own limits. Without change the
// fee may hold what was too little for one: less than dust and an output.
func (c *checker) caps(payees []Payee, changed int) error {
	caps, ok := c.signer.cfg.Caps[c.coin.ID()]
	if !ok {
		return refuse(ErrOverCap, "no caps for %s", c.coin.ID())
	}
	fee, vsize := c.draft.Fee(), c.draft.VSize()
	allowed := chains.NewAmount(feeFor(vsize, caps.MaxRate))
	if changed == 0 {
		output := (utxo.OutputWeight(c.change) + 3) / 4
		slack := chains.NewAmount(feeFor(output, caps.MaxRate))
		var err error
		if allowed, err = chains.Sum(allowed, slack, c.coin.Dust(c.change)); err != nil {
			return err
		}
	}
	switch {
	case caps.MaxFee.Less(fee):
		return refuse(ErrOverCap, "fee %s above %s", fee, caps.MaxFee)
	case allowed.Less(fee):
		return refuse(ErrOverCap, "fee %s for %d vbytes above %s", fee, vsize, allowed)
	case vsize > MaxStandardVSize || caps.MaxVSize != 0 && vsize > caps.MaxVSize:
		return refuse(ErrOverCap, "%d vbytes", vsize)
	}
	var total chains.Amount
	for _, p := range payees {
		var err error
		if total, err = total.Add(p.Amount); err != nil {
			return refuse(ErrOverCap, "%v", err)
		}
	}
	if caps.MaxTotal.Less(total) {
		return refuse(ErrOverCap, "total %s above %s", total, caps.MaxTotal)
	}
	return nil
}
