package distribute

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestHandler(t *testing.T) {
	dir := t.TempDir()
	name := strings.Repeat("0a", 32) + suffix
	for file, text := range map[string]string{name: "0123456789", "secret.txt": "secret", stateFile: "{}"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, strings.Repeat("0b", 32)+suffix), 0o755); err != nil {
		t.Fatal(err)
	}
	tag := etag(name)
	for _, tt := range []struct {
		method, path string
		header       [2]string
		status       int
		body         string
	}{
		{"GET", "/intel/snapshots/" + name, [2]string{}, 200, "0123456789"},
		{"HEAD", "/intel/snapshots/" + name, [2]string{}, 200, ""},
		{"GET", "/" + name, [2]string{"Range", "bytes=7-"}, 206, "789"},
		{"GET", "/" + name, [2]string{"Range", "bytes=70-"}, 416, ""},
		{"GET", "/" + name, [2]string{"If-None-Match", tag}, 304, ""},
		{"POST", "/" + name, [2]string{}, 405, ""},
		{"GET", "/", [2]string{}, 404, ""},
		{"GET", "/secret.txt", [2]string{}, 404, ""},
		{"GET", "/" + stateFile, [2]string{}, 404, ""},
		{"GET", "/..%2fsecret.txt", [2]string{}, 404, ""},
		{"GET", "/" + strings.ToUpper(name), [2]string{}, 404, ""},
		{"GET", "/" + strings.Repeat("0b", 32) + suffix, [2]string{}, 404, ""},
		{"GET", "/" + strings.Repeat("0c", 32) + suffix, [2]string{}, 404, ""},
		{"GET", "/" + strings.Repeat("../", 20) + suffix, [2]string{}, 404, ""},
	} {
		r := httptest.NewRequest(tt.method, tt.path, nil)
		if tt.header[0] != "" {
			r.Header.Set(tt.header[0], tt.header[1])
		}
		w := httptest.NewRecorder()
		Handler(dir).ServeHTTP(w, r)
		if w.Code != tt.status || tt.body != "" && w.Body.String() != tt.body || w.Code == 200 && w.Header().Get("ETag") != tag {
			t.Errorf("%s %s %v: %d %q %v", tt.method, tt.path, tt.header, w.Code, w.Body, w.Header())
		}
	}
}

func TestHTTPSource(t *testing.T) {
	name := strings.Repeat("0a", 32) + suffix
	var mode string
	block := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch mode {
		case "whole": // knows no ranges
			_, _ = io.WriteString(w, "0123456789")
		case "other range":
			w.Header().Set("Content-Range", "bytes 0-9/10")
			w.WriteHeader(206)
		case "redirect":
			http.Redirect(w, r, "http://192.0.2.1/"+name, http.StatusFound)
		case "stall":
			_, _ = io.WriteString(w, "01")
			w.(http.Flusher).Flush()
			<-block
		default:
			http.Error(w, "no", http.StatusForbidden)
		}
	}))
	defer srv.Close()
	defer close(block)
	read := func(h HTTP, location string, from int64) (string, error) {
		in, err := h.Open(t.Context(), location, from)
		if err != nil {
			return "", err
		}
		defer in.Close()
		b, err := io.ReadAll(in)
		return string(b), err
	}
	h := HTTP{Bases: []string{srv.URL + "/intel/"}, Client: srv.Client(), Stall: 100 * time.Millisecond}
	at := srv.URL + "/intel/" + name
	defer srv.Client().CloseIdleConnections()
	mode = "whole"
	if got, err := read(h, at, 7); got != "789" || err != nil {
		t.Errorf("the rest of all: %q, %v", got, err)
	}
	for _, tt := range [][2]string{{"other range", "206"}, {"redirect", "302"}, {"forbidden", "403"}, {"stall", "nothing came for 100ms"}} {
		mode = tt[0]
		if got, err := read(h, at, 1); err == nil || !strings.Contains(err.Error(), tt[1]) {
			t.Errorf("%s: %q, %v", tt[0], got, err)
		}
	}
	mode = "whole"
	for _, location := range []string{srv.URL + "/other/" + name, srv.URL + "/intel/x/../" + name, srv.URL + "/intel/" + name + "?a=b", "http://192.0.2.1/intel/" + name, srv.URL + "/intel/metadata"} {
		if got, err := read(h, location, 0); err == nil {
			t.Errorf("%s was read: %q", location, got)
		}
	}
	if _, err := read(h, "/var/lib/"+name, 0); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a path: %v", err)
	}
}

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	name := strings.Repeat("0a", 32) + suffix
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("0123456789"), 0o644); err != nil {
		t.Fatal(err)
	}
	f := Folder{Dir: filepath.Join(dir, "store"), URL: "https://manager.example/intel/snapshots/"}
	for range 2 {
		got, err := f.Put(t.Context(), name, file)
		if err != nil || len(got) != 2 || got[0] != filepath.Join(f.Dir, name) || got[1] != "https://manager.example/intel/snapshots/"+name {
			t.Fatalf("%q, %v", got, err)
		}
	}
	if n := len(files(t, f.Dir)); n != 1 {
		t.Errorf("%d files", n)
	}
	src := Sources{HTTP{}, f}
	in, err := src.Open(t.Context(), "/elsewhere/"+name, 8)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(in)
	if string(b) != "89" || err != nil || in.Close() != nil {
		t.Errorf("%q, %v", b, err)
	}
	for _, location := range []string{file, "../file", "", "/etc/passwd"} {
		if _, err := src.Open(t.Context(), location, 0); err == nil {
			t.Errorf("%q was opened", location)
		}
	}
	if _, err := src.Open(t.Context(), "ftp://manager.example/"+name, 0); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	if _, err := f.Put(t.Context(), "../x", file); err == nil {
		t.Error("a name that is none was taken")
	}
	if f.Delete(t.Context(), "../file") == nil {
		t.Error("a name that is none was deleted")
	}
	for range 2 {
		if err := f.Delete(t.Context(), name); err != nil {
			t.Error(err)
		}
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := copyFile(canceled, filepath.Join(dir, "copy"), file); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
