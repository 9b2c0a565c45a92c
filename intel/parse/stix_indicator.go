package parse

import (
	"fmt"
	"slices"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// indicator takes the values of an indicator's pattern, each with the object's id.
func (x *stix) indicator(n int, o *stixObject, t stixTimes, tlp schema.TLP) error {
	if o.Revoked {
		gone := schema.Indicator{ID: o.ID, Feed: x.r.feed.Name, Tenant: x.r.feed.Tenant, TLP: tlp}
		return x.r.out.Said(n, fact.Said{Indicator: gone, Version: t.modified, Revoked: true})
	}
	i, values, left, err := x.said(o, t)
	if err != nil {
		return x.refuse(n, o, t, err)
	}
	for _, why := range left[:min(len(left), maxLeft)] {
		if err := x.r.refuse(n, o.ID, why); err != nil {
			return err
		}
	}
	i.TLP = tlp
	any := false
	for _, v := range values {
		one := i // each value has its own copy of what a sink may change
		one.Type, one.Value, one.Labels = v.Type, v.Value, slices.Clone(i.Labels)
		taken, err := x.r.said(n, v.Value, fact.Said{Indicator: one, Version: t.modified})
		if err != nil {
			return err
		}
		any = any || taken
	}
	if any {
		return nil
	}
	return x.r.void(n, o.ID, t.modified)
}

// refuse refuses an indicator as a whole.
func (x *stix) refuse(n int, o *stixObject, t stixTimes, why error) error {
	if err := x.r.refuse(n, o.ID, why); err != nil {
		return err
	}
	return x.r.void(n, o.ID, t.modified)
}

// maxLeft bounds the alternatives of one pattern that are told as left out.
const maxLeft = 8

// said reads an indicator and its values, and says why of those that it left out.
func (x *stix) said(o *stixObject, t stixTimes) (i schema.Indicator, values []schema.Observable, left []error, err error) {
	switch {
	case o.PatternType != "" && o.PatternType != "stix":
		return i, nil, nil, fmt.Errorf("STIX: pattern type %q is not matched", cut(o.PatternType, 40))
	case o.Pattern == "":
		return i, nil, nil, errStixPattern
	case o.ValidFrom == "" && o.SpecVersion == "2.1":
		return i, nil, nil, errStixFrom
	}
	if values, left, err = alternatives(o.Pattern); err != nil {
		return i, nil, nil, err
	}
	i = x.r.indicator(o.ID, schema.Observable{})
	if i.ValidFrom, err = stixTime("valid_from", o.ValidFrom); err != nil {
		return i, nil, nil, err
	}
	if i.ValidUntil, err = stixTime("valid_until", o.ValidUntil); err != nil {
		return i, nil, nil, err
	}
	i.Fresh = x.r.past(t.modified)
	if c, ok := stixNumber(o.Confidence, 100); ok {
		i.Confidence = uint8(c)
	}
	kinds := slices.Concat(o.IndicatorTypes, o.Labels)
	i.Verdict = stixVerdict(kinds, i.Verdict)
	i.Labels = addLabels(i.Labels, kinds...)
	return i, values, left, nil
}

// stixVerdict reads the open vocabulary of indicator types, which 2.0 keeps in
// labels: the worst that is said counts.
func stixVerdict(kinds []string, none schema.Verdict) schema.Verdict {
	benign, suspicious := false, false
	for _, k := range kinds {
		switch word(k) {
		case "maliciousactivity", "compromised", "attribution":
			return schema.VerdictMalicious
		case "anomalousactivity", "anonymization":
			suspicious = true
		case "benign":
			benign = true
		}
	}
	switch {
	case suspicious:
		return schema.VerdictSuspicious
	case benign:
		return schema.VerdictBenign
	}
	return none
}
