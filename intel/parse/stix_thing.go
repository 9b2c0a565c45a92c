package parse

import (
	"strings"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/canon"
)

// maxRefs bounds what one report groups.
const maxRefs = 100_000

// stixKind tells what an object is that is kept; unknown kinds are kept for their
// names.
func stixKind(o *stixObject) (schema.ThreatKind, bool) {
	switch o.Type {
	case "malware":
		return schema.ThreatMalware, true
	case "tool":
		return schema.ThreatTool, true
	case "threat-actor", "intrusion-set":
		return schema.ThreatActor, true
	case "campaign":
		return schema.ThreatCampaign, true
	case "attack-pattern":
		return schema.ThreatTechnique, true
	case "report", "grouping":
		return schema.ThreatReport, true
	case "vulnerability":
		return schema.ThreatVulnerability, true
	case "identity", "course-of-action", "infrastructure", "location":
		return schema.ThreatUnknown, true
	}
	return schema.ThreatUnknown, false
}

// thing takes an object that is no indicator.
func (x *stix) thing(n int, o *stixObject, kind schema.ThreatKind, t stixTimes, tlp schema.TLP) error {
	f := fact.Object{ID: o.ID, Kind: kind, Name: cut(strings.TrimSpace(o.Name), maxName), Desc: cut(string(o.Description), maxDesc), TLP: tlp,
		Version: t.modified, Revoked: o.Revoked}
	for _, a := range o.Aliases {
		if len(f.Aliases) < maxAliases && a != o.Name {
			f.Aliases = append(f.Aliases, cut(a, maxName))
		}
	}
	for _, list := range [...][]string{o.ReportTypes, o.MalwareTypes, o.ToolTypes, o.ActorTypes, {o.Context, string(o.Identity)}, o.Labels} {
		f.Labels = addLabels(f.Labels, list...)
	}
	if kind == schema.ThreatReport {
		for _, ref := range o.Refs[:min(len(o.Refs), maxRefs)] {
			f.Refs = append(f.Refs, cut(ref, maxID))
		}
	}
	for _, e := range o.External {
		if e.URL != "" && len(f.Links) < maxAliases {
			f.Links = append(f.Links, cut(e.URL, 2*maxName))
		}
		switch id := strings.TrimSpace(e.ID); {
		case kind == schema.ThreatTechnique && f.Technique == "" && strings.HasPrefix(e.Source, "mitre"):
			f.Technique = canon.TechniqueID(id)
		case kind == schema.ThreatVulnerability && strings.EqualFold(e.Source, "cve") && f.Name == "":
			f.Name = cut(id, maxName)
		}
	}
	if kind == schema.ThreatTechnique && f.Technique == "" {
		f.Technique = canon.TechniqueByName(o.Name)
	}
	// Times of objects only inform: one that cannot be read is left out.
	f.First, _ = stixTime("first_seen", o.FirstSeen)
	f.Last, _ = stixTime("last_seen", o.LastSeen)
	if published, _ := stixTime("published", o.Published); published != 0 {
		f.First = published
	}
	return x.r.object(n, f)
}

// object passes an object on unless its marking binds it to a tenant that the feed
// does not have.
func (r *reader) object(n int, o fact.Object) error {
	if o.TLP.Bound() && r.feed.Tenant == "" {
		return r.refuse(n, o.ID, boundError(o.TLP))
	}
	return r.out.Object(n, o)
}
