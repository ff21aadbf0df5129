package hotwallet

import (
	"context"

	"causeway/chains"
	"causeway/sidechain/graphene"
)

// Signer is the only way to a signature. It may run in this process
// (LocalSigner) or in another one. It trusts nothing that the gateway says but
// what it can check, and remembers what it signed.
//
// Errors: ErrRefused for what will never be signed; ErrStale for a proof that
// must be made anew; any other error means that nothing is known, and the same
// request may be made again.
type Signer interface {
	// Sign signs the transaction of a batch. The same request gives the same
	// bytes for ever.
	Sign(ctx context.Context, r SignRequest) (Signed, error)
	// Observe shows the rows of a batch, with their proof, without asking for a
	// signature: before it is released.
	Observe(ctx context.Context, r SignRequest) error
	// SignHeader signs a base block header, in the binary form of
	// graphene.Header, that extends the last one signed.
	SignHeader(ctx context.Context, header []byte) (graphene.Signature, error)
	// SignOperations signs a transaction of the operations an attestor makes.
	SignOperations(ctx context.Context, account string, tx *graphene.Transaction) (*graphene.SignedTransaction, error)
}

// Kind is what a batch is for: the kind of its assign row.
type Kind string

// The kinds. All but payout pay only our own scripts.
const (
	KindPayout      Kind = "payout"
	KindChild       Kind = "child"
	KindConsolidate Kind = "consolidate"
	KindSweep       Kind = "sweep" // ETH
	KindTopup       Kind = "topup" // ETH
	// KindCancel takes inputs of another batch, whose payouts can then never be
	// mined: it is the only kind whose inputs may be promised already.
	KindCancel Kind = "cancel"
)

// The states of rows that a request must carry.
const (
	AssignOpen         = "open"
	WithdrawalAssigned = "assigned"
)

// Assign is the row of the sidechain that reserves coins for a batch. It must
// be final before the signer is asked: assign before sign.
type Assign struct {
	Batch  string    `json:"batch"`
	Chain  chains.ID `json:"chain"`
	Kind   Kind      `json:"kind"`
	IDs    []string  `json:"ids"`
	Spends []string  `json:"spends"` // "txid:vout"
	State  string    `json:"state"`
}

// Withdrawal is a row of the sidechain that burned what is to be paid.
type Withdrawal struct {
	ID      string    `json:"id"`
	Symbol  string    `json:"symbol"`
	Chain   chains.ID `json:"chain"`
	Address string    `json:"address"`
	Net     string    `json:"net"` // in coin units, as the row has it
	State   string    `json:"state"`
	Batch   string    `json:"batch"`
}

// SignInput is the output that one input spends: whose key, and the whole
// transaction that made it, from which alone the signer takes the amount. On a
// chain of accounts it is the sender and its nonce, and nothing was before.
type SignInput struct {
	chains.Outpoint
	Watch    chains.Watch `json:"watch"`
	Previous []byte       `json:"previous"`
}

// SignRequest asks for the signatures of one transaction.
type SignRequest struct {
	// Assign and Withdrawals are what the caller takes the rows to be. The Proof
	// must show exactly them.
	Assign      Assign       `json:"assign"`
	Withdrawals []Withdrawal `json:"withdrawals"`
	Proof       StateProof   `json:"proof"`
	Unsigned    []byte       `json:"unsigned"` // Plan.Unsigned
	Inputs      []SignInput  `json:"inputs"`
	// ChangeEpoch is the epoch of the change script; of the hot account that a
	// sweep pays, on a chain of accounts.
	ChangeEpoch uint32 `json:"change_epoch"`
	// Payee is whose account of ours a top-up pays.
	Payee *chains.Watch `json:"payee,omitempty"`
	// Deaths show that batches are dead to which inputs were promised before, so
	// that they may be spent after all. The signer asks its own nodes.
	Deaths []Death `json:"deaths,omitempty"`
	// Perished are transactions of others that were to make inputs, or inputs of
	// those: what spends an input of one of them is its end.
	Perished [][]byte `json:"perished,omitempty"`
	// Counter is the greatest Signed.Counter that the caller ever recorded. A
	// signer whose journal is behind it was restored from a backup: ErrRollback.
	Counter uint64 `json:"counter"`
}

// Death says that no transaction of a batch can ever be mined: Proof is a text as
// release carries it.
type Death struct {
	Batch string `json:"batch"`
	Proof string `json:"proof"`
}

// Signed is a signed transaction, durable in the signer's journal.
type Signed struct {
	Raw     []byte        `json:"raw"`
	TxID    string        `json:"txid"`
	Fee     chains.Amount `json:"fee"`
	Variant int           `json:"variant"` // 1 for the first of the batch
	Counter uint64        `json:"counter"` // of the journal; record it
}

// SignerCaps are the signer's own limits, whatever the gateway's are.
type SignerCaps struct {
	Caps
	// MaxTotal bounds what one transaction pays to withdrawals; zero: nothing
	// is paid at all.
	MaxTotal chains.Amount `json:"max_total"`
}
