package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/cmd/interdict/internal/settings"
	"github.com/interdict/interdict/deploy"
	"github.com/interdict/interdict/pipeline"
)

const root = "../../../.."

func TestFilesAreUpToDate(t *testing.T) {
	example, reference, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][]byte{examplePath: example, referencePath: reference} {
		have, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(have, want) {
			t.Errorf("%s is not what the code says: run make generate", path)
		}
	}
	if deploy.ConfigExample() != string(example) {
		t.Error("the embedded example is not the file")
	}
}

// TestExampleLoads loads the example strictly and wants the defaults and the
// example values, and nothing else.
func TestExampleLoads(t *testing.T) {
	load := func(text string) *settings.Config {
		t.Helper()
		path := filepath.Join(t.TempDir(), "interdict.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := settings.Load(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	example, _, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	want := settings.Default()
	values := examples()
	want.Kafka.Brokers = values["kafka.brokers"].([]string)
	want.ClickHouse.DSN = values["clickhouse.dsn"].(string)
	want.Sources = values["sources"].([]settings.Source)
	host, err := os.Hostname() // where it is not given
	if err != nil {
		t.Fatal(err)
	}
	want.Kafka.Instance = host
	same := func(have *settings.Config) {
		t.Helper()
		if h, w := dump(reflect.ValueOf(*have)), dump(reflect.ValueOf(want)); h != w {
			t.Errorf("the example gives\n%s\nnot\n%s", h, w)
		}
	}
	same(load(string(example)))

	// With the policies that are shown as comments they must load alike, too.
	from := strings.Index(string(example), "  # policies:\n")
	if from < 0 {
		t.Fatal("the example shows no policies")
	}
	lines := strings.SplitAfter(string(example)[from:], "\n")
	n := 0
	for n < len(lines) && strings.HasPrefix(lines[n], "  # ") && (n == 0 || strings.HasPrefix(lines[n], "  #   ")) {
		lines[n] = "  " + strings.TrimPrefix(lines[n], "  # ")
		n++
	}
	same(load(string(example)[:from] + strings.Join(lines, "")))
}

// dump writes what is configured in a form that two configurations share: nil and
// empty lists alike, wiring left out.
func dump(v reflect.Value) string {
	var b strings.Builder
	var walk func(reflect.Value, string)
	walk = func(v reflect.Value, path string) {
		switch {
		case v.Kind() == reflect.Struct:
			for i := range v.NumField() {
				if name := tag(v.Type().Field(i)); name != "" {
					walk(v.Field(i), path+"."+name)
				}
			}
		case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
			for i := range v.Len() {
				walk(v.Index(i), path+"[]")
			}
		default:
			b.WriteString(path + ": " + scalar(v) + "\n")
		}
	}
	walk(v, "")
	return b.String()
}

func TestComments(t *testing.T) {
	agree := func(comment string, v any) {
		t.Helper()
		if err := agrees(comment, reflect.ValueOf(v)); err != nil {
			t.Errorf("%q, %v: %v", comment, v, err)
		}
	}
	differ := func(comment string, v any) {
		t.Helper()
		if agrees(comment, reflect.ValueOf(v)) == nil {
			t.Errorf("%q agrees with %v", comment, v)
		}
	}
	agree("bounds it. Default: 10m.", 10*time.Minute)
	agree("of policies that name none. Default 4h", 4*time.Hour)
	agree("Default 2,000, at most 30,000.", 2000)
	agree("in bytes. Default 64 KiB.", 65536)
	agree("share. Default 0.01", 0.01)
	agree("Default: 3 (1 on the embedded broker).", int16(3))
	agree("Default: the host name.", "")
	differ("bounds it. Default: 10m.", time.Hour)
	differ("Default 2,000, at most 30,000.", 200)
	differ("in bytes. Default 64 KiB.", 64)
	differ("share. Default 0.01", 0.1)
}

func TestUncommentedFieldIsAnError(t *testing.T) {
	type bare struct {
		Field string `yaml:"field"`
	}
	w := walker{root: root, packages: map[string]structs{}}
	_, err := w.keys("", reflect.ValueOf(bare{}))
	if err == nil || !strings.Contains(err.Error(), "no comment") {
		t.Error(err)
	}
}

// TestTopicTable compares the table of topics that people read with the one that
// topics are made by.
func TestTopicTable(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs/architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(line, "|"); len(cells) == 7 {
			rows[strings.Trim(cells[1], " `")] = strings.TrimSpace(cells[3]) + "; " + strings.TrimSpace(cells[4])
		}
	}
	for _, s := range pipeline.Topics() {
		want := "compact"
		switch {
		case !s.Compact && s.Retention < 0:
			want = "delete, for ever"
		case !s.Compact:
			want = fmt.Sprintf("delete, %d d", s.Retention/(24*60*60*1000))
		}
		if want += "; no"; s.Sharded {
			want = strings.TrimSuffix(want, "no") + "yes"
		}
		if rows[s.Suffix] != want {
			t.Errorf("docs/architecture.md says of %s: %q, topics are made with %q", s.Suffix, rows[s.Suffix], want)
		}
	}
}
