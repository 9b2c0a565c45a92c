package parse

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/interdict/interdict/schema"
)

// rows takes an object as a row or, where it is none, what is in the arrays in it: rows,
// and the values of an array that is named after them. What the object says of all of
// them (a pulse, a report) holds where they do not say it themselves.
func (d *document) rows(raw []byte, alone bool) error {
	first := d.n == 1
	if alone && first && bytes.Contains(raw[:min(len(raw), maxObject)], []byte(`"stix_header"`)) {
		return d.unknown(raw) // STIX 1
	}
	c, digests, err := d.cells(raw)
	if err != nil {
		return err
	}
	if c[colValue] != "" {
		d.named++
		if len(raw) > maxObject {
			return d.r.refuse(d.n, string(raw[:maxShown]), errObject)
		}
		return d.r.row(d.n, c, digests, &d.told)
	}
	found, named := false, d.named
	if d.opened < maxWithin {
		outer := d.outer
		d.outer = *c
		d.outer[colLabel] = strings.Join(addLabels(nil, slices.Collect(labelsIn(c[colLabel]))...), ",") // every row in it reads them
		d.opened++
		found, err = d.within(raw, alone)
		d.opened--
		d.outer = outer
	}
	switch {
	case err != nil:
		return err
	case alone && first && d.named == named:
		return d.unknown(raw)
	case found:
		return nil
	}
	return d.r.refuse(d.n, string(raw[:min(len(raw), maxShown)]), errColumn)
}

// maxWithin bounds rows within rows: each is read once for every one that it is in.
const maxWithin = 4

// within reads the arrays in an object: all of them in a document, in a row and in an
// envelope those that are named after values.
func (d *document) within(raw []byte, document bool) (found bool, err error) {
	j := nested(raw)
	err = j.members(func(name string) error {
		values := columnNamed(name) == colValue
		b, err := j.peek()
		switch {
		case err == nil && b == '[' && (document || values || isEnvelope(name)):
			return j.elements(func(int) error {
				switch b, err := j.peek(); {
				case err == nil && b == '{':
					found = true
					return d.element(j)
				case err == nil && b == '"' && values:
					found = true
					d.named++
					return d.element(j)
				}
				_, _, err := j.value(maxDocument)
				return err
			})
		case err == nil && b == '{' && document && isEnvelope(name):
			inner, refused, err := j.value(maxDocument)
			if err != nil || refused != nil {
				return err
			}
			more, err := d.within(inner, false)
			found = found || more
			return err
		}
		_, _, err = j.value(maxDocument)
		return err
	})
	return found, err
}

// isEnvelope reports a member that holds what was asked for.
func isEnvelope(name string) bool {
	switch strings.ToLower(name) {
	case "data", "result", "results", "response", "resources", "items", "rows", "feed", "list", "entries", "records", "payload", "body":
		return true
	}
	return false
}

// cells gives the members of a flat object by what they hold, the first of each, and
// the digests beside the one that is its value.
func (d *document) cells(raw []byte) (*cells, []string, error) {
	var c cells
	var digests []string
	settings := d.r.settings()
	mapped := settings[colValue] != ""
	digest := false // the value is one
	j := nested(raw)
	err := j.members(func(name string) error {
		value, refused, err := j.value(maxObject)
		if err != nil {
			return err
		}
		to := colNone
		if i := slices.IndexFunc(settings[1:], func(s string) bool { return s != "" && strings.EqualFold(s, name) }); i >= 0 {
			to = column(i + 1)
		} else if !mapped {
			to = columnNamed(name)
		}
		if refused != nil || to == colNone {
			return nil
		}
		text, err := memberText(value, to)
		if err != nil || text == "" {
			return err
		}
		kind, _ := typeNamed(name)
		switch {
		case to == colLabel:
			c[to] = withLabels(c[to], text)
		case c[to] == "" || to == colMalware && word(name) == "malwareprintable":
			c[to] = text
			digest = digest || to == colValue && kind == schema.ObservableHash && !mapped
		case to == colValue && digest && kind == schema.ObservableHash && len(digests) < maxSeveral:
			digests = append(digests, text)
		}
		return nil
	})
	for _, to := range [...]column{colTLP, colMalware, colActor} {
		if c[to] == "" {
			c[to] = d.outer[to]
		}
	}
	c[colLabel] = withLabels(c[colLabel], d.outer[colLabel])
	return &c, digests, err
}

// memberText gives the text of a member: of an array of texts that describe a value all of
// them, of other arrays and of objects nothing.
func memberText(raw []byte, to column) (string, error) {
	if raw[0] == '[' && (to == colLabel || to == colMalware || to == colActor) {
		var all []loose
		if err, syntax := decode(raw, &all); syntax {
			return "", &syntaxError{err}
		} else if err != nil {
			return "", nil
		}
		texts := make([]string, 0, min(len(all), maxLabels))
		for _, l := range all[:min(len(all), maxLabels)] {
			if l != "" {
				texts = append(texts, string(l))
			}
		}
		return strings.Join(texts, ","), nil
	}
	var l loose
	if err, _ := decode(raw, &l); err != nil {
		return "", &syntaxError{err}
	}
	return string(l), nil
}

// unknown fails for a document of no form.
func (d *document) unknown(raw []byte) error {
	var names []string
	j := nested(raw)
	err := j.members(func(name string) error {
		if len(names) < 8 {
			names = append(names, cut(name, 36))
		}
		_, _, err := j.value(0)
		return err
	})
	if err != nil {
		return err
	}
	switch {
	case slices.Contains(names, "stix_header") || slices.Contains(names, "related_packages"):
		return errors.New("STIX 1 in JSON, which is not read: ask for STIX 2.1, or convert it (stix2-elevator)")
	case len(names) > 0 && uuid.Validate(names[0]) == nil:
		return errors.New("perhaps the manifest of a MISP feed: pull its folder with transport misp")
	case len(names) > 0 && columnNamed(names[0]) == colNone:
		return fmt.Errorf("%w: its members are %s; if one is the value's, name it with csv.value", errNoFeed, strings.Join(names, ", "))
	}
	return fmt.Errorf("%w: its members are %s", errNoFeed, strings.Join(names, ", "))
}
