// Package contract is the deterministic sidechain contract "pegs": the only
// place that makes and destroys pegged tokens. Attestors report deposits and
// payouts of outside chains; users burn tokens to withdraw.
//
// # Actions
//
// All are called directly and signed with an active key. A failing action
// leaves no row (savepoint).
//
//	withdraw      {symbol, quantity, address, maxFee?, ref?}   anyone; also through tokens.transfer to the gate
//	mint          {id, symbol, quantity, to}                   attestors
//	assign        {batch, kind, ids, spends, chain?}           attestors; chain is needed when ids is empty
//	settle        {batch, txid, cost}                          attestors; any kind of batch
//	cost          {chain, txid, amount, batch?}                attestors; batch closes one that pays no withdrawal
//	release       {id, proof}                                  attestors; a withdrawal, or a batch that pays none
//	giveBack      {id, reason}                                 attestors
//	hold          {id, reason?}                                any one attestor, or the admin: stops a delayed mint;
//	              {id, lift: true}                             the admin: starts its delay again
//	              {id, drop: true, reason}                     the admin: takes a held mint away, for other values
//	pause         {symbol, deposits?, withdrawals?, mints?, reason?}  admin, at once; taking a pause back needs a reason
//	setAsset      {symbol, …members of an asset}               admin, after admin_delay
//	setAttestors  {attestors, threshold}                       admin, after admin_delay
//	setKey        {chain, epoch, key, birthday}                admin, after admin_delay
//	collectFees   {symbol, quantity, to}                       admin, at once
//	checkPending  {}                                           the chain, once a block
//
// # Tables
//
// Never deleted: assets, deposits, withdrawals, assigns, costs, attestors,
// keys, params. Working tables: votes (open attestor votes, delayed mints and
// admin changes), mints (what the rolling cap counts), spends (outpoints of
// assigns). Their rows are described in setup.go.
//
// A withdrawal is requested -> assigned -> settled, requested -> returned, or
// assigned -> released -> returned. A batch is open -> closed (by settle or
// cost) or open -> released.
//
// # Invariants
//
//   - tokens are made only by crediting a deposit id that has no row yet, or by
//     giving back a withdrawal that is neither assigned nor settled; they are
//     destroyed only by tokens.transfer to "null";
//   - an attestor's action acts when as many attestors as the threshold have
//     sent identical values; one open vote per attestor and subject;
//   - on Ethereum a batch has one nonce and pays at most one withdrawal; a token's fee is
//     in the chain's own peg, and its net is the quantity;
//   - an outpoint or nonce belongs to at most one batch; a cancel shares those
//     of the open batch that it takes back, and a released batch frees its
//     outpoints (never nonces);
//   - a transaction of ours is charged once; what the fee account cannot pay is
//     owed and comes first when fees come in;
//   - caps and delays count base blocks, never time.
//
// Error texts are fixed: no text of a library reaches the logs, because the
// logs are hashed into blocks.
//
// To add an action: a method of call, a line in contract.go, its row here and
// in the tests.
package contract
