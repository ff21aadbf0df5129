package contract

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"causeway/sidechain/jsvalue"
)

// IsValidAccountName is the peer's isValidAccountName (peer-spec 0.7) under
// the rules in force for the block being executed.
func IsValidAccountName(ctx Context, name string) bool {
	return ValidAccountName(name, true) &&
		(!strings.Contains(name, "--") || ctx.Switch(RuleDoubleDash))
}

// ValidAccountName is the rule itself: 3 to 16 characters in segments of at
// least 3, split at dots; a segment starts with a-z, ends with a-z or 0-9 and
// holds only those and dashes.
func ValidAccountName(name string, doubleDash bool) bool {
	if len(name) < 3 || len(name) > 16 {
		return false
	}
	for segment := range strings.SplitSeq(name, ".") {
		if !validSegment(segment) || !doubleDash && strings.Contains(segment, "--") {
			return false
		}
	}
	return true
}

func validSegment(s string) bool {
	if len(s) < 3 || s[0] < 'a' || s[0] > 'z' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// IsAlpha is validator.isAlpha: ASCII letters, at least one.
func IsAlpha(s string) bool { return all(s, isLetter) }

// IsAlphanumeric is validator.isAlphanumeric: ASCII letters and digits, at
// least one.
func IsAlphanumeric(s string) bool {
	return all(s, func(c byte) bool { return isLetter(c) || c >= '0' && c <= '9' })
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func all(s string, ok func(byte) bool) bool {
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return s != ""
}

// Trim is String.prototype.trim: it removes white space and line ends as
// ECMAScript lists them (U+FEFF is one, U+0085 is not).
func Trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool {
		switch r {
		case '\t', '\n', '\v', '\f', '\r', 0xFEFF, 0x2028, 0x2029:
			return true
		}
		return unicode.Is(unicode.Zs, r)
	})
}

// ToLower is String.prototype.toLowerCase. Lone surrogates stay as they are.
func ToLower(s string) string {
	if all(s, func(c byte) bool { return c < utf8.RuneSelf }) || s == "" {
		return strings.ToLower(s)
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1: // part of a lone surrogate
			b.WriteByte(s[i])
		case r == 'İ':
			b.WriteString("i\u0307")
		case r == 'Σ' && endsWord(s[:i], s[i+n:]):
			b.WriteRune('ς')
		default:
			b.WriteRune(unicode.ToLower(r))
		}
		i += n
	}
	return b.String()
}

// endsWord is Unicode's Final_Sigma condition, without its treatment of
// case-ignorable marks beyond the apostrophe and the full stop.
func endsWord(before, after string) bool {
	ignorable := "'.\u2019\u00AD"
	last, _ := utf8.DecodeLastRuneInString(strings.TrimRight(before, ignorable))
	next, _ := utf8.DecodeRuneInString(strings.TrimLeft(after, ignorable))
	return cased(last) && !cased(next)
}

func cased(r rune) bool { return unicode.IsUpper(r) || unicode.IsLower(r) || unicode.IsTitle(r) }

// Text is the member when it is a non-empty string, which is what the peer's
// `x && typeof x === 'string'` asks for.
func Text(o *jsvalue.Object, key string) (string, bool) {
	s, ok := o.String(key)
	return s, ok && s != ""
}
