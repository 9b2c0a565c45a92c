package intel

import (
	"io"
	"testing"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/fetch"
)

// TestRereadLooks: a look at files sees what the last pull has left, under the settings
// of that pull.
func TestRereadLooks(t *testing.T) {
	client, err := fetch.New(fetch.Config{Now: func() time.Time { return time.Now().Add(time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	r, f := reread{client}, feedOf(t, "f", "bad.example\n")
	res, err := r.Pull(t.Context(), &f, nil, func(_ fact.Part, body io.Reader) error {
		_, err := io.ReadAll(body)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if s := r.Look(&f, res.State); s.Changed || !s.Settled {
		t.Errorf("nothing was done: %+v", s)
	}
	f.MaxShrink++
	if s := r.Look(&f, res.State); s.Changed {
		t.Errorf("how much it may lose is nothing that text says: %+v", s)
	}
	f.Confidence++
	if s := r.Look(&f, res.State); !s.Changed {
		t.Errorf("other settings: %+v", s)
	}
}
