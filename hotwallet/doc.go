// Package hotwallet holds the keys. It derives them from one seed, plans
// payouts, signs them after checking them by itself, and signs role messages
// of the base layer. Private keys of coins never leave it.
//
// The parts, in the order in which value meets them:
//
//	Branch     P(chain, epoch) -> deposit key, script, address of any account; public
//	Wallet     seed -> Branch, change script; the private side
//	Keystore   the seed and the role keys in a file encrypted by a passphrase
//	NewPlan    coins + payees + fee rate -> unsigned transaction; pure
//	Bump       a dearer variant: same inputs, same payees
//	Signer     request -> signed transaction, or a Refusal; remembers for ever
//
// Invariants:
//
//   - Planning is a pure function: equal inputs, in any order, give equal bytes.
//     Inputs = outputs + fee; no payee is ever shaved; change goes to one script
//     of our own per chain and epoch; an error means that nothing was planned.
//   - The signer believes nothing. It derives scripts of inputs and change from
//     its own keys, payees from the addresses and amounts of the withdrawal
//     rows, amounts of inputs from whole previous transactions whose id it
//     computes; what it signs is a transaction rebuilt from these, which must
//     equal the request byte for byte.
//   - The rows are believed for a proof: a path from each to the state root in a
//     base header that the sequencer signed whose key signer.db pins (StateProof).
//   - What was signed for is not given up: a release needs a final transaction, as
//     the signer's own nodes show it, that makes the payout impossible.
//   - Inputs of a batch are those of its assign row, for ever: every variant
//     spends the same outpoints and pays the same payees, no outpoint and no
//     withdrawal ever belongs to two batches. So at most one variant confirms.
//   - What was signed is durable in signer.db before it leaves. The journal only
//     grows; its counter, which the gateway records, shows a journal restored
//     from a backup.
//   - Signatures follow RFC 6979 with low S and pass the script engine first;
//     the same request gives the same bytes.
//   - Role keys sign headers that extend the last one, and operations that
//     belong to the role. No function signs a digest.
//   - No secret is printed: see Secret.
//
// To add one more coin of the Bitcoin family: a row in specOf (SLIP-44 number,
// form of our scripts) and its rows in testdata/derivation.json; planning and
// signing follow from its utxo.Coin. A coin of another kind also gets a planner
// of its own and a branch in Signer.Sign. To add a role: a constant in Role and
// the table of what it may sign (see attestorAction).
package hotwallet
