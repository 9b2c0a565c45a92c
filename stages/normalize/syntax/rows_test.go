package syntax

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// rows gives what a reader of rows yields: a document or "!" and the error.
func rows(data string, read func([]byte, func([]byte, error) bool)) (out []string) {
	read([]byte(data), func(doc []byte, err error) bool {
		if err != nil {
			out = append(out, "!"+err.Error()+": "+string(doc))
		} else {
			out = append(out, string(doc))
		}
		return true
	})
	return out
}

func check(t *testing.T, name string, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s: got:\n%s\nwant:\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestCSVRows(t *testing.T) {
	check(t, "plain", rows("\xef\xbb\xbfa,\"b \"\"x\"\"\"\n1,\"x,<y>\n\x01\"\n\n2,\n", CSVRows), `{"a":"1","b \"x\"":"x,<y>\n\u0001"}`, `{"a":"2","b \"x\"":""}`)
	check(t, "empty", rows("", CSVRows))
	check(t, "count", rows("a,b\n1\n2,3\n", CSVRows), "!reading a CSV row: record on line 2: wrong number of fields: 1\n", `{"a":"2","b":"3"}`)
	check(t, "quote", rows("a,b\n1,x\"y\n2,3\n", CSVRows), "!reading a CSV row: parse error on line 2, column 4: bare \" in non-quoted-field: 1,x\"y\n", `{"a":"2","b":"3"}`)
	check(t, "UTF-8", rows("a,b\n1,\xff\n2,3\n", CSVRows), "!reading a CSV row: row is not UTF-8: 1,\xff\n", `{"a":"2","b":"3"}`)
	check(t, "UTF-8 header", rows("a,\xff\n1,2\n", CSVRows), "!reading the CSV header: row is not UTF-8: a,\xff\n1,2\n")
	for name, c := range map[string]struct {
		data string
		want error
	}{
		"header size": {strings.Repeat("x", maxHeader) + ",y\n1,2\n", errHeader},
		"columns":     {strings.Repeat("x,", maxNames) + "y\n1\n", errNames},
		"row size":    {"a\n" + strings.Repeat("x", maxRow) + "\n", ErrTooLarge},
		"UTF-8":       {"a\n\xff\n", ErrNotUTF8},
	} {
		n := 0
		CSVRows([]byte(c.data), func(_ []byte, err error) bool {
			if n++; !errors.Is(err, c.want) {
				t.Errorf("%s: got %v", name, err)
			}
			return true
		})
		if n != 1 {
			t.Errorf("%s: %d rows", name, n)
		}
	}
}

const zeekHeader = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tnotice\n#open\t2024-10-01-22-14-15\n" +
	"#fields\tts\tid.orig_h\tid.orig_p\tnote\tactions\tsuppress\tseen\tmsg\n#types\ttime\taddr\tport\tenum\tset[enum]\tinterval\tbool\tstring\n"

func TestZeekRows(t *testing.T) {
	const data = zeekHeader +
		"1727820855.123456\t192.0.2.1\t1024\tScan::Port\tNotice::LOG,Notice::MAIL\t3600.0\tT\ta\\x09tab \"x\" \\\\srv\n" +
		"-\t-\t-\t-\t(empty)\t-\tF\t(empty)\r\n" +
		"nan\t192.0.2.1\t01\tx\t-\t1e5\tmaybe\t\\xff\n" +
		"too\tfew\n" +
		"1\t2\t3\t4\t5\t6\tT\t8\tmany\n" +
		"1\t2\t3\t4\t5\t6\tT\t\xff\n" +
		"#close\t2024-10-01-23-00-00\n"
	if !HasZeekHeader([]byte(data)) || !HasZeekHeader([]byte("\xef\xbb\xbf"+data)) || HasZeekHeader([]byte("#fields\ta")) || HasZeekHeader(nil) {
		t.Error("HasZeekHeader")
	}
	got := rows(data, ZeekRows)
	check(t, "notice", got,
		`{"_path":"notice","ts":1727820855.123456,"id.orig_h":"192.0.2.1","id.orig_p":1024,"note":"Scan::Port","actions":["Notice::LOG","Notice::MAIL"],"suppress":3600.0,"seen":true,"msg":"a\ttab \"x\" \\\\srv"}`,
		`{"_path":"notice","actions":[],"seen":false,"msg":""}`,
		`{"_path":"notice","ts":"nan","id.orig_h":"192.0.2.1","id.orig_p":"01","note":"x","suppress":1e5,"seen":"maybe","msg":"\\xff"}`,
		"!reading a row of a Zeek log: row has another number of columns than the header: too\tfew",
		"!reading a row of a Zeek log: row has another number of columns than the header: 1\t2\t3\t4\t5\t6\tT\t8\tmany",
		"!reading a row of a Zeek log: row is not UTF-8: 1\t2\t3\t4\t5\t6\tT\t\xff")
	for _, doc := range got[:3] {
		if !json.Valid([]byte(doc)) {
			t.Errorf("not JSON: %s", doc)
		}
	}
	check(t, "comma", rows("#separator ,\n#set_separator,|\n#path,x\n#fields,a,b,_path\n#types,vector[count],table[string],string\n1|-|2,-,y\n", ZeekRows),
		`{"_path":"x","a":[1,null,2]}`)
	check(t, "two logs", rows("#separator \\x09\n#path\ta\n#fields\tx\n1\n#separator \\x09\n#path\tb\n#fields\ty\n2\n", ZeekRows), `{"_path":"a","x":"1"}`, `{"_path":"b","y":"2"}`)
	check(t, "no fields", rows("#separator \\x09\n1\n", ZeekRows), "!reading a row of a Zeek log: header has no columns: 1")
	for name, c := range map[string]struct {
		data string
		want error
	}{
		"header size": {"#separator \\x09\n" + strings.Repeat("#x\ty\n", maxHeader/3), errHeader},
		"columns":     {"#separator \\x09\n#fields" + strings.Repeat("\tx", maxNames+1), errNames},
		"row size":    {"#separator \\x09\n#fields\ta\n" + strings.Repeat("x", maxRow+1), ErrTooLarge},
		"UTF-8":       {"#separator \\x09\n#fields\t\xff\n", ErrNotUTF8},
	} {
		n := 0
		ZeekRows([]byte(c.data), func(_ []byte, err error) bool {
			if n++; !errors.Is(err, c.want) {
				t.Errorf("%s: got %v", name, err)
			}
			return true
		})
		if n != 1 {
			t.Errorf("%s: %d rows", name, n)
		}
	}
}
