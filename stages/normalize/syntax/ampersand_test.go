package syntax

import "testing"

func TestEscapedAmpersands(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "",
		"a & b":                    "a &amp; b",
		"?a=1&b=2&amp;c=3":         "?a=1&amp;b=2&amp;c=3",
		"&lt;&#38;&#x26;&unknown;": "&lt;&#38;&#x26;&unknown;",
		"&":                        "&amp;",
		"&;&":                      "&amp;;&amp;",
	} {
		if got := string(escapedAmpersands([]byte(text))); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestSentOffset(t *testing.T) {
	const sent = "a&b&amp;c&" // a&amp;b&amp;c&amp;
	for at, want := range map[int]int{0: 0, 1: 1, 6: 2, 7: 3, 12: 8, 13: 9, 18: 10, 99: 10} {
		if got := sentOffset([]byte(sent), at); got != want {
			t.Errorf("%d: got %d, want %d", at, got, want)
		}
	}
}
