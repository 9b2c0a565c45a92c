package parse

import "testing"

// TestRowTime: what was cut off is no time of long ago.
func TestRowTime(t *testing.T) {
	for text, want := range map[string]string{
		"2026-01-15": "2026-01-15T00:00:00.000Z", "2026-1-5": "2026-01-05T00:00:00.000Z", "2026-10-5": "2026-10-05T00:00:00.000Z", "15 Jan 2026": "2026-01-15T00:00:00.000Z",
		"1768435200": "2026-01-15T00:00:00.000Z", "1768435200.5": "2026-01-15T00:00:00.500Z", "1768435200000": "2026-01-15T00:00:00.000Z",
		"2": "", "20": "", "202": "", "2026": "", "2026.": "", "2026-": "", "2026-0": "", "2026-01": "", "2026-01-": "", "2026-01-1": "", "202601": "", "17684352": "", "Jan 2026": "",
	} {
		got, ok := rowTime(text)
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("%q is %s, %v, want %q", text, got, ok, want)
		}
	}
}
