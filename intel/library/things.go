package library

import (
	"context"
	"errors"
	"fmt"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/internal/vector"
	"github.com/interdict/interdict/schema"
	"github.com/segmentio/encoding/json"
)

// thing is what a feed says besides indicators: one of the three. In a table its key
// is its kind and id.
type thing struct {
	Seen     schema.Millis  `json:"seen"`
	Object   *fact.Object   `json:"object,omitempty"`
	Relation *fact.Relation `json:"relation,omitempty"`
	Sighting *fact.Sighting `json:"sighting,omitempty"`
}

// Kinds of things, the first byte of a key.
const (
	thingObject   = 'o'
	thingRelation = 'r'
	thingSighting = 's'
)

// maxThing bounds one of them as text.
const maxThing = 1 << 20

func (t *thing) version() (v schema.Millis, gone bool) {
	switch {
	case t.Object != nil:
		return t.Object.Version, t.Object.Revoked
	case t.Relation != nil:
		return t.Relation.Version, t.Relation.Revoked
	}
	return t.Sighting.Version, t.Sighting.Revoked
}

func decodeThing(key, payload []byte) (t thing, ok bool) {
	if len(key) < 2 {
		return t, false
	}
	err := json.Unmarshal(payload, &t)
	vector.Clear()
	if err != nil {
		return t, false
	}
	switch id := string(key[1:]); key[0] {
	case thingObject:
		ok = t.Object != nil && t.Object.ID == id && t.Relation == nil && t.Sighting == nil
	case thingRelation:
		ok = t.Object == nil && t.Relation != nil && t.Relation.ID == id && t.Sighting == nil
	case thingSighting:
		ok = t.Object == nil && t.Relation == nil && t.Sighting != nil && t.Sighting.ID == id
	}
	return t, ok
}

func (im *Import) thing(line int, kind byte, id string, t thing) error {
	if badID(id) || id == "" {
		return im.Refuse(fact.Refusal{Line: line, Value: id, Reason: "its id is missing, too long, or has a zero byte"})
	}
	t.Seen = im.now
	text, err := json.Marshal(t)
	vector.Clear()
	if err != nil {
		return im.fail(err)
	}
	if len(text) > maxThing {
		return im.Refuse(fact.Refusal{Line: line, Value: id, Reason: fmt.Sprintf("takes %d bytes, more than %d", len(text), maxThing)})
	}
	key := append([]byte{kind}, id...)
	if _, ok := decodeThing(key, text); !ok {
		return im.Refuse(fact.Refusal{Line: line, Value: id, Reason: "a time lies behind the year 9999, or a text is none"})
	}
	im.read++
	return im.fail(im.things.add(key, text))
}

// relate counts relations, and ends an import that has too many.
func (im *Import) relate(n int) error {
	if im.relations += n; im.relations > im.l.cfg.MaxRelations {
		return im.fail(fmt.Errorf("more than %d objects, relations, references and sightings: raise max_relations, or split the feed", im.l.cfg.MaxRelations))
	}
	return nil
}

// Object takes what is behind indicators.
func (im *Import) Object(line int, o fact.Object) error {
	if err := errors.Join(im.ready(), im.relate(1+len(o.Refs))); err != nil {
		return err
	}
	return im.thing(line, thingObject, o.ID, thing{Object: &o})
}

// Relation takes a relation. Its ends may come before or after it, or never.
func (im *Import) Relation(line int, r fact.Relation) error {
	if err := errors.Join(im.ready(), im.relate(1)); err != nil {
		return err
	}
	if !r.Revoked && (badID(r.From) || badID(r.To) || r.From == "" || r.To == "") {
		return im.Refuse(fact.Refusal{Line: line, Value: r.ID, Reason: "a relation needs both its ends"})
	}
	if r.ID == "" {
		r.ID = "relationship--" + fact.DeriveUUID("relation", im.feed.Name, r.Type, r.From, r.To)
	}
	return im.thing(line, thingRelation, r.ID, thing{Relation: &r})
}

// Sighting takes a sighting of an indicator of the same feed.
func (im *Import) Sighting(line int, s fact.Sighting) error {
	if err := errors.Join(im.ready(), im.relate(1)); err != nil {
		return err
	}
	if !s.Revoked && s.Of == "" && s.Value == "" {
		return im.Refuse(fact.Refusal{Line: line, Value: s.ID, Reason: "does not say what was sighted"})
	}
	s.Last = min(s.Last, im.now) // what has not happened yet keeps nothing fresh
	if s.ID == "" {
		s.ID = "sighting--" + fact.DeriveUUID("sighting", im.feed.Name, s.Of, s.Type.String(), s.Value, s.By)
	}
	return im.thing(line, thingSighting, s.ID, thing{Sighting: &s})
}

// mergeThings writes what is known besides indicators now, and hands each that was
// not taken back to use.
func (im *Import) mergeThings(old *table, out *tableWriter, use func(*thing) error) error {
	cur := old.scan()
	if err := cur.next(); err != nil {
		return err
	}
	n := 0
	put := func(key, payload []byte, t *thing) error {
		if _, gone := t.version(); gone {
			if im.mode == fact.Replace || t.Seen+spanMillis(im.l.cfg.ForgetAfter) <= im.now {
				return nil
			}
			return out.add(key, payload)
		}
		n++
		if t.Object != nil {
			n += len(t.Object.Refs)
		}
		if n > im.l.cfg.MaxRelations {
			return fmt.Errorf("more than %d objects, relations, references and sightings: raise max_relations, or split the feed", im.l.cfg.MaxRelations)
		}
		if err := out.add(key, payload); err != nil {
			return err
		}
		return use(t)
	}
	keep := func() error { // an old one that the pull does not have
		if im.mode == fact.Update || im.renew {
			t, ok := decodeThing(cur.key, cur.payload)
			if !ok {
				return old.damaged("an object is none")
			}
			if err := put(cur.key, cur.payload, &t); err != nil {
				return err
			}
		}
		return cur.next()
	}
	err := im.things.merged(func(m *merger) error {
		for !m.done() {
			key := append([]byte(nil), m.key()...)
			for !cur.done && string(cur.key) < string(key) {
				if err := keep(); err != nil {
					return err
				}
			}
			var best thing
			var text []byte
			consider := func(payload []byte, where *table) error {
				t, ok := decodeThing(key, payload)
				if !ok {
					return where.damaged("an object is none")
				}
				if text == nil || newer(&t, &best) {
					best, text = t, append(text[:0], payload...)
				}
				return nil
			}
			if !cur.done && string(cur.key) == string(key) {
				if im.mode == fact.Update {
					if err := consider(cur.payload, old); err != nil {
						return err
					}
				}
				if err := cur.next(); err != nil {
					return err
				}
			}
			for !m.done() && string(m.key()) == string(key) {
				if err := errors.Join(consider(m.payload(), m.cursors[0].t), m.next()); err != nil {
					return err
				}
			}
			if err := put(key, text, &best); err != nil {
				return err
			}
		}
		return nil
	})
	for err == nil && !cur.done {
		err = keep()
	}
	return err
}

// newer reports whether what came later takes the place of what came before: a
// larger version does, an equal one too, unless that was taken back.
func newer(later, before *thing) bool {
	a, _ := later.version()
	b, gone := before.version()
	return a > b || a == b && !(gone && b > 0)
}

// things calls use with every object, relation and sighting that a feed says now.
func (l *Library) things(ctx context.Context, feed string, use func(*thing)) error {
	if feed == Analyst {
		return nil
	}
	var t *table
	err := l.reading(feed, func(st *state) (err error) {
		if t = nil; st.Facts > 0 {
			t, err = openTable(generationFile(l.feedDir(feed), st.Facts, "objects"), kindObjects)
		}
		return err
	})
	if err != nil || t == nil {
		return err
	}
	if err = eachThing(ctx, t, use); err != nil {
		err = found(feed, err)
	}
	return errors.Join(err, t.close())
}

// Objects gives those of a feed that have one of the ids, in their order; what the feed
// does not have is left out.
func (l *Library) Objects(feed string, ids []string) ([]fact.Object, error) {
	var list []fact.Object
	err := l.reading(feed, func(st *state) (err error) {
		list = nil
		if st.Facts == 0 || st.Standing.Objects == 0 {
			return nil
		}
		t, err := openTable(generationFile(l.feedDir(feed), st.Facts, "objects"), kindObjects)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, t.close()) }()
		for _, id := range ids {
			key := append([]byte{thingObject}, id...)
			err := t.get(key, func(payload []byte) error {
				one, ok := decodeThing(key, payload)
				if !ok {
					return t.damaged("an object is none")
				}
				if _, gone := one.version(); !gone {
					list = append(list, *one.Object)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	var lacks Partial
	if err := lacks.take(feed, err); err != nil {
		return nil, err
	}
	return list, lacks.Err()
}

// eachThing goes through a table of things but for those that were taken back.
func eachThing(ctx context.Context, t *table, use func(*thing)) error {
	for c := t.scan(); ; {
		if err := errors.Join(c.next(), context.Cause(ctx)); err != nil {
			return err
		}
		if c.done {
			return nil
		}
		one, ok := decodeThing(c.key, c.payload)
		if !ok {
			return t.damaged("an object is none")
		}
		if _, gone := one.version(); !gone {
			use(&one)
		}
	}
}
