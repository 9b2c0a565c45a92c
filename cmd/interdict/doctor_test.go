package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/cmd/interdict/internal/settings"
	"github.com/interdict/interdict/intel/fact"
)

// feedServer serves one of each kind of feed, well and not.
func feedServer(t *testing.T, ahead time.Duration) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	text := func(path, kind, body string) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			fmt.Fprint(w, body)
		})
	}
	const taxii = "application/taxii+json;version=2.1"
	text("/list", "text/plain", "bad.example\n")
	text("/empty", "text/plain", "")
	text("/login", "text/html", "\n<!DOCTYPE html><title>Log in</title>")
	text("/api1/", taxii, `{"title":"root","versions":["application/taxii+json;version=2.1"],"max_content_length":1000000}`)
	text("/api1/collections/", taxii, `{"collections":[{"id":"c1","title":"full","can_read":true},{"id":"c2","title":"none","can_read":true}]}`)
	text("/api1/collections/c1/objects/", taxii, `{"objects":[{"type":"indicator","id":"indicator--0a4f8f6e-6a0f-4b7a-9a33-5c1f6d1f0c11"}]}`)
	text("/api1/collections/c2/objects/", taxii, `{"objects":[]}`)
	text("/misp/manifest.json", "application/json", `{"0a4f8f6e-6a0f-4b7a-9a33-5c1f6d1f0c11":{"timestamp":"1577836800"}}`)
	text("/misp/0a4f8f6e-6a0f-4b7a-9a33-5c1f6d1f0c11.json", "application/json", `{"Event":{}}`)
	mux.HandleFunc("/guarded", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer 0123456789abcdef0123" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprintln(w, "bad.example")
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server
}

// feedOf is a feed as the configuration gives it.
func feedOf(t *testing.T, name string, change func(*fact.Feed)) fact.Feed {
	t.Helper()
	f := fact.DefaultFeed()
	f.Name, f.AllowPrivate = name, true
	change(&f)
	if err := f.Validate(); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestDoctorFeeds: each feed is asked with its credentials, and nothing is kept.
func TestDoctorFeeds(t *testing.T) {
	server := feedServer(t, 0)
	dir := t.TempDir()
	for name, text := range map[string]string{"token": "0123456789abcdef0123", "wrong": "another", "list.txt": "bad.example\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at := func(path string) func(*fact.Feed) { return func(f *fact.Feed) { f.URL = server.URL + path } }
	with := func(path, token string) func(*fact.Feed) {
		return func(f *fact.Feed) { f.URL, f.Auth.TokenFile = server.URL+path, filepath.Join(dir, token) }
	}
	taxii := func(collection string) func(*fact.Feed) {
		return func(f *fact.Feed) {
			f.Transport, f.URL, f.Collection = fact.TransportTAXII, server.URL+"/api1/", collection
		}
	}
	misp := func(path string) func(*fact.Feed) {
		return func(f *fact.Feed) { f.Transport, f.URL = fact.TransportMISP, server.URL+path }
	}
	file := func(path string) func(*fact.Feed) {
		return func(f *fact.Feed) { f.File = filepath.Join(dir, path) }
	}
	cfg := settings.Default()
	cfg.DataDir = filepath.Join(dir, "data")
	cfg.Intel.Feeds = []fact.Feed{
		feedOf(t, "list", at("/list")), feedOf(t, "empty", at("/empty")), feedOf(t, "none", at("/none")), feedOf(t, "page", at("/login")),
		feedOf(t, "let-in", with("/guarded", "token")), feedOf(t, "shut-out", with("/guarded", "wrong")), feedOf(t, "no-secret", with("/guarded", "nowhere")),
		feedOf(t, "taxii", taxii("full")), feedOf(t, "taxii-empty", taxii("none")), feedOf(t, "taxii-other", taxii("other")),
		feedOf(t, "misp", misp("/misp/")), feedOf(t, "no-misp", misp("/list/")),
		feedOf(t, "file", file("list.txt")), feedOf(t, "folder", file(".")), feedOf(t, "glob", file("*.txt")), feedOf(t, "no-file", file("other.txt")),
		feedOf(t, "private", func(f *fact.Feed) { f.URL, f.AllowPrivate = server.URL+"/list", false }),
		feedOf(t, "upload", func(f *fact.Feed) { f.Transport = fact.TransportUpload }),
	}
	var list findings
	list.feeds(t.Context(), &cfg)
	var out bytes.Buffer
	if err := writeFindings(&out, list); err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer(dir, "$D", server.URL, "URL").Replace(out.String())
	text = regexp.MustCompile(`answers in [0-9.]+(ms|s)`).ReplaceAllString(text, "answers in TIME")
	golden(t, "testdata/doctor/feeds.golden", text)
	if _, err := os.Stat(cfg.DataDir); !os.IsNotExist(err) {
		t.Errorf("the doctor made a data folder: %v", err)
	}
}

// TestDoctorClock: the nearest server's clock counts.
func TestDoctorClock(t *testing.T) {
	for _, x := range []struct {
		name  string
		ahead []time.Duration // the servers'
		ok    bool
		warn  bool
		want  string
	}{
		{"in step", []time.Duration{0}, true, false, "in step with 127.0.0.1"},
		{"behind a little", []time.Duration{3 * time.Minute}, true, true, "behind 127.0.0.1"},
		{"ahead by much", []time.Duration{-time.Hour}, false, false, "ahead of 127.0.0.1"},
		{"one of two", []time.Duration{-time.Hour, 0}, true, false, "in step"},
		{"both", []time.Duration{-time.Hour, time.Hour}, false, false, "the nearest of 2"},
		{"nobody to ask", nil, true, false, ""},
	} {
		cfg := settings.Default()
		for n, ahead := range x.ahead {
			s := feedServer(t, ahead)
			cfg.Intel.Feeds = append(cfg.Intel.Feeds, feedOf(t, fmt.Sprint("f", n), func(f *fact.Feed) { f.URL = s.URL + "/list" }))
		}
		var list findings
		list.feeds(t.Context(), &cfg)
		i := slices.IndexFunc(list, func(f finding) bool { return f.Check == "clock" })
		if i < 0 {
			if x.want != "" {
				t.Errorf("%s: nothing is said", x.name)
			}
			continue
		}
		if f := list[i]; f.OK != x.ok || f.Warning != x.warn || !strings.Contains(f.Detail, x.want) || x.want == "" {
			t.Errorf("%s: %+v", x.name, f)
		}
	}
}

// TestDoctorUnreached: what does not answer is told within the time for it.
func TestDoctorUnreached(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	cfg := settings.Default()
	cfg.Intel.Feeds = []fact.Feed{feedOf(t, "gone", func(f *fact.Feed) { f.URL = "http://" + addr + "/list" })}
	var list findings
	list.feeds(t.Context(), &cfg)
	if len(list) != 1 || list[0].OK || !strings.Contains(list[0].Detail, "refused") || list[0].Cure == "" {
		t.Errorf("%+v", list)
	}
	list, cfg.Hops = nil, []string{"correlate"}
	if list.feeds(t.Context(), &cfg); len(list) != 0 {
		t.Errorf("a process that pulls nothing asks feeds: %+v", list)
	}
}

// TestDoctorAddresses: what listens can, or does already.
func TestDoctorAddresses(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	cfg := settings.Default()
	cfg.Admin.Listen, cfg.Intel.Upload.Listen, cfg.Intel.Snapshots.Listen = "127.0.0.1:0", l.Addr().String(), "192.0.2.1:9465"
	var list findings
	list.addresses(t.Context(), &cfg)
	if len(list) != 3 || !list[0].OK || list[0].Warning || !list[1].Warning || !list[1].OK || list[2].OK {
		t.Errorf("%+v", list)
	}
}

// TestDoctorRoom: what the disk must have goes by the largest feed of the library.
func TestDoctorRoom(t *testing.T) {
	dir := t.TempDir()
	for name, size := range map[string]int64{"feeds/a/00000001.facts": 3000, "feeds/a/00000002.facts": 2000, "feeds/a/00000002.current": 500, "feeds/a/.tmp-1": 9000,
		"feeds/b/00000001.facts": 3400, "index/x.snapshot": 700, "index/y.snapshot": 100, "journal": 9000} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if feed, name, index, err := largest(dir); feed != 3500 || name != "a" || index != 700 || err != nil {
		t.Errorf("feed %s of %d bytes, index of %d, %v", name, feed, index, err)
	}
	if feed, name, index, err := largest(filepath.Join(dir, "none")); feed != 0 || name != "" || index != 0 || err != nil {
		t.Errorf("of no library: feed %s of %d bytes, index of %d, %v", name, feed, index, err)
	}
	if free, err := freeBytes(filepath.Join(dir, "not", "yet")); free <= 0 || err != nil {
		t.Errorf("%d bytes free, %v", free, err)
	}
}

// TestDoctorDataDir: a folder that cannot be made is a failure, not a doubt.
func TestDoctorDataDir(t *testing.T) {
	file := write(t, "file", "")
	path := write(t, "interdict.yaml", fmt.Sprintf("embedded: true\ndata_dir: %s/data\nadmin: {listen: ''}\n", file))
	r := do(t, "", "doctor", "-c", path)
	if r.code != exitFailed || !strings.Contains(r.out, "FAIL  data folder            "+path+":2:1: data_dir: "+file+"/data cannot be made") {
		t.Errorf("exit %d: %s%s", r.code, r.out, r.err)
	}
}

// TestDoctorJSON: the whole command, as data.
func TestDoctorJSON(t *testing.T) {
	server := feedServer(t, 0)
	dir := t.TempDir()
	path := write(t, "interdict.yaml", fmt.Sprintf("embedded: true\ndata_dir: %s/data\nadmin: {listen: ''}\nintel:\n  feeds:\n    - {name: list, url: %s/list, allow_private: true}\n    - {name: later, file: %s/later.txt}\n",
		dir, server.URL, dir))
	var out, errs bytes.Buffer
	code := run(context.Background(), []string{"doctor", "--json", "-c", path}, streams{strings.NewReader(""), &out, &errs, nil})
	var list findings
	if err := json.Unmarshal(out.Bytes(), &list); err != nil || code != exitFailed || errs.Len() > 0 {
		t.Fatalf("exit %d, %v: %s%s", code, err, out.String(), errs.String())
	}
	var got []string
	for _, f := range list {
		if f.Check != "embedded clickhouse" { // as it is installed
			got = append(got, fmt.Sprintf("%s %v %v", f.Check, f.OK, f.Warning))
		}
	}
	want := []string{"versions true false", "configuration true false", "configuration true true", "indicator library true false", "disk true false", "feed list true false", "feed later false false", "clock true false"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
