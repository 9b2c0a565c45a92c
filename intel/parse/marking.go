package parse

import (
	"fmt"
	"strings"

	"github.com/interdict/interdict/schema"
)

// boundError refuses what only a tenant's own feed may say.
func boundError(t schema.TLP) error {
	return fmt.Errorf("TLP %s is taken only by a feed with a tenant", t)
}

// stixMarking is what a marking definition says; one that is no TLP says nothing.
type stixMarking struct {
	tlp   schema.TLP
	isTLP bool
}

// tlpMarking knows the marking definitions whose ids the standards fix: TLP 1.0 by
// STIX 2.1 (section 7.2.1.4), TLP 2.0 by OASIS' extension definition, and the one that
// OpenCTI has of its own for what TLP 1.0 lacks.
func tlpMarking(ref string) (schema.TLP, bool) {
	switch strings.TrimPrefix(strings.ToLower(ref), "marking-definition--") {
	case "613f2e26-407d-48c7-9eca-b8e91df99dc9", "94868c89-83c2-464b-929b-a1a8aa3c8487": // white, clear
		return schema.TLPClear, true
	case "34098fce-860f-48ae-8e50-ebd3cc5e41da", "bab4a63c-aed9-4cf5-a766-dfca5abac2bb":
		return schema.TLPGreen, true
	case "f88d31f6-486f-44da-b317-01333bde0b82", "55d920b0-5e8b-4f79-9ee9-91f868d9b421":
		return schema.TLPAmber, true
	case "939a9414-2ddd-4d32-a0cd-375ea402b003", "826578e1-40ad-459f-bc73-ede076f81f37":
		return schema.TLPAmberStrict, true
	case "5e57c739-391a-4eb3-b6be-7d15ca92d5ed", "e828b379-4e03-4974-9ac4-e53a884c97c1":
		return schema.TLPRed, true
	}
	return schema.TLPClear, false
}

// maxMarkings bounds the definitions that one part may bring.
const maxMarkings = 10_000

// define keeps what a marking definition of the feed says: TLP 1.0 as its definition,
// TLP 2.0 in an extension, either in its name or statement. One that is a TLP which
// nobody knows is as good as none: see tlp.
func (x *stix) define(o *stixObject) {
	if o.ID == "" || len(o.ID) > maxID || len(x.known) >= maxMarkings {
		return
	}
	if x.known == nil {
		x.known = map[string]stixMarking{}
	}
	var said struct {
		TLP       loose `json:"tlp"`
		Upper     loose `json:"TLP"`
		Statement loose `json:"statement"`
	}
	if len(o.Definition) > 0 {
		// A definition of another form says nothing.
		if err, _ := decode(o.Definition, &said); err != nil {
			said.TLP = ""
		}
	}
	text := string(said.TLP + said.Upper)
	var extensions map[string]struct {
		TLP loose `json:"tlp_2_0"`
	}
	if len(o.Extensions) > 0 {
		if err, _ := decode(o.Extensions, &extensions); err == nil {
			for _, e := range extensions {
				if e.TLP != "" {
					text = string(e.TLP)
				}
			}
		}
	}
	for _, name := range [...]string{o.OpenCTI, o.Name, string(said.Statement)} {
		if text == "" && strings.HasPrefix(strings.ToUpper(strings.TrimSpace(name)), "TLP:") {
			text = name
		}
	}
	t, ok := tlpNamed(text)
	if !ok && (text != "" || strings.HasPrefix(strings.ToLower(o.DefinitionType), "tlp")) {
		return
	}
	x.known[o.ID] = stixMarking{t, ok}
}

// tlp gives the most secret marking of an object and of its parts, or the feed's
// where it has none. undefined reports a marking that nothing has defined so far. It
// counts as amber: most say whose text it is, one may be a TLP of the feed's own, and
// amber is matched and given to nobody else unless somebody asks for it.
func (x *stix) tlp(o *stixObject) (t schema.TLP, undefined bool) {
	marked := false
	mark := func(ref string) {
		tlp, ok := tlpMarking(ref)
		if !ok {
			m, known := x.known[ref]
			undefined = undefined || !known
			tlp, ok = m.tlp, m.isTLP
		}
		if ok && (!marked || tlp.Secrecy() > t.Secrecy()) {
			t, marked = tlp, true
		}
	}
	defer func() {
		if undefined && t.Secrecy() < schema.TLPAmber.Secrecy() {
			t = schema.TLPAmber
		}
	}()
	for _, ref := range o.Markings {
		mark(ref)
	}
	whole := marked
	for _, g := range o.Granular {
		mark(g.Marking)
	}
	if !whole && (!marked || x.r.feed.TLP.Secrecy() > t.Secrecy()) {
		t = x.r.feed.TLP // of what no marking covers
	}
	return t, undefined
}
