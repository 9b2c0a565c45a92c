package pipeline

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/interdict/interdict/schema"
)

// spool holds the alerts of a replay on disk, so that they can be taken in the
// order of their time however the files were ordered. It keeps 48 bytes per
// alert in memory.
type spool struct {
	f   *os.File
	w   *bufio.Writer
	off int64
	idx []spooled
	buf []byte
}

type spooled struct {
	created schema.Millis
	id      schema.AlertID
	content uint64
	off     int64
	size    int32
}

// newSpool makes a spool file in dir; it has no name once it is open.
func newSpool(dir string) (*spool, error) {
	f, err := os.CreateTemp(dir, ".spool-*")
	if err != nil {
		return nil, fmt.Errorf("making the spool: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, fmt.Errorf("making the spool: %w", err)
	}
	return &spool{f: f, w: bufio.NewWriterSize(f, 1<<20)}, nil
}

func (s *spool) add(a *schema.Alert) error {
	s.buf = schema.AppendAlertEntry(s.buf[:0], a)
	if _, err := s.w.Write(s.buf); err != nil {
		return fmt.Errorf("writing the spool: %w", err)
	}
	s.idx = append(s.idx, spooled{a.Created, a.ID, a.Content, s.off, int32(len(s.buf))})
	s.off += int64(len(s.buf))
	return nil
}

// sort ends writing and puts the alerts in the order of time.
func (s *spool) sort() error {
	if err := s.w.Flush(); err != nil {
		return fmt.Errorf("writing the spool: %w", err)
	}
	slices.SortStableFunc(s.idx, func(a, b spooled) int {
		if c := cmp.Compare(a.created, b.created); c != 0 {
			return c
		}
		if c := a.id.Compare(b.id); c != 0 {
			return c
		}
		return cmp.Compare(a.content, b.content)
	})
	return nil
}

// read returns the log entry of an alert in memory of its own.
func (s *spool) read(e spooled) ([]byte, error) {
	b := make([]byte, e.size)
	if _, err := s.f.ReadAt(b, e.off); err != nil && err != io.EOF {
		return nil, fmt.Errorf("reading the spool: %w", err)
	}
	return b, nil
}

// alert decodes one spooled alert; it aliases memory of its own.
func (s *spool) alert(e spooled) (a schema.Alert, err error) {
	b, err := s.read(e)
	if err != nil {
		return a, err
	}
	_, body, err := schema.DecodeEntry(b)
	if err != nil {
		return a, fmt.Errorf("reading the spool: %w", err)
	}
	return a, a.DecodeWire(body)
}

func (s *spool) close() { s.f.Close() }
