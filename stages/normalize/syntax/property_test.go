package syntax

import (
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// field is a name with its value, as an oracle wrote it.
type field struct{ name, value string }

func trimmed(s string) string { return strings.Trim(s, " ") }

// fields draws fields with names of their own.
func fields(t *rapid.T, min int, value *rapid.Generator[string]) []field {
	name := rapid.StringMatching(`[A-Za-z][A-Za-z0-9_.\-]{0,12}`).Filter(func(s string) bool { return !strings.HasSuffix(s, "Label") })
	names := rapid.SliceOfNDistinct(name, min, 12, rapid.ID[string]).Draw(t, "names")
	var out []field
	for _, n := range names {
		out = append(out, field{n, value.Draw(t, n)})
	}
	return out
}

// text draws printable text without blanks around it.
func text(more string) *rapid.Generator[string] {
	return rapid.Map(rapid.StringOfN(rapid.SampledFrom([]rune("abcXYZ019 _-./:;,|=\\\"'[]{}<>%&?#@äß漢"+more)), 0, 30, -1), trimmed)
}

func wantFields(t *rapid.T, g *rig, text string, prefix string, want []field) {
	t.Helper()
	if f := g.read(text); f.Reason != 0 {
		t.Fatalf("%q: %+v", text, f)
	}
	got := map[string]string{}
	for _, v := range g.tape.Values {
		got[g.paths[v.Slot]] = v.Text
	}
	n := 0
	for _, w := range want {
		path := prefix + strings.ReplaceAll(w.name, ".", `\.`)
		if got[path] != w.value {
			t.Fatalf("%q: %s is %q, want %q", text, path, got[path], w.value)
		}
		if w.value != "" {
			n++
		}
	}
	if n != len(got) {
		t.Fatalf("%q: got %q, want %q", text, got, want)
	}
}

func pathsOf(prefix string, fs []field) (paths []string) {
	for _, f := range fs {
		paths = append(paths, prefix+strings.ReplaceAll(f.name, ".", `\.`))
	}
	return paths
}

func TestCEFRoundTrip(t *testing.T) {
	bar := strings.NewReplacer(`\`, `\\`, `|`, `\|`)
	ext := strings.NewReplacer(`\`, `\\`, `=`, `\=`, "\n", `\n`, "\r", `\r`)
	rapid.Check(t, func(rt *rapid.T) {
		fs := fields(rt, 0, rapid.Map(text("\n\r"), func(s string) string { return strings.Trim(s, "\r\n ") }))
		head := text("")
		header := []field{{"vendor", head.Draw(rt, "vendor")}, {"product", head.Draw(rt, "product")}, {"version", head.Draw(rt, "version")},
			{"class", head.Draw(rt, "class")}, {"name", head.Draw(rt, "name")}, {"severity", head.Draw(rt, "severity")}}
		var b strings.Builder
		b.WriteString(rapid.SampledFrom([]string{"", "<13>Oct 11 22:14:15 fw1 ", "<13>1 2024-10-01T22:14:15Z fw1 app 7 - - "}).Draw(rt, "header"))
		b.WriteString("CEF:0|")
		for _, h := range header {
			b.WriteString(bar.Replace(h.value) + "|")
		}
		for i, f := range fs {
			if i > 0 {
				b.WriteString(strings.Repeat(" ", rapid.IntRange(1, 3).Draw(rt, "blanks")))
			}
			b.WriteString(f.name + "=" + ext.Replace(f.value))
		}
		message := b.String()
		wantFields(rt, newRig(t, testLimits, pathsOf("@cef.ext.", fs)...), message, "@cef.ext.", fs)
		wantFields(rt, newRig(t, testLimits, pathsOf("@cef.", header)...), message, "@cef.", header)
	})
}

func TestCEFLabelsRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		labels := fields(rt, 1, rapid.StringMatching(`[a-z][a-z ]{0,10}[a-z]`))
		bases := rapid.Permutation([]string{"cs1", "cs2", "cs3", "cs4", "cs5", "cs6", "cn1", "cn2", "cn3", "flexString1", "deviceCustomDate1", "c6a2"}).Draw(rt, "bases")
		var parts []string
		for i, l := range labels {
			parts = append(parts, bases[i]+"="+l.value, bases[i]+"Label="+l.name)
		}
		parts = rapid.Permutation(parts).Draw(rt, "order")
		wantFields(rt, newRig(t, testLimits, pathsOf("@cef.custom.", labels)...), "CEF:0|a|b|c|d|e|5|"+strings.Join(parts, " "), "@cef.custom.", labels)
	})
}

func TestLEEFRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		mark := rapid.SampledFrom([]struct{ head, delimiter string }{{"LEEF:1.0|a|b|c|d|", "\t"}, {"LEEF:2.0|a|b|c|d|^|", "^"}, {"LEEF:2.0|a|b|c|d|x7E|", "~"},
			{"LEEF:2.0|a|b|c|d||", "\t"}, {"LEEF:2.0|a|b|c|d|0x09|", "\t"}, {"LEEF:2.0|a|b|c|d|¦|", "¦"}}).Draw(rt, "mark")
		fs := fields(rt, 2, text(""))
		var parts []string
		for _, f := range fs {
			parts = append(parts, f.name+"="+f.value)
		}
		wantFields(rt, newRig(t, testLimits, pathsOf("@leef.ext.", fs)...), mark.head+strings.Join(parts, mark.delimiter), "@leef.ext.", fs)
	})
}

func TestPairsRoundTrip(t *testing.T) {
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	rapid.Check(t, func(rt *rapid.T) {
		sep := rapid.SampledFrom([]string{" ", "  ", ",", ", ", "; ", "\t", " | "}).Draw(rt, "separator")
		fs := fields(rt, minPairs, text(""))
		var parts []string
		for i, f := range fs {
			// A bare word: nothing in it that ends it or begins a quote.
			if bare := strings.Trim(f.value, `"' `); !strings.ContainsAny(bare, ` ,;|=\`) && rapid.Bool().Draw(rt, "bare") {
				fs[i].value = bare
				parts = append(parts, f.name+"="+bare)
				continue
			}
			parts = append(parts, f.name+`="`+quote.Replace(f.value)+`"`)
		}
		wantFields(rt, newRig(t, testLimits, pathsOf("@kv.", fs)...), strings.Join(parts, sep), "@kv.", fs)
	})
}

func TestColumnsRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		values := rapid.SliceOfN(text(""), minColumns, 20).Draw(rt, "values")
		values[0] = "1"
		fs := make([]field, len(values))
		parts := make([]string, len(values))
		for i, v := range values {
			fs[i] = field{strconv.Itoa(i), v}
			parts[i] = v
			if strings.ContainsAny(v, `",`) || rapid.Bool().Draw(rt, "quoted") {
				parts[i] = `"` + strings.ReplaceAll(v, `"`, `""`) + `"`
			}
		}
		message := strings.Join(parts, ",")
		g := newRig(t, testLimits, append(pathsOf("@kv.", []field{{"*", ""}}), pathsOf("@col.", fs)...)...)
		g.read(message)
		if len(g.pairs) >= minPairs { // a row of pairs is pairs
			return
		}
		wantFields(rt, newRig(t, testLimits, pathsOf("@col.", fs)...), message, "@col.", fs)
	})
}

func TestStructuredRoundTrip(t *testing.T) {
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`, `]`, `\]`)
	rapid.Check(t, func(rt *rapid.T) {
		fs := fields(rt, 1, text(""))
		var b strings.Builder
		b.WriteString("<13>1 2024-10-01T22:14:15Z fw1 app 7 - [acme@1")
		for _, f := range fs {
			b.WriteString(" " + f.name + `="` + quote.Replace(f.value) + `"`)
		}
		b.WriteString("]")
		wantFields(rt, newRig(t, testLimits, pathsOf("@syslog.sd.acme@1.", fs)...), b.String(), "@syslog.sd.acme@1.", fs)
	})
}
