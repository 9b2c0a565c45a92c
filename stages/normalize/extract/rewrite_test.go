package extract

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"unicode/utf8"
)

// shuffle writes JSON again with its keys in another order.
func shuffle(raw []byte, rnd *rand.Rand) []byte {
	return rewrite(raw, rnd, false, func() string { return "" })
}

// rewrite shuffles, and puts what other gives, if anything, for a value. If loose,
// there are spaces and needless escapes.
func rewrite(raw []byte, rnd *rand.Rand, loose bool, other func() string) []byte {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		panic(err)
	}
	var w bytes.Buffer
	space := func() {
		if loose {
			w.WriteString([]string{"", " ", "\n\t"}[rnd.IntN(3)])
		}
	}
	scalar := func(v any) {
		text := encode(v)
		if s, ok := v.(string); ok && s != "" && s[0] < utf8.RuneSelf && loose && rnd.IntN(4) == 0 {
			const hex = "0123456789ABCDEF"
			text = append([]byte(`"\u00`+string(hex[s[0]>>4])+string(hex[s[0]&15])), encode(s[1:])[1:]...)
		}
		w.Write(text)
	}
	var write func(v any)
	write = func(v any) {
		space()
		if text := other(); text != "" {
			w.WriteString(text)
			return
		}
		switch x := v.(type) {
		case map[string]any:
			keys := make([]string, 0, len(x))
			for k := range x {
				keys = append(keys, k)
			}
			slices.Sort(keys)
			rnd.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
			w.WriteByte('{')
			for i, k := range keys {
				if i > 0 {
					w.WriteByte(',')
				}
				space()
				scalar(k)
				space()
				w.WriteByte(':')
				write(x[k])
				space()
			}
			w.WriteByte('}')
		case []any:
			w.WriteByte('[')
			for i, e := range x {
				if i > 0 {
					w.WriteByte(',')
				}
				write(e)
				space()
			}
			space()
			w.WriteByte(']')
		default:
			scalar(v)
		}
	}
	write(v)
	return w.Bytes()
}

func encode(v any) []byte {
	var w bytes.Buffer
	e := json.NewEncoder(&w)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSpace(w.Bytes())
}
