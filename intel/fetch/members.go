package fetch

import (
	"bytes"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
)

const (
	// maxMembers is how many attributes of a MISP feed are remembered from one pull to
	// the next, by their UUIDs. Beyond it those of the events that changed longest ago
	// are forgotten: what is removed from them goes with the next whole pull.
	maxMembers = 500_000
	// deepest is how deep in an event attributes are looked for. They are five deep.
	deepest = 16

	uuidBytes = 16
)

// members watches the text of a MISP event go by and picks out the UUIDs of its
// attributes, also of those in its objects: the element "uuid" of objects that stand in
// an array "Attribute". It keeps nothing else, and takes no text for wrong: that is up
// to who reads it.
type members struct {
	uuids []byte // uuidBytes each, of maxMembers and one more at most

	nest    [deepest]nested
	depth   int
	name    string // of the member that follows; what is none of ours is ""
	isName  bool   // the next string is a name
	inText  bool
	escaped bool
	kept    []byte // of a string, as far as one of ours can go
}

// nested is an array or object that has not ended.
type nested struct{ array, attributes, attribute bool }

// Write takes the next bytes.
func (m *members) Write(text []byte) (int, error) {
	for _, c := range text {
		if m.inText {
			m.string(c)
		} else {
			m.step(c)
		}
	}
	return len(text), nil
}

func (m *members) string(c byte) {
	switch {
	case m.escaped:
		m.escaped = false
	case c == '"':
		m.inText = false
		m.end()
		return
	case c == '\\':
		m.escaped = true
	}
	if len(m.kept) <= len("xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx") {
		m.kept = append(m.kept, c)
	}
}

// end takes a string.
func (m *members) end() {
	if m.isName {
		m.isName = false
		switch m.name = ""; string(m.kept) {
		case "Attribute":
			m.name = "Attribute"
		case "uuid":
			m.name = "uuid"
		}
		return
	}
	if m.name == "uuid" && m.top().attribute && isUUID(string(m.kept)) && len(m.uuids) <= maxMembers*uuidBytes {
		digits := strings.ReplaceAll(string(m.kept), "-", "")
		m.uuids, _ = hex.AppendDecode(m.uuids, []byte(digits)) // isUUID saw the digits
	}
}

func (m *members) step(c byte) {
	switch c {
	case '"':
		m.inText, m.kept = true, m.kept[:0]
	case '{':
		m.open(nested{attribute: m.top().attributes})
		m.isName = true
	case '[':
		m.open(nested{array: true, attributes: !m.top().array && m.name == "Attribute"})
		m.isName = false
	case '}', ']':
		m.depth = max(0, m.depth-1)
		m.isName, m.name = false, ""
	case ',':
		m.isName, m.name = !m.top().array, ""
	}
}

func (m *members) open(n nested) {
	if m.depth < deepest {
		m.nest[m.depth] = n
	}
	m.depth++
	m.name = ""
}

// top gives what the next text stands in.
func (m *members) top() nested {
	if m.depth == 0 || m.depth > deepest {
		return nested{}
	}
	return m.nest[m.depth-1]
}

// membership is which attributes the events of a feed have.
type membership struct {
	of    map[string][]byte // by event
	total int               // bytes
	order []string          // events, those that changed longest ago first
}

func newMembership(of map[string][]byte, order []string) *membership {
	m := &membership{of: maps.Clone(of), order: order}
	if m.of == nil {
		m.of = map[string][]byte{}
	}
	for _, uuids := range of {
		m.total += len(uuids)
	}
	return m
}

func (m *membership) set(event string, uuids []byte) {
	m.total += len(uuids) - len(m.of[event])
	delete(m.of, event)
	if len(uuids) > 0 {
		m.of[event] = uuids
	}
	for ; m.total > maxMembers*uuidBytes && len(m.order) > 0; m.order = m.order[1:] {
		m.total -= len(m.of[m.order[0]])
		delete(m.of, m.order[0])
	}
}

// lack gives those of a list that no event has, each once.
func (m *membership) lack(list [][uuidBytes]byte) [][uuidBytes]byte {
	if len(list) == 0 {
		return nil
	}
	left := make(map[[uuidBytes]byte]bool, len(list))
	for _, u := range list {
		left[u] = true
	}
	for _, uuids := range m.of {
		each(uuids, func(u [uuidBytes]byte) { delete(left, u) })
	}
	return slices.SortedFunc(maps.Keys(left), func(a, b [uuidBytes]byte) int { return bytes.Compare(a[:], b[:]) })
}

// without gives the attributes that stand in before and not in after.
func without(before, after []byte) [][uuidBytes]byte {
	now := make(map[[uuidBytes]byte]bool, len(after)/uuidBytes)
	each(after, func(u [uuidBytes]byte) { now[u] = true })
	var gone [][uuidBytes]byte
	each(before, func(u [uuidBytes]byte) {
		if !now[u] {
			gone = append(gone, u)
		}
	})
	return gone
}

func each(uuids []byte, do func([uuidBytes]byte)) {
	for ; len(uuids) >= uuidBytes; uuids = uuids[uuidBytes:] {
		do([uuidBytes]byte(uuids))
	}
}
