package retro

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/interdict/interdict/schema"
)

// holds reports whether every hour of an alert is found by what it names.
func holds(t *testing.T, s *Seen, list ...schema.Alert) {
	t.Helper()
	for _, a := range list {
		for i := range a.Entities {
			k := keys(nil, &a.Entities[i])
			found, _, err := s.look(t.Context(), k, -1<<31)
			if err != nil {
				t.Fatal(err)
			}
			for n := range k {
				if !slices.Contains(found[n], hourOf(a.Created)) {
					t.Fatalf("%s is not remembered in its hour", a.Entities[i].Ref())
				}
			}
		}
	}
}

// TestKilled kills a process again and again while it remembers and folds. What it
// acknowledged must be there, in the process that comes next and at the end.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	last := -1
	for round := range 6 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), roleEnv+"="+dir, "RETRO_TEST_FROM="+strconv.Itoa(last+1))
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; n < 20+7*round && lines.Scan(); n++ {
			if last, err = strconv.Atoi(lines.Text()); err != nil {
				t.Fatal(err)
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // acknowledged before the end
			if n, err := strconv.Atoi(lines.Text()); err == nil {
				last = n
			}
		}
		_ = cmd.Wait() // it was killed
	}
	if last < 500 {
		t.Fatalf("only %d alerts were acknowledged", last+1)
	}
	s := openSeen(t, testConfig(dir))
	defer s.Close()
	for n := range last + 1 {
		holds(t, s, numbered(n))
	}
	if x, err := s.Stats(); err != nil || x.Hours != 7 || x.Damaged != 0 {
		t.Errorf("%+v, %v", x, err)
	}
	t.Logf("%d alerts survived", last+1)
}

// TestCutJournal cuts and damages the journal everywhere: whole blocks before the
// damage stay, and nothing panics.
func TestCutJournal(t *testing.T) {
	dir := t.TempDir()
	s := openSeen(t, testConfig(dir))
	var sizes []int64
	for n := range 4 {
		if err := s.See([]schema.Alert{numbered(n)}); err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, s.size)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(filepath.Join(dir, journalName))
	if err != nil {
		t.Fatal(err)
	}
	for cut := range whole {
		for _, b := range [][]byte{whole[:cut], slices.Concat(whole[:cut], []byte{whole[cut] ^ 0x40}, whole[cut+1:])} {
			other := t.TempDir()
			if err := os.WriteFile(filepath.Join(other, journalName), b, 0o600); err != nil {
				t.Fatal(err)
			}
			s := openSeen(t, testConfig(other))
			for n, size := range sizes {
				if size <= int64(cut) {
					holds(t, s, numbered(n))
				}
			}
			if err := s.See([]schema.Alert{numbered(99)}); err != nil { // behind what was cut off
				t.Fatal(err)
			}
			_ = s.Close()
			s = openSeen(t, testConfig(other))
			holds(t, s, numbered(99))
			_ = s.Close()
		}
		if testing.Short() || cut > 150 { // two blocks
			break
		}
	}
}

// TestDamagedHour: an hour whose file is damaged is asked for everything, before and
// after it is put aside, and takes new observations.
func TestDamagedHour(t *testing.T) {
	cfg := testConfig(t.TempDir())
	s := openSeen(t, cfg)
	if err := s.See([]schema.Alert{numbered(0)}); err != nil {
		t.Fatal(err)
	}
	if err := s.Fold(noon); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	path := s.hourPath(hourOf(noon))
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	s = openSeen(t, cfg)
	defer s.Close()
	holds(t, s, numbered(0), numbered(7))
	if err := s.See([]schema.Alert{numbered(14)}); err != nil {
		t.Fatal(err)
	}
	if err := s.Fold(noon); err != nil {
		t.Fatal(err)
	}
	holds(t, s, numbered(0), numbered(14))
	if x, err := s.Stats(); err != nil || x.Damaged != 1 || x.Hours != 1 {
		t.Errorf("%+v, %v", x, err)
	}
	if err := s.Fold(noon + 32*schema.Day); err != nil {
		t.Fatal(err)
	}
	if x, err := s.Stats(); err != nil || x.Damaged != 0 || x.Hours != 0 {
		t.Errorf("after the retention: %+v, %v", x, err)
	}
}

// TestRetention: hours leave when they are old; a late alert goes to its own hour.
func TestRetention(t *testing.T) {
	cfg := testConfig(t.TempDir())
	cfg.Retention = 48 * time.Hour
	s := openSeen(t, cfg)
	defer s.Close()
	late := numbered(0)
	late.Created = noon - 40*schema.Hour
	old := numbered(7)
	old.Created = noon - 50*schema.Hour
	if err := s.See([]schema.Alert{numbered(14), late, old}); err != nil {
		t.Fatal(err)
	}
	holds(t, s, late, old)
	if err := s.Fold(noon); err != nil {
		t.Fatal(err)
	}
	holds(t, s, late, numbered(14))
	if x, err := s.Stats(); err != nil || x.Hours != 2 || x.From != noon-40*schema.Hour || x.To != noon+schema.Hour || x.Waiting != 0 {
		t.Errorf("%+v, %v", x, err)
	}
	if err := s.Fold(noon + 9*schema.Hour); err != nil {
		t.Fatal(err)
	}
	if x, err := s.Stats(); err != nil || x.Hours != 1 {
		t.Errorf("%+v, %v", x, err)
	}
}

// TestSeeAgain: what is remembered already costs no space.
func TestSeeAgain(t *testing.T) {
	s := openSeen(t, testConfig(t.TempDir()))
	defer s.Close()
	for range 3 {
		if err := s.See([]schema.Alert{numbered(0), numbered(1)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Fold(noon); err != nil {
		t.Fatal(err)
	}
	before := s.size
	if err := s.See([]schema.Alert{numbered(0), numbered(1)}); err != nil || s.size != before || s.waiting != 0 {
		t.Errorf("journal of %d bytes, %d wait, %v", s.size, s.waiting, err)
	}
}

// TestFailedWrite: an observation that could not be written is not taken for
// remembered.
func TestFailedWrite(t *testing.T) {
	s := openSeen(t, testConfig(t.TempDir()))
	_ = s.journal.Close()
	for range 2 {
		if err := s.See([]schema.Alert{numbered(0)}); err == nil {
			t.Fatal("written to a closed file")
		}
		if s.waiting != 0 {
			t.Fatalf("%d wait", s.waiting)
		}
	}
}

// TestFalsePositives measures the rate of an hour that grows over many layers, and
// what an hour takes in memory; loaded hours stay within their bound.
func TestFalsePositives(t *testing.T) {
	for _, rate := range []float64{1e-2, 1e-3, 1e-4} {
		f := &filter{rate: rate}
		const n = 200_000
		for i := range n {
			f.add(key(schema.ObservableHash, "in "+strconv.Itoa(i)))
		}
		for i := range n {
			if !f.has(key(schema.ObservableHash, "in "+strconv.Itoa(i))) {
				t.Fatal("an element is missing")
			}
		}
		wrong := 0
		const asked = 500_000
		for i := range asked {
			if f.has(key(schema.ObservableHash, "out "+strconv.Itoa(i))) {
				wrong++
			}
		}
		got := float64(wrong) / asked
		if got > rate*1.2+1e-5 {
			t.Errorf("rate %g: measured %g", rate, got)
		}
		t.Logf("rate %g: measured %g, %d layers, %.1f bits per value", rate, got, len(f.layers), float64(f.size()*8)/float64(f.count()))
		b, err := f.encode(7)
		if err != nil {
			t.Fatal(err)
		}
		again, err := decodeFilter(b, 7, rate)
		if err != nil || again.count() != f.count() || !again.has(key(schema.ObservableHash, "in 7")) {
			t.Fatalf("read back: %v", err)
		}
		if _, err := decodeFilter(b, 8, rate); err == nil {
			t.Error("a file of another hour was taken")
		}
	}
}

func TestMemory(t *testing.T) {
	cfg := testConfig(t.TempDir())
	cfg.Memory = 1 << 20
	s := openSeen(t, cfg)
	defer s.Close()
	for h := range 300 {
		a := numbered(0)
		a.Created = noon - schema.Millis(h)*schema.Hour
		if err := s.See([]schema.Alert{a}); err != nil {
			t.Fatal(err)
		}
		if x, err := s.Stats(); err != nil || x.Memory > cfg.Memory {
			t.Fatalf("%+v, %v", x, err)
		}
	}
	if err := s.Fold(noon); err != nil {
		t.Fatal(err)
	}
	a := numbered(0)
	if found, hours, err := s.look(t.Context(), keys(nil, &a.Entities[0]), -1<<31); err != nil || hours != 300 || len(found[0]) != 300 {
		t.Fatalf("%d hours, %v, %v", hours, found, err)
	}
	if x, err := s.Stats(); err != nil || x.Memory > cfg.Memory || s.loaded.Len() < 10 || s.loaded.Len() == 300 {
		t.Errorf("%+v, %v, %d hours loaded", x, err, s.loaded.Len())
	}
}

// TestHoursAsked measures what the filters are for: of a month of hours, how many
// are asked for indicators that a few hours saw, and for those that none did.
func TestHoursAsked(t *testing.T) {
	cfg := testConfig(t.TempDir())
	s := openSeen(t, cfg)
	defer s.Close()
	s.cfg.Pending = 1 << 30
	var alerts []schema.Alert
	for h := range 720 {
		for n := range 20 {
			a := schema.Alert{Tenant: "acme", Created: noon - schema.Millis(h)*schema.Hour, Entities: []schema.Entity{{Type: schema.EntityFileHash, Key: fmt.Sprintf("%032x", h*1000+n)}}}
			alerts = append(alerts, a)
		}
	}
	if err := s.See(alerts); err != nil {
		t.Fatal(err)
	}
	if err := s.Fold(noon); err != nil {
		t.Fatal(err)
	}
	var questions []uint64
	for n := range 10_000 { // the first ten of these were seen, the rest were not
		i := schema.Indicator{Type: schema.ObservableHash, Value: fmt.Sprintf("%032x", n*1000)}
		if n >= 10 {
			i.Value = fmt.Sprintf("ffff%028x", n)
		}
		questions = append(questions, question(&i))
	}
	found, hours, err := s.look(t.Context(), questions, -1<<31)
	if err != nil || hours != 720 {
		t.Fatalf("%d hours, %v", hours, err)
	}
	total := 0
	for n, list := range found {
		if n < 10 && !slices.Contains(list, hourOf(noon-schema.Millis(n)*schema.Hour)) {
			t.Errorf("indicator %d was seen and is not found", n)
		}
		total += len(list)
	}
	if total > 2000 { // of 7.2 million; the rate allows 720
		t.Errorf("%d hours of indicators are asked", total)
	}
	t.Logf("%d of %d hours of indicators are asked", total, hours*len(questions))
}
