package intel

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/library"
)

// TestElsewhere: what a command does with the library while a manager runs is in the
// manager's status and metrics, and no alarm is raised over a feed that was filled.
func TestElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewPedanticRegistry()
		n := startNode(t, &memLog{fences: true}, t.TempDir(), func(c *Config, p *Parts) {
			f := fact.DefaultFeed()
			f.Name, f.Transport, f.Silence = "up", fact.TransportUpload, 20*time.Second
			c.Feeds, p.Registry = []fact.Feed{f}, reg
		})
		metric := func(name, feed string) float64 {
			t.Helper()
			families, err := reg.Gather()
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range families {
				for _, m := range f.GetMetric() {
					if f.GetName() == "interdict_intel_feed_"+name && m.GetLabel()[0].GetValue() == feed {
						return m.GetGauge().GetValue()
					}
				}
			}
			t.Errorf("no metric %s of %s", name, feed)
			return -1
		}
		command := *n // another process
		command.lib = library.Open(n.dir+"/indicators", library.DefaultConfig())
		time.Sleep(15 * time.Second)
		command.take("up", "192.0.2.1\n192.0.2.2\n")
		command.take("hand", "192.0.2.3\n")
		filled := time.Now()
		time.Sleep(10 * time.Second)
		if n.log.count("feed is silent") != 0 || metric("silent", "up") != 0 {
			t.Error("an alarm over a feed that was filled")
		}
		if v := metric("indicators", "up"); v != 2 {
			t.Errorf("%v indicators", v)
		}
		if v := metric("last_success_seconds", "up"); v < float64(filled.Unix())-1 {
			t.Errorf("last success at %v", v)
		}
		if metric("indicators", "hand") != 1 || metric("configured", "hand") != 1 {
			t.Error("a feed that only the library knows")
		}
		if n.log.count("another process has taken a feed") != 2 {
			t.Error("the log does not tell")
		}
		time.Sleep(15 * time.Second)
		if metric("silent", "up") != 1 {
			t.Error("no alarm behind the silence")
		}
		if err := command.lib.Remove(t.Context(), "hand"); err != nil {
			t.Fatal(err)
		}
		for _, f := range n.manager.Status().Feeds.Feeds {
			if strings.HasPrefix(f.Name, "hand") {
				t.Errorf("a feed that was removed: %+v", f)
			}
		}
		n.stop()
	})
}
