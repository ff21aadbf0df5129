package hotwallet

import (
	"bytes"
	"fmt"
	"slices"

	"causeway/chains"
	"causeway/chains/ethereum"
	"causeway/chains/utxo"

	"github.com/btcsuite/btcd/btcec/v2"
)

// AccountRules are what the signer signs for on a chain of accounts, where a
// transaction spends a sender's nonce instead of outputs: the limits, and the
// tokens that withdrawals may be of.
type AccountRules struct {
	ChainID uint64 // EIP-155
	// Coin is the symbol of the chain's own coin, Tokens those of its ERC-20s.
	Coin   string
	Tokens map[string]AccountToken
	// MaxGas and MaxGasPrice bound one transaction, MaxFee what it can burn at
	// most: gas limit × fee cap; all but MaxGas in wei. MaxTotal bounds what a
	// payout of the coin pays.
	MaxGas              uint64
	MaxGasPrice, MaxFee ethereum.Wei
	MaxTotal            chains.Amount
}

// AccountToken is an ERC-20 that withdrawals are paid in.
type AccountToken struct {
	Contract ethereum.Address
	Decimals int
	MaxTotal chains.Amount // of one payout, in the token's units
}

// coinDecimals are those of ether.
const coinDecimals = 18

// accountChecker walks one request to use a nonce.
type accountChecker struct {
	AccountRules
	signer *LocalSigner
	r      *SignRequest
	tx     *ethereum.Transaction
	from   ethereum.Address
	key    *btcec.PrivateKey
}

// checkAccount is check on a chain of accounts. All variants of a batch have its
// nonce and ask for the same; only what they offer for the gas differs.
func (s *LocalSigner) checkAccount(rules AccountRules, r *SignRequest) (*checked, error) {
	want, err := r.intent(KindPayout, KindSweep, KindTopup, KindCancel)
	if err != nil {
		return nil, err
	}
	tx, err := ethereum.DecodeUnsigned(r.Unsigned)
	if err != nil {
		return nil, refuse(ErrMalformed, "transaction: %v", err)
	}
	c := &accountChecker{AccountRules: rules, signer: s, r: r, tx: tx}
	for _, rule := range []func() error{c.sender, c.limits, c.purpose} {
		if err := rule(); err != nil {
			return nil, err
		}
	}
	want.Payments = accountPayment(tx)
	return &checked{want: want, sign: c.sign}, nil
}

// sender checks that the nonce is the one that was assigned, of an account of ours
// that may do what the batch is for.
func (c *accountChecker) sender() error {
	if len(c.r.Inputs) != 1 || len(c.r.Assign.Spends) != 1 {
		return refuse(ErrWrongInputs, "%d inputs, %d spends: one nonce is used at a time", len(c.r.Inputs), len(c.r.Assign.Spends))
	}
	in := &c.r.Inputs[0]
	key, script, err := c.signer.cfg.Wallet.keyFor(c.r.Assign.Chain, in.Watch)
	if err != nil {
		return refuse(ErrNotOurs, "%s: %v", SpendText(in.Outpoint), err)
	}
	c.key, c.from = key, ethereum.Address(script)
	switch spend := fmt.Sprintf("0x%x:%d", c.from[:], c.tx.Nonce); {
	case spend != c.r.Assign.Spends[0] || spend != SpendText(in.Outpoint):
		return refuse(ErrWrongInputs, "it uses %s, assigned was %s", spend, c.r.Assign.Spends[0])
	case c.tx.ChainID != c.ChainID:
		return refuse(ErrMalformed, "chain id %d, not %d", c.tx.ChainID, c.ChainID)
	case !slices.Contains(senders[c.r.Assign.Kind], in.Watch.Kind):
		return refuse(ErrWrongInputs, "a %s from an account of kind %q", c.r.Assign.Kind, in.Watch.Kind)
	}
	return nil
}

// senders are the kinds of accounts that may send what a batch is for.
var senders = map[Kind][]chains.WatchKind{
	KindPayout: {chains.WatchChange},
	KindSweep:  {chains.WatchDeposit},
	KindTopup:  {chains.WatchChange, chains.WatchSweeper},
	KindCancel: {chains.WatchChange, chains.WatchSweeper, chains.WatchDeposit},
}

// limits holds gas and fee against the signer's own.
func (c *accountChecker) limits() error {
	fee, err := c.tx.Price.Max.Times(c.tx.Gas)
	switch {
	case err != nil:
		return refuse(ErrOverCap, "fee: %v", err)
	case c.MaxGas < c.tx.Gas:
		return refuse(ErrOverCap, "gas limit %d above %d", c.tx.Gas, c.MaxGas)
	case c.MaxGasPrice.Less(c.tx.Price.Max):
		return refuse(ErrOverCap, "gas at %s wei above %s", c.tx.Price.Max, c.MaxGasPrice)
	case c.MaxFee.Less(fee):
		return refuse(ErrOverCap, "fee %s wei above %s", fee, c.MaxFee)
	}
	return nil
}

// purpose checks what the transaction asks for.
func (c *accountChecker) purpose() error {
	switch c.r.Assign.Kind {
	case KindPayout:
		return c.payout()
	case KindSweep:
		return c.sweep()
	case KindTopup:
		return c.topup()
	}
	if c.tx.To != c.from || !c.tx.Value.IsZero() || len(c.tx.Data) != 0 {
		return refuse(ErrWrongOutputs, "a cancel that does something")
	}
	return nil
}

// payout pays one withdrawal, by its own row, in full and nothing else.
func (c *accountChecker) payout() error {
	if len(c.r.Withdrawals) != 1 {
		return refuse(ErrWrongOutputs, "one transaction for %d withdrawals", len(c.r.Withdrawals))
	}
	w := &c.r.Withdrawals[0]
	want, err := c.asked(w)
	if err != nil {
		return refuse(ErrWrongOutputs, "withdrawal %s: %v", w.ID, err)
	}
	limit := c.MaxTotal
	if token, ok := c.Tokens[w.Symbol]; ok {
		limit = token.MaxTotal
	}
	switch {
	case want.payee == c.from:
		return refuse(ErrWrongOutputs, "withdrawal %s to our own account", w.ID)
	case want.To != c.tx.To || want.Value != c.tx.Value || !bytes.Equal(want.Data, c.tx.Data):
		return refuse(ErrWrongOutputs, "withdrawal %s asks for something else", w.ID)
	case limit.Less(want.amount):
		return refuse(ErrOverCap, "withdrawal %s of %s above %s", w.ID, want.amount, limit)
	}
	return nil
}

// asked is the payment that a withdrawal's row asks for.
type asked struct {
	ethereum.Transaction // To, Value and Data
	payee                ethereum.Address
	amount               chains.Amount
}

func (r AccountRules) asked(w *Withdrawal) (a asked, err error) {
	if a.payee, err = ethereum.ParseAddress(w.Address); err != nil {
		return a, err
	}
	token, isToken := r.Tokens[w.Symbol]
	decimals := coinDecimals
	switch {
	case isToken:
		decimals = token.Decimals
	case w.Symbol != r.Coin:
		return a, fmt.Errorf("%q is neither the coin nor a token that is configured", w.Symbol)
	}
	if a.amount, err = chains.FromCoin(w.Net, decimals); err != nil {
		return a, err
	}
	if a.amount.IsZero() {
		return a, fmt.Errorf("amount %q", w.Net)
	}
	if isToken {
		a.To, a.Data = token.Contract, ethereum.TransferCall(a.payee, ethereum.WeiOf(a.amount))
	} else {
		a.To, a.Value = a.payee, ethereum.WeiOf(a.amount)
	}
	return a, nil
}

// payments is what intent.Payments of a batch is by its rows alone; empty where
// they do not say it.
func (r AccountRules) payments(request *SignRequest) string {
	if request.Assign.Kind != KindPayout || len(request.Withdrawals) != 1 {
		return ""
	}
	a, err := r.asked(&request.Withdrawals[0])
	if err != nil {
		return ""
	}
	return accountPayment(&a.Transaction)
}

// sweep brings coins or tokens of a deposit address to the hot account.
func (c *accountChecker) sweep() error {
	script, err := c.signer.cfg.Wallet.ChangeScript(c.r.Assign.Chain, c.r.ChangeEpoch)
	if err != nil {
		return refuse(ErrNotOurs, "hot account: %v", err)
	}
	hot := ethereum.Address(script)
	if c.tx.To == hot && len(c.tx.Data) == 0 {
		return nil
	}
	payee, _, ok := ethereum.ParseTransferCall(c.tx.Data)
	if !ok || payee != hot || !c.tx.Value.IsZero() || !c.isToken(c.tx.To) {
		return refuse(ErrWrongOutputs, "a sweep that does not go to the hot account")
	}
	return nil
}

// isToken says whether a contract is that of a token which is configured.
func (r AccountRules) isToken(contract ethereum.Address) bool {
	for _, token := range r.Tokens {
		if token.Contract == contract {
			return true
		}
	}
	return false
}

// topup gives coins to an account of ours, for its gas.
func (c *accountChecker) topup() error {
	if c.r.Payee == nil || c.r.Payee.Kind != chains.WatchDeposit && c.r.Payee.Kind != chains.WatchSweeper {
		return refuse(ErrWrongOutputs, "a top-up of nobody")
	}
	_, script, err := c.signer.cfg.Wallet.keyFor(c.r.Assign.Chain, *c.r.Payee)
	if err != nil {
		return refuse(ErrNotOurs, "top-up of %q: %v", c.r.Payee.Account, err)
	}
	if c.tx.To != ethereum.Address(script) || len(c.tx.Data) != 0 {
		return refuse(ErrWrongOutputs, "a top-up that pays somebody else")
	}
	return nil
}

// sign signs the transaction that was checked.
func (c *accountChecker) sign() (*utxo.Signed, error) {
	signed, err := c.tx.Sign(c.key)
	if err != nil {
		return nil, err
	}
	fee, err := c.tx.Price.Max.Times(c.tx.Gas)
	if err != nil {
		return nil, err
	}
	amount, err := fee.Amount()
	return &utxo.Signed{TxID: signed.Hash.String(), Raw: signed.Raw, VSize: c.tx.Gas, Fee: amount}, err
}

// accountPayment is what a transaction asks for, apart from what it offers for
// the gas: the same for all variants of a batch.
func accountPayment(tx *ethereum.Transaction) string {
	return fmt.Sprintf("%x %s %x", tx.To[:], tx.Value, tx.Data)
}
