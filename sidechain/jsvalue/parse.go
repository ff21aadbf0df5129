package jsvalue

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxDepth is the deepest nesting that Parse accepts.
const MaxDepth = 512

// Parse is JSON.parse (ECMA-404 as JavaScript reads it): numbers become
// doubles, of duplicate members the last value and the first position count,
// lone surrogates are kept, bytes that are not UTF-8 become U+FFFD. The error
// is always a *SyntaxError. Strings of the result do not share memory with
// text.
func Parse(text string) (Value, error) {
	p := parser{text: text}
	return p.whole()
}

// whole reads a text that is one value.
func (p *parser) whole() (Value, error) {
	p.space()
	v, err := p.value(0)
	if err != nil {
		return nil, err
	}
	p.space()
	if p.pos < len(p.text) {
		return nil, p.fail(textAfterValue)
	}
	return v, nil
}

// ParseInto is Parse for a caller that looks at an object only for a moment: it
// is made in o, whose members are forgotten. What is in it is new.
func ParseInto(o *Object, text string) (Value, error) {
	clear(o.members)
	*o = Object{members: o.members[:0]}
	if cap(o.members) > indexFrom { // a large one is not kept
		o.members = nil
	}
	p := parser{text: text, outer: o}
	return p.whole()
}

type parser struct {
	outer *Object // nil, or what the outermost object is made in
	text  string
	pos   int
	buf   []byte // for strings with escapes
}

func (p *parser) fail(problem string) error {
	return &SyntaxError{Offset: p.pos, Problem: problem, text: p.text}
}

func (p *parser) space() {
	for p.pos < len(p.text) {
		switch p.text[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

// peek is the next byte, 0 at the end (0 is never legal JSON).
func (p *parser) peek() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

func (p *parser) value(depth int) (Value, error) {
	switch c := p.peek(); c {
	case '{':
		return p.object(depth)
	case '[':
		return p.array(depth)
	case '"':
		return p.str()
	case 't':
		return true, p.word("true")
	case 'f':
		return false, p.word("false")
	case 'n':
		return nil, p.word("null")
	default:
		if c == '-' || c-'0' <= 9 {
			return p.number()
		}
	}
	return nil, p.unexpected()
}

// unexpected is the error of a character, or of the end, where none of that
// kind can be.
func (p *parser) unexpected() error {
	if p.pos >= len(p.text) {
		return p.fail(unexpectedEnd)
	}
	return p.fail(wrong(p.text[p.pos]))
}

func (p *parser) word(w string) error {
	if strings.HasPrefix(p.text[p.pos:], w) {
		p.pos += len(w)
		return nil
	}
	for i := 0; p.peek() == w[i]; i++ {
		p.pos++
	}
	return p.unexpected()
}

func (p *parser) array(depth int) (Value, error) {
	if depth >= MaxDepth {
		return nil, p.fail(tooDeep)
	}
	p.pos++
	p.space()
	list := []Value{}
	if p.peek() == ']' {
		p.pos++
		return list, nil
	}
	for {
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		p.space()
		switch p.peek() {
		case ',':
			p.pos++
			p.space()
		case ']':
			p.pos++
			return list, nil
		default:
			return nil, p.fail(noBracket)
		}
	}
}

func (p *parser) object(depth int) (Value, error) {
	if depth >= MaxDepth {
		return nil, p.fail(tooDeep)
	}
	p.pos++
	p.space()
	if p.peek() == '}' {
		p.pos++
		return &Object{}, nil
	}
	b := builder{o: p.outer}
	if b.o == nil || depth > 0 {
		b.o = newObject(6)
	}
	for missing := noFirstName; ; missing = noNextName {
		if p.peek() != '"' {
			return nil, p.fail(missing)
		}
		key, err := p.key()
		if err != nil {
			return nil, err
		}
		p.space()
		if p.peek() != ':' {
			if missing == noFirstName {
				return nil, p.fail(noColon)
			}
			return nil, p.unexpected()
		}
		p.pos++
		p.space()
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		b.add(key, v)
		p.space()
		switch p.peek() {
		case ',':
			p.pos++
			p.space()
		case '}':
			p.pos++
			return b.finish(), nil
		default:
			return nil, p.fail(noBrace)
		}
	}
}

// number reads a JSON number. Whole numbers of up to 15 digits need no
// general conversion.
func (p *parser) number() (Value, error) {
	start := p.pos
	if p.peek() == '-' {
		p.pos++
	}
	whole := digits(p.text[p.pos:])
	if whole == 0 {
		return nil, p.fail(noNumber)
	}
	if whole > 1 && p.text[p.pos] == '0' {
		p.pos++
		return nil, p.fail(unexpectedDigit)
	}
	p.pos += whole
	plain := true
	if p.peek() == '.' {
		plain = false
		p.pos++
		n := digits(p.text[p.pos:])
		if n == 0 {
			return nil, p.fail(noFraction)
		}
		p.pos += n
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		plain = false
		p.pos++
		if c := p.peek(); c == '+' || c == '-' {
			p.pos++
		}
		n := digits(p.text[p.pos:])
		if n == 0 {
			return nil, p.fail(noExponent)
		}
		p.pos += n
	}
	literal := p.text[start:p.pos]
	if plain && whole <= 15 && literal[0] != '-' {
		var n int64
		for i := 0; i < len(literal); i++ {
			n = n*10 + int64(literal[i]-'0')
		}
		return float64(n), nil
	}
	f, _ := strconv.ParseFloat(literal, 64) // out of range gives ±Inf or 0, as in JavaScript
	return f, nil
}

// key reads a member name; names that the sidechain knows are not copied.
func (p *parser) key() (string, error) {
	if s, ok := p.plain(); ok {
		if w := wellKnown(s); w != "" {
			return w, nil
		}
		return strings.Clone(s), nil
	}
	return p.slow()
}

// str reads a text; those that nearly every call holds are not copied.
func (p *parser) str() (Value, error) {
	if s, ok := p.plain(); ok {
		if v := wellKnownText(s); v != nil {
			return v, nil
		}
		return strings.Clone(s), nil
	}
	s, err := p.slow()
	if err != nil {
		return nil, err
	}
	return s, nil
}

// plain reads a string without escapes and control characters whose bytes are
// valid UTF-8; it moves on only when it succeeds.
func (p *parser) plain() (string, bool) {
	start := p.pos + 1
	ascii := true
	for i := start; i < len(p.text); i++ {
		c := p.text[i]
		if c == '"' {
			s := p.text[start:i]
			if !ascii && !utf8.ValidString(s) {
				return "", false
			}
			p.pos = i + 1
			return s, true
		}
		if c < ' ' || c == '\\' {
			return "", false
		}
		if c >= utf8.RuneSelf {
			ascii = false
		}
	}
	return "", false
}

// slow reads any string.
func (p *parser) slow() (string, error) {
	p.pos++
	p.buf = p.buf[:0]
	for p.pos < len(p.text) {
		c := p.text[p.pos]
		switch {
		case c == '"':
			p.pos++
			return string(p.buf), nil
		case c < ' ':
			return "", p.fail(badControl)
		case c == '\\':
			if err := p.escape(); err != nil {
				return "", err
			}
		case c < utf8.RuneSelf:
			p.buf = append(p.buf, c)
			p.pos++
		default:
			p.multibyte()
		}
	}
	return "", p.fail(unterminated)
}

// multibyte copies one sequence of several bytes.
func (p *parser) multibyte() {
	rest := p.text[p.pos:]
	n, ok := wellFormed(rest)
	p.pos += n
	switch {
	case ok:
		p.buf = append(p.buf, rest[:n]...)
	case n == 3:
		p.unit(surrogateAt(rest))
	default:
		p.buf = append(p.buf, "\uFFFD"...)
	}
}

func (p *parser) escape() error {
	p.pos++
	c := p.peek()
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		return p.codeUnit()
	default:
		return p.wrongEscape()
	}
	p.buf = append(p.buf, c)
	p.pos++
	return nil
}

// wrongEscape is the error of a backslash and what follows it. V8 knows a bad
// escape only of a Latin-1 character.
func (p *parser) wrongEscape() error {
	if r, _ := utf8.DecodeRuneInString(p.text[p.pos:]); p.pos < len(p.text) && r <= unicode.MaxLatin1 {
		return p.fail(badEscape)
	}
	return p.unexpected()
}

func (p *parser) codeUnit() error {
	p.pos++
	var u uint16
	for range 4 {
		d := hexValue(p.peek())
		if d > 15 {
			return p.fail(badUnicode)
		}
		u = u<<4 | uint16(d)
		p.pos++
	}
	p.unit(u)
	return nil
}

// unit appends one UTF-16 code unit; a low surrogate right after a high one
// joins it to one character.
func (p *parser) unit(u uint16) {
	if u&0xFC00 == 0xDC00 {
		if n := len(p.buf) - 3; n >= 0 && isSurrogate(string(p.buf[n:])) {
			if high := surrogateAt(string(p.buf[n:])); high&0xFC00 == 0xD800 {
				r := 0x10000 + rune(high&0x3FF)<<10 + rune(u&0x3FF)
				p.buf = utf8.AppendRune(p.buf[:n], r)
				return
			}
		}
	}
	if u&0xF800 == 0xD800 {
		p.buf = append(p.buf, 0xED, 0x80|byte(u>>6&0x3F), 0x80|byte(u&0x3F))
		return
	}
	p.buf = utf8.AppendRune(p.buf, rune(u))
}

func hexValue(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}
