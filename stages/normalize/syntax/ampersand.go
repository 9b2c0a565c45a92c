package syntax

import "bytes"

// escapedAmpersands gives text with "&amp;" for each "&" that begins no entity:
// Windows' event viewer shows, and people paste, addresses as they are. Text
// without such is given back itself. Ampersands in CDATA sections are taken for
// bare ones, too, and come out as "&amp;".
func escapedAmpersands(text []byte) []byte {
	bare := 0
	for i := bytes.IndexByte(text, '&'); i >= 0; {
		if !isEntity(text[i:]) {
			bare++
		}
		next := bytes.IndexByte(text[i+1:], '&')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	if bare == 0 {
		return text
	}
	out := make([]byte, 0, len(text)+4*bare)
	for i, c := range text {
		if out = append(out, c); c == '&' && !isEntity(text[i:]) {
			out = append(out, "amp;"...)
		}
	}
	return out
}

// sentOffset gives the place in sent of one in escapedAmpersands(sent).
func sentOffset(sent []byte, at int) int {
	for i, c := range sent {
		if at <= 0 {
			return i
		}
		if at--; c == '&' && !isEntity(sent[i:]) {
			at -= len("amp;")
		}
	}
	return len(sent)
}

// maxEntity is the longest name of an entity that is looked for.
const maxEntity = 32

// isEntity reports whether text begins with an entity, known or not: a name or
// number between "&" and ";". Unknown ones are the decoder's to turn down.
func isEntity(text []byte) bool {
	for i, c := range text[1:min(len(text), maxEntity)] {
		switch {
		case c == ';':
			return i > 0
		case c == '#' && i == 0, c|0x20 >= 'a' && c|0x20 <= 'z', c-'0' <= 9:
		default:
			return false
		}
	}
	return false
}
