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
