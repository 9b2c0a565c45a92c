package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// configOf puts a configuration of testdata/config into a folder beside the files that
// it names, and makes that the working folder, so that columns are always the same.
func configOf(t *testing.T, name string) (dir, path string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata/config", name))
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	for name, text := range map[string]string{"secret": "0123456789abcdef0123\n", "open": "0123456789abcdef0123\n", "short": "0123456789\n", "empty": "\n",
		"list.txt": "bad.example\n", "cert.pem": "x\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "open"), 0o644); err != nil { // whatever the umask is
		t.Fatal(err)
	}
	path = filepath.Join(dir, "interdict.yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	return dir, path
}

// told gives what a command line printed, with the folder masked.
func told(dir string, r result) string {
	mask := strings.NewReplacer(dir, "$D", fmt.Sprintf("install -d -o %d", os.Getuid()), "install -d -o UID")
	return fmt.Sprintf("%s%sexit %d\n", mask.Replace(r.err), mask.Replace(r.out), r.code)
}

// golden compares with a file of testdata, or writes it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not as it was (-update writes it anew):\n%s", path, firstDifference(got, string(want)))
	}
}

// TestConfigCheck: what `config check` says of each configuration in testdata/config.
// `run` says the same and does not start.
func TestConfigCheck(t *testing.T) {
	list, err := filepath.Glob("testdata/config/*.yaml")
	if err != nil || len(list) == 0 {
		t.Fatal("no configurations", err)
	}
	for _, path := range list {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			want, err := filepath.Abs(strings.TrimSuffix(path, ".yaml") + ".golden")
			if err != nil {
				t.Fatal(err)
			}
			dir, file := configOf(t, name)
			check := do(t, "", "config", "check", "-c", file)
			golden(t, want, told(dir, check))
			if check.code == exitDone {
				return
			}
			if r := do(t, "", "run", "-c", file); r != check {
				t.Errorf("run: exit %d: %s", r.code, r.err)
			}
			if r := do(t, "", "doctor", "-c", file); r != check {
				t.Errorf("doctor: exit %d: %s", r.code, r.err)
			}
		})
	}
}

// TestConfigCheckJSON: the same as data.
func TestConfigCheckJSON(t *testing.T) {
	for _, x := range []struct {
		name         string
		code         int
		valid        bool
		errors, warn int
	}{{"good.yaml", exitDone, true, 0, 0}, {"doubts.yaml", exitDone, true, 0, 16}, {"rules.yaml", exitUsage, false, 12, 0}, {"kinds.yaml", exitUsage, false, 7, 0}} {
		t.Run(x.name, func(t *testing.T) {
			_, file := configOf(t, x.name)
			r := do(t, "", "config", "check", "--json", "-c", file)
			var got checked
			if err := json.Unmarshal([]byte(r.out), &got); err != nil || r.code != x.code || got.Valid != x.valid || r.err != "" || got.Findings == nil {
				t.Fatalf("exit %d, %v: %s%s", r.code, err, r.out, r.err)
			}
			bad, warn := 0, 0
			for _, f := range got.Findings {
				if f.Doubt {
					warn++
				} else {
					bad++
				}
				if f.Place.File == "" || f.Text == "" {
					t.Errorf("%+v", f)
				}
			}
			if bad != x.errors || warn != x.warn {
				t.Errorf("%d errors and %d warnings, want %d and %d", bad, warn, x.errors, x.warn)
			}
		})
	}
}

// TestConfigCheckNamesTheVariable: what comes from the environment is not sought in the
// file.
func TestConfigCheckNamesTheVariable(t *testing.T) {
	path := write(t, "interdict.yaml", "embedded: true\nintel:\n  pull:\n    tick: 1s\n")
	var out, errs bytes.Buffer
	code := run(context.Background(), []string{"config", "check", "-c", path}, streams{strings.NewReader(""), &out, &errs, []string{"INTERDICT_INTEL__PULL__TICK=0s"}})
	if want := "interdict: INTERDICT_INTEL__PULL__TICK: intel.pull: tick: must be positive, not 0s\n"; code != exitUsage || errs.String() != want {
		t.Errorf("exit %d: %s, want %s", code, errs.String(), want)
	}
}

// TestRunDataDir: a folder that cannot be made is told with what to do, before
// anything starts.
func TestRunDataDir(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	path := write(t, "interdict.yaml", fmt.Sprintf("embedded: true\ndata_dir: %s/data\nlog: {level: error}\nsources: [{id: edr, tenant: acme, topic: acme.edr}]\n", file))
	r := do(t, "", "run", "-c", path)
	want := "interdict: data_dir: $D/file/data cannot be made or written to: mkdir $D/file: not a directory: make it for the user that runs interdict (install -d -o UID $D/file/data), or set data_dir to another folder\nexit 2\n"
	if got := told(dir, r); got != want {
		t.Errorf("got %swant %s", got, want)
	}
}
