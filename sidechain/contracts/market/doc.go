// Package market is the contract of that name: an order book for each pair of
// tokens, to the letter of peer-spec section 3, and on new chains markets
// against any peg.
//
// # Actions
//
// Signed with an active key; what an order needs is held by the contract until
// it is filled, cancelled or expired.
//
//	buy         {symbol, quantity, price, expiration?, quote?}  price in the quote token, at most its decimals
//	sell        {symbol, quantity, price, expiration?, quote?}  expiration in seconds, 30 days at most
//	marketBuy   {symbol, quantity, quote?}                      quantity of the quote token to spend
//	marketSell  {symbol, quantity, quote?}                      quantity of the token to sell
//	cancel      {type: "buy" | "sell", id}                      id: the order's txId, or its number
//
// # Markets
//
// The peer trades every token against one pegged coin. On new chains an order
// may name another quote token, any symbol of pegs' assets or the chain's
// native peg: its rows then carry "symbol": "COOL:SWAP.BTC" with "base" and
// "quote", so that who asks for COOL sees only the market that the peer knows.
// Naming the native peg is naming nothing. What is said below of 8 decimals
// holds for the decimals of the quote token.
//
// # Matching
//
// An order meets the other side's orders by price, then by age, at their price.
// Rounding is against the one who takes: a buyer locks and pays rounded up, a
// seller gets rounded down. What is left of an order and is worth less than one
// unit of the quote token is given back and the order closed.
//
// Invariants:
//   - the contract holds of each token exactly what its open orders have locked:
//     tokensLocked of the quote token for a buy order, quantity of the token
//     for a sell order; nobody gets more than what was locked;
//   - rows, events and writes come in the peer's order, because all are hashed:
//     a fill is the transfer to the buyer, the transfer to the seller, then
//     what becomes of the resting order; clients rebuild trades from it;
//   - the work of one order is bounded where the chain says so: it meets at
//     most maxFillsPerOrder resting orders, filled or not, clears at most
//     maxExpiredPerOrder expired ones, and of old trades as many and two more
//     for each trade that it makes. What is left of a market order is given
//     back, of a limit order rests.
//
// Versions of the contract are values of edition: to add one, describe how it
// differs there and name its code hash where the node lists versions.
package market
