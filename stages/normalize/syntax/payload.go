package syntax

import "github.com/interdict/interdict/stages/normalize/extract"

// jsonAt finds where JSON begins, at pos or behind a cookie, and where no tag
// was read yet behind a tag; -1 if it does not.
func jsonAt(t []byte, pos int, tagged bool) int {
	p := pos
	if !tagged && !startsJSON(t, p) {
		var h header
		p = h.tagOf(t, pos)
	}
	if hasAt(t, p, "@cee:") {
		p = skipBlank(t, p+len("@cee:"))
	}
	if startsJSON(t, p) {
		return p
	}
	return -1
}

// startsJSON reports whether an object, or an array of them, begins at pos.
func startsJSON(t []byte, pos int) bool {
	p := pos
	if hasAt(t, p, "[") {
		if p = extract.SkipSpace(t, p+1); !hasAt(t, p, "{") {
			return false
		}
	}
	if !hasAt(t, p, "{") {
		return false
	}
	p = extract.SkipSpace(t, p+1)
	return p < len(t) && (t[p] == '"' || t[p] == '}')
}
