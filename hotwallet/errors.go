package hotwallet

import (
	"fmt"
	"strings"

	"causeway/chains"
)

// ErrorKind is a kind of error that callers branch on with errors.Is. The
// errors returned wrap one of them and say the details.
type ErrorKind string

// Error is the text of the kind.
func (e ErrorKind) Error() string { return string(e) }

// Kinds about keys and their file.
const (
	// ErrUnknownChain: the wallet has no keys for that chain.
	ErrUnknownChain = ErrorKind("unknown chain")
	// ErrMnemonic: not a BIP39 phrase, or its checksum does not hold.
	ErrMnemonic = ErrorKind("not a valid BIP39 mnemonic")
	// ErrPassphrase: the passphrase does not open the file.
	ErrPassphrase = ErrorKind("wrong passphrase")
	// ErrDamaged: the file is cut, altered, or not a keystore at all.
	ErrDamaged = ErrorKind("keystore file is damaged")
	// ErrExists: there is a file already; it is never overwritten.
	ErrExists = ErrorKind("keystore file exists already")
	// ErrNoKey: the keystore has no key for that role.
	ErrNoKey = ErrorKind("no such key in the keystore")
)

// Kinds about planning. They come in a *PlanError.
const (
	// ErrInsufficient: the eligible coins do not cover payees and fee now.
	ErrInsufficient = ErrorKind("not enough spendable coins")
	// ErrTooLarge: the transaction would be larger than nodes relay. Split the
	// batch, or consolidate first.
	ErrTooLarge = ErrorKind("transaction too large")
	// ErrDust: payees whose amount nodes would not relay. Park them.
	ErrDust = ErrorKind("payee below the dust limit")
	// ErrFeeCap: the fee or the rate is above its cap. Wait.
	ErrFeeCap = ErrorKind("fee above its cap")
	// ErrNoChange: a bump has no change left to take the fee from.
	ErrNoChange = ErrorKind("no change left to bump the fee from")
	// ErrBadPlan: the input itself is wrong: our own fault.
	ErrBadPlan = ErrorKind("bad plan input")
)

// PlanError says why nothing was planned. It unwraps to its Kind.
type PlanError struct {
	Kind ErrorKind
	// Need and Have are the amounts compared (ErrInsufficient, ErrFeeCap,
	// ErrNoChange, ErrTooLarge): what payees and fee come to, and what there is.
	Need, Have chains.Amount
	VSize      uint64   // of the transaction that was too large or too dear
	IDs        []string // payees that cannot be paid (ErrDust), sorted
	Detail     string
}

// Error names the kind and the numbers that belong to it.
func (e *PlanError) Error() string {
	text := string(e.Kind)
	if e.Need != (chains.Amount{}) {
		text += fmt.Sprintf(": need %s, have %s", e.Need, e.Have)
	}
	if e.VSize != 0 {
		text += fmt.Sprintf(" (%d vbytes)", e.VSize)
	}
	if len(e.IDs) > 0 {
		text += ": " + strings.Join(e.IDs, ", ")
	}
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

// Unwrap is the kind.
func (e *PlanError) Unwrap() error { return e.Kind }

func badPlan(format string, args ...any) error {
	return &PlanError{Kind: ErrBadPlan, Detail: fmt.Sprintf(format, args...)}
}

// ErrRefused is every refusal of the signer, whatever its rule: nothing was
// signed, and asking again with the same request is of no use. An error that
// is not ErrRefused (a full disk, a cancelled context) says nothing.
const ErrRefused = ErrorKind("signer refuses")

// ErrStale is no refusal: the proof is of a state that is too old. The same
// request with a newer one may be granted.
const ErrStale = ErrorKind("the proof is too old")

// The rules by which the signer refuses. They come in a *Refusal.
const (
	// ErrMalformed: the request cannot be read, or is not of the one form of
	// transaction that is ever signed.
	ErrMalformed = ErrorKind("malformed request")
	// ErrNotAssigned: the assign row or a withdrawal row does not say that this
	// may be paid now.
	ErrNotAssigned = ErrorKind("not assigned")
	// ErrUnproven: no state that the network's sequencer committed to is shown to
	// hold the rows of the request.
	ErrUnproven = ErrorKind("rows are not proven")
	// ErrGivenUp: an attestor of ours has said that it will never be paid.
	ErrGivenUp = ErrorKind("given up before")
	// ErrNotDead: what an attestor wants to give up may still be mined.
	ErrNotDead = ErrorKind("not shown to be dead")
	// ErrWrongInputs: the inputs are not those of the assign row, or of the
	// variants signed before.
	ErrWrongInputs = ErrorKind("inputs differ from what was promised")
	// ErrNotOurs: an output that is spent, or the change, is not of our keys.
	ErrNotOurs = ErrorKind("script is not ours")
	// ErrWrongOutputs: the transaction does not pay exactly the payees.
	ErrWrongOutputs = ErrorKind("outputs differ from the withdrawals")
	// ErrOverCap: fee or total above the signer's own caps.
	ErrOverCap = ErrorKind("above the signer's cap")
	// ErrPromised: an outpoint or a withdrawal belongs to another intent.
	ErrPromised = ErrorKind("promised to another intent")
	// ErrFrozen: the change of a variant is spent by a child; no more variants.
	ErrFrozen = ErrorKind("no further variant")
	// ErrRollback: the journal is older than what the caller has seen of it, or
	// a header does not extend the last one signed: signer.db, or what is held
	// against it, comes from a backup.
	ErrRollback = ErrorKind("the journal and what was signed do not fit")
	// ErrForeignJournal: signer.db belongs to another seed or network.
	ErrForeignJournal = ErrorKind("journal of another signer")
	// ErrForbidden: the role may not sign such an operation.
	ErrForbidden = ErrorKind("operation is not allowed for the role")
)

// Refusal is a request that the signer will never grant. It is ErrRefused and
// its Rule.
type Refusal struct {
	Rule   ErrorKind
	Detail string
}

// Error names the rule and the detail.
func (e *Refusal) Error() string {
	return fmt.Sprintf("%s: %s: %s", ErrRefused, e.Rule, e.Detail)
}

// Is matches ErrRefused and the rule.
func (e *Refusal) Is(target error) bool { return target == ErrRefused || target == e.Rule }

func refuse(rule ErrorKind, format string, args ...any) error {
	return &Refusal{Rule: rule, Detail: fmt.Sprintf(format, args...)}
}
