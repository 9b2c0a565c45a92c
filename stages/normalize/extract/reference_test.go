package extract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The reference: what a path gives, by encoding/json and the package comment
// alone. One path at a time, without a trie.

// reference gives the values of a path in valid JSON.
func reference(path string, doc []byte) []string {
	all, err := steps(path)
	if err != nil {
		panic(err)
	}
	var out []string
	follow(all, doc, 0, &out)
	return out
}

func follow(path []step, raw json.RawMessage, nest int, out *[]string) {
	raw = bytes.TrimSpace(raw)
	if len(path) == 0 {
		switch raw[0] {
		case '{':
			*out = append(*out, fmt.Sprintf("%d %s", Object, raw))
		case '"':
			if text := unquote(raw); text != "" {
				*out = append(*out, fmt.Sprintf("%d %s", String, text))
			}
		case 't':
			*out = append(*out, fmt.Sprintf("%d true", True))
		case 'f':
			*out = append(*out, fmt.Sprintf("%d false", False))
		case 'n', '[':
		default:
			*out = append(*out, fmt.Sprintf("%d %s", Number, raw))
		}
		return
	}
	switch rest := path[1:]; path[0].kind {
	case stepName, stepStar:
		parts(raw, '{', func(name string, v json.RawMessage) {
			if path[0].kind == stepStar || name == path[0].name {
				follow(rest, v, nest, out)
			}
		})
	case stepElem:
		if raw[0] != '[' {
			follow(rest, raw, nest, out)
			return
		}
		parts(raw, '[', func(_ string, v json.RawMessage) { follow(rest, v, nest, out) })
	case stepText:
		if raw[0] == '"' && nest < maxNest {
			text := strings.TrimLeft(unquote(raw), " \t\r\n")
			if text != "" && (text[0] == '{' || text[0] == '[') && strict([]byte(text)) {
				follow(rest, json.RawMessage(text), nest+1, out)
				return
			}
		}
		follow(rest, raw, nest, out)
	}
}

// parts goes over an object or array, in order.
func parts(raw []byte, open json.Delim, f func(name string, v json.RawMessage)) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if tok, err := d.Token(); err != nil || tok != open {
		return
	}
	for d.More() {
		name := ""
		if open == '{' {
			tok, err := d.Token()
			if err != nil {
				panic(err)
			}
			name = tok.(string)
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			panic(err)
		}
		f(name, v)
	}
}

func unquote(raw []byte) (text string) {
	if err := json.Unmarshal(raw, &text); err != nil {
		panic(err)
	}
	return text
}

// strict reports whether JSON keeps the rules that encoding/json does not know,
// too: limits aside.
func strict(data []byte) bool {
	return json.Valid(data) && utf8.Valid(data) && !hasDuplicates(data) && !hasLoneSurrogate(data)
}

// hasDuplicates reports whether any object of valid JSON has a key twice.
func hasDuplicates(data []byte) bool {
	data = bytes.TrimSpace(data)
	seen, found := map[string]bool{}, false
	for _, open := range []json.Delim{'{', '['} {
		if data[0] != byte(open) {
			continue
		}
		parts(data, open, func(name string, v json.RawMessage) {
			found = found || open == '{' && seen[name] || hasDuplicates(v)
			seen[name] = true
		})
	}
	return found
}

// hasLoneSurrogate looks for what encoding/json replaces by U+FFFD.
func hasLoneSurrogate(data []byte) bool {
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		if i++; data[i] != 'u' {
			continue
		}
		var r rune
		fmt.Sscanf(string(data[i+1:i+5]), "%x", &r)
		i += 4
		switch {
		case r >= 0xdc00 && r < 0xe000:
			return true
		case r >= 0xd800 && r < 0xdc00:
			var low rune
			if i+6 >= len(data) || data[i+1] != '\\' || data[i+2] != 'u' {
				return true
			}
			fmt.Sscanf(string(data[i+3:i+7]), "%x", &low)
			if low < 0xdc00 || low >= 0xe000 {
				return true
			}
			i += 6
		}
	}
	return false
}
