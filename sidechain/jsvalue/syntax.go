package jsvalue

import (
	"fmt"
)

// SyntaxError says where a text stops being JSON.
type SyntaxError struct {
	Offset  int // bytes
	Problem string
	text    string // that was parsed
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("jsvalue: %s at byte %d", e.Problem, e.Offset)
}

// Problems, in the words of V8.
const (
	unexpectedEnd   = "Unexpected end of JSON input"
	unexpectedToken = "Unexpected token"
	unexpectedDigit = "Unexpected number"
	unexpectedQuote = "Unexpected string"
	textAfterValue  = "Unexpected non-whitespace character after JSON"
	noFirstName     = "Expected property name or '}'"
	noNextName      = "Expected double-quoted property name"
	noColon         = "Expected ':' after property name"
	noBrace         = "Expected ',' or '}' after property value"
	noBracket       = "Expected ',' or ']' after array element"
	noNumber        = "No number after minus sign"
	noFraction      = "Unterminated fractional number"
	noExponent      = "Exponent part is missing a number"
	unterminated    = "Unterminated string"
	badControl      = "Bad control character in string literal"
	badEscape       = "Bad escaped character"
	badUnicode      = "Bad Unicode escape"
	tooDeep         = "Nested too deeply"
)

// Message is the message of the SyntaxError that JSON.parse throws in V8 11.3
// (node 20). It reaches transaction logs. Positions count UTF-16 units.
func (e *SyntaxError) Message() string {
	switch e.Problem {
	case unexpectedEnd:
		return e.Problem
	case unexpectedToken:
		return e.tokenMessage()
	case textAfterValue:
		return fmt.Sprintf("%s at position %d", e.Problem, e.position())
	}
	return fmt.Sprintf("%s in JSON at position %d", e.Problem, e.position())
}

func (e *SyntaxError) position() int { return Length(e.text[:e.Offset]) }

// around is how many units V8 quotes on either side of a wrong character, of
// texts that are longer than both sides.
const around = 10

// tokenMessage names the wrong character and what stands around it.
func (e *SyntaxError) tokenMessage() string {
	switch e.text {
	case "undefined", "NaN", "Infinity", "[object Object]":
		return `"` + e.text + `" is not valid JSON`
	}
	units, at := UTF16(e.text), e.position()
	from, to := 0, len(units)
	before, after := "", ""
	if len(units) > 2*around {
		if at >= around {
			from, before = at-around, "..."
		}
		if at < around || at < len(units)-around {
			to, after = at+around, "..."
		}
	}
	return fmt.Sprintf(`Unexpected token '%s', %s"%s"%s is not valid JSON`,
		fromUTF16(units[at:at+1]), before, fromUTF16(units[from:to]), after)
}

// fromUTF16 is the inverse of UTF16: pairs become characters, lone surrogates
// stay.
func fromUTF16(units []uint16) string {
	var p parser
	for i := 0; i < len(units); i++ {
		p.unit(units[i])
	}
	return string(p.buf)
}

// wrong is the problem of a character that cannot stand where it does.
func wrong(c byte) string {
	switch {
	case c == '"':
		return unexpectedQuote
	case c == '-' || c-'0' <= 9:
		return unexpectedDigit
	}
	return unexpectedToken
}
