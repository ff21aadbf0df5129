package hotwallet

import (
	"fmt"
	"io"
	"log/slog"
)

// redactedText is all that any printer ever shows of a secret.
const redactedText = "[redacted]"

// Secret is a text that must not reach a log, an error or a screen: a
// mnemonic, a passphrase, a private key in WIF. Every way of printing it gives
// "[redacted]". The zero value is the empty secret.
type Secret struct {
	// A pointer, so that printing a struct that holds a Secret in an unexported
	// field, where package fmt calls no methods, shows an address.
	text *string
}

// NewSecret wraps a text.
func NewSecret(text string) Secret { return Secret{text: &text} }

// Reveal is the text itself. Call it only to hand the text to what needs it.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Empty reports whether there is no text.
func (s Secret) Empty() bool { return s.Reveal() == "" }

// String is "[redacted]".
func (Secret) String() string { return redactedText }

// GoString is "[redacted]".
func (Secret) GoString() string { return redactedText }

// Format writes "[redacted]" whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { writeRedacted(f) }

// LogValue is "[redacted]".
func (Secret) LogValue() slog.Value { return slog.StringValue(redactedText) }

// MarshalText is "[redacted]", in JSON too.
func (Secret) MarshalText() ([]byte, error) { return []byte(redactedText), nil }

// redacted is embedded in structs that hold key material: they print as
// "[redacted]" too.
type redacted struct{}

// String is "[redacted]".
func (redacted) String() string { return redactedText }

// Format writes "[redacted]" whatever the verb.
func (redacted) Format(f fmt.State, _ rune) { writeRedacted(f) }

// LogValue is "[redacted]".
func (redacted) LogValue() slog.Value { return slog.StringValue(redactedText) }

func writeRedacted(w io.Writer) {
	// A fmt.State keeps what is written; its error is of no use here.
	_, _ = io.WriteString(w, redactedText)
}
