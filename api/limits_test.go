package api

import (
	"context"
	"net"
	"testing"
	"time"
)

// TestConnectionLimit: the connection above the limit waits until another ends.
func TestConnectionLimit(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := limitConnections(inner, 2)
	accepted := make(chan net.Conn, 3)
	ended := make(chan error, 1)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				ended <- err
				return
			}
			accepted <- conn
		}
	}()
	for range 3 {
		conn, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	first := <-accepted
	defer (<-accepted).Close()
	select {
	case <-accepted:
		t.Fatal("a third connection was accepted")
	case <-time.After(50 * time.Millisecond):
	}
	for range 2 { // closing twice frees one place
		first.Close()
	}
	defer (<-accepted).Close()
	l.Close()
	if err := <-ended; err == nil {
		t.Error("a closed listener accepts")
	}
}

// TestServe: answers come over a limited listener, a body that is too large is
// answered before the connection ends, and the end of ctx ends the server.
func TestServe(t *testing.T) {
	n := startNode(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, l, n.server.Handler()) }()
	n.url = "http://" + l.Addr().String()
	huge := string(make([]byte, 8<<20))
	if status, text, _ := n.do("POST", "/hive", huge); status != 200 || text == "" {
		t.Errorf("HTTP %d %s", status, text)
	}
	if status, text, _ := n.do("GET", "/", ""); status != 200 || text == "" {
		t.Errorf("HTTP %d %s", status, text)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
