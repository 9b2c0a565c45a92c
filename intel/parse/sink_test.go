package parse

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// now of the tests: 2026-06-01.
const now = schema.Millis(1_780_272_000_000)

// sink keeps what a part says, in its order.
type sink struct {
	said      []fact.Said
	objects   []fact.Object
	relations []fact.Relation
	sightings []fact.Sighting
	refused   []fact.Refusal
	lines     []int    // of said
	void      []string // ids of versions of which nothing was taken
}

func (s *sink) Said(line int, x fact.Said) error {
	if x.Value == "" && !x.Revoked {
		s.void = append(s.void, x.ID)
		return nil
	}
	s.said, s.lines = append(s.said, x), append(s.lines, line)
	return nil
}
func (s *sink) Object(_ int, x fact.Object) error { s.objects = append(s.objects, x); return nil }
func (s *sink) Relation(_ int, x fact.Relation) error {
	s.relations = append(s.relations, x)
	return nil
}
func (s *sink) Sighting(_ int, x fact.Sighting) error {
	s.sightings = append(s.sightings, x)
	return nil
}
func (s *sink) Refuse(x fact.Refusal) error { s.refused = append(s.refused, x); return nil }

// values gives what was said as "type=value".
func (s *sink) values() (list []string) {
	for _, x := range s.said {
		if x.Revoked {
			list = append(list, "revoked="+x.ID)
			continue
		}
		list = append(list, x.Type.String()+"="+x.Value)
	}
	return list
}

// reasons gives "line: reason" of each refusal.
func (s *sink) reasons() (list []string) {
	for _, x := range s.refused {
		list = append(list, x.Reason)
	}
	return list
}

// counter counts what a part says and keeps none of it.
type counter struct {
	said, objects, relations, sightings, refused int
	reason                                       string
	fail                                         error
}

func (c *counter) Said(_ int, x fact.Said) error {
	if x.Value != "" || x.Revoked {
		c.said++
	}
	return c.fail
}
func (c *counter) Object(int, fact.Object) error     { c.objects++; return c.fail }
func (c *counter) Relation(int, fact.Relation) error { c.relations++; return c.fail }
func (c *counter) Sighting(int, fact.Sighting) error { c.sightings++; return c.fail }
func (c *counter) Refuse(r fact.Refusal) error       { c.refused++; c.reason = r.Reason; return c.fail }

// feed gives a feed's settings.
func feed(set ...func(*fact.Feed)) *fact.Feed {
	f := fact.DefaultFeed()
	f.Name = "f"
	for _, s := range set {
		s(&f)
	}
	return &f
}

// read reads a text as a feed and wants no error.
func read(t *testing.T, text string, set ...func(*fact.Feed)) *sink {
	t.Helper()
	var s sink
	if err := Read(context.Background(), strings.NewReader(text), feed(set...), fact.Part{Name: "part"}, now, &s); err != nil {
		t.Fatal(err)
	}
	return &s
}

// wantValues compares what was said.
func (s *sink) want(t *testing.T, want ...string) *sink {
	t.Helper()
	if got := s.values(); !slices.Equal(got, want) {
		t.Errorf("said %q\nwant %q\nrefused %+v", got, want, s.refused)
	}
	return s
}

// wantRefused compares the reasons, each by a part of it, in order.
func (s *sink) wantRefused(t *testing.T, want ...string) *sink {
	t.Helper()
	got := s.reasons()
	same := len(got) == len(want)
	for i := range min(len(got), len(want)) {
		same = same && strings.Contains(got[i], want[i])
	}
	if !same {
		t.Errorf("refused %+v\nwant %q", s.refused, want)
	}
	return s
}

func TestSinkErrorEndsReading(t *testing.T) {
	full := errors.New("disk is full")
	c := counter{fail: full}
	err := Read(context.Background(), strings.NewReader("a.example\nb.example\n"), feed(), fact.Part{}, now, &c)
	if !errors.Is(err, full) || c.said != 1 {
		t.Errorf("error %v after %d", err, c.said)
	}
}

func TestContextEndsReading(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Read(ctx, endless{}, feed(), fact.Part{}, now, &counter{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// endless gives one character for ever.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

var _ io.Reader = endless{}
