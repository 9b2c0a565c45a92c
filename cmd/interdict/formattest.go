package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/interdict/interdict/stages/normalize"
	"github.com/interdict/interdict/stages/normalize/mapping"
)

type formatTestCmd struct {
	formatsFlag
	Update bool     `help:"Write the golden files. Read them before they are kept."`
	JSON   bool     `name:"json" help:"Print as JSON."`
	Dirs   []string `arg:"" name:"dir" help:"Folder of a format: format.yaml, and samples in cases/."`
}

// Help says what makes it fail.
func (formatTestCmd) Help() string {
	return "Each sample cases/X.json (.ndjson, .log, .xml, .csv) is normalized and compared with cases/X.golden. Exit 1 when one differs, or when another format takes a document of it."
}

// caseResult is what came of one case.
type caseResult struct {
	Folder  string   `json:"folder"`
	Case    string   `json:"case"`
	OK      bool     `json:"ok"`
	Updated bool     `json:"updated,omitempty"`
	Missing bool     `json:"golden_missing,omitempty"`
	Diff    []string `json:"diff,omitempty"`
	Foreign []string `json:"taken_by,omitempty"` // other formats that took a document
	Rejects []string `json:"rejects,omitempty"`
}

func (c *formatTestCmd) Run(ctx context.Context, s *streams) error {
	cfg, err := c.config(s)
	if err != nil {
		return err
	}
	if c.Dirs, err = formatFolders(c.Dirs); err != nil {
		return usage{err}
	}
	formats, err := loadFolders(cfg, c.Dirs)
	if err != nil {
		return err
	}
	results, bad := []caseResult{}, 0
	for _, dir := range c.Dirs {
		all, err := c.folder(ctx, formats, dir)
		if err != nil {
			return err
		}
		results = append(results, all...)
	}
	for _, r := range results {
		if !r.OK {
			bad++
		}
	}
	if c.JSON {
		err = json.NewEncoder(s.out).Encode(results)
	} else {
		err = writeCases(s.out, results, bad)
	}
	if err == nil && bad > 0 {
		return quietError(exitFailed)
	}
	return err
}

// formatFolders gives the folders that are formats, and the formats in those that
// hold some.
func formatFolders(dirs []string) (all []string, err error) {
	for _, dir := range dirs {
		one, err := isFormat(dir)
		if err != nil {
			return nil, err
		}
		if one {
			all = append(all, dir)
			continue
		}
		found, err := filepath.Glob(filepath.Join(dir, "*", normalize.FormatFile))
		if err != nil || len(found) == 0 {
			return nil, fmt.Errorf("%s has no %s, nor has a folder in it", dir, normalize.FormatFile)
		}
		for _, file := range found {
			all = append(all, filepath.Dir(file))
		}
	}
	return all, nil
}

func (c *formatTestCmd) folder(ctx context.Context, formats *normalize.Formats, dir string) (all []caseResult, err error) {
	file := filepath.Join(dir, normalize.FormatFile)
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	src, err := mapping.Parse(file, text)
	if err != nil {
		return nil, err
	}
	cases, err := formats.RunCases(ctx, dir, src.Name, c.Update)
	if err != nil {
		return nil, err
	}
	for i := range cases {
		x := &cases[i]
		r := caseResult{Folder: dir, Case: filepath.Base(x.File), OK: x.OK(), Updated: c.Update, Missing: x.Want == "", Foreign: x.Foreign}
		if x.Got != x.Want && !r.Missing {
			r.Diff = lineDiff(strings.Split(strings.TrimSuffix(x.Want, "\n"), "\n"), strings.Split(strings.TrimSuffix(x.Got, "\n"), "\n"))
		}
		for _, j := range x.Rejects {
			r.Rejects = append(r.Rejects, fmt.Sprintf("document %d: %s: %s: %s", j.Doc+1, j.Reason, j.Detail, short(string(j.Bytes), 100)))
		}
		all = append(all, r)
	}
	return all, nil
}

func writeCases(w io.Writer, all []caseResult, bad int) error {
	for _, r := range all {
		state := "ok"
		switch {
		case r.OK && r.Updated:
			state = "written"
		case r.Missing:
			state = "no golden file: run with --update, then read what it wrote"
		case !r.OK && len(r.Diff) > 0:
			state = "differs (- wanted, + got)"
		case !r.OK:
			state = "taken by another format"
		}
		fmt.Fprintf(w, "%s/cases/%s: %s\n", r.Folder, r.Case, state)
		for _, name := range r.Foreign {
			fmt.Fprintf(w, "    the format %s takes a document of it: make the shapes differ, or name the format under the source\n", printable(name))
		}
		for _, line := range r.Diff {
			fmt.Fprintf(w, "    %s\n", printable(line))
		}
		for _, line := range r.Rejects {
			fmt.Fprintf(w, "    reject: %s\n", printable(line))
		}
	}
	_, err := fmt.Fprintf(w, "%d cases, %d not as they should be\n", len(all), bad)
	return err
}

// Bounds of a diff: lines compared at once, and lines around a change.
const (
	maxDiff     = 1500
	diffContext = 2
)

// lineDiff gives the lines that differ, with a few around them: "-" is only in a,
// "+" only in b.
func lineDiff(a, b []string) []string {
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	var out []string
	for _, l := range a[max(0, head-diffContext):head] {
		out = append(out, "  "+l)
	}
	out = append(out, middleDiff(a[head:len(a)-tail], b[head:len(b)-tail])...)
	for _, l := range a[len(a)-tail : min(len(a), len(a)-tail+diffContext)] {
		out = append(out, "  "+l)
	}
	return out
}

// middleDiff compares by the longest common subsequence; what is too long for
// that is shown as replaced.
func middleDiff(a, b []string) (out []string) {
	if len(a) > maxDiff || len(b) > maxDiff {
		for _, l := range a[:min(len(a), maxDiff)] {
			out = append(out, "- "+l)
		}
		for _, l := range b[:min(len(b), maxDiff)] {
			out = append(out, "+ "+l)
		}
		return append(out, "  (cut: too many lines differ)")
	}
	common := make([][]int16, len(a)+1)
	for i := range common {
		common[i] = make([]int16, len(b)+1)
	}
	for i, x := range slices.Backward(a) {
		for j, y := range slices.Backward(b) {
			if x == y {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	i, j, same := 0, 0, []string{}
	flush := func() {
		if len(same) > 2*diffContext+1 {
			out = append(out, same[:diffContext]...)
			out = append(out, "  ...")
			out = append(out, same[len(same)-diffContext:]...)
		} else {
			out = append(out, same...)
		}
		same = same[:0]
	}
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			same = append(same, "  "+a[i])
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			flush()
			out = append(out, "- "+a[i])
			i++
		default:
			flush()
			out = append(out, "+ "+b[j])
			j++
		}
	}
	flush()
	return out
}
