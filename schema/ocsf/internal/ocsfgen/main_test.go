package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// schemaDir is where the schema source lies beside the repository.
const schemaDir = "../../../../../shared/data/ocsf-schema-1.8.0"

// TestCommittedFiles generates everything anew and compares it with what lies
// in package ocsf: no byte may differ, no generated file may be left over.
func TestCommittedFiles(t *testing.T) {
	if _, err := os.Stat(schemaDir); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("the OCSF schema source is missing: %v", err)
		}
		t.Skipf("SKIPPED: the generated files are NOT checked against the OCSF schema, %s is missing: %v", schemaDir, err)
	}
	out := t.TempDir()
	if err := run(schemaDir, out); err != nil {
		t.Fatal(err)
	}
	fresh, committed := generated(t, out), generated(t, "../..")
	if !slices.Equal(fresh, committed) {
		t.Fatalf("generated files are %q, committed ones %q", fresh, committed)
	}
	for _, name := range fresh {
		want, got := read(t, filepath.Join(out, name)), read(t, filepath.Join("../..", name))
		if !bytes.Equal(want, got) {
			t.Errorf("%s is not what the schema gives: run go generate", name)
		}
	}
	// Maps must not leak their order into the output.
	again := t.TempDir()
	if err := run(schemaDir, again); err != nil {
		t.Fatal(err)
	}
	for _, name := range fresh {
		if !bytes.Equal(read(t, filepath.Join(out, name)), read(t, filepath.Join(again, name))) {
			t.Errorf("%s differs between two runs", name)
		}
	}
}

func generated(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	for _, pattern := range []string{"*_gen.go", "schema_*.json"} {
		matches, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range matches {
			names = append(names, filepath.Base(m))
		}
	}
	return names
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestMissingSchema(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{filepath.Join(t.TempDir(), "absent"), file} {
		out := t.TempDir()
		err := run(dir, out)
		if err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "OCSF schema directory") {
			t.Errorf("%s: error %v does not say which directory is meant and what for", dir, err)
		}
		if left := generated(t, out); len(left) != 0 {
			t.Errorf("%s: wrote %q", dir, left)
		}
	}
}

// tiny is a schema with one of everything that resolution has to get right.
func tiny() map[string]string {
	return map[string]string{
		"version.json":    `{"version":"0.0.1"}`,
		"categories.json": `{"attributes":{"findings":{"uid":2,"caption":"Findings"},"remediation":{"uid":7,"caption":"Remediation"}}}`,
		"dictionary.json": `{"attributes":{
			"id":{"type":"integer_t","enum":{"0":{"caption":"Unknown"}}},
			"type_id":{"type":"integer_t","enum":{"0":{"caption":"Unknown"}}},
			"when":{"type":"timestamp_t"},
			"who":{"type":"observable","is_array":true},
			"text":{"type":"string_t","observable":7,"caption":"Text"}},
			"types":{"attributes":{"integer_t":{},"string_t":{},"timestamp_t":{"type":"long_t"},"long_t":{},"datetime_t":{"type":"string_t"},
				"ip_t":{"type":"string_t","max_len":40,"observable":2,"caption":"IP"}}}}`,
		"profiles/p.json": `{"name":"p","meta":"profile","attributes":{"text":{"requirement":"recommended"},"who":{"requirement":"required"}}}`,
		"profiles/q.json": `{"name":"q","meta":"profile","attributes":{"text":{"requirement":"required"}}}`,
		"objects/observable.json": `{"name":"observable","caption":"Observable","constraints":{"at_least_one":["text","id"]},"attributes":{
			"type_id":{"requirement":"required","enum":{"99":{"caption":"Other"}}},"text":{"observable":9},"id":{}}}`,
		"events/base.json": `{"name":"base","caption":"Base","category":"findings","constraints":{"just_one":["id"]},
			"attributes":{"$include":["profiles/p.json","profiles/q.json"],"id":{"requirement":"optional","enum":{"1":{"caption":"One"}}},"when":{"requirement":"required"}}}`,
		"events/child.json": `{"name":"child","caption":"Child","uid":3,"extends":"base","constraints":{},
			"attributes":{"who":{"profile":null},"id":{"requirement":"required","enum":{"2":{"caption":"Two"}}}}}`,
	}
}

func writeSchema(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestResolution(t *testing.T) {
	s, err := load(writeSchema(t, tiny()))
	if err != nil {
		t.Fatal(err)
	}
	_, table, err := emitTable(s)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"version":"0.0.1",
"types":{"datetime_t":{"base":"string_t"},"integer_t":{},"ip_t":{"base":"string_t","max_len":40},"long_t":{},"string_t":{},"timestamp_t":{"base":"long_t"}},
"profiles":["p","q"],
"classes":[
{"name":"child","uid":2003,"attributes":[{"n":"id","t":"integer_t","r":2,"e":[0,1,2]},{"n":"text","t":"string_t","r":2,"p":["p","q"]},{"n":"when","t":"timestamp_t","r":2},{"n":"when_dt","t":"datetime_t","p":["datetime"]},{"n":"who","t":"observable","a":true,"r":2}]}
],
"objects":[
{"name":"observable","at_least_one":["id","text"],"attributes":[{"n":"id","t":"integer_t","e":[0]},{"n":"text","t":"string_t"},{"n":"type_id","t":"integer_t","r":2,"e":[0,2,7,9,99]}]}
]}
`
	if string(table) != want {
		t.Errorf("got\n%s\nwant\n%s", table, want)
	}
	entries, err := s.entries(enumSpec{"T", "T", "observable", "type_id"})
	wantEntries := "[{TUnknown Unknown 0} {TIP IP 2} {TText Text 7} {TObservableObjectText Observable Object: text 9} {TOther Other 99}]"
	if got := fmt.Sprint(entries); err != nil || got != wantEntries {
		t.Errorf("got %s, %v\nwant %s", got, err, wantEntries)
	}
}

// Each damage to the schema is refused with an error that names the culprit.
func TestDamagedSchema(t *testing.T) {
	cases := []struct{ file, old, new, want string }{
		{"version.json", `}`, ``, "version.json"},
		{"events/child.json", `"extends":"base"`, `"extends":"nobody"`, "nobody"},
		{"events/base.json", `"name":"base"`, `"name":"base","extends":"child"`, "circular"},
		{"events/base.json", `profiles/p.json`, `profiles/none.json`, "none.json"},
		{"events/base.json", `"when":{`, `"later":{`, "later"},
		{"events/base.json", `"when":{"requirement":"required"`, `"when":{"requirement":"perhaps"`, "perhaps"},
		{"events/base.json", `"name":"base"`, `"name":"child"`, "already taken"},
		{"events/child.json", `"who":{`, `"who":{"$include":"x",`, "$include inside"},
		{"events/child.json", `"constraints":{}`, `"constraints":{"none_of":["id"]}`, "none_of"},
		{"events/child.json", `"constraints":{}`, `"constraints":{"just_one":["id.x"]}`, "id.x"},
		{"dictionary.json", `"type":"observable"`, `"type":"nothing_t"`, "nothing_t"},
		{"dictionary.json", `"observable":7`, `"observable":9`, "observable type 9"},
	}
	for _, c := range cases {
		files := tiny()
		files[c.file] = strings.Replace(files[c.file], c.old, c.new, 1)
		s, err := load(writeSchema(t, files))
		if err == nil {
			_, _, err = emitTable(s)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %s: error %v, want one about %s", c.file, c.new, err, c.want)
		}
	}
}

func TestIdentifier(t *testing.T) {
	for caption, want := range map[string]string{
		"IP Address": "IPAddress", "Command & Control": "CommandAndControl", "CVE Object: uid": "CVEObjectUID",
		"iOS": "IOS", "HP-UX": "HPUX", "SHA3-224": "SHA3_224", "Internet/VPC Gateway": "InternetVPCGateway", "ATT&CK\u00ae": "ATTAndCK",
	} {
		if got := identifier(caption); got != want {
			t.Errorf("%q: got %s, want %s", caption, got, want)
		}
	}
	if _, err := sorted("T", []enumEntry{{"TAB", "A B", 1}, {"TAB", "AB", 2}}); err == nil {
		t.Error("two captions of one name are accepted")
	}
}
