package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"causeway/hotwallet"
	"causeway/hotwallet/remote"
	"causeway/sidechain"
)

const (
	// birthTime is how long a signer may take to open keys and journal.
	birthTime = 90 * time.Second
	// deathTime is how long it may take to end.
	deathTime = 10 * time.Second
	// The pauses before a signer that died is started again.
	firstRevival = time.Second
	lastRevival  = 30 * time.Second
)

// signerChild is a signer that this process started. It ends with us, however we
// end; when it ends before, it is started again.
type signerChild struct {
	home   home
	secret hotwallet.Secret
	log    *slog.Logger

	cancel context.CancelFunc // of the watch
	done   chan struct{}      // the watch has ended

	mu    sync.Mutex
	stdin io.Closer
	cmd   *exec.Cmd
}

// startSigner starts a signer for the home and connects to it.
func startSigner(ctx context.Context, o nodeOptions, secret hotwallet.Secret) (signing, error) {
	c := &signerChild{home: o.home, secret: secret, log: o.log, done: make(chan struct{})}
	ended, err := c.start(ctx)
	if err != nil {
		return nil, err
	}
	watch, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c.cancel = cancel
	go c.watch(watch, ended)
	client, err := remote.Connect(ctx, o.home.path(signerSocket), sidechain.BaseChainID(o.document), o.log)
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	return &remoteSigning{Client: client, child: c}, nil
}

// start starts the process and returns when it is ready; ended is then closed at
// its end.
func (c *signerChild) start(ctx context.Context) (ended <-chan struct{}, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "signer", "--home", c.home.dir, "--bound")
	cmd.Args[0] = os.Args[0]
	cmd.Env = slices.DeleteFunc(os.Environ(), func(pair string) bool { return strings.HasPrefix(pair, "CAUSEWAY_PASSPHRASE") })
	cmd.Stderr = os.Stderr
	stdin, errIn := cmd.StdinPipe()
	stdout, errOut := cmd.StdoutPipe()
	if err := errors.Join(errIn, errOut); err != nil {
		return nil, err
	}
	wakeOrphan(cmd)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the signer: %w", err)
	}
	c.mu.Lock()
	c.cmd, c.stdin = cmd, stdin
	c.mu.Unlock()
	gone := make(chan struct{})
	born := make(chan error, 1)
	go func() {
		defer close(gone)
		born <- awaitBirth(stdin, stdout, c.secret)
		_, _ = io.Copy(io.Discard, stdout)
		_ = cmd.Wait()
	}()
	timer := time.NewTimer(birthTime)
	defer timer.Stop()
	select {
	case err = <-born:
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C:
		err = fmt.Errorf("the signer is not ready after %s", birthTime)
	}
	if err != nil {
		return nil, errors.Join(err, c.end(gone))
	}
	return gone, nil
}

// awaitBirth hands over the passphrase and reads what came of it.
func awaitBirth(stdin io.Writer, stdout io.Reader, secret hotwallet.Secret) error {
	_, errWrite := io.WriteString(stdin, secret.Reveal()+"\n")
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		return errors.Join(fmt.Errorf("the signer ended: %w", err), errWrite)
	}
	var b birth
	switch err := json.Unmarshal(line, &b); {
	case err != nil:
		return fmt.Errorf("the signer says %.80q", line)
	case !b.Ready:
		return &exitErr{b.Exit, errors.New(b.Text)}
	}
	return nil
}

// watch starts the signer again when it has ended.
func (c *signerChild) watch(ctx context.Context, ended <-chan struct{}) {
	defer close(c.done)
	pause := firstRevival
	for {
		select {
		case <-ctx.Done():
			if err := c.end(ended); err != nil {
				c.log.Warn("signer", "error", err)
			}
			return
		case <-ended:
			c.log.Error("the signer has ended; it is started again", "after", pause.String())
		}
		for ended = nil; ended == nil; pause = min(2*pause, lastRevival) {
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
			again, err := c.start(ctx)
			if err != nil {
				c.log.Error("the signer does not start", "error", err)
				continue
			}
			ended = again
		}
		pause = firstRevival
	}
}

// end lets go of the process and waits until it is gone.
func (c *signerChild) end(gone <-chan struct{}) error {
	c.mu.Lock()
	cmd, stdin := c.cmd, c.stdin
	c.mu.Unlock()
	err := stdin.Close()
	if errors.Is(err, os.ErrClosed) {
		err = nil
	}
	select {
	case <-gone:
	case <-time.After(deathTime):
		err = errors.Join(err, cmd.Process.Kill())
		<-gone
	}
	return err
}

func (c *signerChild) close() error {
	c.cancel()
	<-c.done
	return nil
}
