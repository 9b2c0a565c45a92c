package parse

import (
	"slices"
	"strings"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/canon"
)

// mispTags is what the tags of an event or attribute say.
type mispTags struct {
	tlp     schema.TLP
	marked  bool // tlp is a tag's
	labels  []string
	threats []schema.Threat
}

// tags reads tags on top of those of what they belong to. A marking of an attribute
// never loosens its event's.
func (m *misp) tags(of *mispTags, list []mispTag) (mispTags, error) {
	t := mispTags{tlp: m.r.feed.TLP}
	if of != nil {
		t = *of
		if len(list) == 0 {
			return t, nil
		}
		t.labels, t.threats = slices.Clone(of.labels), slices.Clone(of.threats)
	}
	for _, tag := range list {
		name := strings.TrimSpace(string(tag.Name))
		if mark, ok := tlpNamed(name); ok && strings.HasPrefix(strings.ToLower(name), "tlp:") {
			if !t.marked || mark.Secrecy() > t.tlp.Secrecy() {
				t.tlp, t.marked = mark, true
			}
			continue
		}
		threat, technique, galaxy := galaxyTag(name)
		switch {
		case threat.Kind != schema.ThreatUnknown:
			if len(t.threats) < maxThreats && !slices.Contains(t.threats, threat) {
				t.threats = append(t.threats, threat)
			}
			if err := m.tell(threat, technique, galaxy); err != nil {
				return t, err
			}
		default:
			t.labels = addLabels(t.labels, name)
		}
	}
	return t, nil
}

// galaxyTag reads misp-galaxy:threat-actor="Name". The id of what it names derives
// from galaxy and name: it is the same in every event.
func galaxyTag(tag string) (t schema.Threat, technique, galaxy string) {
	rest, ok := strings.CutPrefix(tag, "misp-galaxy:")
	if !ok {
		return t, "", ""
	}
	galaxy, name, ok := strings.Cut(rest, "=")
	name = strings.Trim(strings.TrimSpace(name), `"`)
	kind := galaxyKind(galaxy)
	if !ok || name == "" || kind == schema.ThreatUnknown {
		return t, "", ""
	}
	name = cut(name, maxName)
	if kind == schema.ThreatTechnique {
		if i := strings.LastIndex(name, " - "); i >= 0 {
			technique = canon.TechniqueID(name[i+3:])
		}
		if technique != "" {
			name = technique
		}
	}
	id := schema.DeriveID("misp-galaxy", kind.String(), strings.ToLower(name))
	return schema.Threat{Kind: kind, ID: "misp-galaxy--" + id.String(), Name: name}, technique, galaxy
}

// galaxyKind tells what a galaxy is about; sectors, countries and the like are
// about no threat.
func galaxyKind(galaxy string) schema.ThreatKind {
	switch galaxy {
	case "threat-actor", "microsoft-activity-group", "360net-threat-actor":
		return schema.ThreatActor
	case "malpedia", "ransomware", "banker", "stealer", "rat", "botnet", "backdoor", "cryptominers", "android":
		return schema.ThreatMalware
	case "tool", "exploit-kit", "tds":
		return schema.ThreatTool
	case "branded-vulnerability":
		return schema.ThreatVulnerability
	case "campaigns":
		return schema.ThreatCampaign
	}
	if strings.HasPrefix(galaxy, "mitre-") {
		switch {
		case strings.HasSuffix(galaxy, "attack-pattern"):
			return schema.ThreatTechnique
		case strings.HasSuffix(galaxy, "intrusion-set"):
			return schema.ThreatActor
		case strings.HasSuffix(galaxy, "malware"):
			return schema.ThreatMalware
		case strings.HasSuffix(galaxy, "tool"):
			return schema.ThreatTool
		case strings.HasSuffix(galaxy, "campaign"):
			return schema.ThreatCampaign
		}
	}
	return schema.ThreatUnknown
}

// tell passes an object on for a threat, once for a part. It has no marking: that a
// threat exists is no secret, what it has to do with the event the relation says.
func (m *misp) tell(t schema.Threat, technique, galaxy string) error {
	if m.told[t.ID] {
		return nil
	}
	if m.told == nil || len(m.told) >= maxTold {
		m.told = map[string]bool{}
	}
	m.told[t.ID] = true
	return m.r.object(m.n, fact.Object{ID: t.ID, Kind: t.Kind, Name: t.Name, Technique: technique, Labels: addLabels(nil, galaxy), TLP: m.r.feed.TLP})
}

// relate says what an event has to do with what its tags name.
func (m *misp) relate(event string, version schema.Millis, threats []schema.Threat) error {
	for _, t := range threats {
		typ := "related-to"
		switch t.Kind {
		case schema.ThreatActor:
			typ = "attributed-to"
		case schema.ThreatMalware, schema.ThreatTool, schema.ThreatTechnique:
			typ = "uses"
		}
		id := schema.DeriveID("misp-relation", event, typ, t.ID)
		err := m.r.out.Relation(m.n, fact.Relation{ID: "relationship--" + id.String(), Type: typ, From: event, To: t.ID, Version: version})
		if err != nil {
			return err
		}
	}
	return nil
}
