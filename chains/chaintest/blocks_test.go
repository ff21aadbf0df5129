//go:build !race

package chaintest_test

// catchUpBlocks is the suite's own number.
const catchUpBlocks = 0
