//go:build race

package chaintest_test

// catchUpBlocks is less under the race detector, for which more of the same blocks
// are nothing new.
const catchUpBlocks = 50
