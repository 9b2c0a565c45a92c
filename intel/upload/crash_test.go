package upload

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// killEnv makes the test binary a process that uses a journal and kills itself: in which
// folder, and at which step.
const killEnv = "UPLOAD_TEST_KILL"

// note adds a line to a file, as what somebody was told or the library has: it is there
// after a kill.
func note(t *testing.T, path string, n int) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err == nil {
		_, err = fmt.Fprintln(f, n)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

func noted(t *testing.T, path string) (list []int) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for _, line := range strings.Fields(string(text)) {
		n, err := strconv.Atoi(line)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, n)
	}
	return list
}

// useJournal appends and folds by turns, and notes what was answered and what was folded.
func useJournal(t *testing.T, dir string, step func(string)) {
	j, err := OpenJournal(filepath.Join(dir, "uploads"), 1<<20, step, quiet())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	send := func(times int) {
		for range times {
			n++
			put(t, j, record(n, id(n)))
			note(t, filepath.Join(dir, "answered"), n)
		}
	}
	fold := func(most int) {
		b := take(t, j, most)
		for _, n := range taken(b) {
			note(t, filepath.Join(dir, "folded"), n)
			step("noted")
		}
		if err := b.Done(); err != nil {
			t.Fatal(err)
		}
	}
	send(2)
	fold(0)
	send(3)
	fold(2)
	send(1)
	fold(0)
	send(1)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestKill kills a process, as kill -9 does, before each of its steps. What it had
// answered is folded by it or by the next one, in its order, and nothing else is.
func TestKill(t *testing.T) {
	if spec := os.Getenv(killEnv); spec != "" {
		dir, at, _ := strings.Cut(spec, "|")
		n := 0
		useJournal(t, dir, func(string) {
			if n++; strconv.Itoa(n) == at {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
		})
		return
	}
	for n := 1; ; n++ {
		dir := t.TempDir()
		cmd := exec.Command(os.Args[0], "-test.run=^TestKill$")
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s|%d", killEnv, dir, n))
		out, err := cmd.CombinedOutput()
		exit, _ := errors.AsType[*exec.ExitError](err)
		killed := exit != nil && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
		if err != nil && !killed {
			t.Fatalf("step %d: %v\n%s", n, err, out)
		}
		answered, folded := noted(t, filepath.Join(dir, "answered")), noted(t, filepath.Join(dir, "folded"))
		j := openJournal(t, filepath.Join(dir, "uploads"), 1<<20)
		left := 0
		for b := take(t, j, 0); b != nil; b = take(t, j, 0) {
			folded = append(folded, taken(b)...)
			left += len(b.Records)
			if err := b.Done(); err != nil {
				t.Fatal(err)
			}
		}
		// What is folded again begins at a record and goes on from there to the last.
		last := 0
		for i, x := range folded {
			if x > last+1 || i > 0 && x <= folded[i-1] && left == 0 {
				t.Fatalf("step %d: folded in the order %v", n, folded)
			}
			last = x
		}
		if len(answered) > 0 && !slices.Contains(folded, answered[len(answered)-1]) || last > len(answered)+1 {
			t.Fatalf("step %d: folded %v of %v that were answered", n, folded, answered)
		}
		if files := filesIn(t, dir); slices.ContainsFunc(files, func(name string) bool { return strings.Contains(name, "uploads/upload-") }) {
			t.Fatalf("step %d: left are %v", n, files)
		}
		if !killed {
			if n < 30 || left != 1 {
				t.Fatalf("only %d steps, %d left at the end", n-1, left)
			}
			return
		}
	}
}
