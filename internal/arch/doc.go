// Package arch holds no code, only tests of the shape of the project: which
// package may import which (design, "Packages"), that every package explains
// itself, that nothing unfinished is left lying about, and that documents name
// tests that exist.
//
// To allow a new package: a line in allowed, beside the packages it resembles.
package arch
