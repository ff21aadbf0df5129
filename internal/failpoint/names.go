package failpoint

// The crash points that are not called through gateway.Config.Failpoint.
const (
	C3  = "C3"  // in the middle of a commit of the event log: all or nothing
	C19 = "C19" // a block with a payout of ours was read, and is not in the log
	C20 = "C20" // a block has left the chain, and its events are in the log
	C23 = "C23" // the disk is full in a commit of the event log
	C24 = "C24" // during the commit itself, while the file may grow

	SealedNotSigned  = "P1" // base layer: the candidate is durable, the header is not signed
	SignedNotStored  = "P2" // base layer: the header is signed, the block is not stored
	StoredNotApplied = "P3" // base layer: the block is stored, and not executed
	JournalCommit    = "P4" // signer: in the commit of its journal
)

// The defences that can be switched off.
const (
	// AssignBeforeSign: nothing is signed before its assign row is final.
	AssignBeforeSign = "assign-before-sign"
	// DurableBeforeBroadcast: signed bytes are in the log before a node sees them.
	DurableBeforeBroadcast = "durable-before-broadcast"
	// Rebroadcast: a payout is sent again until it is final.
	Rebroadcast = "rebroadcast"
	// CreditDepth: a deposit is credited only at its depth.
	CreditDepth = "credit-depth"
	// DepositOnce: the contract mints a deposit's id once.
	DepositOnce = "deposit-once"
	// InputDepth: a payout spends outputs from outside only when they are deep.
	InputDepth = "input-depth"
	// PayoutByInputs: a payout is known by what it spends, not by its txid.
	PayoutByInputs = "payout-by-inputs"
	// ReleaseWhenDead: a payout is given up only when what makes it impossible is
	// final, in the eyes of the ledger and of the signer.
	ReleaseWhenDead = "release-when-dead"
	// FollowByHash: a block must extend the one before it.
	FollowByHash = "follow-by-hash"
	// Quorum: enough nodes must agree.
	Quorum = "quorum"
	// CandidateBeforeSignature: a base block is durable before its header is signed.
	CandidateBeforeSignature = "candidate-before-signature"
	// HomeLock: one process writes in a home.
	HomeLock = "home-lock"
)

// Defences lists all defences.
func Defences() []string {
	return []string{
		AssignBeforeSign, DurableBeforeBroadcast, Rebroadcast, CreditDepth, InputDepth, DepositOnce,
		PayoutByInputs, ReleaseWhenDead, FollowByHash, Quorum, CandidateBeforeSignature, HomeLock,
	}
}
