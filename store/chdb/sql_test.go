package chdb

import (
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"pgregory.net/rapid"
)

func (k statementKind) String() string {
	return [...]string{"other", "select", "insert-data", "insert-select", "session"}[k]
}

func TestParseStatement(t *testing.T) {
	text, err := os.ReadFile("testdata/statements.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct{ In, Kind, SQL, Format, Data, Body string }
	if err := yaml.UnmarshalWithOptions(text, &cases, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 30 {
		t.Fatalf("%d cases", len(cases))
	}
	for _, c := range cases {
		t.Run(c.In, func(t *testing.T) {
			st := parseStatement(c.In)
			if st.kind.String() != c.Kind || st.format != c.Format || st.data != c.Data || st.body != c.Body {
				t.Errorf("got kind %v, format %q, data %q, body %q", st.kind, st.format, st.data, st.body)
			}
			want := c.In
			if st.kind == kindInsertData {
				want = c.SQL
			}
			if st.sql != want {
				t.Errorf("got sql %q, want %q", st.sql, want)
			}
		})
	}
}

// TestInsertSplitProperty builds inserts out of parts that hide the words it
// looks for, and checks that the parts come back.
func TestInsertSplitProperty(t *testing.T) {
	space := rapid.SampledFrom([]string{" ", "\n", "\t", " /* VALUES ' */ ", " -- FORMAT \"\n", " "})
	name := rapid.SampledFrom([]string{"t", "db.t", "`VALUES (`", `"FORMAT"`, "`a``b`.`c\\`d`", "values", "format", "db.values", "_x9", "ü"})
	columns := rapid.SampledFrom([]string{"", "(a)", "(`FORMAT`, b)", "(a, values)", "(* EXCEPT(x))"})
	settings := rapid.SampledFrom([]string{"", "SETTINGS log_comment = 'VALUES \\' FORMAT', async_insert=1", "SETTINGS a = $$ VALUES $$"})
	clause := rapid.SampledFrom([][2]string{{"VALUES", "Values"}, {"values", "Values"}, {"FORMAT Native\n", "Native"}, {"format\tJSONEachRow\n", "JSONEachRow"}})
	rapid.Check(t, func(t *rapid.T) {
		sp := func() string { return space.Draw(t, "space") }
		head := sp() + "INSERT" + sp() + "INTO" + sp() + name.Draw(t, "name") + sp() + columns.Draw(t, "columns") + sp() + settings.Draw(t, "settings") + sp()
		c := clause.Draw(t, "clause")
		data := rapid.String().Draw(t, "data")
		if c[1] == "Values" {
			data = "(" + data
		}
		st := parseStatement(head + c[0] + data)
		if st.kind != kindInsertData || st.sql != head || st.format != c[1] || st.data != data {
			t.Fatalf("%q: kind %v, sql %q, format %q, data %q", head+c[0]+data, st.kind, st.sql, st.format, st.data)
		}
	})
}

// FuzzParseStatement: never panics or loops; the text to run is the given text,
// or a beginning of it when data follows; data is an end of it.
func FuzzParseStatement(f *testing.F) {
	for _, s := range []string{"SELECT 1 FORMAT Native;", "INSERT INTO t VALUES (1)", "$a$ $a", "/*", "'\\", "INSERT INTO t FORMAT", "((((", ")))SELECT"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		st := parseStatement(s)
		if st.kind == kindInsertData {
			if !strings.HasPrefix(s, st.sql) || !strings.HasSuffix(s, st.data) || st.format == "" {
				t.Fatalf("%q: %+v", s, st)
			}
			return
		}
		if st.sql != s || st.data != "" {
			t.Fatalf("%q: %+v", s, st)
		}
	})
}
