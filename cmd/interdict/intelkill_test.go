package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// killEnv makes the test binary run the command line that it holds, as JSON.
const killEnv = "INTERDICT_CMD_TEST_ARGS"

// TestIntelChild is the process that TestIntelKill kills; by itself it does nothing.
func TestIntelChild(t *testing.T) {
	text := os.Getenv(killEnv)
	if text == "" {
		return
	}
	var args []string
	if err := json.Unmarshal([]byte(text), &args); err != nil {
		t.Fatal(err)
	}
	os.Exit(run(context.Background(), args, streams{os.Stdin, os.Stdout, os.Stderr, []string{"INTERDICT_EMBEDDED=true"}}))
}

// TestIntelKill kills imports at random moments: the library holds what it held, or
// all of what the import brought, and the next import works.
func TestIntelKill(t *testing.T) {
	const size = 60_000
	dir := t.TempDir()
	data, file := filepath.Join(dir, "data"), filepath.Join(dir, "big.txt")
	// Round n has every value of its own but for the first, which stays.
	generate := func(round int) {
		t.Helper()
		var b strings.Builder
		b.WriteString("stays.example\n")
		for n := 1; n < size; n++ {
			fmt.Fprintf(&b, "h%d.r%d.example\n", n, round)
		}
		if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"intel", "import", "-q", "--data-dir", data, file}
	text, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	child := func() *exec.Cmd {
		c := exec.Command(os.Args[0], "-test.run=^TestIntelChild$")
		c.Env = append(os.Environ(), killEnv+"="+string(text))
		return c
	}
	// holds tells which round the library holds, and that all commands agree on it.
	holds := func(rounds ...int) int {
		t.Helper()
		var st struct {
			Indicators int
			Values     map[string]int
		}
		r := do(t, "", "intel", "stats", "-q", "--json", "--data-dir", data)
		if err := json.Unmarshal([]byte(r.out), &st); err != nil || r.code != exitDone || st.Indicators != size || st.Values["domain"] != size {
			t.Fatalf("stats: exit %d, %v: %s%s", r.code, err, r.out, r.err)
		}
		var feed struct {
			Standing struct{ Indicators int }
			Alarm    string
		}
		r = do(t, "", "intel", "list", "--json", "--data-dir", data)
		if err := json.Unmarshal([]byte(r.out), &feed); err != nil || r.code != exitDone || feed.Standing.Indicators != size || feed.Alarm != "" {
			t.Fatalf("list: exit %d, %v: %s%s", r.code, err, r.out, r.err)
		}
		if r := do(t, "", "intel", "check", "--data-dir", data, "stays.example"); r.code != exitDone {
			t.Fatalf("what every round has: exit %d: %s%s", r.code, r.out, r.err)
		}
		found := -1
		for _, round := range rounds {
			there := 0
			const asked = 20
			for range asked {
				value := fmt.Sprintf("h%d.r%d.example", 1+rand.IntN(size-1), round)
				switch r := do(t, "", "intel", "check", "--data-dir", data, value); r.code {
				case exitDone:
					there++
				case exitFailed:
				default:
					t.Fatalf("check %s: exit %d: %s", value, r.code, r.err)
				}
			}
			switch {
			case there == asked && found < 0:
				found = round
			case there != 0:
				t.Fatalf("%d of %d values of round %d are there, and round %d", there, asked, round, found)
			}
		}
		if found < 0 {
			t.Fatalf("none of the rounds %v is there", rounds)
		}
		return found
	}

	var took time.Duration
	for round := range 2 { // the second replaces the first, as those that are killed do
		generate(round)
		began := time.Now()
		if out, err := child().CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		took = time.Since(began)
	}
	have, kept, done, round := holds(0, 1), 0, 0, 2
	for ; round < 10 || kept == 0 && round < 50; round++ {
		generate(round)
		c := child()
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		wait := time.Duration(rand.Int64N(int64(2 * took)))
		time.Sleep(wait)
		killed := c.Process.Kill() == nil
		err := c.Wait()
		now := holds(have, round)
		switch {
		case now == have:
			kept++
			if err == nil {
				t.Fatalf("round %d: the import ended well and had no effect", round)
			}
		default:
			done++
			took = min(took, wait) // the machine may have been slow when it was measured
		}
		t.Logf("round %d: killed %v (%v): it holds round %d", round, killed, err, now)
		have = now
	}
	t.Logf("an import takes %v; %d kills left the old, %d imports were through", took, kept, done)
	if kept == 0 {
		t.Error("no kill came in time")
	}
	generate(round)
	if r := do(t, "", args...); r.code != exitDone || !strings.Contains(r.out, fmt.Sprintf("%d added", size-1)) {
		t.Fatalf("the next import: exit %d: %s%s", r.code, r.out, r.err)
	}
	holds(round, have)
	left, err := filepath.Glob(filepath.Join(data, "indicators", "feeds", "big", ".tmp-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
