//go:build !unix

package main

// fileLimitIsAnError has nothing to do where no limit of file sizes exists.
func fileLimitIsAnError() {}
