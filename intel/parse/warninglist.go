package parse

import (
	"errors"
	"fmt"
	"strings"

	"github.com/segmentio/encoding/json"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
	"github.com/interdict/interdict/stages/normalize/canon"
)

// warninglist is a MISP warninglist: values that are probably no indicators.
type warninglist struct {
	Name       string          `json:"name"`
	Type       string          `json:"type"`
	List       json.RawMessage `json:"list"`
	Attributes []string        `json:"matching_attributes"`
}

// Reasons of warninglists.
var (
	errEntry = errors.New("a value of no kind that the list is for")
	errLabel = errors.New("a name of a single label: no domain that an alert could be about")
	errText  = errors.New("an entry that is no text")
)

// warninglist takes the entries of a list.
//
// An entry of a "string" list names itself alone, one of "hostname" and "cidr" what
// is below it too. An entry with a dot in front names what is below it whatever the
// list's type: it could name nothing else. An entry may be a public suffix
// ("co.uk"); then it names itself alone. Of the attributes that the list
// is for only the kind counts: an entry of a list for "ip-src" is an address for us.
func (r *reader) warninglist(raw []byte) error {
	var w warninglist
	if err, syntax := decode(raw, &w); syntax {
		return &syntaxError{err}
	} else if err != nil {
		return fmt.Errorf("warninglist: %w", err)
	}
	if w.Name == "" {
		return errors.New("warninglist: it has no name")
	}
	name := cut(w.Name, maxLabel)
	exact := false
	switch w.Type {
	case "string", "":
		exact = true
	case "hostname", "cidr":
	default: // substring, regex
		return r.refuse(1, name, fmt.Errorf("warninglist %q of type %s: %w", cut(name, 80), cut(w.Type, 20), errPattern))
	}
	kinds := w.kinds()
	if len(w.List) == 0 || w.List[0] != '[' {
		return errors.New("warninglist: its list is no array")
	}
	j := nested(w.List)
	return j.elements(func(n int) error {
		raw, refused, err := j.value(maxValue)
		if err != nil {
			return err
		}
		if refused != nil {
			return r.refuse(n, string(raw), refused)
		}
		var text string
		if raw[0] != '"' {
			return r.refuse(n, string(raw), errText)
		}
		if err, _ := decode(raw, &text); err != nil {
			return j.fail(err)
		}
		return r.listed(n, name, text, exact, &kinds)
	})
}

// kinds gives the types that the list's attributes speak of; none: all.
func (w *warninglist) kinds() (kinds [schema.ObservableTypes]bool) {
	for _, a := range w.Attributes {
		for part := range strings.SplitSeq(a, "|") {
			if t, ok := attributeType(part); ok {
				kinds[t] = true
				if t == schema.ObservableIP {
					kinds[schema.ObservableCIDR] = true
				}
			}
		}
	}
	if len(w.Attributes) == 0 {
		return allKinds()
	}
	return kinds
}

// listed takes one entry. A digest may be listed as that of a file and of a
// certificate: it becomes both.
func (r *reader) listed(n int, list, text string, exact bool, kinds *[schema.ObservableTypes]bool) error {
	o, err := Recognize(text)
	if (errors.Is(err, errFile) || errors.Is(err, errLocal)) && kinds[schema.ObservableDomain] {
		o, err = domain(text) // the list says that it is of names
	}
	if name := strings.TrimPrefix(strings.TrimSpace(text), "."); kinds[schema.ObservableDomain] {
		if err != nil || o.Type == schema.ObservableDomain {
			exact = exact && name == strings.TrimSpace(text)
		}
		if err != nil && isLabel(name) {
			err = errLabel
		}
	}
	if errors.Is(err, errNothing) || errors.Is(err, errNoIP) {
		return r.refuse(n, text, err)
	}
	taken := false
	try := func(o schema.Observable) error {
		if !kinds[o.Type] {
			return nil
		}
		taken = true
		i := r.indicator(fact.IndicatorID(r.feed.Name, list, o.Type.String(), o.Value), o)
		i.Labels = addLabels([]string{list}, r.feed.Labels...)
		i.Verdict, i.Severity, i.Wish, i.Listed = schema.VerdictBenign, schema.SeverityUnknown, schema.WishNone, true
		i.Exact = exact && o.Type != schema.ObservableCIDR
		if errors.Is(match.Check(i), match.ErrSuffix) {
			i.Exact = true
		}
		_, err := r.said(n, text, fact.Said{Indicator: i})
		return err
	}
	if err == nil {
		if err := try(o); err != nil {
			return err
		}
	}
	for _, t := range [...]schema.ObservableType{schema.ObservableCertificate, schema.ObservableSSDeep, schema.ObservableJA3, schema.ObservableUserAgent} {
		if !kinds[t] || t == o.Type || *kinds == allKinds() {
			continue
		}
		if v, no := Value(t, text); no == nil {
			if err := try(v); err != nil {
				return err
			}
		}
	}
	switch {
	case taken:
		return nil
	case err != nil:
		return r.refuse(n, text, err)
	}
	return r.refuse(n, text, errEntry)
}

// allKinds is what a list without attributes is for.
func allKinds() (all [schema.ObservableTypes]bool) {
	for t := range all {
		all[t] = true
	}
	return all
}

// isLabel reports a name of one label, such as a top-level domain.
func isLabel(s string) bool {
	const below = "x."
	return s != "" && strings.IndexByte(s, '.') < 0 && len(key(canon.Domain, below+s)) > len(below)
}
