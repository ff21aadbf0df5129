package api

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// limitConnections makes a listener wait with the next connection while max of
// its connections are open.
func limitConnections(l net.Listener, max int) net.Listener {
	return &limitedListener{Listener: l, slots: make(chan struct{}, max), closed: make(chan struct{})}
}

type limitedListener struct {
	net.Listener
	slots  chan struct{}
	closed chan struct{}
	once   sync.Once
}

// Accept implements net.Listener.
func (l *limitedListener) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	conn, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &limitedConn{Conn: conn, free: sync.OnceFunc(func() { <-l.slots })}, nil
}

// Close implements net.Listener.
func (l *limitedListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

type limitedConn struct {
	net.Conn
	free func()
}

// Close implements net.Conn.
func (c *limitedConn) Close() error {
	defer c.free()
	return c.Conn.Close()
}

// CloseWrite lets the server end an answer before it closes the connection.
func (c *limitedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// writeTimeout is how long a client may leave one part of an answer unread.
const writeTimeout = time.Minute

// prompt gives up on clients that do not take what they asked for. How long an
// answer takes to make does not count.
func prompt(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&promptWriter{ResponseWriter: w, control: http.NewResponseController(w)}, r)
	})
}

type promptWriter struct {
	http.ResponseWriter
	control *http.ResponseController
}

// Unwrap lets http.ResponseController reach the connection.
func (w *promptWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Write implements http.ResponseWriter.
func (w *promptWriter) Write(text []byte) (int, error) {
	const part = 256 << 10
	written := 0
	for {
		chunk := text[written:min(written+part, len(text))]
		// Not every ResponseWriter is a connection: without a deadline then.
		_ = w.control.SetWriteDeadline(time.Now().Add(writeTimeout))
		n, err := w.ResponseWriter.Write(chunk)
		written += n
		if err != nil || written == len(text) {
			return written, err
		}
	}
}
