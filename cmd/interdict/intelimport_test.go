package main

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// TestImportStopped: who stops an import is told so, once, and that nothing has changed.
func TestImportStopped(t *testing.T) {
	data, list := filepath.Join(t.TempDir(), "data"), write(t, "big.txt", "192.0.2.7\n")
	imported := []string{"intel", "import", "-q", "--data-dir", data, list}
	if r := do(t, "", imported...); r.code != exitDone {
		t.Fatal(r.err)
	}
	for _, from := range []string{list, "-"} {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("interrupt signal received"))
		var out, errs bytes.Buffer
		args := []string{"intel", "import", "-q", "--data-dir", data, "--feed", "big", from}
		code := run(ctx, args, streams{strings.NewReader("192.0.2.8\n"), &out, &errs, []string{"INTERDICT_EMBEDDED=true"}})
		if want := "interdict: feed big: stopped (interrupt signal received): nothing is changed\n"; code != exitFailed || errs.String() != want || out.Len() > 0 {
			t.Errorf("%s: exit %d: %s%s", from, code, out.String(), errs.String())
		}
	}
	if r := do(t, "", "intel", "check", "--data-dir", data, "192.0.2.7"); r.code != exitDone {
		t.Errorf("exit %d: %s%s", r.code, r.out, r.err)
	}
}

// TestErrorsAreHarmless: a path that a terminal would obey is told without that.
func TestErrorsAreHarmless(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	if r := do(t, "", "intel", "import", "-q", "--data-dir", data, write(t, "list.txt", "192.0.2.7\n")); r.code != exitDone {
		t.Fatal(r.err)
	}
	const path = "no\x1b[31mne/x.txt"
	for _, args := range [][]string{
		{"intel", "import", "--data-dir", data, path}, {"intel", "import", "--data-dir", data, "--feed", "x", "*" + path}, {"intel", "export", "--data-dir", data, "-o", path},
		{"intel", "export", "--data-dir", path}, {"intel", "list", "-c", path}, {"intel", "nonsense\x1b[31m"},
	} {
		if r := do(t, "", args...); r.code == exitDone || strings.Contains(r.out+r.err, "\x1b") || r.err == "" {
			t.Errorf("%q: exit %d: %q", args, r.code, r.out+r.err)
		}
	}
}
