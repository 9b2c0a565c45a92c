package parse

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

const thirdParty = "../../../shared/data/ti"

// tally counts unique values by type, and refusals by reason.
type tally struct {
	counter
	values  map[schema.ObservableType]map[string]bool
	reasons map[string]int
	refused map[string]bool // values, shortened
}

func (c *tally) Said(_ int, s fact.Said) error {
	if s.Revoked || s.Value == "" {
		return nil
	}
	if c.values[s.Type] == nil {
		c.values[s.Type] = map[string]bool{}
	}
	c.values[s.Type][s.Value] = true
	c.said++
	return nil
}

func (c *tally) Refuse(r fact.Refusal) error {
	c.reasons[digits.ReplaceAllString(r.Reason, "N")]++
	c.refused[plainRefusal(r.Value)] = true
	c.counter.refused++
	return nil
}

var digits = regexp.MustCompile(`\d{4,}`)

// TestThirdParty reads every feed of the shared data and compares the number of
// unique values of each type with a count made without this package: by what a file
// is known to hold, with the standard library and rules on text. What the count has
// and was not taken must have been refused, with a reason.
func TestThirdParty(t *testing.T) {
	if _, err := os.Stat(thirdParty); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("third-party feeds are missing: %v", err)
		}
		t.Skip("SKIPPED: third-party feeds are not present in ../shared/data/ti")
	}
	var names []string
	documents := 0
	err := filepath.WalkDir(thirdParty, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || d.IsDir():
			return err
		case filepath.Ext(p) == ".adoc" || filepath.Ext(p) == ".md":
			documents++ // texts for people
		default:
			names = append(names, p)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files; %d documents (.adoc, .md) are no feeds and left out", len(names), documents)
	groups := map[string]*group{}
	var rels []string
	for _, name := range names {
		rel, err := filepath.Rel(thirdParty, name)
		if err != nil {
			t.Fatal(err)
		}
		rels = append(rels, rel)
	}
	compared := make([]*group, len(rels))
	t.Run("files", func(t *testing.T) {
		for n, rel := range rels {
			t.Run(rel, func(t *testing.T) {
				t.Parallel()
				compared[n] = compare(t, rel)
			})
		}
	})
	for n, rel := range rels {
		g := compared[n]
		if g == nil { // it has failed
			continue
		}
		of := filepath.Dir(rel)
		if strings.HasPrefix(rel, "eset") {
			of = "eset/*" + filepath.Ext(rel)
		} else if strings.HasPrefix(rel, "maltrail") {
			of = rel
		}
		if groups[of] == nil {
			groups[of] = &group{reasons: map[string]int{}}
		}
		groups[of].add(g)
	}
	keys := make([]string, 0, len(groups))
	for k := range groups {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	files := 0
	for _, k := range keys {
		g := groups[k]
		files += g.files
		t.Logf("%-45s %4d files %8d values counted %8d taken %7d of them refused", k, g.files, g.counted, g.taken, g.missing)
		for reason, n := range g.reasons {
			t.Logf("%45s %7d x %s", "", n, reason)
		}
	}
	if files < 550 {
		t.Errorf("only %d files were compared", files)
	}
}

type group struct {
	files, counted, taken, missing int
	reasons                        map[string]int
}

func (g *group) add(o *group) {
	g.files, g.counted, g.taken, g.missing = g.files+o.files, g.counted+o.counted, g.taken+o.taken, g.missing+o.missing
	for k, n := range o.reasons {
		g.reasons[k] += n
	}
}

// compare reads one file both ways.
func compare(t *testing.T, rel string) *group {
	t.Helper()
	f := fact.DefaultFeed()
	f.Name, f.Tenant, f.IDsOnly = "f", "acme", false
	for n := range schema.ObservableTypes {
		if n > 0 {
			f.Types = append(f.Types, schema.ObservableType(n).String())
		}
	}
	text := content(t, rel)
	want, fails := expected(t, rel, text)
	var in io.Reader = strings.NewReader(text)
	if sampled(rel) == 1 { // as it is, packed where it is
		file, err := os.Open(filepath.Join(thirdParty, rel))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		in = file
	}
	got := tally{values: map[schema.ObservableType]map[string]bool{}, reasons: map[string]int{}, refused: map[string]bool{}}
	err := Read(context.Background(), in, &f, fact.Part{Name: filepath.Base(rel)}, now, &got)
	if (err != nil) != fails {
		t.Errorf("%s: error %v, want one: %v", rel, err, fails)
	}
	g := &group{files: 1, reasons: got.reasons}
	for typ, values := range got.values {
		g.taken += len(values)
		for v := range values {
			if !want[typ.String()+" "+v] {
				t.Errorf("%s: %s %q was taken and not counted", rel, typ, v)
				break
			}
		}
	}
	g.counted = len(want)
	shown := 0
	for k := range want {
		name, v, _ := strings.Cut(k, " ")
		var typ schema.ObservableType
		if err := typ.UnmarshalText([]byte(name)); err != nil {
			t.Fatal(err)
		}
		if got.values[typ][v] {
			continue
		}
		g.missing++
		if !got.refused[plainRefusal(v)] && !got.refused[plainRefusal(cut(v, maxShown))] {
			if shown++; shown <= 5 {
				t.Errorf("%s: %s %q was counted, and neither taken nor refused", rel, typ, v)
			}
		}
	}
	return g
}

// plainRefusal brings a refused value into the form under which it is looked for.
func plainRefusal(v string) string {
	v = strings.ToLower(strings.TrimRight(strings.TrimPrefix(strings.TrimPrefix(v, "*"), "."), ".,;"))
	v = strings.TrimPrefix(strings.TrimPrefix(v, "http:"), "//")
	return strings.TrimSuffix(strings.TrimSuffix(v, "/"), "/32")
}

// expected counts what a file holds by what is known of it; fails: that it is
// damaged on purpose or no feed.
func expected(t *testing.T, rel, text string) (want map[string]bool, fails bool) {
	t.Helper()
	want = map[string]bool{}
	base := strings.TrimSuffix(filepath.Base(rel), ".gz")
	add := func(typ, v string) {
		if typ != "" {
			want[typ+" "+v] = true
		}
	}
	switch dir, _, _ := strings.Cut(filepath.ToSlash(rel), "/"); {
	case strings.Contains(base, "invalid_braces"), strings.Contains(base, "invalid_comma"), base == "rqz-dnsduvel_blocklist.json":
		return want, true
	case dir == "stix-samples": // few enough to say by hand
		switch base {
		case "demisto-little-stix2.json":
			add("url", "http://demisto.com/")
			add("email", "user@example.com")
		case "demisto-stix2.json":
			for _, v := range []string{"url http://demisto.com/", "hash 4e0daff2b6a2db421e79fb64228943be", "email user@example.com", "domain demisto.com",
				"ssdeep 384:mzawcK1gOUqJMpMhE5yOaF0O9TwFExCZkUf6H+PknKV+rXkrsH/CxEdubVAjMPW4:AiMVWcK9AhrDNEf",
				`registry hkey_local_machine\software\rkey`, "ip 9.9.9.9", "ip 8.3.3.3",
				"hash 115f9ecff8fcd3f266184c32eae03296e0131567ada6094dd022aa771c66cc8e",
				"hash d76dcf2ae966dae2839c3145c55342d9cb528bd803deb71cdc39cbab3f556f0b", "hash d7a10a4b3fd245dc44c1bb143d1a7f12816cdef7"} {
				typ, v, _ := strings.Cut(v, " ")
				add(typ, v)
			}
		case "demisto-stix2_example.json":
			add("url", "http://www.example.com/2000/09/xmldsig")
			add("ip", "192.168.1.104")
			add("ip", "10.54.12.6")
		}
	case dir == "misp-warninglists":
		var w struct {
			Type       string
			List       []string
			Attributes []string `json:"matching_attributes"`
		}
		if err := json.Unmarshal([]byte(text), &w); err != nil {
			t.Fatalf("%s: %v", rel, err)
		}
		if w.Type == "regex" || w.Type == "substring" {
			return want, false
		}
		attributes := strings.Join(w.Attributes, " ")
		for _, v := range w.List {
			typ := plainKind(v)
			switch {
			case (strings.Contains(attributes, "ip-src") || strings.Contains(attributes, "|ip")) && (typ == "ip" || typ == "cidr"),
				strings.Contains(attributes, "domain") && (typ == "domain" || typ == "url"):
				add(typ, plainForm(typ, v))
			case strings.Contains(attributes, "md5") && typ == "hash":
				add(typ, plainForm(typ, v))
				if strings.Contains(attributes, "x509") {
					add("certificate", plainForm(typ, v))
				}
			}
		}
	case strings.HasSuffix(base, ".ioc"): // OpenIOC, all of it joined by OR
		for _, m := range regexp.MustCompile(`search="(Network/URI|Network/DNS|FileItem/\w+sum)"[^>]*>\s*<Content[^>]*>([^<]+)<`).FindAllStringSubmatch(text, -1) {
			v := strings.TrimSpace(m[2])
			if typ := plainKind(v); typ != "" {
				add(typ, plainForm(typ, v))
			}
		}
	case strings.HasSuffix(base, ".json") && dir == "eset":
		var doc any
		if err := json.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatalf("%s: %v", rel, err)
		}
		attributes(doc, add)
	case strings.HasSuffix(base, ".json"): // Microsoft's
		for _, m := range regexp.MustCompile(`"Indicator":"([^"]+)","IndicatorType":"([a-z0-9]+)"`).FindAllStringSubmatch(text, -1) {
			typ := plainKind(m[1])
			add(typ, plainForm(typ, m[1]))
		}
	case strings.HasPrefix(base, "maltrail-"):
		typ := map[string]string{"cidr": "cidr", "domain": "domain", "domain_port": "", "ip_port": "socket", "ipv4": "ip", "ipv6": "ip", "url": "url", "urlpath": "url_path",
			"other": "other"}[strings.TrimSuffix(strings.TrimPrefix(base, "maltrail-"), ".tsv")]
		for line := range strings.Lines(text) {
			v, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
			switch {
			case typ == "other" && strings.HasPrefix(v, "["):
				add("socket", plainForm("socket", v))
			case typ == "other" && (plainKind(v) == "ip" || plainKind(v) == "domain"):
				add(plainKind(v), plainForm(plainKind(v), v))
			case typ == "cidr" && strings.HasSuffix(v, "/32"):
				add("ip", strings.TrimSuffix(v, "/32"))
			case typ != "other" && typ != "":
				add(typ, plainForm(typ, v))
			}
		}
	case base == "blackbook.csv", strings.HasPrefix(base, "MSTIC"), strings.HasPrefix(base, "Microsoft"):
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", rel, err)
		}
		for _, row := range rows {
			v := strings.TrimSpace(row[0])
			if strings.HasPrefix(base, "MSTIC") {
				v = row[2]
			} else if strings.Contains(base, "Covid19") {
				v = row[1]
			}
			if typ := plainKind(v); typ != "" {
				add(typ, plainForm(typ, v))
			}
		}
	case base == "ip2cc.csv": // differences of numbers
	default: // one value a line
		for line := range strings.Lines(text) {
			line, _, _ = strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "\ufeff")), " #")
			if line == "" || line[0] == '#' {
				continue
			}
			v := strings.TrimSpace(plainEnd.Split(line, 2)[0])
			if typ := plainKind(v); typ != "" && !(typ == "url_path" && strings.ContainsAny(line, " ")) {
				add(typ, plainForm(typ, v))
			}
		}
	}
	return want, false
}

// sampled gives of how many lines of a file one is read. Those of hundreds of
// thousands of lines, a value each, are much alike.
func sampled(rel string) int {
	switch {
	case !strings.HasSuffix(rel, ".tsv.gz"):
		return 1
	case testing.Short():
		return 32
	}
	return 4
}

// content gives a file's text.
func content(t *testing.T, rel string) string {
	t.Helper()
	f, err := os.Open(filepath.Join(thirdParty, rel))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var in io.Reader = bufio.NewReader(f)
	if strings.HasSuffix(rel, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	b, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	every := sampled(rel)
	if every == 1 {
		return string(b)
	}
	var some strings.Builder
	n := 0
	for line := range strings.Lines(string(b)) {
		if n++; n%every == 1 {
			some.WriteString(line)
		}
	}
	return some.String()
}

// attributes walks a MISP document for attributes.
func attributes(x any, add func(typ, v string)) {
	switch x := x.(type) {
	case []any:
		for _, e := range x {
			attributes(e, add)
		}
	case map[string]any:
		typ, _ := x["type"].(string)
		v, _ := x["value"].(string)
		if _, ok := x["to_ids"]; ok && v != "" {
			attribute(typ, v, add)
		}
		for _, e := range x {
			attributes(e, add)
		}
	}
}

func attribute(typ, v string, add func(typ, v string)) {
	one := func(kind, v string) { add(kind, plainForm(kind, v)) }
	last := v[strings.LastIndex(v, "|")+1:]
	first, _, _ := strings.Cut(v, "|")
	switch typ {
	case "ip-src", "ip-dst":
		if strings.Contains(v, "/") {
			one("cidr", v)
			return
		}
		one("ip", v)
	case "domain", "hostname":
		one("domain", v)
	case "domain|ip":
		one("domain", first)
		one("ip", last)
	case "ip-dst|port":
		one("socket", strings.Replace(v, "|", ":", 1))
	case "url":
		one("url", v)
	case "uri":
		one("url_path", v)
	case "md5", "sha1", "sha256", "filename|md5", "filename|sha1", "filename|sha256":
		one("hash", last)
	case "email-src", "email-dst":
		one("email", v)
	case "mutex":
		add("mutex", v)
	case "user-agent":
		add("user_agent", v)
	case "regkey":
		if strings.HasPrefix(v, "(") { // two hives at once
			return
		}
		v = strings.TrimRight(strings.ToLower(v), `\`)
		v = strings.Replace(strings.Replace(v, `hklm\`, `hkey_local_machine\`, 1), `hkcu\`, `hkey_current_user\`, 1)
		add("registry", v)
	}
}

var (
	plainEnd    = regexp.MustCompile(`[\t ]|,[a-z]`)
	plainHash   = regexp.MustCompile(`^([0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64})$`)
	plainIPv4   = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$`)
	plainIPv6   = regexp.MustCompile(`^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$`)
	plainNet    = regexp.MustCompile(`^[0-9a-fA-F.]*[:.][0-9a-fA-F:.]*/[0-9]+$`)
	plainSocket = regexp.MustCompile(`^[0-9.]+:[0-9]+$`)
	plainDomain = regexp.MustCompile(`^\.?([\pL\pN\x{ac}_-]+\.)+[\pL\pN_-]*[\pL_-][\pL\pN_-]*\.?$`)
)

// plainKind tells a value's type by its looks.
func plainKind(v string) string {
	switch {
	case plainHash.MatchString(v):
		return "hash"
	case plainIPv4.MatchString(v), plainIPv6.MatchString(v):
		return "ip"
	case plainNet.MatchString(v):
		if strings.HasSuffix(v, "/32") && !strings.Contains(v, ":") || strings.HasSuffix(v, "/128") {
			return "ip"
		}
		return "cidr"
	case plainSocket.MatchString(v):
		return "socket"
	case strings.HasPrefix(v, "/"):
		return "url_path"
	case strings.Contains(v, "/"):
		return "url"
	case strings.Contains(v, "@"):
		return "email"
	case plainDomain.MatchString(v):
		return "domain"
	}
	return ""
}
