package settings

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestKeyOf(t *testing.T) {
	for text, want := range map[string]string{
		"log.level: no":                                    "log.level",
		"log: level: no":                                   "log.level",
		"sources[1]: format \"x\" is not known":            "sources[1]",
		"intel.feeds[0]: feed log: url: no":                "intel.feeds[0].url",
		"intel.feeds[0]: feed a: auth.token_file: log: no": "intel.feeds[0].auth.token_file",
		"intel.library: rules[2]: when.types: no":          "intel.library.rules[2].when.types",
		"intel.publish: max_changes and keep_for: no":      "intel.publish.max_changes",
		"normalize.max_depth is 0":                         "normalize.max_depth",
		"nobody knows":                                     "",
		"nonsense.level: no":                               "",
		"":                                                 "",
		strings.Repeat("x: ", 1000) + "log.level: no":      "", // too far in
	} {
		if got := keyOf(errors.New(text)); got != want {
			t.Errorf("%.60q: %q, want %q", text, got, want)
		}
	}
}

func TestPlace(t *testing.T) {
	o := newOrigin("f", []byte(`# a comment
intel: &i
  feeds:
    - name: a
      auth: {token_file: t}
    -
      name: b
  library: !!map
    rules: [{name: x, when: {types: [ip]}}]
kafka: {<<: *i, prefix: p}
log: text
`))
	o.over = []override{{"INTERDICT_ADMIN", "admin"}, {"INTERDICT_INTEL__FEEDS", "intel.feeds_other"}}
	for key, want := range map[string]string{
		"":                                       "f",
		"hops":                                   "f",
		"intel":                                  "f:2:1",
		"intel.upload.listen":                    "f:2:1",
		"intel.feeds":                            "f:3:3",
		"intel.feeds[0]":                         "f:4:7",
		"intel.feeds[0].url":                     "f:4:7",
		"intel.feeds[0].auth.token_file":         "f:5:14",
		"intel.feeds[1].name":                    "f:7:7",
		"intel.feeds[7].name":                    "f:3:3",
		"intel.feeds[99999999999999999999].name": "f:3:3",
		"intel.library.rules[0].when.types":      "f:9:30",
		"intel.library.rules[0].when.networks[4]": "f:9:23",
		"kafka.prefix": "f:10:17",
		"log.level":    "f:11:1",
		"admin.listen": "INTERDICT_ADMIN",
	} {
		if got := o.place(key).String(); got != want {
			t.Errorf("%q: %s, want %s", key, got, want)
		}
	}
	if got := newOrigin("f", []byte("a: [")).place("log.level").String(); got != "f" {
		t.Errorf("of what is no YAML: %s", got)
	}
	if got := newOrigin("", nil).place("log.level").String(); got != "configuration" {
		t.Errorf("without a file: %s", got)
	}
}

func TestSimilar(t *testing.T) {
	keys := keysOf(reflect.TypeFor[Config]())
	for name, want := range map[string]string{"hop": ": is hops meant?", "datadir": ": is data_dir meant?", "intl": ": is intel meant?", "everything": "", strings.Repeat("hops", 1e6): ""} {
		if got := similar(name, keys); got != want {
			t.Errorf("%.20q: %q, want %q", name, got, want)
		}
	}
	if got := similar("colour", keysOf(reflect.TypeFor[Log]())); got != ": there are format, level" {
		t.Error(got)
	}
}

// TestCanMake: whether a folder can be made is found out without making it.
func TestCanMake(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{dir: "", filepath.Join(dir, "a", "b"): "", file: "is not a folder", filepath.Join(file, "a", "b"): file + " is not a folder"} {
		err := canMake(path)
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "data_dir")) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 1 {
		t.Errorf("%v, %v", list, err)
	}
	c := Default()
	c.DataDir = filepath.Join(dir, "a", "b")
	c.Hops = []string{"persist"}
	if err := c.MakeDataDir(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(c.DataDir); err == nil {
		t.Error("a process that keeps nothing made a folder")
	}
	c.Hops = []string{"intel"}
	if err := c.MakeDataDir(); err != nil {
		t.Error(err)
	}
	if fi, err := os.Stat(c.DataDir); err != nil || !fi.IsDir() {
		t.Error(err)
	}
}

// TestReads: files of parts that do not run here are not looked at.
func TestReads(t *testing.T) {
	for _, x := range []struct {
		change func(*Config)
		key    string
		want   bool
	}{
		{func(*Config) {}, "kafka.tls.key_file", true},
		{func(c *Config) { c.Embedded = true }, "kafka.tls.key_file", false},
		{func(*Config) {}, "clickhouse.password_file", true},
		{func(c *Config) { c.Hops = []string{"detect"} }, "clickhouse.password_file", false},
		{func(c *Config) { c.Hops = []string{"detect"} }, "intel.feeds[0].auth.token_file", false},
		{func(*Config) {}, "intel.feeds[0].auth.token_file", true},
		{func(*Config) {}, "intel.upload.key_file", false},
		{func(c *Config) { c.Intel.Upload.Listen = ":1" }, "intel.upload.key_file", true},
		{func(c *Config) { c.Intel.Snapshots.URL = "https://x" }, "intel.snapshots.key_file", true},
		{func(*Config) {}, "intel.snapshots.key_file", false},
		{func(*Config) {}, "respond.webhook.secret_file", false},
		{func(c *Config) { c.Respond.Executor = "webhook" }, "respond.webhook.secret_file", true},
		{func(*Config) {}, "disrupt.signing_key_file", true},
	} {
		c := Default()
		x.change(&c)
		if got := c.reads(x.key); got != x.want {
			t.Errorf("%s: %v", x.key, got)
		}
	}
	c := Default()
	c.Kafka.TLS.CAFile, c.Respond.TrustedKeyFiles = "ca", []string{"a", "b"}
	var got []string
	walkFiles("", reflect.ValueOf(&c).Elem(), func(key, path string) { got = append(got, key+" "+path) })
	if want := "kafka.tls.ca_file ca,respond.trusted_key_files[0] a,respond.trusted_key_files[1] b"; strings.Join(got, ",") != want {
		t.Errorf("%q", got)
	}
}
