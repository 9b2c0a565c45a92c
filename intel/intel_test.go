package intel

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

func TestRecognize(t *testing.T) {
	f := func(text string, typ schema.ObservableType, value string) {
		t.Helper()
		o, err := Recognize(text)
		if err != nil || o.Type != typ || o.Value != value {
			t.Errorf("%q: got %v %q %v", text, o.Type, o.Value, err)
		}
	}
	f("203.0.113.7", schema.ObservableIP, "203.0.113.7")
	f("203[.]0[.]113[.]7", schema.ObservableIP, "203.0.113.7")
	f("::ffff:203.0.113.7", schema.ObservableIP, "203.0.113.7")
	f("2001:DB8::1", schema.ObservableIP, "2001:db8::1")
	f("198.51.100.9/24", schema.ObservableCIDR, "198.51.100.0/24")
	f("198.51.100.9/32", schema.ObservableIP, "198.51.100.9")
	f("Bad[.]Example", schema.ObservableDomain, "bad.example")
	f("bad.example.", schema.ObservableDomain, "bad.example")
	f("hxxps://Bad.Example:443/Drop#x", schema.ObservableURL, "https://bad.example/Drop")
	f("AB"+strings.Repeat("cd", 15), schema.ObservableHash, "ab"+strings.Repeat("cd", 15))
	f("A@Bad.Example", schema.ObservableEmail, "a@bad.example")
	for _, bad := range []string{"", "word", "999.1.1.1", "a b", "http://", "deadbeef", "/etc/passwd"} {
		if o, err := Recognize(bad); err == nil {
			t.Errorf("%q was taken for %v %q", bad, o.Type, o.Value)
		}
	}
}

func TestParsePattern(t *testing.T) {
	ok := func(p string, want ...string) {
		t.Helper()
		list, err := ParsePattern(p)
		var got []string
		for _, o := range list {
			got = append(got, o.Type.String()+"="+o.Value)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %v %v, want %v", p, got, err, want)
		}
	}
	sha := strings.Repeat("0f", 32)
	ok("[ipv4-addr:value = '203.0.113.7']", "ip=203.0.113.7")
	ok("[ipv4-addr:value = '203.0.113.0/24']", "cidr=203.0.113.0/24")
	ok("[ipv4-addr:value ISSUBSET '203.0.113.0/24']", "cidr=203.0.113.0/24")
	ok("[domain-name:value = 'Bad.Example' OR url:value='http://bad.example/a,b']", "domain=bad.example", "url=http://bad.example/a,b")
	ok("[file:hashes.'SHA-256' = '"+sha+"'] OR [file:hashes.MD5 = '"+sha[:32]+"']", "hash="+sha, "hash="+sha[:32])
	ok("([email-message:sender_ref.value = 'A@b.example'])", "email=a@b.example")
	ok("[domain-name:value IN ('a.example', 'b.example')]", "domain=a.example", "domain=b.example")
	ok(`[url:value = 'http://a.example/it\'s']`, "url=http://a.example/it's")
	for _, bad := range []string{"", "[", "[]", "[ipv4-addr:value]", "[ipv4-addr:value = '1.2.3.4'", "[ipv4-addr:value != '1.2.3.4']",
		"[ipv4-addr:value = '1.2.3.4' AND domain-name:value = 'a.example']", "[ipv4-addr:value = '1.2.3.4'] FOLLOWEDBY [url:value = 'http://a.example/']",
		"[ipv4-addr:value = '1.2.3.4'] WITHIN 5 SECONDS", "[process:name = 'x']", "[ipv4-addr:value = 'nonsense']", "[url:value LIKE 'http%']",
		"[file:hashes.MD5!='" + sha[:32] + "']", "[file:hashes.'SHA-256'!='" + sha + "']", "[file:hashes.MD5>='" + sha[:32] + "']",
		"[NOT ipv4-addr:value = '1.2.3.4']", "[ipv4-addr:value = '1.2.3.4] ", "[ipv4-addr:value = '1.2.3.4' OR]", "ipv4-addr:value = 1", "[domain-name:value IN ('a.example']"} {
		if got, err := ParsePattern(bad); err == nil {
			t.Errorf("%q was read as %v", bad, got)
		}
	}
}

func FuzzParsePattern(f *testing.F) {
	f.Add("[ipv4-addr:value = '203.0.113.7' OR file:hashes.'SHA-256' IN ('a','b')]")
	f.Fuzz(func(t *testing.T, p string) {
		list, err := ParsePattern(p)
		if err == nil && len(list) == 0 {
			t.Errorf("%q: neither values nor an error", p)
		}
	})
}

// FuzzRead holds that no feed crashes the reader, and that whatever it takes can
// be built into an index.
func FuzzRead(f *testing.F) {
	f.Add([]byte("203.0.113.7 # c2\nbad[.]example\n"))
	f.Add([]byte(`{"type":"bundle","objects":[{"type":"indicator","pattern":"[url:value = 'http://a.example/']"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		taken, _, err := Read(strings.NewReader(string(data)), Defaults{Feed: "f"})
		if err != nil {
			return
		}
		if _, err := match.Build(match.DefaultConfig(), taken); err != nil {
			t.Errorf("taken but not buildable: %v", err)
		}
	})
}

func TestReadList(t *testing.T) {
	text := "\ufeff# feed of the day\n203.0.113.7\nbad[.]example ; note\n\"evil.example\",x\ncom\nnonsense line\n\n" + strings.Repeat("x", maxLine+10) + "\n198.51.100.0/24 # net"
	taken, refused, err := Read(strings.NewReader(text), Defaults{Feed: "f", Verdict: schema.VerdictMalicious, Confidence: 70})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, i := range taken {
		if i.Feed != "f" || i.Verdict != schema.VerdictMalicious || i.Confidence != 70 || i.ID == "" {
			t.Errorf("defaults are missing on %+v", i)
		}
		got = append(got, i.Value)
	}
	if want := []string{"203.0.113.7", "bad.example", "evil.example", "198.51.100.0/24"}; !slices.Equal(got, want) {
		t.Errorf("took %v, want %v", got, want)
	}
	var lines []int
	for _, r := range refused {
		if r.Reason == "" {
			t.Errorf("line %d refused without a reason", r.Line)
		}
		lines = append(lines, r.Line)
	}
	if want := []int{5, 6, 8}; !slices.Equal(lines, want) {
		t.Errorf("refused lines %v, want %v: %v", lines, want, refused)
	}
}

const bundle = `{"type":"bundle","id":"bundle--1","objects":[
 {"type":"identity","id":"identity--1"},
 {"type":"indicator","id":"indicator--1","pattern_type":"stix","pattern":"[ipv4-addr:value = '203.0.113.7']","valid_from":"2026-01-01T00:00:00Z","valid_until":"2026-02-01T00:00:00Z","confidence":55,"object_marking_refs":["marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"]},
 {"type":"indicator","id":"indicator--2","pattern":"[domain-name:value = 'good.example']","labels":["benign"]},
 {"type":"indicator","id":"indicator--3","pattern":"[domain-name:value = 'gone.example']","revoked":true},
 {"type":"indicator","id":"indicator--4","pattern_type":"yara","pattern":"rule x {}"},
 {"type":"indicator","id":"indicator--5","pattern":"[domain-name:value = 'x.example']","valid_from":"yesterday"},
 {"type":"indicator","id":7}]}`

func TestReadSTIX(t *testing.T) {
	taken, refused, err := Read(strings.NewReader(bundle), Defaults{Feed: "stix", Verdict: schema.VerdictMalicious})
	if err != nil || len(taken) != 2 || len(refused) != 4 {
		t.Fatalf("took %v, refused %v, %v", taken, refused, err)
	}
	a := taken[0]
	if a.ID != "indicator--1" || a.Confidence != 55 || a.TLP != schema.TLPAmber || a.ValidUntil.Time() != time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC) {
		t.Errorf("first indicator: %+v", a)
	}
	if taken[1].Verdict != schema.VerdictBenign {
		t.Errorf("a benign indicator is %v", taken[1].Verdict)
	}
	for _, cut := range []string{bundle[:len(bundle)-30], `{"objects":{}}`, `{"objects"`, `[{]`} {
		if _, _, err := Read(strings.NewReader(cut), Defaults{Feed: "f"}); err == nil {
			t.Errorf("a damaged bundle was read: %q", cut)
		}
	}
}

func TestLibrary(t *testing.T) {
	l := Open(t.TempDir())
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	read := func(text string) []schema.Indicator {
		taken, _, err := Read(strings.NewReader(text), Defaults{Feed: "f", Verdict: schema.VerdictMalicious})
		if err != nil {
			t.Fatal(err)
		}
		return taken
	}
	if _, err := l.Import("f", "test", now, read("203.0.113.7\nbad.example\n203.0.113.7\n"), nil); err != nil {
		t.Fatal(err)
	}
	rep, err := l.Import("f", "test", now, read("bad.example\n198.51.100.0/24\n"), nil)
	if err != nil || rep.Added != 1 || rep.Removed != 1 || rep.Kept != 1 || rep.Indicators != 2 {
		t.Fatalf("second import: %+v %v", rep, err)
	}
	if _, err := l.Import("../f", "test", now, nil, nil); err == nil {
		t.Error("a feed name left the library's folder")
	}
	x, err := l.Index(match.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	e := Explain(x, schema.Observable{Type: schema.ObservableURL, Value: "http://www.bad.example/x"}, 0)
	if len(e) != 1 || !e[0].Counts || e[0].Indicator.Value != "bad.example" {
		t.Errorf("explanation: %+v", e)
	}
	if e := Explain(x, schema.Observable{Type: schema.ObservableIP, Value: "203.0.113.7"}, 0); len(e) != 0 {
		t.Errorf("a removed indicator still matches: %+v", e)
	}
	// A file cut short is an error that names it, never half a feed.
	name := filepath.Join(l.dir, "f.ndjson")
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data[:len(data)-40], 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Index(match.DefaultConfig()); err == nil || !strings.Contains(err.Error(), "feed f") {
		t.Errorf("a damaged feed: %v", err)
	}
}

// TestThirdParty reads every feed of the shared data: nothing may crash, and
// whatever is taken can be asked.
func TestThirdParty(t *testing.T) {
	dir := filepath.Join("..", "..", "shared", "data", "ti")
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("third-party feeds are missing: %v", err)
		}
		t.Skip("SKIPPED: third-party feeds are not present in ../shared/data/ti")
	}
	var files, taken, refused int
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(p, "warninglists") {
			return err
		}
		if ext := filepath.Ext(p); ext == ".adoc" || ext == ".md" || ext == ".ioc" {
			return nil
		}
		if info, err := d.Info(); err != nil || info.Size() > 700<<10 {
			return err // the largest lists say nothing new about the reader
		}
		in, err := os.Open(p)
		if err != nil {
			return err
		}
		defer in.Close()
		got, no, err := Read(in, Defaults{Feed: "f", Verdict: schema.VerdictMalicious})
		if err != nil {
			t.Logf("%s: %v", filepath.Base(p), err)
			return nil
		}
		files, taken, refused = files+1, taken+len(got), refused+len(no)
		if len(got) > 5000 {
			got = got[:5000]
		}
		x, err := match.Build(match.DefaultConfig(), got)
		if err != nil {
			t.Errorf("%s: %v", p, err)
			return nil
		}
		for _, i := range got {
			if i.Type != schema.ObservableCIDR && len(values(x, i)) == 0 {
				t.Errorf("%s: %v %s is not found in its own index", p, i.Type, i.Value)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files, %d indicators taken, %d lines refused", files, taken, refused)
	if files < 400 || taken < 200_000 {
		t.Errorf("only %d files and %d indicators", files, taken)
	}
}

func values(x *match.Index, i schema.Indicator) (out []string) {
	x.Find(schema.Observable{Type: i.Type, Value: i.Value}, func(f *schema.Indicator) { out = append(out, f.Value) })
	return out
}
