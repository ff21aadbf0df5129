// Package failpoint names the places at which a test build can end the process
// (Hit), make an act fail (Fail), or leave out a defence (Off). With the build
// tag `failpoints` they ask what was set; without it they are constants that
// compile away, so that no production binary can be told to misbehave.
//
//	failpoint.Hit(failpoint.C3)
//	if spent && !failpoint.Off(failpoint.DepositOnce) { … }
//
// A crash point is a place between two durable steps; the names are those of the
// crash points C1 to C24 that the campaigns report on, and P1 … where the base
// layer and the signer have such places too. A defence is a check without which
// money could be lost: a campaign that still passes when it is switched off does
// not test it.
//
// To add a place: a constant in names.go, the call, and a line in
// docs/campaigns.md.
package failpoint
