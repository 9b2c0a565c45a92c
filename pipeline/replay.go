package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/interdict/interdict/schema"
)

// Summary is the accounting of a replay. Records = Accepted + Rejected + Ignored;
// Accepted = Alerts + Revisions + Duplicates.
type Summary struct {
	Records    uint64 `json:"records"`
	Accepted   uint64 `json:"accepted"`
	Rejected   uint64 `json:"rejected"`
	Ignored    uint64 `json:"ignored"`
	Alerts     uint64 `json:"alerts"`
	Revisions  uint64 `json:"revisions"`
	Duplicates uint64 `json:"duplicates"`
	Late       uint64 `json:"late"`
	Incidents  uint64 `json:"incidents"`
	Promoted   uint64 `json:"promoted"`
	Paths      uint64 `json:"paths"`
	Actions    uint64 `json:"actions"`
	Decisions  uint64 `json:"decisions"`
}

// Replay runs the stages over files, without a broker. The clock is the input's.
type Replay struct {
	Plan     *Plan
	Out      string // folder, made if needed
	Tenant   string
	Source   string   // empty: each file is a source, named after it
	Attests  []string // what the sources are trusted for; nil: what the plan's source of that id is
	Assets   []schema.Asset
	Files    []string
	Stdin    io.Reader
	Progress func(file string, records uint64, phase string) // may be nil
}

// Run replays all files and writes the results; see design, section 9.
func (r *Replay) Run(ctx context.Context) (sum Summary, err error) {
	if err := r.checkFiles(); err != nil {
		return sum, err
	}
	w, err := newReplayWriter(r.Out)
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	sp, err := newSpool(r.Out)
	if err != nil {
		return sum, err
	}
	defer sp.close()
	for _, name := range r.Files {
		if err := r.detect(ctx, name, sp, w, &sum); err != nil {
			return sum, err
		}
	}
	sum.Records = sum.Accepted + sum.Rejected + sum.Ignored
	if err := sp.sort(); err != nil {
		return sum, err
	}
	if err := r.writeAlerts(ctx, sp, w, &sum); err != nil {
		return sum, err
	}
	if err := r.correlate(ctx, sp, w); err != nil {
		return sum, err
	}
	return sum, w.finish(&sum)
}

// checkFiles finds out before anything is written that an input is missing, or
// would be overwritten by an output.
func (r *Replay) checkFiles() error {
	for _, name := range r.Files {
		if name == "-" {
			continue
		}
		in, err := os.Stat(name)
		if err != nil {
			return err
		}
		for _, o := range outputs {
			if out, err := os.Stat(filepath.Join(r.Out, o)); err == nil && os.SameFile(in, out) {
				return fmt.Errorf("%s is an input and would be overwritten: choose another output folder", name)
			}
		}
	}
	return nil
}

// SourceName is the source id of a file: its base name up to the first dot.
func SourceName(file string) string {
	if file == "-" {
		return "stdin"
	}
	name, _, _ := strings.Cut(filepath.Base(file), ".")
	if name == "" {
		return filepath.Base(file)
	}
	return name
}

// detect takes one file through hop 1 into the spool.
func (r *Replay) detect(ctx context.Context, name string, sp *spool, w *replayWriter, sum *Summary) error {
	src := &schema.Source{ID: r.Source, Tenant: r.Tenant, Topic: name, Attests: r.Attests}
	if src.ID == "" {
		src.ID = SourceName(name)
	}
	if src.Attests == nil {
		configured := r.Plan.source(r.Tenant, src.ID)
		src.Attests, src.Zone = configured.Attests, configured.Zone
	}
	steps, err := r.Plan.detectSteps()
	if err != nil {
		return err
	}
	c := chain{steps: steps}
	var b schema.Batch
	var size int
	var done uint64
	flush := func() error {
		if len(b.Raw) == 0 {
			return nil
		}
		if err := c.process(ctx, &b); err != nil {
			return err
		}
		for i := range b.Alerts {
			if err := sp.add(&b.Alerts[i]); err != nil {
				return err
			}
		}
		for _, x := range b.Rejects {
			raw := b.Raw[x.Raw]
			d := DeadLetter{Tenant: src.Tenant, Source: src.ID, Topic: raw.Topic, Offset: raw.Offset, Doc: x.Doc,
				Reason: x.Reason, Detail: x.Detail, Bytes: x.Bytes}
			if err := w.deadLetter(d); err != nil {
				return err
			}
		}
		sum.Accepted += uint64(len(b.Alerts))
		sum.Rejected += uint64(len(b.Rejects))
		sum.Ignored += uint64(len(b.Drops))
		done += uint64(len(b.Alerts) + len(b.Rejects) + len(b.Drops))
		if r.Progress != nil {
			r.Progress(name, done, "normalize")
		}
		b.Reset()
		size = 0
		return nil
	}
	received := FileTime(name)
	err = ReadRecords(ctx, name, r.Stdin, func(rec FileRecord) error {
		b.Raw = append(b.Raw, schema.Raw{Source: src, Value: append([]byte(nil), rec.Value...), Topic: name, Offset: rec.Number, Received: received})
		if size += len(rec.Value); len(b.Raw) < 1024 && size < 8<<20 {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

// writeAlerts writes each alert once, its revisions merged, in the order of time.
func (r *Replay) writeAlerts(ctx context.Context, sp *spool, w *replayWriter, sum *Summary) error {
	again := map[schema.AlertID][]spooled{} // documents of alerts that have more than one
	seen := make(map[schema.AlertID]bool, len(sp.idx))
	for _, e := range sp.idx {
		if seen[e.id] {
			again[e.id] = nil
		}
		seen[e.id] = true
	}
	for _, e := range sp.idx {
		if _, ok := again[e.id]; ok {
			again[e.id] = append(again[e.id], e)
		}
	}
	for i, e := range sp.idx {
		if i&1023 == 0 {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if r.Progress != nil {
				r.Progress("", uint64(i), "write alerts")
			}
		}
		if !seen[e.id] {
			continue
		}
		seen[e.id] = false
		docs := again[e.id]
		if docs == nil {
			docs = []spooled{e}
		}
		var revs []schema.Alert
		contents := map[uint64]bool{}
		for _, d := range docs {
			if contents[d.content] {
				sum.Duplicates++
				continue
			}
			contents[d.content] = true
			a, err := sp.alert(d)
			if err != nil {
				return err
			}
			revs = append(revs, a)
		}
		sum.Revisions += uint64(len(revs) - 1)
		a := schema.MergeRevisions(revs)
		if err := w.alert(&a); err != nil {
			return err
		}
		sum.Alerts++
	}
	return nil
}

// correlate takes the spool through hop 2 as if it were one partition of the
// alerts log.
func (r *Replay) correlate(ctx context.Context, sp *spool, w *replayWriter) error {
	l := r.Plan.correlateLane()
	defer l.Close()
	key := logEntry(nil, schema.ShardOf(r.Tenant)).Key
	var out Outbox
	recs := make([]Record, 0, 1025)
	var offset int64
	for _, a := range r.Assets {
		c, err := assetControl(a)
		if err != nil {
			return err
		}
		recs = append(recs, Record{Offset: offset, Key: key, Value: schema.AppendControlEntry(nil, &c)})
		offset++
	}
	if err := l.Process(ctx, recs, &out); err != nil {
		return fmt.Errorf("taking the inventory: %w", err)
	}
	l.Commit()
	for i := 0; i < len(sp.idx); {
		if err := ctx.Err(); err != nil {
			return err
		}
		recs = recs[:0]
		var last schema.Millis
		for ; i < len(sp.idx) && len(recs) < 1024; i++ {
			v, err := sp.read(sp.idx[i])
			if err != nil {
				return err
			}
			recs = append(recs, Record{Offset: offset, Key: key, Value: v})
			offset++
			last = sp.idx[i].created
		}
		mark := schema.Watermark{Tenant: r.Tenant, Source: r.Source, Topic: replayTopic, Partitions: 1, MaxCreated: last, Now: last}
		recs = append(recs, Record{Offset: offset, Key: key, Value: schema.AppendWatermarkEntry(nil, &mark)})
		offset++
		out.Reset()
		if err := l.Process(ctx, recs, &out); err != nil {
			return fmt.Errorf("correlating: %w", err)
		}
		if err := w.take(out.Msgs); err != nil {
			return err
		}
		l.Commit()
		if r.Progress != nil {
			r.Progress("", uint64(i), "correlate")
		}
	}
	return nil
}

// replayTopic stands for all files in the watermark: they have been merged into
// one order of time.
const replayTopic = "replay"
