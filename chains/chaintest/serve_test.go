package chaintest_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// serve serves a handler until the test ends.
func serve(t *testing.T, h http.Handler) (url string) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}
