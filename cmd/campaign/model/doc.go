// Package model says what must have come of a life: who should hold what, who
// should have been paid, and what we should still have, from the blocks of the
// outside chain and the users' own deeds alone. It imports nothing of the project
// (tested in internal/arch), so that no fault of the gateway's code can be in the
// judge too.
package model
