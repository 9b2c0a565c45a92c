package draft

// Vendors list things of several kinds in one array, with the kind beside the
// value: {"type": "ip", "value": "192.0.2.1"}.

// pairKey names two members of the objects in an array.
type pairKey struct{ array, kind, value string }

// pairing is what shapes the values had beside each kind.
type pairing struct {
	pairKey
	order  []string // kinds as first seen
	shapes map[string]map[string]int
	seen   map[string]bool // shapes
}

// Bounds of what is kept of pairings.
const (
	maxPairings = 64
	maxKinds    = 40
)

// kinds notes the pairs of an object in an array.
func (s *Sample) kinds(o object, p place) {
	if p.array == "" || p.path != p.array {
		return
	}
	for _, k := range o {
		kind, ok := k.value.(string)
		if w := words(k.name); !ok || !has(w, "type", "kind", "category") || absent(kind) || len(kind) > 64 {
			continue
		}
		for _, v := range o {
			if value, ok := v.value.(string); ok && has(words(v.name), "value", "data", "name", "indicator", "observable", "artifact") && v.name != k.name {
				s.pair(pairKey{p.array, escape(k.name), escape(v.name)}, kind, value)
			}
		}
	}
}

func (s *Sample) pair(key pairKey, kind, value string) {
	x := s.pairs[key]
	if x == nil {
		if len(s.pairOf) == maxPairings {
			return
		}
		x = &pairing{pairKey: key, shapes: map[string]map[string]int{}, seen: map[string]bool{}}
		s.pairs[key] = x
		s.pairOf = append(s.pairOf, x)
	}
	if x.shapes[kind] == nil {
		if len(x.order) == maxKinds {
			return
		}
		x.order = append(x.order, kind)
		x.shapes[kind] = map[string]int{}
	}
	shape := shapeOf(value, words(kind))
	x.shapes[kind][shape]++
	if shape != "" {
		x.seen[shape] = true
	}
}

// mixed reports whether the kinds tell shapes apart.
func (x *pairing) mixed() bool { return len(x.seen) > 1 }

// of gives the shape that all values beside a kind had, "" for none.
func (x *pairing) of(kind string) string {
	if len(x.shapes[kind]) != 1 {
		return ""
	}
	for shape := range x.shapes[kind] {
		return shape
	}
	return ""
}

// shapeOf gives the kind of entity that a value looks like, with the words that
// its kind has; "" for none.
func shapeOf(v string, w []string) string {
	switch {
	case isIP(v):
		return "ip"
	case isURL(v):
		return "url"
	case isMailbox(v) && has(w, "user"):
		return "user"
	case isMailbox(v):
		return "mailbox"
	case isHash(v):
		return "hash"
	case has(w, "host") && isName(v):
		return "host"
	case has(w, "user") && isUserName(v):
		return "user"
	case has(w, "command", "process"):
		return "process"
	case isFile(v), has(w, "file") && isFileName(v):
		return "file"
	case has(w, "domain") && isDomain(v):
		return "domain"
	}
	return ""
}
