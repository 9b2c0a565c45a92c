package pipeline

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/interdict/interdict/schema"
)

// outputs are the files that a replay writes.
var outputs = [...]string{"alerts.ndjson", "incidents.ndjson", "paths.ndjson", "actions.ndjson", "decisions.ndjson", "dead-letter.ndjson", "summary.json"}

// replayWriter keeps what a replay found and writes it as NDJSON.
type replayWriter struct {
	dir       string
	alerts    *lineFile
	dead      *lineFile
	decisions *lineFile
	actions   *lineFile
	incidents map[schema.IncidentID]*schema.Incident
	members   map[schema.AlertID]*schema.Member
	paths     map[schema.ID]*schema.Path
	count     Summary
	buf       []byte
}

// lineFile is one output of lines.
type lineFile struct {
	f *os.File
	w *bufio.Writer
}

func newLineFile(dir, name string) (*lineFile, error) {
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	return &lineFile{f, bufio.NewWriterSize(f, 1<<18)}, nil
}

func (l *lineFile) line(b []byte) error {
	if _, err := l.w.Write(b); err != nil {
		return err
	}
	return l.w.WriteByte('\n')
}

func (l *lineFile) close() error {
	if l == nil {
		return nil
	}
	return errors.Join(l.w.Flush(), l.f.Close())
}

func newReplayWriter(dir string) (*replayWriter, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the output folder: %w", err)
	}
	w := &replayWriter{dir: dir, incidents: map[schema.IncidentID]*schema.Incident{},
		members: map[schema.AlertID]*schema.Member{}, paths: map[schema.ID]*schema.Path{}}
	var err error
	for name, f := range map[string]**lineFile{"alerts.ndjson": &w.alerts, "dead-letter.ndjson": &w.dead,
		"decisions.ndjson": &w.decisions, "actions.ndjson": &w.actions} {
		if *f, err = newLineFile(dir, name); err != nil {
			return nil, errors.Join(fmt.Errorf("making the outputs: %w", err), w.close())
		}
	}
	return w, nil
}

func (w *replayWriter) close() error {
	return errors.Join(w.alerts.close(), w.dead.close(), w.decisions.close(), w.actions.close())
}

func (w *replayWriter) alert(a *schema.Alert) error {
	w.buf = schema.AppendOCSFAlert(w.buf[:0], a)
	return w.alerts.line(w.buf)
}

func (w *replayWriter) deadLetter(d DeadLetter) error {
	b, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("writing the dead letter: %w", err)
	}
	return w.dead.line(b)
}

// take decodes what hop 2 produced and keeps the last version of each object.
func (w *replayWriter) take(msgs []Out) error {
	for _, m := range msgs {
		v := append([]byte(nil), m.Value...) // decoded strings alias it
		var err error
		switch m.Topic {
		case TopicIncidents:
			x := new(schema.Incident)
			err = x.DecodeWire(v)
			w.incidents[x.ID] = x
		case TopicMembers:
			x := new(schema.Member)
			err = x.DecodeWire(v)
			w.members[x.Alert] = x
		case TopicPaths:
			x := new(schema.Path)
			err = x.DecodeWire(v)
			w.paths[x.ID] = x
		case TopicDecisions:
			var x schema.Decision
			if err = x.DecodeWire(v); err == nil {
				w.count.Decisions++
				err = w.json(w.decisions, x)
			}
		case TopicActions:
			var x schema.Action
			if err = x.DecodeWire(v); err == nil {
				w.count.Actions++
				err = w.json(w.actions, x)
			}
		}
		if err != nil {
			return fmt.Errorf("taking a record of %s: %w", m.Topic.Spec().Suffix, err)
		}
	}
	return nil
}

func (w *replayWriter) json(f *lineFile, x any) error {
	b, err := json.Marshal(x)
	if err != nil {
		return err
	}
	return f.line(b)
}

// finish writes incidents, paths and the summary. Redirected ids are not written:
// they mean an incident that is.
func (w *replayWriter) finish(sum *Summary) (err error) {
	byIncident := map[schema.IncidentID][]schema.Member{}
	for _, m := range w.members {
		byIncident[m.Incident] = append(byIncident[m.Incident], *m)
		if m.Late {
			sum.Late++
		}
	}
	inc, err := newLineFile(w.dir, "incidents.ndjson")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, inc.close()) }()
	list := make([]*schema.Incident, 0, len(w.incidents))
	for _, i := range w.incidents {
		if i.RedirectTo.IsZero() && len(byIncident[i.ID]) > 0 {
			list = append(list, i)
		}
	}
	slices.SortFunc(list, func(a, b *schema.Incident) int {
		if a.First != b.First {
			return cmp.Compare(a.First, b.First)
		}
		return slices.Compare(a.ID[:], b.ID[:])
	})
	for _, i := range list {
		members := byIncident[i.ID]
		slices.SortFunc(members, func(a, b schema.Member) int {
			if a.Created != b.Created {
				return cmp.Compare(a.Created, b.Created)
			}
			return a.Alert.Compare(b.Alert)
		})
		w.buf = schema.AppendOCSFIncident(w.buf[:0], i, members)
		if err := inc.line(w.buf); err != nil {
			return err
		}
		sum.Incidents++
		if i.Disposition == schema.Promoted {
			sum.Promoted++
		}
	}
	if err := w.writePaths(sum); err != nil {
		return err
	}
	sum.Decisions, sum.Actions = w.count.Decisions, w.count.Actions
	b, err := json.MarshalIndent(sum, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(w.dir, "summary.json"), append(b, '\n'), 0o644)
}

func (w *replayWriter) writePaths(sum *Summary) (err error) {
	f, err := newLineFile(w.dir, "paths.ndjson")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	ids := make([]schema.ID, 0, len(w.paths))
	for id, p := range w.paths {
		if i := w.incidents[p.Incident]; i != nil && i.RedirectTo.IsZero() {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b schema.ID) int { return slices.Compare(a[:], b[:]) })
	for _, id := range ids {
		if err := w.json(f, w.paths[id]); err != nil {
			return err
		}
		sum.Paths++
	}
	return nil
}
