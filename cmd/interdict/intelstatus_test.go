package main

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/interdict/interdict/intel"
	"github.com/interdict/interdict/intel/distribute"
	"github.com/interdict/interdict/intel/service"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/persist"
	"github.com/interdict/interdict/store/clickhouse"
)

// TestStatusOfDamagedFeeds: a feed whose files are damaged is named with file and
// reason, also where it fails besides.
func TestStatusOfDamagedFeeds(t *testing.T) {
	var out bytes.Buffer
	writeFeeds(&out, &service.Status{Feeds: []service.FeedStatus{
		{Name: "well"},
		{Name: "broken", Damaged: []string{"/data/00000002.facts: a block has changed"}, Failures: 3, Error: "refused"}}})
	for _, want := range []string{"2, 0 silent, 1 failing, 1 damaged", "feed broken is damaged: /data/00000002.facts: a block has changed", "feed broken failed 3 times: refused"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
	out.Reset()
	writeFeeds(&out, &service.Status{Feeds: []service.FeedStatus{{Name: "well"}}})
	if got := out.String(); strings.Contains(got, "damaged") {
		t.Errorf("%s", got)
	}
}

// TestStatusOfFileFeeds: files that cannot be used are named, and for what a silent feed
// waits.
func TestStatusOfFileFeeds(t *testing.T) {
	var out bytes.Buffer
	writeFeeds(&out, &service.Status{Feeds: []service.FeedStatus{
		{Name: "drop", Broken: []string{"b.json: an HTML page"}},
		{Name: "inbox", Waiting: "no file yet in /drop", Silent: 1},
		{Name: "new", Waiting: "no file yet in /new"}}})
	for _, want := range []string{"3, 1 silent, 0 failing", "feed drop is partly failing: b.json: an HTML page\n", "feed inbox brought nothing new since 1970-01-01T00:00:00.001Z: no file yet in /drop\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "/new") {
		t.Errorf("one that waits needs no look:\n%s", out.String())
	}
}

// TestContentIsOneText: the content that a match was asked of and the one that a process
// has are the same text in JSON.
func TestContentIsOneText(t *testing.T) {
	const content = 0x00681d4a5c3d2e1f
	x := clickhouse.Explanation{Matches: []persist.Match{{Match: schema.Match{Feed: "list", Snapshot: content}}}}
	st := processStatus{Index: indexStatus{ID: content}, Intel: &intelStatus{Follower: &distribute.FollowerStatus{Content: content},
		Manager: &intel.ManagerStatus{Publisher: &distribute.PublisherStatus{Content: content}}}}
	for name, v := range map[string]any{"incident explain": showExplanation(&x), "status": st} {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]int{"incident explain": 1, "status": 3}[name]
		if got := strings.Count(string(text), `"00681d4a5c3d2e1f"`); got != want || strings.Contains(string(text), strconv.FormatUint(content, 10)) {
			t.Errorf("%s has it %d times, want %d, and never as a decimal number: %s", name, got, want, text)
		}
	}
}
