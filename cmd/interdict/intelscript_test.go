package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files of the intel scripts anew")

// TestIntelScripts runs the sessions in testdata/intel: each "$" begins a command line
// of `interdict intel` and what follows is its exit code, output and errors, as they
// must be. F is the folder of the fixtures, D one that is empty at the beginning, URL
// a server of the fixtures; times, spans and lengths of time are masked.
//
//	$ import F/list.txt
//	$ import - < F/list.txt     with standard input
//	$ :copy F/list.txt D/x.txt  copies a file
//	$ :gzip F/list.txt D/x.gz   packs one
//	$ :flip D/data/x            changes a byte in the middle of one
//	$ :flip D/data/x text       changes the first byte of a text in one
//	$ :files                    lists what is in D/data
func TestIntelScripts(t *testing.T) {
	scripts, err := filepath.Glob("testdata/intel/*.golden")
	if err != nil || len(scripts) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, name := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".golden"), func(t *testing.T) { runScript(t, name) })
	}
}

func runScript(t *testing.T, name string) {
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	fixtures, err := filepath.Abs("testdata/intel/feeds")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	server := httptest.NewServer(http.FileServer(http.Dir(fixtures)))
	defer server.Close()
	s := &script{fixtures: fixtures, dir: dir, url: server.URL}
	for line := range strings.Lines(string(want)) {
		if line = strings.TrimRight(line, "\n"); strings.HasPrefix(line, "# ") {
			fmt.Fprintf(&s.out, "%s\n", line)
		} else if command, ok := strings.CutPrefix(line, "$ "); ok {
			fmt.Fprintf(&s.out, "%s\n", line)
			s.run(t, command)
		}
	}
	got := s.out.Bytes()
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not as it was (-update writes it anew):\n%s", name, firstDifference(string(got), string(want)))
	}
}

// script is a session.
type script struct {
	fixtures, dir, url string
	out                bytes.Buffer
}

var word = regexp.MustCompile(`'[^']*'|\S+`)

func (s *script) run(t *testing.T, command string) {
	t.Helper()
	var args []string
	for _, w := range word.FindAllString(command, -1) {
		w = strings.Trim(w, "'")
		for _, r := range [...]struct{ from, to string }{{"F", s.fixtures}, {"D", s.dir}, {"URL", s.url}} {
			if w == r.from || strings.HasPrefix(w, r.from+"/") {
				w = r.to + strings.TrimPrefix(w, r.from)
			}
		}
		args = append(args, w)
	}
	var stdin []byte
	if n := len(args); n > 2 && args[n-2] == "<" {
		text, err := os.ReadFile(args[n-1])
		if err != nil {
			t.Fatal(err)
		}
		stdin, args = text, args[:n-2]
	}
	switch args[0] {
	case ":copy", ":gzip":
		text, err := os.ReadFile(args[1])
		if err != nil {
			t.Fatal(err)
		}
		if args[0] == ":gzip" {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			if _, err := z.Write(text); err != nil || z.Close() != nil {
				t.Fatal("packing", err)
			}
			text = b.Bytes()
		}
		if err := os.MkdirAll(filepath.Dir(args[2]), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(args[2], text, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	case ":flip":
		text, err := os.ReadFile(args[1])
		if err != nil {
			t.Fatal(err)
		}
		at := len(text) / 2
		if len(args) > 2 {
			if at = bytes.Index(text, []byte(args[2])); at < 0 {
				t.Fatalf("%s has no %q", args[1], args[2])
			}
		}
		text[at] ^= 1
		if err := os.WriteFile(args[1], text, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	case ":files":
		for _, f := range filesIn(t, filepath.Join(s.dir, "data")) {
			fmt.Fprintf(&s.out, "%s\n", f)
		}
		return
	}
	args = append([]string{"intel", args[0], "--data-dir", filepath.Join(s.dir, "data")}, args[1:]...)
	var out, errs bytes.Buffer
	code := run(context.Background(), args, streams{bytes.NewReader(stdin), &out, &errs, []string{"INTERDICT_EMBEDDED=true"}})
	for _, stream := range [...]struct {
		name string
		text string
	}{{"err", errs.String()}, {"out", out.String()}} {
		for line := range strings.Lines(stream.text) {
			fmt.Fprintf(&s.out, "%s| %s\n", stream.name, s.mask(strings.TrimRight(line, "\n")))
		}
	}
	fmt.Fprintf(&s.out, "exit %d\n", code)
}

var masks = [...]struct {
	what *regexp.Regexp
	as   string
}{
	{regexp.MustCompile(`2[0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z`), "TIME"},
	{regexp.MustCompile(`\b[0-9smh]+ ago *`), "AGO "}, // with what fills the column
	{regexp.MustCompile(`\.export-[0-9]+`), ".export-N"},
	{regexp.MustCompile(`[0-9.:]+: connect: `), "connect: "},
}

// mask takes out what is another each time. Times of the fixtures are kept: they are
// of years that no clock of a test shows.
func (s *script) mask(line string) string {
	line = strings.NewReplacer(s.fixtures, "F", s.dir, "D", s.url, "URL").Replace(line)
	for n, m := range masks {
		line = m.what.ReplaceAllStringFunc(line, func(found string) string {
			if n == 0 {
				for _, year := range [...]string{"2020-", "2030-", "2099-"} {
					if strings.HasPrefix(found, year) {
						return found
					}
				}
			}
			return m.as
		})
	}
	return line
}

// filesIn lists the files below a folder.
func filesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err == nil && !d.IsDir() {
			path, err = filepath.Rel(dir, path)
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for n := range g {
		if n >= len(w) || g[n] != w[n] {
			other := "nothing"
			if n < len(w) {
				other = w[n]
			}
			return fmt.Sprintf("line %d:\n got %s\nwant %s", n+1, g[n], other)
		}
	}
	return fmt.Sprintf("line %d is missing: %s", len(g)+1, w[len(g)])
}
