// Package erc20test holds the contracts of the tests and of the embedded Ethereum
// network, as committed bytecode with helpers that encode calls to them: an ERC-20
// (Token) whose misbehaviour anybody can switch, a contract that pays ether by
// internal calls (Payer), a payee that can be greedy (Payee) and one that forces
// its ether upon an address (Bomb). It has no dependency beyond the standard
// library, so that a test against any node can use it.
//
//	create := erc20test.CreateToken("Test USD", "TUSD", 6, supply) // data of a creation
//	call := erc20test.Transfer(to, amount)                         // data of a call
//
// None of them is for use with anything of worth: whoever can send a transaction
// can mint, confiscate, pause and switch.
//
// # How the bytecode was made
//
// contracts.json comes from contracts.sol by the JavaScript build of the Solidity
// compiler, npm package solc 0.8.37 (0.8.37+commit.f401782d), with the standard
// JSON input
//
//	{"language":"Solidity","sources":{"contracts.sol":{"content":"…"}},
//	 "settings":{"evmVersion":"shanghai","optimizer":{"enabled":true,"runs":200},
//	  "metadata":{"bytecodeHash":"none","appendCBOR":false},
//	  "outputSelection":{"*":{"*":["abi","evm.bytecode.object","evm.methodIdentifiers"]}}}}
//
// and keeps, for each contract, bytecode (creation code, hex), selectors and ABI.
// With these settings the bytecode depends on the source and the version alone.
package erc20test
