package main

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const first = `{"objects":[
{"type":"attack-pattern","name":"Beta","external_references":[{"source_name":"mitre-attack","external_id":"T9001"}]},
{"type":"attack-pattern","name":"alpha one","external_references":[{"source_name":"capec","external_id":"CAPEC-1"},{"source_name":"mitre-attack","external_id":"T9002.001"}]},
{"type":"attack-pattern","name":"Alpha One","external_references":[{"source_name":"mitre-attack","external_id":"T9003.001"}]},
{"type":"attack-pattern","name":"Parent","external_references":[{"source_name":"mitre-attack","external_id":"T9005.001"}]},
{"type":"attack-pattern","name":"Parent","external_references":[{"source_name":"mitre-attack","external_id":"T9006"}]},
{"type":"attack-pattern","name":"Old","revoked":true,"external_references":[{"source_name":"mitre-attack","external_id":"T9004"}]},
{"type":"attack-pattern","name":"Older","x_mitre_deprecated":true,"external_references":[{"source_name":"mitre-attack","external_id":"T9007"}]},
{"type":"malware","name":"Gamma","external_references":[{"source_name":"mitre-attack","external_id":"S0001"}]}]}`

const second = `{"objects":[
{"type":"attack-pattern","name":"Beta","external_references":[{"source_name":"mitre-ics-attack","external_id":"T8001"}]},
{"type":"attack-pattern","name":"Delta","external_references":[{"source_name":"mitre-ics-attack","external_id":"T8002"}]}]}`

const license = "X\n===\nLicense\n-------\nYou may.\n\n\"(c) Z\"\n\nDisclaimers\n-----------\nNo.\n"

func TestRun(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte(first)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	terms, a, b, out := file("license", []byte(license)), file("a.gz", packed.Bytes()), file("b", []byte(second)), filepath.Join(dir, "out")
	if err := run(terms, out, []string{a, b}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	head, rows, _ := strings.Cut(string(got), "# You may.\n#\n# \"(c) Z\"\n")
	if !strings.HasPrefix(head, "# Code generated") {
		t.Errorf("head: %q", head)
	}
	if want := "Alpha One\tT9002.001 T9003.001\nBeta\tT9001\nDelta\tT8002\nParent\tT9006\n"; rows != want {
		t.Errorf("got\n%swant\n%s", rows, want)
	}
	for _, bad := range [][]string{{}, {file("empty", []byte(`{"objects":[]}`))}, {file("junk", []byte("x"))}, {filepath.Join(dir, "none")}} {
		if err := run(terms, out, bad); err == nil {
			t.Errorf("%v accepted", bad)
		}
	}
	if err := run(b, out, []string{a}); err == nil {
		t.Error("terms without a license accepted")
	}
}
