package gen

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Summary counts what WriteDir wrote.
type Summary struct {
	Records    int            `json:"records"`
	Alerts     int            `json:"alerts"`
	Campaigns  int            `json:"campaigns"`
	Indicators int            `json:"indicators"`
	Assets     int            `json:"assets"`
	BySource   map[string]int `json:"by_source"`
}

// Files of a written world, beside one <source>.ndjson per sensor.
const (
	TruthFile      = "truth.ndjson"     // one Truth per record, in the order of Records
	IndicatorsFile = "indicators.txt"   // one value a line, decoys at the end
	AssetsFile     = "assets.ndjson"    // one Asset a line
	CampaignsFile  = "campaigns.ndjson" // one Campaign a line
)

// WriteDir writes the world into dir, which it makes if needed; files of that
// name are replaced. The same config gives the same bytes.
func (w *World) WriteDir(dir string) (Summary, error) {
	sum := Summary{Campaigns: len(w.campaigns), BySource: map[string]int{}}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return sum, fmt.Errorf("make folder of the world: %w", err)
	}
	out := &outputs{dir: dir, files: map[string]*output{}}
	err := w.write(out, &sum)
	return sum, errors.Join(err, out.close())
}

func (w *World) write(out *outputs, sum *Summary) error {
	names := []string{TruthFile, IndicatorsFile, AssetsFile, CampaignsFile}
	for _, s := range sourceNames {
		names = append(names, s+".ndjson")
	}
	for _, name := range names { // also those that stay empty
		if err := out.open(name); err != nil {
			return err
		}
	}
	for rec := range w.Records() {
		if err := out.line(rec.Source+".ndjson", rec.Value); err != nil {
			return err
		}
		if err := out.json(TruthFile, rec.Truth); err != nil {
			return err
		}
		sum.Records++
		sum.BySource[rec.Source]++
		if rec.Truth.Alert {
			sum.Alerts++
		}
	}
	for _, ind := range w.Indicators() {
		if err := out.line(IndicatorsFile, []byte(ind.Value)); err != nil {
			return err
		}
		sum.Indicators++
	}
	for _, a := range w.Assets() {
		if err := out.json(AssetsFile, a); err != nil {
			return err
		}
		sum.Assets++
	}
	for _, c := range w.campaigns {
		if err := out.json(CampaignsFile, c); err != nil {
			return err
		}
	}
	return nil
}

// outputs keeps the files of one WriteDir open.
type outputs struct {
	dir   string
	files map[string]*output
}

type output struct {
	f *os.File
	b *bufio.Writer
}

func (o *outputs) open(name string) error {
	f, err := os.Create(filepath.Join(o.dir, name))
	if err != nil {
		return fmt.Errorf("make file of the world: %w", err)
	}
	o.files[name] = &output{f, bufio.NewWriterSize(f, 1<<20)}
	return nil
}

func (o *outputs) line(name string, b []byte) error {
	f := o.files[name]
	f.b.Write(b) // the error sticks and is reported by the next line
	if err := f.b.WriteByte('\n'); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

func (o *outputs) json(name string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode for %s: %w", name, err)
	}
	return o.line(name, b)
}

func (o *outputs) close() error {
	var errs []error
	for name, f := range o.files {
		if err := errors.Join(f.b.Flush(), f.f.Close()); err != nil {
			errs = append(errs, fmt.Errorf("finish %s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}
