package chains

// ErrorKind is a kind of error that callers branch on with errors.Is. The
// errors returned wrap one of them and say the details.
type ErrorKind string

// Error is the text of the kind.
func (e ErrorKind) Error() string { return string(e) }

// Kinds about amounts.
const (
	// ErrAmountSyntax: the text is not a number in the form asked for.
	ErrAmountSyntax = ErrorKind("malformed amount")
	// ErrAmountRange: the value does not fit 128 bits, or is negative.
	ErrAmountRange = ErrorKind("amount out of range")
	// ErrAmountPrecision: the value has more decimals than the coin.
	ErrAmountPrecision = ErrorKind("amount has too many decimals")
)

// Kinds about what a Source says. All but ErrNotFound of HashAt mean unknown.
const (
	// ErrNotFound: the node does not have it. From HashAt it means that the
	// node's best chain is shorter; otherwise it proves nothing.
	ErrNotFound = ErrorKind("not found")
	// ErrUnavailable: no answer, or not one that can be understood.
	ErrUnavailable = ErrorKind("node unavailable")
	// ErrNoQuorum: too few nodes gave the same answer.
	ErrNoQuorum = ErrorKind("no quorum among nodes")
	// ErrWrongNetwork: the node follows another chain or network.
	ErrWrongNetwork = ErrorKind("node is on another network")
	// ErrNodeVersion: the node's version is not one to be trusted with money.
	ErrNodeVersion = ErrorKind("node version refused")
)

// Kinds about what was received: the bytes are wrong, whoever sent them.
const (
	// ErrBadBlock: the block's bytes are malformed, or contradict their hash,
	// merkle root, witness commitment, proof of work or the limits of value.
	ErrBadBlock = ErrorKind("bad block")
	// ErrBadTransaction: the same for one transaction.
	ErrBadTransaction = ErrorKind("bad transaction")
	// ErrHidden: the transaction lies wholly in an extension block (MWEB). It has
	// no output and spends none that a script could own, and its id is not a hash
	// of its bytes.
	ErrHidden = ErrorKind("transaction of an extension block")
	// ErrReorgTooDeep: the chain left our blocks further back than allowed.
	// The follower stays where it is: stop and let a human decide.
	ErrReorgTooDeep = ErrorKind("reorganisation deeper than allowed")
	// ErrNotLinked: the source contradicts itself: a block at a height does not
	// name as its parent what the source says is below it. Ask again later.
	ErrNotLinked = ErrorKind("blocks are not linked")
)
