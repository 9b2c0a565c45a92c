package settings

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Finding is one thing that is wrong with a configuration, or doubtful.
type Finding struct {
	Doubt bool   `json:"warning"` // it works, but is most likely not meant; or it may yet come to work
	Place Place  `json:"place"`
	Key   string `json:"key,omitempty"` // of the setting, such as intel.feeds[0].url
	Text  string `json:"text"`          // what is wrong and what to do
}

func (f Finding) String() string {
	if f.Doubt {
		return f.Place.String() + ": warning: " + f.Text
	}
	return f.Place.String() + ": " + f.Text
}

// Place is where a setting stands.
type Place struct {
	File   string `json:"file"`             // or the environment's variable
	Line   int    `json:"line,omitempty"`   // from 1; 0: the file as a whole
	Column int    `json:"column,omitempty"` // from 1, in bytes
}

func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

func (p Place) compare(q Place) int {
	return cmp.Or(strings.Compare(p.File, q.File), p.Line-q.Line, p.Column-q.Column)
}

// inOrder sorts findings as they stand in the file.
func inOrder(list []Finding) {
	slices.SortStableFunc(list, func(a, b Finding) int { return a.Place.compare(b.Place) })
}

// Invalid is a configuration that cannot work.
type Invalid struct {
	Findings []Finding // at least one; none is a doubt
}

func (i *Invalid) Error() string {
	if len(i.Findings) == 1 {
		return i.Findings[0].String()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "the configuration has %d errors", len(i.Findings))
	for _, f := range i.Findings {
		b.WriteString("\n" + f.String())
	}
	return b.String()
}

// invalid gives what cannot work as an error; nil if all can.
func invalid(list []Finding) error {
	var i Invalid
	for _, f := range list {
		if !f.Doubt {
			i.Findings = append(i.Findings, f)
		}
	}
	if len(i.Findings) == 0 {
		return nil
	}
	inOrder(i.Findings)
	return &i
}
