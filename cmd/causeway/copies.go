package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
)

// copier is a store that can copy itself while it is in use.
type copier interface {
	WriteTo(w io.Writer) (int64, error)
}

// copyFunc copies a store while it is in use.
type copyFunc func(context.Context, io.Writer) error

func copyOf(store copier) copyFunc {
	return func(_ context.Context, w io.Writer) error {
		_, err := store.WriteTo(w)
		return err
	}
}

// copyPaths are the admin listener's paths that give copies of the stores. Those
// of the node hold nothing but what the public interface shows; those of gateway
// and signer hold no key, but signed transactions.
func (n *node) copyPaths() map[string]http.HandlerFunc {
	stores := map[string]copyFunc{baseFile: copyOf(n.store), stateFile: func(ctx context.Context, w io.Writer) error {
		// Otherwise the copy would be that of the last checkpoint.
		if err := n.engine.Checkpoint(); err != nil {
			return err
		}
		return copyOf(n.db)(ctx, w)
	}}
	if n.gateway != nil && n.signer != nil {
		stores[gatewayFile] = func(_ context.Context, w io.Writer) error {
			_, err := n.gateway.WriteLog(w)
			return err
		}
		stores[signerFile] = n.signer.snapshot
	}
	paths := map[string]http.HandlerFunc{}
	for name, store := range stores {
		paths["GET /copies/"+name] = func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/octet-stream")
			if err := store(r.Context(), w); err != nil {
				n.log.Warn("copy of a store", "store", name, "error", err)
				panic(http.ErrAbortHandler) // the reader must not take it for whole
			}
		}
	}
	return paths
}

// fetchCopy stores a running process's copy of a store in a home.
func fetchCopy(ctx context.Context, r running, name string, into home) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.Admin+"/copies/"+name, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("copy of %s: %w", name, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("copy of %s: HTTP %d", name, res.StatusCode)
	}
	file, err := os.OpenFile(into.path(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(file, res.Body); err != nil {
		file.Close()
		return fmt.Errorf("copy of %s: %w", name, err)
	}
	return file.Close()
}
