package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/schema/ocsf"
	"github.com/interdict/interdict/stages/normalize"
	"github.com/interdict/interdict/stages/normalize/mapping"
)

// normalizeOutput writes what normalize made of records.
type normalizeOutput struct {
	cmd      *normalizeCmd
	out      *bufio.Writer
	err      io.Writer
	valid    *ocsf.Validator
	leftover *normalize.Leftover
	steps    []ruleStep // of the record at hand
	line     []byte

	written, invalid int
}

// ruleStep is what a rule did, and the rule.
type ruleStep struct {
	Field string `json:"field"`
	Value string `json:"value"`
	Rule  string `json:"rule"`
	Where string `json:"where"` // file:line of the rule
}

func (w *normalizeOutput) prepare(n *normalize.Normalizer, formats *normalize.Formats) (err error) {
	if w.cmd.Validate {
		if w.valid, err = ocsf.NewValidator(); err != nil {
			return err
		}
	}
	if w.cmd.Unmapped {
		w.leftover = normalize.NewLeftover(formats)
	}
	if w.cmd.Explain {
		n.Explain(func(f *mapping.Format, s mapping.Step) {
			w.steps = append(w.steps, ruleStep{s.Field, s.Value, f.Rule(s.Line), fmt.Sprintf("%s:%d", f.File, s.Line)})
		})
	}
	return nil
}

// alerts writes the alerts of a batch. With Explain a batch is one record.
func (w *normalizeOutput) alerts(name string, numbers []int64, b *schema.Batch) error {
	if w.cmd.Explain {
		return w.explain(name, numbers, b)
	}
	for i := range b.Alerts {
		a := &b.Alerts[i]
		extra := schema.OCSFExtra{Raw: w.cmd.Raw}
		if w.leftover != nil {
			extra.Unmapped = w.leftover.Of(a.Format, a.Raw)
		}
		w.line = schema.AppendOCSFAlertWith(w.line[:0], a, extra)
		w.written++
		if w.valid != nil {
			problems := w.valid.Validate(w.line)
			if len(problems) > 0 {
				w.invalid++
			}
			for _, p := range problems {
				fmt.Fprintf(w.err, "%s:%d: document %d: not valid OCSF: %s\n", name, a.RawRef.Offset, a.RawRef.Doc+1, printable(fmt.Sprint(p)))
			}
		}
		w.line = append(w.line, '\n')
		if _, err := w.out.Write(w.line); err != nil {
			return err
		}
	}
	return nil
}

// explain writes which rule did what for the alerts of one record.
func (w *normalizeOutput) explain(name string, numbers []int64, b *schema.Batch) error {
	defer func() { w.steps = w.steps[:0] }()
	if len(b.Alerts) == 0 {
		return nil
	}
	if w.cmd.JSON {
		return json.NewEncoder(w.out).Encode(struct {
			File   string     `json:"file"`
			Record int64      `json:"record"`
			Format string     `json:"format"`
			Alerts int        `json:"alerts"`
			Steps  []ruleStep `json:"steps"`
		}{name, numbers[0], b.Alerts[0].Format, len(b.Alerts), w.steps})
	}
	if _, err := fmt.Fprintf(w.out, "%s:%d: %s, %d alerts\n", name, numbers[0], b.Alerts[0].Format, len(b.Alerts)); err != nil {
		return err
	}
	for _, s := range w.steps {
		if _, err := fmt.Fprintf(w.out, "  %-26s %-44s %s  %s\n", s.Field, printable(s.Value), s.Where, s.Rule); err != nil {
			return err
		}
	}
	return nil
}
