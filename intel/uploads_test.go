package intel

import (
	"encoding/json"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/upload"
	"github.com/interdict/interdict/schema"
)

// TestUploadsOfAnother: what one manager accepted and had not folded when it ended is
// folded and published by the next one of that data folder, though no upload is
// configured there, and not by one that stands by.
func TestUploadsOfAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, dir := &memLog{fences: true}, t.TempDir()
		first := startNode(t, log, dir, nil)
		time.Sleep(2 * time.Second)
		second := startNode(t, log, dir, nil)
		left, err := upload.OpenJournal(filepath.Join(dir, "uploads"), 1<<20, nil, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		f := fact.DefaultFeed()
		f.Name, f.Transport, f.Format = "upload-acme-tip", fact.TransportUpload, fact.FormatSTIX
		object := json.RawMessage(`{"type":"indicator","spec_version":"2.1","id":"indicator--00000000-0000-4000-8000-000000000001","created":"1999-01-01T00:00:00Z",` +
			`"modified":"1999-01-01T00:00:00Z","valid_from":"1999-01-01T00:00:00Z","pattern_type":"stix","pattern":"[domain-name:value = 'bad.example']"}`)
		n, err := left.Queue(f.Name).Append(&upload.Record{Time: schema.FromTime(time.Now()), Feed: f, Objects: []json.RawMessage{object}})
		if n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if err := left.Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		second.want("the second, while it stands by", StateStandby, 0)
		first.stop()
		time.Sleep(10 * time.Second)
		second.want("the second, alone", StateManaging, 1)
		if st := second.manager.Status(); len(st.Uploads) != 0 {
			t.Errorf("waiting: %+v", st.Uploads)
		}
		second.stop()
	})
}
