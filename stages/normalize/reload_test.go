package normalize

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
)

const userFormat = `format: acme_sensor
vendor: Acme
doc: Acme events
detect: [acme_serial]
set: {id: acme_serial, title: TITLE, created: at}
`

// TestReload: what the user's folder says is in force with the next batch; a
// folder with a fault changes nothing; a user's format takes the place of a
// built-in one of its name.
func TestReload(t *testing.T) {
	cfg := Default()
	cfg.FormatsDir = t.TempDir()
	f, err := Load(cfg)
	if err != nil {
		t.Fatal(err)
	}
	n, err := New(cfg, f)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(cfg.FormatsDir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	reload := func(changed bool, fault string) {
		t.Helper()
		got, err := f.Reload()
		if got != changed || (err == nil) != (fault == "") || err != nil && !strings.Contains(err.Error(), fault) {
			t.Fatalf("Reload gave %v, %v; want %v, %q", got, err, changed, fault)
		}
	}
	title := func(want string) {
		t.Helper()
		b := run(t, n, testSource(), CaseTime, []byte(`{"acme_serial":"s1","a":"A","b":"B","at":1772484000}`))
		got := ""
		if len(b.Alerts) == 1 {
			got = b.Alerts[0].Title
		}
		if got != want {
			t.Errorf("title %q, want %q", got, want)
		}
	}
	title("")
	reload(false, "")
	write("acme/format.yaml", strings.Replace(userFormat, "TITLE", "a", 1))
	title("") // not before a reload
	reload(true, "")
	title("A")
	reload(false, "")
	write("acme/format.yaml", strings.Replace(userFormat, "TITLE", "{shout: b}", 1))
	reload(false, "format.yaml:5: unknown key")
	title("A")
	write("acme/format.yaml", strings.Replace(userFormat, "TITLE", "b", 1))
	reload(true, "")
	title("B")
	write("second.yaml", userFormat)
	reload(false, "is also in")
	title("B")
	if err := os.Remove(filepath.Join(cfg.FormatsDir, "second.yaml")); err != nil {
		t.Fatal(err)
	}
	write("eve.yaml", strings.ReplaceAll(strings.Replace(userFormat, "TITLE", "b", 1), "acme_sensor", "suricata_eve"))
	if err := os.RemoveAll(filepath.Join(cfg.FormatsDir, "acme")); err != nil {
		t.Fatal(err)
	}
	reload(true, "")
	title("B")
	if b := run(t, n, testSource(), CaseTime, []byte(eveA)); len(b.Rejects) != 1 || b.Rejects[0].Reason != schema.ReasonUnknownFormat {
		t.Errorf("the built-in format is still there: %s", Dump(b))
	}
	if _, err := Load(Config{FormatsDir: filepath.Join(cfg.FormatsDir, "none")}); err == nil {
		t.Error("a folder that is not there was taken")
	}
}
