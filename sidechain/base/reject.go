package base

import "fmt"

// RejectKind says why a transaction was refused, for those who branch on it.
type RejectKind string

// The kinds of refusal.
const (
	RejectAuthority  RejectKind = "missing_authority" // of owner, active or posting
	RejectSignature  RejectKind = "invalid_signature" // malformed, not canonical, duplicate or needless
	RejectDuplicate  RejectKind = "duplicate"         // included or pending already
	RejectExpired    RejectKind = "expired"           // expiration passed, or too far ahead
	RejectTapos      RejectKind = "tapos"             // ref_block_num and ref_block_prefix do not match
	RejectTooLarge   RejectKind = "too_large"         // transaction, memo, JSON or id
	RejectInvalid    RejectKind = "invalid"           // an operation breaks a rule
	RejectFunds      RejectKind = "insufficient_funds"
	RejectClosed     RejectKind = "closed"        // account creation is the admin's
	RejectLimit      RejectKind = "account_limit" // too many transactions of one account
	RejectFull       RejectKind = "pool_full"     // too many pending transactions
	RejectNoProducer RejectKind = "no_producer"   // the layer takes no transactions now
)

// RejectError refuses a transaction. Message is what hived would say.
type RejectError struct {
	Kind    RejectKind
	Message string
	Err     error // what lies below, or nil
}

func (e *RejectError) Error() string { return e.Message }

// Unwrap gives the error below.
func (e *RejectError) Unwrap() error { return e.Err }

// Reject makes a RejectError.
func Reject(kind RejectKind, format string, args ...any) *RejectError {
	return &RejectError{Kind: kind, Message: fmt.Sprintf(format, args...)}
}
