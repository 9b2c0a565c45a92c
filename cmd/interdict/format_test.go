package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const acmeSamples = `{"acmeId":"a-1","raised":"2026-03-02T10:00:00Z","severity":"high","title":"Beacon","src_ip":"192.0.2.1","computer_name":"ws-1"}
{"acmeId":"a-2","raised":"2026-03-02T10:01:00Z","severity":"low","title":"Scan","src_ip":"192.0.2.2","computer_name":"ws-2"}
`

// drafted makes a format of the samples and gives its folder.
func drafted(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "formats")
	if r := do(t, acmeSamples, "format", "new", "acme_sensor", "--from", "-", "--dir", dir); r.code != exitDone {
		t.Fatalf("new: exit %d: %s%s", r.code, r.out, r.err)
	}
	return filepath.Join(dir, "acme_sensor")
}

func contains(t *testing.T, what, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("%s: %q is not in\n%s", what, want, text)
		}
	}
}

func edit(t *testing.T, file, old, with string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), old, with, 1)
	if changed == string(text) {
		t.Fatalf("%q is not in %s:\n%s", old, file, text)
	}
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestFormatFromSampleToForce goes the way of docs/adding-a-format.md.
func TestFormatFromSampleToForce(t *testing.T) {
	dir := drafted(t)
	sample, err := os.ReadFile(filepath.Join(dir, "cases", "sample.ndjson"))
	if err != nil || string(sample) != acmeSamples {
		t.Errorf("the case: %v\n%s", err, sample)
	}
	r := do(t, "", "format", "test", dir)
	if r.code != exitFailed {
		t.Errorf("without a golden file: exit %d", r.code)
	}
	contains(t, "without a golden file", r.out, "no golden file: run with --update")
	if r := do(t, "", "format", "test", "--update", dir); r.code != exitDone {
		t.Fatalf("update: exit %d: %s%s", r.code, r.out, r.err)
	}
	golden, err := os.ReadFile(filepath.Join(dir, "cases", "sample.golden"))
	if err != nil {
		t.Fatal(err)
	}
	contains(t, "golden", string(golden), "vendor id  a-1", "severity   high", `ip source "192.0.2.1"`, `host related "ws-2"`)
	if r := do(t, "", "format", "test", dir); r.code != exitDone || !strings.Contains(r.out, "1 cases, 0 not as they should be") {
		t.Errorf("after the update: exit %d: %s%s", r.code, r.out, r.err)
	}

	edit(t, filepath.Join(dir, "format.yaml"), "severity: severity", "severity: {const: fatal}")
	r = do(t, "", "format", "test", dir)
	if r.code != exitFailed {
		t.Errorf("a changed format: exit %d", r.code)
	}
	contains(t, "diff", r.out, "-   severity   high", "+   severity   fatal")
	var cases []caseResult
	r = do(t, "", "format", "test", "--json", dir)
	if err := json.Unmarshal([]byte(r.out), &cases); err != nil || len(cases) != 1 || cases[0].OK || len(cases[0].Diff) == 0 {
		t.Errorf("as JSON: %v %s", err, r.out)
	}

	formats := filepath.Dir(dir)
	r = do(t, "", "format", "list", "--json", "--formats", formats)
	var all []listedFormat
	if err := json.Unmarshal([]byte(r.out), &all); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(l listedFormat) bool { return l.Name == "acme_sensor" })
	if i < 0 || all[i].BuiltIn || all[i].File != filepath.Join(dir, "format.yaml") {
		t.Errorf("list: %+v", all)
	}
	if builtin := slices.IndexFunc(all, func(l listedFormat) bool { return l.Name == "suricata_eve" }); builtin < 0 || !all[builtin].BuiltIn {
		t.Error("list: suricata_eve is not there, or not built in")
	}
	r = do(t, "", "format", "show", "acme_sensor", "--formats", formats)
	text, err := os.ReadFile(filepath.Join(dir, "format.yaml"))
	if err != nil || r.out != "# "+filepath.Join(dir, "format.yaml")+"\n"+string(text) {
		t.Errorf("show: %v\n%s", err, r.out)
	}
	config := write(t, "interdict.yaml", fmt.Sprintf("embedded: true\nnormalize:\n  formats_dir: %s\n", formats))
	if r := do(t, "", "format", "show", "-c", config, "acme_sensor", "--json"); r.code != exitDone || !strings.Contains(r.out, `"built_in":false`) {
		t.Errorf("show -c: exit %d: %s%s", r.code, r.out, r.err)
	}
}

func TestFormatNewRefuses(t *testing.T) {
	dir := drafted(t)
	before, err := os.ReadFile(filepath.Join(dir, "format.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	f := func(code int, want, stdin, name string, more ...string) {
		t.Helper()
		to := filepath.Dir(dir)
		r := do(t, stdin, append([]string{"format", "new", name, "--from", "-", "--dir", to}, more...)...)
		if r.code != code || !strings.Contains(r.err, want) {
			t.Errorf("%s: exit %d, want %d with %q: %s%s", name, r.code, code, want, r.out, r.err)
		}
		if _, err := os.Stat(filepath.Join(to, name)); code != exitDone && name != "acme_sensor" && err == nil {
			t.Errorf("%s: refused, and yet written", name)
		}
	}
	f(exitUsage, "is there already", acmeSamples, "acme_sensor")
	f(exitUsage, "lower-case", acmeSamples, "../x")
	f(exitUsage, "in force already", acmeSamples, "falco")
	f(exitFailed, "suricata_eve takes 1 of the samples", eve, "mine")
	f(exitFailed, "no document that can be read", "\n", "mine")
	f(exitFailed, "no document that can be read", `{"a":`, "mine")
	f(exitDone, "", eve, "mine", "--force")
	if after, err := os.ReadFile(filepath.Join(dir, "format.yaml")); err != nil || string(after) != string(before) {
		t.Errorf("a format that was there has changed: %v", err)
	}
	// The forced draft is in the way of nothing, but suricata_eve takes its samples.
	mine := filepath.Join(filepath.Dir(dir), "mine")
	r := do(t, "", "format", "test", "--update", mine)
	if r.code == exitDone == strings.Contains(r.out, "takes a document of it") {
		t.Errorf("exit %d: %s", r.code, r.out)
	}
}

func TestFormatNewKeepsAFewOfEachKind(t *testing.T) {
	var in strings.Builder
	for i := range 100 {
		fmt.Fprintf(&in, `{"acme_uid":"u-%d","type":"t%d","ts":%d}`+"\n", i, i/90, 1772445600+i)
	}
	dir := filepath.Join(t.TempDir(), "f")
	if r := do(t, in.String(), "format", "new", "acme", "--from", "-", "--dir", dir); r.code != exitDone {
		t.Fatalf("exit %d: %s%s", r.code, r.out, r.err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "acme", "cases", "sample.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "\n"); n != maxCase || !strings.Contains(string(text), `"t1"`) {
		t.Errorf("%d samples:\n%s", n, text)
	}
}

func TestFormatCheck(t *testing.T) {
	dir := drafted(t)
	f := func(code int, want string, dirs ...string) {
		t.Helper()
		r := do(t, "", append([]string{"format", "check"}, dirs...)...)
		if r.code != code || !strings.Contains(r.out+r.err, want) {
			t.Errorf("%v: exit %d, want %d with %q: %s%s", dirs, r.code, code, want, r.out, r.err)
		}
	}
	f(exitDone, dir+": ok", dir, filepath.Dir(dir))
	f(exitFailed, "no such file", filepath.Join(dir, "nowhere"))
	f(exitFailed, "no format is in it", filepath.Join(dir, "cases"))
	file := filepath.Join(dir, "format.yaml")
	edit(t, file, "severity: severity", "sevirity: severity")
	want := file + `:` // and the line
	f(exitFailed, want, dir)
	f(exitFailed, `unknown field "sevirity"`, filepath.Dir(dir))
	if r := do(t, "", "format", "test", dir); r.code != exitFailed || !strings.Contains(r.err, want) {
		t.Errorf("test of a broken format: exit %d: %s", r.code, r.err)
	}
	f(exitUsage, "")
}

func TestLineDiff(t *testing.T) {
	f := func(a, b, want string) {
		t.Helper()
		if got := strings.Join(lineDiff(strings.Fields(a), strings.Fields(b)), "|"); got != want {
			t.Errorf("%s -> %s: %s, want %s", a, b, got, want)
		}
	}
	f("a b c", "a b c", "  b|  c")
	f("a b c d e", "a b x d e", "  a|  b|- c|+ x|  d|  e")
	f("", "x y", "+ x|+ y")
	f("x y", "", "- x|- y")
	f("a b c d e f g h i", "A b c d e f g h I", "- a|+ A|  b|  c|  ...|  g|  h|- i|+ I")
	long := strings.Repeat("x ", maxDiff+1)
	if got := lineDiff(strings.Fields("a "+long+"b"), strings.Fields("c "+long+"d")); len(got) < 2*maxDiff || !strings.Contains(got[len(got)-1], "cut") {
		t.Errorf("%d lines", len(got))
	}
}
