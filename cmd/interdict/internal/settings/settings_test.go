package settings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func load(t *testing.T, text string, environ ...string) (*Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "interdict.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(path, environ)
}

func TestLoad(t *testing.T) {
	c, err := load(t, `
embedded: true
kafka:
  batch_linger: 50ms
sources:
  - {id: edr, tenant: acme, topic: acme.edr, formats: [ocsf], attests: [host, user]}
`, "INTERDICT_KAFKA__BATCH_RECORDS=123", "INTERDICT_HOPS=[detect, persist]", "INTERDICT_LOG__LEVEL=debug", "OTHER=1", "INTERDICT_TEST_KAFKA=127.0.0.1:1", "INTERDICT_FAILPOINT=after_poll:1")
	if err != nil {
		t.Fatal(err)
	}
	if c.Kafka.BatchRecords != 123 || c.Kafka.BatchLinger.Milliseconds() != 50 || len(c.Hops) != 2 || c.Log.Level != "debug" || c.Kafka.Prefix != "interdict" {
		t.Errorf("%+v", c.Kafka)
	}
	if host, _ := os.Hostname(); c.Kafka.Instance != host {
		t.Errorf("instance is %q, want the host's name", c.Kafka.Instance)
	}
	if p := c.Plan(); len(p.Sources) != 1 || p.Sources[0].Topic != "acme.edr" || p.Sources[0].Attests[1] != "user" {
		t.Errorf("%+v", p.Sources)
	}
}

func TestLoadRefuses(t *testing.T) {
	f := func(text, want string, environ ...string) {
		t.Helper()
		_, err := load(t, text, environ...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
	f("embedded: true\nkafka:\n  brokerz: []\n", ":3:3: unknown field \"brokerz\"")
	f("embedded: true\nembedded: false\n", ":2:1:")
	f("embedded: [\n", ":1:")
	f("embedded: true\nkafka:\n  batch_records: many\n", ":3:")
	f("embedded: true\nhops: [detekt]\n", "hops")
	f("embedded: true\nadmin: {listen: '0.0.0.0:1'}\n", "loopback")
	f("embedded: true\nsources: [{id: a, tenant: t}]\n", "sources[0]")
	f("embedded: true\nsources: [{id: a, tenant: t, topic: x}, {id: b, tenant: t, topic: x}]\n", "another source")
	f("embedded: true\nsources: [{id: a, tenant: t, topic: x, attests: [moon]}]\n", "moon")
	f("embedded: true\nsources: [{id: a, tenant: t, topic: x, formats: [moon]}]\n", "moon")
	f("kafka: {brokers: []}\n", "brokers")
	f("embedded: true\n", "nonsense", "INTERDICT_NONSENSE=1")
	if _, err := Load("/does/not/exist.yaml", nil); err == nil {
		t.Error("a missing file was read")
	}
}

// A file that says nothing leaves the defaults as they are.
func TestEmptyFile(t *testing.T) {
	want, err := load(t, "embedded: true\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "\n", "# nothing yet\n", "---\n"} {
		c, err := load(t, text, "INTERDICT_EMBEDDED=true")
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if c.Kafka.Prefix != want.Kafka.Prefix || c.Normalize.MaxDepth != want.Normalize.MaxDepth {
			t.Errorf("%q: defaults are lost: %+v", text, c)
		}
	}
}

// TestLoadHides: what a variable says may be secret, and is not shown where it is no YAML.
func TestLoadHides(t *testing.T) {
	for _, environ := range []string{"INTERDICT_CLICKHOUSE__DSN=[clickhouse://u:hidden@192.0.2.1:9000", "INTERDICT_CLICKHOUSE__DSN={a: hidden", "INTERDICT_CLICKHOUSE__DSN=[hidden]"} {
		_, err := load(t, "embedded: true\n", environ)
		if err == nil || strings.Contains(err.Error(), "hidden") || !strings.Contains(err.Error(), "INTERDICT_") {
			t.Errorf("%s: error %v", environ, err)
		}
	}
}
