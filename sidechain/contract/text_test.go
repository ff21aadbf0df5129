package contract

import "testing"

func TestValidAccountName(t *testing.T) {
	for name, want := range map[string]bool{
		"bob": true, "null": true, "a1-b": true, "bob.carol": true, "abc.d-e.f1g": true,
		"aaaaaaaaaaaaaaaa": true, "aaaaaaaaaaaaaaaaa": false,
		"": false, "ab": false, "Bob": false, "1bob": false, "bob-": false, "bo.bob": false,
		"bob.": false, ".bob": false, "bo b": false, "bób": false, "bob\n": false, "-bob": false,
	} {
		if got := ValidAccountName(name, true); got != want {
			t.Errorf("%q: %v, want %v", name, got, want)
		}
	}
	if !ValidAccountName("john--wesley", true) || ValidAccountName("john--wesley", false) {
		t.Error("double dash")
	}
}

func TestTrim(t *testing.T) {
	for text, want := range map[string]string{
		" a\t\n": "a", "\u00a0a\ufeff": "a", "\u0085a": "\u0085a", "\u2003a\u2029": "a", "a b": "a b", "\u180ea": "\u180ea",
	} {
		if got := Trim(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestToLower(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "AbC": "abc", "ÄÖ": "äö", "İ": "i\u0307", "ΑΣ": "ας", "ΑΣΑ": "ασα", "Σ": "σ", "A\xed\xa0\x80B": "a\xed\xa0\x80b",
	} {
		if got := ToLower(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestAlpha(t *testing.T) {
	if IsAlpha("") || !IsAlpha("aZ") || IsAlpha("a1") || IsAlpha("é") || IsAlpha("[") || IsAlpha("@") || IsAlpha("`") || IsAlpha("{") {
		t.Error("IsAlpha")
	}
	if IsAlphanumeric("") || !IsAlphanumeric("a1Z") || IsAlphanumeric("a b") || IsAlphanumeric("ı") {
		t.Error("IsAlphanumeric")
	}
}
