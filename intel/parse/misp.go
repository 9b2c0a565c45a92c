package parse

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/segmentio/encoding/json"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/canon"
)

// mispEvent is what is read of an event.
type mispEvent struct {
	UUID        loose           `json:"uuid"`
	Info        loose           `json:"info"`
	Date        loose           `json:"date"`
	ThreatLevel loose           `json:"threat_level_id"`
	Timestamp   loose           `json:"timestamp"`
	Tags        []mispTag       `json:"Tag"`
	Attributes  json.RawMessage `json:"Attribute"`
	Objects     json.RawMessage `json:"Object"`
}

type mispTag struct {
	Name loose `json:"name"`
}

// mispObject groups attributes.
type mispObject struct {
	Deleted    loose           `json:"deleted"`
	Attributes json.RawMessage `json:"Attribute"`
}

// mispAttribute is what is read of an attribute.
type mispAttribute struct {
	UUID      loose          `json:"uuid"`
	Type      loose          `json:"type"`
	Category  loose          `json:"category"`
	Value     loose          `json:"value"`
	ToIDs     loose          `json:"to_ids"`
	Deleted   loose          `json:"deleted"`
	Timestamp loose          `json:"timestamp"`
	LastSeen  loose          `json:"last_seen"`
	Tags      []mispTag      `json:"Tag"`
	Sightings []mispSighting `json:"Sighting"`
}

type mispSighting struct {
	UUID   loose `json:"uuid"`
	Type   loose `json:"type"` // 0: seen, 1: a false positive, 2: expired
	Date   loose `json:"date_sighting"`
	Source loose `json:"source"`
	Org    struct {
		Name loose `json:"name"`
	} `json:"Organisation"`
}

// misp reads events and attributes.
type misp struct {
	r    *reader
	n    int             // attributes so far
	told map[string]bool // ids of objects that were passed on, of the part
}

// maxTold bounds what is remembered of objects; what is forgotten is passed again.
const maxTold = 100_000

// Reasons of MISP.
var (
	errMISPEvent     = errors.New("MISP: the event has neither uuid nor info")
	errMISPAttribute = errors.New("MISP: the attribute has no type or no value")
	errNotIDs        = errors.New("MISP: not marked for detection (to_ids)")
	errFalsePositive = errors.New("MISP: a sighting says that the value was a false positive: it is not counted as seen")
)

// event takes an event: its attributes, those of its objects, and itself as a
// report.
func (m *misp) event(raw []byte) error {
	var e mispEvent
	if err, syntax := decode(raw, &e); syntax {
		return &syntaxError{err}
	} else if err != nil {
		return m.r.refuse(m.n+1, "", fmt.Errorf("MISP: %w", err))
	}
	if e.UUID == "" && e.Info == "" {
		return m.r.refuse(m.n+1, "", errMISPEvent)
	}
	tags, err := m.tags(nil, e.Tags)
	if err != nil {
		return err
	}
	report := m.report(&e, tags)
	err = m.each(e.Attributes, func(raw []byte) error { return m.attribute(raw, tags, &report, false) })
	if err != nil {
		return err
	}
	err = m.each(e.Objects, func(raw []byte) error {
		var o mispObject
		if err, _ := decode(raw, &o); err != nil {
			return m.r.refuse(m.n+1, "", fmt.Errorf("MISP object: %w", err))
		}
		return m.each(o.Attributes, func(raw []byte) error { return m.attribute(raw, tags, &report, o.Deleted.is()) })
	})
	if err != nil {
		return err
	}
	if err := m.r.object(m.n, report); err != nil {
		return err
	}
	return m.relate(report.ID, report.Version, tags.threats)
}

// each reads the elements of an array, if it is one.
func (m *misp) each(array json.RawMessage, f func(raw []byte) error) error {
	if len(array) == 0 || array[0] != '[' {
		return nil
	}
	j := nested(array)
	return j.elements(func(int) error {
		raw, refused, err := j.value(maxDocument)
		if err != nil {
			return err
		}
		if refused != nil {
			return m.r.refuse(m.n+1, string(raw), refused)
		}
		return f(raw)
	})
}

// report makes the object that an event is.
func (m *misp) report(e *mispEvent, tags mispTags) fact.Object {
	id := string(e.UUID)
	if uuid.Validate(id) != nil {
		derived := schema.DeriveID("misp-event", m.r.feed.Name, id, string(e.Info))
		id = derived.String()
	}
	o := fact.Object{ID: "misp-event--" + strings.ToLower(id), Kind: schema.ThreatReport, Name: cut(strings.TrimSpace(string(e.Info)), maxName),
		Labels: tags.labels, TLP: tags.tlp, Version: mispTime(e.Timestamp)}
	if t, err := time.Parse(time.DateOnly, string(e.Date)); err == nil {
		o.First = schema.FromTime(t)
	}
	switch e.ThreatLevel {
	case "1":
		o.Labels = addLabels(o.Labels, "threat-level:high")
	case "2":
		o.Labels = addLabels(o.Labels, "threat-level:medium")
	case "3":
		o.Labels = addLabels(o.Labels, "threat-level:low")
	}
	return o
}

// attributeAlone takes an attribute outside of an event, as searches give them.
func (m *misp) attributeAlone(raw []byte) error {
	tags, err := m.tags(nil, nil)
	if err != nil {
		return err
	}
	return m.attribute(raw, tags, nil, false)
}

// attribute takes the values of one attribute.
func (m *misp) attribute(raw []byte, of mispTags, report *fact.Object, deleted bool) (err error) {
	m.n++
	if m.n%256 == 0 {
		if err := m.r.ctx.Err(); err != nil {
			return err
		}
	}
	var a mispAttribute
	if err, syntax := decode(raw, &a); syntax {
		return &syntaxError{err}
	} else if err != nil {
		return m.r.refuse(m.n, "", fmt.Errorf("MISP: %w", err))
	}
	text := string(a.Value)
	id, version := "", mispTime(a.Timestamp)
	if uuid.Validate(string(a.UUID)) == nil {
		id = "indicator--" + strings.ToLower(string(a.UUID))
	}
	if id != "" && (deleted || a.Deleted.is()) { // whatever became of its type, value and marks
		gone := schema.Indicator{ID: id, Feed: m.r.feed.Name, Tenant: m.r.feed.Tenant}
		return m.r.out.Said(m.n, fact.Said{Indicator: gone, Version: version, Revoked: true})
	}
	taken := false
	if id != "" {
		defer func() {
			if err == nil && !taken {
				err = m.r.void(m.n, id, version)
			}
		}()
	}
	if a.Type == "" && text == "" && id != "" && version > 0 {
		return nil // an attribute that its event has no more: what it said is void
	}
	if a.Type == "" || text == "" {
		return m.r.refuse(m.n, text, errMISPAttribute)
	}
	switch {
	case a.Type == "link" && report != nil:
		if len(report.Links) < maxAliases {
			report.Links = append(report.Links, cut(text, 2*maxName))
		}
		return m.r.refuse(m.n, text, errors.New(`MISP: attribute type "link" is kept with the event`))
	case a.Type == "vulnerability" && report != nil:
		return m.vulnerability(text, report)
	}
	values, ok := mispValues(string(a.Type), text)
	switch {
	case !ok:
		return m.r.refuse(m.n, text, fmt.Errorf("MISP: attribute type %q is not matched", cut(string(a.Type), 40)))
	case m.r.feed.IDsOnly && !a.ToIDs.is():
		return m.r.refuse(m.n, text, errNotIDs)
	}
	tags, err := m.tags(&of, a.Tags)
	if err != nil {
		return err
	}
	seen := "" // the id that sightings are of
	for _, v := range values {
		o, err := Value(v.typ, v.text)
		if err != nil {
			if err := m.r.refuse(m.n, v.text, err); err != nil {
				return err
			}
			continue
		}
		of := id
		if of == "" {
			of = m.r.derivedID(o)
		}
		s := fact.Said{Indicator: m.r.indicator(of, o), Version: version}
		i := &s.Indicator
		i.TLP, i.Labels, i.Threats = tags.tlp, addLabels(i.Labels, tags.labels...), append(i.Threats, tags.threats...)
		i.Fresh = m.r.past(max(version, lastSeen(a.LastSeen)))
		i.ValidUntil = a.expired()
		if err := m.r.check(&s); err != nil {
			if err := m.r.refuse(m.n, v.text, err); err != nil {
				return err
			}
			continue
		}
		if report != nil && !taken && len(report.Refs) < maxRefs {
			report.Refs = append(report.Refs, i.ID)
		}
		if !taken {
			seen, taken = i.ID, true
		}
		if err := m.r.out.Said(m.n, s); err != nil {
			return err
		}
	}
	if !taken {
		return nil
	}
	return m.sightings(seen, &a)
}

// vulnerability takes what an event is about, but no value.
func (m *misp) vulnerability(text string, report *fact.Object) error {
	name := cut(strings.ToUpper(strings.TrimSpace(text)), maxName)
	id := schema.DeriveID("misp-vulnerability", name)
	t := schema.Threat{Kind: schema.ThreatVulnerability, ID: "vulnerability--" + id.String(), Name: name}
	if err := m.tell(t, "", ""); err != nil {
		return err
	}
	return m.relate(report.ID, report.Version, []schema.Threat{t})
}

// expired gives the earliest time at which a sighting says that the value ended.
func (a *mispAttribute) expired() (t schema.Millis) {
	for _, s := range a.Sightings {
		if at := mispTime(s.Date); s.Type == "2" && at > 0 && (t == 0 || at < t) {
			t = at
		}
	}
	return t
}

// sightings takes who saw an indicator.
func (m *misp) sightings(of string, a *mispAttribute) error {
	for _, s := range a.Sightings {
		at := m.r.past(mispTime(s.Date))
		switch {
		case s.Type == "1":
			if err := m.r.refuse(m.n, string(a.Value), errFalsePositive); err != nil {
				return err
			}
			continue
		case s.Type == "2" || at <= 0:
			continue
		}
		by := string(s.Org.Name)
		if by == "" {
			by = string(s.Source)
		}
		one := fact.Sighting{Of: of, First: at, Last: at, Count: 1, By: cut(by, maxID), Version: at}
		if uuid.Validate(string(s.UUID)) == nil {
			one.ID = "sighting--" + strings.ToLower(string(s.UUID))
		}
		if err := m.r.out.Sighting(m.n, one); err != nil {
			return err
		}
	}
	return nil
}

// mispTime reads seconds since 1970; zero: not said.
func mispTime(l loose) schema.Millis {
	s, err := strconv.ParseInt(string(l), 10, 64)
	if err != nil || s < 0 || s > 1<<33 {
		return 0
	}
	return schema.Millis(s * 1000)
}

// lastSeen reads a time as MISP writes it; zero: not said.
func lastSeen(l loose) schema.Millis {
	if l == "" {
		return 0
	}
	t, _ := canon.ParseTime(string(l))
	return t
}
