package chdb

import (
	"os"
	"path/filepath"
	"testing"
)

func TestKeepRecords(t *testing.T) {
	parts := map[string][]part{}
	for _, name := range []string{"all_1_5_2", "all_7_7_0", "all_8_8_0_9", "202601_1_1_0", "tmp_insert_all_9_9_0", "detached", "all_x_1_0"} {
		if p, ok := parsePart(name); ok {
			parts[p.partition] = append(parts[p.partition], p)
		}
	}
	for in, want := range map[string]string{
		"1\tall_1_1_0\ta\n":                        "1\tall_1_1_0\ta\n", // merged since
		"1\tall_7_7_0\ta\n":                        "1\tall_7_7_0\ta\n",
		"1\tall_8_8_0\ta\n":                        "1\tall_8_8_0\ta\n", // mutated since
		"1\tall_6_6_0\ta\n1\tall_7_7_0\tb\n":       "1\tall_7_7_0\tb\n", // lost
		"1\tall_9_9_0\ta\n":                        "",                  // still temporary: lost
		"1\t202601_1_1_0\ta\n1\t202602_1_1_0\tb\n": "1\t202601_1_1_0\ta\n",
		"2\tall_6_6_0\ta\n":                        "2\tall_6_6_0\ta\n", // a drop
		"1\tall_7_7_0\ta\n1\tall_7_7":              "1\tall_7_7_0\ta\n", // cut off
		"1\tnot a part\ta\n":                       "1\tnot a part\ta\n",
		"":                                         "",
	} {
		if got, _ := keepRecords([]byte(in), parts); string(got) != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestRepairLeavesGoodLogsAlone(t *testing.T) {
	dir := t.TempDir()
	table := filepath.Join(dir, "store", "abc", "abc-def")
	log := filepath.Join(table, "deduplication_logs", "deduplication_log_1.txt")
	for _, d := range []string{filepath.Dir(log), filepath.Join(table, "all_1_1_0")} {
		if err := os.MkdirAll(d, 0o750); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(log, []byte("1\tall_1_1_0\ta\n"), 0o440); err != nil {
		t.Fatal(err)
	}
	before, _ := os.Stat(log)
	if n, err := repairDedupLogs(dir); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	if after, _ := os.Stat(log); !os.SameFile(before, after) {
		t.Error("a good log was rewritten")
	}
	if err := os.Remove(filepath.Join(table, "all_1_1_0")); err != nil {
		t.Fatal(err)
	}
	if n, err := repairDedupLogs(dir); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if text, err := os.ReadFile(log); len(text) != 0 || err != nil {
		t.Fatalf("%q, %v", text, err)
	}
}

// FuzzKeepRecords: any log is filtered without a panic, and filtering twice
// changes nothing more.
func FuzzKeepRecords(f *testing.F) {
	f.Add([]byte("1\tall_1_1_0\ta\n1\tall_2_2_0\tb\n2\tall_1_1_0\ta\n1\tall"))
	parts := map[string][]part{"all": {{"all", 1, 1}}}
	f.Fuzz(func(t *testing.T, log []byte) {
		once, _ := keepRecords(log, parts)
		if twice, n := keepRecords(once, parts); n != 0 || string(twice) != string(once) {
			t.Fatalf("%q -> %q -> %q", log, once, twice)
		}
	})
}
