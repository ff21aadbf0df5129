// Package remote puts a hotwallet.LocalSigner behind a unix socket, so that keys
// and journal live in a process of their own, and is the other end of it.
//
// The protocol "causeway-signer/2": whoever connects is told who is there (a
// hello), asks one question and gets one answer; then the connection ends. Each
// of the three is a frame: four bytes of length, big-endian, and that much JSON.
// A signed journal copy follows its answer in binary chunks. Who may connect is
// decided by the socket's file permissions alone (0600).
//
// Invariants:
//
//   - Nothing is trusted that comes through the socket: every rule is the
//     LocalSigner's. A frame has a bound, unknown members and methods are
//     refused, and memory is taken as bytes come, not as they are announced.
//   - No key, no seed and no digest to be signed ever passes the socket.
//   - A refusal arrives as the same refusal. Everything that may come of a
//     connection that broke is ErrUnavailable, which says nothing of what the
//     signer did: the same question gives the same answer later.
//   - A header is asked for until it is answered: no block is made without.
//
// To add a question: a method in methods (serve.go) and its mirror in Client.
package remote
