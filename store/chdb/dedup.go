package chdb

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

// repairDedupLogs removes from the tables' deduplication logs what a crash left
// there without its part, and returns how many records that were.
//
// A plain MergeTree table writes an insert's token into its log first and makes
// the part visible second. A process that is killed in between has the token
// without the rows; the writer, which saw no answer, repeats the insert, and the
// engine takes it for a duplicate and drops it: an acknowledged batch is lost.
// (Replicated tables commit both at once.) Block numbers are given out under the
// same lock, so the part of such a record is the newest of its partition and no
// later merge can cover it: a record without a part that is or covers it is one
// of these, or one whose rows were removed since, where forgetting is harmless.
//
// It must run before every start of the engine and never beside it: the number
// of a lost part is given to the next insert, and then nothing tells them apart.
func repairDedupLogs(dir string) (int, error) {
	dropped := 0
	// Databases keep tables in store/; data/ holds links there, or the tables
	// themselves for the oldest kind of database.
	for _, pattern := range []string{"store/*/*", "data/*/*"} {
		tables, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return dropped, err
		}
		for _, table := range tables {
			if fi, err := os.Lstat(table); err != nil || !fi.IsDir() {
				continue
			}
			n, err := repairTable(dir, table)
			dropped += n
			if err != nil {
				return dropped, fmt.Errorf("repairing the deduplication log of %s: %w", table, err)
			}
		}
	}
	return dropped, nil
}

func repairTable(dir, table string) (int, error) {
	logs, err := filepath.Glob(filepath.Join(table, "deduplication_logs", "deduplication_log_*.txt"))
	if err != nil || len(logs) == 0 {
		return 0, err
	}
	entries, err := os.ReadDir(table)
	if err != nil {
		return 0, err
	}
	parts := map[string][]part{}
	for _, e := range entries {
		if p, ok := parsePart(e.Name()); ok && e.IsDir() {
			parts[p.partition] = append(parts[p.partition], p)
		}
	}
	dropped := 0
	for _, log := range logs {
		text, err := os.ReadFile(log)
		if err != nil {
			return dropped, err
		}
		kept, n := keepRecords(text, parts)
		if n == 0 {
			continue
		}
		// The engine reads every file of the logs' folder: build the new one elsewhere.
		tmp := filepath.Join(dir, "interdict.dedup.tmp")
		if err := os.WriteFile(tmp, kept, 0o640); err != nil {
			return dropped, err
		}
		if err := os.Rename(tmp, log); err != nil {
			return dropped, err
		}
		dropped += n
	}
	return dropped, nil
}

// opAdd is the operation of a record that a part was added; the other one, that
// it was dropped, is always kept.
const opAdd = "1"

// keepRecords filters the lines "operation, part, block id" of one log. A last
// line that the crash cut off is dropped too.
func keepRecords(log []byte, parts map[string][]part) (kept []byte, dropped int) {
	for line := range bytes.Lines(log) {
		f := bytes.Split(bytes.TrimSuffix(line, []byte("\n")), []byte("\t"))
		keep := bytes.HasSuffix(line, []byte("\n")) && len(f) == 3
		if keep && string(f[0]) == opAdd {
			p, ok := parsePart(string(f[1]))
			keep = !ok || covered(p, parts[p.partition]) // what we cannot read is not ours to judge
		}
		if keep {
			kept = append(kept, line...)
		} else {
			dropped++
		}
	}
	return kept, dropped
}

func covered(p part, by []part) bool {
	for _, q := range by {
		if q.min <= p.min && p.max <= q.max {
			return true
		}
	}
	return false
}

// part is the name of a data part: the blocks it holds of one partition.
type part struct {
	partition string
	min, max  uint64
}

var partRE = regexp.MustCompile(`^([^_]+)_(\d+)_(\d+)_\d+(?:_\d+)?$`)

func parsePart(name string) (part, bool) {
	m := partRE.FindStringSubmatch(name)
	if m == nil {
		return part{}, false
	}
	lo, err1 := strconv.ParseUint(m[2], 10, 64)
	hi, err2 := strconv.ParseUint(m[3], 10, 64)
	return part{m[1], lo, hi}, err1 == nil && err2 == nil
}
