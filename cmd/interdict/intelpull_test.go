package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
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
	f(exitFailed, []string{"list"}, "failed: stat ", "broken.txt: no such file", "waits for uploads", "ok\n")
	f(exitFailed, []string{"pull", "broken"}, "broken.txt: no such file")
	f(exitFailed, []string{"pull", "--json"}, `{"feed":"well",`, `{"feed":"broken","error":"feed broken: stat `)
	f(exitFailed, []string{"list"}, "failed 3 times in a row")
	if err := os.WriteFile(broken, []byte("192.0.2.7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f(exitDone, []string{"pull"}, "feed well: 4 indicators, not modified", "feed broken: 1 indicators (1 added")
	f(exitDone, []string{"list"})
	configure("1ms")
	time.Sleep(5 * time.Millisecond)
	f(exitDone, []string{"pull", "well"})
	f(exitFailed, []string{"list"}, "nothing new since 2")
	if err := os.WriteFile(broken, []byte(strings.Repeat("lorem ipsum\n", 50)+"192.0.2.8\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f(exitFailed, []string{"pull", "broken"}, "50 of 51 texts are no value of any kind", "--accept-refused")
	f(exitUsage, []string{"pull", "--accept-refused"}, "want the names of the feeds")
	f(exitDone, []string{"pull", "--accept-refused", "broken"}, "feed broken: 1 indicators (1 added", "is it the right file?")
	f(exitUsage, []string{"pull", "inbox"}, `no feed "inbox" in the configuration that can be pulled`)
}

// TestIntelPullAcceptShrink: what a feed has lost is let through when somebody says so,
// once, and it is told that somebody did.
func TestIntelPullAcceptShrink(t *testing.T) {
	var size atomic.Int32
	size.Store(200)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i := range size.Load() {
			fmt.Fprintf(w, "v%d.bad.example\n", i)
		}
	}))
	defer srv.Close()
	dir := t.TempDir()
	data, config := filepath.Join(dir, "data"), filepath.Join(dir, "interdict.yaml")
	if err := os.WriteFile(config, []byte(fmt.Sprintf("intel:\n  feeds:\n    - {name: a, url: %q, allow_private: true}\n", srv.URL)), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(code int, want string, command ...string) {
		t.Helper()
		r := do(t, "", append(append([]string{"intel"}, command...), "--data-dir", data, "-c", config)...)
		if r.code != code || !strings.Contains(r.out+r.err, want) {
			t.Errorf("%v: exit %d, want %d and %q: %s%s", command, r.code, code, want, r.out, r.err)
		}
	}
	run(exitDone, "200 indicators", "pull")
	size.Store(10)
	run(exitFailed, "(max_shrink)", "pull", "a")
	run(exitFailed, "--accept-shrink a", "pull", "a")
	run(exitUsage, "names of the feeds", "pull", "--accept-shrink")
	run(exitDone, "10 indicators (0 added, 0 changed, 190 removed", "pull", "--accept-shrink", "a")
	run(exitDone, "pull that may shrink the feed (--accept-shrink)", "list", "--json")
	run(exitDone, "10 indicators (0 added", "pull", "a")
	size.Store(200)
	run(exitDone, "200 indicators", "pull", "a")
	size.Store(10)
	run(exitFailed, "(max_shrink)", "pull", "a") // it was for once
}

// TestIntelPullFolder: an empty folder waits, a file that is no feed is named and fails
// no other, and a folder that has lost its files keeps what they said.
func TestIntelPullFolder(t *testing.T) {
	dir := t.TempDir()
	data, config, drop := filepath.Join(dir, "data"), filepath.Join(dir, "interdict.yaml"), filepath.Join(dir, "drop")
	if err := errors.Join(os.Mkdir(drop, 0o700), os.WriteFile(config, []byte(fmt.Sprintf("intel:\n  feeds:\n    - {name: drop, file: %q, silence: 48h}\n", drop+"/*.txt")), 0o600)); err != nil {
		t.Fatal(err)
	}
	run := func(code int, want string, command ...string) {
		t.Helper()
		r := do(t, "", append([]string{"intel"}, command...)...)
		if r.code != code || !strings.Contains(r.out+r.err, want) {
			t.Errorf("%v: exit %d, want %d and %q: %s%s", command, r.code, code, want, r.out, r.err)
		}
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(drop, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(exitDone, "feed drop: no file yet in "+drop, "pull", "--data-dir", data, "-c", config)
	run(exitDone, "waiting: no file yet in "+drop, "list", "--data-dir", data, "-c", config)
	run(exitFailed, "no file yet in "+drop, "import", "--data-dir", data, "--feed", "typo", drop)
	write("a.txt", "a.example\n")
	write("b.txt", "<html><body>moved</body></html>")
	run(exitFailed, "feed drop: 1 indicators (1 added", "pull", "--data-dir", data, "-c", config)
	run(exitFailed, "b.txt: ", "pull", "--data-dir", data, "-c", config)
	run(exitFailed, "partly failing: b.txt: ", "list", "--data-dir", data, "-c", config)
	write("b.txt", "b.example\n")
	run(exitDone, "feed drop: 2 indicators (1 added", "pull", "--data-dir", data, "-c", config)
	if err := os.RemoveAll(drop); err != nil {
		t.Fatal(err)
	}
	run(exitFailed, "no such file", "pull", "--data-dir", data, "-c", config)
	if err := os.Mkdir(drop, 0o700); err != nil {
		t.Fatal(err)
	}
	run(exitFailed, "no file is there any more, where there were 2", "pull", "--data-dir", data, "-c", config)
	run(exitFailed, "failed 2 times in a row", "list", "--data-dir", data, "-c", config)
	run(exitDone, "a.example", "check", "--data-dir", data, "a.example")
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
