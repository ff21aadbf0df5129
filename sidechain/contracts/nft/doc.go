// Package nft is the peer's contract of that name as far as recorded chains
// execute it: kinds of tokens can be made and given properties and issuers, and
// the tick runs, which finds nothing to do. Units cannot be issued, because
// those actions are not built, and the contract says so (contract.Partial); a
// recorded state with a delegation that ends stops the node instead of being
// computed wrongly.
//
//	updateParams                  the owner's: fees
//	create                        {symbol, name, orgName?, productName?, url?, maxSupply?, authorizedIssuing…?}
//	addProperty                   {symbol, name, type, isReadOnly?, authorizedEditing…?}: three are free
//	setPropertyPermissions        {symbol, name, accounts?, contracts?}
//	addAuthorizedIssuingAccounts  {symbol, accounts}
//	addAuthorizedIssuingContracts {symbol, contracts}
//
// Invariants:
//   - fees are burned before anything is written;
//   - every symbol has one row of the table nfts and one table for its units;
//   - a property is asked for among own members only: one named "constructor"
//     can be added here, at the peer it is there from the start.
//
// New chains do without this contract.
package nft
