package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestIntelPull: one broken feed stops no other, and list alarms about it and about
// one that has been silent for too long, until they are well again.
func TestIntelPull(t *testing.T) {
	dir := t.TempDir()
	data, broken := filepath.Join(dir, "data"), filepath.Join(dir, "broken.txt")
	config := filepath.Join(dir, "interdict.yaml")
	fixture, err := filepath.Abs("testdata/intel/feeds/list-next.txt")
	if err != nil {
		t.Fatal(err)
	}
	configure := func(silence string) {
		text := fmt.Sprintf("intel:\n  feeds:\n    - {name: well, file: %s, silence: %s}\n    - {name: broken, file: %s}\n    - {name: inbox, transport: upload}\n", fixture, silence, broken)
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := func(code int, command []string, want ...string) {
		t.Helper()
		r := do(t, "", append(append([]string{"intel"}, command...), "--data-dir", data, "-c", config)...)
		if r.code != code {
			t.Errorf("%v: exit %d, want %d: %s%s", command, r.code, code, r.out, r.err)
		}
		for _, w := range want {
			if !strings.Contains(r.out+r.err, w) {
				t.Errorf("%v: no %q in %s%s", command, w, r.out, r.err)
			}
		}
	}
	configure("1h")
	f(exitFailed, []string{"pull"}, "feed well: 4 indicators (4 added", "broken.txt: no such file")
	f(exitFailed, []string{"list"}, "failed: feed broken", "waits for uploads", "ok\n")
	f(exitFailed, []string{"pull", "broken"}, "broken.txt: no such file")
	f(exitFailed, []string{"list"}, "failed 2 times in a row")
	if err := os.WriteFile(broken, []byte("192.0.2.7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f(exitDone, []string{"pull"}, "feed well: 4 indicators, not modified", "feed broken: 1 indicators (1 added")
	f(exitDone, []string{"list"})
	configure("1ms")
	time.Sleep(5 * time.Millisecond)
	f(exitDone, []string{"pull", "well"})
	f(exitFailed, []string{"list"}, "nothing new since 2")
	f(exitUsage, []string{"pull", "inbox"}, `no feed "inbox" in the configuration that can be pulled`)
}

// TestIntelExportComesBack: what is exported as STIX is, imported elsewhere, what it
// was; what must not leave its tenant or is marked above the limit does not.
func TestIntelExportComesBack(t *testing.T) {
	here, there, out := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "out.json")
	ok := func(args ...string) result {
		t.Helper()
		r := do(t, "", append([]string{"intel"}, args...)...)
		if r.code != exitDone {
			t.Fatalf("%v: exit %d: %s%s", args, r.code, r.out, r.err)
		}
		return r
	}
	ok("import", "-q", "--data-dir", here, "testdata/intel/feeds/list.txt")
	ok("import", "-q", "--data-dir", here, "--tlp", "amber", "testdata/intel/feeds/children.txt")
	ok("import", "-q", "--data-dir", here, "--tlp", "red", "--tenant", "acme", "--feed", "ours", "testdata/intel/feeds/folder/one.txt")
	ok("set", "--data-dir", here, "--by", "ann", "--feed", "analyst", "--verdict", "suspicious", "192.0.2.44")
	for _, c := range []struct {
		options []string
		never   []string
		always  []string
	}{
		{nil, []string{"www.bad.example", "192.0.2.1"}, []string{"203.0.113.7", "192.0.2.44", "198.51.100.0/24", "192.0.2.33:8443"}},
		{[]string{"--max-tlp", "red"}, []string{"192.0.2.1"}, []string{"www.bad.example", "203.0.113.7"}},
		{[]string{"--max-tlp", "red", "--tenant", "other"}, []string{"192.0.2.1"}, []string{"www.bad.example"}},
		{[]string{"--max-tlp", "red", "--tenant", "acme"}, nil, []string{"192.0.2.1", "www.bad.example"}},
	} {
		ok(append([]string{"export", "--data-dir", here, "-o", out}, c.options...)...)
		want := ok(append([]string{"export", "--data-dir", here, "--format", "list"}, c.options...)...).out
		ok("import", "-q", "--data-dir", there, "--feed", "copy", "--tenant", "acme", out)
		got := ok("export", "--data-dir", there, "--format", "list", "--max-tlp", "red", "--tenant", "acme").out
		lines := func(text string) map[string]bool {
			set := map[string]bool{}
			for l := range strings.Lines(text) {
				set[strings.TrimSpace(l)] = true
			}
			return set
		}
		w, g := lines(want), lines(got)
		if len(w) != len(g) {
			t.Errorf("%v: %d values went out and %d came back:\n%s\n%s", c.options, len(w), len(g), want, got)
		}
		for v := range w {
			if !g[v] {
				t.Errorf("%v: %s did not come back", c.options, v)
			}
		}
		for _, v := range c.never {
			if w[v] || g[v] {
				t.Errorf("%v: %s went out", c.options, v)
			}
		}
		for _, v := range c.always {
			if !w[v] {
				t.Errorf("%v: %s did not go out", c.options, v)
			}
		}
	}
}
