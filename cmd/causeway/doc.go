// Command causeway is a cross-chain token gateway: a sidechain node, the
// watchers of the outside chains and the hot wallet in one binary.
//
// main only turns signals into a context and errors into exit codes; each
// command has a file of its own, config.go reads config.toml, node.go puts the
// parts together. Exit codes: 0 ok, 1 error, 2 usage, 3 refused, 4 invariant
// broken.
//
// To add a command: one file with a func newXCommand() *cobra.Command, and its
// line in main.go.
package main
