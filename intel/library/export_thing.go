package library

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// linker exports what is behind the indicators of a bundle: malware, tools, actors,
// campaigns, techniques and vulnerabilities that one of them leads to, the reports that
// group them, and the relations between what is exported. It goes through a feed's
// objects before its indicators, to know which ids matter, and behind them.
type linker struct {
	l     *Library
	to    *stixExporter
	limit schema.TLP
	done  *Exported
	lacks Partial // feeds whose objects cannot be read

	feed    string
	objects map[digest]shownObject // that may be shown
	linked  map[digest]bool        // what relations and reports name
	as      map[digest][]linkEnd   // under which ids indicators of these were written
	reached map[digest]bool        // objects that a written indicator leads to
	pairs   int                    // relations of the feed that were written
}

// shownObject is an object that may be exported.
type shownObject struct {
	kind schema.ThreatKind
	tlp  schema.TLP
}

// linkEnd is what a relation leads to in the bundle.
type linkEnd struct {
	id  string
	tlp schema.TLP
}

// maxAs bounds the values of one id of which the relations are told.
const maxAs = 16

// Reasons for which objects and relations are left out.
const (
	leftSecret   = "more secret than what is exported"
	leftUnlinked = "behind no indicator that is exported"
	leftEnd      = "one end is not exported"
	leftMany     = "too many"
)

// begin ends the feed before and looks at the objects of the next.
func (k *linker) begin(ctx context.Context, feed string) error {
	if k.feed == feed && k.objects != nil {
		return nil
	}
	if err := k.finish(ctx); err != nil {
		return err
	}
	k.feed, k.pairs = feed, 0
	k.objects, k.linked, k.as, k.reached = map[digest]shownObject{}, map[digest]bool{}, map[digest][]linkEnd{}, map[digest]bool{}
	return k.lacks.take(feed, k.l.things(ctx, feed, func(t *thing) {
		switch {
		case t.Object != nil && t.Object.Kind != schema.ThreatUnknown:
			if t.Object.TLP.Secrecy() <= k.limit.Secrecy() {
				k.objects[digestOf(t.Object.ID)] = shownObject{t.Object.Kind, t.Object.TLP}
			}
			for _, r := range t.Object.Refs {
				k.linked[digestOf(r)] = true
			}
		case t.Relation != nil:
			k.linked[digestOf(t.Relation.From)], k.linked[digestOf(t.Relation.To)] = true, true
		}
	}))
}

// told notes an indicator that was written under an id, and writes what it names that
// has no object.
func (k *linker) told(i *schema.Indicator, id string, b beside) error {
	if d := digestOf(i.ID); k.linked[d] && len(k.as[d]) < maxAs {
		k.as[d] = append(k.as[d], linkEnd{id, i.TLP})
	}
	for n := range i.Threats {
		t := &i.Threats[n]
		if t.ID != "" {
			k.reached[digestOf(t.ID)] = true
			continue
		}
		if t.Name == "" || t.Kind == schema.ThreatReport || sdoOf(t.Kind) == "" {
			continue
		}
		to := sdoOf(t.Kind) + "--" + fact.DeriveUUID("threat", t.Kind.String(), t.Name)
		if len(k.to.seen) >= 2*maxSeen {
			k.leave(leftMany)
			continue
		}
		o := &fact.Object{Kind: t.Kind, Name: t.Name, TLP: i.TLP}
		if wrote, err := k.object(o, to, nil, b.times); err != nil {
			return err
		} else if wrote {
			k.done.Objects++
		}
		when := times{b.created, b.created}
		if err := k.relation("relationship--"+fact.DeriveUUID("indicates", id, to), "indicates", linkEnd{id, i.TLP}, linkEnd{to, i.TLP}, when); err != nil {
			return err
		}
	}
	return nil
}

// finish writes the objects and relations of the feed.
func (k *linker) finish(ctx context.Context) error {
	if len(k.objects)+len(k.linked) == 0 {
		return nil
	}
	var failed error
	err := k.l.things(ctx, k.feed, func(t *thing) {
		switch {
		case failed != nil:
		case t.Object != nil && t.Object.Kind != schema.ThreatUnknown:
			failed = k.putObject(t)
		case t.Relation != nil:
			failed = k.putRelation(t)
		}
	})
	if failed != nil {
		return failed
	}
	return k.lacks.take(k.feed, err)
}

func (k *linker) leave(why string) {
	if k.done.LeftThings == nil {
		k.done.LeftThings = map[string]int{}
	}
	k.done.LeftThings[why]++
}

// timesOf are those of a thing: when it was changed, as far as anybody says it.
func timesOf(t *thing) times {
	v, _ := t.version()
	if v <= 0 {
		v = t.Seen
	}
	return times{v, v}
}

func (k *linker) putObject(t *thing) error {
	d := digestOf(t.Object.ID)
	if _, ok := k.objects[d]; !ok {
		k.leave(leftSecret)
		return nil
	}
	if !k.reached[d] {
		k.leave(leftUnlinked)
		return nil
	}
	var refs []string
	for _, r := range t.Object.Refs {
		for _, to := range k.ends(r) {
			refs = append(refs, to.id)
		}
	}
	if t.Object.Kind == schema.ThreatReport && len(refs) == 0 {
		k.leave(leftUnlinked)
		return nil
	}
	wrote, err := k.object(t.Object, objectID(t.Object.ID, t.Object.Kind), refs, timesOf(t))
	if wrote {
		k.done.Objects++
	}
	return err
}

// ends gives the ids in the bundle that an id of the feed has become; none, where it is
// not exported.
func (k *linker) ends(id string) []linkEnd {
	d := digestOf(id)
	if o, ok := k.objects[d]; ok && k.reached[d] && o.kind != schema.ThreatReport {
		return []linkEnd{{objectID(id, o.kind), o.tlp}}
	}
	return k.as[d]
}

func (k *linker) putRelation(t *thing) error {
	from, to := k.ends(t.Relation.From), k.ends(t.Relation.To)
	if len(from) == 0 || len(to) == 0 {
		k.leave(leftEnd)
		return nil
	}
	when := timesOf(t)
	for _, a := range from {
		for _, b := range to {
			if k.pairs >= k.l.cfg.MaxRelations {
				k.leave(leftMany)
				return nil
			}
			k.pairs++
			id := "relationship--" + fact.DeriveUUID("export", k.feed, t.Relation.ID, a.id, b.id)
			if len(from) == 1 && len(to) == 1 && isSTIXID(t.Relation.ID, "relationship") && k.to.first(t.Relation.ID) {
				id = t.Relation.ID
			}
			if err := k.relation(id, relationWord(t.Relation.Type), a, b, when); err != nil {
				return err
			}
		}
	}
	return nil
}

// relation writes a relation, as secret as its ends.
func (k *linker) relation(id, word string, from, to linkEnd, when times) error {
	tlp := from.tlp
	if to.tlp.Secrecy() > tlp.Secrecy() {
		tlp = to.tlp
	}
	if err := k.to.marking(tlp); err != nil {
		return err
	}
	k.done.Relations++
	return k.to.object(stixRelation{Type: "relationship", Spec: "2.1", ID: id, Created: stamp(when.created), Modified: stamp(when.modified), Relation: word, From: from.id, To: to.id,
		Markings: [1]string{markingID(tlp)}})
}

// relationWord gives a type as STIX writes it: lower case, digits and dashes.
func relationWord(text string) string {
	word := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '-'
	}, strings.ToLower(text))
	if strings.Trim(word, "-") == "" {
		return "related-to"
	}
	return word
}

type stixRelation struct {
	Type     string    `json:"type"`
	Spec     string    `json:"spec_version"`
	ID       string    `json:"id"`
	Created  string    `json:"created"`
	Modified string    `json:"modified"`
	Relation string    `json:"relationship_type"`
	From     string    `json:"source_ref"`
	To       string    `json:"target_ref"`
	Markings [1]string `json:"object_marking_refs"`
}

// stixThing is any of the objects that an indicator may lead to.
type stixThing struct {
	Type       string     `json:"type"`
	Spec       string     `json:"spec_version"`
	ID         string     `json:"id"`
	Created    string     `json:"created"`
	Modified   string     `json:"modified"`
	Name       string     `json:"name"`
	Desc       string     `json:"description,omitempty"`
	Family     *bool      `json:"is_family,omitempty"` // of malware, which must say it
	Aliases    []string   `json:"aliases,omitempty"`
	Labels     []string   `json:"labels,omitempty"`
	Published  string     `json:"published,omitempty"`   // of reports
	Refs       []string   `json:"object_refs,omitempty"` // of reports
	References []stixLink `json:"external_references,omitempty"`
	Markings   [1]string  `json:"object_marking_refs"`
}

type stixLink struct {
	Source string `json:"source_name"`
	ID     string `json:"external_id,omitempty"`
	URL    string `json:"url,omitempty"`
}

// object writes an object under an id, unless there is one of that id already.
func (k *linker) object(o *fact.Object, id string, refs []string, when times) (wrote bool, err error) {
	if !k.to.first(id) {
		return false, nil
	}
	if err := k.to.marking(o.TLP); err != nil {
		return false, err
	}
	s := stixThing{Type: id[:strings.Index(id, "--")], Spec: "2.1", ID: id, Created: stamp(when.created), Modified: stamp(when.modified), Name: o.Name, Desc: o.Desc,
		Markings: [1]string{markingID(o.TLP)}, Labels: slices.DeleteFunc(slices.Clone(o.Labels), func(l string) bool { return l == "" })}
	if s.Name == "" {
		s.Name = o.ID
	}
	switch s.Type {
	case "malware":
		s.Family = new(true)
	case "report":
		s.Published, s.Refs = s.Created, refs
		if o.First > 0 {
			s.Published = stamp(o.First)
		}
	}
	if s.Type != "report" && s.Type != "vulnerability" {
		s.Aliases = slices.DeleteFunc(slices.Clone(o.Aliases), func(a string) bool { return a == "" })
	}
	if o.Technique != "" {
		s.References = append(s.References, stixLink{Source: "mitre-attack", ID: o.Technique})
	}
	for _, l := range o.Links {
		if l != "" {
			s.References = append(s.References, stixLink{Source: "reference", URL: l})
		}
	}
	return true, k.to.object(s)
}

// sdoOf gives STIX's word for a kind; empty: it has none.
func sdoOf(kind schema.ThreatKind) string {
	switch kind {
	case schema.ThreatMalware:
		return "malware"
	case schema.ThreatTool:
		return "tool"
	case schema.ThreatActor:
		return "threat-actor"
	case schema.ThreatCampaign:
		return "campaign"
	case schema.ThreatTechnique:
		return "attack-pattern"
	case schema.ThreatReport:
		return "report"
	case schema.ThreatVulnerability:
		return "vulnerability"
	}
	return ""
}

// objectID gives the id of an object in the bundle: its own where STIX admits it, else
// one that follows from it.
func objectID(id string, kind schema.ThreatKind) string {
	word := sdoOf(kind)
	if isSTIXID(id, word) || kind == schema.ThreatActor && isSTIXID(id, "intrusion-set") {
		return id
	}
	return word + "--" + fact.DeriveUUID("object", id)
}

// isSTIXID reports an id of a type as STIX writes it.
func isSTIXID(id, word string) bool {
	tail, ok := strings.CutPrefix(id, word+"--")
	u, err := uuid.Parse(tail)
	return ok && err == nil && u.String() == tail && u.Version() >= 1 && u.Version() <= 5 && u.Variant() == uuid.RFC4122
}
