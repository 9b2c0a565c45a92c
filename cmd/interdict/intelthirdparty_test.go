package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/publicsuffix"
)

const thirdParty = "../../../shared/data/ti"

// TestIntelThirdParty imports every feed of the shared data by command and compares
// what the library then holds with what this test makes of the same files, with the
// standard library alone: how many values of each type, and which of them collide
// with which warninglist.
func TestIntelThirdParty(t *testing.T) {
	if _, err := os.Stat(thirdParty); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("third-party feeds are missing: %v", err)
		}
		t.Skip("SKIPPED: third-party feeds are not present in ../shared/data/ti")
	}
	if testing.Short() {
		t.Skip("SKIPPED: importing all third-party feeds takes half a minute of CPU; run without -short")
	}
	w := &world{dir: t.TempDir(), values: map[string]map[string]bool{}, missed: map[string]map[string]bool{},
		on: map[string][]string{}, below: map[string][]string{}, nets: map[netip.Prefix][]string{}}
	w.load(t)
	t.Run("counts", w.counts)
	t.Run("collisions", w.collisions)
	t.Run("events", events)
}

// world is what the files hold, as the test reads them.
type world struct {
	dir     string
	values  map[string]map[string]bool // by type
	missed  map[string]map[string]bool // those of them that were refused, and nowhere taken
	refused map[string]bool            // texts refused of the feed that was imported last
	on      map[string][]string        // names of the warninglists that have a value, by type and value
	below   map[string][]string        // and of those that mean what is below a domain, too
	nets    map[netip.Prefix][]string
}

// load imports all files and reads them.
func (w *world) load(t *testing.T) {
	take := func(feed, from string, fails string, options ...string) {
		t.Helper()
		args := append([]string{"intel", "import", "-q", "--data-dir", w.dir, "--feed", feed, from}, options...)
		w.refused = map[string]bool{}
		r := do(t, "", args...)
		if fails != "" {
			if r.code != exitFailed || !strings.Contains(r.err, fails) {
				t.Errorf("%s: exit %d, want one about %q: %s", from, r.code, fails, r.err)
			}
			return
		}
		if r.code != exitDone {
			t.Fatalf("%s: exit %d: %s", from, r.code, r.err)
		}
		for line := range strings.Lines(do(t, "", "intel", "refused", "--json", "--data-dir", w.dir, feed).out) {
			var refusal struct{ Value string }
			if err := json.Unmarshal([]byte(line), &refusal); err != nil {
				t.Fatal(err)
			}
			w.refused[plainText(refusal.Value)] = true
		}
	}
	all := func(pattern string) []string {
		t.Helper()
		names, err := filepath.Glob(filepath.Join(thirdParty, pattern))
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: no files: %v", pattern, err)
		}
		return names
	}

	for _, path := range all("maltrail/*") {
		switch base := filepath.Base(path); base {
		case "ip2cc.csv.gz":
			take("ip2cc", path, "none of 149962 could be used") // differences of numbers
		case "maltrail-domain_port.tsv.gz":
			take("domain-port", path, "none of 1 could be used") // a network without its last part, and a port
		case "maltrail-urlpath.tsv.gz":
			take("paths", path, "", "--type", "url_path")
			w.words(t, path, func(v string) { w.add("url_path", v) })
		default:
			take(nameOf(path), path, "")
			w.words(t, path, func(v string) { w.add(plainType(v), v) })
		}
	}
	take("ipsum", all("ipsum/ipsum.txt.gz")[0], "")
	w.words(t, all("ipsum/ipsum.txt.gz")[0], func(v string) { w.add("ip", v) })
	for _, path := range append(all("blackbook/*"), all("azure-sentinel-feeds/*.csv")...) {
		fails := ""
		if strings.Contains(path, "OAuth") {
			fails = "could be used" // ids of applications
		}
		take(nameOf(path), path, fails)
		r := csv.NewReader(strings.NewReader(textOf(t, path)))
		r.FieldsPerRecord = -1
		for n := 0; ; n++ {
			row, err := r.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			if v := plainColumn(row); n > 0 || plainType(row[0]) != "" {
				w.add(plainType(v), v)
			}
		}
	}
	for n, path := range all("azure-sentinel-feeds/*.json") {
		take([]string{"azure-1", "azure-2"}[n], path, "")
		for _, m := range regexp.MustCompile(`"Indicator":"([^"]+)"`).FindAllStringSubmatch(textOf(t, path), -1) {
			w.add(plainType(m[1]), m[1])
		}
	}

	take("eset-hashes", filepath.Join(thirdParty, "eset/*/*.[ms][dh][5a]*"), "")
	for _, path := range all("eset/*/*.[ms][dh][5a]*") {
		w.words(t, path, func(v string) { w.add(plainType(v), v) })
	}
	take("eset-windigo", filepath.Join(thirdParty, "eset/*/*.ioc"), "")
	for _, path := range all("eset/*/*.ioc") { // OpenIOC
		for _, m := range regexp.MustCompile(`<Content type="[^"]*">([^<]+)</Content>`).FindAllStringSubmatch(textOf(t, path), -1) {
			w.add(plainType(m[1]), m[1])
		}
	}
	take("warninglists", filepath.Join(thirdParty, "misp-warninglists"), "")
	for _, path := range all("misp-warninglists/*") {
		w.list(t, path)
	}
}

// add counts a value of the feed that was imported last.
func (w *world) add(typ, text string) {
	if typ == "" {
		return
	}
	typ, v := plainValue(typ, text)
	to := w.values
	if w.refused[plainText(text)] {
		to = w.missed
	}
	if to[typ] == nil {
		to[typ] = map[string]bool{}
	}
	to[typ][v] = true
}

// words gives the first word of each line that is no comment.
func (w *world) words(t *testing.T, path string, yield func(string)) {
	for line := range strings.Lines(textOf(t, path)) {
		if line = strings.TrimSpace(strings.TrimPrefix(line, "\ufeff")); line != "" && line[0] != '#' {
			if v, _, isTable := strings.Cut(line, "\t"); isTable {
				v, _, _ = strings.Cut(v, " ")
				yield(v)
			} else {
				yield(plainEnd.Split(line, 2)[0])
			}
		}
	}
}

func (w *world) list(t *testing.T, path string) {
	var doc struct {
		Name, Type string
		List       []string
		Attributes []string `json:"matching_attributes"`
	}
	if err := json.Unmarshal([]byte(textOf(t, path)), &doc); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if doc.Type == "regex" || doc.Type == "substring" {
		return
	}
	attributes := strings.Join(doc.Attributes, " ")
	for _, v := range doc.List {
		typ := plainType(v)
		isNet := typ == "ip" || typ == "cidr"
		switch {
		case isNet && (strings.Contains(attributes, "ip-src") || strings.Contains(attributes, "|ip")):
			if p, ok := plainPrefix(v); ok {
				w.nets[p] = append(w.nets[p], doc.Name)
			}
		case (typ == "domain" || typ == "url") && strings.Contains(attributes, "domain"), typ == "hash" && strings.Contains(attributes, "md5"):
			_, plain := plainValue(typ, v)
			w.on[typ+" "+plain] = append(w.on[typ+" "+plain], doc.Name)
			suffix, _ := publicsuffix.PublicSuffix("x." + plain)
			rents := suffix == plain || suffix == "x."+plain
			if typ == "domain" && (doc.Type == "hostname" || strings.HasPrefix(v, ".")) && !rents { // who rents names lists none of its tenants
				w.below[plain] = append(w.below[plain], doc.Name)
			}
		}
	}
}

// covers lists the warninglists that are about a value: that have it, a domain above
// it or a network around it, as far as the list's type says so.
func (w *world) covers(typ, v string) []string {
	names := w.on[typ+" "+v]
	switch typ {
	case "domain":
		for strings.Contains(v, ".") {
			_, v, _ = strings.Cut(v, ".")
			names = append(names[:len(names):len(names)], w.below[v]...)
		}
	case "socket":
		if a, err := netip.ParseAddrPort(v); err == nil {
			names = w.around(names, netip.PrefixFrom(a.Addr(), a.Addr().BitLen()))
		}
	case "ip", "cidr":
		if p, ok := plainPrefix(v); ok {
			names = w.around(names, p)
		}
	}
	return names
}

func (w *world) around(names []string, p netip.Prefix) []string {
	for bits := p.Bits(); bits >= 0; bits-- {
		names = append(names, w.nets[netip.PrefixFrom(p.Addr(), bits).Masked()]...)
	}
	return names
}

// counts compares the number of values of each type.
func (w *world) counts(t *testing.T) {
	r := do(t, "", "intel", "stats", "-q", "--json", "--data-dir", w.dir)
	var st struct{ Values, Lists map[string]int }
	if err := json.Unmarshal([]byte(r.out), &st); err != nil || r.code != exitDone {
		t.Fatalf("exit %d: %v: %s", r.code, err, r.err)
	}
	for _, typ := range slices.Sorted(maps.Keys(w.values)) {
		maps.DeleteFunc(w.missed[typ], func(v string, _ bool) bool { return w.values[typ][v] })
		t.Logf("%-10s %8d values and %6d that were refused", typ, len(w.values[typ]), len(w.missed[typ]))
		if st.Values[typ] != len(w.values[typ]) {
			t.Errorf("%s: the library has %d values, the files %d and %d that were refused", typ, st.Values[typ], len(w.values[typ]), len(w.missed[typ]))
		}
	}
	for typ, n := range st.Values {
		if w.values[typ] == nil {
			t.Errorf("%s: the library has %d values, the files none", typ, n)
		}
	}
}

// collisions compares what is demoted.
func (w *world) collisions(t *testing.T) {
	r := do(t, "", "intel", "collide", "-q", "--json", "--data-dir", w.dir)
	if r.code != exitDone {
		t.Fatalf("exit %d: %s", r.code, r.err)
	}
	demoted := map[string]bool{}
	by := regexp.MustCompile(`^on the benign list "(.+)"$`)
	bad := 0
	fail := func(format string, args ...any) {
		if bad++; bad <= 20 {
			t.Errorf(format, args...)
		}
	}
	for line := range strings.Lines(r.out) {
		var c struct{ Type, Value, Reason string }
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		demoted[c.Type+" "+c.Value] = true
		m := by.FindStringSubmatch(c.Reason)
		if m == nil || !slices.Contains(w.covers(c.Type, c.Value), m[1]) {
			fail("%s %s is demoted: %s, and the files do not say so", c.Type, c.Value, c.Reason)
		}
	}
	found := map[string]int{}
	for typ, values := range w.values {
		for v := range values {
			on := w.covers(typ, v)
			for _, name := range on {
				found[name]++
			}
			if len(on) > 0 && !demoted[typ+" "+v] {
				fail("%s %s is on %q and counts", typ, v, on)
			}
		}
	}
	for _, name := range []string{"Top 10K most-used sites from Tranco", "Top 100,000 domains from Cloudflare Radar", "Top 10 000 websites from Cisco Umbrella",
		"Top 10000 websites from Majestic Million", "List of known IPv4 public DNS resolvers", "List of known IPv6 public DNS resolvers", "List of known public DNS resolvers expressed as hostname"} {
		if found[name] == 0 {
			t.Errorf("nothing collides with %q", name)
		}
	}
	t.Logf("%d values demoted, by %d lists that have some of them", len(demoted), len(found))
}

// events imports the rest, each file as a feed: MISP events and STIX objects. How many
// values they have is counted where they are parsed; here each is taken, or refused
// for a reason that the file is known for.
func events(t *testing.T) {
	dir := t.TempDir()
	taken := 0
	for _, pattern := range []string{"eset/*/*.json", "eset/*/*.txt", "stix-samples/*.json"} {
		names, err := filepath.Glob(filepath.Join(thirdParty, pattern))
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: no files: %v", pattern, err)
		}
		for _, path := range names {
			feed := filepath.Base(filepath.Dir(path)) + "-" + nameOf(path)
			r := do(t, "", "intel", "import", "-q", "--data-dir", dir, "--feed", feed, "--no-to-ids", path)
			damaged := strings.Contains(path, "invalid_braces") || strings.Contains(path, "invalid_comma") || strings.Contains(path, "dnsduvel")
			switch {
			case damaged && r.code == exitFailed && strings.Contains(r.err, filepath.Base(path)):
			case !damaged && !strings.HasSuffix(path, ".txt") && r.code == exitDone:
				taken++
			case strings.HasSuffix(path, ".txt") && r.code == exitFailed && strings.Contains(r.err, "could be used"): // words and rules
			case strings.Contains(path, "invalid_") && r.code == exitFailed && strings.Contains(r.err, "could be used"):
			default:
				t.Errorf("%s: exit %d: %s%s", path, r.code, r.out, r.err)
			}
		}
	}
	if r := do(t, "", "intel", "list", "--data-dir", dir); r.code != exitDone || strings.Count(r.out, "\n") != taken+1 {
		t.Errorf("list: exit %d, %d lines of %d feeds", r.code, strings.Count(r.out, "\n"), taken)
	}
}

// textOf gives a file's text, unpacked.
func textOf(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	defer f.Close()
	var in io.Reader = bufio.NewReader(f)
	if strings.HasSuffix(path, ".gz") {
		if in, err = gzip.NewReader(in); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(in); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var (
	plainEnd    = regexp.MustCompile(`[\t ]|,[a-z]`)
	plainHash   = regexp.MustCompile(`^([0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64})$`)
	plainDomain = regexp.MustCompile(`^\.?([\pL\pN\x{ac}_-]+\.)+[\pL\pN_-]*[\pL_-][\pL\pN_-]*\.?$`)
)

// plainType tells what a value is by its looks.
func plainType(v string) string {
	if plainHash.MatchString(v) {
		return "hash"
	}
	if p, ok := plainPrefix(v); ok {
		if p.IsSingleIP() {
			return "ip"
		}
		return "cidr"
	}
	if _, err := netip.ParseAddrPort(v); err == nil {
		return "socket"
	}
	switch {
	case strings.HasPrefix(v, "/"), strings.Contains(v, " "):
		return ""
	case strings.Contains(v, "/"):
		return "url"
	case strings.Contains(v, "@"):
		return "email"
	case plainDomain.MatchString(v):
		return "domain"
	}
	return ""
}

func plainPrefix(v string) (netip.Prefix, bool) {
	if a, err := netip.ParseAddr(v); err == nil {
		return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), true
	}
	p, err := netip.ParsePrefix(v)
	return p.Masked(), err == nil
}

// plainValue writes a value in one way.
func plainValue(typ, v string) (string, string) {
	switch typ {
	case "ip", "cidr":
		p, _ := plainPrefix(v)
		if p.IsSingleIP() {
			return "ip", p.Addr().String()
		}
		return "cidr", p.String()
	case "socket":
		a, _ := netip.ParseAddrPort(v)
		return typ, netip.AddrPortFrom(a.Addr().Unmap(), a.Port()).String()
	case "url":
		return typ, plainURL(v)
	case "url_path":
		return typ, strings.TrimPrefix(plainURL("//host"+v), "//host")
	}
	return typ, strings.Trim(strings.ToLower(v), ".")
}

func plainURL(v string) string {
	if !strings.Contains(v, "://") && !strings.HasPrefix(v, "//") {
		v = "//" + v
	}
	u, err := url.Parse(v)
	if err != nil {
		return v
	}
	for port, scheme := range map[string]string{"80": "http", "443": "https"} {
		if u.Port() == port && (u.Scheme == scheme || u.Scheme == "") {
			u.Scheme, u.Host = scheme, u.Hostname()
		}
	}
	u.Host = strings.ToLower(u.Host)
	if u.Path == "" {
		u.Path = "/"
	}
	u.Fragment = ""
	return u.String()
}

// plainColumn gives the first field of a row that is a value.
func plainColumn(row []string) string {
	for _, v := range row {
		if v = strings.TrimSpace(strings.TrimPrefix(v, "\ufeff")); plainType(v) != "" {
			return v
		}
	}
	return ""
}

// plainText is a text under which a refused value is found again.
func plainText(v string) string {
	return strings.Trim(strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(v), "http:"), "//"), "/"), ".")
}
