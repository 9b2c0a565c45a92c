package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/cmd/interdict/internal/settings"
	"github.com/interdict/interdict/intel"
	"github.com/interdict/interdict/intel/distribute"
)

// TestIntelApp runs what a process without a store has of threat intelligence: it is
// ready when it has its indicators, its status and metrics tell of them, and it ends in
// time and leaves nothing behind (TestMain looks).
func TestIntelApp(t *testing.T) {
	feed := httptest.NewServer(http.NotFoundHandler())
	defer feed.Close()
	path := filepath.Join(t.TempDir(), "config.yaml")
	text := "embedded: true\nhops: [intel, detect]\nsources:\n- {id: ids, tenant: acme, topic: acme.ids, create: 1}\nadmin: {listen: ''}\n" +
		"intel:\n  feeds:\n  - {name: gone, url: '" + feed.URL + "/x', allow_private: true}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := settings.Load(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg.DataDir = t.TempDir()
	a, err := newApp(t.Context(), cfg, slog.New(slog.DiscardHandler), withIndicators("203.0.113.7\n203.0.113.8\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.ready(t.Context()); err == nil || !strings.Contains(err.Error(), "indicators: starting") {
		t.Errorf("before it runs: ready %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.run(ctx) }()
	var st processStatus
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		st = a.status(t.Context())
		m := st.Intel.Manager
		if st.Intel.Follower.State == distribute.StateFollowing && st.Intel.Follower.Indicators == 2 && a.ready(t.Context()) == nil &&
			m.Feeds != nil && len(m.Feeds.Feeds) == 2 && m.Feeds.Feeds[1].Failures == 1 &&
			m.Publisher.Indicators == 2 { // a follower may read what was published before the publisher heard that it is in the log
			break
		}
		if time.Now().After(deadline) {
			text, _ := json.Marshal(st)
			t.Fatalf("it is not ready: %v %s", a.ready(t.Context()), text)
		}
	}
	if st.Intel.Manager.State != intel.StateManaging || st.Intel.Manager.Publisher.Content != st.Intel.Follower.Content || st.Index.Indicators != 2 {
		t.Errorf("status %+v %+v", st.Intel.Manager, st.Intel.Follower)
	}
	var out bytes.Buffer
	if err := (deploymentStatus{Processes: map[string]processStatus{"p": st}}).write(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"indicators following    2 in force", "intel      managing     2 indicators published", "feeds      2, 0 silent, 1 failing", "feed gone failed 1 times: "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	metrics, err := a.registry.Gather() // fails where something is there twice
	if err != nil {
		t.Error(err)
	}
	names := map[string]bool{}
	for _, f := range metrics {
		names[f.GetName()] = true
	}
	for _, want := range []string{"interdict_indicators_in_step", "interdict_indicators_held", "interdict_intel_feed_silent"} {
		if !names[want] {
			t.Errorf("there is no metric %s", want)
		}
	}
	began := time.Now()
	stop()
	if err := <-ended; err != nil {
		t.Errorf("run: %v", err)
	}
	if err := a.close(context.WithoutCancel(ctx)); err != nil {
		t.Errorf("close: %v", err)
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("it ended after %s", took)
	}
}
