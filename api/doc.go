// Package api is what the world sees of a node: the Hive-Engine JSON-RPC
// (/blockchain, /contracts), the Hive JSON-RPC that signing clients speak
// (/hive), our own REST (/v1) and, on a listener of its own, health, metrics
// and the operator's surface.
//
// There are no business rules here. A handler reads its parameters, asks the
// sidechain, the base layer or the gateway through the small interfaces of
// interfaces.go, and writes the answer in the shape that the surface fixes. An
// answer never waits for an outside chain.
//
// To add a method: one row in the method table of its surface
// (blockchain.go, contracts.go, hive.go, v1.go).
package api
