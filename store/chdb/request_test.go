package chdb

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzParseRequest: any query string and body give a request or an error,
// without a panic. Whatever is accepted names settings that are plain words, so
// that nothing but a setting can get into the SET statement.
func FuzzParseRequest(f *testing.F) {
	f.Add("query=INSERT+INTO+t+FORMAT+Native&database=d&max_threads=1", "data", "")
	f.Add("default_format=Native&param_x=1&compress=1", "SELECT {x:UInt8}", "")
	f.Add("decompress=1", "\x00", "")
	f.Add("ids_structure=id+UInt8", "--b\r\nContent-Disposition: form-data; name=\"ids\"; filename=\"\"\r\n\r\nx\r\n--b--\r\n", "multipart/form-data; boundary=b")
	f.Fuzz(func(t *testing.T, query, body, contentType string) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.URL.RawQuery = query
		r.Header.Set("Content-Type", contentType)
		req, err := parseRequest(r)
		if err != nil {
			return
		}
		for _, s := range req.settings {
			if !isName(s.name) {
				t.Fatalf("setting %q", s.name)
			}
		}
		if req.kind != kindInsertData && req.body != nil && req.sql == "" {
			t.Fatalf("%+v", req)
		}
	})
}

func TestQuoting(t *testing.T) {
	for in, want := range map[string]string{"a": "'a'", "it's": `'it\'s'`, `\`: `'\\'`, `\'`: `'\\\''`} {
		if got := quoteString(in); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
	if got, want := quoteName("a`b\\"), "`a\\`b\\\\`"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := setStatement([]setting{{"a", "1"}, {"b", "'"}}), `SET a = '1', b = '\''`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestInlineDataPrecedesBody(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/?query=INSERT+INTO+t+FORMAT+CSV%0A1%0A", strings.NewReader("2\n"))
	req, err := parseRequest(r)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(req.body)
	if err != nil || string(data) != "1\n2\n" {
		t.Fatalf("%q, %v", data, err)
	}
}
