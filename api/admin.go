package api

import (
	"encoding/json"
	"net/http"
	"net/http/pprof"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Check is one readiness check of /readyz: nil when all is well.
type Check struct {
	Name string
	Run  func() error
}

// Admin is what the admin listener can do beside health and metrics. A nil
// func leaves its path out.
type Admin struct {
	Checks []Check
	// Operator takes the orders of people; nil: there is no gateway to order.
	Operator Operator
	// Extra are further paths, such as the dev network's /dev/….
	Extra map[string]http.HandlerFunc
}

// AdminHandler serves the admin listener: keep it on loopback.
func (s *Server) AdminHandler(a Admin) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, map[string]bool{"ok": true}) })
	mux.HandleFunc("GET /readyz", readyz(a.Checks))
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	if a.Operator != nil {
		s.routeOrders(mux, a.Operator)
	}
	for pattern, handler := range a.Extra {
		mux.HandleFunc(pattern, handler)
	}
	return mux
}

func readyz(checks []Check) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		type result struct {
			Name  string `json:"name"`
			OK    bool   `json:"ok"`
			Error string `json:"error,omitempty"`
		}
		answer := struct {
			OK     bool     `json:"ok"`
			Checks []result `json:"checks"`
		}{OK: true, Checks: []result{}}
		for _, check := range checks {
			r := result{Name: check.Name, OK: true}
			if err := check.Run(); err != nil {
				r.OK, r.Error, answer.OK = false, err.Error(), false
			}
			answer.Checks = append(answer.Checks, r)
		}
		status := http.StatusOK
		if !answer.OK {
			status = http.StatusServiceUnavailable
		}
		writeJSON(w, status, answer)
	}
}

// writeJSON writes a value of ours; it never fails on our own types.
func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)
}

// metrics are this server's own numbers and those read at each scrape.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics(s *Server) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "causeway_http_requests_total", Help: "Requests to the public listener by surface and status.",
		}, []string{"surface", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "causeway_http_request_seconds", Help: "Time to answer by surface.", Buckets: prometheus.DefBuckets,
		}, []string{"surface"}),
	}
	m.registry.MustRegister(m.requests, m.seconds, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &scrape{s})
	return m
}

// count wraps the public handler with the request metrics.
func (m *metrics) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		recorder := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(recorder, r)
		surface := surfaceOf(r.URL.Path)
		m.requests.WithLabelValues(surface, strconv.Itoa(recorder.status)).Inc()
		m.seconds.WithLabelValues(surface).Observe(time.Since(start).Seconds())
	})
}

// surfaceOf keeps the label's values few, whatever strangers ask for.
func surfaceOf(path string) string {
	surface, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch surface {
	case "blockchain", "contracts", "hive", "v1":
		return surface
	}
	return "other"
}

type statusRecorder struct {
	http.ResponseWriter
	status int
}

// Unwrap lets http.ResponseController reach the connection.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *statusRecorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}
