package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// process is a running child, as its parent has it.
type process struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stderr *tail
	url    string

	ended chan struct{} // closed when it has ended
	died  string        // the crash point, once ended
	err   error         // of Wait, once ended
}

// tail keeps the end of what is written.
type tail struct {
	mu    sync.Mutex
	text  []byte
	limit int
	also  io.Writer
}

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if len(t.text) > t.limit {
		t.text = t.text[len(t.text)-t.limit:]
	}
	if t.also != nil {
		_, _ = t.also.Write(p)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.text))
}

// errEnded says that the child ended before it answered.
var errEnded = errors.New("the process ended")

// startProcess starts a child and waits until it answers, or ends: then the
// error is errEnded.
func startProcess(cfg childConfig) (*process, error) {
	text, err := json.Marshal(cfg)
	if err != nil {
		return nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(program, childArgument), stderr: &tail{limit: 4000}, ended: make(chan struct{})}
	if cfg.Log {
		p.stderr.also = os.Stderr
	}
	p.cmd.Stderr = p.stderr
	p.cmd.Env = append(os.Environ(), "GOMAXPROCS=2")
	if !cfg.Large { // a short life needs no tidy heap
		p.cmd.Env = append(p.cmd.Env, "GOGC=400")
	}
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	ready := make(chan struct{})
	go p.listen(bufio.NewScanner(out), ready)
	if _, err := p.stdin.Write(append(text, '\n')); err != nil {
		<-p.ended
		return p, fmt.Errorf("%w: %w", errEnded, err)
	}
	select {
	case <-ready:
		return p, nil
	case <-p.ended:
		return p, errEnded
	}
}

// listen reads what the child says until it ends.
func (p *process) listen(lines *bufio.Scanner, ready chan<- struct{}) {
	for lines.Scan() {
		var said struct {
			URL  string `json:"url"`
			Died string `json:"died"`
		}
		if json.Unmarshal(lines.Bytes(), &said) != nil {
			continue
		}
		if said.URL != "" {
			p.url = said.URL
			close(ready)
		}
		if said.Died != "" {
			p.died = said.Died
		}
	}
	p.err = p.cmd.Wait()
	close(p.ended)
}

// alive says whether the child still runs.
func (p *process) alive() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// kill ends the child at once.
func (p *process) kill() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL)
	<-p.ended
}

// waitEnd waits for the child to end by itself.
func (p *process) waitEnd(limit time.Duration) bool {
	select {
	case <-p.ended:
		return true
	case <-time.After(limit):
		return false
	}
}

// exit is the exit code, -1 for a signal.
func (p *process) exit() int { return p.cmd.ProcessState.ExitCode() }
