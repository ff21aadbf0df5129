package api

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"causeway/sidechain/jsvalue"
)

func echo(_ *http.Request, params jsvalue.Value) (jsvalue.Value, error) {
	if params == nil {
		return nil, errInternal
	}
	return params, nil
}

func answerFuzzed(t *testing.T, h *rpcHandler, body string) {
	h.log = slog.New(slog.DiscardHandler)
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)))
	switch recorder.Code {
	case http.StatusOK:
		if _, err := jsvalue.Parse(recorder.Body.String()); err != nil {
			t.Errorf("answer %q to %q: %v", recorder.Body, body, err)
		}
	case http.StatusNoContent, http.StatusInternalServerError:
	default:
		t.Errorf("HTTP %d to %q", recorder.Code, body)
	}
}
