package fetch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/intel/fact"
)

// TestTAXIIServer pulls from a TAXII server that is not ours: `make taxii-check`
// starts it. What the server was given is compared with what was had.
func TestTAXIIServer(t *testing.T) {
	place := os.Getenv("INTERDICT_TEST_TAXII")
	if place == "" {
		t.Skip("SKIPPED: no independent TAXII server: run make taxii-check")
	}
	var given []struct {
		Object struct{ ID string }
	}
	text, err := os.ReadFile(os.Getenv("INTERDICT_TEST_TAXII_GIVEN"))
	if err == nil {
		err = json.Unmarshal(text, &given)
	}
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, g := range given {
		ids = append(ids, g.Object.ID)
	}
	slices.Sort(ids)
	if n := len(slices.Compact(slices.Clone(ids))); n < 20 || n != len(ids) {
		t.Fatalf("the collection has %d objects and %d ids: want 20 at least, and each once", len(ids), n)
	}

	f := taxiiFeed(place, "Indicators")
	f.Auth = fact.Auth{User: os.Getenv("INTERDICT_TEST_TAXII_USER"), PasswordFile: os.Getenv("INTERDICT_TEST_TAXII_PASSWORD")}
	c := client(t, Config{PageSize: 4})

	r, g := mustPull(t, c, f, nil)
	once(t, g, ids)
	if want := (len(ids) + 3) / 4; len(g.parts) != want {
		t.Errorf("%d pages, want %d", len(g.parts), want)
	}
	t.Logf("%d objects in %d pages", len(ids), len(g.parts))
	r, _ = mustPull(t, c, f, r.State)
	if !r.NotModified {
		t.Errorf("nothing was added: %+v", r)
	}

	// Two batches: the server gives all objects of a batch one date.
	added := append(addObjects(t, f, 1, 33, time.Time{}), addObjects(t, f, 2, 5, time.Time{})...)
	before := r.State
	r, g = mustPull(t, c, f, before)
	once(t, g, added)
	t.Logf("%d objects added, had in %d pages", len(added), len(g.parts))
	if r, _ = mustPull(t, c, f, r.State); !r.NotModified || r.Full {
		t.Errorf("nothing was added: %+v", r)
	}

	// At the very date of what was had, and with one that is past.
	began := time.Now().UTC()
	at := addObjects(t, f, 3, 2, began)
	r, _ = mustPull(t, c, f, r.State)
	more := slices.Concat(addObjects(t, f, 4, 3, began), addObjects(t, f, 5, 2, began.Add(-5*time.Minute)))
	r, g = mustPull(t, c, f, r.State)
	have := map[string]int{}
	stixIDs(t, have, g)
	for _, id := range more {
		if have[id] != 1 {
			t.Errorf("%s was added late and had %d times", id, have[id])
		}
	}
	t.Logf("%d objects added late, had with %d others", len(more), len(have)-len(more))
	if r, _ = mustPull(t, c, f, r.State); !r.NotModified || r.Full {
		t.Errorf("nothing was added: %+v", r)
	}
	added = slices.Concat(added, at, more)

	// Cut off in each page in turn, and taken up again.
	for cut := range 10 {
		g := &got{}
		mine := errors.New("the disk is full")
		r, err := c.Pull(t.Context(), f, before, func(p fact.Part, body io.Reader) error {
			if len(g.parts) == cut {
				return mine
			}
			return g.yield(p, body)
		})
		if !errors.Is(err, mine) {
			t.Fatalf("cut at page %d: %v", cut+1, err)
		}
		_, rest := mustPull(t, c, f, r.State)
		have := map[string]int{}
		stixIDs(t, have, g)
		stixIDs(t, have, rest)
		for _, id := range added {
			if have[id] == 0 {
				t.Errorf("cut at page %d: %s is missing", cut+1, id)
			}
		}
	}

	// By the largest pages, from nothing: the server bounds them itself.
	all := slices.Concat(ids, added)
	_, g = mustPull(t, client(t, Config{}), f, nil)
	once(t, g, all)

	for name, want := range map[string]string{"Drop box": "can_read is false", "Twins": "2 collections have the title", "None": "no collection"} {
		other := *f
		other.Collection = name
		failPull(t, c, &other, nil, want)
	}
	other := *f
	other.Auth.PasswordFile = write(t, t.TempDir(), "password", "wrong")
	if _, err := failPull(t, c, &other, nil, "status 401"); !Permanent(err) {
		t.Errorf("%v is not permanent", err)
	}
	other = *f
	other.URL = strings.TrimSuffix(place, "taxii2/") + "none/"
	failPull(t, c, &other, nil, "status 404")
}

// addObjects adds n made-up indicators by the server's own API and gives their ids. The
// server says that they were added at a date; zero: now.
func addObjects(t *testing.T, f *fact.Feed, batch, n int, date time.Time) []string {
	t.Helper()
	var ids []string
	var objects []map[string]string
	for i := range n {
		id := fmt.Sprintf("indicator--b%07d-0000-4000-8000-%012d", batch, i)
		ids = append(ids, id)
		objects = append(objects, map[string]string{"type": "indicator", "spec_version": "2.1", "id": id, "created": "2026-02-02T00:00:00.000Z",
			"modified": "2026-02-02T00:00:00.000Z", "pattern": fmt.Sprintf("[domain-name:value = 'x%d-%d.bad.example']", batch, i),
			"pattern_type": "stix", "valid_from": "2026-02-02T00:00:00Z"})
	}
	envelope := map[string]any{"objects": objects}
	if !date.IsZero() {
		envelope["x_date_added"] = date.Format("2006-01-02T15:04:05.000000+00:00")
	}
	text, err := json.Marshal(envelope)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.TrimSuffix(f.URL, "taxii2/") + "api1/collections/c0000000-0000-4000-8000-000000000001/objects/"
	req, err := http.NewRequest(http.MethodPost, at, strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	password, err := os.ReadFile(f.Auth.PasswordFile)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(f.Auth.User, strings.TrimSpace(string(password)))
	req.Header.Set("Accept", taxiiType+";version=2.1")
	req.Header.Set("Content-Type", taxiiType+";version=2.1")
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var status struct {
		Success int `json:"success_count"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&status); err != nil || resp.StatusCode != http.StatusAccepted || status.Success != n {
		t.Fatalf("the server took %d of %d objects: %s, %v", status.Success, n, resp.Status, err)
	}
	return ids
}
