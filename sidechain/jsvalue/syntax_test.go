package jsvalue

import (
	"errors"
	"testing"
)

// TestSyntaxMessages compares with what node 20 says of the same texts.
func TestSyntaxMessages(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "Unexpected end of JSON input",
		" \n":                                "Unexpected end of JSON input",
		"{":                                  "Expected property name or '}' in JSON at position 1",
		"{a:1}":                              "Expected property name or '}' in JSON at position 1",
		`{"a"`:                               "Expected ':' after property name in JSON at position 4",
		`{"a"1}`:                             "Expected ':' after property name in JSON at position 4",
		`{"a":1,"b"}`:                        `Unexpected token '}', "{"a":1,"b"}" is not valid JSON`,
		`{"a":1,"b"`:                         "Unexpected end of JSON input",
		`{"a":1,"b"2}`:                       "Unexpected number in JSON at position 10",
		`{"a":1,"b""c"}`:                     "Unexpected string in JSON at position 10",
		`{"a":`:                              "Unexpected end of JSON input",
		`{"a":}`:                             `Unexpected token '}', "{"a":}" is not valid JSON`,
		`{"a":1`:                             "Expected ',' or '}' after property value in JSON at position 6",
		`{"a":1]`:                            "Expected ',' or '}' after property value in JSON at position 6",
		`{"a":1, }`:                          "Expected double-quoted property name in JSON at position 8",
		"[":                                  "Unexpected end of JSON input",
		"[1,]":                               `Unexpected token ']', "[1,]" is not valid JSON`,
		"[1 2]":                              "Expected ',' or ']' after array element in JSON at position 3",
		"[1":                                 "Expected ',' or ']' after array element in JSON at position 2",
		"1 2":                                "Unexpected non-whitespace character after JSON at position 2",
		"1x":                                 "Unexpected non-whitespace character after JSON at position 1",
		`"abc`:                               "Unterminated string in JSON at position 4",
		`"abc\`:                              "Unexpected end of JSON input",
		`"\x"`:                               "Bad escaped character in JSON at position 2",
		"\"\\é\"":                            "Bad escaped character in JSON at position 2",
		"\"\\Ā\"":                            "Unexpected token 'Ā', \"\"\\Ā\"\" is not valid JSON",
		`"\u00g0"`:                           "Bad Unicode escape in JSON at position 5",
		`"\u12`:                              "Bad Unicode escape in JSON at position 5",
		"\"\n\"":                             "Bad control character in string literal in JSON at position 1",
		"-":                                  "No number after minus sign in JSON at position 1",
		"-Infinity":                          "No number after minus sign in JSON at position 1",
		"-01":                                "Unexpected number in JSON at position 2",
		"1.a":                                "Unterminated fractional number in JSON at position 2",
		"1e+":                                "Exponent part is missing a number in JSON at position 3",
		"tru":                                "Unexpected end of JSON input",
		"nulL":                               `Unexpected token 'L', "nulL" is not valid JSON`,
		"tr1":                                "Unexpected number in JSON at position 2",
		"undefined":                          `"undefined" is not valid JSON`,
		"[object Object]":                    `"[object Object]" is not valid JSON`,
		"NaN":                                `"NaN" is not valid JSON`,
		"NaN ":                               `Unexpected token 'N', "NaN " is not valid JSON`,
		"hello world this is long text":      `Unexpected token 'h', "hello worl"... is not valid JSON`,
		"[1,2,3,4,5,6,7,8,9,10,x]":           `Unexpected token 'x', ...",7,8,9,10,x]" is not valid JSON`,
		"[1,2,3,4,5,6,7,8,9,10,x0123456789]": `Unexpected token 'x', ...",7,8,9,10,x012345678"... is not valid JSON`,
		"xxxxxxxxxxxxxxxxxxxx":               `Unexpected token 'x', "xxxxxxxxxxxxxxxxxxxx" is not valid JSON`,
		"xxxxxxxxxxxxxxxxxxxxx":              `Unexpected token 'x', "xxxxxxxxxx"... is not valid JSON`,
		`["😀"😀]`:                             "Expected ',' or ']' after array element in JSON at position 5",
		`{"😀":x}`:                            `Unexpected token 'x', "{"😀":x}" is not valid JSON`,
		"😀":                                  "Unexpected token '\xed\xa0\xbd', \"😀\" is not valid JSON",
	} {
		_, err := Parse(text)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := syntax.Message(); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
